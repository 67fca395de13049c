//! What a tracking store holds, in MLflow's terms: times are milliseconds since the Unix epoch, and what a
//! store may leave out is an `Option`.

/// Which entities are asked for, by their lifecycle stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    /// Those that are not deleted.
    #[default]
    Active,
    /// Deleted ones.
    Deleted,
    /// Both.
    All,
}

impl View {
    /// Whether an entity of this stage (`active` or `deleted`) is asked for.
    pub fn shows(self, lifecycle_stage: &str) -> bool {
        match self {
            View::Active => lifecycle_stage == "active",
            View::Deleted => lifecycle_stage == "deleted",
            View::All => true,
        }
    }
}

/// An experiment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Experiment {
    /// Id: a number in databases, often a hash of digits in folders.
    pub id: String,
    /// Name.
    pub name: String,
    /// Where artifacts of its runs are kept.
    pub artifact_location: String,
    /// `active` or `deleted`.
    pub lifecycle_stage: String,
    /// When it was made.
    pub creation_time: Option<i64>,
    /// When it was last changed.
    pub last_update_time: Option<i64>,
    /// The workspace (MLflow 3.10 and later).
    pub workspace: Option<String>,
    /// Tags, sorted by key.
    pub tags: Vec<(String, String)>,
}

/// A run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// Id, 32 hexadecimal digits.
    pub id: String,
    /// Name; empty when it has none.
    pub name: String,
    /// Id of its experiment.
    pub experiment_id: String,
    /// Who started it.
    pub user_id: String,
    /// `RUNNING`, `SCHEDULED`, `FINISHED`, `FAILED` or `KILLED`.
    pub status: String,
    /// When it began.
    pub start_time: Option<i64>,
    /// When it ended.
    pub end_time: Option<i64>,
    /// `active` or `deleted`.
    pub lifecycle_stage: String,
    /// Where its artifacts are kept.
    pub artifact_uri: String,
    /// Params, sorted by key.
    pub params: Vec<(String, String)>,
    /// The latest value of each metric, sorted by key.
    pub metrics: Vec<(String, f64)>,
    /// Tags, sorted by key.
    pub tags: Vec<(String, String)>,
    /// Datasets that it has read.
    pub datasets: Vec<DatasetInput>,
    /// Ids of logged models that it has read.
    pub model_inputs: Vec<String>,
    /// Ids of logged models that it has made, with their steps.
    pub model_outputs: Vec<(String, i64)>,
}

impl Run {
    /// The value under a key.
    pub fn metric(&self, key: &str) -> Option<f64> {
        let found = self.metrics.binary_search_by(|(name, _)| name.as_str().cmp(key));
        found.ok().map(|index| self.metrics[index].1)
    }

    /// The param under a key.
    pub fn param(&self, key: &str) -> Option<&str> {
        of(&self.params, key)
    }

    /// The tag under a key.
    pub fn tag(&self, key: &str) -> Option<&str> {
        of(&self.tags, key)
    }

    /// The id of the run that it lies in.
    pub fn parent(&self) -> Option<&str> {
        self.tag("mlflow.parentRunId")
    }
}

/// The value under a key of a sorted list.
pub(super) fn of<'a>(sorted: &'a [(String, String)], key: &str) -> Option<&'a str> {
    let found = sorted.binary_search_by(|(name, _)| name.as_str().cmp(key));
    found.ok().map(|index| sorted[index].1.as_str())
}

/// A dataset that a run has read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DatasetInput {
    /// Name.
    pub name: String,
    /// Digest of its content.
    pub digest: String,
    /// Kind of source, such as `local`.
    pub source_type: String,
    /// Where it was read from, as JSON.
    pub source: String,
    /// Its columns, as JSON.
    pub schema: Option<String>,
    /// Counts and the like, as JSON.
    pub profile: Option<String>,
    /// What it was read for (`mlflow.data.context`), and other tags.
    pub tags: Vec<(String, String)>,
}

impl DatasetInput {
    /// What it was read for, such as `training`.
    pub fn context(&self) -> Option<&str> {
        of(&self.tags, "mlflow.data.context")
    }
}

/// One value of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Step.
    pub step: i64,
    /// When it was logged.
    pub timestamp: i64,
    /// Value; may be NaN or infinite.
    pub value: f64,
}

/// A registered model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    /// Name.
    pub name: String,
    /// When it was made.
    pub creation_timestamp: Option<i64>,
    /// When it was last changed.
    pub last_updated_timestamp: Option<i64>,
    /// Description.
    pub description: Option<String>,
    /// The workspace (MLflow 3.10 and later).
    pub workspace: Option<String>,
    /// Tags, sorted by key.
    pub tags: Vec<(String, String)>,
    /// Aliases with their versions, sorted by name.
    pub aliases: Vec<(String, i64)>,
}

/// A version of a registered model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelVersion {
    /// Name of its model.
    pub name: String,
    /// Number, from 1.
    pub version: i64,
    /// When it was made.
    pub creation_timestamp: Option<i64>,
    /// When it was last changed.
    pub last_updated_timestamp: Option<i64>,
    /// Description.
    pub description: Option<String>,
    /// Who made it.
    pub user_id: Option<String>,
    /// `None`, `Staging`, `Production` or `Archived`.
    pub stage: String,
    /// Where its files come from.
    pub source: Option<String>,
    /// The run that made it.
    pub run_id: Option<String>,
    /// A link to that run.
    pub run_link: Option<String>,
    /// `READY`, `PENDING_REGISTRATION` or `FAILED_REGISTRATION`.
    pub status: String,
    /// Why it has that status.
    pub status_message: Option<String>,
    /// The workspace (MLflow 3.10 and later).
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
    /// Name.
    pub name: String,
    /// Where its files are kept.
    pub artifact_location: String,
    /// When it was made.
    pub creation_timestamp: Option<i64>,
    /// When it was last changed.
    pub last_updated_timestamp: Option<i64>,
    /// Type, such as `Agent`.
    pub model_type: Option<String>,
    /// The run that made it.
    pub source_run_id: Option<String>,
    /// `PENDING`, `READY` or `FAILED`.
    pub status: String,
    /// Why it has that status.
    pub status_message: Option<String>,
    /// `active` or `deleted`.
    pub lifecycle_stage: String,
    /// Params, sorted by key.
    pub params: Vec<(String, String)>,
    /// Tags, sorted by key.
    pub tags: Vec<(String, String)>,
    /// Metrics by step and dataset.
    pub metrics: Vec<ModelMetric>,
}

/// A metric of a logged model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelMetric {
    /// Name.
    pub key: String,
    /// Value.
    pub value: f64,
    /// Step.
    pub step: i64,
    /// When it was logged.
    pub timestamp: i64,
    /// The run that logged it.
    pub run_id: String,
    /// Name and digest of the dataset that it was measured on.
    pub dataset: Option<(String, String)>,
}

/// What is asked of [`Run`]s.
#[derive(Debug, Clone, Default)]
pub struct RunQuery {
    /// Ids of experiments; `None` asks all of the view.
    pub experiments: Option<Vec<String>>,
    /// What they have to match.
    pub filter: super::filter::Expr,
    /// The order; then newest first, then by id.
    pub order: Vec<super::filter::Order>,
    /// Deleted ones or not.
    pub view: View,
    /// At most so many.
    pub limit: Option<usize>,
    /// Now, in milliseconds, for `last 7 days`.
    pub now: i64,
}

impl RunQuery {
    /// Puts runs in the order that is asked for; what is equal in it newest first, and then by id.
    pub fn sort(&self, runs: &mut [Run]) {
        runs.sort_by(|a, b| {
            // None is before any time, so it is last here.
            let newest = || b.start_time.cmp(&a.start_time);
            let order = super::filter::compare_by(&self.order, a, b);
            order.then_with(newest).then_with(|| a.id.cmp(&b.id))
        });
    }
}

/// What was found, and whether a limit has left some out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Results<T> {
    /// In the order that was asked for.
    pub items: Vec<T>,
    /// Whether there are more.
    pub truncated: bool,
    /// What could not be read: each names its file.
    pub problems: Vec<String>,
}

impl<T> Results<T> {
    /// What is within the limit.
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
