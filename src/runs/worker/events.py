"""What the child tells: events, output, the answer.

Several threads and processes write to one pipe, a line for each message. A write of at most
`PIPE_BUF` bytes is atomic, so a longer message goes in chunks that carry its number, and the reader
puts them together again. A line begins with its kind:

- `E` an event as JSON; `F` the last event of a run; `A` the answer; `M` names of imported modules;
- `o`, `e`, `w` a line of standard output, standard error, warnings: the node as JSON, a tab, the
  time, a tab, the text. `l` a log record: the node, the level and the logger as JSON, and the same;
- capitals of these four: a line that rewrites itself (a progress bar) and goes on;
- `+` a chunk of a message, `-` the last one: the message's number, a colon, the part.
"""

import itertools
import json
import os
import re
import select
import threading
import time
import traceback

PIPE_BUF = min(getattr(select, "PIPE_BUF", 512), 4096)
CHUNK = PIPE_BUF - 64
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
        self.heads = {}

    def event(self, name, **fields):
        self.send(b"E" + encoded(dict(at=time.time(), event=name, **fields)))

    def final(self, name, **fields):
        self.send(b"F" + encoded(dict(at=time.time(), event=name, **fields)))

    def answer(self, value):
        self.send(b"A" + encoded(value))

    def modules(self, names):
        self.send(b"M" + encoded(names))

    def failed(self, error):
        self.final("run_failed", failure=failure(error, self.root))

    def output(self, kind, node, text):
        """A line of text; `node` is its name, or a list of node, level and logger for a log record."""
        key = (kind, node)
        head = self.heads.get(key)
        if head is None:
            head = self.heads[key] = kind + encoded(node) + b"\t"
        if len(text) > LINE:
            for piece in pieces(text):
                self.send(b"%s%.6f\t%s" % (head, time.time(), piece.encode("utf-8", "replace")))
            return
        line = b"%s%.6f\t%s\n" % (head, time.time(), text.encode("utf-8", "replace"))
        if len(line) <= PIPE_BUF:
            os.write(self.fd, line)
        else:
            self.send(line[:-1])

    def send(self, message):
        if len(message) < PIPE_BUF:
            return self.write(message + b"\n")
        number = b"%x.%x.%x:" % (os.getpid(), threading.get_ident(), next(self.numbers))
        for start in range(0, len(message), CHUNK):
            sign = b"-" if start + CHUNK >= len(message) else b"+"
            self.write(sign + number + message[start : start + CHUNK] + b"\n")

    def write(self, line):
        while line:
            line = line[os.write(self.fd, line) :]


def encoded(value):
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def pieces(text):
    """The text in pieces of bounded length, at least one."""
    return [text[start : start + LINE] for start in range(0, len(text), LINE)] or [""]


def failure(error, root):
    """An exception in the shape of `runs::event::Failure`."""
    return {
        "kind": kind(error),
        "message": message(error),
        "traceback": text(error),
        "frames": frames(error, root),
    }


def kind(error):
    return type(error).__module__ + "." + type(error).__qualname__


def message(error):
    if isinstance(error, SystemExit):
        return "the project's code called sys.exit(%s)" % ("" if error.code is None else repr(error.code))
    if kind(error) == "click.exceptions.Exit":
        return "the project's command ended with exit code %s" % error.exit_code
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
