"""Collects what nodes log to MLflow without an active MLflow run in one MLflow run for the whole pipeline run.

Without an active run MLflow starts a new one for each call that it logs automatically, such as `fit`. Runs
started by the project's code or by a plug-in are left alone."""

import functools
import sys

PACKAGE = "mlflow"
MOST_NESTED = 100


class Group:
    """The MLflow run of the pipeline."""

    def __init__(self, request, channel):
        self.groups = bool(request.get("group"))
        self.hook_pending = True
        self.channel = channel
        self.run_id = None
        self.active_reported = False
        self.reported = False

    def install_hook(self):
        """Hooks into MLflow once the project has imported it. Called before each node."""
        if not self.active_reported:
            self.active_reported = True
            self.report(active_run_id())
        fluent = sys.modules.get("mlflow.tracking.fluent")
        if not self.hook_pending or fluent is None or not hasattr(fluent, "start_run"):
            return
        self.hook_pending = False
        self.opened(active_run_id())
        start = self.wrap_start_run(fluent.start_run)
        mlflow = sys.modules[PACKAGE]
        if getattr(mlflow, "start_run", None) is fluent.start_run:
            mlflow.start_run = start
        fluent.start_run = start
        if hasattr(fluent, "ActiveRun"):
            fluent.ActiveRun.__exit__ = killed_by_interrupt(fluent.ActiveRun.__exit__)

    def wrap_start_run(self, start_run):
        """Wraps MLflow's `start_run`. If runs are grouped, the first run that MLflow starts by itself, for automatic
        logging, is created; the next times this run is resumed. Calls by the project's code are passed on."""

        @functools.wraps(start_run)
        def call(run_id=None, *args, **kwargs):
            caller = sys._getframe(1).f_globals.get("__name__", "")
            implicit = self.groups and (caller == PACKAGE or caller.startswith(PACKAGE + "."))
            if not implicit or run_id is not None or args or kwargs.get("nested"):
                run = start_run(run_id, *args, **kwargs)
                # Of several runs that nodes open, the history keeps the first.
                if not self.reported and not kwargs.get("nested"):
                    self.report(run.info.run_id)
            elif self.run_id is not None:
                # The resumed run has its experiment and name already.
                kept = {name: value for name, value in kwargs.items() if name in ("tags", "log_system_metrics")}
                run = start_run(self.run_id, **kept)
            else:
                run = start_run(run_id, **kwargs)
                self.run_id = run.info.run_id
                self.report(self.run_id)
            self.opened(run.info.run_id)
            return run

        return call

    def opened(self, run_id):
        """Names an MLflow run for `end`: if this process is killed, it can't end the run itself."""
        if run_id is not None:
            self.channel.opened(run_id, sys.modules[PACKAGE].get_tracking_uri())

    def kill(self):
        """Ends the MLflow runs of a cancelled run. MLflow itself would call them finished when Python ends."""
        mlflow = sys.modules.get(PACKAGE)
        if mlflow is None:
            return
        try:
            for _ in range(MOST_NESTED):
                if mlflow.active_run() is None:
                    break
                mlflow.end_run("KILLED")
            if self.run_id is not None:
                mlflow.MlflowClient().set_terminated(self.run_id, "KILLED")
        except Exception as error:
            print("MLflow does not know that the run was cancelled: %s" % error, file=sys.stderr)

    def report(self, run_id):
        if run_id is not None:
            self.reported = True
            self.channel.event("tracked", run=run_id)


def active_run_id():
    """The id of the MLflow run that is active before the first node, such as one that a plug-in has started;
    `None` if no run is active."""
    find = getattr(sys.modules.get(PACKAGE), "active_run", None)
    try:
        run = find() if find is not None else None
        return run.info.run_id if run is not None else None
    except Exception:
        return None


def killed_by_interrupt(leave):
    """Wraps the end of `with mlflow.start_run()`: MLflow itself calls a run failed that is cancelled."""

    @functools.wraps(leave)
    def exit(run, kind, *args):
        result = leave(run, kind, *args)
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            sys.modules[PACKAGE].MlflowClient().set_terminated(run.info.run_id, "KILLED")
        return result

    return exit


def end(runs):
    """Ends MLflow runs, pairs of an id and a store's URI, whose process was killed, unless they have ended."""
    from mlflow import MlflowClient

    for run_id, uri in runs:
        client = MlflowClient(uri)
        if client.get_run(run_id).info.status == "RUNNING":
            client.set_terminated(run_id, "KILLED")
