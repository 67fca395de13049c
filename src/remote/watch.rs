//! Following many runs of one engine: each look asks only for what has changed since the look before.
//!
//! A run is also looked at by itself when it is new, when it ends, when a task appears, and in turn with the others. So a run
//! that vanished is noticed, and a change that the engine wrote much later than its time says is not lost.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use indexmap::IndexMap;

use super::backend::{Backend, RemoteError};
use super::follow::{Follower, News};
use super::model::RunId;
use crate::system::http::backoff;

/// From one look to the next: states are to be seen two seconds after the engine's.
const EVERY: Duration = Duration::from_millis(1_500);
/// The same when all runs have ended: a run can be started again elsewhere.
const IDLE: Duration = Duration::from_secs(10);
/// The least time for each request: fewer than five a second.
const EACH: Duration = Duration::from_millis(205);
/// The first pause while the engine does not answer.
const FIRST: Duration = Duration::from_millis(500);
/// The longest one.
const LOST: Duration = Duration::from_secs(60);
/// The longest time that an engine is left alone when it asks for it.
const REST: Duration = Duration::from_secs(15 * 60);
/// Requests of one look, so that the next one comes in time. Only the engine's changes may take more.
const MOST: usize = 8;
/// How often a run is looked at in vain before it waits for its turn.
const FAILURES: u32 = 3;
/// Tasks of one request.
const PAGE: usize = 100;

/// What a look has found.
#[derive(Debug, Default)]
pub struct Seen {
    /// What has changed: of each run first its tasks, then itself.
    pub news: Vec<(RunId, News)>,
    /// Runs that could not be looked at. Those that the engine no longer has ([`RemoteError::Missing`]) are not watched any
    /// more.
    pub failed: Vec<(RunId, RemoteError)>,
}

/// Runs that are followed over one connection.
#[derive(Debug, Default)]
pub struct Watcher {
    runs: IndexMap<RunId, Follower>,
    /// Runs to look at by themselves, the next one first.
    wanted: VecDeque<RunId>,
    /// The place of the run whose turn it is.
    turn: usize,
    /// The engine's time to ask from.
    since: Option<f64>,
    /// Whether the engine can't be asked for changes.
    is_single: bool,
    failures: u32,
    /// For how long the engine asked to be left alone.
    rest: Duration,
    /// How long the last look took, and in how many requests.
    cost: (Duration, usize),
}

impl Watcher {
    /// A watcher without runs.
    pub fn new() -> Self {
        Watcher::default()
    }

    /// Watches these runs, and no others. What is known of those that stay is kept.
    pub fn watch(&mut self, ids: impl IntoIterator<Item = RunId>) {
        let mut old = std::mem::take(&mut self.runs);
        for id in ids {
            let known = old.swap_remove(&id);
            if known.is_none() && !self.runs.contains_key(&id) {
                self.wanted.push_back(id.clone());
            }
            self.runs
                .entry(id.clone())
                .or_insert_with(|| known.unwrap_or_else(|| Follower::new(id)));
        }
        self.wanted.retain(|id| self.runs.contains_key(id));
    }

    /// A run that is watched, as it was at the last look.
    pub fn get(&self, id: &RunId) -> Option<&Follower> {
        self.runs.get(id)
    }

    /// Whether all runs have ended, as far as is known.
    pub fn is_idle(&self) -> bool {
        self.wanted.is_empty() && self.runs.values().all(Follower::is_over)
    }

    /// Looks at the engine, and returns what has changed since the last look.
    ///
    /// # Errors
    /// When the engine does not answer, or refuses. What was known stays, and the next look returns what was missed.
    pub fn look(&mut self, backend: &dyn Backend) -> Result<Seen, RemoteError> {
        let begin = Instant::now();
        let mut seen = Seen::default();
        let result = if self.runs.is_empty() { Ok(0) } else { self.changes(backend, &mut seen) };
        let result = result.map(|requests| self.singles(backend, requests, &mut seen));
        let is_lost = |error: &RemoteError| matches!(error, RemoteError::Unanswered(_));
        let are_lost = self.is_single && seen.failed.iter().any(|(_, error)| is_lost(error));
        let is_good = result.is_ok() && !are_lost;
        self.failures = if is_good { 0 } else { self.failures.saturating_add(1) };
        self.rest = if is_good { Duration::ZERO } else { backend.rest().min(REST) };
        self.cost = (begin.elapsed(), result.as_ref().copied().unwrap_or_default());
        result.map(|_| seen)
    }

    /// Asks for what has changed. Returns the number of requests.
    fn changes(&mut self, backend: &dyn Backend, seen: &mut Seen) -> Result<usize, RemoteError> {
        if self.is_single {
            return Ok(0);
        }
        let pipeline = self.runs.keys().next().map(|id| id.pipeline.as_str());
        let is_one = self.runs.keys().all(|id| Some(id.pipeline.as_str()) == pipeline);
        let changes = match backend.changes(pipeline.filter(|_| is_one), self.since) {
            Err(RemoteError::Unable(_)) => {
                self.is_single = true;
                return Ok(0);
            }
            // The pipeline was deleted, and its runs with it.
            Err(RemoteError::Missing(_)) => {
                self.wanted.extend(self.runs.keys().cloned());
                return Ok(1);
            }
            changes => changes?,
        };
        for (id, task) in changes.tasks {
            let Some(follower) = self.runs.get_mut(&id) else { continue };
            let is_new =
                !follower.tasks().iter().any(|one| (&one.id, one.index) == (&task.id, task.index));
            seen.news.extend(follower.take_task(task).map(|news| (id.clone(), news)));
            // Its place among the others, and whether it replaces one, is not known.
            if is_new {
                self.want(&id);
            }
        }
        for run in changes.runs {
            let id = run.id.clone();
            let Some(follower) = self.runs.get_mut(&id) else { continue };
            let news = follower.take_run(run);
            // Looked at once more, because its last tasks may have been written late.
            if news.is_some() && follower.is_over() {
                self.want(&id);
            }
            seen.news.extend(news.map(|news| (id, news)));
        }
        self.since = Some(changes.next);
        Ok(changes.requests)
    }

    fn want(&mut self, id: &RunId) {
        if !self.wanted.contains(id) {
            self.wanted.push_back(id.clone());
        }
    }

    /// Looks at single runs: those that are wanted, and the one whose turn it is, as far as the requests go. Returns the number of requests
    /// with those that were made before.
    fn singles(&mut self, backend: &dyn Backend, before: usize, seen: &mut Seen) -> usize {
        let mut requests = before;
        let turns = if self.is_single { self.runs.len() } else { 1 };
        self.take_turns(turns);
        while requests + 2 <= MOST
            && let Some(id) = self.wanted.pop_front()
        {
            let Some(follower) = self.runs.get_mut(&id) else { continue };
            let result = follower.look(backend);
            requests += 1 + follower.tasks().len().div_ceil(PAGE).max(1);
            match result {
                Ok(news) => seen.news.extend(news.into_iter().map(|one| (id.clone(), one))),
                Err(error) => {
                    let is_lost = matches!(error, RemoteError::Unanswered(_));
                    match error {
                        RemoteError::Missing(_) => drop(self.runs.shift_remove(&id)),
                        // One run that can't be read must not hold up the others: then it waits for its turn.
                        _ if follower.failures() < FAILURES => self.wanted.push_back(id.clone()),
                        _ => {}
                    }
                    seen.failed.push((id, error));
                    if is_lost {
                        break;
                    }
                }
            }
        }
        requests
    }

    /// Wants so many runs that have not ended, in turn, unless others are wanted.
    fn take_turns(&mut self, turns: usize) {
        if !self.wanted.is_empty() {
            return;
        }
        let first = self.turn;
        for step in 0..self.runs.len() {
            let place = (first + step) % self.runs.len();
            if self.wanted.len() < turns
                && let Some((id, follower)) = self.runs.get_index(place)
                && !follower.is_over()
            {
                self.wanted.push_back(id.clone());
                self.turn = place + 1;
            }
        }
    }

    /// How long to wait before the next look.
    pub fn pause(&self) -> Duration {
        let (took, requests) = self.cost;
        if self.failures > 0 {
            return backoff(FIRST, self.failures.min(10)).min(LOST).max(self.rest);
        }
        let every = if self.is_idle() { IDLE } else { EVERY };
        every.max(EACH * requests as u32).saturating_sub(took)
    }
}

#[cfg(test)]
mod tests;
