"""What a project may bring along: hooks that change something, a session store, a session, a runner."""

import json
import logging
import pathlib

from kedro.framework.hooks import hook_impl
from kedro.framework.session import KedroSession
from kedro.framework.session.store import BaseSessionStore
from kedro.runner import SequentialRunner

logger = logging.getLogger(__name__)


class Override:
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


class Runner(SequentialRunner):
    def _run(self, pipeline, *args, **kwargs):
        logger.info("own runner: %d nodes", len(pipeline.nodes))
        return super()._run(pipeline, *args, **kwargs)
