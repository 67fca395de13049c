"""Kedro's own command `run`, called like its command line does: the conversion of options to arguments of
the session differs between versions, and a project may define its own command in its `cli.py`."""

import importlib
import os
import sys
import traceback

from . import project

# Key in the request, names of the option (newest first), and the format of its values: one text, a flag,
# one option with commas, or several options.
OPTIONS = [
    ("pipeline", ["--pipelines", "--pipeline"], "text"),
    ("pipelines", ["--pipelines"], "commas"),
    ("from_nodes", ["--from-nodes"], "commas"),
    ("to_nodes", ["--to-nodes"], "commas"),
    ("nodes", ["--nodes"], "commas"),
    ("nodes", ["--node"], "each"),
    ("from_inputs", ["--from-inputs"], "commas"),
    ("to_outputs", ["--to-outputs"], "commas"),
    ("tags", ["--tags"], "commas"),
    ("tags", ["--tag"], "each"),
    ("namespaces", ["--namespaces", "--namespace"], "commas"),
    ("env", ["--env"], "text"),
    ("params", ["--params"], "pairs="),
    ("runner", ["--runner"], "text"),
    ("runner_params", ["--runner-params"], "text"),
    ("is_async", ["--async"], "flag"),
    ("load_versions", ["--load-versions"], "pairs:"),
    ("load_versions", ["--load-version"], "each:"),
    ("config", ["--config"], "text"),
    ("conf_source", ["--conf-source"], "text"),
    ("only_missing_outputs", ["--only-missing-outputs"], "flag"),
]

TELEMETRY = "kedro_telemetry"


def run(request):
    """Runs the request like `kedro run`."""
    from click.exceptions import Exit
    from kedro.framework.cli.hooks import get_cli_hook_manager
    from kedro.framework.cli.utils import load_entry_points

    for init in load_entry_points("init"):
        init()
    metadata = project.bootstrap(request)
    hooks = get_cli_hook_manager()
    for plugin in hooks.get_plugins():
        # The telemetry plug-in would report the command over the network.
        if (getattr(plugin, "__module__", None) or "").startswith(TELEMETRY):
            hooks.unregister(plugin)
    command, group = find(metadata)
    arguments = words(request, command)
    sys.argv = [os.path.join(os.path.dirname(sys.executable), "kedro"), "run"] + arguments
    common = {"project_metadata": metadata, "command_args": ["run"] + arguments}
    hooks.hook.before_command_run(**common)
    code = 1
    try:
        with context(request, metadata, command, group, arguments) as made:
            command.invoke(made)
        code = 0
    except (Exit, SystemExit) as error:
        code = error.exit_code if isinstance(error, Exit) else error.code
        if code not in (None, 0) or of_a_run(error):
            raise
    finally:
        if hasattr(hooks.hook, "after_command_run"):  # since 0.18.2
            hooks.hook.after_command_run(exit_code=code, **common)


def of_a_run(error):
    """Whether the exit comes from a session or a runner: a node or a hook that exits has not finished its
    work, whatever the exit code."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    names = [frame.f_globals.get("__name__") or "" for frame in frames]
    return any(name.startswith(("kedro.framework.session", "kedro.runner")) for name in names)


def find(metadata):
    """The command, and the group that contains it."""
    from kedro.framework.cli import project as builtin

    try:
        own = importlib.import_module(metadata.package_name + ".cli")
    except ModuleNotFoundError:
        return builtin.run, builtin.project_group
    if not hasattr(own, "cli"):
        from kedro.framework.cli.utils import KedroCliError

        raise KedroCliError("Cannot load commands from %s.cli" % metadata.package_name)
    command = own.cli.commands.get("run")
    return (command, own.cli) if command is not None else (builtin.run, builtin.project_group)


def words(request, command):
    """The options of the request, as `kedro run` accepts them."""
    known = {name for parameter in command.params for name in parameter.opts}
    request = dict(request)
    if request.get("env") == os.environ.get("KEDRO_ENV"):
        request["env"] = None  # the command chooses the default
    if request.get("is_async") and number() >= (1, 6):
        # `--async` is deprecated.
        others = [request["runner_params"]] if request.get("runner_params") else []
        request.update(is_async=False, runner_params=",".join(["is_async=True"] + others))
    given, refused = [], {}  # refused: None for an option that was taken
    for key, names, how in OPTIONS:
        value = request.get(key)
        if not value or refused.get(key, True) is None:
            continue
        name = next((name for name in names if name in known), None)
        if name is None:
            refused.setdefault(key, names[0])
            continue
        refused[key] = None
        if how == "flag":
            given.append(name)
        elif how == "text":
            given.append("%s=%s" % (name, value))
        elif how == "commas":
            given.append("%s=%s" % (name, ",".join(value)))
        elif how == "each":
            given += ["%s=%s" % (name, one) for one in value]
        else:
            sign = ":" if key == "params" and number() < (0, 18, 14) else how[-1]
            pairs = ["%s%s%s" % (one, sign, text) for one, text in value.items() if plain(text)]
            if how.startswith("each"):
                given += ["%s=%s" % (name, pair) for pair in pairs]
            elif pairs:
                given.append("%s=%s" % (name, ",".join(pairs)))
    for name in refused.values():
        if name is not None:
            raise ValueError("Kedro %s does not have the option `%s`" % (project.version(), name))
    return given


def number():
    return tuple(int(part) for part in project.version().split(".")[:3] if part.isdigit())


def plain(text):
    """Whether the command line can separate the value from the next one."""
    return "," not in text and "\n" not in text


def context(request, metadata, command, group, arguments):
    """Click's context of the command."""
    import click

    outer = click.Context(group, info_name="kedro", obj=metadata)
    made = command.make_context("run", list(arguments), parent=outer)
    params = request.get("params") or {}
    longer = {key: text for key, text in params.items() if not plain(text)}
    if longer:
        project.update(made.params["params"], longer)
    for parameter in command.params:
        key = parameter.opts[0].lstrip("-").replace("-", "_")
        if key in ("nodes", "from_nodes", "to_nodes"):
            # Old versions split names like `f([a,b]) -> [c]` at their commas.
            asked, got = request.get(key), made.params.get(parameter.name)
            if asked and isinstance(got, (list, tuple)) and list(got) != asked:
                made.params[parameter.name] = type(got)(asked)
    return made
