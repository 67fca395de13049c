//! The user's folders for configuration and state, by the conventions of the platform.

use std::path::PathBuf;

use etcetera::BaseStrategy;

const NAME: &str = "mlops-tui";

/// The folder of the user's `config.yaml`, `themes/` and `keymaps/`: `$MLOPS_TUI_CONFIG_DIR`, else
/// `mlops-tui` in the platform's configuration folder.
pub(super) fn config() -> PathBuf {
    folder("MLOPS_TUI_CONFIG_DIR", |base| base.config_dir())
}

/// The folder of reports and logs: `$MLOPS_TUI_STATE_DIR`, else `mlops-tui` in the platform's state
/// folder.
pub(super) fn state() -> PathBuf {
    folder("MLOPS_TUI_STATE_DIR", |base| base.state_dir().unwrap_or_else(|| base.data_dir()))
}

fn folder(variable: &str, of: impl Fn(&etcetera::base_strategy::Xdg) -> PathBuf) -> PathBuf {
    if let Some(folder) = std::env::var_os(variable) {
        return folder.into();
    }
    match etcetera::base_strategy::Xdg::new() {
        Ok(base) => of(&base).join(NAME),
        Err(_) => std::env::temp_dir().join(NAME),
    }
}
