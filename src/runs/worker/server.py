"""The warm process: it imports installed packages ahead, and forks a child for each request.

It imports nothing of the project and runs nothing, so an edit of the project takes effect in the next
child, and changes that a child makes to its own process stay there. Its stdin is a socket:

- input: `R` with five descriptors (request to read; events, standard output, standard error and status to
  write) requests a child; `D` with one descriptor, a socket, requests a copy of this process, in a session of its
  own, that serves the socket and outlives this process; `L`, ten digits of length and JSON names modules to import;
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
        self.heirs = []  # sockets that copies of this process will serve, once it is warm
        self.began = time.monotonic()
        self.took = 0.0  # seconds of the imports
        self.settle()
        devnull = os.open(os.devnull, os.O_RDONLY)
        os.dup2(devnull, 0)
        os.close(devnull)

    def settle(self):
        """Sets up what belongs to one process: pipes, signals, children."""
        self.life = os.pipe()  # children see its end when this process ends
        self.children = {}  # process id -> descriptor of the status pipe
        self.signals = os.pipe()
        for fd in self.signals:
            os.set_blocking(fd, False)
        self.poll = select.poll()
        self.poll.register(self.control.fileno(), select.POLLIN)
        self.poll.register(self.signals[0], select.POLLIN)
        adopt_orphans(True)

    def run(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(self.signals[1])
        signal.signal(signal.SIGCHLD, lambda *_: None)
        if self.waiting:
            self.notify(warming=len(self.waiting))
        while True:
            ready = [fd for fd, _ in self.poll.poll(0 if self.waiting else None)]
            if self.signals[0] in ready:
                os.read(self.signals[0], 4096)
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
        fds = array.array("i")
        for _, _, data in ancillary:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
        if kind == b"R":
            return self.fork(list(fds))
        if kind == b"D":
            self.heirs += fds
            if not self.waiting:
                self.copy()
            return None
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
        self.leave(self.life[1], out, err, status)
        life, preloaded = self.life[0], set(sys.modules)

        def work():
            from . import child

            return child.main(request, channel, life, preloaded)

        return work

    def leave(self, *fds):
        """Closes the descriptors that only the process had that this one was forked from."""
        for fd in [*fds, *self.signals, *self.children.values(), *self.heirs]:
            os.close(fd)
        self.control.close()

    def copy(self):
        """Starts a copy of this process for each socket that waits for one. It is no child of this process, which
        would take it for a process that a run has left behind."""
        while self.heirs:
            heir = self.heirs.pop(0)
            adopt_orphans(False)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                between = os.fork()
                if between == 0 and os.fork() != 0:
                    os._exit(0)
            if between == 0:
                os.setsid()
                os.dup2(0, 2)  # the end of standard error tells the end of the first process
                self.leave(*self.life)
                self.control = socket.socket(fileno=heir)
                self.heirs, self.once = [], True
                self.settle()
                signal.set_wakeup_fd(self.signals[1])
                return self.warm()
            os.close(heir)
            try:
                os.waitpid(between, 0)
            except ChildProcessError:
                pass
            adopt_orphans(True)
        return None

    def preload(self):
        name = self.waiting.pop(0)
        if name not in sys.modules:
            self.preloader.load(name)
        if self.preloader.unsafe:
            self.waiting = []
            while self.heirs:
                os.close(self.heirs.pop())
            self.notify(refused=sorted(self.preloader.unsafe))
        elif not self.waiting:
            modules.know_files()
            rehearse.rehearse()
            gc.collect()
            gc.freeze()  # garbage collection in a child then leaves shared memory alone
            self.took = time.monotonic() - self.began
            self.warm()
            self.copy()

    def warm(self):
        files = self.preloader.files()
        self.notify(
            warm={"pid": os.getpid(), "modules": len(sys.modules), "seconds": self.took, "files": files}
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


def adopt_orphans(on):
    if sys.platform.startswith("linux"):
        try:
            import ctypes

            ctypes.CDLL(None).prctl(SUBREAPER, int(on), 0, 0, 0)
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
