//! The program without a terminal: everything on the screen follows from one state.
//!
//! [`event`] is all that can happen, [`command`] all that a person can ask for, [`effect`] all that
//! is asked of the services, and [`update`](update::update) leads from one to the other without
//! I/O, without waiting and without a clock of its own. Start reading at [`state`].

pub mod areas;
pub mod catalog;
pub mod command;
pub mod comparison;
pub mod details;
pub mod disabled;
pub mod effect;
pub mod event;
pub mod graph;
pub mod history;
pub mod key;
pub mod keymap;
pub mod list;
pub mod log_view;
pub mod options;
pub mod parameters;
pub mod picker;
pub mod run;
pub mod settings;
pub mod state;
pub mod update;

pub use state::State;
pub use update::update;
