"""Kedro's own entry points, which differ between its versions 0.18 to 1.x."""

import inspect
import pathlib


def bootstrap(request):
    from kedro.framework.startup import bootstrap_project

    return bootstrap_project(pathlib.Path(request["root"]))


def version():
    from kedro import __version__

    return __version__


def nested(params):
    """Dotted keys as nested dictionaries; a later key wins over an earlier one."""
    whole = {}
    for key, value in params.items():
        *folders, last = key.split(".")
        at = whole
        for folder in folders:
            if not isinstance(at.get(folder), dict):
                at[folder] = {}
            at = at[folder]
        at[last] = value
    return whole


def setting(name, default):
    from kedro.framework.project import settings

    try:
        return getattr(settings, name)
    except AttributeError:
        return default


def session(request):
    """The session, and the arguments for its `run`."""
    from kedro.framework.session import KedroSession

    session_class = setting("SESSION_CLASS", KedroSession)
    takes = inspect.signature(session_class.create).parameters
    run_takes = inspect.signature(session_class.run).parameters
    params = nested(request.get("params") or {})
    create = {"project_path": request["root"], "env": request.get("env")}
    if request.get("conf_source"):
        create["conf_source"] = request["conf_source"]
    run = {}
    if "runtime_params" in takes:
        create["runtime_params"] = params
    elif "extra_params" in takes:
        create["extra_params"] = params
    elif params:
        run["runtime_params"] = params
    create = {key: value for key, value in create.items() if key in takes or refuse(key, value)}
    run.update(arguments(request, run_takes))
    return session_class.create(**create), run


def arguments(request, takes):
    wanted = {}
    for name in ("tags", "from_nodes", "to_nodes", "from_inputs", "to_outputs", "load_versions"):
        if request.get(name):
            wanted[name] = request[name]
    if request.get("nodes"):
        wanted["node_names"] = tuple(request["nodes"])
    if request.get("tags"):
        wanted["tags"] = tuple(request["tags"])
    if request.get("only_missing_outputs"):
        wanted["only_missing_outputs"] = True
    if request.get("pipeline"):
        if "pipeline_names" in takes:
            wanted["pipeline_names"] = [request["pipeline"]]
        else:
            wanted["pipeline_name"] = request["pipeline"]
    namespaces = request.get("namespaces") or []
    if namespaces:
        if "namespaces" in takes:
            wanted["namespaces"] = namespaces
        elif len(namespaces) == 1:
            wanted["namespace"] = namespaces[0]
        else:
            raise ValueError("Kedro %s runs one namespace at a time" % version())
    variadic = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in takes.values())
    return {
        key: value for key, value in wanted.items() if variadic or key in takes or refuse(key, value)
    }


def refuse(name, value):
    if value:
        raise ValueError("Kedro %s does not have the option `%s`" % (version(), name))
    return False


def runner(request):
    from kedro.utils import load_obj

    make = load_obj(request.get("runner") or "SequentialRunner", "kedro.runner")
    return make(is_async=bool(request.get("is_async")))


def config_loader(request):
    from kedro.framework.project import settings

    root = pathlib.Path(request["root"])
    return settings.CONFIG_LOADER_CLASS(
        conf_source=request.get("conf_source") or str(root / settings.CONF_SOURCE),
        env=request.get("env"),
        runtime_params=nested(request.get("params") or {}) or None,
        **settings.CONFIG_LOADER_ARGS,
    )
