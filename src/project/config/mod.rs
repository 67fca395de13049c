//! Loads configuration like Kedro's `OmegaConfigLoader`, and records the origin of every value.

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
pub(super) mod undefined;
mod yaml;

use std::path::PathBuf;

use indexmap::IndexMap;

use super::python::on_large_stack;
use super::settings::Settings;
use super::{Budget, Located, Problem, Value};
use crate::text::UserError;

/// The options for loading the configuration.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The project's folder; reported places are relative to it.
    pub root: PathBuf,
    /// The configuration folder, absolute.
    pub conf_source: PathBuf,
    /// The run environment; the settings' default if `None`.
    pub env: Option<String>,
    /// Runtime parameters (`--params`), nested as Kedro nests dotted keys.
    pub runtime_params: Located,
    /// The evaluated settings, with glob patterns, environments and resolvers.
    pub settings: &'a Settings,
}

/// The loaded and resolved configuration.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The run environment for which the configuration was loaded.
    pub env: String,
    /// Names of all environments (folders of the configuration folder), the base one first.
    pub environments: Vec<String>,
    /// Resolved configuration by kind (`catalog`, `parameters`, `globals`, and each other kind in
    /// `config_patterns`). Every leaf of `credentials` is a `Value::Secret`.
    pub kinds: IndexMap<String, Located>,
    /// Dotted names of the runtime parameters that no parameters file defines and no value reads.
    pub undefined_params: Vec<String>,
    /// Syntax errors, duplicate keys, unresolved interpolations, missing folders and the like.
    pub problems: Vec<Problem>,
}

/// The value of one YAML text, typed like OmegaConf does; a text that is not valid YAML becomes a
/// string.
pub fn value(text: &str) -> Value {
    yaml::value(text).unwrap_or_else(|_| Value::Str(text.to_owned()))
}

/// The value of one YAML text.
///
/// # Errors
/// If the text is not valid YAML; the error names the character.
pub fn parse(text: &str) -> Result<Value, UserError> {
    yaml::value(text).map_err(|problem| {
        let place = match problem.place {
            Some(place) if place.line > 1 => {
                format!("line {}, character {}: ", place.line, place.column)
            }
            Some(place) => format!("character {}: ", place.column),
            None => String::new(),
        };
        UserError::hinted(
            format!("{place}{}", problem.text),
            "Put a text in quotes, or close the bracket.",
        )
    })
}

/// Loads the configuration within `budget`. A broken file is reported as a problem; the other files
/// are still read.
pub fn load(request: &Request<'_>, budget: &mut Budget) -> Config {
    // Chains of interpolations need a deep stack.
    on_large_stack(move || loader::load(request, budget))
}
