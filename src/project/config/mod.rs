//! Configuration, as Kedro's `OmegaConfigLoader` reads it, with the origin of every value.

#[cfg(test)]
mod bounds;
mod files;
#[cfg(fuzzing)]
pub mod fuzzing;
mod grammar;
mod interpolation;
mod layout;
mod loader;
mod scalar;
pub(in crate::project) mod size;
mod yaml;

use std::path::PathBuf;

use indexmap::IndexMap;

use super::python::on_large_stack;
use super::settings::Settings;
use super::{Budget, Located, Problem, Value};

/// Which configuration to load.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The project's folder; places are relative to it.
    pub root: PathBuf,
    /// The configuration folder, absolute.
    pub conf_source: PathBuf,
    /// The run environment; the default one of the settings when `None`.
    pub env: Option<String>,
    /// Runtime parameters (`--params`), nested as Kedro nests dotted keys.
    pub runtime_params: Located,
    /// The project's settings.
    pub settings: &'a Settings,
}

/// The loaded and resolved configuration.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The run environment that was used.
    pub env: String,
    /// Names of all environments (folders of the configuration folder), the base one first.
    pub environments: Vec<String>,
    /// Resolved configuration by kind (`catalog`, `parameters`, `globals`, and each further kind
    /// of `config_patterns`). `credentials` is there with every leaf a `Value::Secret`.
    pub kinds: IndexMap<String, Located>,
    /// What is wrong: syntax errors, duplicate keys, unresolved interpolations, missing folders.
    pub problems: Vec<Problem>,
}

/// The value of one YAML text, as OmegaConf types it; what is not YAML is a text.
pub fn value(text: &str) -> Value {
    yaml::value(text).unwrap_or_else(|| Value::Str(text.to_owned()))
}

/// Loads the configuration within `budget`. A broken file is a problem and leaves the others
/// readable.
pub fn load(request: &Request<'_>, budget: &mut Budget) -> Config {
    // Interpolations that lead from one to the next take stack.
    on_large_stack(move || loader::load(request, budget))
}
