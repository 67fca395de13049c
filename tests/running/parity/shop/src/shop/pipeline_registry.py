"""Pipelines."""

import os

from kedro.pipeline import node, pipeline

from . import nodes


def register_pipelines():
    if os.environ.get("PARITY_BREAK") == "registry":
        raise RuntimeError("no pipelines today")
    orders = pipeline(
        [
            node(nodes.pick, ["orders", "params:limit"], "recent", name="pick"),
            node(nodes.split, "recent", ["big", "small"], name="split", tags="fast"),
            node(nodes.stream, "recent", "chunks", name="stream", tags=["fast", "text"]),
        ]
    )
    reporting = pipeline(
        [
            node(nodes.summarise, ["big", "small"], "summary", name="summarise", tags="fast"),
            node(
                nodes.publish,
                {"summary": "summary", "style": "params:style", "title": "params:style.title"},
                "page",
                name="publish",
                tags="text",
            ),
        ],
        namespace="report",
        inputs={"big", "small"},
        parameters={"params:style", "params:style.title"},
    )
    modelling = pipeline(
        [
            node(nodes.train, ["big", "parameters"], "model", name="train"),
            node(nodes.score, ["model", "big"], ["all_scores", "weights"], name="score"),
        ],
        tags="model",
    )
    tables = pipeline(
        [
            node(nodes.write_table, "recent", "table@text", name="write_table"),
            node(nodes.read_table, "table@json", "rows", name="read_table"),
            node(nodes.greet, None, "greeting", name="greet"),
            node(nodes.count, "greeting", "letters"),
            node(nodes.notify, ["letters", "rows"], None, name="notify"),
        ]
    )
    return {
        "__default__": orders + reporting + modelling + tables,
        "reporting": orders + reporting,
        "modelling": modelling,
        "greeting": tables.filter(to_nodes=["greet"]),
    }
