"""Which installed modules a project will import, read from its files without running them. Used until the
first child has told which ones it has imported."""

import os
import re

# What every session of Kedro imports.
KEDRO = [
    "kedro.framework.project",
    "kedro.framework.startup",
    "kedro.framework.cli.project",
    "kedro.framework.session",
    "kedro.io",
    "kedro.runner",
]

IMPORT = re.compile(r"^(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w., \t]+))", re.MULTILINE)
TYPE = re.compile(r"^[ \t]+type:[ \t]*[\"']?([\w.]+)\.\w+", re.MULTILINE)

# Not part of the project's code or configuration.
FOREIGN = {"data", "docs", "node_modules", "notebooks", "site-packages", "tests", "venv", "__pycache__"}
MOST_FILES = 3000
LARGEST = 1 << 20  # bytes


def predict(root):
    """Names of modules in the order of their import; some may not exist."""
    names = list(KEDRO) + plugins()
    source, conf = (
        os.path.join(root, name) if os.path.isdir(os.path.join(root, name)) else root
        for name in ("src", "conf")
    )
    for text in texts(source, (".py",)):
        for one, several in IMPORT.findall(text):
            names += [part.split()[0] for part in (one or several).split(",") if part.strip()]
    for text in texts(conf, (".yml", ".yaml")):
        for kind in TYPE.findall(text):
            names += [kind, "kedro_datasets." + kind]
    own = set(os.listdir(root)) | set(os.listdir(source))
    found = []
    for name in dict.fromkeys(names):
        first = name.partition(".")[0]
        if first and first not in own and first + ".py" not in own:
            found.append(name)
    return found


def plugins():
    """Modules of Kedro's plug-ins; each session imports them."""
    from importlib import metadata

    try:
        points = metadata.entry_points()
        if isinstance(points, dict):  # before Python 3.12
            points = [point for group in points.values() for point in group]
        return [point.value.partition(":")[0] for point in points if point.group.startswith("kedro.")]
    except Exception:
        return []


def texts(where, endings):
    """The texts of the files with these endings in a folder."""
    count = 0
    for folder, folders, files in os.walk(where):
        folders[:] = sorted(one for one in folders if one not in FOREIGN and not one.startswith("."))
        for name in sorted(files):
            path = os.path.join(folder, name)
            if not name.endswith(endings):
                continue
            count += 1
            if count > MOST_FILES:
                return
            try:
                if os.path.isfile(path) and os.path.getsize(path) <= LARGEST:
                    with open(path, encoding="utf-8", errors="replace") as file:
                        yield file.read()
            except OSError:
                pass
