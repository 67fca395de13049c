//! What the update asks the services for. Each has an answer among [`super::event::Report`].

use crate::project::Place;
use crate::runs::RunRequest;
use crate::runs::params::Params;
use crate::store::{LogCursor, LogFilter, Room, RunFilter, RunId};

/// The number of a request of one kind; an answer that carries an older one is dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Generation(u64);

impl Generation {
    /// Counts a request, and gives its number.
    pub fn count(&mut self) -> Generation {
        self.0 += 1;
        *self
    }
}

impl From<u64> for Generation {
    fn from(number: u64) -> Self {
        Generation(number)
    }
}

/// A request to the outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// End the program.
    Quit,
    /// Give the terminal back to the shell (`ctrl-z`).
    Suspend,
    /// Redraw the whole screen.
    Redraw,
    /// Read the project's files.
    ReadStatic {
        /// Comes back with the answer.
        generation: Generation,
        /// Run environment; the project's default when `None`.
        env: Option<String>,
        /// Parameters that stand in the place of the files'.
        params: Params,
    },
    /// Ask Kedro. Only sent for a trusted project.
    ReadExact {
        /// Comes back with the answer.
        generation: Generation,
        /// Run environment.
        env: Option<String>,
        /// Parameters that stand in the place of the files'.
        params: Params,
    },
    /// Remember that this project may be executed.
    Trust,
    /// Look at the datasets on disk.
    StatDatasets,
    /// Tell which nodes of the pipeline are out of date.
    LookStale(String),
    /// Draw the shown pipeline as the state has it; the drawing that is under way is of no use any more.
    Draw(Generation),
    /// Read a project file for display.
    ReadSource {
        /// Path relative to the project's folder.
        file: String,
    },
    /// Run nodes.
    Run {
        /// Comes back with the answer.
        generation: Generation,
        /// What to run.
        request: Box<RunRequest>,
        /// How it was asked for.
        why: String,
    },
    /// Run the same nodes with several sets of parameters, some at a time.
    RunGrid {
        /// What to run.
        requests: Vec<RunRequest>,
        /// How it was asked for.
        why: String,
    },
    /// Open a Python prompt, or the debugger, in the context of a node; the screen steps aside.
    Debug {
        /// The node.
        node: String,
        /// Whether it runs, and the debugger opens where it fails.
        post_mortem: bool,
        /// Its pipeline, environment and parameters.
        request: Box<RunRequest>,
    },
    /// Run nodes in a program of their own that outlives this one.
    RunDetached {
        /// Comes back with the answer.
        generation: Generation,
        /// What to run.
        request: Box<RunRequest>,
    },
    /// Cancel a run of this program.
    Cancel(RunId),
    /// Cancel a run that another program records.
    CancelElsewhere(RunId),
    /// Load the runs that the filter takes.
    LoadRuns {
        /// Comes back with the runs.
        generation: Generation,
        /// Which runs.
        filter: Box<RunFilter>,
    },
    /// Read all that is kept of a run but its log.
    LoadRun(RunId),
    /// Read lines of a run's log.
    LoadLog {
        /// The run.
        run: RunId,
        /// Comes back with the lines.
        generation: Generation,
        /// Which lines.
        filter: LogFilter,
        /// Where they begin.
        from: LogCursor,
    },
    /// Load how long nodes took.
    LoadTimings,
    /// Compare two runs.
    Compare(RunId, RunId),
    /// Pin a run, or take its pin away.
    Pin(RunId, bool),
    /// Write a note to a run.
    Note(RunId, String),
    /// Delete a run.
    DeleteRun(RunId),
    /// Ask what pruning to this room deletes.
    Prunable(Room),
    /// Prune to this room.
    Prune(Room),
    /// Read the tracking store.
    LoadTracking,
    /// Make the project's Python environment.
    CreateEnvironment,
    /// Open the editor at a place; the screen steps aside.
    Edit(Place),
    /// Write the drawing to a file of that name, in the format that its ending says.
    Export(String),
    /// Copy to the clipboard (OSC 52).
    Copy(String),
    /// Read the user's settings, theme and keymap again.
    ReloadSettings,
    /// Load a theme by name for this session.
    SetTheme(String),
    /// Load a keymap by name for this session.
    SetKeymap(String),
}
