"""A Python prompt in the context of a node: its inputs are loaded, and bound to the names of the function's
arguments. With `post_mortem` the node runs, and the debugger opens where it fails."""

import code
import contextlib
import inspect
import logging
import os
import signal
import sys
import traceback
import warnings

from . import keep, project
from .events import OWN


def start(setup):
    return lambda: main(setup["request"])


def at_terminal(request, work):
    """Does the work in a process that has the screen's terminal, and gives the terminal back when that process
    has ended, however it ended. Returns in this process only, with the status."""
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        take_terminal(os.getpgrp())
        open_streams()
        code = 1
        try:
            attempt(work)
            code = 0
        finally:
            os._exit(code)
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            break
        os.kill(pid, signal.SIGCONT)  # there is no shell below that could continue it
    take_terminal(request["foreground"])
    if os.WIFSIGNALED(status):
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    return os.WEXITSTATUS(status)


def take_terminal(group):
    """Makes a process group the terminal's foreground."""
    tty = os.open("/dev/tty", os.O_RDWR)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # sent to processes in the background
    try:
        os.tcsetpgrp(tty, group)
    finally:
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.close(tty)


def open_streams():
    """Connects Python's streams with the terminal."""
    tty = os.open("/dev/tty", os.O_RDWR)
    for fd in range(3):
        os.dup2(tty, fd)
    os.close(tty)
    sys.stdin = sys.__stdin__ = open(0, closefd=False)
    sys.stdout = sys.__stdout__ = open(1, "w", buffering=1, closefd=False)
    sys.stderr = sys.__stderr__ = open(2, "w", buffering=1, closefd=False)


def attempt(work):
    """After a failure it waits until the output is read."""
    try:
        code = work()
    except SystemExit:
        code = 0
    except BaseException:
        traceback.print_exc()
        code = 1
    if code:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("\nPress enter to go back. ", end="", flush=True)
        sys.stdin.readline()
    sys.stdout.flush()


def main(request):
    os.environ.setdefault("KEDRO_DISABLE_TELEMETRY", "1")  # no command to report
    with quiet():
        opened = open_project(request)
    return interactive(request, *opened)


@contextlib.contextmanager
def quiet():
    """Leaves out Kedro's messages."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def open_project(request):
    project.bootstrap(request)
    from kedro.framework.project import pipelines

    session = project.session(request)
    context = session.load_context()
    catalog = context.catalog
    keep.put_back(catalog, request)
    return session, context, catalog, pipelines


def interactive(request, session, context, catalog, pipelines):
    with quiet():  # this imports the project's code
        pipeline = pipelines[request.get("pipeline") or "__default__"]
    node = next((one for one in pipeline.nodes if one.name == request["node"]), None)
    if node is None:
        print("The pipeline has no node %r." % request["node"], file=sys.stderr)
        return 1
    with quiet():
        values, missing = load(node, catalog)
    positional, named = call(node, values)
    arguments = by_name(node.func, positional, named)
    names = dict(arguments)
    names.update(
        catalog=catalog, context=context, session=session, pipelines=pipelines, node=node, func=node.func
    )
    print("Node %s: func is %s." % (node.name, getattr(node.func, "__name__", node.func)))
    for name, value in arguments.items():
        print("  %s  %s" % (name, type(value).__name__))
    for dataset, reason in missing.items():
        print("  %s can't be loaded: %s" % (dataset, reason), file=sys.stderr)
    if request.get("post_mortem"):
        return 1 if missing else post_mortem(node, positional, named)
    print("Also here: catalog, context, session, pipelines, node. Ctrl-D goes back.")
    interact(names)
    return 0


def load(node, catalog):
    """The values of the node's inputs, and the errors of those that could not be loaded."""
    values, missing = {}, {}
    for dataset in node.inputs:
        try:
            values[dataset] = catalog.load(dataset)
        except Exception as error:
            missing[dataset] = (str(error).strip().splitlines() or [type(error).__name__])[-1]
    return values, missing


def call(node, values):
    """The inputs as arguments of the node's function; a missing input is `None`."""
    wanted = node._inputs
    if isinstance(wanted, dict):
        return [], {name: values.get(dataset) for name, dataset in wanted.items()}
    if isinstance(wanted, str):
        wanted = [wanted]
    return [values.get(dataset) for dataset in wanted or []], {}


def by_name(function, positional, named):
    """The arguments by the names of the function's parameters."""
    try:
        bound = inspect.signature(function).bind_partial(*positional, **named).arguments
    except (TypeError, ValueError):
        return dict(named)
    return dict(bound)


def post_mortem(node, positional, named):
    import pdb

    try:
        node.func(*positional, **named)
    except Exception:
        error, place = sys.exc_info()[1], sys.exc_info()[2]
        traceback.print_exception(type(error), error, skip_own(place))
        pdb.post_mortem(skip_own(place))
        return 0
    print("The node ran well with these inputs: there is nothing to look into.")
    return 0


def skip_own(place):
    while place.tb_next is not None and place.tb_frame.f_code.co_filename.startswith(OWN):
        place = place.tb_next
    return place


def interact(names):
    try:
        from IPython import start_ipython
    except ImportError:
        try:
            import readline
            import rlcompleter

            readline.set_completer(rlcompleter.Completer(names).complete)
            readline.parse_and_bind("tab: complete")
        except ImportError:
            pass
        code.interact(banner="", local=names, exitmsg="")
        return
    from traitlets.config import Config

    config = Config()
    config.TerminalInteractiveShell.banner1 = ""
    config.TerminalInteractiveShell.confirm_exit = False
    config.TerminalIPythonApp.display_banner = False
    start_ipython(argv=[], user_ns=names, config=config)
