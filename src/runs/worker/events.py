"""The messages that the child sends: events, output, the answer.

Several threads and processes write to one pipe, one line per message. A write of at most `PIPE_BUF` bytes
is atomic, so a longer message is sent in chunks with its number, and the reader joins them. The first
character of a line is its kind:

- `E` an event as JSON; `F` the last event of a run; `A` the answer; `M` names of imported modules;
- `T` an MLflow run that has begun: its id and the store's URI, which may hold a password and is never stored;
- `o`, `e`, `w` a line of standard output, standard error, warnings: the node as JSON, a tab, the
  time, a tab, the text. `l` a log record: the node, the level and the logger as JSON, then the same;
- the upper-case letters of these four: a line that rewrites itself (a progress bar) and is not complete;
- `+` a chunk of a message, `-` the last one: the message's number, a colon, the part.
"""

import io
import itertools
import re
import traceback

from .own import encode, fcntl, os, select, threading, time

PIPE_BUF = min(getattr(select, "PIPE_BUF", 512), 4096)
CHUNK = PIPE_BUF - 64
LINE = 16384  # a longer line of output is sent in pieces
LONGEST = 1 << 20  # characters kept of one line, as in `protocol.rs`
LEFT_OUT = "[mlops-tui: %d more bytes of this line are left out]"
TRACEBACK = 100_000  # characters kept of a traceback
FRAMES = 100
HEADS = 1000  # cached beginnings of lines
HIGH = 4000  # first number of spare descriptors: code that closes a range starts at 3
WAIT = 1000  # milliseconds for a pipe that was made non-blocking
RESERVE = 1 << 20  # bytes that are freed when memory has run out

OWN = "<mlops-tui worker>"


class Pipe:
    """A file descriptor with a spare: the project's code may close the descriptor, and its number may then be
    reused for another file. In that case the spare one is used."""

    def __init__(self, fd, spare=True):
        self.identity = identity(fd)
        self.fds = [fd]
        if spare:
            high = high_copy(fd)
            self.fds += [] if high is None else [high]

    def writable(self):
        """The descriptor to write to; `None` if all are closed."""
        for fd in self.fds:
            if identity(fd) == self.identity:
                return fd
        return None

    def write(self, data):
        """Writes the data; returns whether that was possible."""
        while data:
            fd = self.writable()
            if fd is None:
                return False
            try:
                data = data[os.write(fd, data) :]
            except BlockingIOError:
                poll = select.poll()
                poll.register(fd, select.POLLOUT)
                if not poll.poll(WAIT):
                    return False
            except OSError:
                return False
        return True


def identity(fd):
    """A value that identifies the open file; `None` for a closed descriptor."""
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def high_copy(fd):
    """A duplicate of the descriptor with a high number."""
    try:
        import resource

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        lowest = HIGH if most == resource.RLIM_INFINITY else max(3, min(HIGH, most - 16))
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, lowest)
    except (ImportError, OSError, ValueError):
        return None


class Channel:
    """The writing end of the event pipe.

    Only the run's own process reports events of nodes and of the run's end; processes of the runner's pool
    report events of their nodes. A process that a node has forked runs our code too, and leaves the node when
    it raises an exception, so its events are ignored. Its output is still sent."""

    def __init__(self, fd, root, spill=None):
        self.pipe = Pipe(fd)
        self.root = root
        self.spill = spill  # path of the file for events when the pipe is closed
        self.numbers = itertools.count()
        self.heads = {}
        self.pid = self.run_pid = os.getpid()
        self.reserve = bytearray(RESERVE)

    def reports(self):
        """Whether this process reports events of nodes."""
        return os.getpid() == self.pid

    def is_run(self):
        """Whether this is the run's own process."""
        return os.getpid() == self.run_pid

    def adopt(self):
        """Makes this process report events; it was forked from one that does."""
        self.pid = os.getpid()

    def event(self, name, **fields):
        if self.reports():
            self.send_safely(b"E" + encoded(dict(at=time.time(), event=name, **fields)))

    def final(self, name, **fields):
        if self.is_run():
            self.send_safely(b"F" + encoded(dict(at=time.time(), event=name, **fields)))

    def answer(self, value):
        if self.is_run():
            self.send_safely(b"A" + encoded(value))

    def modules(self, names):
        if self.is_run():
            self.send(b"M" + encoded(names))

    def opened(self, run_id, uri):
        if self.reports():
            self.send(b"T" + encoded([run_id, uri]))

    def failed(self, error):
        self.reserve = None
        self.final("run_failed", failure=self.failure(error))

    def failure(self, error):
        """The exception for an event; works even if memory has run out."""
        try:
            return failure(error, self.root)
        except BaseException:
            self.reserve = None
            return {"kind": kind(error), "message": "(the exception cannot be shown)"}

    def output(self, kind, node, text):
        """Sends a line of text; `node` is a name, or a list of node, level and logger for a log record."""
        key = (kind, node)
        head = self.heads.get(key)
        if head is None:
            if len(self.heads) > HEADS:
                self.heads.clear()
            head = self.heads[key] = kind + encoded(node) + b"\t"
        if len(text) > LINE:
            kept = pieces(text[:LONGEST])
            if len(text) > LONGEST:
                kept.append(LEFT_OUT % bytes_of(text[LONGEST:]))
            for piece in kept:
                self.send(b"%s%.6f\t%s" % (head, time.time(), piece.encode("utf-8", "replace")))
            return
        line = b"%s%.6f\t%s\n" % (head, time.time(), text.encode("utf-8", "replace"))
        if len(line) <= PIPE_BUF:
            self.pipe.write(line)
        else:
            self.send(line[:-1])

    def send_safely(self, message):
        """Sends a message that must not be lost."""
        if not self.send(message) and self.spill:
            try:
                with io.open(self.spill, "ab", opener=private) as file:
                    file.write(message + b"\n")
            except (OSError, ValueError):
                pass  # the supervisor knows the exit status

    def send(self, message):
        if len(message) < PIPE_BUF:
            return self.pipe.write(message + b"\n")
        number = b"%x.%x.%x:" % (os.getpid(), threading.get_ident(), next(self.numbers))
        for start in range(0, len(message), CHUNK):
            sign = b"-" if start + CHUNK >= len(message) else b"+"
            if not self.pipe.write(sign + number + message[start : start + CHUNK] + b"\n"):
                return False
        return True


def private(path, flags):
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def encoded(value):
    return encode(value).encode("utf-8", "replace")


def bytes_of(text):
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def pieces(text):
    """Splits the text into pieces of bounded length; at least one."""
    return [text[start : start + LINE] for start in range(0, len(text), LINE)] or [""]


def failure(error, root):
    """The exception in the format of `runs::event::Failure`."""
    return {
        "kind": kind(error),
        "message": message(error),
        "traceback": text(error),
        "frames": frames(error, root),
    }


def kind(error):
    try:
        return "%s.%s" % (type(error).__module__, type(error).__qualname__)
    except BaseException:
        return "(a class without a name)"


def message(error):
    try:
        if isinstance(error, SystemExit):
            code = "" if error.code is None else repr(error.code)[:TRACEBACK]
            return "the project's code called sys.exit(%s)" % code
        if kind(error) == "click.exceptions.Exit":
            return "the project's command ended with exit code %s" % error.exit_code
        if isinstance(error, KeyboardInterrupt) and not error.args:
            return "the project's code raised KeyboardInterrupt"
        return str(error)[:TRACEBACK]
    except BaseException:
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
    except BaseException:  # its __str__ may do anything
        whole = "%s: %s" % (kind(error), message(error))
    return whole if len(whole) <= TRACEBACK else whole[:1000] + "\n...\n" + whole[-TRACEBACK:]


def frames(error, root):
    """The frames, outermost first: those of the first exception in the chain of causes that passed through
    the project's code, else those of the error itself."""
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
    entry, entries = error.__traceback__, []
    while entry is not None:
        entries = entries[-FRAMES:] + [entry]
        entry = entry.tb_next
    for entry in entries[-FRAMES:]:
        code = entry.tb_frame.f_code
        if not code.co_filename.startswith(OWN):
            found.append(frame(code.co_filename, entry.tb_lineno, code.co_name, root))
    if type(error).__name__ == "_RemoteTraceback":
        # The error is from a process of a pool: only the text of its traceback was transferred.
        for place in re.finditer(r'File "([^"\n]+)", line (\d+), in (.+)', message(error)):
            if not place.group(1).startswith(OWN):
                found.append(frame(place.group(1), int(place.group(2)), place.group(3), root))
    if isinstance(error, SyntaxError) and error.filename:
        found.append(frame(error.filename, error.lineno, "", root))
    else:
        # Kedro's error for a configuration file that is not valid YAML.
        place = re.search(r"file (.+), unable to read line (\d+)", message(error)[:4096])
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
