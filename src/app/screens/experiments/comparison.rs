//! Runs that are compared in a file.

use super::columns::Choices;
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
