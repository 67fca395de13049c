"""Writes Kedro's own snapshot of the pipelines of each project named on the command line."""

import json
import logging
import os
import sys
import traceback
import warnings
from dataclasses import asdict
from pathlib import Path

from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project
from kedro.inspection.snapshot import _build_pipeline_snapshots


def answer(project: Path) -> dict:
    try:
        os.chdir(project)
        bootstrap_project(project)
        snapshots = _build_pipeline_snapshots(dict(pipelines), project)
        return {"pipelines": [asdict(snapshot) for snapshot in snapshots]}
    except BaseException as error:
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"}


logging.disable()
warnings.simplefilter("ignore")
sys.dont_write_bytecode = True
for project in map(Path, sys.argv[1:]):
    # Modules and settings of one project must not be seen by the next.
    child = os.fork()
    if child == 0:
        with open(project / "stderr.txt", "w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            (project / "answer.json").write_text(json.dumps(answer(project)))
            sys.stdout.flush()
            os._exit(0)
    os.waitpid(child, 0)
