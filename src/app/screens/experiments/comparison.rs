//! Runs that are compared in a file.

use super::ExperimentsScreen;
use super::columns::Choices;
use crate::app::shared::Shared;
use crate::tracking::Overview;
use crate::tracking::entities::Run;

/// Most runs of one comparison.
pub const MOST_RUNS: usize = 100;

/// Runs that are compared in a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// The store with these runs alone.
    pub overview: Overview,
    /// What the user has chosen: which values of metrics are best.
    pub choices: Choices,
    /// Seconds since the Unix epoch.
    pub now: f64,
    /// How many more runs there would be.
    pub left_out: usize,
}

impl Comparison {
    /// The first [`MOST_RUNS`] of some runs of a store, with all of their columns.
    pub fn of<'r>(
        overview: &Overview,
        runs: impl IntoIterator<Item = &'r Run>,
        choices: &Choices,
        now: f64,
    ) -> Self {
        let mut runs: Vec<Run> = runs.into_iter().cloned().collect();
        let left_out = runs.len().saturating_sub(MOST_RUNS);
        runs.truncate(MOST_RUNS);
        let (source, experiments) = (overview.source.clone(), overview.experiments.clone());
        let choices = Choices { all: true, goals: choices.goals.clone(), ..Choices::default() };
        let overview = Overview { source, runs, experiments, models: Vec::new() };
        Comparison { overview, choices, now, left_out }
    }

    /// What was left out, in words; empty if nothing was.
    pub fn excess(&self) -> String {
        match self.left_out {
            0 => String::new(),
            more => format!("The first {MOST_RUNS} of {} runs.", MOST_RUNS + more),
        }
    }
}

impl ExperimentsScreen {
    /// The runs of the page, else the marked runs, else those of the table.
    pub fn comparison(&self, shared: &Shared) -> Option<Comparison> {
        let overview = shared.tracked()?;
        let by_id = |id: &String| overview.runs.iter().find(|run| run.id == *id);
        let runs: Vec<&Run> = match (&self.page, self.marked.as_slice()) {
            (Some(page), _) => page.found(overview).collect(),
            (None, []) => {
                self.table.rows.iter().filter_map(|row| overview.runs.get(row.run)).collect()
            }
            (None, marked) => marked.iter().filter_map(by_id).collect(),
        };
        let comparison = Comparison::of(overview, runs, &self.choices, shared.now);
        Some(comparison).filter(|comparison| !comparison.overview.runs.is_empty())
    }
}
