//! The events of a run: the lines of the worker's protocol, of the store, and of `run --json`.

use crate::text::secrets::redact;
use serde::{Deserialize, Serialize};

use crate::store::now;

/// An event with the time at which it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// Seconds since the Unix epoch.
    pub at: f64,
    /// The event itself.
    #[serde(flatten)]
    pub event: RunEvent,
}

impl Stamped {
    /// A line that this program adds to a run's log; the time is now.
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
        /// Name of the run environment, such as `base`.
        env: String,
        /// Names of the nodes to run in topological order.
        nodes: Vec<String>,
        /// Kedro's version, such as `1.2.0`.
        kedro_version: String,
        /// The runner's class name.
        runner: String,
        /// Which kind of process served the run.
        #[serde(default)]
        worker: Served,
    },
    /// A node started.
    NodeStarted {
        /// Name of the node.
        node: String,
    },
    /// A node finished without an error.
    NodeFinished {
        /// Name of the node.
        node: String,
        /// Duration in seconds, loading and saving included.
        seconds: f64,
    },
    /// A node failed.
    NodeFailed {
        /// Name of the node.
        node: String,
        /// Duration in seconds.
        seconds: f64,
        /// The exception.
        failure: Failure,
    },
    /// A dataset was loaded.
    DatasetLoaded {
        /// Name of the dataset, transcoding kept.
        dataset: String,
        /// The node that loads the dataset.
        node: Option<String>,
        /// Duration in seconds.
        seconds: f64,
    },
    /// A dataset was saved.
    DatasetSaved {
        /// Name of the dataset, transcoding kept.
        dataset: String,
        /// The node whose output the dataset is.
        node: Option<String>,
        /// Duration in seconds.
        seconds: f64,
    },
    /// An in-memory dataset was kept for later runs.
    DatasetKept {
        /// Name of the dataset, transcoding stripped.
        dataset: String,
        /// The node whose output the dataset is.
        node: String,
        /// Name of the file: the hash of its content.
        file: String,
        /// Size of the file in bytes.
        bytes: u64,
        /// How long keeping the dataset took, in seconds.
        seconds: f64,
    },
    /// An in-memory dataset could not be kept.
    DatasetNotKept {
        /// Name of the dataset, transcoding stripped.
        dataset: String,
        /// The node whose output the dataset is.
        node: String,
        /// The reason: the object can't be pickled, or is too large.
        reason: String,
    },
    /// The run logs to an MLflow run.
    Tracked {
        /// Id of the MLflow run.
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
        /// One line without its line end, as the project's code wrote it: untrusted.
        text: String,
        /// Whether the line rewrites itself (a progress bar) and is not complete: the next line of the same
        /// node and stream replaces it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        partial: bool,
    },
    /// The run finished without an error.
    RunFinished {
        /// Duration in seconds.
        seconds: f64,
    },
    /// The run failed: a node failed, or the project could not be loaded.
    RunFailed {
        /// The exception.
        failure: Failure,
    },
    /// The run was cancelled.
    RunCancelled,
    /// The worker ended without a last event: it was killed or crashed.
    RunLost {
        /// How the process ended, such as `killed by signal 9`.
        reason: String,
    },
}

impl RunEvent {
    /// Whether this is the last event of a run.
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

/// Which kind of process served a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Served {
    /// A Python process of its own.
    #[default]
    Fresh,
    /// A fork of a process that had already imported the installed packages.
    Warm,
}

impl Served {
    /// The name in JSON: `fresh` or `warm`.
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
    /// The exception's message.
    pub message: String,
    /// The traceback as Python prints it.
    pub traceback: String,
    /// The traceback's frames, outermost first.
    pub frames: Vec<Frame>,
}

impl RunEvent {
    /// Removes secrets from the exception's message and traceback.
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
    /// Path of the file; relative if it is in the project's folder.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Function name.
    pub function: String,
    /// Whether the file is the project's own code.
    pub in_project: bool,
}
