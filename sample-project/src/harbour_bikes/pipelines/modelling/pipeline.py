"""One template of training and evaluation, used in two namespaces."""

from kedro.pipeline import Node, Pipeline

from .nodes import choose_model, evaluate_model, split_days, train_model

MODELS = ["linear", "forest"]


def create_template() -> Pipeline:
    """Training and evaluation of one model."""
    return Pipeline(
        [
            Node(
                func=train_model,
                inputs=["train", "params:model_options", "params:seed"],
                outputs="model",
                name="train_model",
                tags=["training"],
            ),
            Node(
                func=evaluate_model,
                inputs=["model", "test"],
                outputs=["metrics", "tracked_metrics"],
                name="evaluate_model",
            ),
        ]
    )


def create_pipeline(**kwargs) -> Pipeline:
    split = Pipeline(
        [
            Node(
                func=split_days,
                inputs=["features@generic", "params:split"],
                outputs=["train", "test"],
                name="split_days",
                tags=["fast"],
            )
        ]
    )
    models = [
        Pipeline(
            create_template(),
            namespace=model,
            inputs={"train", "test"},
            parameters={"params:seed"},
            tags=[f"model.{model}"],
        )
        for model in MODELS
    ]
    choose = Pipeline(
        [
            Node(
                func=choose_model,
                inputs=["linear_model", "forest_model", "linear_metrics", "forest_metrics"],
                outputs=["best_model", "comparison"],
                name="choose_model",
            )
        ],
        inputs={
            f"{model}_{output}": f"{model}.{output}"
            for model in MODELS
            for output in ("model", "metrics")
        },
    )
    return split + sum(models, Pipeline([])) + choose
