//! What the remote screen asks the engines for, and their answers.

use std::collections::HashMap;
use std::path::PathBuf;

use regex::Regex;

use crate::remote::model::{Deployed, LogLine, Mark, Run, RunId, Submission, Task};
use crate::remote::search::Hit;
use crate::remote::{Action, Airflow, Check, Engine};
use crate::runs::Failure;
use crate::store;
use crate::text::UserError;

/// A request to an engine, or to the service that holds the connections.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Search the logs of a run. A search that goes on ends.
    Search(Box<Search>),
    /// End the search that goes on.
    StopSearch,
    /// Read the profiles of the project for a run environment. Nothing is sent to an engine.
    Profiles(Option<String>),
    /// Look at the connection of this profile part by part, and list its pipelines.
    Check(String),
    /// Look again and again at what the screen shows, and at nothing else.
    Show(Option<Shown>),
    /// Start a run.
    Submit {
        /// The profile.
        profile: String,
        /// What to start.
        submission: Box<Submission>,
        /// Whether the engine's starts of the pipeline are resumed first.
        resume: bool,
    },
    /// Stop a run.
    Cancel(String, RunId),
    /// Run the failed tasks of a run once more.
    Retry(String, RunId),
    /// Set the state of a task, or of the run without one, by hand.
    Mark {
        /// The profile.
        profile: String,
        /// The run.
        id: RunId,
        /// The task.
        task: Option<Box<Task>>,
        /// The state.
        mark: Mark,
    },
    /// Stop or resume the engine's own starts of a pipeline.
    Pause(String, String, bool),
    /// Make the DAG file of a registered pipeline, and say what writing it changes, or write it.
    Deploy {
        /// The profile.
        profile: String,
        /// The registered pipeline.
        pipeline: String,
        /// The release line that reads the file.
        airflow: Airflow,
        /// Whether the file is written.
        write: bool,
    },
}

/// A search over the logs of a run.
#[derive(Debug, Clone)]
pub struct Search {
    /// The number of the search in this session. Answers bear it.
    pub number: u64,
    /// The profile.
    pub profile: String,
    /// The run.
    pub id: RunId,
    /// The tasks and their tries, in the order in which hits are wanted.
    pub tries: Vec<(Task, u32)>,
    /// What lines have to match.
    pub pattern: Regex,
}

impl PartialEq for Search {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

/// What the screen shows of an engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The profile.
    pub profile: String,
    /// What of it.
    pub what: What,
}

/// A thing on an engine that can be looked at again and again.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The newest runs.
    Runs {
        /// Of these deployed pipelines; of all if there are none.
        pipelines: Vec<String>,
        /// At most so many of each.
        limit: usize,
    },
    /// The pipelines on the engine, until those of the project are among them.
    Pipelines,
    /// A run with its tasks.
    Run(RunId),
    /// The log of a try of a task.
    Log {
        /// The run.
        id: RunId,
        /// The task.
        task: Box<Task>,
        /// The number of the try.
        attempt: u32,
    },
    /// The tasks of several runs, each of which is read once if it has ended.
    Grid(Vec<RunId>),
}

/// A profile as the screen shows it: without credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The engine.
    pub engine: Engine,
    /// The engine's address.
    pub url: String,
    /// Where the profile is written, as `FILE:LINE`.
    pub place: String,
    /// The folder that the engine reads its pipelines from.
    pub folder: Option<PathBuf>,
    /// The ids of the project's pipelines on the engine, by their names.
    pub pipelines: Vec<(String, String)>,
    /// What the engine can't do, with the reason.
    pub unable: Vec<(Action, &'static str)>,
    /// Why there can be no connection.
    pub broken: Option<String>,
}

/// What the project's history keeps of a run on an engine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KeptRun {
    /// Its number in the history.
    pub id: Option<store::RunId>,
    /// The pipeline by its name in the project.
    pub pipeline: String,
    /// The run environment.
    pub env: Option<String>,
    /// The nodes that each task holds, by the task's id.
    pub nodes: HashMap<String, Vec<String>>,
    /// The nodes that failed, with their exceptions.
    pub failures: Vec<(String, Failure)>,
}

/// An answer of an engine, or of the service that holds the connections.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The profiles of the project, and what is wrong with others.
    Profiles(Vec<Profile>, Vec<UserError>),
    /// The check of a connection, and the pipelines on the engine.
    Checked {
        /// The profile.
        profile: String,
        /// The parts of the check.
        checks: Vec<Check>,
        /// The pipelines; or why they can't be listed.
        pipelines: Result<Vec<Deployed>, String>,
    },
    /// The pipelines on the engine.
    Pipelines(String, Vec<Deployed>),
    /// Runs, newest first.
    Runs {
        /// The profile.
        profile: String,
        /// The runs.
        runs: Vec<Run>,
        /// Whether these are all there are.
        all: bool,
    },
    /// A run with its tasks.
    Run {
        /// The profile.
        profile: String,
        /// The run.
        run: Box<Run>,
        /// Its tasks.
        tasks: Vec<Task>,
    },
    /// What the history keeps of a run.
    Kept {
        /// The profile.
        profile: String,
        /// The run.
        id: RunId,
        /// What is kept.
        kept: Box<KeptRun>,
    },
    /// Lines that follow those read before.
    Log {
        /// The profile.
        profile: String,
        /// The run.
        id: RunId,
        /// The name of the task.
        task: String,
        /// The number of the try.
        attempt: u32,
        /// Whether these are the first lines.
        first: bool,
        /// The lines.
        lines: Vec<LogLine>,
        /// Whether the log has ended.
        ended: bool,
    },
    /// Lines of a log that match, or why it can't be read. The logs before it were searched.
    Found {
        /// The number of the search.
        search: u64,
        /// The place of the log among the tries of the search.
        place: usize,
        /// The lines.
        hits: Result<Vec<Hit>, String>,
    },
    /// A search has ended; with the reason if it could not begin.
    Searched(u64, Option<String>),
    /// Why what the screen shows can't be looked at now. It is looked at again later.
    Unanswered {
        /// The profile.
        profile: String,
        /// What was looked at.
        what: What,
        /// Why.
        why: String,
    },
    /// Something was done; with the run that it was done to.
    Done {
        /// The profile.
        profile: String,
        /// What was done, in a sentence.
        text: String,
        /// The run as it is now, for a run that was submitted.
        run: Option<Box<Run>>,
    },
    /// A DAG file was written.
    Written {
        /// The profile.
        profile: String,
        /// The registered pipeline.
        pipeline: String,
        /// The file.
        file: PathBuf,
        /// What is left to do, in a sentence, if anything.
        next: &'static str,
    },
    /// Something was not done.
    Refused(UserError),
    /// What writing a DAG file would change.
    Preview {
        /// The profile.
        profile: String,
        /// The registered pipeline.
        pipeline: String,
        /// The release line that reads the file.
        airflow: Airflow,
        /// The file.
        file: PathBuf,
        /// The text of a new file, or the difference to the present one; empty if there is none.
        change: String,
        /// Whether there is no such file yet.
        is_new: bool,
        /// What the user should know besides.
        warnings: Vec<String>,
    },
}
