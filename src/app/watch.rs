//! Watch mode: each save runs what it made stale.

use std::collections::HashSet;

use super::shared::Shared;
use crate::dag::Slice;
use crate::dag::staleness::Freshness;

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

impl Watch {
    /// The nodes that a save has made stale, or that are new.
    pub(super) fn due(&self, shared: &Shared) -> Vec<String> {
        let Some(pipeline) = shared.shown_pipeline() else { return Vec::new() };
        // A marked node that was renamed or removed has nothing below it.
        let from: Vec<String> = (self.from.iter())
            .filter(|name| pipeline.nodes.iter().any(|node| node.name == **name))
            .cloned()
            .collect();
        if from.is_empty() && !self.from.is_empty() {
            return Vec::new();
        }
        let slice = Slice { from_nodes: from, ..Slice::default() };
        let is_due = |name: &String| match shared.project.staleness.get(name) {
            Some(Freshness::Stale { .. } | Freshness::StaleThrough { .. }) => true,
            Some(Freshness::NeverRun) => !self.known.contains(name),
            Some(Freshness::Fresh | Freshness::Unknown { .. }) | None => false,
        };
        slice.apply(pipeline).unwrap_or_default().into_iter().filter(is_due).collect()
    }
}
