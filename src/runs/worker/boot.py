# Started by `python -c`. Reads the package's sources and the setup as JSON, from the file that is given as
# an argument, or from the socket on stdin after ten digits of length. The sources run from memory.
import sys

if sys.path[:1] == [""]:
    del sys.path[0]  # `kedro run` does not import from the current folder either

import builtins
import json
import os
import types


def take(count):
    data = b""
    while len(data) < count:
        chunk = os.read(0, count - len(data))
        if not chunk:
            os._exit(0)
        data += chunk
    return data


if len(sys.argv) > 1:
    path = sys.argv.pop(1)
    with open(path, "rb") as file:
        setup = json.loads(file.read().decode("utf-8"))
    if setup.get("remove"):
        os.unlink(path)
else:
    setup = json.loads(take(int(take(10))).decode("utf-8"))
package = types.ModuleType("mlops_tui_worker")
package.__path__ = []
sys.modules[package.__name__] = package
for name, source in setup["sources"]:
    module = types.ModuleType(package.__name__ + "." + name)
    module.__package__ = package.__name__
    module.__builtins__ = dict(vars(builtins))  # the project's code may replace Python's
    sys.modules[module.__name__] = module
    setattr(package, name, module)
    exec(compile(source, "<mlops-tui worker>/" + name + ".py", "exec"), module.__dict__)

work = sys.modules["mlops_tui_worker." + setup["start"]].start(setup)
sys.exit(work())
