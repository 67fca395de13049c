"""What people look at."""

from typing import Any

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from sklearn.base import RegressorMixin

from harbour_bikes.pipelines.modelling.nodes import inputs_of

matplotlib.use("Agg")


def plot_forecast(model: RegressorMixin, test: pd.DataFrame, options: dict) -> Figure:
    """Forecast and truth over the test days, all stations together."""
    days = test.assign(forecast=model.predict(inputs_of(test))).groupby("day")[["trips", "forecast"]].sum()
    figure = Figure(figsize=(options["width"], options["height"]), dpi=options["dpi"])
    axes = figure.add_subplot()
    axes.plot(days.index, days["trips"], label="trips", color=options["colours"][0])
    axes.plot(days.index, days["forecast"], label="forecast", color=options["colours"][1], linestyle="--")
    axes.set_title("Trips a day")
    axes.legend()
    figure.autofmt_xdate()
    return figure


def summarise_districts(daily_trips: pd.DataFrame, stations: pd.DataFrame) -> pd.DataFrame:
    """Trips by district."""
    joined = daily_trips.merge(stations, on="station_id")
    return joined.groupby("district")["trips"].agg(["sum", "mean", "max"]).reset_index()


def write_summary(comparison: dict, districts: pd.DataFrame, parameters: dict[str, Any]) -> dict:
    """The run in a few lines, with the parameters that made it."""
    busiest = districts.sort_values("sum").iloc[-1]
    return {
        "best_model": comparison["best"],
        "rmse": round(comparison["scores"][comparison["best"]]["rmse"], 3),
        "busiest_district": busiest["district"],
        "test_days": parameters["split"]["test_days"],
        "seed": parameters["seed"],
    }
