"""Runs of a grid save their datasets to a folder of their own, and load them from there."""

import os
import pathlib
import shutil

from . import project


def move(catalog, pipeline, request, recorder):
    """Moves the datasets that the pipeline makes, and the checkpoints of incremental datasets that it makes
    or confirms, to the run's folder; their definitions keep the paths in the project."""
    root = os.path.realpath(request["root"])
    folder = os.path.join(root, request["apart"])
    made = {name.partition("@")[0] for node in pipeline.nodes for name in node.outputs}
    confirmed = {name for node in pipeline.nodes for name in getattr(node, "confirms", None) or ()}
    names = {name for node in pipeline.nodes for name in [*node.inputs, *node.outputs]}
    for name in sorted(names | confirmed):
        is_made = name.partition("@")[0] in made
        if not (is_made or name in confirmed) or not project.in_catalog(catalog, name):
            continue
        dataset = project.dataset(catalog, name)
        stays = []
        if is_made and not moved(dataset, root, folder) and not in_memory(dataset):
            stays.append("%s is saved where it always is: it has no file of its own here." % name)
        if not checkpoint_moved(dataset, root, folder) and name in confirmed:
            stays.append("%s is confirmed where it always is: it has no checkpoint file here." % name)
        for text in stays:
            recorder.channel.output(b"l", (None, "WARNING", "mlops-tui"), text)


def in_memory(dataset):
    return type(dataset).__name__.lstrip("_").lower() in ("memorydataset", "sharedmemorydataset")


def moved(dataset, root, folder):
    dataset = getattr(dataset, "_dataset", None) or dataset  # unwrap a cached dataset
    for attribute in ("_filepath", "_path"):
        path = getattr(dataset, attribute, None)
        if isinstance(path, (str, pathlib.PurePath)) and local(dataset, str(path)):
            setattr(dataset, attribute, type(path)(below(str(path), root, folder)))
            if getattr(dataset, "_delta_table", None) is not None:
                # The constructor has opened the table at the project's path; the next save creates one
                # in the folder.
                dataset._delta_table, dataset.is_empty_dir = None, True
            return True
    return False


def checkpoint_moved(dataset, root, folder):
    """Moves the checkpoint file of an `IncrementalDataset`; returns whether it has one. The file is a copy of
    the project's, so that partitions which are new to the project are new to each run."""
    config = getattr(dataset, "_checkpoint_config", None)
    key = getattr(dataset, "_filepath_arg", "filepath")
    path = config.get(key) if isinstance(config, dict) else None
    if not isinstance(path, (str, pathlib.PurePath)) or not on_disk(str(path)):
        return False
    target = below(str(path), root, folder)
    source = os.path.join(root, plain(str(path)))
    if os.path.isfile(source):
        shutil.copyfile(source, target)
    config[key] = target
    return True


def below(path, root, folder):
    """The path in the folder that replaces this one; its parent folder is created."""
    whole = os.path.realpath(os.path.join(root, plain(path)))
    relative = os.path.relpath(whole, root)
    if relative.startswith(os.pardir):
        relative = os.path.join("elsewhere", whole.lstrip(os.sep))
    target = os.path.join(folder, relative)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    return target


def plain(path):
    return path[len("file://") :] if path.startswith("file://") else path


def local(dataset, path):
    protocol = getattr(dataset, "_protocol", None) or "file"
    # Spark datasets store the protocol separately from the path.
    prefix = getattr(dataset, "_fs_prefix", None) or ""
    return protocol in ("file", "local") and prefix in ("", "file://") and on_disk(path)


def on_disk(path):
    return "://" not in path or path.startswith("file://")
