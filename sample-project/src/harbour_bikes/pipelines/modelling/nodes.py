"""Splitting, training, evaluating, choosing."""

import logging
from typing import Any

import pandas as pd
from sklearn.base import RegressorMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

log = logging.getLogger(__name__)

MODELS = {"ridge": Ridge, "forest": RandomForestRegressor}


def split_days(features: pd.DataFrame, options: dict) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The last days are for testing: a forecast never sees the future."""
    first_test_day = features["day"].max() - pd.Timedelta(days=options["test_days"] - 1)
    train = features[features["day"] < first_test_day]
    test = features[features["day"] >= first_test_day]
    log.info("training on %d rows, testing on %d", len(train), len(test))
    return train, test


def inputs_of(table: pd.DataFrame) -> pd.DataFrame:
    """The columns that a model may see."""
    return table.drop(columns=["trips", "day", "station_id"])


def train_model(train: pd.DataFrame, options: dict, seed: int) -> RegressorMixin:
    """Fits the model that the options name."""
    settings = {key: value for key, value in options.items() if key != "kind"}
    model = MODELS[options["kind"]](random_state=seed, **settings)
    log.info("fitting %s", model)
    return model.fit(inputs_of(train), train["trips"])


def evaluate_model(model: RegressorMixin, test: pd.DataFrame) -> tuple[dict, dict]:
    """Errors on the test days, as plain numbers and in the shape that MLflow tracks."""
    predicted = model.predict(inputs_of(test))
    metrics = {
        "mae": float(mean_absolute_error(test["trips"], predicted)),
        "rmse": float(root_mean_squared_error(test["trips"], predicted)),
        "r2": float(r2_score(test["trips"], predicted)),
    }
    for name, value in metrics.items():
        log.info("%s %.3f", name, value)
    return metrics, {name: {"value": value, "step": 0} for name, value in metrics.items()}


def choose_model(
    linear: RegressorMixin,
    forest: RegressorMixin,
    linear_metrics: dict[str, float],
    forest_metrics: dict[str, float],
) -> tuple[Any, dict[str, Any]]:
    """Keeps the model with the smaller error."""
    scores = {"linear": linear_metrics, "forest": forest_metrics}
    best = min(scores, key=lambda name: scores[name]["rmse"])
    log.info("%s is better", best)
    return {"linear": linear, "forest": forest}[best], {"best": best, "scores": scores}
