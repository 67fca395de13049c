"""Answers for `kedro run`: each case that stdin names runs Kedro's own command line in a forked child.

stdin: a list of cases as JSON, each with `folder` (the working folder), `arguments`, `environ`, and
files: `printed` for standard output, `errors` for standard error, `result` for how it ended.
"""

import importlib
import json
import os
import signal
import sys
import traceback

COMMAND = os.path.join(os.path.dirname(sys.executable), "kedro")


def imported():
    """Modules, other than Kedro's, that its command line imports: told by a child, which is left."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        for name in ("kedro.framework.cli.cli", "kedro.framework.cli.project", "kedro.framework.session"):
            importlib.import_module(name)
        names = [name for name in sys.modules if not name.startswith(("kedro", "parity", "_"))]
        os.write(writing, "\n".join(names).encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as file:
        names = file.read().split("\n")
    os.waitpid(child, 0)
    return names


def prepare():
    """Imports once what all cases need; Kedro's own modules look at the folder and the environment."""
    for name in imported():
        if name not in sys.modules:
            try:
                importlib.import_module(name)
            except Exception:
                pass  # a name that is no module of its own


def run(case):
    os.environ.clear()
    os.environ.update(case["environ"])
    os.chdir(case["folder"])
    # As in a terminal: tests that run in the background inherit that it is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [COMMAND, "run", *case["arguments"]]
    sys.path[0] = os.path.dirname(COMMAND)
    told = {}
    follow(told)
    try:
        from kedro.framework.cli.cli import main

        main()
        told["status"] = 0
    except SystemExit as error:
        told["status"] = error.code or 0
    except BaseException as error:
        traceback.print_exc()
        told["status"] = 1
        told.setdefault("failure", failure(error))
    return told


def follow(told):
    """Click makes an exit of what a command raises."""
    import click

    def followed(invoke):
        def call(*arguments):
            try:
                return invoke(*arguments)
            except BaseException as error:
                told.setdefault("failure", failure(error))
                raise

        return call

    for kind in (click.Command, click.Group, click.CommandCollection):
        kind.invoke = followed(kind.invoke)


def failure(error):
    return {"kind": f"{type(error).__module__}.{type(error).__qualname__}", "message": str(error)}


def child(case):
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for fd, key in ((1, "printed"), (2, "errors")):
        with open(case[key], "w") as file:
            os.dup2(file.fileno(), fd)
    result = run(case)
    with open(case["result"], "w") as file:
        json.dump(result, file)
    # As the interpreter ends, but for the modules of all the other cases.
    sys.exit(0)


if __name__ == "__main__":
    cases = json.load(sys.stdin)
    prepare()
    for case in cases:
        pid = os.fork()
        if pid == 0:
            child(case)
        os.waitpid(pid, 0)
