//! What the end-to-end tests share.

#![allow(dead_code, reason = "each test file uses a part")]

pub mod app;
pub mod contrast;
pub mod graphs;
pub mod history;
pub mod project;
pub mod python;
pub mod run;
pub mod terminal;

/// The id of a run.
pub fn run_id(number: i64) -> mlops_tui::store::RunId {
    mlops_tui::store::RunId::new(number).unwrap()
}
