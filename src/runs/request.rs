//! What to run.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::dag::Slice;

/// A run as `kedro run` would be asked for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunRequest {
    /// `--pipeline`; `__default__` when `None`.
    pub pipeline: Option<String>,
    /// Which of its nodes.
    #[serde(flatten)]
    pub slice: Slice,
    /// `--env`; the project's default when `None`.
    pub env: Option<String>,
    /// `--params`: dotted keys to JSON values.
    pub params: IndexMap<String, serde_json::Value>,
    /// `--runner`: a class name, `SequentialRunner` when `None`.
    pub runner: Option<String>,
    /// `--async`: load and save datasets in threads.
    pub is_async: bool,
    /// `--load-versions`: dataset name to version.
    pub load_versions: IndexMap<String, String>,
    /// `--conf-source`.
    pub conf_source: Option<String>,
    /// `--only-missing-outputs` (Kedro 1.0 and later).
    pub only_missing_outputs: bool,
}

/// Parses `--params`: pairs with commas between, `key=value` or the older `key:value`; dotted keys
/// stay as they are, values are typed as `_try_convert_to_numeric` in Kedro types them.
///
/// # Errors
/// A sentence that names the part that is no pair.
pub fn parse_params(text: &str) -> Result<IndexMap<String, serde_json::Value>, String> {
    let mut params = IndexMap::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let pair = part.split_once('=').or_else(|| part.split_once(':'));
        match pair.map(|(key, value)| (key.trim(), value.trim())) {
            Some((key, value)) if !key.is_empty() => {
                params.insert(key.to_owned(), typed(value));
            }
            _ => return Err(format!("`{part}` is no pair; write key=value")),
        }
    }
    Ok(params)
}

fn typed(value: &str) -> serde_json::Value {
    if let Ok(int) = value.parse::<i64>() {
        return int.into();
    }
    match value.parse::<f64>() {
        Ok(float) if float.is_finite() => float.into(),
        _ => value.into(),
    }
}

/// Parses `--load-versions`: pairs `dataset:version` with commas between.
///
/// # Errors
/// A sentence that names the part that is no pair.
pub fn parse_load_versions(text: &str) -> Result<IndexMap<String, String>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once(':') {
            Some((dataset, version)) if !dataset.is_empty() && !version.is_empty() => {
                Ok((dataset.to_owned(), version.to_owned()))
            }
            _ => Err(format!("`{part}` is no pair; write dataset:version")),
        })
        .collect()
}

impl RunRequest {
    /// The `kedro run` command that asks for the same.
    pub fn to_command(&self) -> String {
        let mut words = vec!["kedro".to_owned(), "run".to_owned()];
        let mut option = |name: &str, value: String| {
            if !value.is_empty() {
                words.push(format!("--{name}={}", quoted(&value)));
            }
        };
        option("pipeline", self.pipeline.clone().unwrap_or_default());
        for (name, list) in [
            ("from-nodes", &self.slice.from_nodes),
            ("to-nodes", &self.slice.to_nodes),
            ("nodes", &self.slice.nodes),
            ("from-inputs", &self.slice.from_inputs),
            ("to-outputs", &self.slice.to_outputs),
            ("tags", &self.slice.tags),
            ("namespaces", &self.slice.namespaces),
        ] {
            option(name, list.join(","));
        }
        option("env", self.env.clone().unwrap_or_default());
        let params = self.params.iter().map(|(key, value)| match value.as_str() {
            Some(text) => format!("{key}={text}"),
            None => format!("{key}={value}"),
        });
        option("params", params.collect::<Vec<_>>().join(","));
        option("runner", self.runner.clone().unwrap_or_default());
        let versions = self.load_versions.iter().map(|(name, version)| format!("{name}:{version}"));
        option("load-versions", versions.collect::<Vec<_>>().join(","));
        option("conf-source", self.conf_source.clone().unwrap_or_default());
        if self.is_async {
            words.push("--async".into());
        }
        if self.only_missing_outputs {
            words.push("--only-missing-outputs".into());
        }
        words.join(" ")
    }
}

/// The text as a POSIX shell takes it for one word.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./,:=@%+".contains(c);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
