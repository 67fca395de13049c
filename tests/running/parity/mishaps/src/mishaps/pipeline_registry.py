"""One pipeline for each mishap."""

from kedro.pipeline import node, pipeline

from . import nodes


def register_pipelines():
    def one(function, inputs="orders", outputs="result"):
        return pipeline([node(function, inputs, outputs, name="act")])

    return {
        "__default__": pipeline(
            [
                node(nodes.good, "orders", "kept", name="first"),
                node(nodes.bad, "kept", "b", name="bad"),
                node(nodes.good, "b", "c", name="after"),
                node(nodes.good, "orders", "d", name="other"),
            ]
        ),
        "odd": one(nodes.odd),
        "exit_with_3": one(nodes.exit_with_3),
        "exit_with_0": one(nodes.exit_with_0),
        "exit_with_words": one(nodes.exit_with_words),
        "interrupt": one(nodes.interrupt),
        "one_of_two": one(nodes.one_of_two, "orders", ["x", "y"]),
        "load": one(nodes.good, "lost"),
        "save": one(nodes.unserialisable, "orders", "kept"),
        "lazy": one(nodes.lazy),
        "stream": one(nodes.some_lines, "orders", "lines"),
        "anonymous": one(nodes.anonymous),
        "nothing": pipeline([]),
        "good": one(nodes.good),
    }
