//! Finding the project and reading `pyproject.toml`.
