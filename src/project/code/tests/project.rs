//! The files of the project that the tests edit.

pub(super) const FILES: [(&str, &str); 14] = [
    ("pkg/__init__.py", "\"\"\"A package.\"\"\"\nVERSION = '1'\n"),
    (
        "pkg/pipeline_registry.py",
        "from functools import partial
from kedro.pipeline import node, pipeline
from pkg import methods, nodes, values
from pkg.frames import frame
from pkg.tools import text

def register_pipelines():
    unrelated = 1
    return {'__default__': pipeline([
        node(nodes.clean, 'a', 'b', name='clean'),
        node(nodes.train, 'b', 'c', name='train'),
        node(nodes.score, 'c', 'd', name='score'),
        node(nodes.limited, 'd', 'e', name='limited'),
        node(nodes.plugged, 'e', 'f', name='plugged'),
        node(frame, 'f', 'g', name='frame'),
        node(lambda g: text.strip(g), 'g', 'h', name='lambda'),
        node(lambda h: nodes.rows(h), 'h', 'i', name='rows'),
        node(partial(nodes.scaled, by=2), 'i', 'j', name='partial'),
        node(methods.Model().fit, 'j', 'k', name='method'),
        node(methods.power(3), 'k', 'l', name='closure'),
        node(nodes.checked, 'l', 'm', name='checked'),
        node(nodes.chosen, 'm', 'n', name='chosen'),
        node(values.configured, 'n', 'o', name='values'),
        node(values.whole, 'o', 'p', name='whole'),
        node(values.counted, 'p', 'q', name='counted'),
    ])}
",
    ),
    (
        "pkg/nodes.py",
        "\"\"\"Nodes.\"\"\"
from __future__ import annotations

import importlib
import math
import pkg.tools.text as text
from pkg import registry, state
from pkg.tools import Scaler, mean, strip_text
from .steps import *

COLUMNS = ['a', 'b']
LIMIT: int = 10
if math.pi > 3:
    ROWS = 5
else:
    ROWS = 6

try:
    from pkg.speed import fast as engine
except ImportError:
    engine = None

def clean(a: int, flag: bool = True) -> str:
    \"\"\"Cleans.\"\"\"
    # A comment.
    kept = [strip_text(row) for row in a if row in COLUMNS]
    return ','.join(kept)

def train(b, scaler=Scaler):
    return scaler().scale(b) + mean(b)

def score(c, threshold=LIMIT):
    def inner(x):
        return text.title(x) if x > threshold else step_one(x)
    return list(map(inner, c))

def limited(d):
    from . import state as kept
    kept.bump()
    return kept.limit('d')

def plugged(e):
    module = importlib.import_module('pkg.plugins.one')
    return registry.CHOICES['first'](module.run(e))

def rows(h):
    return h[:ROWS]

def scaled(i, by):
    return engine(i) * by

@registry.traced
def checked(l: list[int]) -> list[int]:
    return l

def chosen(m):
    return getattr(state, 'read')() + m

def unused(x):
    return x
",
    ),
    (
        "pkg/steps.py",
        "def step_one(x):\n    return _half(x)\n\ndef _half(x):\n    return x / 2\n\ndef step_two(x):\n    return x\n",
    ),
    ("pkg/speed.py", "def fast(x):\n    return x\n\ndef slow(x):\n    return x\n"),
    ("pkg/tools/__init__.py", "from .text import strip as strip_text\nfrom .maths import *\n"),
    (
        "pkg/tools/text.py",
        "import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkg.nodes import unused

PATTERN = r'\\s+'
TITLES = {}
TITLES.update(x='X')

def strip(text: str) -> str:
    return re.sub(PATTERN, ' ', text)

def title(text):
    return TITLES.get(text, text)

def other(text):
    return text
",
    ),
    (
        "pkg/tools/maths.py",
        "import numpy as np

__all__ = ['mean', 'Scaler']

def mean(xs):
    return np.mean(xs)

def hidden(xs):
    return sum(xs)

class Meta(type):
    pass

class Base(metaclass=Meta):
    factor = 2

class Scaler(Base):
    \"\"\"Scales.\"\"\"
    size: int = 1

    def scale(self, x):
        return x * self.factor * helper(x)

def helper(x):
    return x
",
    ),
    (
        "pkg/state.py",
        "COUNT = 0
LIMITS = {}

def bump():
    global COUNT
    COUNT += 1

def note(key):
    LIMITS[key] = 1

def read():
    return COUNT

def limit(key):
    return LIMITS[key]

def idle():
    return 0
",
    ),
    (
        "pkg/frames.py",
        "import pandas as pd
from pkg import plugins

pd.set_option('mode.copy_on_write', True)

def frame(f):
    return pd.DataFrame(f)
",
    ),
    ("pkg/plugins/__init__.py", "import os\nos.environ['PLUGINS'] = '1'\nNAMES = ['one']\n"),
    ("pkg/plugins/one.py", "def run(e):\n    return eval(e)\n"),
    (
        "pkg/registry.py",
        "import functools

CHOICES = {}

def choice(name):
    def wrap(function):
        CHOICES[name] = function
        return function
    return wrap

@choice('first')
def first(x):
    return x

def traced(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

def untouched(x):
    return x
",
    ),
    (
        "pkg/methods.py",
        "class Model:
    depth = 3

    def fit(self, j):
        return tree(j, self.depth)

    def other(self):
        return 1

def tree(j, depth):
    return j

def power(exponent):
    base = offset()
    def raised(k):
        return k ** exponent + shift(k)
    return raised

def offset():
    return 1

def shift(k):
    return 0
",
    ),
];

/// Modules that are used in less common ways.
pub(super) const VALUES: [(&str, &str); 3] = [
    (
        "pkg/values.py",
        "from dataclasses import dataclass
import pkg.settings_like as settings
from pkg import choices
from pkg.choices import Config

def configured(n):
    settings.MODE = n
    return Config(n), settings.describe()

def whole(o):
    return getattr(choices, o)()

def counted(p):
    total = 0
    for key in KEYS:
        total += INDEX[key]
    return total

KEYS = ['a']
KEYS.append('b')
KEYS += ['c']
INDEX = {}
for key in KEYS:
    INDEX[key] = len(key)
BIG, SMALL = 2, 1
",
    ),
    (
        "pkg/choices.py",
        "from dataclasses import dataclass

@dataclass
class Config:
    name: str
    size: int = 3

    def label(self) -> str:
        return self.name

def up():
    return 1

def down():
    return -1
",
    ),
    (
        "pkg/settings_like.py",
        "MODE = 'x'

def describe():
    return MODE

def other():
    return 'other'
",
    ),
];
