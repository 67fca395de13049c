"""What MLflow's own parsers make of filters.

    parse.py DATABASE < LINES

Each line is {"kind": ..., "filter": ...}. Prints a line for each: the comparisons as
[type, key, comparator, value], or null where MLflow refuses, in parsing or in searching an empty store.
"""

import json
import math
import sys
import warnings

warnings.filterwarnings("ignore")

from mlflow.entities import ViewType  # noqa: E402
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry  # noqa: E402
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Tracking  # noqa: E402
from mlflow.utils import search_logged_model_utils as logged  # noqa: E402
from mlflow.utils import search_utils as utils  # noqa: E402

uri = "sqlite:///" + sys.argv[1]
tracking = Tracking(uri, sys.argv[1] + ".artifacts")
registry = Registry(uri)


def of_logged_models(text):
    return [
        {"type": it.entity.type.value, "key": it.entity.key, "comparator": it.op, "value": it.value}
        for it in logged.parse_filter_string(text)
    ]


KINDS = {
    "runs": (
        utils.SearchUtils.parse_search_filter,
        lambda text: tracking.search_runs(["0"], text, ViewType.ALL, 10),
    ),
    "experiments": (
        utils.SearchExperimentsUtils.parse_search_filter,
        lambda text: tracking.search_experiments(filter_string=text),
    ),
    "registered_models": (
        utils.SearchModelUtils.parse_search_filter,
        lambda text: registry.search_registered_models(text),
    ),
    "model_versions": (
        utils.SearchModelVersionUtils.parse_search_filter,
        lambda text: registry.search_model_versions(text),
    ),
    "logged_models": (
        of_logged_models,
        lambda text: tracking.search_logged_models(["0"], text),
    ),
}


def plain(value):
    if isinstance(value, float) and not math.isfinite(value):
        return None
    # SQLite compares the digits of a number in a list.
    return [str(it) for it in value] if isinstance(value, tuple) else value


for line in sys.stdin:
    asked = json.loads(line)
    parse, search = KINDS[asked["kind"]]
    try:
        found = parse(asked["filter"])
        search(asked["filter"])
        answer = [[it["type"], it["key"], it["comparator"].upper(), plain(it["value"])] for it in found]
    except Exception:
        answer = None
    print(json.dumps(answer))
