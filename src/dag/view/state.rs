//! Statuses of displayed vertices, single and summed.

use super::super::staleness::Freshness;

/// The state of a node in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// The node has not started.
    Waiting,
    /// The node has started.
    Running,
    /// The node finished without an error.
    Done,
    /// The node failed.
    Failed,
    /// The run ended before the node did.
    Stopped,
}

/// The status of a node, combined from its run and its freshness, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NodeStatus {
    /// The outputs are up to date.
    Fresh,
    /// The node finished without an error; its freshness is not known yet.
    Done,
    /// There is no known run of the node.
    NeverRun,
    /// The freshness can't be determined.
    Unknown,
    /// An ancestor is stale.
    StaleThrough,
    /// The node itself is stale.
    Stale,
    /// The node has not started in the current run.
    Waiting,
    /// The run ended before the node did.
    Stopped,
    /// The node is running.
    Running,
    /// The node failed.
    Failed,
}

impl NodeStatus {
    /// All statuses, from best to worst.
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

    /// The status of a node. A current run, or one that did not end well, takes precedence over freshness;
    /// after a successful run, freshness decides.
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

    /// The name of the status in filters.
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

    /// Severity, from 1; 0 is reserved for vertices without a status.
    pub fn rank(self) -> u8 {
        self as u8 + 1
    }

    /// The status with a rank.
    pub fn of_rank(rank: u8) -> Option<NodeStatus> {
        NodeStatus::ALL.get(usize::from(rank).checked_sub(1)?).copied()
    }
}

/// The number of nodes with each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    counts: [usize; NodeStatus::ALL.len()],
}

impl Sum {
    /// Number of nodes with a status.
    pub fn count(&self, state: NodeStatus) -> usize {
        self.counts[state as usize]
    }

    /// Total number of nodes.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The worst status that occurs.
    pub fn worst(&self) -> Option<NodeStatus> {
        self.counts().next().map(|(state, _)| state)
    }

    /// The statuses that occur with their counts, worst first.
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
