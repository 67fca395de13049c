"""What a project may bring along: hooks that change something, a session store, a session, a runner."""

import atexit
import json
import logging
import logging.handlers
import pathlib
import pickle
import threading
import time

from kedro.framework.hooks import hook_impl
from kedro.framework.session import KedroSession
from kedro.framework.session.store import BaseSessionStore
from kedro.runner import SequentialRunner

logger = logging.getLogger(__name__)


class Own(logging.StreamHandler):
    """Sends records elsewhere, as handlers for chats and services do."""

    def emit(self, record):
        with open("logs/own.log", "a") as file:
            file.write(self.format(record) + "\n")


def add_logging(kind):
    """Handlers that a project adds in code."""
    root = logging.getLogger()
    if kind == "files":
        from rich.console import Console
        from rich.logging import RichHandler

        console = Console(file=open("logs/rich.log", "w"), width=200)
        root.addHandler(RichHandler(console=console, show_time=False, show_path=False))
        root.addHandler(Own())
        root.addHandler(logging.StreamHandler(open("logs/stream.log", "w")))
        file = logging.FileHandler("logs/memory.log")
        root.addHandler(logging.handlers.MemoryHandler(10000, logging.CRITICAL, file))
    elif kind == "basic":
        logging.basicConfig(filename="logs/basic.log", level=logging.INFO)


def write_late(path):
    time.sleep(0.2)
    path.write_text("late")


class Override:
    @hook_impl
    def after_context_created(self, context):
        self.data = pathlib.Path(context.project_path) / "data"
        atexit.register((self.data / "exit.txt").write_text, "exit")

    @hook_impl
    def after_pipeline_run(self):
        threading.Thread(target=write_late, args=[self.data / "late.txt"]).start()

    @hook_impl
    def before_node_run(self, node, inputs):
        if node.name == "notify":
            return {"letters": inputs["letters"] + 1}
        return None

    @hook_impl(tryfirst=True)
    def after_catalog_created(self, catalog):
        logger.debug("the catalog is here")


class Store(BaseSessionStore):
    def save(self):
        path = pathlib.Path(self._path)
        path.mkdir(exist_ok=True)
        data = dict(self.data)
        data.get("exception", {}).pop("traceback", None)
        (path / "store.json").write_text(json.dumps(data, default=str, indent=1, sort_keys=True))


class Session(KedroSession):
    def run(self, *args, **kwargs):
        logger.info("own session: %s", sorted(kwargs))
        return super().run(*args, **kwargs)


class OpenSession(KedroSession):
    @classmethod
    def create(cls, **options):
        return super().create(**options)


class Runner(SequentialRunner):
    def _run(self, pipeline, *args, **kwargs):
        logger.info("own runner: %d nodes, %s", len(pipeline.nodes), pickle.loads(pickle.dumps(self)))
        return super()._run(pipeline, *args, **kwargs)
