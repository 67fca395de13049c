"""Installed modules: which ones a child has imported, and importing them before the next fork."""

import importlib
import importlib.machinery
import importlib.util
import inspect
import os
import sys
import sysconfig
import threading
import time

from .events import OWN

# Forking is known to be safe with the threads of these packages: OpenBLAS and jemalloc stop their threads
# before a fork and start them after it.
SAFE_THREADS = {"numpy", "scipy", "pyarrow"}

# Their frameworks abort in a forked process.
BROKEN_ON_MACOS = {"AppKit", "CoreFoundation", "Foundation", "cv2", "objc", "tensorflow", "torch"}

STANDARD = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib"))

LOGGING = "KEDRO_LOGGING_CONFIG"

# Within this time (in nanoseconds) a second edit of a file may not change its modification time in
# seconds.
RECENT = 2_000_000_000

# Most memory of the warm process, in bytes.
MEMORY = 2 << 30


def learned(known):
    """Names of installed modules that this process has imported and that are not in `known`, in order."""
    return [
        name
        for name, module in list(sys.modules.items())
        if name not in known and name != "__main__" and installed(module)
    ]


def installed(module):
    path = getattr(module, "__file__", None)
    spec = getattr(module, "__spec__", None)
    # An alias of another module can't be imported under this name.
    if not isinstance(path, str) or spec is None or spec.name != getattr(module, "__name__", None):
        return False
    folders = path.split(os.sep)
    return "site-packages" in folders or "dist-packages" in folders or path.startswith(STANDARD)


def check_bytecode():
    """Makes the import system ignore cached bytecode that may be outdated: bytecode stores its source's time
    in whole seconds and its size, so it can't distinguish two edits within a second."""
    loader = importlib.machinery.SourceFileLoader
    path_stats = loader.path_stats

    def stats(self, path):
        if "site-packages" not in path and not path.startswith(STANDARD):
            source = os.stat(path).st_mtime_ns
            recent = time.time_ns() - source < RECENT
            if recent or os.stat(importlib.util.cache_from_source(path)).st_mtime_ns <= source:
                raise OSError("the bytecode may be of an earlier edit")
        return path_stats(self, path)

    loader.path_stats = stats


def know_files():
    """Fills the cache of `inspect` for this package's modules. Kedro's settings read the stack, and `inspect`
    then searches all modules for that of each frame, which is slow for a module without a file."""
    for name in list(sys.modules):
        if top(name) == __package__:
            files = ["%s/%s.py" % (OWN, name.rpartition(".")[2])]
        elif name == "__main__":
            files = ["<string>"]
        else:
            continue
        for file in files:
            inspect.modulesbyfile[file] = name
            inspect.modulesbyfile[os.path.normcase(os.path.abspath(file))] = name
    try:
        inspect.getmodule(compile("", "<nowhere>", "exec"))
    except Exception:
        pass  # only an optimization


class Preloader:
    """Imports modules, and detects those that make forking unsafe."""

    def __init__(self, refused):
        self.refused = set(refused)
        if sys.platform == "darwin":
            self.refused |= BROKEN_ON_MACOS
        self.unsafe = set()
        self.threads = count_threads()
        self.looked_up = ""
        self.logging = quiet_logging()

    def load(self, name):
        package = top(name)
        if package in self.refused or memory() > MEMORY:
            return
        self.looked_up = name
        sys.meta_path.insert(0, self)
        own = os.environ.get(LOGGING)
        if self.logging:
            os.environ[LOGGING] = self.logging
        try:
            importlib.import_module(name)
        except BaseException:
            pass  # the project sees its error
        finally:
            sys.meta_path.remove(self)
            os.environ.pop(LOGGING, None)
            if own is not None:
                os.environ[LOGGING] = own
        self.check(package)

    def find_spec(self, name, path=None, target=None):
        """Never finds a module. Called before each import, it checks for threads of the previous one."""
        self.check(None)
        self.looked_up = name
        return None

    def check(self, asked):
        threads = count_threads()
        if threads > self.threads and top(self.looked_up) not in SAFE_THREADS:
            self.unsafe |= {top(self.looked_up)} | ({asked} if asked else set())
        self.threads = threads
        if asked and threading.active_count() > 1:
            self.unsafe |= {top(self.looked_up), asked}

    def files(self):
        """Files that make this process outdated when they change, and folders with packages."""
        files = {
            module.__file__
            for module in list(sys.modules.values())
            if isinstance(getattr(module, "__file__", None), str)
        }
        folders = {path for path in sys.path if os.path.isdir(path)}
        return sorted(files | folders)


def quiet_logging():
    """The path of Kedro's default logging configuration, if there is one. Kedro configures logging when it is
    imported, and would open the project's log files; the child configures it again for the project."""
    spec = importlib.util.find_spec("kedro")
    for folder in spec.submodule_search_locations if spec else []:
        path = os.path.join(folder, "framework", "project", "default_logging.yml")
        if os.path.exists(path):
            return path
    return None


def top(name):
    return name.partition(".")[0]


def count_threads():
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def memory():
    """Memory of this process in bytes, if the system provides it."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
