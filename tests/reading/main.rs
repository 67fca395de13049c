//! How a project is read without running it, compared with Kedro; the drawing of its pipelines; and the floors of the
//! program's own sources.

#[path = "../common/mod.rs"]
mod common;

mod config_differential;
mod evaluator;
mod floors;
mod layout;
mod mistakes;
mod readings;
