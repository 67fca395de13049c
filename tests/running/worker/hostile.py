"""Nodes that do to their process what no node should. Each function is the first node of a pipeline
of its name; `after` is the second one."""

import atexit
import builtins
import ctypes
import json
import logging
import multiprocessing
import os
import pathlib
import resource
import signal
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def out(name):
    """A file that both sides must have alike."""
    folder = ROOT / "out" / sys._getframe(1).f_code.co_name
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def after(a):
    folder = ROOT / "out" / str(a)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "after.txt").write_text("after %s" % a)


# Processes of a node


def fork_exits():
    pid = os.fork()
    if pid == 0:
        print("in the child")
        sys.exit(0)
    os.waitpid(pid, 0)
    time.sleep(0.1)
    return "fork_exits"


def fork_exits_at_once():
    pid = os.fork()
    if pid == 0:
        os._exit(3)
    out("status").write_text(str(os.waitpid(pid, 0)[1]))
    return "fork_exits_at_once"


def fork_raises():
    pid = os.fork()
    if pid == 0:
        raise RuntimeError("the child fails")
    out("status").write_text(str(os.waitpid(pid, 0)[1]))
    return "fork_raises"


def fork_raises_and_parent_fails():
    if os.fork() == 0:
        sys.exit(0)
    os.wait()
    raise ValueError("the parent fails")


def fork_outlives_the_run():
    if os.fork() == 0:
        time.sleep(0.5)
        raise RuntimeError("late")
    return "fork_outlives_the_run"


def fork_goes_on():
    """Both processes run the rest of the pipeline."""
    pid = os.fork()
    if pid != 0:
        os.waitpid(pid, 0)
    return "fork_goes_on"


def fork_below_python():
    """No handler of Python's knows of this fork."""
    pid = ctypes.CDLL(None).fork()
    if pid == 0:
        raise SystemExit(5)
    out("status").write_text(str(os.waitpid(pid, 0)[1]))
    return "fork_below_python"


def fork_has_exit_handlers():
    pid = os.fork()
    if pid == 0:
        atexit.register(lambda: out_of("fork_has_exit_handlers").write_text("left"))
        try:
            sys.exit(4)
        finally:
            print("finally")
    os.waitpid(pid, 0)
    return "fork_has_exit_handlers"


def out_of(name):
    folder = ROOT / "out" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "child.txt"


def double(number):
    print("double", number)
    return 2 * number


def pool():
    with multiprocessing.get_context("fork").Pool(2) as workers:
        out("sum").write_text(str(sum(workers.map(double, range(10)))))
    return "pool"


def pool_worker_exits():
    process = multiprocessing.get_context("fork").Process(target=sys.exit, args=(7,))
    process.start()
    process.join()
    out("code").write_text(str(process.exitcode))
    return "pool_worker_exits"


def daemon():
    """It holds all descriptors, and goes on for longer than the run."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            out("pid").write_text("")
            time.sleep(20)
        os._exit(0)
    os.wait()
    return "daemon"


# Descriptors


def closes_output():
    os.close(1)
    os.close(2)
    file = open(out("own.txt"), "w")
    file.write("line 1\n")
    file.flush()
    error = open(out("own2.txt"), "w")
    error.write("line 1\n")
    error.flush()
    closes_output.files = file, error
    return "closes_output"


def puts_a_file_in_place():
    """What is printed goes there, and then back."""
    sys.stdout.flush()
    kept = os.dup(1)
    file = os.open(out("printed.txt"), os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    print("to the file")
    sys.stdout.flush()
    os.dup2(kept, 1)
    print("back again")
    return "puts_a_file_in_place"


def closes_all_but_standard():
    os.closerange(3, 256)
    files = [open(out("%d.txt" % number), "w") for number in range(20)]
    print("still here")
    for file in files:
        file.write("own\n")
        file.flush()
    closes_all_but_standard.files = files
    return "closes_all_but_standard"


def closes_everything():
    os.closerange(0, 256)
    files = [open(out("%d.txt" % number), "w") for number in range(20)]
    for file in files:
        file.write("own\n")
        file.flush()
    closes_everything.files = files
    return "closes_everything"


def closes_every_descriptor():
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    files = [open(out("%d.txt" % number), "w") for number in range(20)]
    closes_every_descriptor.files = files
    return "closes_every_descriptor"


def closes_every_descriptor_and_fails():
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    raise ValueError("told all the same")


def closes_stdout():
    sys.stdout.close()
    return "closes_stdout"


def prints_to_closed_stdout():
    sys.stdout.close()
    print("this raises")
    return "prints_to_closed_stdout"


def exhausts_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    files = []
    try:
        while True:
            files.append(open(os.devnull))
    except OSError:
        pass
    exhausts_descriptors.files = files
    raise ValueError("no descriptor is left")


def makes_output_wait():
    os.set_blocking(1, False)
    os.set_blocking(2, False)
    print("a line")
    return "makes_output_wait"


# Output


def binary():
    sys.stdout.buffer.write(bytes(range(256)) * 10)
    sys.stdout.buffer.flush()
    os.write(1, b"\xff\xfe\x00\n")
    print("\udcff and \x00")
    return "binary"


def escapes():
    print("\x1b]52;c;HACK\x07\x1b[31mRED\x1b[2J\x9b31m\u202e")
    os.write(2, b"\x1b[2J\x1b]0;title\x07\n")
    logging.getLogger("log\x1b[1m").warning("\x1b[1mloud")
    raise ValueError("\x1b[31mred\x1b[2J")


def threads_print_late():
    def late():
        for number in range(3):
            time.sleep(0.1)
            print("late", number)

    threading.Thread(target=late).start()
    return "threads_print_late"


LONG = 8_000_000


def prints_a_long_line():
    print("x" * LONG)
    return "prints_a_long_line"


def prints_nothing_visible():
    print("\0" * LONG)
    print("\r" * LONG)
    return "prints_nothing_visible"


def prints_a_long_line_in_parts():
    for _ in range(LONG // 8):
        sys.stdout.write("abcdefgh")
    return "prints_a_long_line_in_parts"


def writes_a_long_line():
    for _ in range(8):
        os.write(1, b"x" * 1_000_000)
    os.write(1, b"\n")
    return "writes_a_long_line"


def writes_nothing_visible():
    for byte in (b"\0", b"\r"):
        for _ in range(8):
            os.write(1, byte * 1_000_000)
        os.write(1, b"\n")
    return "writes_nothing_visible"


# Ends


def exits_with_0():
    sys.exit(0)


def exits_with_3():
    sys.exit(3)


def leaves_with_0():
    os._exit(0)


def leaves_with_3():
    os._exit(3)


def kills_itself():
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def terminates_itself():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)


def aborts():
    os.abort()


def crashes():
    ctypes.string_at(0)


def is_alarmed():
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(60)


def handles_an_alarm():
    def handler(*_):
        raise TimeoutError("too late")

    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(60)


# Exceptions


class Odd(Exception):
    def __str__(self):
        raise SystemExit("no text")

    __repr__ = __str__


class Large(Exception):
    def __str__(self):
        # Kedro alone colours the text, which takes a minute for so much of it.
        return "x" * (50_000_000 if "mlops_tui_worker" in sys.modules else 1000)


def raises_what_has_no_text():
    raise Odd


def raises_what_has_much_text():
    raise Large


def raises_a_class_without_a_name():
    kind = type("Nameless", (Exception,), {"__module__": 3})
    raise kind("odd")


def raises_deeply():
    error = None
    for number in range(100):
        try:
            raise ValueError(str(number) * 100) from error
        except ValueError as one:
            error = one
    raise error


def fills_memory():
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    kept = []
    while True:
        kept.append(bytearray(10_000_000))


# Surroundings


def leaves_the_folder():
    os.chdir("/")
    os.environ.clear()
    return "leaves_the_folder"


class Bare:
    def write(self, text):
        return len(text)


def replaces_stdout():
    sys.stdout = sys.stderr = Bare()
    print("nowhere")
    return "replaces_stdout"


def has_no_stdout():
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None
    print("nowhere")
    return "has_no_stdout"


def ignores_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)
    return "ignores_signals"


def replaces_builtins():
    builtins.print = None
    return "replaces_builtins"


def replaces_the_library():
    json.dumps = json.JSONEncoder = None
    os.write = os.fstat = None
    return "replaces_the_library"


def moves_the_clock():
    time.time = lambda: 0.0
    return "moves_the_clock"
