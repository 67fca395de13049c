"""Print as JSON what the client of the MLflow that this Python holds answers about a store: `python read.py URI`.

MLflow's own order is kept wherever it has one. NaN and infinities are the strings "NaN", "Infinity", "-Infinity".
"""
import json
import math
import os
import sys
import warnings

URI = sys.argv[1]
os.environ.update({"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet",
                   "MLFLOW_TRACKING_URI": URI, "MLFLOW_REGISTRY_URI": URI})
warnings.filterwarnings("ignore")

import mlflow  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import ViewType  # noqa: E402

client = MlflowClient(tracking_uri=URI, registry_uri=URI)


def number(value):
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
    return value


def pages(search, *args, **kwargs):
    token, found = None, []
    while True:
        page = search(*args, page_token=token, **kwargs)
        found += page
        token = page.token
        if not token:
            return found


def fields(thing, *names):
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)}


def attempt(call, *args, **kwargs):
    try:
        return call(*args, **kwargs)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def listed(list_artifacts):
    def walk(path):
        found = []
        for item in list_artifacts(path):
            found.append({"path": item.path, "is_dir": item.is_dir, "file_size": item.file_size})
            if item.is_dir:
                found += walk(item.path)
        return found
    try:
        return walk(None)
    except BaseException as error:
        return {"error": f"{type(error).__name__}: {str(error)[:200]}"}


def signature(path):
    from mlflow.models import Model
    model = Model.load(path)
    return {"signature": model.signature.to_dict() if model.signature else None, "flavors": sorted(model.flavors)}


def dataset_inputs(run):
    return [{"dataset": fields(i.dataset, "name", "digest", "source_type", "source", "schema", "profile"),
             "tags": {t.key: t.value for t in i.tags}} for i in run.inputs.dataset_inputs] if run.inputs else []


def of_run(run):
    info = run.info
    artifacts = listed(lambda path: client.list_artifacts(info.run_id, path))
    models = {}
    if isinstance(artifacts, list):
        for item in artifacts:
            if item["path"].split("/")[-1] == "MLmodel":
                models[item["path"]] = attempt(lambda: signature(client.download_artifacts(info.run_id, item["path"])))
    outputs = getattr(run, "outputs", None)
    return {
        **fields(info, "run_id", "run_name", "experiment_id", "user_id", "status", "start_time", "end_time", "lifecycle_stage", "artifact_uri"),
        "params": dict(sorted(run.data.params.items())),
        "metrics": {k: number(v) for k, v in sorted(run.data.metrics.items())},
        "latest": {m.key: [number(m.value), m.timestamp, m.step] for m in sorted(run.data._metric_objs, key=lambda m: m.key)},
        "tags": dict(sorted(run.data.tags.items())),
        "datasets": dataset_inputs(run),
        "model_inputs": [i.model_id for i in getattr(run.inputs, "model_inputs", None) or []],
        "model_outputs": [[o.model_id, o.step] for o in getattr(outputs, "model_outputs", None) or []],
        "history": {key: [[m.step, m.timestamp, number(m.value)] for m in client.get_metric_history(info.run_id, key)]
                    for key in sorted(run.data.metrics)},
        "artifacts": artifacts,
        "signatures": models,
    }


experiments = pages(client.search_experiments, view_type=ViewType.ALL)
ids = [e.experiment_id for e in experiments]
runs = pages(client.search_runs, ids, run_view_type=ViewType.ALL, max_results=50_000)
out = {
    "mlflow": mlflow.__version__,
    "experiments": [{**fields(e, "experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time", "workspace"),
                     "tags": dict(sorted(e.tags.items()))} for e in experiments],
    "active_experiments": [e.experiment_id for e in pages(client.search_experiments)],
    "deleted_experiments": [e.experiment_id for e in pages(client.search_experiments, view_type=ViewType.DELETED_ONLY)],
    "active_runs": [r.info.run_id for r in pages(client.search_runs, ids, max_results=50_000)],
    "deleted_runs": [r.info.run_id for r in pages(client.search_runs, ids, run_view_type=ViewType.DELETED_ONLY, max_results=50_000)],
    "runs": [of_run(r) for r in runs],
}


def of_version(v):
    full = client.get_model_version(v.name, v.version)
    return {**fields(full, "name", "version", "creation_timestamp", "last_updated_timestamp", "description", "user_id", "current_stage", "source",
                     "run_id", "run_link", "status", "status_message", "model_id", "params", "deployment_job_state"),
            "params": attempt(lambda: {p.key: p.value for p in full.params}) if getattr(full, "params", None) else None,
            "metrics": [[m.key, number(m.value), m.step] for m in full.metrics] if getattr(full, "metrics", None) else None,
            "version": str(full.version), "aliases": sorted(full.aliases), "tags": dict(sorted(full.tags.items())),
            "searched_aliases": sorted(v.aliases),
            "download_uri": attempt(client.get_model_version_download_uri, v.name, v.version)}


def of_model(m):
    full = client.get_registered_model(m.name)
    return {**fields(full, "name", "creation_timestamp", "last_updated_timestamp", "description", "workspace"),
            "tags": dict(sorted(full.tags.items())), "aliases": {k: str(v) for k, v in sorted(full.aliases.items())},
            "latest_versions": [[v.current_stage, str(v.version)] for v in full.latest_versions]}


out["registered_models"] = [of_model(m) for m in pages(client.search_registered_models)]
out["model_versions"] = [of_version(v) for v in pages(client.search_model_versions, "")]

if hasattr(client, "search_logged_models"):
    def of_logged(m):
        full = client.get_logged_model(m.model_id)
        return {**fields(full, "experiment_id", "model_id", "name", "artifact_location", "creation_timestamp", "last_updated_timestamp", "model_type",
                         "source_run_id", "status_message"),
                "status": str(full.status), "tags": dict(sorted(full.tags.items())), "params": dict(sorted(full.params.items())),
                "metrics": sorted(([x.key, x.step, x.timestamp, number(x.value), x.run_id, x.dataset_name, x.dataset_digest]
                                   for x in full.metrics or []), key=str),
                "artifacts": attempt(lambda: listed(lambda path: client.list_logged_model_artifacts(full.model_id, path)))}
    out["logged_models"] = [of_logged(m) for m in pages(client.search_logged_models, experiment_ids=ids)]


def traces():
    search = client._tracking_client.store.search_traces
    total, token = 0, None
    while True:
        found, token = search(ids, max_results=100, page_token=token)
        total += len(found)
        if not token:
            return total


if hasattr(client, "search_traces"):
    out["traces"] = attempt(traces)
json.dump(out, sys.stdout, ensure_ascii=False, allow_nan=False, indent=1)
print()
