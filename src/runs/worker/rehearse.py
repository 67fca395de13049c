"""Uses libraries once in the warm process, so that children find filled the caches that they fill at their
first use. Only what a module of the project can't notice is done:
nothing is registered, opened or written."""

import functools
import sys


def rehearse():
    """Skips libraries that this process has not imported."""
    for name, use in (("omegaconf", omegaconf), ("mlflow.store.db.utils", mlflow)):
        module = sys.modules.get(name)
        try:
            if module is not None:
                use(module)
        except Exception:
            pass  # only an optimization


def omegaconf(module):
    """Kedro's configuration: the grammar of interpolations takes most of the time."""
    create, merge = module.OmegaConf.create, module.OmegaConf.merge
    config = create(
        {
            "text": "x",
            "list": [1, 2.5, {"a": None}, True],
            "one": "${text}",
            "two": "s3://${text}/a/${list[0]}.csv",
            "three": "${oc.env:HOME,null}",
            "four": "${.text}",
        }
    )
    config = merge(config, module.OmegaConf.from_dotlist(["a.b=1", "text=y"]), {"list": [2]})
    module.OmegaConf.to_container(config, resolve=True)


def mlflow(module):
    """MLflow loads all of its migrations to find the name of the last one, for each store that it opens."""
    name = "_get_latest_schema_revision"
    setattr(module, name, functools.lru_cache(maxsize=None)(getattr(module, name)))
    getattr(module, name)()
