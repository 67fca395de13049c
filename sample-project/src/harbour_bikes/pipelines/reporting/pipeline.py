"""What people look at."""

from kedro.pipeline import Node, Pipeline, node

from .nodes import plot_forecast, summarise_districts, write_summary


def create_pipeline(**kwargs) -> Pipeline:
    return Pipeline(
        [
            Node(
                func=plot_forecast,
                inputs=["best_model", "test", "params:plot"],
                outputs="forecast_plot",
                name="plot_forecast",
            ),
            # Without a name on purpose: Kedro makes one of the function and its datasets.
            node(summarise_districts, ["daily_trips", "stations"], "districts", tags=["fast"]),
            Node(
                func=write_summary,
                inputs=["comparison", "districts", "parameters"],
                outputs="summary",
                name="write_summary",
            ),
        ],
        tags=["reporting"],
    )
