//! What the update asks the services for. Each has an answer among [`super::event::Report`].

use super::event::Generation;
use crate::project::Place;
use crate::runs::RunRequest;
use crate::store::RunId;

/// A request to the outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// End the program.
    Quit,
    /// Give the terminal back to the shell (`ctrl-z`).
    Suspend,
    /// Draw the whole screen anew.
    Redraw,
    /// Read the project's files.
    ReadStatic {
        /// Comes back with the answer.
        generation: Generation,
        /// Run environment; the project's default when `None`.
        env: Option<String>,
    },
    /// Ask Kedro. Only sent for a trusted project.
    ReadExact {
        /// Comes back with the answer.
        generation: Generation,
        /// Run environment.
        env: Option<String>,
    },
    /// Remember that this project may be executed.
    Trust,
    /// Look at the datasets on disk.
    StatDatasets,
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
    /// Cancel a run.
    Cancel(RunId),
    /// Load the run history.
    LoadRuns,
    /// Load a run's events.
    LoadRunEvents(RunId),
    /// Read the tracking store.
    LoadTracking,
    /// Make the project's Python environment.
    CreateEnvironment,
    /// Open the editor at a place; the screen steps aside.
    Edit(Place),
    /// Copy to the clipboard (OSC 52).
    Copy(String),
    /// Read the user's settings, theme and keymap again.
    ReloadSettings,
    /// Load a theme by name for this session.
    SetTheme(String),
    /// Load a keymap by name for this session.
    SetKeymap(String),
}
