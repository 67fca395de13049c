"""Output of the project's code, attributed to the node that is running.

What Python code prints goes to the supervisor as events, in order with the log records. What is
written below Python (C code, subprocesses) goes through the file descriptors 1 and 2, which the
supervisor reads; a mark in these streams tells it where a node begins and ends.
"""

import functools
import io
import json
import logging
import logging.config
import os
import re
import sys
import threading
import time
import warnings

from . import events

KINDS = {"stdout": b"o", "stderr": b"e"}
REWRITES = 0.1  # seconds between two shown states of a line that rewrites itself
MARKUP = re.compile(r"\[/?[a-z_ ]*\]")


class Recorder:
    """Knows which nodes are running, and reports when they begin and end."""

    def __init__(self, channel, mark):
        self.channel = channel
        self.mark = mark
        self.local = threading.local()
        self.open = {}  # name of a running node -> when it began
        self.concurrent = False  # several nodes may run at once
        self.streams = []
        self.replaced = []  # what stood in their places
        self.sender = None
        self.libc = None

    def install(self):
        for fd, name in ((1, "stdout"), (2, "stderr")):
            stream = Lines(fd, name, self)
            self.replaced += [getattr(sys, name), getattr(sys, "__%s__" % name)]
            setattr(sys, name, stream)
            setattr(sys, "__%s__" % name, stream)
            self.streams.append(stream)
        warnings.showwarning = self.show_warning
        configure = logging.config.dictConfig

        def configure_and_adopt(config):
            configure(config)
            adopt_logging(self)

        logging.config.dictConfig = configure_and_adopt
        try:
            import ctypes

            self.libc = ctypes.CDLL(None)
            line_buffered = 1
            for name in ("stdout", "stderr"):
                stream = ctypes.c_void_p.in_dll(self.libc, name)
                self.libc.setvbuf(stream, None, line_buffered, ctypes.c_size_t(0))
        except Exception:
            pass  # C code's lines then come when its buffer is full, or when a node ends

    def node(self):
        """The node that the calling code belongs to."""
        name = getattr(self.local, "node", None)
        if name is None and len(self.open) == 1:
            try:
                return next(iter(self.open))
            except (StopIteration, RuntimeError):
                return None
        return name

    def begin(self, name, here=True):
        """`here`: the node runs in the calling thread."""
        if name in self.open:
            return
        self.open[name] = time.perf_counter()
        if here:
            self.switch(name)
        self.channel.event("node_started", node=name)

    def end(self, name, error=None):
        began = self.open.get(name)
        if began is None:
            return
        seconds = time.perf_counter() - began
        self.switch(None)
        self.open.pop(name, None)
        if error is None:
            self.channel.event("node_finished", node=name, seconds=seconds)
        else:
            failure = events.failure(error, self.channel.root)
            self.channel.event("node_failed", node=name, seconds=seconds, failure=failure)

    def switch(self, name):
        self.flush()
        self.local.node = name
        if not self.concurrent:
            line = self.mark + json.dumps(name).encode() + b"\n"
            for fd in (1, 2):
                try:
                    os.write(fd, line)
                except OSError:
                    pass  # the project's code closed it

    def flush(self):
        for stream in self.streams:
            try:
                stream.finish_line()
                stream.flush()
            except (OSError, ValueError):
                pass
        if self.libc is not None:
            self.libc.fflush(None)

    def show_warning(self, message, category, filename, lineno, file=None, line=None):
        text = "%s: %s (%s:%s)" % (category.__name__, message, filename, lineno)
        for one in text.splitlines() or [""]:
            self.channel.output(b"w", self.node(), one)


class Lines(io.TextIOWrapper):
    """Standard output or error: whole lines become events; its `buffer` writes to the descriptor."""

    def __init__(self, fd, name, recorder):
        raw = io.FileIO(fd, "w", closefd=False)
        super().__init__(
            io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", write_through=True
        )
        self._kind = KINDS[name]
        self._recorder = recorder
        self._channel = recorder.channel
        self._threads = threading.local()

    def write(self, text):
        local = self._threads
        try:
            pending = local.pending
        except AttributeError:
            pending = local.pending = ""
        if text == "\n" and "\r" not in pending:  # how `print` ends a line
            local.pending = ""
            self._channel.output(self._kind, self._recorder.node(), pending)
            return 1
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not %s" % type(text).__name__)
        pending += text
        if "\n" in text:
            lines = pending.split("\n")
            pending = lines.pop()
            for line in lines:
                self._line(line)
        if "\r" in pending:
            pending = self._rewriting(pending)
        while len(pending) > events.LINE:
            self._line(pending[: events.LINE])
            pending = pending[events.LINE :]
        local.pending = pending
        return len(text)

    def _rewriting(self, pending):
        """A progress bar goes back to the line's start: its state is shown now and then."""
        local = self._threads
        done, _, rest = pending.rpartition("\r")
        now = time.monotonic()
        if now - getattr(local, "shown", 0.0) > REWRITES:
            local.shown = now
            # A bar ends its state by going back (`text\r`), or begins with it (`\rtext`).
            state = rest if rest.strip() else done.rpartition("\r")[2]
            if state.strip():
                self._channel.output(self._kind.upper(), self._recorder.node(), state)
        return done.rpartition("\r")[2] + "\r" if not rest else "\r" + rest

    def finish_line(self):
        pending, self._threads.pending = getattr(self._threads, "pending", ""), ""
        if pending.strip("\r"):
            self._line(pending)

    def _line(self, line):
        line = line.rstrip("\r").rpartition("\r")[2]
        self._channel.output(self._kind, self._recorder.node(), line)


class Sender:
    """Sends the log records that handlers would print as events."""

    def __init__(self, recorder):
        self.recorder = recorder
        self.plain = logging.Formatter()
        # A handler that an installed package made earlier has one of these.
        self.streams = [sys.stdout, sys.stderr, *recorder.replaced]

    def emit(self, handler, record):
        if getattr(record, "_mlops_tui_sent", False):
            return
        record._mlops_tui_sent = True
        try:
            text = self.plain.format(record)
            if getattr(record, "markup", False):
                text = MARKUP.sub("", text)
            kind, of = b"w", self.recorder.node()
            if record.name != "py.warnings":
                kind, of = b"l", (of, record.levelname, record.name)
            for line in text.splitlines() or [""]:
                self.recorder.channel.output(kind, of, line)
        except Exception:
            handler.handleError(record)

    def prints(self, stream):
        # MLflow's stream stands for whatever `sys.stderr` is.
        return any(stream is one for one in self.streams) or type(stream).__name__ == "MlflowLoggingStream"


def adopt_logging(recorder):
    """Handlers that print send events in place of it, whoever makes them. Those of the project's own
    classes do as they like."""
    sender = recorder.sender
    if sender is None:
        sender = recorder.sender = Sender(recorder)
        replace_emit(logging.StreamHandler, sender, lambda handler: handler.stream)
        replace_emit(type(logging.lastResort), sender, lambda handler: handler.stream)
    for name in ("rich.logging", "kedro.logging"):
        handler = getattr(sys.modules.get(name), "RichHandler", None)
        if handler is not None and "_mlops_tui" not in vars(handler):
            handler._mlops_tui = True
            replace_emit(handler, sender, lambda handler: handler.console.file)


def replace_emit(kind, sender, stream_of):
    emit = kind.emit

    @functools.wraps(emit)
    def emit_or_send(self, record):
        if type(self) is kind and sender.prints(stream_of(self)):
            sender.emit(self, record)
        else:
            emit(self, record)

    kind.emit = emit_or_send
