"""Answer filters as the MLflow that this Python holds does: `python filters.py URI < filters.jsonl`.

A line is {"kind", "filter", "order_by"?, "view"?}; its answer is {"ids": [...]}, in MLflow's order, or {"error", "type"}.
Runs and logged models are looked for in all experiments, deleted ones too. Sets that a message prints are sorted.
"""
import json
import os
import re
import sys
import warnings

URI = sys.argv[1]
os.environ.update({"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet",
                   "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # a server answers 500 to some filters, and the client would try each for minutes
                   "MLFLOW_TRACKING_URI": URI, "MLFLOW_REGISTRY_URI": URI})
warnings.filterwarnings("ignore")

from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import ViewType  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402

client = MlflowClient(tracking_uri=URI, registry_uri=URI)
store = client._tracking_client.store
if type(store).__name__ == "FileStore":
    # The runs do not change here, and reading them anew for each filter takes most of the time.
    kept, read = {}, store._get_run_from_info
    store._get_run_from_info = lambda info: kept.setdefault(info.run_id, None) or kept.__setitem__(info.run_id, read(info)) or kept[info.run_id]
    infos, list_infos = {}, store._list_run_infos
    store._list_run_infos = lambda *key: infos.setdefault(key, None) or infos.__setitem__(key, list_infos(*key)) or infos[key]


def pages(search, *args, **kwargs):
    token, found = None, []
    while True:
        page = search(*args, page_token=token, **kwargs)
        found += page
        token = page.token
        if not token:
            return found


experiments = [e.experiment_id for e in pages(client.search_experiments, view_type=ViewType.ALL)]


def answer(line):
    text, order = line["filter"], line.get("order_by") or []
    view = getattr(ViewType, line.get("view", "ACTIVE_ONLY"))
    kind = line["kind"]
    if kind == "runs":
        return [r.info.run_id for r in pages(client.search_runs, experiments, text, run_view_type=view, order_by=order, max_results=50_000)]
    if kind == "experiments":
        return [e.experiment_id for e in pages(client.search_experiments, view_type=view, filter_string=text, order_by=order)]
    if kind == "registered_models":
        return [m.name for m in pages(client.search_registered_models, filter_string=text, order_by=order)]
    if kind == "model_versions":
        return [f"{v.name}/{v.version}" for v in pages(client.search_model_versions, filter_string=text, order_by=order)]
    if not hasattr(client, "search_logged_models"):
        raise NotImplementedError("no logged models before 3.0")
    return [m.model_id for m in pages(client.search_logged_models, experiments, filter_string=text, order_by=order)]


def steady(message):
    message = re.sub(r" at 0x[0-9a-f]+", "", message)
    return re.sub(r"\{('[^{}']*'(?:, '[^{}']*')*)\}?", lambda m: "{" + ", ".join(sorted(m[1].split(", "))) + "}", message)


for line in sys.stdin:
    if not line.strip():
        continue
    try:
        found = {"ids": answer(json.loads(line))}
    except MlflowException as error:
        found = {"error": steady(str(error.message)), "type": error.error_code}
    except Exception as error:  # MLflow let it through; the server would answer 500
        found = {"error": steady(str(error)), "type": type(error).__name__}
    print(json.dumps(found, ensure_ascii=False), flush=False)
