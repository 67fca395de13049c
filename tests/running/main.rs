//! Runs with real Kedro: the worker, the verbs, the history, and what kills and edits do to them.

#[path = "../common/mod.rs"]
mod common;

mod apart;
mod detached;
mod faults;
mod going;
mod grouping;
mod history;
mod kept;
mod lent;
mod parity;
mod staleness;
mod verbs;
mod warmth;
mod why;
mod worker;
