//! The entities of a tracking store, in MLflow's terms. Times are milliseconds since the Unix epoch; values
//! that a store may lack are an `Option`.

/// Filter by lifecycle stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    /// Entities that are not deleted.
    #[default]
    Active,
    /// Deleted entities.
    Deleted,
    /// Active and deleted entities.
    All,
}

impl View {
    /// Whether the filter accepts a lifecycle stage (`active` or `deleted`).
    pub fn shows(self, lifecycle_stage: &str) -> bool {
        match self {
            View::Active => lifecycle_stage == "active",
            View::Deleted => lifecycle_stage == "deleted",
            View::All => true,
        }
    }
}

/// An MLflow experiment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Experiment {
    /// Id: a number in databases, often a hash of digits in folders.
    pub id: String,
    /// Name of the experiment.
    pub name: String,
    /// URI of the artifacts of its runs.
    pub artifact_location: String,
    /// `active` or `deleted`.
    pub lifecycle_stage: String,
    /// Creation time.
    pub creation_time: Option<i64>,
    /// Time of the last change.
    pub last_update_time: Option<i64>,
    /// Workspace (MLflow 3.10 and later).
    pub workspace: Option<String>,
    /// Tags, sorted by key.
    pub tags: Vec<(String, String)>,
}

/// A tracked run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// Id, 32 hexadecimal digits.
    pub id: String,
    /// Name of the run; empty if it has none.
    pub name: String,
    /// Id of its experiment.
    pub experiment_id: String,
    /// User who started the run.
    pub user_id: String,
    /// `RUNNING`, `SCHEDULED`, `FINISHED`, `FAILED` or `KILLED`.
    pub status: String,
    /// Start time.
    pub start_time: Option<i64>,
    /// End time.
    pub end_time: Option<i64>,
    /// `active` or `deleted`.
    pub lifecycle_stage: String,
    /// URI of its artifacts.
    pub artifact_uri: String,
    /// Params, sorted by key.
    pub params: Vec<(String, String)>,
    /// The latest value of each metric, sorted by key.
    pub metrics: Vec<(String, f64)>,
    /// Tags, sorted by key.
    pub tags: Vec<(String, String)>,
    /// Datasets that the run has read.
    pub datasets: Vec<DatasetInput>,
    /// Ids of the logged models that the run has read.
    pub model_inputs: Vec<String>,
    /// Ids and steps of the logged models that the run has made.
    pub model_outputs: Vec<(String, i64)>,
}

impl Run {
    /// The latest value of a metric.
    pub fn metric(&self, key: &str) -> Option<f64> {
        let found = self.metrics.binary_search_by(|(name, _)| name.as_str().cmp(key));
        found.ok().map(|index| self.metrics[index].1)
    }

    /// The value of a param.
    pub fn param(&self, key: &str) -> Option<&str> {
        of(&self.params, key)
    }

    /// The value of a tag.
    pub fn tag(&self, key: &str) -> Option<&str> {
        of(&self.tags, key)
    }

    /// Id of the parent run, for nested runs.
    pub fn parent(&self) -> Option<&str> {
        self.tag("mlflow.parentRunId")
    }
}

/// Looks up a key in a sorted list.
pub(super) fn of<'a>(sorted: &'a [(String, String)], key: &str) -> Option<&'a str> {
    let found = sorted.binary_search_by(|(name, _)| name.as_str().cmp(key));
    found.ok().map(|index| sorted[index].1.as_str())
}

/// A dataset that a run has read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DatasetInput {
    /// Name of the dataset.
    pub name: String,
    /// Digest of its content.
    pub digest: String,
    /// Kind of source, such as `local`.
    pub source_type: String,
    /// Source of the data, as JSON.
    pub source: String,
    /// Columns and their types, as JSON.
    pub schema: Option<String>,
    /// Statistics such as row counts, as JSON.
    pub profile: Option<String>,
    /// Tags, such as the purpose (`mlflow.data.context`).
    pub tags: Vec<(String, String)>,
}

impl DatasetInput {
    /// Purpose of reading the dataset, such as `training`.
    pub fn context(&self) -> Option<&str> {
        of(&self.tags, "mlflow.data.context")
    }
}

/// One value of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Training step.
    pub step: i64,
    /// Time when it was logged.
    pub timestamp: i64,
    /// The value; may be NaN or infinite.
    pub value: f64,
}

/// A registered model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    /// Name of the model.
    pub name: String,
    /// Creation time.
    pub creation_timestamp: Option<i64>,
    /// Time of the last change.
    pub last_updated_timestamp: Option<i64>,
    /// Description by the user.
    pub description: Option<String>,
    /// Workspace (MLflow 3.10 and later).
    pub workspace: Option<String>,
    /// Tags, sorted by key.
    pub tags: Vec<(String, String)>,
    /// Aliases with their version numbers, sorted by name.
    pub aliases: Vec<(String, i64)>,
}

/// A version of a registered model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelVersion {
    /// Name of its model.
    pub name: String,
    /// Version number, from 1.
    pub version: i64,
    /// Creation time.
    pub creation_timestamp: Option<i64>,
    /// Time of the last change.
    pub last_updated_timestamp: Option<i64>,
    /// Description by the user.
    pub description: Option<String>,
    /// User who created the version.
    pub user_id: Option<String>,
    /// `None`, `Staging`, `Production` or `Archived`.
    pub stage: String,
    /// URI of the files that the version was created from.
    pub source: Option<String>,
    /// Id of the run that made the model.
    pub run_id: Option<String>,
    /// A link to that run.
    pub run_link: Option<String>,
    /// `READY`, `PENDING_REGISTRATION` or `FAILED_REGISTRATION`.
    pub status: String,
    /// Message about the status, such as the reason of a failure.
    pub status_message: Option<String>,
    /// Workspace (MLflow 3.10 and later).
    pub workspace: Option<String>,
    /// Tags, sorted by key.
    pub tags: Vec<(String, String)>,
    /// Aliases, sorted.
    pub aliases: Vec<String>,
}

/// A logged model (MLflow 3).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoggedModel {
    /// Id, `m-` and 32 hexadecimal digits.
    pub id: String,
    /// Id of its experiment.
    pub experiment_id: String,
    /// Name of the model.
    pub name: String,
    /// URI of its files.
    pub artifact_location: String,
    /// Creation time.
    pub creation_timestamp: Option<i64>,
    /// Time of the last change.
    pub last_updated_timestamp: Option<i64>,
    /// Type of the model, such as `Agent`.
    pub model_type: Option<String>,
    /// Id of the run that made the model.
    pub source_run_id: Option<String>,
    /// `PENDING`, `READY` or `FAILED`.
    pub status: String,
    /// Message about the status, such as the reason of a failure.
    pub status_message: Option<String>,
    /// `active` or `deleted`.
    pub lifecycle_stage: String,
    /// Params, sorted by key.
    pub params: Vec<(String, String)>,
    /// Tags, sorted by key.
    pub tags: Vec<(String, String)>,
    /// Metrics, one entry for each key, step and dataset.
    pub metrics: Vec<ModelMetric>,
}

/// A metric of a logged model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelMetric {
    /// Name of the metric.
    pub key: String,
    /// The value.
    pub value: f64,
    /// Training step.
    pub step: i64,
    /// Time when it was logged.
    pub timestamp: i64,
    /// Id of the run that logged it.
    pub run_id: String,
    /// Name and digest of the dataset used for the evaluation.
    pub dataset: Option<(String, String)>,
}

/// A search for runs.
#[derive(Debug, Clone, Default)]
pub struct RunQuery {
    /// Ids of experiments; `None` searches all experiments in the view.
    pub experiments: Option<Vec<String>>,
    /// The filter that the runs must match.
    pub filter: super::filter::Expr,
    /// Sort order; ties are sorted newest first, then by id.
    pub order: Vec<super::filter::Order>,
    /// Whether to include deleted runs.
    pub view: View,
    /// Maximum number of runs.
    pub limit: Option<usize>,
    /// Current time in milliseconds, for `last 7 days`.
    pub now: i64,
}

impl RunQuery {
    /// Sorts runs in the requested order; ties are sorted newest first, then by id.
    pub fn sort(&self, runs: &mut [Run]) {
        runs.sort_by(|a, b| {
            // `None` is less than any time, so runs without a start come last.
            let newest = || b.start_time.cmp(&a.start_time);
            let order = super::filter::compare_by(&self.order, a, b);
            order.then_with(newest).then_with(|| a.id.cmp(&b.id))
        });
    }
}

/// The results of a search, possibly cut by a limit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Results<T> {
    /// The results in the requested order.
    pub items: Vec<T>,
    /// Whether the limit has cut off some results.
    pub truncated: bool,
    /// What could not be read; each message names a file.
    pub problems: Vec<String>,
}

impl<T> Results<T> {
    /// Cuts the items at a limit.
    pub fn of(mut items: Vec<T>, limit: Option<usize>) -> Self {
        let limit = limit.unwrap_or(usize::MAX);
        let truncated = items.len() > limit;
        items.truncate(limit);
        Results { items, truncated, problems: Vec::new() }
    }
}

impl<T> From<Vec<T>> for Results<T> {
    fn from(items: Vec<T>) -> Self {
        Results::of(items, None)
    }
}
