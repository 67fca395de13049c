"""Runs of a grid save what they make in a folder of their own, and load it from there."""

import os
import pathlib

from . import project


def move(catalog, pipeline, request, recorder):
    """Moves the datasets that the pipeline makes; their definitions keep their paths below the project's."""
    root = os.path.realpath(request["root"])
    folder = os.path.join(root, request["apart"])
    made = {name.partition("@")[0] for node in pipeline.nodes for name in node.outputs}
    names = {name for node in pipeline.nodes for name in [*node.inputs, *node.outputs]}
    for name in sorted(names):
        if name.partition("@")[0] in made and project.in_catalog(catalog, name):
            dataset = project.dataset(catalog, name)
            if not moved(dataset, root, folder) and not in_memory(dataset):
                recorder.channel.output(
                    b"l",
                    (None, "WARNING", "mlops-tui"),
                    "%s is saved where it always is: it has no file of its own here." % name,
                )


def in_memory(dataset):
    return type(dataset).__name__.lstrip("_").lower() in ("memorydataset", "sharedmemorydataset")


def moved(dataset, root, folder):
    dataset = getattr(dataset, "_dataset", None) or dataset  # of a cached dataset
    for attribute in ("_filepath", "_path"):
        path = getattr(dataset, attribute, None)
        if isinstance(path, (str, pathlib.PurePath)) and local(dataset, str(path)):
            plain = str(path)[len("file://") :] if str(path).startswith("file://") else str(path)
            whole = os.path.realpath(os.path.join(root, plain))
            below = os.path.relpath(whole, root)
            if below.startswith(os.pardir):
                below = os.path.join("elsewhere", whole.lstrip(os.sep))
            target = os.path.join(folder, below)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            setattr(dataset, attribute, type(path)(target))
            return True
    return False


def local(dataset, path):
    protocol = getattr(dataset, "_protocol", None) or "file"
    return protocol in ("file", "local") and ("://" not in path or path.startswith("file://"))
