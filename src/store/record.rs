//! The records of a run in the history: the run, its nodes, its datasets, its log.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroI64;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// The number of a run in its project's history, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(NonZeroI64);

impl RunId {
    /// The id for a number; `None` if the number is 0 or less.
    pub fn new(number: i64) -> Option<RunId> {
        NonZeroI64::new(number).filter(|number| number.is_positive()).map(RunId)
    }
}

/// The id of a run in a test.
#[cfg(test)]
pub(crate) fn run_id(number: i64) -> RunId {
    RunId::new(number).unwrap()
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ToSql for RunId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.get().into())
    }
}

impl FromSql for RunId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        RunId::new(number).ok_or(FromSqlError::OutOfRange(number))
    }
}

/// Two runs that are compared; in JSON a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "[RunId; 2]")]
pub struct RunPair {
    /// The earlier run.
    pub first: RunId,
    /// The later run.
    pub second: RunId,
}

impl From<RunPair> for [RunId; 2] {
    fn from(runs: RunPair) -> Self {
        [runs.first, runs.second]
    }
}

/// Gives an enum its texts in the database.
macro_rules! texts {
    ($type:ty, $unknown:ident) => {
        impl $type {
            /// The text of the value in the store and in JSON.
            pub fn as_str(self) -> &'static str {
                self.into()
            }

            /// The value for a text from the store.
            pub(super) fn from_text(text: &str) -> Self {
                text.parse().unwrap_or(Self::$unknown)
            }
        }
    };
}

/// The state or result of a run.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Outcome {
    /// The run's process is alive.
    #[default]
    Running,
    /// The run ended without an error.
    Succeeded,
    /// A node failed, or loading the project did.
    Failed,
    /// A user cancelled the run.
    Cancelled,
    /// The run's process ended without recording a result.
    Lost,
}

texts!(Outcome, Lost);

/// The facts about a run that are known when it starts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewRun {
    /// The start time, in seconds since the Unix epoch.
    pub started_at: f64,
    /// The name of the pipeline.
    pub pipeline: String,
    /// The run environment, if one was chosen.
    pub env: Option<String>,
    /// The request as JSON.
    pub request: String,
    /// The equivalent `kedro run` command.
    pub command: String,
    /// The user who started the run.
    #[serde(default)]
    pub user: Option<String>,
    /// The machine on which the run was started.
    #[serde(default)]
    pub host: Option<String>,
    /// How the run was started: the command line, or the command on the screen.
    #[serde(default)]
    pub why: Option<String>,
    /// The path of the Python interpreter.
    #[serde(default)]
    pub python: Option<String>,
    /// The kind of worker: `warm` or `fresh`.
    #[serde(default)]
    pub worker: Option<String>,
    /// The group that the run belongs to, such as a parameter grid.
    #[serde(default)]
    pub batch: Option<String>,
    /// Whether the run outlives the program that started it.
    #[serde(default)]
    pub detached: bool,
    /// The run on an engine that this is the record of; `None` for a run of this project's own worker.
    #[serde(default)]
    pub remote: Option<Remote>,
}

/// A run on an engine. Profile, pipeline and run together name one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// The profile of the project that names the engine.
    pub profile: String,
    /// The kind of engine, such as `airflow`.
    pub engine: String,
    /// The deployed pipeline, by its id on the engine.
    pub pipeline: String,
    /// The run's id on the engine.
    pub run: String,
}

/// A run in the history.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The number of the run; `None` if the run could not be recorded.
    pub id: Option<RunId>,
    /// The facts known at the start.
    #[serde(flatten)]
    pub new: NewRun,
    /// The state or result.
    pub outcome: Outcome,
    /// The end time in seconds since the Unix epoch; `None` while running, the last event's time
    /// for a lost run.
    pub ended_at: Option<f64>,
    /// The number of nodes to run; 0 while the project is loading.
    pub nodes_total: u32,
    /// The number of nodes that succeeded.
    pub nodes_done: u32,
    /// The node that failed.
    pub failed_node: Option<String>,
    /// One line with the reason why the run failed or was lost.
    pub reason: Option<String>,
    /// The version of Kedro that ran, such as `1.0.0`.
    #[serde(default)]
    pub kedro_version: Option<String>,
    /// The version of Python that ran, such as `3.12.4`.
    #[serde(default)]
    pub python_version: Option<String>,
    /// The version of the code, if the project is in a git repository.
    #[serde(default)]
    pub code: Option<CodeVersion>,
    /// The hash of the stored JSON text of all resolved parameters; see [`super::Store::text`].
    #[serde(default)]
    pub parameters: Option<String>,
    /// The hash of the stored JSON text of the definitions that its nodes use; see
    /// [`super::Store::text`].
    #[serde(default)]
    pub definitions: Option<String>,
    /// The MLflow run that this run logged to.
    #[serde(default)]
    pub mlflow_run: Option<String>,
    /// The last value of each metric: those of its MLflow run, and the numbers in its metrics
    /// datasets under `dataset.key`. Only finite numbers.
    #[serde(default)]
    pub metrics: BTreeMap<String, f64>,
    /// Whether pruning keeps the run.
    #[serde(default)]
    pub pinned: bool,
    /// A note written by a user.
    #[serde(default)]
    pub note: Option<String>,
    /// The number of lines in the run's log.
    #[serde(default)]
    pub log_lines: u64,
}

impl RunRecord {
    /// The record of a run that has just started.
    pub fn begun(id: Option<RunId>, new: NewRun) -> Self {
        RunRecord { id, new, ..RunRecord::default() }
    }

    /// The name of the run in a text, such as `run 12`.
    pub fn name(&self) -> String {
        self.id.map_or_else(|| "the unrecorded run".to_owned(), |id| format!("run {id}"))
    }

    /// Whether both are records of the same run, possibly at different times.
    pub fn is_same(&self, other: &RunRecord) -> bool {
        self.id == other.id && (self.id.is_some() || self.new == other.new)
    }

    /// The seconds from the start to the end, or to `now` while running.
    pub fn seconds(&self, now: f64) -> f64 {
        (self.ended_at.unwrap_or(now) - self.new.started_at).max(0.0)
    }
}

/// The version of a project's code, as git reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeVersion {
    /// The commit; `None` before the first one.
    pub commit: Option<String>,
    /// The branch; `None` if none is checked out.
    pub branch: Option<String>,
    /// Whether project files differ from the commit or are untracked.
    pub dirty: bool,
    /// The hash of the stored diff to the commit; see [`super::Store::text`].
    pub diff: Option<String>,
    /// Paths of the untracked files.
    pub untracked: Vec<String>,
}

/// The state or result of a node in a run.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum NodeOutcome {
    /// The node has not started.
    #[default]
    Waiting,
    /// The node has started.
    Running,
    /// The node ended without an error.
    Succeeded,
    /// The node, or loading or saving its datasets, failed.
    Failed,
    /// The run ended before the node finished.
    Stopped,
}

texts!(NodeOutcome, Stopped);

/// A node of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// The node's full name.
    pub node: String,
    /// The position among the run's nodes in topological order, from 0.
    pub position: u32,
    /// The state or result.
    pub outcome: NodeOutcome,
    /// The start time, in seconds since the Unix epoch.
    pub started_at: Option<f64>,
    /// The duration, including loading and saving.
    pub seconds: Option<f64>,
    /// The failure, as JSON.
    pub failure: Option<String>,
}

/// Whether a dataset was loaded or saved.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Direction {
    /// The dataset was read.
    #[default]
    Load,
    /// The dataset was written.
    Save,
}

texts!(Direction, Load);

/// A dataset that a run loaded or saved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DatasetRecord {
    /// The number of the event that reported it.
    pub number: u64,
    /// The node that loaded or saved the dataset.
    pub node: Option<String>,
    /// The dataset's name, with transcoding.
    pub dataset: String,
    /// Whether the dataset was loaded or saved.
    pub direction: Direction,
    /// When the operation finished, in seconds since the Unix epoch.
    pub at: f64,
    /// The duration in seconds.
    pub seconds: f64,
    /// The size on disk at that time.
    pub bytes: Option<u64>,
    /// Identifies the content: a hash, or size and time stamp for large files.
    pub stamp: Option<String>,
    /// The numbers of a metrics dataset: a JSON object with dotted keys.
    pub metrics: Option<String>,
}

/// The severity of a log line.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
#[strum(serialize_all = "lowercase")]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
}

texts!(Level, Info);

/// An entry to append to a run's history.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry<'a> {
    /// An event: its time (seconds since the Unix epoch) and JSON.
    Event(f64, String),
    /// A line of the log.
    Line(Line<'a>),
}

/// A line to append to a log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line<'a> {
    /// The time in seconds since the Unix epoch; stored in microseconds.
    pub at: f64,
    /// The origin of the line.
    pub source: Source<'a>,
    /// The text as printed; untrusted.
    pub text: &'a str,
}

/// The origin of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// The severity of the line.
    pub level: Level,
    /// The node that was running, if any.
    pub node: Option<&'a str>,
    /// The stream: `stdout`, `stderr`, `log` or `warning`.
    pub stream: &'a str,
    /// The original level name of a log record.
    pub level_name: Option<&'a str>,
    /// The logger's name of a log record.
    pub logger: Option<&'a str>,
}

/// A line of a log, as read from the store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogLine {
    /// The number of the line in the run's log, from 1.
    pub number: u64,
    /// The time, in seconds since the Unix epoch.
    pub at: f64,
    /// The severity of the line.
    pub level: Level,
    /// The node that was running, if any.
    pub node: Option<String>,
    /// The stream: `stdout`, `stderr`, `log` or `warning`.
    pub stream: String,
    /// The original level name of a log record.
    pub level_name: Option<String>,
    /// The logger's name of a log record.
    pub logger: Option<String>,
    /// The text as printed; untrusted.
    pub text: String,
}

/// New facts about a run. They are written in one transaction, and repeated ones are ignored.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The current state of the run; note, pin and log length are left to the store.
    pub record: &'a RunRecord,
    /// The number of the first entry among all entries of the run, from 1.
    pub first: u64,
    /// Events and log lines, in order.
    pub entries: &'a [Entry<'a>],
    /// Nodes whose record changed.
    pub nodes: &'a [NodeRecord],
    /// Datasets that were loaded or saved, or whose record changed.
    pub datasets: &'a [DatasetRecord],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_numbers_from_1() {
        assert_eq!([-1, 0, 1].map(RunId::new).map(|id| id.is_some()), [false, false, true]);
        assert_eq!(serde_json::to_string(&[Some(run_id(7)), None]).unwrap(), "[7,null]");
        assert!(serde_json::from_str::<RunId>("0").is_err());
    }

    #[test]
    fn an_unrecorded_run_is_recognized_by_its_start() {
        let begun =
            |id, started_at| RunRecord::begun(id, NewRun { started_at, ..NewRun::default() });
        let (one, other) = (begun(None, 1.0), begun(None, 2.0));
        assert!(one.is_same(&one.clone()) && !one.is_same(&other));
        let recorded = begun(RunId::new(1), 1.0);
        assert!(recorded.is_same(&begun(RunId::new(1), 2.0)) && !recorded.is_same(&one));
        assert_eq!((recorded.name(), one.name()), ("run 1".into(), "the unrecorded run".into()));
    }
}
