"""A file that should hold an Airflow dag, and can't be imported."""

from nowhere import nothing
