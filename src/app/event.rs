//! All that can happen: what a person does, and what the services report.

use std::collections::HashMap;
use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};

use super::effect::Generation;
use super::keymap::Keymap;
use super::screens::pipeline::Plot;
use super::settings::Settings;
use super::shared::TrackingReport;
use crate::dag::staleness::Freshness;
use crate::datasets;
use crate::project::python::highlight::Highlighted;
use crate::project::{Problem, Snapshot};
use crate::remote::Backend;
use crate::runs::history::{Comparison, Whole};
use crate::runs::{Failure, Stamped, Warmth};
use crate::store::{LogLine, Pruned, Room, RunId, RunRecord, Timing};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// The terminal got or lost the focus.
    Focus(bool),
    /// The program got SIGINT: another one asks for the end of the run that goes on.
    Interrupt,
    /// Time passed: seconds since the Unix epoch. Sent four times a second while something that
    /// shows time is on the screen.
    Tick(f64),
    /// A service reports.
    Report(Report),
}

/// What a service reports.
#[derive(Debug, Clone)]
pub enum Report {
    /// The static reading.
    Static {
        /// Of the request.
        generation: Generation,
        /// What was read, or why the project can't be opened at all.
        result: Result<Arc<Snapshot>, Problem>,
    },
    /// The exact reading began, with the interpreter that was chosen and why.
    ExactStarted {
        /// Of the request.
        generation: Generation,
        /// Path of the interpreter.
        python: String,
        /// Why this one.
        reason: String,
    },
    /// The exact reading.
    Exact {
        /// Of the request.
        generation: Generation,
        /// Kedro's answer, or why there is none.
        result: Result<Arc<Snapshot>, Failure>,
        /// Whether it comes from the store (no source changed since) and Python was not started.
        stored: bool,
    },
    /// Whether the project is trusted to be executed.
    Trust(bool),
    /// What is on disk of the datasets, by name.
    Datasets(HashMap<String, datasets::DatasetStatus>),
    /// Which nodes of a pipeline are out of date.
    Staleness {
        /// The pipeline.
        pipeline: String,
        /// The status of each node, by name.
        statuses: HashMap<String, Freshness>,
    },
    /// The pipeline was drawn; a better drawing of the same may follow.
    Drawn {
        /// Of the request.
        generation: Generation,
        /// The drawing.
        plot: Arc<Plot>,
    },
    /// A project file for display.
    Source {
        /// Path relative to the project's folder.
        file: String,
        /// Its text, or why it can't be read.
        result: Result<Arc<Highlighted>, String>,
    },
    /// Files changed.
    Changed {
        /// Source, configuration or project files, relative to the project's folder.
        files: Vec<String>,
        /// Whether the tracking store changed.
        tracking: bool,
    },
    /// The project's files can't be watched, or only by looking again and again.
    Watching(Result<(), String>),
    /// A run was accepted and has a number.
    RunStarted {
        /// Number of the request among [`super::effect::Effect::Run`]; none for a run of a grid.
        generation: Option<Generation>,
        /// The run.
        run: Box<RunRecord>,
    },
    /// A run could not be started.
    RunRefused {
        /// Number of the request; none for a run of a grid.
        generation: Option<Generation>,
        /// Why, and what to do.
        failure: Failure,
        /// Whether making the project's Python environment would help.
        needs_environment: bool,
    },
    /// A detached run began and has this number, or could not begin.
    Detached {
        /// Number of the request.
        generation: Generation,
        /// Its number, or why there is none.
        result: Result<RunId, String>,
    },
    /// Events of a run, in order.
    Run {
        /// The run.
        id: RunId,
        /// What happened.
        events: Vec<Stamped>,
    },
    /// All of a run that ended is in the store.
    RunStored,
    /// Another program, or a run of this one, has written to the history.
    HistoryChanged,
    /// Runs of the history, newest first.
    Runs {
        /// Of the request.
        generation: Generation,
        /// The runs.
        runs: Vec<RunRecord>,
    },
    /// All that is kept of a run but its log.
    RunRead(Box<Whole>),
    /// Lines of a run's log.
    Log {
        /// The run.
        run: RunId,
        /// Of the request.
        generation: Generation,
        /// The lines, in their order.
        lines: Vec<LogLine>,
    },
    /// How long nodes took in their last runs.
    Timings(HashMap<String, Timing>),
    /// Two runs were compared, or could not be.
    Compared {
        /// The runs.
        runs: (RunId, RunId),
        /// How they differ.
        result: Result<Box<Comparison>, String>,
    },
    /// What pruning to this room deletes.
    Prunable(Room, Pruned),
    /// The tracking store.
    Tracking(TrackingReport),
    /// Engines that the project is set up for.
    Backends(Vec<Backend>),
    /// A line of progress from making the Python environment.
    EnvironmentProgress(String),
    /// The Python environment is made, or why not.
    EnvironmentDone(Result<(), String>),
    /// Keymap, theme or user settings were loaded; problems name file, line and allowed values.
    Settings {
        /// The new settings; those with errors keep the last good value.
        settings: Box<Settings>,
        /// The keymap that they name.
        keymap: Box<Keymap>,
        /// Names of all themes.
        themes: Vec<String>,
        /// Names of all keymaps.
        keymaps: Vec<String>,
        /// What is wrong with the files.
        problems: Vec<Problem>,
    },
    /// How ready the worker is.
    Worker(Warmth),
    /// Something to tell, such as an editor that could not be started.
    Notice(String),
    /// Something that could not be done, and why.
    Failed(String),
}
