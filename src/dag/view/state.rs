//! How displayed vertices stand, alone and summed up.

use super::super::staleness::Status;

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
pub enum State {
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

impl State {
    /// All states, from the best to the worst.
    pub const ALL: [State; 10] = [
        State::Fresh,
        State::Done,
        State::NeverRun,
        State::Unknown,
        State::StaleThrough,
        State::Stale,
        State::Waiting,
        State::Stopped,
        State::Running,
        State::Failed,
    ];

    /// How a node stands. A run that is going on, or that did not end well, tells more than staleness; after one that
    /// ended well, staleness tells whether that still holds.
    pub fn of(run: Option<RunState>, status: Option<&Status>) -> Self {
        match (run, status) {
            (Some(RunState::Waiting), _) => State::Waiting,
            (Some(RunState::Running), _) => State::Running,
            (Some(RunState::Failed), _) => State::Failed,
            (Some(RunState::Stopped), _) => State::Stopped,
            (_, Some(Status::Fresh)) => State::Fresh,
            (_, Some(Status::Stale { .. })) => State::Stale,
            (_, Some(Status::StaleThrough { .. })) => State::StaleThrough,
            (_, Some(Status::Unknown { .. })) => State::Unknown,
            (Some(RunState::Done), Some(Status::NeverRun) | None) => State::Done,
            (None, Some(Status::NeverRun) | None) => State::NeverRun,
        }
    }

    /// Its word, as the filter takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Fresh => "fresh",
            State::Done => "done",
            State::NeverRun => "never-run",
            State::Unknown => "unknown",
            State::StaleThrough => "stale-through",
            State::Stale => "stale",
            State::Waiting => "waiting",
            State::Stopped => "stopped",
            State::Running => "running",
            State::Failed => "failed",
        }
    }

    /// How bad it is, from 1; 0 is free for what has no state.
    pub fn rank(self) -> u8 {
        self as u8 + 1
    }

    /// The state of a rank.
    pub fn of_rank(rank: u8) -> Option<State> {
        State::ALL.get(usize::from(rank).checked_sub(1)?).copied()
    }
}

/// The states of several nodes in one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    counts: [usize; State::ALL.len()],
}

impl Sum {
    /// How many stand so.
    pub fn count(&self, state: State) -> usize {
        self.counts[state as usize]
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The worst state.
    pub fn worst(&self) -> Option<State> {
        self.counts().next().map(|(state, _)| state)
    }

    /// The states that occur with their counts, the worst first.
    pub fn counts(&self) -> impl Iterator<Item = (State, usize)> + '_ {
        let all = State::ALL.into_iter().zip(self.counts).rev();
        all.filter(|(_, count)| *count > 0)
    }
}

impl FromIterator<State> for Sum {
    fn from_iter<I: IntoIterator<Item = State>>(states: I) -> Self {
        let mut sum = Sum::default();
        states.into_iter().for_each(|state| sum.counts[state as usize] += 1);
        sum
    }
}
