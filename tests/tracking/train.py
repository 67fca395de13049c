"""A trainer: `python train.py URI SECONDS RATE`.

Logs RATE points a second, twenty at a time, through MLflow's own store, and prints as JSON the points with the time at which
each was committed, and how many seconds logging took.
"""

import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")

from mlflow.entities import Metric  # noqa: E402
from mlflow.tracking._tracking_service.utils import _get_store  # noqa: E402

uri, seconds, rate = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
BATCH = 20
store = _get_store(uri)
run = store.create_run("0", "trainer", int(time.time() * 1000), [], "live").info.run_id
print("ready", flush=True)
sys.stdin.readline()
points, busy, step, begin = [], 0.0, 0, time.time()
while time.time() - begin < seconds:
    metrics = [Metric("loss", 1 / (step + i + 1), int(time.time() * 1000), step + i) for i in range(BATCH)]
    before = time.time()
    store.log_batch(run, metrics, [], [])
    after = time.time()
    busy += after - before
    points += [[m.step, m.value, after] for m in metrics]
    step += BATCH
    time.sleep(max(0.0, begin + step / rate - time.time()))
store.update_run_info(run, 3, int(time.time() * 1000), None)
print(json.dumps({"run": run, "points": points, "busy": busy, "took": time.time() - begin}))
