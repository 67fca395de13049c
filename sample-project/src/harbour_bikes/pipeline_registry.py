"""The project's pipelines."""

from kedro.pipeline import Pipeline

from .pipelines import data_processing, modelling, reporting


def register_pipelines() -> dict[str, Pipeline]:
    """All pipelines by name; `__default__` is what `kedro run` runs."""
    pipelines = {
        "data_processing": data_processing.create_pipeline(),
        "modelling": modelling.create_pipeline(),
        "reporting": reporting.create_pipeline(),
    }
    return {
        "__default__": sum(pipelines.values()),
        "training": pipelines["data_processing"] + pipelines["modelling"],
        **pipelines,
    }
