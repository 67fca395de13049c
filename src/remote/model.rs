//! Runs, tasks and logs of engines, in the same words for every engine. Times are seconds since the Unix epoch.

use serde_json::Value as Json;

/// What a state means, whatever the engine calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It does not run yet, and nothing is wrong.
    Waiting,
    /// It runs.
    Running,
    /// It failed or was put off, and will be tried again by the engine.
    Retrying,
    /// It ended well.
    Succeeded,
    /// It ended with an error, or was stopped by hand.
    Failed,
    /// It did not run, because something before it failed.
    UpstreamFailed,
    /// It did not run, because it was not needed.
    Skipped,
    /// The engine uses a word that is not known here.
    Unknown,
    /// The engine can't say any more what becomes of it; it may still go on.
    Lost,
}

impl Phase {
    /// Whether nothing more will be known of it unless somebody acts.
    pub fn is_over(self) -> bool {
        matches!(
            self,
            Phase::Succeeded | Phase::Failed | Phase::UpstreamFailed | Phase::Skipped | Phase::Lost
        )
    }
}

/// A state under the engine's own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The engine's name for it, such as `up_for_retry`.
    pub name: String,
    /// What it means.
    pub phase: Phase,
}

/// Which run is meant: engines number runs within a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    /// The deployed pipeline: an Airflow DAG id, or the name of a registered pipeline.
    pub pipeline: String,
    /// The run's id in that pipeline.
    pub run: String,
}

/// A pipeline that is deployed on the engine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Deployed {
    /// Its id on the engine.
    pub id: String,
    /// Whether the engine starts no runs of it: they wait until it is resumed.
    pub paused: bool,
    /// When the engine starts runs by itself, in its own words.
    pub schedule: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether the file it comes from can't be read at present.
    pub broken: bool,
    /// The names of its parameters with their defaults.
    pub params: Vec<(String, Json)>,
}

/// A run on an engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Which run it is.
    pub id: RunId,
    /// Its state.
    pub state: State,
    /// When it was submitted.
    pub queued: Option<f64>,
    /// When its first task began.
    pub started: Option<f64>,
    /// When it ended.
    pub ended: Option<f64>,
    /// Why it runs, in the engine's words: `manual`, `scheduled`, `backfill`.
    pub kind: String,
    /// Parameters it was submitted with.
    pub conf: Json,
    /// A note that somebody added.
    pub note: Option<String>,
    /// What went wrong, if the engine says so with the run.
    pub error: Option<String>,
}

/// A task of a run, at its latest try.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its id within the run.
    pub id: String,
    /// Its number among those that one task was expanded to (Airflow: mapped tasks).
    pub index: Option<u32>,
    /// Its state.
    pub state: State,
    /// The number of its latest try, from 1; 0 before the first one.
    pub attempt: u32,
    /// How many tries the engine makes by itself.
    pub attempts: u32,
    /// When the latest try began.
    pub started: Option<f64>,
    /// When the latest try ended.
    pub ended: Option<f64>,
    /// Where it runs.
    pub host: Option<String>,
}

impl Task {
    /// The task's name for people: the id, with the number if it has one.
    pub fn name(&self) -> String {
        match self.index {
            Some(index) => format!("{}[{index}]", self.id),
            None => self.id.clone(),
        }
    }

    /// Seconds that the latest try took, or has taken until `now`.
    pub fn took(&self, now: f64) -> Option<f64> {
        Some((self.ended.unwrap_or(now) - self.started?).max(0.0))
    }
}

/// What has changed on an engine since a time. A run or task may be among it that has not changed: engines tell by
/// when they wrote a row last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// The runs as they are now.
    pub runs: Vec<Run>,
    /// The tasks as they are now. They were read after the runs.
    pub tasks: Vec<(RunId, Task)>,
    /// The time to ask from the next time, by the engine's clock.
    pub next: f64,
    /// How many requests it took.
    pub requests: usize,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// When it was written, if the engine says so.
    pub at: Option<f64>,
    /// Its level in lower case, such as `error`.
    pub level: Option<String>,
    /// The text, without line breaks.
    pub text: String,
}

/// A part of the log of a try.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogPage {
    /// The lines, oldest first.
    pub lines: Vec<LogLine>,
    /// Where the next part begins, as the engine wants it back; `None` if there can't be more.
    pub next: Option<String>,
}

/// What to submit.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The deployed pipeline.
    pub pipeline: String,
    /// The id that the run is to have. The same id twice is one run, so a lost answer is asked for again safely.
    pub id: String,
    /// Parameters; an object.
    pub conf: Json,
    /// A note to keep with the run.
    pub note: Option<String>,
}

/// An id for a new run: the time, and some random digits.
pub fn new_run_id() -> String {
    let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%S").to_string();
    format!("mlops-tui__{time}__{:08x}", getrandom::u32().unwrap_or_default())
}

/// A state that is set by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// As if it had ended well.
    Succeeded,
    /// As if it had failed. What runs is stopped.
    Failed,
}

/// Which runs to list, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunsQuery {
    /// Only runs of this pipeline.
    pub pipeline: Option<String>,
    /// Only runs in these states, under the engine's names; all if empty.
    pub states: Vec<String>,
    /// At most so many; all if 0.
    pub limit: usize,
}
