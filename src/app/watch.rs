//! Watch mode: each save runs what it made stale.

use std::collections::HashSet;

/// What watch mode runs.
#[derive(Debug, Clone)]
pub struct Watch {
    /// The marked nodes: they and the nodes below them are run. All nodes if empty.
    pub from: Vec<String>,
    /// The nodes at the beginning; one that has no run yet is run only if it is new.
    pub(super) known: HashSet<String>,
    /// Whether a file was saved since the last run.
    pub(super) saved: bool,
}
