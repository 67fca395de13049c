from functools import partial

from kedro.pipeline import Pipeline, node

from . import nodes
from .reports import report


def register_pipelines():
    step = 2
    return {
        "__default__": Pipeline(
            [
                node(nodes.clean, "orders", "rows", name="clean"),
                node(nodes.total, ["rows", "params:rate"], "amount", name="total"),
                node(report, ["amount", "params:style"], "page", name="report"),
                node(nodes.average, "prices", "mean", name="average"),
                node(partial(nodes.times, factor=3), "mean", "tripled", name="triple"),
                node(nodes.counter(step), "amount", "steps", name="count"),
                node(nodes.fit, "params:model.depth", "model", name="fit"),
                node(nodes.score, ["model", "params:model"], "scores", name="score"),
                node(nodes.merge, "parts", "merged", name="merge"),
                node(nodes.describe, "parameters", "description", name="describe"),
                node(lambda merged: len(merged), "merged", "size", name="measure"),
            ]
        )
    }
