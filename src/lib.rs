//! `mlops-tui`: a terminal workbench for data scientists who use Kedro.
//!
//! The folder listing is the architecture. From the ground up: [`text`] and [`system`]; [`store`] and [`project`];
//! then [`dag`], [`datasets`] and [`tracking`]; then [`runs`] and [`remote`]; then [`app`], the
//! program without a terminal; then [`ui`], which draws it; and at the top [`tui`] and [`cli`]. A
//! floor uses only the floors below it (`tests/reading/floors.rs` holds this).

#![warn(clippy::unwrap_used)]
// These macros panic if the reader is gone; `system::say` does not.
#![deny(clippy::print_stdout, clippy::print_stderr)]

#[cfg(not(unix))]
compile_error!("mlops-tui runs on Linux and macOS; on Windows, use WSL.");

pub mod app;
pub mod cli;
pub mod dag;
pub mod datasets;
pub mod project;
pub mod remote;
pub mod runs;
pub mod store;
pub mod system;
pub mod text;
pub mod tracking;
pub mod tui;
pub mod ui;
