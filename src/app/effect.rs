//! What the update asks the services for. Each effect has an answer among [`super::event::Report`].

use super::remembered::Remembered;
use super::screens::experiments::comparison::Comparison;
use super::screens::remote::asked::Ask;
use crate::project::Place;
use crate::runs::RunRequest;
use crate::runs::debug::Prompt;
use crate::runs::params::Params;
use crate::store::{LogCursor, LogFilter, PruneLimits, RunFilter, RunId, RunPair};
use crate::tracking::entities::Run;
use crate::tracking::preview;

/// What happens with the pipeline runs that made tracked runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// The run is shown.
    Show,
    /// It is run again.
    Again,
    /// Two runs are compared.
    Compare,
}

/// The number of a request of one kind. An answer that carries an older number is dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Generation(u64);

impl Generation {
    /// Counts one more request and returns its number.
    pub fn count(&mut self) -> Generation {
        self.0 += 1;
        *self
    }
}

/// Identifies a run of this program while it goes on. A run that can't be recorded has a key, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RunKey(u64);

impl RunKey {
    /// The key of the next run.
    #[must_use]
    pub fn next(self) -> RunKey {
        RunKey(self.0 + 1)
    }
}

impl From<u64> for RunKey {
    fn from(number: u64) -> Self {
        RunKey(number)
    }
}

impl From<u64> for Generation {
    fn from(number: u64) -> Self {
        Generation(number)
    }
}

/// A request to the services or to the event loop.
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
        /// The number of the request, which the answer repeats.
        generation: Generation,
        /// Run environment; the project's default when `None`.
        env: Option<String>,
        /// Parameters that override those of the files.
        params: Params,
    },
    /// Let Kedro itself read the project. Only sent for a trusted project.
    ReadExact {
        /// The number of the request, which the answer repeats.
        generation: Generation,
        /// Run environment.
        env: Option<String>,
        /// Parameters that override those of the files.
        params: Params,
    },
    /// Remember that this project may be executed.
    Trust,
    /// Look up the datasets' files on disk.
    StatDatasets,
    /// Compute which nodes of this pipeline are out of date.
    LookStale(String),
    /// Draw the shown pipeline. A drawing that is under way is cancelled.
    Draw(Generation),
    /// Read a project file for display.
    ReadSource {
        /// Path relative to the project's folder.
        file: String,
    },
    /// Run nodes.
    Run {
        /// The number of the request, which the answer repeats.
        generation: Generation,
        /// What to run.
        request: Box<RunRequest>,
        /// Which command asked for the run.
        why: String,
    },
    /// Run the same nodes with several sets of parameters, a few runs at a time.
    RunGrid {
        /// What to run.
        requests: Vec<RunRequest>,
        /// Which command asked for the run.
        why: String,
    },
    /// Open a Python prompt, or the debugger, in the context of a node. It takes the terminal meanwhile. The
    /// request has the node's pipeline, environment and parameters.
    Debug(Prompt, Box<RunRequest>),
    /// Run nodes in a background process that outlives this program.
    RunDetached {
        /// The number of the request, which the answer repeats.
        generation: Generation,
        /// What to run.
        request: Box<RunRequest>,
    },
    /// Cancel a run of this program.
    Cancel(RunKey),
    /// Cancel a run that another program runs.
    CancelElsewhere(RunId),
    /// Load the runs that match a filter.
    LoadRuns {
        /// The number of the request, which the answer repeats.
        generation: Generation,
        /// Which runs.
        filter: Box<RunFilter>,
    },
    /// Load the runs that go on, and these.
    LoadGoingOn(Vec<RunId>),
    /// Read everything stored about a run except its log.
    LoadRun(RunId),
    /// Read lines of a run's log.
    LoadLog {
        /// The run.
        run: RunId,
        /// The number of the request, which the answer repeats.
        generation: Generation,
        /// Which lines.
        filter: LogFilter,
        /// Where they begin.
        from: LogCursor,
    },
    /// Find the next line of a run's log that matches, or the previous one. The search goes on at the other end.
    FindInLog {
        /// The run.
        run: RunId,
        /// The number of the request, which the answer repeats.
        generation: Generation,
        /// What the line matches.
        filter: LogFilter,
        /// Where the search begins.
        from: LogCursor,
    },
    /// Load the durations of nodes in earlier runs.
    LoadTimings,
    /// Compare two runs.
    Compare(RunPair),
    /// Pin a run, or remove the pin.
    Pin(RunId, bool),
    /// Write a note about a run.
    Note(RunId, String),
    /// Delete a run.
    DeleteRun(RunId),
    /// Ask what pruning to these limits would delete.
    Prunable(PruneLimits),
    /// Prune the history to these limits.
    Prune(PruneLimits),
    /// Find the pipeline runs that made tracked runs.
    FindPipelineRuns(Vec<Run>, Made),
    /// Read all values of metrics: ids of runs and names of metrics.
    LoadCurves(Vec<(String, String)>),
    /// Read the datasets and the logged models of the run with this id.
    LoadBelongings(String),
    /// List a folder among a run's artifacts; the empty path is the uppermost one.
    LoadArtifacts {
        /// The id of the run.
        run: String,
        /// The path of the folder.
        folder: String,
    },
    /// Read a file among a run's artifacts for its preview.
    LoadPreview(preview::Request),
    /// Read the tracking store.
    LoadTracking,
    /// Ask an engine for something. Whatever is sent to an engine is asked for a trusted project alone.
    Remote(Box<Ask>),
    /// Make the project's Python environment.
    CreateEnvironment,
    /// Stop making it.
    CancelEnvironment,
    /// Open the editor at a place. It takes the terminal meanwhile.
    Edit(Place),
    /// Write the drawing to this file, in the format of its ending.
    Export(String),
    /// Read the curves of runs, and write the comparison as HTML to this file.
    WriteComparison(String, Box<Comparison>),
    /// Keep the look of the screen for the next session.
    Remember(Box<Remembered>),
    /// Copy to the clipboard (OSC 52).
    Copy(String),
    /// Notify the user outside of the screen, in the ways that the settings name.
    Notify(String),
    /// Read the user's settings, theme and keymap again.
    ReloadSettings,
    /// Load a theme by name, to be seen while it is chosen.
    SetTheme(String),
    /// Load a theme by name, now and at the next start.
    ChooseTheme(String),
    /// Load a keymap by name, now and at the next start.
    ChooseKeymap(String),
}
