"""The process that works for one request: it imports the project."""

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
    # A crash in C then tells the Python line, and not in a file that has taken this number.
    faulthandler.enable(file=events.high_copy(2) or 2)
    die_with_parent(life)
    root = os.path.realpath(request["root"])
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
        else:
            raise ValueError("the worker has no command %r" % request["command"])
    except BaseException as error:  # sys.exit and KeyboardInterrupt of the project's code, too
        recorder.flush()
        if not channel.is_run():
            raise  # out of a node, in a process that the node has forked: it ends as Python ends
        channel.failed(error)
        return 1
    finally:
        if request["warm"]:
            channel.modules(modules.learned(preloaded))
    return 0


def begin_anew():
    """What modules have taken from their surroundings at their import is taken again."""
    importlib.invalidate_caches()
    modules.check_bytecode()
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()
    project = sys.modules.get("kedro.framework.project")
    if project is not None and hasattr(project, "LOGGING"):
        # It reads the project's logging configuration when it is made.
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
