"""From raw files to a table of features."""

from kedro.pipeline import Node, Pipeline

from .nodes import (
    build_features,
    clean_stations,
    clean_trips,
    clean_weather,
    count_daily_trips,
    count_docks,
)


def create_pipeline(**kwargs) -> Pipeline:
    return Pipeline(
        [
            Node(
                func=clean_stations,
                inputs="stations_raw",
                outputs="stations",
                name="clean_stations",
                tags=["cleaning", "fast"],
            ),
            Node(
                func=clean_trips,
                inputs=["trips_raw", "params:trips"],
                outputs="trips",
                name="clean_trips",
                tags="cleaning",
            ),
            Node(
                func=clean_weather,
                inputs="weather_raw",
                outputs="weather",
                name="clean_weather",
                tags=["cleaning", "fast"],
            ),
            Node(
                func=count_docks,
                inputs="station_plans",
                outputs="docks",
                name="count_docks",
                tags=["images", "fast"],
            ),
            Node(
                func=count_daily_trips,
                inputs=["trips", "stations"],
                outputs="daily_trips",
                name="count_daily_trips",
            ),
            Node(
                func=build_features,
                inputs={
                    "daily_trips": "daily_trips",
                    "stations": "stations",
                    "weather": "weather",
                    "docks": "docks",
                    "options": "params:features",
                },
                outputs="features@pandas",
                name="build_features",
            ),
        ]
    )
