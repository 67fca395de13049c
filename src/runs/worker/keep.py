"""Datasets that live in memory only, kept in the store's folder, so that a later run can begin in
the middle of the pipeline. Only this module writes and reads the files: they are pickled."""

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
    """Writes what nodes save in memory, by content: the file's name is the hash of what it holds."""

    def __init__(self, request, channel):
        keep = request.get("keep") or {}
        self.folder = None if keep.get("only_take") else keep.get("folder")
        self.line = keep.get("line", "").encode()  # what each file of this store begins with
        self.most = keep.get("most", 0)  # bytes of one dataset
        self.never = set(keep.get("never", ()))
        self.channel = channel
        self.lock = threading.Lock()
        self.under_way = collections.Counter()  # saves by the identity of what is saved
        self.memory = set()  # identities of what was saved in memory

    def install(self):
        """Notices which datasets are saved in memory, whoever put them into the catalog."""
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
        """A dataset is about to be saved, by this thread or another one."""
        with self.lock:
            if not self.under_way[id(data)]:
                self.memory.discard(id(data))
            self.under_way[id(data)] += 1

    def saved(self, dataset, node, data):
        """A dataset was saved."""
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
                file.flush()  # a file that is left behind can be told from others
                hashed = Hashed(file, self.most)
                pickle.dump(data, hashed, PROTOCOL)
            name = hashed.hash.hexdigest() + ".pickle"
            os.replace(path, os.path.join(self.folder, name))
            return name, hashed.size
        except BaseException:
            os.unlink(path)
            raise


class Hashed:
    """A file that hashes what is written, up to a size."""

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
    """Kept datasets take their places in the catalog."""
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
            os.utime(self._path)  # the least recently used ones go first
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

    # Processes of a pool find it by its name.
    KeptDataset.__qualname__ = "KeptDataset"
    globals()["KeptDataset"] = KeptDataset
    return KeptDataset
