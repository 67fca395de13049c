//! The Python interpreter with Kedro that tests compare with.

use std::path::PathBuf;

/// The interpreter that `MLOPS_TUI_TEST_PYTHON` names.
///
/// # Panics
/// When the variable is not set or names no file.
pub fn python() -> PathBuf {
    const VARIABLE: &str = "MLOPS_TUI_TEST_PYTHON";
    let Some(path) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        panic!("Set {VARIABLE} to a Python interpreter that has Kedro installed.");
    };
    assert!(path.is_file(), "{VARIABLE} names {}, which does not exist.", path.display());
    path
}
