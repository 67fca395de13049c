"""The nodes."""

import pandas as pd

from . import tools
from .limits import *
from .tools import scaled as scale

FACTOR = 2
UNUSED = 1


def clean(orders):
    """Leave out what is empty."""
    return [tools.tidy(order) for order in orders if order]


def total(rows, rate):
    # Prices are in cents.
    return rate * sum(scale(row["price"], FACTOR) for row in rows[:MOST])


def average(prices):
    return float(prices[COLUMN].mean()) if isinstance(prices, pd.DataFrame) else 0.0


def times(value, factor):
    return value * factor


def counter(step):
    def count(amount):
        return int(amount) // step

    return count


def fit(depth):
    return {"depth": depth}


def score(model, options):
    return [model["depth"]] * int(options["depth"])


def merge(parts):
    import json

    return {name: json.dumps(load()) for name, load in sorted(parts.items())}


def describe(parameters):
    return sorted(parameters)


def unused():
    return UNUSED
