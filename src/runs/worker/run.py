"""`run`: a run through Kedro's session, observed by our own hooks in addition to the project's."""

import functools
import inspect
import sys

from . import apart, command, going, keep, output, project, tracking
from .own import time


def run(request, recorder):
    """Runs the request; returns the pipeline's duration in seconds."""
    import kedro.framework.project  # noqa: F401  it configures logging

    output.adopt_logging(recorder)
    keeper = keep.Keeper(request, recorder.channel)
    keeper.install()
    group = tracking.Group(request, recorder.channel)
    hooks = make_hooks(request, recorder, keeper, group)
    failures = going.Failures(recorder.channel) if request.get("keep_going") else None
    follow_sessions(hooks)
    follow_runners(recorder, hooks, failures)
    follow_tasks(recorder, hooks, failures)
    try:
        command.run(request)
    except KeyboardInterrupt:
        group.kill()
        raise
    hooks.started_with([])
    return time.perf_counter() - hooks.began


def make_hooks(request, recorder, keeper, group):
    from kedro.framework.hooks import hook_impl
    from kedro.framework.hooks.specs import DatasetSpecs

    class Hooks:
        def __init__(self):
            self.env = None
            self.began = None
            self.registered = False
            self.runner = None
            self.times = {}
            self.exact = False  # whether nodes are reported from the runner's own function

        def started_with(self, nodes):
            if self.began is None:
                self.began = time.perf_counter()
                recorder.channel.event(
                    "run_started",
                    pipeline=", ".join(request.get("pipelines") or ())
                    or request.get("pipeline")
                    or "__default__",
                    env=self.env or "",
                    nodes=[node.name for node in nodes],
                    kedro_version=project.version(),
                    runner=self.runner or request.get("runner") or "SequentialRunner",
                    worker="warm" if request["warm"] else "fresh",
                )

        @hook_impl
        def after_context_created(self, context):
            output.adopt_logging(recorder)
            loader = context.config_loader
            self.env = context.env or getattr(loader, "default_run_env", None)

        @hook_impl(trylast=True)
        def after_catalog_created(self, catalog):
            keep.put_back(catalog, request)

        @hook_impl
        def before_pipeline_run(self, run_params, pipeline, catalog):
            if request.get("apart"):
                apart.move(catalog, pipeline, request, recorder)
            self.env = self.env or run_params.get("env")
            if not request.get("only_missing_outputs"):
                self.started_with(pipeline.nodes)

        @hook_impl
        def on_pipeline_error(self, error):
            for name in list(recorder.open):
                recorder.end(name, error)

        @hook_impl(tryfirst=True)
        def before_node_run(self, node):
            group.install_hook()
            recorder.begin(node.name)

        @hook_impl(trylast=True)
        def after_node_run(self, node):
            if not self.exact and not node.outputs:
                recorder.end(node.name)

        @hook_impl(trylast=True)
        def on_node_error(self, error, node):
            if not self.exact:
                recorder.end(node.name, error)

        def loading(self, dataset, node):
            recorder.begin(node)
            self.times[node, dataset] = time.perf_counter()

        def saving(self, dataset, data, node):
            keeper.begin(data)
            self.times[node, dataset] = time.perf_counter()

        def saved(self, dataset, data, node):
            self.moved("dataset_saved", dataset, node)
            keeper.saved(dataset, node, data)

        def moved(self, event, dataset, node):
            began = self.times.pop((node, dataset), None)
            seconds = 0.0 if began is None else time.perf_counter() - began
            recorder.channel.event(event, dataset=dataset, node=node, seconds=seconds)

    class NodeHooks(Hooks):
        @hook_impl(tryfirst=True)
        def before_dataset_loaded(self, dataset_name, node):
            self.loading(dataset_name, node.name)

        @hook_impl(tryfirst=True)
        def after_dataset_loaded(self, dataset_name, node):
            self.moved("dataset_loaded", dataset_name, node.name)

        @hook_impl(trylast=True)
        def before_dataset_saved(self, dataset_name, data, node):
            self.saving(dataset_name, data, node.name)

        @hook_impl(tryfirst=True)
        def after_dataset_saved(self, dataset_name, data, node):
            self.saved(dataset_name, data, node.name)
            if not self.exact and dataset_name == node.outputs[-1]:
                recorder.end(node.name)

    class DatasetHooks(Hooks):
        """Before 0.18.5 these hooks do not get the node: it is the one that this thread works on."""

        @hook_impl(tryfirst=True)
        def before_dataset_loaded(self, dataset_name):
            self.loading(dataset_name, recorder.node())

        @hook_impl(tryfirst=True)
        def after_dataset_loaded(self, dataset_name):
            self.moved("dataset_loaded", dataset_name, recorder.node())

        @hook_impl(trylast=True)
        def before_dataset_saved(self, dataset_name, data):
            self.saving(dataset_name, data, recorder.node())

        @hook_impl(tryfirst=True)
        def after_dataset_saved(self, dataset_name, data):
            self.saved(dataset_name, data, recorder.node())

    parameters = inspect.signature(DatasetSpecs.before_dataset_loaded).parameters
    return NodeHooks() if "node" in parameters else DatasetHooks()


def follow_sessions(hooks):
    """Registers our hooks with the first session only; a node may create sessions of its own."""
    from kedro.framework.session import session

    sessions = [session.KedroSession]
    try:
        from kedro.framework.session.service_session import KedroServiceSession

        sessions.append(KedroServiceSession)
    except ImportError:  # before 1.3
        pass
    for one in sessions:
        one.__init__ = with_hooks_in(one.__init__, hooks)


def with_hooks_in(init, hooks):
    @functools.wraps(init)
    def call(self, *args, **kwargs):
        init(self, *args, **kwargs)
        manager = getattr(self, "_hook_manager", None)
        if manager is not None and not hooks.registered:
            hooks.registered = True
            manager.register(hooks)

    return call


def follow_runners(recorder, hooks, failures):
    """Wraps runners, to record the runner's class and the nodes that it starts with, and to report at the end
    the failures that it went on after."""
    from kedro.runner import AbstractRunner

    def new(cls, *args, **kwargs):
        if failures is not None:
            failures.check(cls, hooks.exact)
        runner = object.__new__(cls)
        if hooks.runner is None:
            hooks.runner = cls.__name__
            recorder.concurrent = cls.__name__ != "SequentialRunner"
            if recorder.concurrent:
                follow_processes(recorder)
        run = runner._run

        # The runner itself skips nodes whose outputs exist, after `before_pipeline_run`.
        @functools.wraps(run)
        def with_start(pipeline, *args, **kwargs):
            hooks.started_with(pipeline.nodes)
            result = run(pipeline, *args, **kwargs)
            if failures is not None:
                failures.end()
            return result

        runner._run = with_start
        return runner

    AbstractRunner.__new__ = new


def follow_tasks(recorder, hooks, failures):
    """Reports a node from the runner's function that loads, runs and saves, if this version of Kedro has it
    in a known place: hooks alone do not report a failing load, nor the end of the last save. Also registers
    our hooks in the processes of a `ParallelRunner`, if they are forked."""
    import kedro.runner  # noqa: F401  imports the modules used below

    for name in ("runner", "sequential_runner", "thread_runner", "parallel_runner", "task"):
        module = sys.modules.get("kedro.runner." + name)
        if module is None:
            continue
        if hasattr(module, "run_node"):
            module.run_node = followed(module.run_node, lambda args: args[0], recorder, failures)
            hooks.exact = True
        if name == "task":
            task = module.Task
            task.execute = followed(task.execute, lambda args: args[0].node, recorder, failures)
            hooks.exact = True
        if hasattr(module, "_create_hook_manager"):
            module._create_hook_manager = with_hooks(module._create_hook_manager, hooks)


def follow_processes(recorder):
    """Processes that are not forked import everything again and do not have our hooks. Their nodes are
    reported from this process: begun when they are submitted, ended when the result is back."""
    from concurrent.futures import ProcessPoolExecutor

    original = ProcessPoolExecutor.submit

    @functools.wraps(original)
    def submit(self, function, *args, **kwargs):
        future = original(self, function, *args, **kwargs)
        context = getattr(self, "_mp_context", None)
        node = getattr(function, "node", args[0] if args else None)
        if context is not None and context.get_start_method() != "fork" and hasattr(node, "_func_name"):
            recorder.begin(node.name, here=False)
            future.add_done_callback(lambda done: ended(done, node.name))
        return future

    def ended(future, name):
        if not future.cancelled():
            recorder.end(name, future.exception())

    ProcessPoolExecutor.submit = submit


def followed(function, node_of, recorder, failures):
    @functools.wraps(function)
    def call(*args, **kwargs):
        node = node_of(args) if args else kwargs["node"]
        name = node.name
        if failures is not None and failures.blocks(node):
            return node
        recorder.begin(name)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            # Cancelling is reported once, for the run.
            if isinstance(error, KeyboardInterrupt):
                recorder.switch(None)
            else:
                recorder.end(name, error)
            if failures is not None and isinstance(error, Exception):
                failures.add(node, error)
                return node
            raise
        recorder.end(name)
        return result

    return call


def with_hooks(create, hooks):
    @functools.wraps(create)
    def call(*args, **kwargs):
        manager = create(*args, **kwargs)
        manager.register(hooks)
        return manager

    return call
