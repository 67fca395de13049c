"""MLflow's part of `cargo bench --bench tracking`.

    peer.py write DATABASE RUNS KEYS POINTS   a database with MLflow's own schema, and rows put into it
    peer.py search DATABASE TIMES             all runs as a table
    peer.py history DATABASE TIMES            the long metric
    peer.py files FOLDER TIMES RUNS           all runs of a file store

All but `write` print the seconds of each time, one a line. Imports, the opening of the store and a first small
question are not counted.
"""

import os
import sqlite3
import sys
import time

os.environ.update({
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
})

import mlflow  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402

LONG = "long"  # the metric of many points
LONG_RUN = "f" * 32  # its run, in the second experiment


def write(database, runs, keys, points):
    mlflow.set_tracking_uri(f"sqlite:///{database}")
    client = MlflowClient()
    other = int(client.create_experiment("long"))
    connection = sqlite3.connect(database)

    def insert(table, columns, rows):
        marks = ", ".join("?" * len(columns.split(", ")))
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)

    start = 1_700_000_000_000
    # Ids of runs are random, so that the order of rows is not that of ids.
    ids = [f"{(run + 1) * 0x9E3779B97F4A7C15 % 2**64:016x}{run:016x}" for run in range(runs)]
    insert(
        "runs",
        "run_uuid, name, experiment_id, start_time, end_time, source_type, source_name, entry_point_name, "
        "user_id, status, source_version, lifecycle_stage, artifact_uri",
        [
            (id, f"run-{number}", experiment, start + number, start + number + 60_000, "LOCAL", "train.py", "",
             "ada", "FINISHED", "", "active", f"/artifacts/{experiment}/{id}/artifacts")
            for number, (id, experiment) in enumerate([*((id, 0) for id in ids), (LONG_RUN, other)])
        ],
    )
    each = [(id, run, key) for run, id in enumerate(ids) for key in range(keys)]
    insert("params", "run_uuid, key, value", ((id, f"param_{key}", f"{run % 97 * key / 8}") for id, run, key in each))
    metrics = [(id, f"metric_{key}", 1 / (run * key + 1), start + run, 0, 0) for id, run, key in each]
    for table in ("metrics", "latest_metrics"):
        insert(table, "run_uuid, key, value, timestamp, step, is_nan", metrics)
    tags = {"mlflow.user": "ada", "mlflow.source.name": "train.py", "mlflow.source.type": "LOCAL"}
    insert("tags", "run_uuid, key, value", ((id, *tag) for id in ids for tag in tags.items()))
    insert("tags", "run_uuid, key, value", ((id, "mlflow.runName", f"run-{run}") for run, id in enumerate(ids)))
    # A loss that falls, with spikes.
    value = (lambda step: 1 / (step + 1) + step * 2654435761 % 1000 / 1e5)
    history = ((LONG_RUN, LONG, value(step), start + step * 10, step, 0) for step in range(points))
    insert("metrics", "run_uuid, key, value, timestamp, step, is_nan", history)
    last = points - 1
    insert("latest_metrics", "run_uuid, key, value, timestamp, step, is_nan",
           [(LONG_RUN, LONG, value(last), start + last * 10, last, 0)])
    connection.commit()


def timed(times, act):
    for _ in range(times):
        begin = time.perf_counter()
        count = len(act())
        print(time.perf_counter() - begin, flush=True)
        assert count > 1, count


def search(database, times):
    mlflow.set_tracking_uri(f"sqlite:///{database}")
    mlflow.search_runs(experiment_ids=["0"], max_results=1)
    timed(times, lambda: mlflow.search_runs(experiment_ids=["0"]))


def history(database, times):
    client = MlflowClient(f"sqlite:///{database}")
    client.get_run(LONG_RUN)
    timed(times, lambda: client.get_metric_history(LONG_RUN, LONG))


def files(folder, times, runs):
    client = MlflowClient(f"file://{folder}")
    client.get_experiment("0")
    timed(times, lambda: client.search_runs(["0"], max_results=runs))


if __name__ == "__main__":
    what, place, *numbers = sys.argv[1:]
    {"write": write, "search": search, "history": history, "files": files}[what](place, *map(int, numbers))
