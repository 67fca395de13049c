"""The warm process: it imports installed packages ahead, and forks a child for each request.

It imports nothing of the project and runs nothing, so an edit of the project takes effect in the next
child, and changes that a child makes to its own process stay there. Its stdin is a socket:

- input: `R` with five descriptors (request to read; events, standard output, standard error and status to
  write) requests a child; `L`, ten digits of length and JSON names modules to import;
- output, JSON lines: `{"warming": count}`, `{"warm": {...}}`, `{"refused": [...]}`.

A child's status pipe gets `{"pid": ...}`, then `{"status": ...}` with the status of `waitpid`. If the socket
is closed, there is no listener any more: all children and their descendants are killed.

On Linux this process is a "subreaper": a daemon that a child has started becomes its child, so it is found.
"""

import array
import gc
import json
import os
import select
import signal
import socket
import sys
import time
import warnings

from . import modules, predict, rehearse

DESCRIPTORS = 5
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
FAREWELL = 10_000  # milliseconds for the supervisor to kill the processes of a child


def start(setup):
    """Serves until the socket is closed. In a child it returns, with the request to work on."""
    return Server(setup).run()


class Server:
    def __init__(self, setup):
        self.control = socket.socket(fileno=os.dup(0))
        self.preloader = modules.Preloader(setup["refused"])
        self.waiting = list(setup["preload"])
        if setup["predict"]:
            self.waiting = predict.predict(os.getcwd())
        self.once = setup["once"]
        self.life = os.pipe()  # children see its end when this process ends
        self.children = {}  # process id -> descriptor of the status pipe
        self.began = time.monotonic()
        adopt_orphans()
        devnull = os.open(os.devnull, os.O_RDONLY)
        os.dup2(devnull, 0)
        os.close(devnull)

    def run(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        wake, waker = os.pipe()
        self.signals = (wake, waker)
        for fd in (wake, waker):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poll = select.poll()
        poll.register(self.control.fileno(), select.POLLIN)
        poll.register(wake, select.POLLIN)
        if self.waiting:
            self.notify(warming=len(self.waiting))
        while True:
            ready = [fd for fd, _ in poll.poll(0 if self.waiting else None)]
            if wake in ready:
                os.read(wake, 4096)
                self.reap()
            if self.control.fileno() in ready:
                work = self.command()
                if work is not None:
                    return work
            elif self.waiting:
                self.preload()

    def command(self):
        space = socket.CMSG_SPACE(DESCRIPTORS * array.array("i").itemsize)
        kind, ancillary, _, _ = self.control.recvmsg(1, space)
        if kind == b"R":
            fds = array.array("i")
            for _, _, data in ancillary:
                fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
            return self.fork(list(fds))
        if kind == b"L":
            names = json.loads(self.take(int(self.take(10))).decode("utf-8"))
            new = [name for name in names if name not in sys.modules]
            if new:
                self.began = time.monotonic()
                self.waiting += new
                self.notify(warming=len(self.waiting))
            return None
        return self.end

    def take(self, count):
        data = b""
        while len(data) < count:
            chunk = self.control.recv(count - len(data))
            if not chunk:
                self.end()
            data += chunk
        return data

    def fork(self, fds):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns about threads, which the preloader checks
            pid = os.fork()
        if pid == 0:
            return self.child(fds)
        try:
            os.setpgid(pid, pid)
        except OSError:
            pass  # the child has ended already
        for fd in fds[:-1]:
            os.close(fd)
        self.children[pid] = fds[-1]
        self.report(pid, pid=pid)
        return None

    def child(self, fds):
        request, channel, out, err, status = fds
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(out, 1)
        os.dup2(err, 2)
        for fd in [out, err, status, self.life[1], *self.signals, *self.children.values()]:
            os.close(fd)
        self.control.close()
        life, preloaded = self.life[0], set(sys.modules)

        def work():
            from . import child

            return child.main(request, channel, life, preloaded)

        return work

    def preload(self):
        name = self.waiting.pop(0)
        if name not in sys.modules:
            self.preloader.load(name)
        if self.preloader.unsafe:
            self.waiting = []
            self.notify(refused=sorted(self.preloader.unsafe))
        elif not self.waiting:
            modules.know_files()
            rehearse.rehearse()
            gc.collect()
            gc.freeze()  # garbage collection in a child then leaves shared memory alone
            self.notify(
                warm={
                    "modules": len(sys.modules),
                    "seconds": time.monotonic() - self.began,
                    "files": self.preloader.files(),
                }
            )

    def reap(self):
        while self.children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.children:
                self.report(pid, status=status)
                fd = self.children.pop(pid)
                if self.once:
                    listened = select.poll()
                    listened.register(fd, 0)
                    listened.poll(FAREWELL)  # until the reader has closed it
                    os._exit(0)
                os.close(fd)

    def report(self, child, **fields):
        try:
            os.write(self.children[child], json.dumps(fields).encode() + b"\n")
        except OSError:
            kill(child)  # it has no listener

    def notify(self, **fields):
        try:
            self.control.sendall(json.dumps(fields).encode() + b"\n")
        except OSError:
            self.end()

    def end(self):
        descendants = below(list(self.children))
        for pid in self.children:
            kill(pid)
        for pid in descendants:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        os._exit(0)


def kill(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except OSError:
        pass


def adopt_orphans():
    if sys.platform.startswith("linux"):
        try:
            import ctypes

            ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
        except (ImportError, OSError, AttributeError):
            pass


def below(children):
    """The descendants of children, including daemons. A daemon is a child of this process that started after
    the oldest of the children; one that started before belongs to an earlier child."""
    parents, began = {}, {}
    for name in os.listdir("/proc") if children and sys.platform.startswith("linux") else ():
        try:
            with open("/proc/%d/stat" % int(name)) as file:
                fields = file.read().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        parents[int(name)], began[int(name)] = int(fields[1]), int(fields[19])
    oldest = min((began[pid] for pid in children if pid in began), default=0)
    known = set(children)
    for pid in sorted(began, key=began.get):
        if parents[pid] in known or (parents[pid] == os.getpid() and began[pid] >= oldest):
            known.add(pid)
    return known
