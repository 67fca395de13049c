"""Write the test corpus with the MLflow that this Python holds: `python write.py KIND FOLDER`.

KIND is `sqlite` (FOLDER/mlflow.db, artifacts in FOLDER/artifacts), `files` (FOLDER/mlruns) or `workspaces`
(as `sqlite`, split over two workspaces; MLflow 3.10 and later). Ids and times are the same in every version and
kind: `uuid.uuid4` and `time.time` are replaced by a counter and by a clock that moves only when told to.
What a version refuses is left out of the store and named on stderr.
"""
import hashlib
import os
import random
import sys
import tempfile
import time
import uuid
import warnings
from contextlib import contextmanager
from pathlib import Path

KIND, FOLDER = sys.argv[1], Path(sys.argv[2]).resolve()
FOLDER.mkdir(parents=True, exist_ok=True)
os.chdir(FOLDER)
os.environ.update({
    "MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet", "MLFLOW_TRUNCATE_LONG_VALUES": "false",
})
if KIND == "workspaces":
    os.environ["MLFLOW_ENABLE_WORKSPACES"] = "true"
URI = (FOLDER / "mlruns").as_uri() if KIND == "files" else f"sqlite:///{FOLDER}/mlflow.db"
os.environ["MLFLOW_TRACKING_URI"] = os.environ["MLFLOW_REGISTRY_URI"] = URI
warnings.filterwarnings("ignore")

import mlflow  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import (  # noqa: E402
    Dataset, DatasetInput, ExperimentTag, InputTag, Metric, Param, RunTag,
)

START = 1_700_000_000  # seconds
NAN, INF = float("nan"), float("inf")
real_uuid4 = uuid.uuid4


class Clock:
    now = START

    @classmethod
    def tick(cls, seconds=1):
        cls.now += seconds
        return cls.now


time.time = lambda: float(Clock.now)
time.time_ns = lambda: Clock.now * 10**9


@contextmanager
def named(name):
    """Within, `uuid.uuid4` follows from `name`: the first call and the later ones each give a fixed value."""
    calls = [0]

    def uuid4():
        calls[0] += 1
        digest = hashlib.md5(f"{name}#{calls[0]}".encode()).digest()
        return uuid.UUID(bytes=digest, version=4)

    uuid.uuid4 = uuid4
    random.seed(name)  # names of runs without a name
    try:
        yield
    finally:
        uuid.uuid4 = real_uuid4


def attempt(what, call, *args, **kwargs):
    try:
        return call(*args, **kwargs)
    except Exception as error:  # what a version refuses differs, and is no failure of the corpus
        print(f"refused: {what}: {type(error).__name__}: {str(error)[:150]!r}", file=sys.stderr)


client = MlflowClient(tracking_uri=URI, registry_uri=URI)
THREE = int(mlflow.__version__.split(".")[0]) >= 3


# ---- Experiments ----------------------------------------------------------------------------------------------

def experiment(name, location, tags=None):
    Clock.tick(60)
    with named("experiment " + name):
        return attempt("experiment " + name, client.create_experiment, name, artifact_location=location, tags=tags)


ART = FOLDER / "artifacts"
if KIND == "workspaces":
    attempt("workspace", lambda: mlflow.create_workspace("team-b", description="the second"))
    mlflow.set_workspace("team-b")
    b = client.create_experiment("main", tags={"team": "b"})
    client.create_run(b, start_time=START * 1000, run_name="of team b")
    client.create_registered_model("iris classifier", description="team b's")
    mlflow.set_workspace("default")
    place = lambda path: None  # noqa: E731  MLflow refuses locations under workspaces
else:
    place = lambda path: path  # noqa: E731
main = experiment("main", place(str(ART / "main")), {"team": "vision", "priority": "1"})
odd = experiment('Ünïcode / spaces "and" 実験', place((ART / "odd one").as_uri()), {
    "team": "nlp", "mlflow.note.content": "# A note\n\nwith *markdown*, ünïcode and 'quotes'", "key with space": "a b"})
relative = experiment("relative", place("./artifacts/relative"), {"team": "Vision"})
remote = experiment("on s3", place("s3://bucket/some/path"))
proxied = experiment("proxied", place("mlflow-artifacts:/9"))
gone = experiment("gone", place(str(ART / "gone")), {"team": "vision"})
empty = experiment("empty_%_100", place(str(ART / "empty")), {"empty": "", "team": "50%_x"})
experiment("'single' and \"both\"", place(str(ART / "both")))  # the file store looks names up by a filter, and refuses this
Clock.tick(60)
client.set_experiment_tag(main, "mlflow.note.content", "The main experiment: it's \"quoted\"")
client.set_experiment_tag(main, "long", "e" * 5000)
Clock.tick(60)
client.rename_experiment(relative, "Relative.Renamed")

# ---- Runs -----------------------------------------------------------------------------------------------------


def run(key, name=None, status="FINISHED", start=None, end=10_000, tags=None, exp=None, user="ada", parent=None):
    """`key` decides the id; `start` and `end` in ms after START, and after the start."""
    Clock.tick()
    start = START * 1000 + (start if start is not None else (Clock.now - START) * 1000)
    tags = {"mlflow.user": user, "mlflow.source.name": "train.py", "mlflow.source.type": "LOCAL", **(tags or {})}
    if parent:
        tags["mlflow.parentRunId"] = parent
    with named("run " + key):
        made = client.create_run(exp or main, start_time=start, tags=tags, run_name=name)
    run_id = made.info.run_id
    if status == "SCHEDULED":
        client.update_run(run_id, status="SCHEDULED")
    elif status != "RUNNING":
        client.set_terminated(run_id, status, end_time=start + end)
    return run_id


def log(run_id, metrics=(), params=None, tags=None):
    for item in metrics:
        key, value, timestamp, step = (*item, 0, 0)[:4]
        attempt(f"metric {key}={value}", client.log_batch, run_id, metrics=[Metric(key, value, timestamp, step)])
    for key, value in (params or {}).items():
        attempt(f"param {key!r}={str(value)[:20]!r}", client.log_batch, run_id, params=[Param(key, value)])
    for key, value in (tags or {}).items():
        attempt(f"tag {key!r}={str(value)[:20]!r}", client.log_batch, run_id, tags=[RunTag(key, value)])


T = START * 1000

# Eighteen plain runs: a grid with three seeds each, some values missing.
grid = []
for n in range(18):
    status = {5: "FAILED", 9: "KILLED", 13: "FAILED"}.get(n, "FINISHED")
    r = run(f"grid {n}", f"grid-{n:02d}", status, start=n * 60_000, user=["ada", "Grace", "o'neil"][n % 3])
    grid.append(r)
    lr = ["0.1", "0.01", "1e-3"][n // 6]
    log(r, [("rmse", 1.0 / (n + 1), T + n, 3), ("acc", 0.5 + n / 40, T + n, 3)] if n != 7 else [("acc", 0.1, T, 0)],
        {"lr": lr, "seed": str(n % 3), "model": ["ridge", "Ridge", "xgb"][n % 3], **({"depth": str(n)} if n % 2 else {})},
        {"stage": ["dev", "prod"][n % 2], **({"note": f"n {n}"} if n % 4 == 0 else {})})

# Metrics with history.
curve = run("curve", "curve")
client.log_batch(curve, metrics=[Metric("loss", 10.0 / (i + 1), T + i * 1000, i) for i in range(250)])
log(curve, [
    ("unordered", 3.0, T + 3, 30), ("unordered", 1.0, T + 1, 10), ("unordered", 2.0, T + 2, 20), ("unordered", 4.0, T + 9, 5),
    ("repeated step", 1.0, T, 1), ("repeated step", 2.0, T + 1, 1), ("repeated step", 3.0, T + 2, 1), ("repeated step", 0.5, T + 2, 1),
    ("same point", 1.0, T, 1), ("same point", 1.0, T, 1),
    ("negative steps", 5.0, T, -5), ("negative steps", 1.0, T + 1, -1), ("negative steps", 9.0, T + 2, -9),
    ("tie/value", 1.0, T, 7), ("tie/value", 3.0, T, 7), ("tie/value", 2.0, T, 7),
    ("tie/time", 3.0, T + 5, 7), ("tie/time", 1.0, T + 9, 7), ("tie/time", 2.0, T + 7, 7),
    ("time zero", 1.0, 0, 0), ("big step", 1.0, T, 2**53 + 1), ("big step", 2.0, T, 2**53),
    ("largest step", 1.0, T, 2**63 - 1), ("smallest step", 1.0, T, -(2**63)),
])
special = run("special", "special values", "RUNNING")
log(special, [
    ("nan", NAN), ("inf", INF), ("-inf", -INF), ("rmse", NAN, T, 3), ("acc", INF, T, 3),
    ("huge", 1.7976931348623157e308), ("tiny", 2.2250738585072014e-308), ("denormal", 5e-324), ("-denormal", -5e-324),
    ("-zero", -0.0), ("zero", 0.0), ("third", 1 / 3), ("int", 3.0), ("big int", 1e22), ("1e16", 1e16), ("1e-5", 1e-5), ("0.0001", 1e-4),
    ("nan after -1", -1.0, T, 5), ("nan after -1", NAN, T, 5),
    ("nan after 1", 1.0, T, 5), ("nan after 1", NAN, T, 5),
    ("-1 after nan", NAN, T, 5), ("-1 after nan", -1.0, T, 5),
    ("1 after nan", NAN, T, 5), ("1 after nan", 1.0, T, 5),
    ("nan then step", NAN, T, 1), ("nan then step", 2.0, T + 1, 2),
    ("mixed", 1.0, T, 1), ("mixed", NAN, T + 1, 2), ("mixed", INF, T + 2, 3), ("mixed", -INF, T + 3, 4), ("mixed", 2.0, T + 4, 5),
    ("inf and max", 1.7976931348623157e308, T, 1), ("inf and max", INF, T, 1), ("all nan", NAN, T, 1), ("all nan", NAN, T, 1), ("all nan", NAN, T, 2),
])

# Names and values.
names = run("names", "näme with spaces/slash 'q' \"d\" `b` 100%_x")
weird = ["a/b", "a/c/d", "with space", "with.dot", "dash-ed", "under_score", "ünï", "実験", "UPPER", "upper", "1", "1.5", "a:b",
         "trailing ", "it's", 'say "x"', "back`tick", "a//b", "../up", "semi;colon", "x=y", "new\nline", "k" * 250, "k" * 251, "%", "", "."]
log(names, [(w, float(i), T, i) for i, w in enumerate(weird)], {w: f"v{i}" for i, w in enumerate(weird)},
    {w: f"t{i}" for i, w in enumerate(weird)})
# Names that sqlparse takes for keywords, types or functions, and other tokens than names.
for r, shift in ((names, 0), (curve, 1)):
    log(r, [(k, i + 0.5 + shift, T, 0) for i, k in enumerate(["min", "max", "avg", "sum", "count", "f1", "val_loss", "val-loss", "top_5", "5_top", "order", "rate", "time"])],
        {k: "1" for k in ["order", "max", "count", "limit", "type", "date", "desc"]},
        {k: "x" for k in ["order", "select", "from", "group", "user", "date", "timestamp", "type", "where", "and", "in", "null", "a.b.c", "is", "or"]})
values = run("values", "values")
texts = {
    "empty": "", "spaces": "   ", "newline": "line one\nline two\n", "crlf": "a\r\nb", "tab": "a\tb", "single": "it's", "double": 'say "hi"',
    "both": "'a' \"b\"", "backslash": "C:\\dir\\n", "backtick": "`x`", "percent": "100%", "under": "a_b", "unicode": "Zürich 東京 🚀", "upper": "ÄÖÜ",
    "lower": "äöü", "json": '{"a": [1, 2]}', "none": "None", "number": "1e-3", "semicolon": "a; b", "comment": "a -- b", "long500": "x" * 500,
    "long6000": "y" * 6000, "long6001": "z" * 6001, "long8000": "w" * 8000, "nul": "a\x00b", "combining": "e\u0301", "rtl": "שלום",
    "true": "True", "leading": " x", "escape": "\x1b[31mred\x1b[0m", "crend": "x\r", "u2028": "a\u2028b", "nel": "a\x85b", "ff": "a\x0cb",
}
log(values, [], {"p." + k: v for k, v in texts.items()}, {"t." + k: v for k, v in texts.items()})
log(values, [], {"python float": 0.1, "python none": None, "python list": [1, "a"], "python bool": True})
log(values, [], None, {"long5000": "t" * 5000, "mlflow.note.content": "## Note\n\n- it's\n- \"quoted\"\n", "mlflow.log-model.history": "[]",
                       "mlflow.source.git.commit": "0123456789abcdef0123456789abcdef01234567", "mlflow.source.type": "NOTEBOOK",
                       "mlflow.source.name": "a/b c.ipynb"})
client.set_tag(values, "changed", "first")
client.set_tag(values, "changed", "second")
client.set_tag(values, "dropped", "x")
client.delete_tag(values, "dropped")

# Names of runs.
unnamed = run("unnamed")  # MLflow makes a name
emptyname = run("empty name", "")
same1 = run("same 1", "same", start=500_000, end=1)
same2 = run("same 2", "same", start=500_000, end=2)  # the same start: the id decides
same3 = run("same 3", "Same", start=500_000, end=0)
tagname = run("name by tag", None, tags={"mlflow.runName": "named by its tag"})
retag = run("retagged", "before")
client.set_tag(retag, "mlflow.runName", "after, by its tag")
renamed = run("renamed", "old name")
client.update_run(renamed, name="new name")
untag = run("untagged", "its tag is deleted")
attempt("delete mlflow.runName", client.delete_tag, untag, "mlflow.runName")
nouser = run("no user", "no user", user="")
log(nouser, [], {"lr": "0.1"}, {"mlflow.user": "somebody"})  # the tag changes after the start
early = run("before 1970?", "time zero", start=-T, end=0)
scheduled = run("scheduled", "scheduled", "SCHEDULED")
noend = run("running", "running", "RUNNING")
log(noend, [("rmse", 0.25, T, 1)], {"lr": "0.5"})
backwards = run("backwards", "ends before it starts", end=-5_000)

# Nested runs, three levels, and a child whose parent is gone.
parent = run("parent", "parent", tags={"kind": "sweep"})
children = [run(f"child {i}", f"child-{i}", parent=parent) for i in range(3)]
grandchildren = [run(f"grandchild {i}", f"grandchild-{i}", parent=children[0]) for i in range(2)]
great = run("great", "great-grandchild", parent=grandchildren[0])
for i, r in enumerate([*children, *grandchildren]):
    log(r, [("rmse", 0.3 + i / 10, T, 1)], {"lr": "0.1", "fold": str(i)})
orphan = run("orphan", "orphan", parent="0" * 32)
deleted = [run(f"deleted {i}", f"deleted-{i}", start=i * 60_000 + 30_000) for i in range(3)]
for i, r in enumerate(deleted):
    log(r, [("rmse", i / 2, T, 0)], {"lr": "0.1"}, {"stage": "dev"})
child_of_deleted = run("child of deleted", "child of deleted", parent=deleted[0])

# Runs of the other experiments.
odd_runs = [run(f"odd {i}", f"ödd {i}", exp=odd) for i in range(3)]
log(odd_runs[0], [("rmse", 0.05, T, 1), ("métrique/été", 1.5, T, 1)], {"lr": "0.1", "clé": "wert"}, {"stage": "prod"})
rel_run = run("relative", "relative", exp=relative)
s3_run = run("s3", "on s3", exp=remote)
proxied_run = run("proxied", "proxied", exp=proxied)
gone_run = run("gone", "of the gone experiment", exp=gone)
log(gone_run, [("rmse", 0.5, T, 1)])

# ---- Datasets -------------------------------------------------------------------------------------------------
train = Dataset("train", "d1", "local", '{"uri": "data/01_raw/train.csv"}', '{"mlflow_colspec": [{"type": "double", "name": "x"}]}', '{"num_rows": 10}')
train2 = Dataset("train", "d2", "local", '{"uri": "data/01_raw/train.csv"}', None, None)
test = Dataset("Test set's \"x\"", "d3", "http", '{"url": "https://example.com/t.csv"}')
uni = Dataset("Datensätze_%", "d4", "code", '{"tags": {}}', None, '{"num_rows": 3}')


def inputs(run_id, *pairs):
    for dataset, context in pairs:
        tags = [] if context is None else [InputTag("mlflow.data.context", context)]
        if context == "training":
            tags.append(InputTag("split", "a/b"))
        with named(f"input {run_id} {dataset.name} {dataset.digest} {context}"):
            attempt(f"dataset {dataset.name}", client.log_inputs, run_id, datasets=[DatasetInput(dataset, tags)])


for r in grid[:6]:
    inputs(r, (train, "training"), (test, "eval"))
for r in grid[6:9]:
    inputs(r, (train2, "training"))
inputs(grid[9], (train, None))
inputs(grid[10], (uni, "Training"), (train, "training"), (train, "eval"))
inputs(odd_runs[0], (train, "training"))
inputs(deleted[0], (train, "training"))

# ---- Artifacts ------------------------------------------------------------------------------------------------
from mlflow.models import Model, ModelSignature  # noqa: E402
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec  # noqa: E402

try:
    OPTIONAL = ColSpec("boolean", "opt", required=False)
except TypeError:  # before 2.10
    OPTIONAL = ColSpec("boolean", "opt", optional=True)
signature = ModelSignature(
    inputs=Schema([ColSpec("double", "sepal length (cm)"), ColSpec("long", "n"), ColSpec("string", "ünï"), OPTIONAL]),
    outputs=Schema([ColSpec("long")]),
    params=ParamSchema([ParamSpec("threshold", "double", 0.5)]),
)


def model_folder(folder, flavor="sklearn", **kwargs):
    folder.mkdir(parents=True)
    Model(artifact_path="model", utc_time_created="2023-11-14 22:13:20.000000", model_uuid="0" * 32,
          flavors={"python_function": {"loader_module": "mlflow." + flavor, "python_version": "3.11.7"}, flavor: {"pickled_model": "model.pkl"}},
          **kwargs).save(str(folder / "MLmodel"))
    (folder / "model.pkl").write_bytes(bytes(range(256)))
    (folder / "requirements.txt").write_text("scikit-learn==1.5.0\n")


with tempfile.TemporaryDirectory() as tmp:
    t = Path(tmp)
    (t / "plots" / "deep" / "er").mkdir(parents=True)
    (t / "empty folder").mkdir()
    (t / "notes.txt").write_text("line one\nZürich 東京\n")
    (t / "empty.txt").write_text("")
    (t / "blob.bin").write_bytes(bytes(range(256)) * 64)
    (t / "name with spaces.csv").write_text("a,b\n1,2\n")
    (t / "ünï 実験 'q' %41 #1.json").write_text('{"a": 1}')
    (t / "plots" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    (t / "plots" / "deep" / "er" / "x.txt").write_text("deep")
    (t / ".hidden").write_text("h")
    model_folder(t / "model", signature=signature)
    model_folder(t / "tensor model", "keras", signature=ModelSignature(inputs=Schema([TensorSpec(__import__("numpy").dtype("float32"), (-1, 28, 28))])))
    model_folder(t / "unsigned")
    for r in (grid[0], odd_runs[0], rel_run, deleted[0]):
        attempt("artifacts", client.log_artifacts, r, str(t))
    attempt("artifact", client.log_text, grid[1], "only this", "sub/only.txt")
    attempt("artifact", client.log_artifact, grid[2], str(t / "model"))

# ---- Registry -------------------------------------------------------------------------------------------------


def registered(name, **kwargs):
    Clock.tick()
    return attempt("model " + name, client.create_registered_model, name, **kwargs)


def version(name, source, **kwargs):
    Clock.tick()
    with named(f"version {name} {source}"):
        return attempt(f"version of {name}", client.create_model_version, name, source, **kwargs)


def uri_of(run_id, path="model"):
    return client.get_run(run_id).info.artifact_uri.rstrip("/") + "/" + path


registered("iris classifier", tags={"team": "vision", "empty": "", "key with space": "it's"}, description="Predicts *species*.\nSecond line.")
registered("Iris_Classifier", tags={"team": "Vision"})
registered("without versions", description="")
registered("ünï 実験 'q'.x", tags={"team": "nlp", "ünï": "ä"})
registered("50%_x")
registered('double "q"')
registered("deleted model")
Clock.tick()
if hasattr(client, "register_prompt"):  # a registered model with the tag mlflow.prompt.is_prompt, which no search for models shows
    attempt("prompt", client.register_prompt, name="a_prompt", template="Say {{x}}", tags={"team": "vision"})
for i, r in enumerate([grid[0], grid[2], odd_runs[0], grid[0], grid[2]]):
    version("iris classifier", uri_of(r), run_id=r, tags={"validated": ["yes", "no"][i % 2], **({"note": "it's"} if i == 0 else {})},
            description=f"version {i + 1}" if i else None, run_link="https://example.com/run" if i == 1 else None)
for v, stage in (("1", "Archived"), ("2", "Production"), ("3", "Staging")):
    Clock.tick()
    attempt("stage", client.transition_model_version_stage, "iris classifier", v, stage)
Clock.tick()
attempt("delete version", client.delete_model_version, "iris classifier", "5")
for alias, v in (("champion", "2"), ("challenger", "3"), ("also-champion", "2"), ("Ünï", "1"), ("dropped", "1")):
    attempt(f"alias {alias}", client.set_registered_model_alias, "iris classifier", alias, v)
attempt("delete alias", client.delete_registered_model_alias, "iris classifier", "dropped")
version("Iris_Classifier", uri_of(grid[0]), run_id=grid[0])
version("ünï 実験 'q'.x", "s3://bucket/models/x", description="no run")
registered("many_x")
for i in range(11):  # is 10 after 9?
    version("many_x", uri_of(grid[2]), run_id=grid[2])
version("deleted model", uri_of(grid[0]))
Clock.tick()
attempt("delete model", client.delete_registered_model, "deleted model")
Clock.tick()
attempt("rename", lambda: client.rename_registered_model('double "q"', 'renamed "q"'))
version("iris classifier", f"runs:/{grid[0]}/model", run_id=grid[0])
Clock.tick()
attempt("update version", client.update_model_version, "iris classifier", "4", "changed")

# ---- Logged models, of 3.x ------------------------------------------------------------------------------------
models = []
if THREE:
    from mlflow.entities import LoggedModelInput, LoggedModelOutput

    # A name with a space makes the file store's metric lines unreadable for MLflow itself, and with them the model.
    spaceless = Dataset("held-out_%", "d5", "local", '{"uri": "data/held.csv"}')

    def logged(key, name, source, exp=None, params=None, tags=None, kind=None, status="READY"):
        Clock.tick()
        with named("logged " + key):
            made = attempt("logged model", client.create_logged_model, exp or main, name=name, source_run_id=source, params=params, tags=tags, model_type=kind)
        if made is None:
            return None
        if status:
            Clock.tick()
            attempt("finalize", client.finalize_logged_model, made.model_id, status)
        models.append(made.model_id)
        return made.model_id

    m0 = logged("0", "ridge", grid[0], params={"alpha": "0.1", "long": "p" * 6000, "ünï": "ä", "empty": ""}, tags={"stage": "dev", "it.s": "it's"}, kind="sklearn")
    m1 = logged("1", "ridge", grid[0], params={"alpha": "0.2"}, tags={"stage": "prod"}, kind="sklearn")
    m2 = logged("2", "Agent_x", grid[1], params={"temp": "0"}, kind="agent")
    m3 = logged("3", "pending", grid[2], status=None)
    m4 = logged("4", "failed", None, status="FAILED", tags={"stage": "dev"})
    m5 = logged("5", "to delete", grid[3])
    m6 = logged("6", "in odd", odd_runs[0], exp=odd, params={"alpha": "0.1"})
    m7 = logged("7", "Ridge é", grid[0])
    for m, source, points in (
        (m0, grid[0], [("score", 0.5, 0, None), ("score", 0.7, 1, train), ("score", 0.6, 2, spaceless), ("loss", 1.0, 0, None), ("loss", NAN, 1, None)]),
        (m1, grid[0], [("score", 0.8, 0, train), ("score", 0.2, 5, train2)]),
        (m2, grid[1], [("score", NAN, 0, None), ("latency/p 99", INF, 0, None)]),
        (m6, odd_runs[0], [("score", 0.9, 3, train)]),
        (m7, grid[0], [("score", -INF, 0, None)]),
    ):
        for i, (key, value, step, dataset) in enumerate(points):
            more = {"dataset_name": dataset.name, "dataset_digest": dataset.digest} if dataset else {}
            attempt(f"model metric {key}", client.log_metric, source, key, value, timestamp=T + i, step=step, model_id=m, **more)
    attempt("outputs", client.log_outputs, grid[0], models=[LoggedModelOutput(m0, 0), LoggedModelOutput(m1, 5)])
    attempt("outputs", client.log_outputs, grid[1], models=[LoggedModelOutput(m2, 2)])
    attempt("model input", client.log_inputs, grid[4], models=[LoggedModelInput(m0)])
    attempt("model tag", client.set_logged_model_tags, m2, {"added": "later"})
    attempt("delete logged model", client.delete_logged_model, m5)
    with tempfile.TemporaryDirectory() as tmp:
        model_folder(Path(tmp) / "m", signature=signature)
        attempt("model artifacts", client.log_model_artifacts, m0, str(Path(tmp) / "m"))
    if "model_id" in client.create_model_version.__code__.co_varnames:
        version("Iris_Classifier", f"models:/{m0}", model_id=m0)

# ---- Traces: only their number matters ------------------------------------------------------------------------
if THREE:
    from mlflow.entities import TraceInfo, TraceLocation, TraceState
    store = client._tracking_client.store
    for i in range(3):
        attempt("trace", store.start_trace, TraceInfo(
            trace_id=f"tr-{i:032d}", trace_location=TraceLocation.from_experiment_id(main), request_time=T + i, state=TraceState.OK,
            execution_duration=5, tags={}, trace_metadata={}))
elif hasattr(client, "_start_tracked_trace"):
    for i in range(3):
        with named(f"trace {i}"):
            attempt("trace", client._start_tracked_trace, main, T + i, {}, {})

# ---- Deletions last -------------------------------------------------------------------------------------------
for r in deleted:
    Clock.tick()
    client.delete_run(r)
client.delete_run(grid[17])
client.restore_run(grid[17])
Clock.tick(60)
client.delete_experiment(gone)
if hasattr(mlflow, "set_experiment"):
    other = experiment("restored", place(str(ART / "restored")))
    other_run = run("restored", "restored", exp=other)
    Clock.tick(60)
    client.delete_experiment(other)
    Clock.tick(60)
    client.restore_experiment(other)
print(URI)
