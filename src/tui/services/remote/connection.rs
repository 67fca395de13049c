//! A connection: looks again and again at what the screen shows, does what it is asked for, and records the runs of the
//! project's pipelines in its history.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use indexmap::IndexSet;

use super::metadata;
use crate::app::event::Report;
use crate::app::screens::remote::asked::{Answer, Ask, KeptRun, Shown, What};
use crate::remote::kept::Kept;
use crate::remote::model::{Run, RunId, RunsQuery, Submission, Task, new_run_id};
use crate::remote::{Backend, Follower, Profile, RemoteError, Watcher, connect};
use crate::store::{NodeRecord, RunRecord};
use crate::system::http::backoff;
use crate::tui::services::context::Context;

/// Runs that are read at each look; older ones are read once.
const NEWEST: usize = 100;
/// The pause between two looks at a list, a log or a run that goes on.
const PAUSE: Duration = Duration::from_millis(1_500);
/// The pause between two looks at what has ended.
const IDLE: Duration = Duration::from_secs(5);
/// The least time for each request of a look.
const REQUEST: Duration = Duration::from_millis(250);
/// The longest pause while the engine does not answer.
const LOST: Duration = Duration::from_secs(60);
/// Most runs that are followed while another tab is shown.
const MOST: usize = 200;

/// Holds a connection until the screen has no more use for it.
pub(super) fn serve(context: Arc<Context>, profile: Profile, asks: &Receiver<Ask>) {
    let package = metadata(&context).package_name;
    // The screen offers nothing of a profile that can't be connected.
    let Ok(backend) = connect(&profile, &package) else { return };
    let mut connection = Connection::new(context, backend, profile);
    loop {
        let ask = match connection.pause() {
            Some(pause) => asks.recv_timeout(pause),
            None => asks.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match ask {
            Ok(ask) => connection.perform(ask),
            Err(RecvTimeoutError::Timeout) => connection.look(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if connection.context.reports.is_closed() {
            return;
        }
    }
}

/// A connection, and what is looked at.
struct Connection {
    context: Arc<Context>,
    backend: Box<dyn Backend>,
    profile: Profile,
    /// The name of the profile.
    name: String,
    /// The history for the runs of each deployed pipeline.
    kept: HashMap<String, Kept>,
    /// The runs that were recorded, and whether they had ended.
    seen: HashMap<RunId, bool>,
    has_complained: bool,
    what: Option<What>,
    /// The list at the last look; `None` before the first one.
    looked: Option<Vec<Run>>,
    follower: Option<Follower>,
    log: Log,
    /// Whether the runs of the grid have ended, for those that were read.
    grid: HashMap<RunId, bool>,
    /// Runs that went on at the last look.
    going_on: Vec<RunId>,
    /// Follows them while another tab is shown.
    watcher: Watcher,
    /// How often the engine did not answer since its last answer.
    failures: u32,
}

/// How far the log was read.
#[derive(Debug, Clone, Default, PartialEq)]
enum Log {
    /// Not at all.
    #[default]
    New,
    /// The task has not begun, or the engine gives the whole log each time.
    Whole,
    /// Up to here.
    To(String),
    /// To its end.
    Ended,
}

impl Connection {
    fn new(context: Arc<Context>, backend: Box<dyn Backend>, profile: Profile) -> Self {
        Connection {
            context,
            backend,
            name: profile.name.clone(),
            profile,
            kept: HashMap::new(),
            seen: HashMap::new(),
            has_complained: false,
            what: None,
            looked: None,
            follower: None,
            log: Log::New,
            grid: HashMap::new(),
            going_on: Vec::new(),
            watcher: Watcher::new(),
            failures: 0,
        }
    }

    /// How long to wait for something to do before the next look; `None` if there is nothing to look at.
    fn pause(&self) -> Option<Duration> {
        if self.failures > 0 {
            let longer = backoff(PAUSE, self.failures.min(10)).min(LOST).max(self.backend.rest());
            return (self.what.is_some() || !self.going_on.is_empty()).then_some(longer);
        }
        match &self.what {
            None => (!self.going_on.is_empty()).then(|| self.watcher.pause()),
            Some(What::Runs { .. }) if self.looked.is_none() => Some(Duration::ZERO),
            // Each pipeline is a request.
            Some(What::Runs { pipelines, .. }) => {
                let requests = u32::try_from(pipelines.len()).unwrap_or(u32::MAX);
                Some(PAUSE.max(REQUEST.saturating_mul(requests)))
            }
            Some(What::Pipelines) => Some(PAUSE),
            Some(What::Run(_)) => Some(self.pause_of_run()),
            Some(What::Log { .. }) => Some(match self.log {
                Log::New => Duration::ZERO,
                Log::Ended => self.pause_of_run(),
                Log::Whole | Log::To(_) => self.pause_of_run().min(PAUSE),
            }),
            Some(What::Grid(runs)) => {
                Some(match runs.iter().any(|run| !self.grid.contains_key(run)) {
                    true => Duration::ZERO,
                    false => PAUSE,
                })
            }
        }
    }

    fn pause_of_run(&self) -> Duration {
        match &self.follower {
            None => Duration::ZERO,
            Some(follower) if follower.run().is_none() => Duration::ZERO,
            // Somebody may clear its tasks.
            Some(follower) if follower.is_over() => IDLE,
            Some(follower) => follower.pause(),
        }
    }

    /// Does what the screen asks for.
    fn perform(&mut self, ask: Ask) {
        match ask {
            Ask::Show(shown) => self.show(shown),
            Ask::Check(_) => {
                let checks = self.backend.check();
                let pipelines = self.backend.pipelines().map_err(|error| error.to_string());
                let profile = self.name.clone();
                self.context.answer(Answer::Checked { profile, checks, pipelines });
            }
            Ask::Submit { submission, resume, .. } => self.submit(*submission, resume),
            Ask::Cancel(_, id) => {
                let done = self.cancel(&id);
                self.done(done.map(|()| format!("Stopped: {}", id.run)));
            }
            Ask::Retry(_, id) => {
                let done = self.backend.retry(&id);
                self.done(done.map(|tasks| format!("Tried again: {}", tasks.join(", "))));
            }
            Ask::Mark { id, task, mark, .. } => {
                let done = self.backend.mark(&id, task.as_deref(), mark);
                let what = task.map_or(id.run, |task| task.name());
                self.done(done.map(|_| format!("The state of {what} is set.")));
            }
            Ask::Pause(_, pipeline, paused) => {
                let done = self.backend.pause(&pipeline, paused);
                let word = if paused { "paused" } else { "resumed" };
                self.done(done.map(|()| format!("{pipeline} is {word}.")));
            }
            // These need no connection.
            Ask::Profiles(_) | Ask::Deploy { .. } | Ask::Search(_) | Ask::StopSearch => {}
        }
    }

    fn show(&mut self, shown: Option<Shown>) {
        let what = shown.map(|shown| shown.what);
        let of_run = |what: &Option<What>| match what {
            Some(What::Run(id) | What::Log { id, .. }) => Some(id.clone()),
            _ => None,
        };
        if of_run(&what) != of_run(&self.what) {
            self.follower = of_run(&what).map(Follower::new);
        }
        let of_log = |what: &Option<What>| match what {
            Some(What::Log { id, task, attempt }) => Some((id.clone(), task.name(), *attempt)),
            _ => None,
        };
        if of_log(&what) != of_log(&self.what) {
            self.log = Log::New;
        }
        match (&what, &self.what) {
            (Some(What::Grid(_)), Some(What::Grid(_))) => {}
            (Some(What::Grid(_)), _) => self.grid.clear(),
            _ => {}
        }
        // The list is compared with what the screen has, so another list is read anew.
        self.looked = None;
        self.failures = 0;
        self.what = what;
        if self.what.is_none() {
            self.watcher.watch(self.going_on.iter().cloned());
        }
    }

    fn submit(&mut self, submission: Submission, resume: bool) {
        let submission = Submission { id: new_run_id(), ..submission };
        let resumed = match resume {
            true => self.backend.pause(&submission.pipeline, false),
            false => Ok(()),
        };
        let answer = match resumed.and_then(|()| self.backend.submit(&submission)) {
            Ok(run) => {
                self.going_on.push(run.id.clone());
                self.watcher.watch(self.going_on.iter().cloned());
                self.record(&run, None, true);
                let text = format!("Submitted: {}", run.id.run);
                Answer::Done { profile: self.name.clone(), text, run: Some(Box::new(run)) }
            }
            Err(error) => Answer::Refused(error.into()),
        };
        self.context.answer(answer);
    }

    fn done(&mut self, done: Result<String, RemoteError>) {
        // What was done is to be seen at once.
        self.look();
        self.context.answer(match done {
            Ok(text) => Answer::Done { profile: self.name.clone(), text, run: None },
            Err(error) => Answer::Refused(error.into()),
        });
    }

    /// Looks at what the screen shows.
    fn look(&mut self) {
        let looked = match self.what.clone() {
            None => self.look_behind(),
            Some(What::Runs { pipelines, limit }) => self.look_at_runs(&pipelines, limit),
            Some(What::Pipelines) => self.backend.pipelines().map(|pipelines| {
                self.context.answer(Answer::Pipelines(self.name.clone(), pipelines));
            }),
            Some(What::Run(_)) => self.look_at_run(),
            Some(What::Log { id, task, attempt }) => {
                self.look_at_run().and_then(|()| self.look_at_log(&id, &task, attempt))
            }
            Some(What::Grid(runs)) => self.look_at_grid(&runs),
        };
        match (looked, self.what.clone()) {
            (Ok(()), _) => self.failures = 0,
            (Err(_), None) => self.failures += 1,
            (Err(error), Some(what)) => {
                self.failures += 1;
                let (profile, why) = (self.name.clone(), error.to_string());
                self.context.answer(Answer::Unanswered { profile, what, why });
            }
        }
    }

    /// Looks at the runs that went on, while another tab is shown.
    fn look_behind(&mut self) -> Result<(), RemoteError> {
        self.watcher.watch(self.going_on.iter().cloned());
        let seen = self.watcher.look(&*self.backend)?;
        for (id, error) in &seen.failed {
            if matches!(error, RemoteError::Missing(_)) {
                self.going_on.retain(|other| other != id);
            }
        }
        let changed: IndexSet<RunId> = seen.news.into_iter().map(|(id, _)| id).collect();
        let mut runs = Vec::new();
        for id in changed {
            let Some(follower) = self.watcher.get(&id) else { continue };
            let Some(run) = follower.run().cloned() else { continue };
            let tasks = follower.tasks().to_vec();
            self.record(&run, Some(&tasks), false);
            if run.state.phase.is_over() {
                self.going_on.retain(|other| *other != id);
            }
            runs.push(run);
        }
        if !runs.is_empty() {
            self.context.answer(Answer::Runs { profile: self.name.clone(), runs, all: false });
        }
        Ok(())
    }

    /// Records a run of the list once it is going on, and once it has ended.
    fn keep_once(&mut self, run: &Run) {
        let is_over = run.state.phase.is_over();
        let is_new = match self.seen.get(&run.id) {
            None => !is_over,
            Some(ended) => is_over && !ended,
        };
        if is_new {
            self.record(run, None, false);
        }
    }

    /// Records a run of the project's pipelines in the history; `tasks` are asked for if they are not given.
    fn record(&mut self, run: &Run, tasks: Option<&[Task]>, submitted: bool) -> Option<RunRecord> {
        let snapshot = self.context.snapshot()?;
        let pipeline = &run.id.pipeline;
        if !self.kept.get(pipeline).is_some_and(|kept| Arc::ptr_eq(kept.snapshot(), &snapshot)) {
            let env = Some(snapshot.env.clone());
            let kept = Kept::new(snapshot, env, &self.profile, pipeline);
            self.kept.insert(pipeline.clone(), kept);
        }
        let kept = self.kept.get_mut(pipeline)?;
        kept.pipeline()?;
        if submitted {
            kept.submitted_by("submit".into());
        }
        let backend = &*self.backend;
        let record = match tasks {
            Some(tasks) => kept.finish(backend, run, tasks),
            None => kept.look(backend, run),
        };
        if let Some(complaint) = kept.complaint()
            && !std::mem::replace(&mut self.has_complained, true)
        {
            self.context.send_blocking(Report::Notice(complaint));
        }
        self.seen.insert(run.id.clone(), run.state.phase.is_over());
        record
    }

    /// Records a run, and reports what is kept of it.
    fn keep(&mut self, run: &Run, tasks: &[Task]) {
        let Some(record) = self.record(run, Some(tasks), false) else { return };
        let Some(kept) = self.kept.get_mut(&run.id.pipeline) else { return };
        let nodes = record.id.and_then(|id| kept.store().nodes(id).ok()).unwrap_or_default();
        let failure = |node: NodeRecord| {
            let failure = serde_json::from_str(node.failure.as_deref()?).ok()?;
            Some((node.node, failure))
        };
        let of_task = |task: &Task| (task.id.clone(), kept.nodes_of(task).to_vec());
        let kept = KeptRun {
            id: record.id,
            pipeline: record.new.pipeline,
            env: record.new.env,
            failures: nodes.into_iter().filter_map(failure).collect(),
            nodes: tasks.iter().map(of_task).collect(),
        };
        let (profile, id) = (self.name.clone(), run.id.clone());
        self.context.answer(Answer::Kept { profile, id, kept: Box::new(kept) });
    }

    /// Stops a run, and records that it was stopped from here.
    fn cancel(&mut self, id: &RunId) -> Result<(), RemoteError> {
        self.backend.cancel(id)?;
        // The run is stopped even if it can't be recorded.
        if let Ok(run) = self.backend.run(id)
            && let Some(record) = self.record(&run, None, false)
            && let Some(kept) = self.kept.get_mut(&id.pipeline)
        {
            kept.cancelled(&record);
        }
        Ok(())
    }

    fn look_at_runs(&mut self, pipelines: &[String], limit: usize) -> Result<(), RemoteError> {
        let limit = if self.looked.is_some() { limit.min(NEWEST) } else { limit };
        let pipelines: Vec<Option<String>> = match pipelines {
            [] => vec![None],
            some => some.iter().cloned().map(Some).collect(),
        };
        let (mut runs, mut all) = (Vec::new(), true);
        for pipeline in pipelines {
            let query = RunsQuery { pipeline, limit, ..RunsQuery::default() };
            match self.backend.runs(&query) {
                Ok(some) => {
                    all &= some.len() < limit;
                    runs.extend(some);
                }
                // It was deleted meanwhile.
                Err(RemoteError::Missing(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let going_on = runs.iter().filter(|run| !run.state.phase.is_over());
        self.going_on = going_on.map(|run| run.id.clone()).take(MOST).collect();
        if self.looked.as_ref() != Some(&runs) || self.failures > 0 {
            self.looked = Some(runs.clone());
            self.context.answer(Answer::Runs {
                profile: self.name.clone(),
                runs: runs.clone(),
                all,
            });
            for run in runs.iter().take(NEWEST) {
                self.keep_once(run);
            }
        }
        Ok(())
    }

    fn look_at_run(&mut self) -> Result<(), RemoteError> {
        let Some(follower) = &mut self.follower else { return Ok(()) };
        let news = follower.look(&*self.backend)?;
        let Some(run) = follower.run() else { return Ok(()) };
        if !news.is_empty() || self.failures > 0 {
            let (run, tasks) = (Box::new(run.clone()), follower.tasks().to_vec());
            let known = (run.clone(), tasks.clone());
            self.going_on.retain(|id| *id != run.id);
            if !run.state.phase.is_over() {
                self.going_on.push(run.id.clone());
            }
            self.context.answer(Answer::Run { profile: self.name.clone(), run, tasks });
            self.keep(&known.0, &known.1);
        }
        Ok(())
    }

    fn look_at_log(&mut self, id: &RunId, task: &Task, attempt: u32) -> Result<(), RemoteError> {
        let tasks = self.follower.as_ref().map(Follower::tasks).unwrap_or_default();
        let task = tasks.iter().find(|other| other.name() == task.name()).unwrap_or(task).clone();
        // Before its first try a task has no log.
        if task.attempt == 0 {
            self.log = Log::Whole;
            return Ok(());
        }
        let has_ended = attempt < task.attempt || task.state.phase.is_over();
        let mut first = !matches!(self.log, Log::To(_));
        while self.log != Log::Ended {
            let from = match &self.log {
                Log::To(place) => Some(place.clone()),
                _ => None,
            };
            let page = self.backend.log(id, &task, attempt, from.as_deref())?;
            let is_last = page.next.is_none() || page.next == from;
            let ended = has_ended && is_last;
            self.log = match (ended, page.next) {
                (true, _) => Log::Ended,
                (false, None) => Log::Whole,
                (false, Some(next)) => Log::To(next),
            };
            if first || ended || !page.lines.is_empty() {
                self.context.answer(Answer::Log {
                    profile: self.name.clone(),
                    id: id.clone(),
                    task: task.name(),
                    attempt,
                    first,
                    lines: page.lines,
                    ended,
                });
            }
            first = false;
            if is_last && !has_ended {
                break;
            }
        }
        Ok(())
    }

    /// Reads one run of the grid, the newest that was not read; then those that go on, one after the other.
    fn look_at_grid(&mut self, runs: &[RunId]) -> Result<(), RemoteError> {
        let unread = runs.iter().find(|run| !self.grid.contains_key(run));
        let wanted: Vec<RunId> = match unread {
            Some(run) => vec![run.clone()],
            None => runs.iter().filter(|run| self.grid.get(run) == Some(&false)).cloned().collect(),
        };
        for id in wanted {
            let read = self.backend.run(&id).and_then(|run| Ok((run, self.backend.tasks(&id)?)));
            match read {
                Ok((run, tasks)) => {
                    self.grid.insert(id, run.state.phase.is_over());
                    let (profile, run) = (self.name.clone(), Box::new(run));
                    self.context.answer(Answer::Run { profile, run, tasks });
                }
                Err(RemoteError::Missing(_)) => drop(self.grid.insert(id, true)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
