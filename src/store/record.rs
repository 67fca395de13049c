//! A run as the history keeps it.

use serde::{Deserialize, Serialize};

/// Number of a run in its project's history, from 1.
pub type RunId = i64;

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Its process is alive.
    Running,
    /// It ended well.
    Succeeded,
    /// A node or the project's loading failed.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
    /// Its process ended without saying so.
    Lost,
}

/// What is known of a run when it starts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewRun {
    /// Seconds since the Unix epoch.
    pub started_at: f64,
    /// Name of the pipeline.
    pub pipeline: String,
    /// The run environment, where one was chosen.
    pub env: Option<String>,
    /// The request as JSON.
    pub request: String,
    /// The equivalent `kedro run` command.
    pub command: String,
}

/// A run in the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its number.
    pub id: RunId,
    /// What was known at its start.
    #[serde(flatten)]
    pub new: NewRun,
    /// How it stands.
    pub outcome: Outcome,
    /// Seconds since the Unix epoch; `None` while it runs, the last event's time for a lost run.
    pub ended_at: Option<f64>,
    /// How many nodes it was to run; 0 while the project is loading.
    pub nodes_total: u32,
    /// How many nodes ended well.
    pub nodes_done: u32,
    /// The node that failed.
    pub failed_node: Option<String>,
    /// One line of why it failed or was lost.
    pub reason: Option<String>,
}
