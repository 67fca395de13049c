"""A plug-in of Kedro that writes down every hook call, and what a run sees of its process.

Each call is one JSON line in the file that `PARITY_RECORD` names. The project `shop` has the same
hooks among its own, so that their order shows.
"""

import functools
import inspect
import json
import locale
import logging
import multiprocessing
import os
import pathlib
import signal
import sys
import threading
import warnings

from kedro.framework.hooks import hook_impl, specs

os.environ.setdefault("PARITY_MAIN", str(os.getpid()))
called = []  # entry points of the command line


def init():
    """The entry point `kedro.init`."""
    called.append("init")


class CommandHooks:
    """The entry point `kedro.cli_hooks`."""

    @hook_impl  # the mark is the same
    def before_command_run(self):
        called.append("before_command_run")


command_hooks = CommandHooks()


def record(source, hook, arguments):
    line = {
        "source": source,
        "hook": hook,
        "node": arguments["node"].name if "node" in arguments else None,
        "dataset": arguments.get("dataset_name"),
        "main_process": os.environ["PARITY_MAIN"] == str(os.getpid()),
        "main_thread": threading.current_thread() is threading.main_thread(),
        "arguments": {name: describe(value) for name, value in arguments.items()},
    }
    if "node" in arguments and "catalog" in arguments:
        del line["arguments"]["catalog"]["names"]  # follow from what else is at work
    if source == "plugin" and hook in ("after_context_created", "before_pipeline_run", "before_node_run"):
        line["state"] = state()
    data = json.dumps(line).encode() + b"\n"
    fd = os.open(os.environ["PARITY_RECORD"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(fd, data)  # one write: lines of several processes do not mix
    finally:
        os.close(fd)


def describe(value):
    """The value as JSON, without reading what can be read only once."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, dict):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, list):
        return [describe(item) for item in value]
    if isinstance(value, (float, bytes, complex)):
        return repr(value)
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, tuple):
        return {"tuple": [describe(item) for item in value]}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted(map(str, value))}
    if isinstance(value, pathlib.PurePath):
        return {"path": str(value)}
    if isinstance(value, BaseException):
        return {"exception": kind, "message": str(value)}
    if hasattr(value, "grouped_nodes"):
        return {"pipeline": [node.name for node in value.nodes]}
    if hasattr(value, "config_loader"):
        return context(value, kind)
    if hasattr(value, "release") and hasattr(value, "confirm"):
        names = value.list() if hasattr(value, "list") else value.keys()
        return {"catalog": kind, "names": sorted(map(str, names))}
    if hasattr(value, "_func_name"):
        return {"node": str(value)}
    return {"object": kind}


def context(value, kind):
    loader = value.config_loader
    params = getattr(value, "_runtime_params", getattr(value, "_extra_params", None))
    return {
        "context": kind,
        "env": value.env,
        "project_path": str(value.project_path),
        "params": describe(value.params),
        "runtime_params": describe(params),
        "loader": f"{type(loader).__module__}.{type(loader).__qualname__}",
        "conf_source": str(loader.conf_source),
        "loader_env": loader.env,
        "loader_params": describe(loader.runtime_params),
    }


def state():
    """What the project's code can see of its process and might depend on."""
    scripts = os.path.dirname(sys.executable)
    return {
        "cwd": os.getcwd(),
        "environ": {key: value for key, value in os.environ.items() if not own(key)},
        "path": [entry for entry in sys.path if entry != scripts],
        # Their order counts within a category; elsewhere it is that of imports.
        "filters": sorted(map(describe_filter, warnings.filters), key=lambda one: one[0]),
        "loggers": {
            name: describe_logger(logger)
            for name, logger in [("root", logging.getLogger())] + sorted(logging.Logger.manager.loggerDict.items())
            if isinstance(logger, logging.Logger) and (logger.handlers or logger.level)
        },
        "disabled_logging": logging.root.manager.disable,
        "interrupt": str(signal.getsignal(signal.SIGINT)),
        "terminate": str(signal.getsignal(signal.SIGTERM)),
        "start_method": multiprocessing.get_start_method(allow_none=True),
        "process_name": multiprocessing.current_process().name.partition("-")[0],
        "daemon": multiprocessing.current_process().daemon,
        "encodings": [sys.stdout.encoding, sys.getfilesystemencoding(), locale.getpreferredencoding(False)],
        "terminal": [stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)],
        "flags": str(sys.flags),
        "bytecode": sys.dont_write_bytecode,
        "recursion": sys.getrecursionlimit(),
        "command": [os.path.basename(sys.argv[0]), *sys.argv[1:2]],
        "entry_points": called,
    }


def own(key):
    """Variables of the shell, not of the run."""
    return key in ("_", "PWD", "OLDPWD", "SHLVL", "PARITY_RECORD", "PARITY_MAIN")


def describe_filter(one):
    action, message, category, module, line = one
    patterns = [getattr(one, "pattern", one) for one in (message, module)]
    return [category.__name__, action, *patterns, line]


def describe_logger(logger):
    # Whatever writes to the terminal may be another's place to write to.
    files = [handler for handler in logger.handlers if isinstance(handler, logging.FileHandler)]
    return {
        "level": logger.level,
        "propagate": logger.propagate,
        "disabled": logger.disabled,
        "filters": [type(one).__qualname__ for one in logger.filters],
        "files": [[os.path.basename(one.baseFilename), one.level] for one in files],
        "prints": len(files) < len(logger.handlers),
    }


def recorder(source):
    """An object with every hook that this Kedro specifies, all of its arguments taken."""
    members = {}
    for group in vars(specs).values():
        for name, spec in vars(group).items() if inspect.isclass(group) else ():
            if hasattr(spec, "kedro_spec"):
                members[name] = hook_impl(hook(source, name, spec))
    return type("Recorder", (), members)()


def hook(source, name, spec):
    @functools.wraps(spec)
    def call(self, *values):
        record(source, name, dict(zip(names, values)))

    del call.kedro_spec
    call.__signature__ = inspect.signature(spec)
    names = [name for name in call.__signature__.parameters if name != "self"]
    return call


hooks = recorder("plugin")
