//! How displayed vertices stand, alone and summed up.

use super::super::staleness::Freshness;

/// How a node stands in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// It has not begun.
    Waiting,
    /// It has begun.
    Running,
    /// It ended well.
    Done,
    /// It failed.
    Failed,
    /// The run ended before it did.
    Stopped,
}

/// How a node stands, by its run and by what is known of its outputs; the order is from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NodeStatus {
    /// What it made follows from what is there now.
    Fresh,
    /// It ended well; whether that still holds is not known.
    Done,
    /// No run of it is known.
    NeverRun,
    /// Whether it is out of date can't be told.
    Unknown,
    /// A node that it follows from is stale.
    StaleThrough,
    /// It is stale itself.
    Stale,
    /// It has not begun in the run that is going on.
    Waiting,
    /// The run ended before it did.
    Stopped,
    /// It is running.
    Running,
    /// It failed.
    Failed,
}

impl NodeStatus {
    /// All states, from the best to the worst.
    pub const ALL: [NodeStatus; 10] = [
        NodeStatus::Fresh,
        NodeStatus::Done,
        NodeStatus::NeverRun,
        NodeStatus::Unknown,
        NodeStatus::StaleThrough,
        NodeStatus::Stale,
        NodeStatus::Waiting,
        NodeStatus::Stopped,
        NodeStatus::Running,
        NodeStatus::Failed,
    ];

    /// How a node stands. A run that is going on, or that did not end well, tells more than staleness; after one that
    /// ended well, staleness tells whether that still holds.
    pub fn of(run: Option<RunState>, status: Option<&Freshness>) -> Self {
        match (run, status) {
            (Some(RunState::Waiting), _) => NodeStatus::Waiting,
            (Some(RunState::Running), _) => NodeStatus::Running,
            (Some(RunState::Failed), _) => NodeStatus::Failed,
            (Some(RunState::Stopped), _) => NodeStatus::Stopped,
            (_, Some(Freshness::Fresh)) => NodeStatus::Fresh,
            (_, Some(Freshness::Stale { .. })) => NodeStatus::Stale,
            (_, Some(Freshness::StaleThrough { .. })) => NodeStatus::StaleThrough,
            (_, Some(Freshness::Unknown { .. })) => NodeStatus::Unknown,
            (Some(RunState::Done), Some(Freshness::NeverRun) | None) => NodeStatus::Done,
            (None, Some(Freshness::NeverRun) | None) => NodeStatus::NeverRun,
        }
    }

    /// Its word, as the filter takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            NodeStatus::Fresh => "fresh",
            NodeStatus::Done => "done",
            NodeStatus::NeverRun => "never-run",
            NodeStatus::Unknown => "unknown",
            NodeStatus::StaleThrough => "stale-through",
            NodeStatus::Stale => "stale",
            NodeStatus::Waiting => "waiting",
            NodeStatus::Stopped => "stopped",
            NodeStatus::Running => "running",
            NodeStatus::Failed => "failed",
        }
    }

    /// How bad it is, from 1; 0 is free for what has no state.
    pub fn rank(self) -> u8 {
        self as u8 + 1
    }

    /// The state of a rank.
    pub fn of_rank(rank: u8) -> Option<NodeStatus> {
        NodeStatus::ALL.get(usize::from(rank).checked_sub(1)?).copied()
    }
}

/// The states of several nodes in one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    counts: [usize; NodeStatus::ALL.len()],
}

impl Sum {
    /// How many stand so.
    pub fn count(&self, state: NodeStatus) -> usize {
        self.counts[state as usize]
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The worst state.
    pub fn worst(&self) -> Option<NodeStatus> {
        self.counts().next().map(|(state, _)| state)
    }

    /// The states that occur with their counts, the worst first.
    pub fn counts(&self) -> impl Iterator<Item = (NodeStatus, usize)> + '_ {
        let all = NodeStatus::ALL.into_iter().zip(self.counts).rev();
        all.filter(|(_, count)| *count > 0)
    }
}

impl FromIterator<NodeStatus> for Sum {
    fn from_iter<I: IntoIterator<Item = NodeStatus>>(states: I) -> Self {
        let mut sum = Sum::default();
        states.into_iter().for_each(|state| sum.counts[state as usize] += 1);
        sum
    }
}
