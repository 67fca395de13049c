//! The program without a terminal: everything on the screen follows from one state.
//!
//! [`event`] is all that can happen, [`command`] all that a person can ask for, [`effect`] all that
//! the services are asked for. [`update`](update::update) leads from one to the other without I/O,
//! without waiting and without a clock of its own. Start reading at [`state`]; [`screens`] holds one
//! file or folder for each screen.

pub mod areas;
pub mod bar;
pub mod chart;
pub mod command;
pub mod control;
pub mod dialog;
pub mod disabled;
pub mod effect;
pub mod environment;
pub mod event;
pub mod filter;
pub mod key;
pub mod keymap;
pub mod list;
pub mod log_view;
pub mod notice;
pub mod options;
pub mod picker;
pub mod prompt;
pub mod queries;
pub mod remembered;
pub mod run;
pub mod screens;
pub mod settings;
pub mod shared;
pub mod sparkline;
pub mod state;
pub mod tab;
pub mod traceback;
pub mod undo;
pub mod update;
pub mod watch;
pub mod words;

pub use state::State;
pub use update::update;
