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
