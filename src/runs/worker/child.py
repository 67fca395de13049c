"""The process that works on one request: it imports the project."""

import faulthandler
import importlib
import signal
import sys

from . import events, modules, output
from .own import json, os, threading


def main(request, fd, life, preloaded):
    with os.fdopen(request, "rb") as file:
        request = json.loads(file.read().decode("utf-8"))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # After a crash in C code this prints the Python line. The copy is safe: the project's code can't
    # reuse its number.
    faulthandler.enable(file=events.high_copy(2) or 2)
    die_with_parent(life)
    root = os.path.realpath(request["root"])
    if request["command"] == "debug":
        return prompt(request, events.Channel(fd, root), life, preloaded)
    channel = events.Channel(fd, root, request.get("spill"))
    recorder = output.Recorder(channel, request["mark"].encode())
    try:
        recorder.install()
        begin_anew()
        if request["command"] == "run":
            from . import run

            seconds = run.run(request, recorder)
            recorder.flush()
            channel.final("run_finished", seconds=seconds)
        elif request["command"] == "snapshot":
            from . import snapshot

            channel.answer(snapshot.snapshot(request))
        elif request["command"] == "end_tracked":
            from . import tracking

            channel.answer(tracking.end(request["runs"]))
        else:
            raise ValueError("the worker has no command %r" % request["command"])
    except BaseException as error:  # includes sys.exit and KeyboardInterrupt in the project's code
        recorder.flush()
        if not channel.is_run():
            raise  # raised in a process that a node has forked: it ends like any Python process
        channel.failed(error)
        return 1
    finally:
        if request["warm"]:
            channel.modules(modules.learned(preloaded))
    return 0


def prompt(request, channel, life, preloaded):
    from . import debug

    def work():
        die_with_parent(life)
        channel.adopt()
        channel.run_pid = os.getpid()
        with debug.quiet():
            begin_anew()
        try:
            return debug.main(request)
        finally:
            if request["warm"]:
                channel.modules(modules.learned(preloaded))

    code = debug.at_terminal(request, work)
    if code == 0:
        channel.answer(None)
    return code


def begin_anew():
    """Reads again what modules have read from the environment at their import."""
    importlib.invalidate_caches()
    modules.check_bytecode()
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()
    project = sys.modules.get("kedro.framework.project")
    if project is not None and hasattr(project, "LOGGING"):
        # The constructor reads the project's logging configuration.
        project.LOGGING.__dict__.update(type(project.LOGGING)().__dict__)


def die_with_parent(life):
    parent = os.getppid()
    if sys.platform.startswith("linux"):
        try:
            import ctypes

            ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)
            return
        except (ImportError, OSError, AttributeError):
            pass

    def watch():
        os.read(life, 1)  # returns at end of file: only the parent holds the other end
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
