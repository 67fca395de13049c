//! Searching the logs of a run by a regular expression: all tasks and tries, several logs at a time.
//!
//! Hits come in the order of the tasks. Memory is bounded: the logs after the one whose hits are being handed out wait when
//! many of their hits are kept.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use regex::Regex;

use super::backend::{Backend, RemoteError};
use super::model::{LogLine, RunId, Task};
use crate::text::UserError;

/// Connections that read logs at the same time.
const CONNECTIONS: usize = 4;
/// Bytes of hits that are kept for later.
const KEPT: usize = 8 << 20;
/// Lines from which on another thread is worth its start.
const MANY: usize = 50_000;

/// The numbers of the lines that match, from 0.
pub fn matching(lines: &[LogLine], pattern: &Regex) -> Vec<usize> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let size = lines.len().div_ceil(threads).max(MANY);
    let part = |(number, part): (usize, &[LogLine])| -> Vec<usize> {
        // A copy of its own: threads that share a pattern wait for each other.
        let pattern = pattern.clone();
        let first = number * size;
        let hits = part.iter().enumerate().filter(|(_, line)| pattern.is_match(&line.text));
        hits.map(|(place, _)| first + place).collect()
    };
    if lines.len() <= size {
        return part((0, lines));
    }
    std::thread::scope(|scope| {
        let parts = lines.chunks(size).enumerate();
        let threads: Vec<_> = parts.map(|chunk| scope.spawn(move || part(chunk))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}

/// A line of a log that matches.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The number of the line within the log, from 0.
    pub number: usize,
    /// The line.
    pub line: LogLine,
}

/// Lines of a log that match, or why the log can't be read.
pub type Hits = Result<Vec<Hit>, RemoteError>;

/// Searches these tries of tasks of a run. `connect` makes a connection for each of a few threads. `found` is called with the place of
/// the try in `tries`, in their order, with the hits of each part of its log; it can stop the search.
///
/// # Errors
/// When no connection can be made.
pub fn search(
    connect: impl Fn() -> Result<Box<dyn Backend>, UserError>,
    id: &RunId,
    tries: &[(Task, u32)],
    pattern: &Regex,
    mut found: impl FnMut(usize, Hits) -> ControlFlow<()>,
) -> Result<(), UserError> {
    let connections: Vec<_> =
        (0..CONNECTIONS.min(tries.len())).map(|_| connect()).collect::<Result<_, _>>()?;
    let desk = Desk::default();
    std::thread::scope(|scope| {
        for backend in connections {
            let desk = &desk;
            scope.spawn(move || {
                while let Some(place) = desk.take(tries.len()) {
                    let (task, attempt) = &tries[place];
                    let mut first = 0;
                    read(&*backend, id, (task, *attempt), |lines| {
                        let count = lines.as_ref().map_or(0, Vec::len);
                        let hits = lines.map(|lines| select(first, lines, pattern));
                        first += count;
                        desk.put(place, hits)
                    });
                    desk.end(place);
                }
            });
        }
        for place in 0..tries.len() {
            while let Some(hits) = desk.next(place) {
                if found(place, hits).is_break() {
                    return desk.stop();
                }
            }
        }
    });
    Ok(())
}

/// The lines that match. The first one has the number `first`.
fn select(first: usize, lines: Vec<LogLine>, pattern: &Regex) -> Vec<Hit> {
    let hits = matching(&lines, pattern);
    let mut hits = hits.into_iter().peekable();
    let is_hit = |(place, _): &(usize, LogLine)| hits.next_if_eq(place).is_some();
    let hits = lines.into_iter().enumerate().filter(is_hit);
    hits.map(|(place, line)| Hit { number: first + place, line }).collect()
}

/// Hands out the parts of a log, until there are no more or `part` stops it. What a log that still grows gets later is not
/// waited for.
pub fn read(
    backend: &dyn Backend,
    id: &RunId,
    (task, attempt): (&Task, u32),
    mut part: impl FnMut(Result<Vec<LogLine>, RemoteError>) -> ControlFlow<()>,
) {
    let has_ended = attempt < task.attempt || task.state.phase.is_over();
    let mut from: Option<String> = None;
    loop {
        let (lines, next) = match backend.log(id, task, attempt, from.as_deref()) {
            Ok(page) => (Ok(page.lines), page.next),
            Err(error) => (Err(error), None),
        };
        if part(lines).is_break() || !has_ended || next.is_none() || next == from {
            return;
        }
        from = next;
    }
}

/// Where the threads leave hits until it is their turn.
#[derive(Default)]
struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The next try that no thread has taken.
    next: usize,
    /// The try whose hits are handed out.
    turn: usize,
    /// The hits of tries, and whether the log was read to its end.
    logs: BTreeMap<usize, (Vec<Hits>, bool)>,
    /// Bytes of all hits.
    kept: usize,
    is_stopped: bool,
}

fn size(hits: &Hits) -> usize {
    let hits = hits.iter().flatten();
    hits.map(|hit| hit.line.text.len() + size_of::<Hit>()).sum()
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// A try for a thread to read.
    fn take(&self, count: usize) -> Option<usize> {
        let mut state = self.lock();
        let place = (!state.is_stopped && state.next < count).then_some(state.next)?;
        state.next += 1;
        Some(place)
    }

    /// Leaves hits. Waits while much is kept, unless it is the turn of this try and all before was handed out.
    fn put(&self, place: usize, hits: Hits) -> ControlFlow<()> {
        let mut state = self.lock();
        let is_full = |state: &State| match state.turn == place {
            true => state.logs.get(&place).is_some_and(|(waiting, _)| !waiting.is_empty()),
            false => state.kept > KEPT,
        };
        while !state.is_stopped && is_full(&state) {
            state = self.wait(state);
        }
        if state.is_stopped {
            return ControlFlow::Break(());
        }
        state.kept += size(&hits);
        state.logs.entry(place).or_default().0.push(hits);
        self.changed.notify_all();
        ControlFlow::Continue(())
    }

    fn end(&self, place: usize) {
        self.lock().logs.entry(place).or_default().1 = true;
        self.changed.notify_all();
    }

    /// The next hits of a try; `None` after its end.
    fn next(&self, place: usize) -> Option<Hits> {
        let mut state = self.lock();
        state.turn = place;
        self.changed.notify_all();
        loop {
            let (waiting, has_ended) = state.logs.entry(place).or_default();
            if !waiting.is_empty() {
                let hits = waiting.remove(0);
                state.kept -= size(&hits);
                self.changed.notify_all();
                return Some(hits);
            }
            if *has_ended {
                state.logs.remove(&place);
                return None;
            }
            state = self.wait(state);
        }
    }

    fn stop(&self) {
        self.lock().is_stopped = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::backend::{Action, Check};
    use super::super::model::{Deployed, LogPage, Phase, Run, RunsQuery, State, Submission};
    use super::*;

    fn line(text: impl Into<String>) -> LogLine {
        LogLine { at: None, level: None, text: text.into() }
    }

    #[test]
    fn lines_match_each_by_itself_in_all_parts() {
        let lines: Vec<LogLine> =
            (0..MANY * 3 + 7).map(|number| line(number.to_string())).collect();
        let found = |pattern: &str| matching(&lines, &Regex::new(pattern).unwrap());
        let all = |wanted: fn(&usize) -> bool| (0..lines.len()).filter(wanted).collect::<Vec<_>>();
        assert_eq!(found("99$"), all(|number| number % 100 == 99));
        assert_eq!(found(r"\A7\z"), [7]);
        assert!(found(r"1\s").is_empty());
        assert_eq!(found(""), all(|_| true));
        assert!(matching(&[], &Regex::new("").unwrap()).is_empty());
    }

    /// Logs of so many parts, with a hit and a line that is none in each. The first task's log comes last.
    struct Logs {
        parts: usize,
        /// Bytes of each hit.
        size: usize,
        read: &'static AtomicUsize,
    }

    const UNABLE: RemoteError = RemoteError::Unable("it is a script");

    impl Backend for Logs {
        fn can(&self, _: Action) -> Result<(), &'static str> {
            Ok(())
        }
        fn check(&self) -> Vec<Check> {
            Vec::new()
        }
        fn pipelines(&self) -> Result<Vec<Deployed>, RemoteError> {
            Err(UNABLE)
        }
        fn runs(&self, _: &RunsQuery) -> Result<Vec<Run>, RemoteError> {
            Err(UNABLE)
        }
        fn run(&self, _: &RunId) -> Result<Run, RemoteError> {
            Err(UNABLE)
        }
        fn tasks(&self, _: &RunId) -> Result<Vec<Task>, RemoteError> {
            Err(UNABLE)
        }
        fn log(
            &self,
            _: &RunId,
            task: &Task,
            attempt: u32,
            from: Option<&str>,
        ) -> Result<LogPage, RemoteError> {
            if task.id == "lost" {
                return Err(RemoteError::Missing("no log".into()));
            }
            if task.id == "0" {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            self.read.fetch_add(1, Ordering::Relaxed);
            let part: usize = from.map_or(0, |from| from.parse().unwrap());
            let hit = format!("hit {} {attempt} {part} {}", task.id, "x".repeat(self.size));
            let next = (part + 1 < self.parts).then(|| (part + 1).to_string());
            Ok(LogPage { lines: vec![line("other"), line(hit)], next })
        }
        fn submit(&self, _: &Submission) -> Result<Run, RemoteError> {
            Err(UNABLE)
        }
        fn cancel(&self, _: &RunId) -> Result<(), RemoteError> {
            Err(UNABLE)
        }
        fn retry(&self, _: &RunId) -> Result<Vec<String>, RemoteError> {
            Err(UNABLE)
        }
        fn pause(&self, _: &str, _: bool) -> Result<(), RemoteError> {
            Err(UNABLE)
        }
    }

    fn tries(ids: &[&str]) -> Vec<(Task, u32)> {
        let task = |id: &&str| Task {
            id: (*id).to_owned(),
            index: None,
            state: State { name: "success".into(), phase: Phase::Succeeded },
            attempt: 2,
            attempts: 2,
            started: None,
            ended: None,
            host: None,
        };
        ids.iter().flat_map(|id| [(task(id), 1), (task(id), 2)]).collect()
    }

    /// Searches, and returns the hits' first words, and how many parts were read when the first one was handed out, and in all.
    fn hits(ids: &[&str], parts: usize, size: usize, most: usize) -> (Vec<String>, usize, usize) {
        let read = &*Box::leak(Box::new(AtomicUsize::new(0)));
        let connect = || Ok(Box::new(Logs { parts, size, read }) as Box<dyn Backend>);
        let id = RunId { pipeline: "p".into(), run: "r".into() };
        let (mut found, mut first) = (Vec::new(), 0);
        let pattern = Regex::new("^hit").unwrap();
        search(connect, &id, &tries(ids), &pattern, |place, hits| {
            if found.is_empty() {
                // Time for the others to read as much as they may.
                std::thread::sleep(std::time::Duration::from_millis(100));
                first = read.load(Ordering::Relaxed);
            }
            match hits {
                Ok(hits) => found.extend(hits.iter().map(|hit| {
                    let text = hit.line.text[4..9].trim();
                    // Each part has a line before the hit.
                    let part = hit.number / 2;
                    assert!(hit.number % 2 == 1 && hit.line.text.contains(&format!(" {part} ")));
                    text.to_owned()
                })),
                Err(error) => found.push(format!("{place}: {error}")),
            }
            if found.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .unwrap();
        (found, first, read.load(Ordering::Relaxed))
    }

    #[test]
    fn hits_come_in_the_order_of_tasks_tries_and_parts() {
        let (found, first, _) = hits(&["0", "1", "lost", "3"], 2, 10, usize::MAX);
        let log = |id: &str| ["1 0", "1 1", "2 0", "2 1"].map(|rest| format!("{id} {rest}"));
        let lost = ["4: no log", "5: no log"].map(str::to_owned);
        let wanted = [log("0").to_vec(), log("1").to_vec(), lost.to_vec(), log("3").to_vec()];
        assert_eq!(found, wanted.concat());
        assert!(first > 4, "several logs are read at a time: {first}");
    }

    #[test]
    fn few_hits_are_kept_and_a_search_can_be_stopped() {
        let (found, first, read) = hits(&["0", "1", "2"], 100, 1 << 20, 30);
        assert_eq!(found.len(), 30);
        // Eight of them fill what may be kept; each thread has one more in its hands.
        assert!((8..=8 + 2 * CONNECTIONS).contains(&first), "{first}");
        assert!(read < 60, "{read}");
    }
}
