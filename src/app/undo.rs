//! The user's own edits on the screen that `undo` takes back: overrides, filters, marks, notes, views and deleted runs.

use std::collections::{BTreeSet, VecDeque};

use super::screens::experiments::columns::View;
use crate::runs::params::Params;
use crate::store::RunId;

/// The number of edits that can be taken back.
const KEPT: usize = 20;

/// An edit that can be taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// What was edited, as in "override of seed".
    pub text: String,
    /// What was there before.
    pub before: Before,
}

/// What was there before an edit.
#[derive(Debug, Clone, PartialEq)]
pub enum Before {
    /// All overrides.
    Overrides(Params),
    /// The filter of the graph.
    GraphFilter(String),
    /// The filter of the list of runs.
    RunsFilter(String),
    /// The filter of the catalog.
    CatalogFilter(String),
    /// The filter of the parameters.
    ParametersFilter(String),
    /// The filter of the tracked runs.
    ExperimentsFilter(String),
    /// The nodes marked for a run.
    MarkedNodes(BTreeSet<String>),
    /// The runs marked for a comparison.
    MarkedRuns(Vec<RunId>),
    /// The tracked runs marked for a comparison.
    MarkedTracked(Vec<String>),
    /// The saved view of this name, if there was one.
    SavedView(String, Option<Box<View>>),
    /// The note of a run.
    Note(RunId, Option<String>),
    /// A run that is no longer listed.
    DeletedRun(RunId),
}

/// The last edits, oldest first.
#[derive(Debug, Default)]
pub struct Edits {
    kept: VecDeque<Edit>,
}

impl Edits {
    /// Adds an edit. The oldest one is forgotten if there are too many.
    pub fn add(&mut self, text: impl Into<String>, before: Before) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Edit { text: text.into(), before });
    }

    /// Takes the last edit.
    pub fn take_last(&mut self) -> Option<Edit> {
        self.kept.pop_back()
    }

    /// Forgets the deleted runs, which are deleted for good.
    pub fn forget_deleted_runs(&mut self) {
        self.kept.retain(|edit| !matches!(edit.before, Before::DeletedRun(_)));
    }

    /// Whether there is no edit.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_twenty_edits_are_kept() {
        let mut edits = Edits::default();
        for number in 0..25 {
            edits.add(number.to_string(), Before::GraphFilter(String::new()));
        }
        let texts: Vec<String> =
            std::iter::from_fn(|| edits.take_last()).map(|edit| edit.text).collect();
        assert_eq!((texts.len(), texts[0].as_str(), texts[19].as_str()), (20, "24", "5"));
        assert!(edits.is_empty());
    }
}
