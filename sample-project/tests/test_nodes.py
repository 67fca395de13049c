"""The nodes' functions on small tables."""

import pandas as pd
from harbour_bikes.pipelines.data_processing.nodes import add_calendar, clean_trips, count_daily_trips
from harbour_bikes.pipelines.modelling.nodes import choose_model, split_days
from PIL import Image


def trips(*rows: tuple[str, int, int]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["started_at", "station_id", "minutes"])
    return table.assign(started_at=pd.to_datetime(table["started_at"]))


def test_trips_of_odd_lengths_are_dropped():
    table = trips(("2025-01-01 10:00", 1, 1), ("2025-01-01 11:00", 1, 20), ("2025-01-01 12:00", 1, 999))
    cleaned = clean_trips(table, {"min_minutes": 2, "max_minutes": 240})
    assert cleaned["minutes"].tolist() == [20]
    assert cleaned["day"].tolist() == [pd.Timestamp("2025-01-01")]


def test_days_without_trips_count_as_zero():
    table = trips(("2025-01-01 10:00", 1, 5), ("2025-01-03 10:00", 1, 5))
    table = table.assign(day=table["started_at"].dt.normalize())
    counted = count_daily_trips(table, pd.DataFrame({"station_id": [1, 2]}))
    assert counted["trips"].tolist() == [1, 0, 0, 0, 1, 0]


def test_the_weekend_is_known():
    table = add_calendar(pd.DataFrame({"day": pd.to_datetime(["2025-01-03", "2025-01-04"])}))
    assert table["weekend"].tolist() == [0, 1]


def test_the_future_is_not_trained_on():
    features = pd.DataFrame({"day": pd.date_range("2025-01-01", periods=10)})
    train, test = split_days(features, {"test_days": 3})
    assert (len(train), len(test)) == (7, 3)
    assert train["day"].max() < test["day"].min()


def test_the_smaller_error_wins():
    model, comparison = choose_model("a line", "a forest", {"rmse": 2.0}, {"rmse": 1.0})
    assert (model, comparison["best"]) == ("a forest", "forest")


def test_docks_are_counted():
    from harbour_bikes.pipelines.data_processing.nodes import count_docks

    plan = Image.new("L", (4, 4), 40)
    plan.putpixel((1, 2), 255)
    assert count_docks({"station_03": lambda: plan}).to_dict("records") == [{"station_id": 3, "docks": 1}]
