"""A copy of the project to run in, so that tests leave no trace in it."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "harbour-bikes"
    ignored = shutil.ignore_patterns(
        ".venv", ".mlops-tui", "mlflow.db*", "mlruns", "__pycache__", ".pytest_cache", "0[2-8]_*"
    )
    shutil.copytree(ROOT, copy, ignore=ignored)
    monkeypatch.chdir(copy)
    monkeypatch.setenv("KEDRO_DISABLE_TELEMETRY", "1")
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    return copy
