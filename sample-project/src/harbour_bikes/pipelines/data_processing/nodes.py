"""From raw files to a table of features."""

import logging
from collections.abc import Callable

import numpy as np
import pandas as pd
from PIL import Image

log = logging.getLogger(__name__)


def clean_stations(stations: pd.DataFrame) -> pd.DataFrame:
    """Drops closed stations and tidies names."""
    open_stations = stations[stations["closed_on"].isna()].drop(columns="closed_on")
    log.info("%d of %d stations are open", len(open_stations), len(stations))
    return open_stations.assign(
        name=open_stations["name"].str.strip().str.title(),
        district=open_stations["district"].str.lower(),
    )


def clean_trips(trips: pd.DataFrame, options: dict) -> pd.DataFrame:
    """Keeps trips of a sensible length."""
    minutes = trips["minutes"]
    sensible = minutes.between(options["min_minutes"], options["max_minutes"])
    log.info("dropping %d of %d trips", (~sensible).sum(), len(trips))
    return trips[sensible].assign(day=trips["started_at"].dt.normalize())


def clean_weather(weather: pd.DataFrame) -> pd.DataFrame:
    """Fills the gaps of the weather station."""
    weather = weather.assign(day=pd.to_datetime(weather["day"])).sort_values("day")
    gaps = int(weather["temperature"].isna().sum())
    log.info("filling %d gaps in the temperatures", gaps)
    return weather.assign(
        temperature=weather["temperature"].interpolate(limit_direction="both"),
        rain_mm=weather["rain_mm"].fillna(0.0),
    )


def count_docks(plans: dict[str, Callable[[], Image.Image]]) -> pd.DataFrame:
    """Counts the docks on each station's plan: one bright pixel is one dock."""
    docks = {
        int(name.removeprefix("station_")): int((np.asarray(load().convert("L")) > 200).sum())
        for name, load in sorted(plans.items())
    }
    return pd.DataFrame({"station_id": list(docks), "docks": list(docks.values())})


def count_daily_trips(trips: pd.DataFrame, stations: pd.DataFrame) -> pd.DataFrame:
    """Trips by day and open station, days without trips included."""
    days = pd.date_range(trips["day"].min(), trips["day"].max(), name="day")
    every = pd.MultiIndex.from_product([days, stations["station_id"]], names=["day", "station_id"])
    counts = trips.groupby(["day", "station_id"]).size().reindex(every, fill_value=0)
    return counts.rename("trips").reset_index()


def add_calendar(table: pd.DataFrame) -> pd.DataFrame:
    """Adds what the day itself says."""
    day = table["day"].dt
    return table.assign(
        weekend=(day.day_of_week >= 5).astype(int),
        season=np.sin(2 * np.pi * (day.day_of_year - 80) / 365),
    )


def build_features(
    daily_trips: pd.DataFrame,
    stations: pd.DataFrame,
    weather: pd.DataFrame,
    docks: pd.DataFrame,
    options: dict,
) -> pd.DataFrame:
    """One row for each day and station, ready for a model."""
    table = daily_trips.merge(stations[["station_id", "hill_m"]], on="station_id")
    table = table.merge(docks, on="station_id").merge(weather, on="day")
    table = add_calendar(table).sort_values(["station_id", "day"])
    for lag in options["lags"]:
        table[f"trips_{lag}d_ago"] = table.groupby("station_id")["trips"].shift(lag)
    if options["use_wind"] is False:
        table = table.drop(columns="wind_kmh")
    return table.dropna().reset_index(drop=True)
