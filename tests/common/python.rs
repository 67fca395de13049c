//! The Python with Kedro that tests compare against.

use std::path::PathBuf;

/// The interpreter named by `MLOPS_TUI_TEST_PYTHON`.
pub fn python() -> PathBuf {
    std::env::var_os("MLOPS_TUI_TEST_PYTHON")
        .expect("MLOPS_TUI_TEST_PYTHON names a Python that has Kedro")
        .into()
}
