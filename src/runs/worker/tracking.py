"""Groups everything that nodes log to MLflow outside of a run into one MLflow run, that of the pipeline.

Without an active run MLflow starts a new one for each call that it logs automatically, such as `fit`. Runs
started by the project's code or by a plug-in are left alone."""

import functools
import sys

PACKAGE = "mlflow"


class Group:
    """The MLflow run of the pipeline."""

    def __init__(self, request, channel):
        self.wanted = bool(request.get("group"))
        self.channel = channel
        self.run_id = None
        self.begun = False

    def notice(self):
        """Hooks into MLflow once the project has imported it. Called before each node."""
        if not self.begun:
            self.begun = True
            self.report(active())
        fluent = sys.modules.get("mlflow.tracking.fluent")
        if not self.wanted or fluent is None or not hasattr(fluent, "start_run"):
            return
        self.wanted = False
        start = self.following(fluent.start_run)
        mlflow = sys.modules[PACKAGE]
        if getattr(mlflow, "start_run", None) is fluent.start_run:
            mlflow.start_run = start
        fluent.start_run = start

    def following(self, start_run):
        @functools.wraps(start_run)
        def call(run_id=None, *args, **kwargs):
            caller = sys._getframe(1).f_globals.get("__name__", "")
            implicit = caller == PACKAGE or caller.startswith(PACKAGE + ".")
            if not implicit or run_id is not None or args or kwargs.get("nested"):
                return start_run(run_id, *args, **kwargs)
            if self.run_id is not None:
                # Experiment and name are already determined.
                kept = {name: value for name, value in kwargs.items() if name in ("tags", "log_system_metrics")}
                return start_run(self.run_id, **kept)
            run = start_run(run_id, **kwargs)
            self.run_id = run.info.run_id
            self.report(self.run_id)
            return run

        return call

    def report(self, run_id):
        if run_id is not None:
            self.channel.event("tracked", run=run_id)


def active():
    """The run that a plug-in has started for the whole pipeline."""
    find = getattr(sys.modules.get(PACKAGE), "active_run", None)
    try:
        run = find() if find is not None else None
        return run.info.run_id if run is not None else None
    except Exception:
        return None
