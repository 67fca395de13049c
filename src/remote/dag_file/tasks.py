

def run_nodes(names, conf, tags):
    """Runs nodes in a Kedro session. `conf` is what the run was started with: parameters, and settings under `_mlops_tui`."""
    # MLflow gives its runs these tags.
    os.environ["MLFLOW_RUN_CONTEXT"] = json.dumps(tags)
    # Kedro replaces the handlers of Airflow by one that prints. Airflow 2 logs what is printed, so the two would feed each
    # other for ever: nothing that Kedro prints meanwhile is captured, and then the handlers are those of before again.
    root = logging.getLogger()
    handlers, streams = list(root.handlers), (sys.stdout, sys.stderr)
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    try:
        from kedro.framework.project import pipelines
        from kedro.framework.session import KedroSession
        from kedro.framework.startup import bootstrap_project

        # Relative paths mean the same as for `kedro run`. A task has a process of its own.
        os.chdir(PROJECT)
        # This puts the project's source folder on `sys.path`.
        bootstrap_project(Path(PROJECT))
    finally:
        files = [one for one in root.handlers if isinstance(one, logging.FileHandler) and one not in handlers]
        root.handlers[:] = handlers + files
        sys.stdout, sys.stderr = streams

    parameters = dict(conf or {})
    own = parameters.pop("_mlops_tui", None) or {}
    if hasattr(pipelines, "set_requested"):
        # Otherwise Kedro 1.7 loads the one pipeline alone, and misses those that the registry composes it of.
        pipelines.set_requested = lambda names: None
    takes = inspect.signature(KedroSession.create).parameters
    given = {
        "project_path": PROJECT,
        "conf_source": CONF_SOURCE,
        "env": own.get("env") or ENV,
        # Kedro 0.18 and 0.19 call them `extra_params`.
        "runtime_params" if "runtime_params" in takes else "extra_params": parameters,
    }
    with KedroSession.create(**given) as session:
        takes = inspect.signature(session.run).parameters
        pipeline = {"pipeline_names": [PIPELINE]} if "pipeline_names" in takes else {"pipeline_name": PIPELINE}
        session.run(**pipeline, node_names=names)


def make_task(task_id, nodes, doc):
    @task(task_id=task_id, doc_md=doc)
    def run(dag_run=None):
        tags = {"airflow.dag_id": dag_run.dag_id, "airflow.run_id": dag_run.run_id, "airflow.task_id": task_id}
        run_nodes(nodes, dag_run.conf, tags)

    return run()
