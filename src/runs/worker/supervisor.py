"""The worker's first process: it forks a child for the request, and reports for it.

It imports nothing of the project and computes nothing, so it outlives whatever the project's code
does to its own process (`os._exit`, a crash in C, a kill), and then still has all that the child
wrote. End of file on stdin means that nobody listens any more: the whole process group is killed.

stdin: one request as a JSON line, then `{"command": "cancel"}` if need be. stdout: events as JSON
lines, `{"answer": ...}` for what is not a run.
"""

import json
import os
import re
import select
import signal
import time

from . import events

READ = 65536
STREAMS = ("stdout", "stderr")
HEAD = re.compile(rb"[0-9a-f.]*")


def serve():
    pending = b""
    while b"\n" not in pending:
        chunk = os.read(0, READ)
        if not chunk:
            return 0
        pending += chunk
    line, _, rest = pending.partition(b"\n")
    request = json.loads(line.decode("utf-8"))
    pipes = [os.pipe() for _ in range(4)]  # stdout, stderr, events, life
    mark = b"\0mlops-tui:" + os.urandom(8).hex().encode() + b":"
    child = os.fork()
    if child == 0:
        return be_child(request, pipes, mark)
    for reading, writing in pipes[:3]:
        os.close(writing)
        os.set_blocking(reading, False)
    os.close(pipes[3][0])
    return Supervisor(child, [reading for reading, _ in pipes[:3]], mark, request, rest).run()


def be_child(request, pipes, mark):
    devnull = os.open(os.devnull, os.O_RDONLY)
    os.dup2(devnull, 0)
    os.dup2(pipes[0][1], 1)
    os.dup2(pipes[1][1], 2)
    channel, life = pipes[2][1], pipes[3][0]
    for fd in [devnull, pipes[0][1], pipes[1][1], pipes[3][1]] + [pipe[0] for pipe in pipes[:3]]:
        os.close(fd)
    from . import child

    return child.main(request, channel, life, mark)


class Supervisor:
    def __init__(self, child, fds, mark, request, rest):
        self.child = child
        self.fds = fds
        self.mark = mark
        self.control = rest
        self.grace = float(request.get("grace", 5.0))
        self.runs = request.get("command") == "run"
        self.partial = [b"", b"", b""]  # unfinished lines of stdout, stderr, events
        self.node = [None, None]  # which node writes to stdout, stderr
        self.shown = [0.0, 0.0]  # when a line that rewrites itself was shown last
        self.chunks = {}  # unfinished messages
        self.lines = []  # for the other side
        self.running = []  # nodes that have started and not ended
        self.finished = False
        self.cancelled = False
        self.deadline = None

    def run(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a cancel interrupts the whole group
        wake, waker = os.pipe()
        for fd in (wake, waker):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poll = select.poll()
        open_fds = set(self.fds)
        for fd in [0, wake] + self.fds:
            poll.register(fd, select.POLLIN)
        self.commands(b"")
        status = self.reaped()
        while status is None:
            timeout = 200 if self.deadline or any(b"\r" in part for part in self.partial[:2]) else None
            ready = [fd for fd, _ in poll.poll(timeout)]
            if 0 in ready:
                data = os.read(0, READ)
                if not data:
                    self.kill_group()
                self.commands(data)
            if wake in ready:
                os.read(wake, READ)
                status = self.reaped()
            for fd in self.pump(ready):
                poll.unregister(fd)
                open_fds.discard(fd)
            self.rewriting()
            self.flush()
            if self.deadline and time.monotonic() > self.deadline:
                self.end("run_cancelled")
                self.kill_group()
        self.drain()
        for index in (0, 1):
            self.text(index, self.partial[index])
        if not self.finished:
            self.lost(status)
        self.flush()
        return 0

    def reaped(self):
        pid, status = os.waitpid(self.child, os.WNOHANG)
        return None if pid == 0 else status

    def commands(self, data):
        self.control += data
        while b"\n" in self.control:
            line, _, self.control = self.control.partition(b"\n")
            if json.loads(line.decode("utf-8")).get("command") == "cancel" and not self.deadline:
                self.cancelled = True
                self.deadline = time.monotonic() + self.grace
                os.killpg(0, signal.SIGINT)

    def kill_group(self):
        os.killpg(0, signal.SIGKILL)

    def pump(self, ready):
        """Reads what is there; what was printed before an event is reported before it. Returns the
        pipes that have ended."""
        ended = []
        channel = self.fds[2]
        data = read(channel) if channel in ready else None
        for index in (0, 1):
            fd = self.fds[index]
            if fd not in ready and not data:
                continue
            for _ in range(2):  # a pipe holds as much as is read at once
                chunk = read(fd)
                if not chunk:
                    if chunk == b"" and fd in ready:
                        ended.append(fd)
                    break
                self.printed(index, chunk)
        if data:
            self.told(data)
        elif data == b"":
            ended.append(channel)
        return ended

    def drain(self):
        """Reads what the child has left. Others may hold the pipes open and go on writing."""
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            data = read(self.fds[2])
            for index in (0, 1):
                chunk = read(self.fds[index])
                while chunk and time.monotonic() < until:
                    self.printed(index, chunk)
                    chunk = read(self.fds[index])
            if not data:
                break
            self.told(data)

    def printed(self, index, chunk):
        lines = (self.partial[index] + chunk).split(b"\n")
        self.partial[index] = lines.pop()
        for line in lines:
            before, mark, node = line.partition(self.mark)
            if not mark or before:
                self.text(index, before, always=not mark)
            if mark:
                self.node[index] = json.loads(node.decode("utf-8"))
        if len(self.partial[index]) > READ and self.mark[:1] not in self.partial[index]:
            self.text(index, self.partial[index])
            self.partial[index] = b""

    def rewriting(self):
        """Shows a progress bar (which returns to the line's start instead of ending it) at times."""
        for index in (0, 1):
            done, sign, rest = self.partial[index].rpartition(b"\r")
            if sign and time.monotonic() - self.shown[index] > 0.5:
                self.shown[index] = time.monotonic()
                self.partial[index] = rest
                self.text(index, done)

    def text(self, index, line, always=False):
        line = line.rstrip(b"\r").rpartition(b"\r")[2]
        if not line and not always or self.finished:
            return
        for piece in events.pieces(line.decode("utf-8", "replace")):
            self.tell(
                {
                    "at": time.time(),
                    "event": "output",
                    "node": self.node[index],
                    "stream": STREAMS[index],
                    "text": piece,
                }
            )

    def told(self, data):
        lines = (self.partial[2] + data).split(b"\n")
        self.partial[2] = lines.pop()
        for line in lines:
            at = HEAD.match(line).end()
            key, kind, payload = line[:at], line[at : at + 1], line[at + 1 :]
            whole = self.chunks.pop(key, b"") + payload
            if kind == events.MORE:
                self.chunks[key] = whole
            elif kind == events.FINAL and self.cancelled and b'"run_failed"' in whole[:200]:
                self.end("run_cancelled")
            elif not self.finished:
                self.follow(whole)
                self.lines.append(whole + b"\n")
                self.finished = kind != events.EVENT

    def follow(self, line):
        if b'"event": "node_' in line[:200]:
            event = json.loads(line.decode("utf-8"))
            if event["event"] == "node_started":
                self.running.append(event["node"])
            elif event["node"] in self.running:
                self.running.remove(event["node"])

    def lost(self, status):
        if self.cancelled:
            return self.end("run_cancelled")
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            reason = "killed by signal %d" % number
            try:
                reason += " (%s)" % signal.Signals(number).name
            except ValueError:
                pass
            if number == signal.SIGKILL:
                reason += "; the system does so when memory runs out"
        else:
            reason = "the process ended by itself with exit code %d" % os.WEXITSTATUS(status)
        if self.running:
            reason += ", while %s ran" % ", ".join("`%s`" % node for node in self.running)
        self.end("run_lost", reason=reason)

    def end(self, name, **fields):
        if not self.finished:
            self.tell(dict(at=time.time(), event=name, **fields))
            self.finished = True
        self.flush()

    def tell(self, event):
        self.lines.append(json.dumps(event, ensure_ascii=False).encode("utf-8", "replace") + b"\n")

    def flush(self):
        data, self.lines = b"".join(self.lines), []
        try:
            while data:
                data = data[os.write(1, data) :]
        except BrokenPipeError:
            self.kill_group()


def read(fd):
    """What is there, `b""` at the end, `None` when there is nothing yet."""
    try:
        return os.read(fd, READ)
    except BlockingIOError:
        return None
