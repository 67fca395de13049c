//! Experiments: MLflow's stores, read in place and read-only.

/// What is in a tracking store, newest runs first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overview {
    /// The store as a person names it, such as `mlflow.db`.
    pub source: String,
    /// Runs, newest first.
    pub runs: Vec<Run>,
    /// Registered models by name.
    pub models: Vec<RegisteredModel>,
}

/// A tracked run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// Run id.
    pub id: String,
    /// Run name.
    pub name: String,
    /// Name of its experiment.
    pub experiment: String,
    /// `RUNNING`, `FINISHED`, `FAILED`, `KILLED`, `SCHEDULED`.
    pub status: String,
    /// Seconds since the Unix epoch.
    pub started_at: f64,
    /// Seconds since the Unix epoch.
    pub ended_at: Option<f64>,
    /// Latest metric values by key, sorted.
    pub metrics: Vec<(String, f64)>,
    /// Params by key, sorted.
    pub params: Vec<(String, String)>,
}

/// A registered model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RegisteredModel {
    /// Name.
    pub name: String,
    /// Newest version number.
    pub latest_version: Option<i64>,
    /// Aliases with their versions.
    pub aliases: Vec<(String, i64)>,
    /// Last update, seconds since the Unix epoch.
    pub updated_at: f64,
}
