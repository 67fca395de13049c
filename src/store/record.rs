//! A run as the history keeps it: the run, its nodes, what it loaded and saved, its log.

use serde::{Deserialize, Serialize};

/// Number of a run in its project's history, from 1; 0 for a run that could not be recorded.
pub type RunId = i64;

/// Two runs that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunPair {
    /// The earlier run.
    pub first: RunId,
    /// The later run.
    pub second: RunId,
}

/// Makes the texts that the database has for the values of an enum.
macro_rules! texts {
    ($type:ty, $unknown:ident, $($value:ident $text:literal),*) => {
        impl $type {
            /// The text that the store and JSON have for it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$value => $text),* }
            }

            /// The value of a text of the store.
            pub(super) fn from_text(text: &str) -> Self {
                match text { $($text => Self::$value,)* _ => Self::$unknown }
            }
        }
    };
}

/// How a run stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Its process is alive.
    #[default]
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

texts!(Outcome, Lost, Running "running", Succeeded "succeeded", Failed "failed", Cancelled "cancelled", Lost "lost");

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 5] =
        [Outcome::Running, Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled, Outcome::Lost];
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
    /// Who asked for it.
    #[serde(default)]
    pub user: Option<String>,
    /// The machine that it ran on.
    #[serde(default)]
    pub host: Option<String>,
    /// How it was asked for: the command line, or the screen's command.
    #[serde(default)]
    pub why: Option<String>,
    /// Path of the Python interpreter.
    #[serde(default)]
    pub python: Option<String>,
    /// The kind of worker: `warm` or `fresh`.
    #[serde(default)]
    pub worker: Option<String>,
    /// What it belongs to, such as a parameter grid.
    #[serde(default)]
    pub batch: Option<String>,
    /// Whether it outlives the program that started it.
    #[serde(default)]
    pub detached: bool,
}

/// A run in the history.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// Kedro's version.
    #[serde(default)]
    pub kedro_version: Option<String>,
    /// Python's version.
    #[serde(default)]
    pub python_version: Option<String>,
    /// The version of the code, where the project is in a git repository.
    #[serde(default)]
    pub code: Option<CodeVersion>,
    /// Hash of the kept text of all resolved parameters, JSON; see [`super::Store::text`].
    #[serde(default)]
    pub parameters: Option<String>,
    /// The MLflow run that it logged to.
    #[serde(default)]
    pub mlflow_run: Option<String>,
    /// Whether pruning leaves it alone.
    #[serde(default)]
    pub pinned: bool,
    /// What a person wrote about it.
    #[serde(default)]
    pub note: Option<String>,
    /// Lines of its log.
    #[serde(default)]
    pub log_lines: u64,
}

impl RunRecord {
    /// A run that just began.
    pub fn begun(id: RunId, new: NewRun) -> Self {
        RunRecord { id, new, ..RunRecord::default() }
    }

    /// Seconds from its start to its end, or to `now`.
    pub fn seconds(&self, now: f64) -> f64 {
        (self.ended_at.unwrap_or(now) - self.new.started_at).max(0.0)
    }
}

/// The version of a project's code as git has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeVersion {
    /// The commit; `None` before the first one.
    pub commit: Option<String>,
    /// The branch; `None` when none is checked out.
    pub branch: Option<String>,
    /// Whether files of the project differed from the commit, or were not tracked.
    pub dirty: bool,
    /// Hash of the kept difference to the commit; see [`super::Store::text`].
    pub diff: Option<String>,
    /// Files that git does not track.
    pub untracked: Vec<String>,
}

/// How a node stands in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeOutcome {
    /// It has not begun.
    #[default]
    Waiting,
    /// It has begun.
    Running,
    /// It ended well.
    Succeeded,
    /// It failed.
    Failed,
    /// The run ended before it did.
    Stopped,
}

texts!(NodeOutcome, Stopped, Waiting "waiting", Running "running", Succeeded "succeeded", Failed "failed", Stopped "stopped");

/// A node of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its name.
    pub node: String,
    /// Its place among the run's nodes, in topological order, from 0.
    pub position: u32,
    /// How it stands.
    pub outcome: NodeOutcome,
    /// Seconds since the Unix epoch.
    pub started_at: Option<f64>,
    /// How long it took, loading and saving included.
    pub seconds: Option<f64>,
    /// Why it failed, as JSON.
    pub failure: Option<String>,
}

/// Whether a dataset was read or written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Read.
    #[default]
    Load,
    /// Written.
    Save,
}

texts!(Direction, Load, Load "load", Save "save");

/// A dataset that a run loaded or saved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DatasetRecord {
    /// Number of the event that told it.
    pub number: u64,
    /// The node that asked for it.
    pub node: Option<String>,
    /// Its name, transcoding kept.
    pub dataset: String,
    /// Which of both.
    pub direction: Direction,
    /// When it was done, seconds since the Unix epoch.
    pub at: f64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Its size on disk then.
    pub bytes: Option<u64>,
    /// What tells its content from another one: a hash, or size and time of large files.
    pub stamp: Option<String>,
    /// The numbers in it, for metrics: a JSON object of dotted keys.
    pub metrics: Option<String>,
}

/// How much a line of the log weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
}

texts!(Level, Info, Debug "debug", Info "info", Warning "warning", Error "error");

impl Level {
    /// All of them, the least first.
    pub const ALL: [Level; 4] = [Level::Debug, Level::Info, Level::Warning, Level::Error];
}

/// Something to be appended to a run's history.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry<'a> {
    /// An event: its time (seconds since the Unix epoch) and JSON.
    Event(f64, String),
    /// A line of the log.
    Line(Line<'a>),
}

/// A line to be appended to a log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line<'a> {
    /// Seconds since the Unix epoch; kept to the microsecond.
    pub at: f64,
    /// Where it comes from.
    pub source: Source<'a>,
    /// The text, as written: untrusted.
    pub text: &'a str,
}

/// Where a line of the log comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// How much it weighs.
    pub level: Level,
    /// The node that was running.
    pub node: Option<&'a str>,
    /// The stream: `stdout`, `stderr`, `log`, `warning`.
    pub stream: &'a str,
    /// The level's own name, for log records.
    pub level_name: Option<&'a str>,
    /// The logger's name, for log records.
    pub logger: Option<&'a str>,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogLine {
    /// Its number in the run's log, from 1.
    pub number: u64,
    /// Seconds since the Unix epoch.
    pub at: f64,
    /// How much it weighs.
    pub level: Level,
    /// The node that was running.
    pub node: Option<String>,
    /// The stream: `stdout`, `stderr`, `log`, `warning`.
    pub stream: String,
    /// The level's own name, for log records.
    pub level_name: Option<String>,
    /// The logger's name, for log records.
    pub logger: Option<String>,
    /// The text, as written: untrusted.
    pub text: String,
}

/// What is new of a run: written all or not at all, and once only, however often it is sent.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The run as it stands; note, pin and log length are the store's own.
    pub record: &'a RunRecord,
    /// Number of the first entry among all of the run, from 1.
    pub first: u64,
    /// Events and lines of the log, in order.
    pub entries: &'a [Entry<'a>],
    /// Nodes that changed.
    pub nodes: &'a [NodeRecord],
    /// Datasets that were loaded or saved, or of which more is known.
    pub datasets: &'a [DatasetRecord],
}
