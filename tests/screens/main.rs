//! The screens without a terminal: events go in, effects and drawn screens come out.

#[path = "../common/mod.rs"]
mod common;

mod artifacts;
mod experiments;
mod exports;
mod filters;
mod fit;
mod graph;
mod long_names;
mod remembered;
mod remote;
mod runs_screen;
mod sessions;
mod undo;
mod watch;
