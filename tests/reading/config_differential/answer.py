"""Answers cases of configuration as Kedro does: JSON from standard input, JSON to standard output."""

import copy
import json
import logging
import sys
import warnings

# What Kedro prints must not mix with the answers.
output, sys.stdout = sys.stdout, sys.stderr

from kedro.config import MissingConfigException, OmegaConfigLoader
from kedro.inspection.models import DatasetSnapshot
from kedro.io import CatalogConfigResolver, DataCatalog
from omegaconf import OmegaConf

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")


def encode(value):
    """Values with their type; keys as text."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {"map": {str(key): encode(item) for key, item in value.items()}}
    return {"other": repr(value)}


def catalog(config, credentials, used):
    datasets = DataCatalog.from_config(config, credentials)
    resolver = datasets.config_resolver
    found = {
        name: (None, config[name]) for name in config if not resolver.is_pattern(name)
    }
    for name in used:
        if name in found:
            continue
        pattern = resolver.match_dataset_pattern(
            name
        ) or resolver.match_user_catch_all_pattern(name)
        if pattern:
            definition = resolver._resolve_dataset_config(
                name, pattern, copy.deepcopy(config[pattern])
            )
            DataCatalog._validate_dataset_config(name, definition)
            found[name] = (pattern, definition)
    patterns = [*resolver._dataset_patterns, *resolver._user_catch_all_pattern]
    return {
        "patterns": patterns,
        "datasets": [
            {
                "name": name,
                "pattern": pattern,
                "filepath": DatasetSnapshot.from_config(name, definition).filepath,
                "definition": encode(definition),
            }
            for name, (pattern, definition) in found.items()
        ],
    }


def answer(case):
    OmegaConf.clear_resolvers()
    constants = case["resolvers"]
    loader = OmegaConfigLoader(
        conf_source=case["conf_source"],
        env=case["env"],
        runtime_params=case["runtime_params"],
        base_env="base",
        default_run_env="local",
        merge_strategy=case["merge_strategy"],
        custom_resolvers={
            name: lambda value=value: value for name, value in constants.items()
        },
    )
    kinds = {}
    for kind in ["globals", "parameters", "catalog", "credentials"]:
        try:
            kinds[kind] = loader[kind]
        except MissingConfigException as error:
            if "No files" not in str(error):
                raise
            # As `KedroContext.params` does.
            kinds[kind] = case["runtime_params"] if kind == "parameters" else {}
    return {
        "kinds": {kind: encode(value) for kind, value in kinds.items()},
        "catalog": catalog(kinds["catalog"], kinds["credentials"], case["used"]),
    }


answers = []
for case in json.load(sys.stdin):
    try:
        answers.append(answer(case))
    except Exception as error:
        answers.append({"error": f"{type(error).__name__}: {error}"})
json.dump(answers, output)
