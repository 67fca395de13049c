"""The modular pipelines."""
