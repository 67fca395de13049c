"""The process that works for one request: it imports the project."""

import faulthandler
import os
import signal
import sys
import threading

from . import output
from .events import Channel


def main(request, fd, life, mark):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    faulthandler.enable(file=2)  # a crash in C then tells the Python line
    die_with_parent(life)
    root = os.path.realpath(request["root"])
    channel = Channel(fd, root)
    recorder = output.Recorder(channel, mark)
    try:
        recorder.install()
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
        channel.failed(error)
        return 1
    return 0


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
