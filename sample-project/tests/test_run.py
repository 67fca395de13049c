"""The whole project, run as `kedro run` runs it."""

import json
import sqlite3
from pathlib import Path

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project


def test_the_whole_project_runs_and_tracks_its_metrics(project: Path):
    bootstrap_project(project)
    with KedroSession.create(project, runtime_params={"forest.model_options.n_estimators": 10}) as session:
        session.run()
    summary = json.loads((project / "data/08_reporting/summary.json").read_text())
    assert summary["best_model"] in {"linear", "forest"}
    assert (project / "data/08_reporting/forecast.png").stat().st_size > 10_000
    assert len(list((project / "data/06_models/best_model.pkl").iterdir())) == 1
    with sqlite3.connect(project / "mlflow.db") as database:
        metrics = {key for (key,) in database.execute("SELECT key FROM metrics")}
    assert {"linear.rmse", "forest.rmse"} <= metrics
