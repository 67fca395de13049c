"""In-memory datasets, kept in the store's folder so that a later run can start in the middle of the
pipeline. The files are pickled; only this module writes and reads them."""

import collections
import functools
import hashlib
import os
import pickle
import tempfile
import threading
import time

PROTOCOL = 5


class Keeper:
    """Writes the in-memory datasets that nodes save; the name of a file is the hash of its content."""

    def __init__(self, request, channel):
        keep = request.get("keep") or {}
        self.folder = None if keep.get("only_take") else keep.get("folder")
        self.line = keep.get("line", "").encode()  # first line of each file of this store
        self.most = keep.get("most", 0)  # most bytes of one dataset
        self.never = set(keep.get("never", ()))
        self.channel = channel
        self.lock = threading.Lock()
        self.under_way = collections.Counter()  # number of saves in progress by `id` of the object
        self.memory = set()  # `id`s of the objects that were saved in memory

    def install(self):
        """Hooks into saving, to detect in-memory datasets however they were added to the catalog."""
        if not self.folder:
            return
        from kedro import io

        classes = [getattr(io, name, None) for name in ("MemoryDataset", "MemoryDataSet")]
        try:
            from kedro.io.shared_memory_dataset import SharedMemoryDataset
        except ImportError:  # before 0.19.?
            from kedro.runner import parallel_runner

            SharedMemoryDataset = getattr(
                parallel_runner,
                "_SharedMemoryDataset",
                getattr(parallel_runner, "_SharedMemoryDataSet", None),
            )
        for one in {id(one): one for one in classes + [SharedMemoryDataset] if one}.values():
            one.save = self.noticed(one.save)

    def noticed(self, save):
        @functools.wraps(save)
        def call(dataset, data, *args, **kwargs):
            with self.lock:
                self.memory.add(id(data))
            return save(dataset, data, *args, **kwargs)

        return call

    def begin(self, data):
        """Called before a dataset is saved, by this or another thread."""
        with self.lock:
            if not self.under_way[id(data)]:
                self.memory.discard(id(data))
            self.under_way[id(data)] += 1

    def saved(self, dataset, node, data):
        """Called after a dataset was saved."""
        with self.lock:
            in_memory = id(data) in self.memory
            self.under_way[id(data)] -= 1
            if self.under_way[id(data)] < 1:
                del self.under_way[id(data)]
                self.memory.discard(id(data))
        if not self.folder or not in_memory:
            return
        name = dataset.partition("@")[0]
        if name in self.never:
            return
        began = time.perf_counter()
        try:
            file, size = self.write(data)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            reason = "%s: %s" % (type(error).__name__, error)
            self.channel.event("dataset_not_kept", dataset=name, node=node, reason=reason[:200])
        else:
            seconds = time.perf_counter() - began
            self.channel.event(
                "dataset_kept", dataset=name, node=node, file=file, bytes=size, seconds=seconds
            )

    def write(self, data):
        fd, path = tempfile.mkstemp(dir=self.folder, prefix="writing-")
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(self.line)
                file.flush()  # so that files left behind can be recognized
                hashed = Hashed(file, self.most)
                pickle.dump(data, hashed, PROTOCOL)
            name = hashed.hash.hexdigest() + ".pickle"
            os.replace(path, os.path.join(self.folder, name))
            return name, hashed.size
        except BaseException:
            os.unlink(path)
            raise


class Hashed:
    """A file that hashes the written data, up to a maximum size."""

    def __init__(self, file, most):
        self.file = file
        self.most = most
        self.size = 0
        self.hash = hashlib.blake2b(digest_size=20)

    def write(self, data):
        self.size += memoryview(data).nbytes
        if self.size > self.most:
            raise ValueError("larger than %d MB" % (self.most >> 20))
        self.hash.update(data)
        return self.file.write(data)


def put_back(catalog, request):
    """Replaces entries of the catalog by kept datasets."""
    kept = request.get("kept") or {}
    if not kept:
        return
    folder = request["keep"]["folder"]
    make = kept_dataset()
    for name, file in kept.items():
        if os.path.basename(file) != file:
            raise ValueError("%r is not the name of a kept dataset" % file)
        dataset = make(os.path.join(folder, file))
        if hasattr(catalog, "__setitem__"):
            catalog[name] = dataset
        else:
            catalog.add(name, dataset, replace=True)


def kept_dataset():
    from kedro import io

    base = getattr(io, "AbstractDataset", None) or io.AbstractDataSet

    class KeptDataset(base):
        def __init__(self, path):
            self._path = path

        def _load(self):
            os.utime(self._path)  # the least recently used files are deleted first
            with open(self._path, "rb") as file:
                if not file.readline(200).startswith(b"mlops-tui store "):
                    raise ValueError("%s is no kept dataset" % self._path)
                return pickle.load(file)

        def _save(self, data):
            raise NotImplementedError("a kept dataset is not written")

        load, save = _load, _save

        def _exists(self):
            return os.path.exists(self._path)

        def _describe(self):
            return {"kept": os.path.basename(self._path)}

    # Processes of a pool look the class up by its name.
    KeptDataset.__qualname__ = "KeptDataset"
    globals()["KeptDataset"] = KeptDataset
    return KeptDataset
