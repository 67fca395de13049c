//! The watcher against an engine in memory, whose rows are seen later than they were written.

use std::cell::{Cell, RefCell};

use super::super::backend::{Action, Check};
use super::super::model::{
    Changes, Deployed, LogPage, Phase, Run, RunsQuery, State, Submission, Task,
};
use super::*;

const UNABLE: RemoteError = RemoteError::Unable("it is a script");

/// A row of the engine: a run, or one of its tasks.
#[derive(Clone)]
struct Row {
    run: usize,
    task: Option<usize>,
    attempt: u32,
    /// When it was written, and from when it is seen.
    written: f64,
    seen: f64,
}

/// An engine in memory. Each change of a row raises its try; a run has ended when its try is [`END`].
#[derive(Default)]
struct Memory {
    clock: Cell<f64>,
    rows: RefCell<Vec<Row>>,
    has_changes: bool,
    is_lost: Cell<bool>,
    gone: Cell<Option<usize>>,
    requests: Cell<usize>,
}

const END: u32 = 1_000;

fn id(run: usize) -> RunId {
    RunId { pipeline: format!("p{}", run % 3), run: run.to_string() }
}

impl Memory {
    fn of(runs: usize, tasks: usize) -> Self {
        let memory = Memory { has_changes: true, clock: Cell::new(100.0), ..Memory::default() };
        for run in 0..runs {
            memory.write(run, None, 1, 0.0);
            (0..tasks).for_each(|task| memory.write(run, Some(task), 1, 0.0));
        }
        memory
    }

    /// Writes a row that is seen only some seconds later.
    fn write(&self, run: usize, task: Option<usize>, attempt: u32, later: f64) {
        let written = self.clock.get();
        let row = Row { run, task, attempt, written, seen: written + later };
        self.rows.borrow_mut().push(row);
    }

    fn pass(&self, seconds: f64) {
        self.clock.set(self.clock.get() + seconds);
    }

    /// The rows that are seen, the latest of each run and task.
    fn seen(&self) -> Vec<Row> {
        let mut latest = IndexMap::new();
        for row in self.rows.borrow().iter().filter(|row| row.seen <= self.clock.get()) {
            if self.gone.get() != Some(row.run) {
                latest.insert((row.run, row.task), row.clone());
            }
        }
        latest.into_values().collect()
    }

    fn answer(&self) -> Result<(), RemoteError> {
        self.requests.set(self.requests.get() + 1);
        match self.is_lost.get() {
            true => Err(RemoteError::Unanswered("no answer".into())),
            false => Ok(()),
        }
    }
}

fn run(row: &Row) -> Run {
    let phase = if row.attempt == END { Phase::Succeeded } else { Phase::Running };
    Run {
        id: id(row.run),
        state: State { name: row.attempt.to_string(), phase },
        queued: None,
        started: None,
        ended: None,
        kind: String::new(),
        conf: serde_json::Value::Null,
        note: None,
        error: None,
    }
}

fn task(row: &Row) -> Task {
    Task {
        id: row.task.unwrap().to_string(),
        index: None,
        state: State { name: "running".into(), phase: Phase::Running },
        attempt: row.attempt,
        attempts: 1,
        started: None,
        ended: None,
        host: None,
    }
}

impl Backend for Memory {
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
    fn run(&self, id: &RunId) -> Result<Run, RemoteError> {
        self.answer()?;
        let rows = self.seen();
        let found = rows.iter().find(|row| row.task.is_none() && row.run.to_string() == id.run);
        found.map(run).ok_or(RemoteError::Missing("gone".into()))
    }
    fn tasks(&self, id: &RunId) -> Result<Vec<Task>, RemoteError> {
        self.answer()?;
        let rows = self.seen();
        let own = rows.iter().filter(|row| row.task.is_some() && row.run.to_string() == id.run);
        Ok(own.map(task).collect())
    }
    fn changes(&self, pipeline: Option<&str>, since: Option<f64>) -> Result<Changes, RemoteError> {
        if !self.has_changes {
            return Err(UNABLE);
        }
        self.answer()?;
        let next = self.clock.get() - 5.0;
        let Some(since) = since else {
            return Ok(Changes { next, requests: 1, ..Changes::default() });
        };
        let mut rows = self.seen();
        rows.retain(|row| row.written >= since);
        rows.retain(|row| pipeline.is_none_or(|one| id(row.run).pipeline == one));
        let (tasks, runs): (Vec<Row>, Vec<Row>) =
            rows.into_iter().partition(|row| row.task.is_some());
        Ok(Changes {
            runs: runs.iter().map(run).collect(),
            tasks: tasks.iter().map(|row| (id(row.run), task(row))).collect(),
            next,
            requests: 2,
        })
    }
    fn rest(&self) -> Duration {
        Duration::from_secs(90)
    }
    fn log(&self, _: &RunId, _: &Task, _: u32, _: Option<&str>) -> Result<LogPage, RemoteError> {
        Err(UNABLE)
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

/// The news of a look: run, task if it is one, and try.
fn look(watcher: &mut Watcher, memory: &Memory) -> Vec<(usize, Option<usize>, u32)> {
    let seen = watcher.look(memory).unwrap();
    let text = |(id, news): (RunId, News)| {
        let run = id.run.parse().unwrap();
        match news {
            News::Run(one) => (run, None, one.state.name.parse().unwrap()),
            News::Task(task) => (run, Some(task.id.parse().unwrap()), task.attempt),
        }
    };
    seen.news.into_iter().map(text).collect()
}

/// A watcher that knows all runs.
fn watcher(memory: &Memory, runs: usize) -> Watcher {
    let mut watcher = Watcher::new();
    watcher.watch((0..runs).map(id));
    while !watcher.wanted.is_empty() {
        look(&mut watcher, memory);
        memory.pass(1.5);
    }
    watcher
}

#[test]
fn a_change_of_any_run_is_told_once_and_tasks_before_their_run() {
    let memory = Memory::of(6, 2);
    let mut watcher = Watcher::new();
    watcher.watch((0..6).map(id));
    let mut first: Vec<_> = (0..3).flat_map(|_| look(&mut watcher, &memory)).collect();
    first.sort();
    let all = (0..6).flat_map(|run| [None, Some(0), Some(1)].map(|task| (run, task, 1)));
    assert_eq!(first, all.collect::<Vec<_>>());
    memory.pass(1.5);
    assert_eq!(look(&mut watcher, &memory), []);
    memory.write(4, None, END, 0.0);
    memory.write(4, Some(1), 2, 0.0);
    memory.write(9, Some(1), 2, 0.0);
    assert_eq!(look(&mut watcher, &memory), [(4, Some(1), 2), (4, None, END)]);
    for _ in 0..8 {
        memory.pass(1.5);
        assert_eq!(look(&mut watcher, &memory), []);
    }
    assert!(watcher.get(&id(4)).unwrap().is_over() && !watcher.is_idle());
}

#[test]
fn nothing_is_lost_or_doubled_over_failures_and_absences() {
    let (runs, tasks) = (12, 4);
    let memory = Memory::of(runs, tasks);
    let mut watcher = watcher(&memory, runs);
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 20) % below
    };
    let mut attempts = vec![vec![1; tasks]; runs];
    let mut told = std::collections::HashSet::new();
    for step in 0..400 {
        for _ in 0..next(20) {
            let (run, task) = (next(runs as u64) as usize, next(tasks as u64) as usize);
            attempts[run][task] += 1;
            memory.write(run, Some(task), attempts[run][task], next(50) as f64 / 12.0);
            memory.pass(0.01);
        }
        memory.pass(if step % 50 == 49 { 7_200.0 } else { 1.5 });
        memory.is_lost.set(next(4) == 0);
        match memory.is_lost.get() {
            true => assert!(watcher.look(&memory).is_err()),
            false => {
                for news in look(&mut watcher, &memory) {
                    assert!(told.insert(news), "{news:?} twice");
                }
            }
        }
    }
    memory.is_lost.set(false);
    memory.pass(4.5);
    look(&mut watcher, &memory);
    for (run, attempts) in attempts.iter().enumerate() {
        let known: Vec<u32> =
            watcher.get(&id(run)).unwrap().tasks().iter().map(|task| task.attempt).collect();
        assert_eq!(&known, attempts, "run {run}");
    }
}

#[test]
fn what_is_written_very_late_is_found_in_turn() {
    let memory = Memory::of(5, 1);
    let mut watcher = watcher(&memory, 5);
    memory.write(3, Some(0), 2, 60.0);
    memory.pass(120.0);
    let told: Vec<_> = (0..5)
        .flat_map(|_| {
            memory.pass(1.5);
            // Its row is older than what is asked for.
            watcher.since = Some(memory.clock.get());
            look(&mut watcher, &memory)
        })
        .collect();
    assert_eq!(told, [(3, Some(0), 2)]);
}

#[test]
fn a_run_that_vanished_is_told_and_left() {
    let memory = Memory::of(4, 1);
    let mut watcher = watcher(&memory, 4);
    memory.gone.set(Some(2));
    let failed: Vec<_> = (0..8).flat_map(|_| watcher.look(&memory).unwrap().failed).collect();
    assert!(
        matches!(&failed[..], [(gone, RemoteError::Missing(_))] if *gone == id(2)),
        "{failed:?}"
    );
    assert!(watcher.get(&id(2)).is_none() && watcher.get(&id(3)).is_some());
}

#[test]
fn an_engine_without_changes_is_looked_at_run_by_run() {
    let memory = Memory { has_changes: false, ..Memory::of(8, 1) };
    let mut watcher = watcher(&memory, 8);
    memory.write(1, None, END, 0.0);
    memory.write(7, Some(0), 2, 0.0);
    let told: Vec<_> = (0..2).flat_map(|_| look(&mut watcher, &memory)).collect();
    assert_eq!(told, [(1, None, END), (7, Some(0), 2)]);
    let before = memory.requests.get();
    look(&mut watcher, &memory);
    assert_eq!(memory.requests.get() - before, 8, "four runs in a look");
}

#[test]
fn runs_are_added_and_left() {
    let memory = Memory::of(3, 1);
    let mut watcher = watcher(&memory, 2);
    watcher.watch([id(1), id(2)]);
    assert_eq!(look(&mut watcher, &memory), [(2, Some(0), 1), (2, None, 1)]);
    memory.write(0, Some(0), 2, 0.0);
    memory.write(1, Some(0), 2, 0.0);
    assert_eq!(look(&mut watcher, &memory), [(1, Some(0), 2)]);
    watcher.watch([]);
    let before = memory.requests.get();
    assert_eq!(look(&mut watcher, &memory), []);
    assert_eq!(memory.requests.get(), before);
}

#[test]
fn pauses_keep_to_five_requests_a_second_and_to_what_the_engine_asks_for() {
    let memory = Memory::of(200, 4);
    let mut watcher = Watcher::new();
    watcher.watch((0..200).map(id));
    let (mut time, looks) = (Duration::ZERO, 70);
    for _ in 0..looks {
        look(&mut watcher, &memory);
        let pause = watcher.pause();
        assert!(pause <= Duration::from_millis(1_640), "{pause:?}");
        // What the look took is a part of the time.
        time += pause + watcher.cost.0;
    }
    assert!(watcher.wanted.is_empty());
    let rate = memory.requests.get() as f64 / time.as_secs_f64();
    assert!(rate < 5.0, "{rate} requests a second");

    watcher.cost = (Duration::ZERO, 20);
    assert_eq!(watcher.pause(), EACH * 20);
    memory.is_lost.set(true);
    watcher.look(&memory).unwrap_err();
    assert_eq!(watcher.pause(), Duration::from_secs(90));
    watcher.rest = Duration::ZERO;
    assert!(watcher.pause() < Duration::from_secs(1));
    watcher.failures = u32::MAX;
    assert_eq!(watcher.pause(), LOST);
    memory.is_lost.set(false);
    for run in 0..200 {
        memory.write(run, None, END, 0.0);
    }
    while !watcher.is_idle() {
        look(&mut watcher, &memory);
    }
    assert!(watcher.pause() > Duration::from_secs(9));
}
