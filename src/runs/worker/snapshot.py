"""`snapshot`: the project as Kedro loads it, in the format of `kedro.inspection.ProjectSnapshot`.

Built from the registry and the configuration loader, because older versions of Kedro have no inspection.
Values of credentials are never read.
"""

import copy
import functools
import inspect
import math
import os
import pathlib
import re
import warnings

from . import project

# Warnings of `find_pipelines` when it skips a pipeline.
LEFT_OUT = re.compile("error occurred while|'create_pipeline'|not a .?Pipeline", re.IGNORECASE)


def snapshot(request):
    os.environ.setdefault("KEDRO_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    metadata = project.bootstrap(request)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        from kedro.framework.project import pipelines

        registered = dict(pipelines)
    loader = project.config_loader(request)
    root = pathlib.Path(request["root"]).resolve()
    described = [
        describe(name, pipeline, root) for name, pipeline in registered.items() if pipeline is not None
    ]
    catalog = section(loader, "catalog")
    parameters = section(loader, "parameters")
    merge(parameters, project.nested(request.get("params") or {}))
    return {
        "metadata": {
            "project_name": metadata.project_name,
            "package_name": metadata.package_name,
            "kedro_version": getattr(metadata, "kedro_init_version", None)
            or getattr(metadata, "project_version", ""),
        },
        "kedro_version": project.version(),
        "env": request.get("env"),
        "pipelines": described,
        "datasets": datasets(catalog, described),
        "patterns": patterns(catalog),
        "parameters": sorted(str(key) for key in parameters),
        "parameter_values": plain(parameters),
        "warnings": [
            shortened(str(one.message)) for one in caught if LEFT_OUT.search(str(one.message))
        ],
    }


def shortened(warning):
    """The warning's sentences, and the last line of the traceback that may follow them."""
    text, _, trace = warning.partition("\n\n")
    return " ".join((text + "\n" + trace.strip().rpartition("\n")[2]).split())


def section(loader, kind):
    try:
        from kedro.config import MissingConfigException
    except ImportError:
        MissingConfigException = KeyError
    try:
        return dict(loader[kind])
    except (KeyError, MissingConfigException):
        return {}


def describe(name, pipeline, root):
    return {
        "name": name,
        "nodes": [
            {
                "name": node.name,
                "func_name": node._func_name,
                "namespace": node.namespace,
                "tags": sorted(node.tags),
                "inputs": list(node.inputs),
                "outputs": list(node.outputs),
                "source": source(node.func, root),
            }
            for node in pipeline.nodes
        ],
        "inputs": sorted(pipeline.inputs()),
        "outputs": sorted(pipeline.outputs()),
    }


def source(function, root):
    """The place of the function's definition, as in `kedro.inspection`."""
    if (
        isinstance(function, functools.partial)
        or inspect.isbuiltin(function)
        or getattr(function, "__name__", None) == "<lambda>"
    ):
        return None
    try:
        function = inspect.unwrap(function)
        path = pathlib.Path(inspect.getsourcefile(function)).resolve().relative_to(root)
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError, ValueError):
        return None
    return {"filepath": path.as_posix(), "line_start": first, "line_end": first + len(lines) - 1}


def patterns(catalog):
    """Dataset factory patterns in the order in which Kedro tries them."""

    def literal(pattern):
        return len(re.sub(r"\{.*?\}", "", pattern))

    found = [name for name in catalog if "{" in name and not name.startswith("_")]
    return sorted(found, key=lambda name: (-literal(name), -name.count("{"), name))


def datasets(catalog, pipelines):
    found = {
        name: dataset(name, config)
        for name, config in catalog.items()
        if not name.startswith("_") and isinstance(config, dict) and "{" not in name
    }
    ordered = patterns(catalog)
    if ordered:
        from parse import parse

        for name in mentioned(pipelines):
            if name in found:
                continue
            for pattern in ordered:
                match = parse(pattern, name)
                if match is not None:
                    config = filled(copy.deepcopy(catalog[pattern]), match.named)
                    found[name] = dataset(name, config)
                    break
    return found


def mentioned(pipelines):
    names = {}
    for pipeline in pipelines:
        for node in pipeline["nodes"]:
            names.update(dict.fromkeys(node["inputs"] + node["outputs"]))
    # Parameters are added to the catalog before patterns are matched.
    return [name for name in names if name != "parameters" and not name.startswith("params:")]


def filled(config, values):
    if isinstance(config, dict):
        return {key: filled(value, values) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [filled(value, values) for value in config]
    if isinstance(config, str) and "}" in config:
        return config.format_map(values)
    return config


def dataset(name, config):
    path = config.get("filepath")
    kind = config.get("type", "")
    return {
        "name": name,
        "type": kind if isinstance(kind, str) else kind.__module__ + "." + kind.__qualname__,
        "filepath": without_password(str(path)) if path else None,
    }


def without_password(path):
    try:
        from kedro.io.core import _redact_url_credentials
    except ImportError:
        return re.sub(r"(?<=://)[^/@]+@", "", path)
    return _redact_url_credentials(path)


def merge(into, extra):
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def plain(value):
    """The value in a form that JSON can represent."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return str(value)
