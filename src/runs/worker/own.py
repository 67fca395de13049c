"""The standard library as it was before the project was imported. The project's code may replace `os.write`,
`time.time` or `json.dumps`, and the worker's messages must not depend on that. `boot.py` gives each module
of the worker its own builtins for the same reason."""

import fcntl as fcntl_
import json as json_
import os as os_
import select as select_
import threading as threading_
import time as time_
import types


def frozen(module):
    copy = types.ModuleType(module.__name__)
    copy.__dict__.update(vars(module))
    return copy


fcntl, json, os, select, threading, time = map(frozen, (fcntl_, json_, os_, select_, threading_, time_))
encode = json.JSONEncoder(ensure_ascii=False).encode
