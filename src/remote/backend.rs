//! What an engine can be asked for.

use std::collections::HashMap;
use std::time::Duration;

use super::model::{Changes, Deployed, LogPage, Mark, Run, RunId, RunsQuery, Submission, Task};
use crate::text::UserError;

/// Something an engine may or may not be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// List deployed pipelines.
    Pipelines,
    /// List runs that were submitted earlier.
    Runs,
    /// Follow the tasks of a run.
    Tasks,
    /// Read the log of a task.
    Logs,
    /// Put a pipeline on the engine.
    Deploy,
    /// Start a run.
    Submit,
    /// Stop a run.
    Cancel,
    /// Run what failed once more.
    Retry,
    /// Set the state of a run or task by hand.
    Mark,
    /// Stop and resume the engine's own starts.
    Pause,
}

/// Why an engine did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// There was no answer, or none that is understood: the fate of the request is not known.
    #[error("{0}")]
    Unanswered(String),
    /// The engine wants other credentials.
    #[error("{0}")]
    Credentials(String),
    /// The engine does not permit it to this user.
    #[error("{0}")]
    Forbidden(String),
    /// What was asked for is not there, or no longer.
    #[error("{0}")]
    Missing(String),
    /// There is something in the way, such as a run with the same id.
    #[error("{0}")]
    Conflict(String),
    /// The engine refused it for another reason.
    #[error("{0}")]
    Refused(String),
    /// The engine can't do this at all.
    #[error("{0}")]
    Unable(&'static str),
}

impl From<RemoteError> for UserError {
    fn from(error: RemoteError) -> Self {
        error.to_string().into()
    }
}

/// A part of the check of a connection: what was looked at, and how it is, or what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at: `address`, `credentials`, `version`, `permissions`, or a part of the engine.
    pub what: &'static str,
    /// How it is, or what is wrong.
    pub found: Result<String, String>,
}

/// A connection to an engine. Each call is at least one request, waits for the answer, and repeats what can be
/// repeated safely.
pub trait Backend: Send {
    /// Whether the engine can do something; otherwise why not.
    ///
    /// # Errors
    /// Why it can't.
    fn can(&self, action: Action) -> Result<(), &'static str>;

    /// Looks at the connection part by part. A part that can't be looked at, because an earlier one failed, is left out.
    fn check(&self) -> Vec<Check>;

    /// The deployed pipelines, by id.
    ///
    /// # Errors
    /// When the engine does not answer, or refuses.
    fn pipelines(&self) -> Result<Vec<Deployed>, RemoteError>;

    /// Runs, newest first.
    ///
    /// # Errors
    /// When the engine does not answer, or refuses.
    fn runs(&self, query: &RunsQuery) -> Result<Vec<Run>, RemoteError>;

    /// A run as it is now.
    ///
    /// # Errors
    /// When the engine does not answer, or does not have it.
    fn run(&self, id: &RunId) -> Result<Run, RemoteError>;

    /// The tasks of a run, in the order in which they can run.
    ///
    /// # Errors
    /// When the engine does not answer, or does not have the run.
    fn tasks(&self, id: &RunId) -> Result<Vec<Task>, RemoteError>;

    /// The names of the nodes that each task of a deployed pipeline holds, by the task's id. Tasks that the engine says
    /// nothing about are left out; see [`super::plan::nodes_by_name`].
    ///
    /// # Errors
    /// When the engine does not answer, or does not have the pipeline.
    fn nodes(&self, _pipeline: &str) -> Result<HashMap<String, Vec<String>>, RemoteError> {
        Ok(HashMap::new())
    }

    /// What has changed since a time, in all runs or in those of one pipeline. The time is the engine's own: it comes from
    /// [`Changes::next`] of an earlier call. Without a time, only where to begin.
    ///
    /// # Errors
    /// When the engine does not answer, or refuses; [`RemoteError::Unable`] when it has nothing like it.
    fn changes(
        &self,
        _pipeline: Option<&str>,
        _since: Option<f64>,
    ) -> Result<Changes, RemoteError> {
        Err(RemoteError::Unable("This engine can't be asked what has changed."))
    }

    /// For how long the engine asked to be left alone, if it did so with its last refusal (`Retry-After`).
    fn rest(&self) -> Duration {
        Duration::ZERO
    }

    /// A part of the log of a try of a task: the first one, or the one that begins at `from`.
    ///
    /// # Errors
    /// When the engine does not answer, or has no such log.
    fn log(
        &self,
        id: &RunId,
        task: &Task,
        attempt: u32,
        from: Option<&str>,
    ) -> Result<LogPage, RemoteError>;

    /// Starts a run. The answer may have been lost after the engine took the request: then the run with this id is
    /// looked for, and no second one is started.
    ///
    /// # Errors
    /// When the engine refuses, or a run with this id was there before.
    fn submit(&self, submission: &Submission) -> Result<Run, RemoteError>;

    /// Stops a run.
    ///
    /// # Errors
    /// When the engine does not answer, or refuses.
    fn cancel(&self, id: &RunId) -> Result<(), RemoteError>;

    /// Runs the failed tasks of a run once more, and those after them. Returns the names of the tasks.
    ///
    /// # Errors
    /// When the engine does not answer, or refuses; when nothing has failed.
    fn retry(&self, id: &RunId) -> Result<Vec<String>, RemoteError>;

    /// Sets the state of a run or of one of its tasks by hand. The engine stops what runs, and decides what becomes of a marked
    /// run's other tasks.
    ///
    /// # Errors
    /// When the engine does not answer, or refuses; [`RemoteError::Unable`] when it has nothing like it.
    fn mark(&self, _id: &RunId, _task: Option<&Task>, _as: Mark) -> Result<(), RemoteError> {
        Err(RemoteError::Unable("This engine keeps no states that could be set."))
    }

    /// Stops or resumes the engine's own starts of a pipeline.
    ///
    /// # Errors
    /// When the engine does not answer, or refuses.
    fn pause(&self, pipeline: &str, paused: bool) -> Result<(), RemoteError>;
}
