//! What happens in a run: the lines of the worker's protocol, of the store, and of `run --json`.

use crate::text::secrets::redact;
use serde::{Deserialize, Serialize};

use crate::store::now;

/// An event with the time at which it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// Seconds since the Unix epoch.
    pub at: f64,
    /// What happened.
    #[serde(flatten)]
    pub event: RunEvent,
}

impl Stamped {
    /// A line that this program adds to the log of a run, now.
    pub fn log(level: &str, logger: Option<&str>, text: String) -> Self {
        let event = RunEvent::Output {
            node: None,
            stream: Stream::Log,
            level: Some(level.to_owned()),
            logger: logger.map(str::to_owned),
            text,
            partial: false,
        };
        Stamped { at: now(), event }
    }
}

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The project is loaded and the nodes to run are known.
    RunStarted {
        /// Name of the pipeline.
        pipeline: String,
        /// The run environment.
        env: String,
        /// Names of the nodes to run in topological order.
        nodes: Vec<String>,
        /// Kedro's version.
        kedro_version: String,
        /// The runner's class name.
        runner: String,
        /// What served the run.
        #[serde(default)]
        worker: Served,
    },
    /// A node begins.
    NodeStarted {
        /// Its name.
        node: String,
    },
    /// A node ended well.
    NodeFinished {
        /// Its name.
        node: String,
        /// How long it took, loading and saving included, in seconds.
        seconds: f64,
    },
    /// A node failed.
    NodeFailed {
        /// Its name.
        node: String,
        /// How long it took, in seconds.
        seconds: f64,
        /// Why.
        failure: Failure,
    },
    /// A dataset was loaded.
    DatasetLoaded {
        /// Its name, transcoding kept.
        dataset: String,
        /// The node that asked for it.
        node: Option<String>,
        /// How long it took, in seconds.
        seconds: f64,
    },
    /// A dataset was saved.
    DatasetSaved {
        /// Its name, transcoding kept.
        dataset: String,
        /// The node that made it.
        node: Option<String>,
        /// How long it took, in seconds.
        seconds: f64,
    },
    /// A dataset that lives in memory only was kept for later runs.
    DatasetKept {
        /// Its name, transcoding stripped.
        dataset: String,
        /// The node that made it.
        node: String,
        /// Name of the file: the hash of what it holds.
        file: String,
        /// Its size.
        bytes: u64,
        /// How long keeping it took, in seconds.
        seconds: f64,
    },
    /// A dataset that lives in memory only could not be kept.
    DatasetNotKept {
        /// Its name, transcoding stripped.
        dataset: String,
        /// The node that made it.
        node: String,
        /// Why: what can't be pickled, or is too large.
        reason: String,
    },
    /// What is tracked goes to this run of MLflow.
    Tracked {
        /// Its id.
        run: String,
    },
    /// A line that the project's code printed or logged.
    Output {
        /// The node that was running; `None` before, between and after nodes.
        node: Option<String>,
        /// Where it was written.
        stream: Stream,
        /// Level of a log record (`INFO`, ...).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<String>,
        /// Name of the logger.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        logger: Option<String>,
        /// One line without its end, as written: untrusted.
        text: String,
        /// Whether the line rewrites itself (a progress bar) and goes on: the next line of the same
        /// node and stream takes its place.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        partial: bool,
    },
    /// The run ended well.
    RunFinished {
        /// How long it took, in seconds.
        seconds: f64,
    },
    /// The run failed: a node did, or the project could not be loaded.
    RunFailed {
        /// Why.
        failure: Failure,
    },
    /// The run was cancelled.
    RunCancelled,
    /// The worker ended without saying so: it was killed or crashed.
    RunLost {
        /// What is known of it, such as `killed by signal 9`.
        reason: String,
    },
}

impl RunEvent {
    /// Whether it is the last event of a run.
    pub fn ends_run(&self) -> bool {
        matches!(
            self,
            RunEvent::RunFinished { .. }
                | RunEvent::RunFailed { .. }
                | RunEvent::RunCancelled
                | RunEvent::RunLost { .. }
        )
    }
}

/// What served a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Served {
    /// A Python process of its own.
    #[default]
    Fresh,
    /// A fork of a process that had imported installed packages ahead.
    Warm,
}

impl Served {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Served::Fresh => "fresh",
            Served::Warm => "warm",
        }
    }
}

/// Where a line of output was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Python's `logging`.
    Log,
    /// Python's `warnings`.
    Warning,
}

/// A Python exception.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Failure {
    /// Class name with its module, such as `builtins.ValueError`.
    pub kind: String,
    /// Its message.
    pub message: String,
    /// The traceback as Python prints it.
    pub traceback: String,
    /// Its frames, outermost first.
    pub frames: Vec<Frame>,
}

impl RunEvent {
    /// Removes secrets from what an exception says.
    pub(super) fn redact(&mut self) {
        if let RunEvent::NodeFailed { failure, .. } | RunEvent::RunFailed { failure } = self {
            failure.message = redact(&failure.message);
            failure.traceback = redact(&failure.traceback);
        }
    }
}

impl Failure {
    /// The innermost frame in the project's own code: the line to look at first.
    pub fn project_frame(&self) -> Option<&Frame> {
        self.frames.iter().rev().find(|frame| frame.in_project)
    }
}

/// One frame of a traceback.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Frame {
    /// Path, relative to the project's folder where it lies inside.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Function name.
    pub function: String,
    /// Whether it is the project's own code.
    pub in_project: bool,
}
