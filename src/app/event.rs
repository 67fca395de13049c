//! All events: user input, signals, time, and reports of the services.

use std::collections::HashMap;
use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};

use super::effect::{Generation, Made, RunKey};
use super::keymap::Keymap;
use super::screens::experiments::artifacts::Listed;
use super::screens::experiments::curves::ReadCurve;
use super::screens::pipeline::Plot;
use super::screens::remote::asked::Answer;
use super::settings::Settings;
use super::shared::{Available, TrackingReport};
use crate::dag::staleness::Freshness;
use crate::datasets;
use crate::project::python::highlight::Highlighted;
use crate::project::{Problem, Snapshot};
use crate::remote::Found;
use crate::runs::history::{Comparison, Whole};
use crate::runs::{Failure, Stamped, Warmth};
use crate::store::{LogLine, NodeRecord, PruneLimits, Pruned, RunId, RunPair, RunRecord, Timing};
use crate::text::UserError;
use crate::tracking::Belongings;
use crate::tracking::entities::{Point, Run};
use crate::tracking::preview::{self, Preview};

/// An event of the loop.
#[derive(Debug, Clone)]
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal's size changed to these columns and rows.
    Resize(u16, u16),
    /// The terminal got or lost the focus.
    Focus(bool),
    /// The program received SIGINT from another process, which asks to cancel the run.
    Interrupt,
    /// The time, in seconds since the Unix epoch. Sent four times a second while something that
    /// shows time is on the screen, else three times a minute.
    Tick(f64),
    /// A service reports.
    Report(Report),
}

/// An answer or a notification of a service.
#[derive(Debug, Clone)]
pub enum Report {
    /// The static reading.
    Static {
        /// The number of the request.
        generation: Generation,
        /// The snapshot, or why the project can't be opened at all.
        result: Result<Arc<Snapshot>, Problem>,
    },
    /// The exact reading began, with the interpreter that was chosen and why.
    ExactStarted {
        /// The number of the request.
        generation: Generation,
        /// Path of the interpreter.
        python: String,
        /// Why this interpreter was chosen.
        reason: String,
    },
    /// The exact reading.
    Exact {
        /// The number of the request.
        generation: Generation,
        /// Kedro's answer, or the failure.
        result: Result<Arc<Snapshot>, Failure>,
        /// Whether the answer comes from the store, because no source has changed since; Python was not started then.
        stored: bool,
    },
    /// Whether the project is trusted to be executed.
    Trust(bool),
    /// The status of the datasets' files, by dataset.
    Datasets(HashMap<String, datasets::DatasetStatus>),
    /// Which nodes of a pipeline are out of date.
    Staleness {
        /// The pipeline.
        pipeline: String,
        /// The status of each node, by name.
        statuses: HashMap<String, Freshness>,
    },
    /// The pipeline was drawn. A better drawing of the same request may follow.
    Drawn {
        /// The number of the request.
        generation: Generation,
        /// The drawing.
        plot: Arc<Plot>,
    },
    /// A project file for display.
    Source {
        /// Path relative to the project's folder.
        file: String,
        /// The text of the file, or why it can't be read.
        result: Result<Arc<Highlighted>, UserError>,
    },
    /// Files changed.
    Changed {
        /// The changed source, configuration or project files, relative to the project's folder.
        files: Vec<String>,
        /// Whether the tracking store changed.
        tracking: bool,
    },
    /// Whether the project's files can be watched; the error says why not.
    Watching(Result<(), UserError>),
    /// A run was accepted and has a number.
    RunStarted {
        /// Number of the request among [`super::effect::Effect::Run`]; none for a run of a grid.
        generation: Option<Generation>,
        /// The key of the run in later reports.
        key: RunKey,
        /// The run.
        run: Box<RunRecord>,
    },
    /// A run could not be started.
    RunRefused {
        /// Number of the request; none for a run of a grid.
        generation: Option<Generation>,
        /// The reason, with the remedy.
        failure: Failure,
        /// Whether making the project's Python environment would help.
        needs_environment: bool,
    },
    /// A detached run began, or could not begin.
    Detached {
        /// Number of the request.
        generation: Generation,
        /// The number of the run if it is recorded, or why it could not begin.
        result: Result<Option<RunId>, UserError>,
    },
    /// Events of a run, in order.
    Run {
        /// The run.
        key: RunKey,
        /// What happened.
        events: Vec<Stamped>,
    },
    /// A run that ended is completely in the store.
    RunStored,
    /// Another program, or a run of this one, wrote to the history.
    HistoryChanged,
    /// Runs of the history, newest first.
    Runs {
        /// The number of the request.
        generation: Generation,
        /// The runs.
        runs: Vec<RunRecord>,
        /// The number of all runs, whether they match or not.
        total: usize,
    },
    /// The line of a log that a search found; `None` if no line has the text.
    LogFound {
        /// The run.
        run: RunId,
        /// The number of the request.
        generation: Generation,
        /// The number of the line.
        line: Option<u64>,
    },
    /// The runs that go on, of this program and of others, and those that were asked for, with their nodes.
    GoingOn(Vec<(RunRecord, Vec<NodeRecord>)>),
    /// Everything stored about a run except its log.
    RunRead(Box<Whole>),
    /// Lines of a run's log.
    Log {
        /// The run.
        run: RunId,
        /// The number of the request.
        generation: Generation,
        /// The lines in order.
        lines: Vec<LogLine>,
    },
    /// How long nodes took in their last runs.
    Timings(HashMap<String, Timing>),
    /// Two runs were compared, or could not be.
    Compared {
        /// The runs.
        runs: RunPair,
        /// How they differ.
        result: Result<Box<Comparison>, UserError>,
    },
    /// What pruning to these limits would delete.
    Prunable(PruneLimits, Pruned),
    /// The tracking store.
    Tracking(TrackingReport),
    /// The pipeline runs that made tracked runs: the name of each tracked run, and the newest run of the history that made
    /// it; or why the history can't be read.
    PipelineRuns(Result<Vec<(String, Option<RunRecord>)>, String>, Made),
    /// All values of metrics.
    Curves(Vec<ReadCurve>),
    /// The datasets and the logged models of the run with this id; or why they can't be read.
    Belongings(String, Result<Box<Belongings>, String>),
    /// The entries of a folder among a run's artifacts.
    Artifacts {
        /// The id of the run.
        run: String,
        /// The path of the folder.
        folder: String,
        /// Its entries, or why it can't be listed.
        listed: Listed,
    },
    /// The preview of an artifact.
    Preview(preview::Request, Preview),
    /// Tracked runs that are new or have changed.
    TrackedRuns {
        /// The runs as they are now.
        runs: Vec<Run>,
        /// New values: id of the run, name of the metric, value.
        points: Vec<(String, String, Point)>,
    },
    /// An engine answers.
    Remote(Box<Answer>),
    /// Engines that the project is set up for.
    Backends(Vec<Found>),
    /// A line of progress from making the Python environment.
    EnvironmentProgress(String),
    /// The Python environment is made, or why not.
    EnvironmentDone(Result<(), UserError>),
    /// Settings, theme or keymap were loaded. Each problem names the file, the line and the allowed values.
    Settings {
        /// The new settings. A setting with an error keeps its last good value.
        settings: Box<Settings>,
        /// The keymap that they name.
        keymap: Box<Keymap>,
        /// The names of all themes and keymaps.
        available: Available,
        /// Errors in the files.
        problems: Vec<Problem>,
    },
    /// The state of the worker.
    Worker(Warmth),
    /// A message for the bar.
    Notice(String),
    /// An error message for the bar.
    Failed(String),
}
