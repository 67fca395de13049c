//! The configuration settings in `settings.py`, evaluated without running it.

use indexmap::IndexMap;

use super::{Problem, Value};

/// The settings that matter for reading a project; the defaults are Kedro's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `CONF_SOURCE`, relative to the project's folder.
    pub conf_source: String,
    /// The last part of the class name in `CONFIG_LOADER_CLASS`; `OmegaConfigLoader` if unset.
    pub config_loader_class: String,
    /// `CONFIG_LOADER_ARGS["base_env"]`: the environment that all others override.
    pub base_env: String,
    /// `CONFIG_LOADER_ARGS["default_run_env"]`: the run environment if none is chosen.
    pub default_run_env: String,
    /// `CONFIG_LOADER_ARGS["config_patterns"]` merged with Kedro's defaults: glob patterns by kind.
    pub config_patterns: IndexMap<String, Vec<String>>,
    /// `CONFIG_LOADER_ARGS["merge_strategy"]`: `soft` or `destructive` by kind.
    pub merge_strategy: IndexMap<String, String>,
    /// `CONFIG_LOADER_ARGS["custom_resolvers"]` by name: the value of a constant function that
    /// could be evaluated (`lambda: 3`), otherwise `Value::Unknown` with the expression.
    pub custom_resolvers: IndexMap<String, Value>,
    /// `CONFIG_LOADER_ARGS["ignore_hidden"]`: whether hidden files and folders are skipped.
    pub ignore_hidden: bool,
    /// Parts of the settings that could not be evaluated.
    pub problems: Vec<Problem>,
}

impl Default for Settings {
    fn default() -> Self {
        let patterns = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        Settings {
            conf_source: "conf".into(),
            config_loader_class: "OmegaConfigLoader".into(),
            base_env: "base".into(),
            default_run_env: "local".into(),
            config_patterns: IndexMap::from([
                ("catalog".into(), patterns(&["catalog*", "catalog*/**", "**/catalog*"])),
                (
                    "parameters".into(),
                    patterns(&["parameters*", "parameters*/**", "**/parameters*"]),
                ),
                (
                    "credentials".into(),
                    patterns(&["credentials*", "credentials*/**", "**/credentials*"]),
                ),
                ("globals".into(), patterns(&["globals.yml"])),
            ]),
            merge_strategy: IndexMap::new(),
            custom_resolvers: IndexMap::new(),
            ignore_hidden: true,
            problems: Vec::new(),
        }
    }
}
