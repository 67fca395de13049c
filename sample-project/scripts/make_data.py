"""Makes the raw data, always the same: python scripts/make_data.py"""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

RAW = Path(__file__).parent.parent / "data" / "01_raw"
STATIONS = 16
TRIPS = 45_000


def main() -> None:
    random = np.random.default_rng(7)
    days = pd.date_range("2025-01-01", "2025-12-31")
    (RAW / "station_plans").mkdir(parents=True, exist_ok=True)

    names = ["north quay", "fish market", "old town", "lighthouse", "ferry pier", "ropewalk", "custom house", "shipyard"]
    ids = np.arange(1, STATIONS + 1)
    docks = random.integers(8, 31, STATIONS)
    stations = pd.DataFrame(
        {
            "station_id": ids,
            "name": [f" {names[i % 8]} {'east' if i < 8 else 'west'}" for i in range(STATIONS)],
            "district": random.choice(["Harbour", "CENTRE", "hillside"], STATIONS),
            "hill_m": random.integers(0, 60, STATIONS),
            "closed_on": pd.Series([pd.NaT] * (STATIONS - 1) + [pd.Timestamp("2025-02-01")]),
        }
    )
    stations.to_csv(RAW / "stations.csv", index=False)

    season = np.sin(2 * np.pi * (days.day_of_year.to_numpy() - 80) / 365)
    temperature = 10 + 9 * season + random.normal(0, 3, len(days))
    rain = np.where(random.random(len(days)) < 0.35, random.gamma(2, 3, len(days)), 0)
    wind = random.gamma(4, 4, len(days))
    gaps = random.random(len(days)) < 0.04
    weather = pd.DataFrame(
        {
            "day": days,
            "temperature": np.where(gaps, np.nan, temperature.round(1)),
            "rain_mm": rain.round(1),
            "wind_kmh": wind.round(1),
        }
    )
    weather.to_excel(RAW / "weather.xlsx", sheet_name="daily", index=False)

    weekend = days.day_of_week.to_numpy() >= 5
    appeal = np.exp(0.05 * temperature - 0.06 * rain - 0.01 * wind + 0.3 * weekend)
    pull = docks * np.exp(-stations["hill_m"].to_numpy() / 80)
    day = random.choice(len(days), TRIPS, p=appeal / appeal.sum())
    hour = np.clip(random.normal(13, 4, TRIPS), 0, 23.9)
    trips = pd.DataFrame(
        {
            "started_at": days.to_numpy()[day] + (hour * 3600).astype(int).astype("timedelta64[s]"),
            "station_id": random.choice(ids, TRIPS, p=pull / pull.sum()).astype("int16"),
            "minutes": random.gamma(2, 9, TRIPS).round().astype("int16"),
            "member": random.random(TRIPS) < 0.7,
        }
    ).sort_values("started_at", ignore_index=True)
    trips.to_parquet(RAW / "trips.parquet", index=False, compression="zstd")

    for station, count in zip(ids, docks, strict=True):
        plan = np.full((24, 32), 40, dtype="uint8")
        spots = random.choice(plan.size // 2, count, replace=False) * 2
        plan.flat[spots] = 255
        Image.fromarray(plan).save(RAW / "station_plans" / f"station_{station:02}.png")


if __name__ == "__main__":
    main()
