"""What the child tells the supervisor: events, the final event, the answer.

Several threads and processes write to one pipe. A write of at most `PIPE_BUF` bytes is atomic, so a
message goes in chunks that carry its number, and the supervisor puts them together again.
"""

import itertools
import json
import os
import re
import threading
import time
import traceback

EVENT, FINAL, ANSWER, MORE = b"E", b"F", b"A", b"+"
CHUNK = 3500  # PIPE_BUF is 4096 on Linux; less on other systems, where only one process writes
LINE = 16384  # a longer line of output is sent in pieces
TRACEBACK = 100_000  # characters kept of a traceback
FRAMES = 100

OWN = "<mlops-tui worker>"


class Channel:
    """The writing end of the event pipe."""

    def __init__(self, fd, root):
        self.fd = fd
        self.root = root
        self.numbers = itertools.count()

    def event(self, name, **fields):
        self._send(EVENT, dict(at=time.time(), event=name, **fields))

    def final(self, name, **fields):
        self._send(FINAL, dict(at=time.time(), event=name, **fields))

    def answer(self, value):
        self._send(ANSWER, {"answer": value})

    def failed(self, error):
        self.final("run_failed", failure=failure(error, self.root))

    def output(self, node, stream, text, **fields):
        for piece in pieces(text):
            self.event("output", node=node, stream=stream, text=piece, **fields)

    def _send(self, kind, value):
        data = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
        head = b"%x.%x.%x" % (os.getpid(), threading.get_ident(), next(self.numbers))
        for start in range(0, len(data), CHUNK):
            last = start + CHUNK >= len(data)
            line = head + (kind if last else MORE) + data[start : start + CHUNK] + b"\n"
            while line:
                line = line[os.write(self.fd, line) :]


def pieces(text):
    """The text in pieces of bounded length, at least one."""
    return [text[start : start + LINE] for start in range(0, len(text), LINE)] or [""]


def failure(error, root):
    """An exception in the shape of `runs::event::Failure`."""
    return {
        "kind": type(error).__module__ + "." + type(error).__qualname__,
        "message": message(error),
        "traceback": text(error),
        "frames": frames(error, root),
    }


def message(error):
    if isinstance(error, SystemExit):
        return "the project's code called sys.exit(%s)" % ("" if error.code is None else repr(error.code))
    if isinstance(error, KeyboardInterrupt) and not error.args:
        return "the project's code raised KeyboardInterrupt"
    try:
        return str(error)[:TRACEBACK]
    except Exception:
        return "(the exception cannot be shown: its __str__ fails)"


def text(error):
    """The traceback as Python prints it, without the worker's own frames."""
    try:
        printed = traceback.TracebackException(type(error), error, error.__traceback__)
        part, seen = [printed], set()
        while part:
            one = part.pop()
            if one is None or id(one) in seen:
                continue
            seen.add(id(one))
            one.stack[:] = [frame for frame in one.stack if not frame.filename.startswith(OWN)]
            part += [one.__cause__, one.__context__]
        whole = "".join(printed.format())
    except Exception:
        whole = message(error)
    return whole if len(whole) <= TRACEBACK else whole[:1000] + "\n...\n" + whole[-TRACEBACK:]


def frames(error, root):
    """The frames, outermost first: of the first exception in the chain of causes that went through
    the project's code, else of the error itself."""
    first, seen = None, set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        own = frames_of(error, root)
        if first is None:
            first = own
        if any(frame["in_project"] for frame in own):
            return own
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return first or []


def frames_of(error, root):
    found = []
    for entry in traceback.extract_tb(error.__traceback__)[-FRAMES:]:
        if not entry.filename.startswith(OWN):
            found.append(frame(entry.filename, entry.lineno, entry.name, root))
    if type(error).__name__ == "_RemoteTraceback":
        # A process of a pool failed: only the text of its traceback came over.
        for place in re.finditer(r'File "(.+)", line (\d+), in (.+)', str(error)):
            if not place.group(1).startswith(OWN):
                found.append(frame(place.group(1), int(place.group(2)), place.group(3), root))
    if isinstance(error, SyntaxError) and error.filename:
        found.append(frame(error.filename, error.lineno, "", root))
    else:
        # Kedro's error for a configuration file that is not valid YAML.
        place = re.search(r"file (.+), unable to read line (\d+)", message(error))
        if place:
            found.append(frame(place.group(1), int(place.group(2)), "", root))
    return found


def frame(file, line, function, root):
    path = os.path.abspath(file) if not file.startswith("<") else file
    inside = path.startswith(root + os.sep)
    relative = path[len(root) + 1 :] if inside else path
    folders = relative.split(os.sep)
    installed = "site-packages" in folders or ".venv" in folders or "venv" in folders
    return {
        "file": relative,
        "line": line or 0,
        "function": function,
        "in_project": inside and not installed,
    }
