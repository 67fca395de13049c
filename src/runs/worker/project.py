"""Kedro's entry points, which differ between its versions 0.18 to 1.x."""

import inspect
import pathlib


def bootstrap(request):
    from kedro.framework.startup import bootstrap_project

    return bootstrap_project(pathlib.Path(request["root"]))


def version():
    from kedro import __version__

    return __version__


def nested(params):
    """Converts dotted keys with YAML texts to nested dictionaries of values."""
    return update({}, params)


def update(values, params):
    """Merges dotted keys with YAML texts into nested dictionaries of values."""
    try:
        from omegaconf import OmegaConf
    except ImportError:  # before 0.18.5
        import yaml

        for key, text in params.items():
            *folders, last = key.split(".")
            at = values
            for folder in folders:
                at = at.setdefault(folder, {})
            at[last] = yaml.safe_load(text)
        return values
    pairs = ["%s=%s" % pair for pair in params.items()]
    values.update(OmegaConf.to_container(OmegaConf.merge(values, OmegaConf.from_dotlist(pairs))))
    return values


def setting(name, default):
    from kedro.framework.project import settings

    try:
        return getattr(settings, name)
    except AttributeError:
        return default


def session(request):
    """A session for the request, without a run."""
    from kedro.framework.session import KedroSession

    session_class = setting("SESSION_CLASS", KedroSession)
    takes = inspect.signature(session_class.create).parameters
    open_ended = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in takes.values())
    wanted = {"project_path": request["root"], "env": request.get("env")}
    params = nested(request.get("params") or {})
    wanted["extra_params" if "extra_params" in takes else "runtime_params"] = params
    if request.get("conf_source"):
        wanted["conf_source"] = request["conf_source"]
    return session_class.create(
        **{key: value for key, value in wanted.items() if open_ended or key in takes}
    )


def in_catalog(catalog, name):
    """Whether the name matches an entry or a pattern of the catalog."""
    if hasattr(type(catalog), "__contains__"):
        return name in catalog
    return name in catalog.list()  # before 0.18.5


def dataset(catalog, name):
    getter = getattr(catalog, "_get_dataset", None) or catalog.get
    return getter(name)


def config_loader(request):
    from kedro.framework.project import settings

    root = pathlib.Path(request["root"])
    return settings.CONFIG_LOADER_CLASS(
        conf_source=request.get("conf_source") or str(root / settings.CONF_SOURCE),
        env=request.get("env"),
        runtime_params=nested(request.get("params") or {}) or None,
        **settings.CONFIG_LOADER_ARGS,
    )
