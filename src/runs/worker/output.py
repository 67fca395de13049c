"""Output of the project's code, assigned to the node that is running.

Output of Python code is sent as events, in order with the log records. Output from below Python (C code,
subprocesses) goes through the file descriptors 1 and 2, which the supervisor reads; marks in these streams
show where a node begins and ends.
"""

import functools
import io
import logging
import logging.config
import re
import sys
import warnings

from . import events
from .own import encode, os, threading, time

KINDS = {"stdout": b"o", "stderr": b"e"}
SLICE = 1 << 20  # characters of a text that are processed at once
REWRITES = 0.1  # seconds between two shown states of a line that rewrites itself
MARKUP = re.compile(r"\[/?[a-z_ ]*\]")


class Recorder:
    """Tracks the running nodes, and reports when they begin and end."""

    def __init__(self, channel, mark):
        self.channel = channel
        self.mark = mark
        self.local = threading.local()
        self.open = {}  # name of a running node -> when it began
        self.concurrent = False  # several nodes may run at once
        self.streams = []
        self.replaced = []  # the streams that were replaced
        self.sender = None
        self.libc = None
        # Where to write marks. There is no spare: a closed descriptor may have become a file of the
        # project's code.
        self.marked = [events.Pipe(fd, spare=False) for fd in (1, 2)]

    def install(self):
        os.register_at_fork(after_in_child=self.forked)
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
            pass  # output of C code then arrives when its buffer is full, or when a node ends

    def forked(self):
        """Called in a forked process, which reports events only if the runner's pool has forked it."""
        for stream in self.streams:
            stream.drop_line()
        if self.concurrent and not self.open and os.getppid() == self.channel.pid:
            self.channel.adopt()

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
        """Reports that a node begins. `here`: it runs in the calling thread."""
        if name in self.open or not self.channel.reports():
            return
        self.open[name] = time.perf_counter()
        if here:
            self.switch(name)
        self.channel.event("node_started", node=name)

    def end(self, name, error=None):
        began = self.open.get(name)
        if began is None or not self.channel.reports():
            return
        seconds = time.perf_counter() - began
        self.switch(None)
        self.open.pop(name, None)
        if error is None:
            self.channel.event("node_finished", node=name, seconds=seconds)
        else:
            failure = self.channel.failure(error)
            self.channel.event("node_failed", node=name, seconds=seconds, failure=failure)

    def switch(self, name):
        self.flush()
        self.local.node = name
        if not self.concurrent and self.channel.reports():
            line = self.mark + encode(name).encode("utf-8", "replace") + b"\n"
            for pipe in self.marked:
                pipe.write(line)

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


class Line:
    """The incomplete line of a thread."""

    __slots__ = ("parts", "size", "sent", "left_out", "shown")

    def __init__(self):
        self.parts = []
        self.size = 0  # characters in the parts
        self.sent = 0  # characters of the line that were sent
        self.left_out = 0  # bytes of the line that were dropped
        self.shown = 0.0  # when the state of a line that rewrites itself was last sent

    def take(self):
        """Removes and returns the parts as one text."""
        text = self.parts[0] if len(self.parts) == 1 else "".join(self.parts)
        self.parts, self.size = [], 0
        return text

    def put_back(self, text):
        self.parts, self.size = ([text], len(text)) if text else ([], 0)


class Lines(io.TextIOWrapper):
    """Standard output or error: whole lines become events; the `buffer` writes to the descriptor.

    If the project's code has replaced the descriptor by a file of its own, output goes to that file."""

    def __init__(self, fd, name, recorder):
        raw = io.FileIO(fd, "w", closefd=False)
        super().__init__(
            io.BufferedWriter(raw), encoding="utf-8", errors="backslashreplace", write_through=True
        )
        self._fd = fd
        self._identity = events.identity(fd)
        self._kind = KINDS[name]
        self._recorder = recorder
        self._channel = recorder.channel
        self._threads = threading.local()

    def write(self, text):
        try:
            line = self._threads.line
        except AttributeError:
            line = self._threads.line = Line()
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not %s" % type(text).__name__)
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        if self._is_elsewhere():
            written = super().write(text)
            if self._fd == 2:
                self.flush()  # as Python does
            return written
        if len(text) <= SLICE:
            self._take(line, text)
        else:
            for start in range(0, len(text), SLICE):
                self._take(line, text[start : start + SLICE])
        return len(text)

    def _is_elsewhere(self):
        try:
            status = os.fstat(self._fd)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) != self._identity

    def _take(self, line, text):
        if "\n" in text:
            first, *rest = text.split("\n")
            line.parts.append(first)
            self._end(line)
            if rest:
                text = rest.pop()
                for whole in rest:
                    self._send_line(line, whole)
            else:
                return
        if not text:
            return
        line.parts.append(text)
        line.size += len(text)
        if "\r" in text or (line.parts[0][:1] == "\r" and len(line.parts) > 1):
            line.put_back(self._rewriting(line))
        if line.size > events.LINE:
            self._go_on(line)

    def _rewriting(self, line):
        """Shows the state of a progress bar, which returns to the line's start, at intervals."""
        done, _, rest = line.take().rpartition("\r")
        now = time.monotonic()
        if now - line.shown > REWRITES:
            line.shown = now
            # A bar either ends its state with a carriage return (`text\r`), or begins with one
            # (`\rtext`).
            state = rest if rest.strip() else done.rstrip("\r").rpartition("\r")[2]
            if state.strip():
                self._channel.output(self._kind.upper(), self._recorder.node(), state[: events.LINE])
        line.sent = line.left_out = 0
        return done.rstrip("\r").rpartition("\r")[2] + "\r" if not rest else "\r" + rest

    def _go_on(self, line):
        """Sends the available part of a line that is too long to hold, in pieces."""
        text = line.take()
        end = len(text) - len(text) % events.LINE
        start = len(text) - len(text.lstrip("\r"))
        for at in range(start, end, events.LINE):
            self._piece(line, text[at : min(at + events.LINE, end)])
        line.put_back(text[end:])

    def _piece(self, line, text):
        if line.sent >= events.LONGEST:
            line.left_out += events.bytes_of(text)
            return
        line.sent += len(text)
        self._channel.output(self._kind, self._recorder.node(), text)

    def _end(self, line):
        """Completes the line."""
        self._send_line(line, line.take())

    def _send_line(self, line, text):
        if "\r" in text:
            text = text.rstrip("\r").rpartition("\r")[2]
        if line.sent == 0 and len(text) <= events.LINE:
            self._channel.output(self._kind, self._recorder.node(), text)
            return
        for start in range(0, len(text), events.LINE):
            self._piece(line, text[start : start + events.LINE])
        if line.left_out:
            note = events.LEFT_OUT % line.left_out
            self._channel.output(self._kind, self._recorder.node(), note)
        line.sent = line.left_out = 0

    def finish_line(self):
        line = getattr(self._threads, "line", None)
        if line is not None and (line.sent or any(part.strip("\r") for part in line.parts)):
            self._end(line)

    def drop_line(self):
        """Drops the incomplete line in a forked process; the parent process sends it."""
        self._threads.line = Line()


class Sender:
    """Sends log records as events instead of letting handlers print them."""

    def __init__(self, recorder):
        self.recorder = recorder
        self.plain = logging.Formatter()
        # Handlers that installed packages created before use one of these streams.
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
        # MLflow's stream is a proxy for the current `sys.stderr`.
        return any(stream is one for one in self.streams) or type(stream).__name__ == "MlflowLoggingStream"


def adopt_logging(recorder):
    """Makes all handlers that print send events instead, also those created later. Handlers of classes in the
    project's code are left alone."""
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
