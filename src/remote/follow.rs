//! Following a run: looks at it again and again, often while something changes and seldom while nothing does.

use std::time::Duration;

use super::backend::{Backend, RemoteError};
use super::model::{Run, RunId, Task};

/// The pause after a change.
const SHORT: Duration = Duration::from_millis(500);
/// The longest pause while the run goes on: states are to be seen two seconds after the engine's.
const LONG: Duration = Duration::from_millis(1_800);
/// The longest pause while the engine does not answer.
const LOST: Duration = Duration::from_secs(60);

/// What has changed.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// The run is in another state.
    Run(Run),
    /// A task is in another state, or at another try.
    Task(Task),
}

/// A run that is followed.
#[derive(Debug)]
pub struct Follower {
    id: RunId,
    run: Option<Run>,
    tasks: Vec<Task>,
    /// How often nothing had changed since the last change.
    quiet: u32,
    /// How often the engine did not answer since its last answer.
    failures: u32,
}

impl Follower {
    /// Follows this run.
    pub fn new(id: RunId) -> Self {
        Follower { id, run: None, tasks: Vec::new(), quiet: 0, failures: 0 }
    }

    /// The run as it was at the last look.
    pub fn run(&self) -> Option<&Run> {
        self.run.as_ref()
    }

    /// The tasks as they were at the last look.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// Whether the run has ended.
    pub fn is_over(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.state.phase.is_over())
    }

    /// Looks at the run, and returns what has changed since the last look: tasks first, the run last.
    ///
    /// # Errors
    /// When the engine does not answer, or no longer has the run. What was known stays.
    pub fn look(&mut self, backend: &dyn Backend) -> Result<Vec<News>, RemoteError> {
        // The run comes first: tasks that are read after the run's end are in their last state.
        let read = backend.run(&self.id).and_then(|run| Ok((run, backend.tasks(&self.id)?)));
        let (run, tasks) = match read {
            Ok(read) => read,
            Err(error) => {
                self.failures += 1;
                return Err(error);
            }
        };
        self.failures = 0;
        let known = |task: &Task| {
            self.tasks.iter().find(|other| (&other.id, other.index) == (&task.id, task.index))
        };
        let changed = |task: &&Task| {
            known(task).is_none_or(|old| (&old.state, old.attempt) != (&task.state, task.attempt))
        };
        let mut news: Vec<News> =
            tasks.iter().filter(changed).map(|task| News::Task(task.clone())).collect();
        if self.run.as_ref().is_none_or(|old| old.state != run.state) {
            news.push(News::Run(run.clone()));
        }
        self.quiet = if news.is_empty() { self.quiet.saturating_add(1) } else { 0 };
        (self.run, self.tasks) = (Some(run), tasks);
        Ok(news)
    }

    /// How often it was looked at in vain since the last answer.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Takes a run that was read elsewhere; news if it is in another state.
    pub(super) fn take_run(&mut self, run: Run) -> Option<News> {
        let is_news = self.run.as_ref().is_none_or(|old| old.state != run.state);
        let news = is_news.then(|| News::Run(run.clone()));
        self.run = Some(run);
        news
    }

    /// Takes a task that was read elsewhere; news if it is in another state or at another try.
    pub(super) fn take_task(&mut self, task: Task) -> Option<News> {
        let same = |other: &&mut Task| (&other.id, other.index) == (&task.id, task.index);
        let is_news = match self.tasks.iter_mut().find(same) {
            Some(old) => {
                let is_news = (&old.state, old.attempt) != (&task.state, task.attempt);
                *old = task.clone();
                is_news
            }
            None => {
                // Tasks of one expansion stay together.
                let place = self.tasks.iter().rposition(|other| other.id == task.id);
                self.tasks.insert(place.map_or(self.tasks.len(), |place| place + 1), task.clone());
                true
            }
        };
        is_news.then_some(News::Task(task))
    }

    /// How long to wait before the next look.
    pub fn pause(&self) -> Duration {
        match self.failures {
            0 => SHORT.mul_f64(1.5_f64.powi(self.quiet.min(8) as i32)).min(LONG),
            failures => SHORT.mul_f64(2_f64.powi(failures.min(10) as i32)).min(LOST),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashMap;

    use super::super::backend::{Action, Check};
    use super::super::model::{Deployed, LogPage, Phase, RunsQuery, State, Submission};
    use super::*;

    /// An engine that answers what a test has prepared: for each look the run's state and those of its tasks.
    struct Script(RefCell<Vec<Option<Look>>>);

    /// The state of a run, and the state and try of each of its tasks.
    type Look = (&'static str, Vec<(&'static str, u32)>);

    fn state(name: &str) -> State {
        let phase = match name {
            "success" => Phase::Succeeded,
            "running" => Phase::Running,
            _ => Phase::Waiting,
        };
        State { name: name.into(), phase }
    }

    const UNABLE: RemoteError = RemoteError::Unable("it is a script");

    impl Backend for Script {
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
            let script = self.0.borrow();
            let Some((name, _)) = &script[0] else {
                drop(script);
                self.0.borrow_mut().remove(0);
                return Err(RemoteError::Unanswered("no answer".into()));
            };
            Ok(Run {
                id: id.clone(),
                state: state(name),
                queued: None,
                started: None,
                ended: None,
                kind: String::new(),
                conf: serde_json::Value::Null,
                note: None,
                error: None,
            })
        }
        fn tasks(&self, _: &RunId) -> Result<Vec<Task>, RemoteError> {
            let Some((_, tasks)) = self.0.borrow_mut().remove(0) else { return Err(UNABLE) };
            let task = |(number, (name, attempt)): (usize, (&str, u32))| Task {
                id: format!("t{number}"),
                index: None,
                state: state(name),
                attempt,
                attempts: 2,
                started: None,
                ended: None,
                host: None,
            };
            Ok(tasks.into_iter().enumerate().map(task).collect())
        }
        fn nodes(&self, _: &str) -> Result<HashMap<String, Vec<String>>, RemoteError> {
            Err(UNABLE)
        }
        fn log(
            &self,
            _: &RunId,
            _: &Task,
            _: u32,
            _: Option<&str>,
        ) -> Result<LogPage, RemoteError> {
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

    #[test]
    fn each_change_is_reported_once_and_failures_lose_nothing() {
        let script = Script(RefCell::new(vec![
            Some(("queued", vec![("none", 0), ("none", 0)])),
            Some(("running", vec![("running", 1), ("none", 0)])),
            Some(("running", vec![("running", 1), ("none", 0)])),
            None,
            None,
            Some(("running", vec![("running", 2), ("none", 0)])),
            Some(("success", vec![("success", 2), ("success", 1)])),
        ]));
        let mut follower = Follower::new(RunId { pipeline: "p".into(), run: "r".into() });
        let mut seen = Vec::new();
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let news = follower.look(&script);
            pauses.push(follower.pause().as_millis());
            let text = |news: News| match news {
                News::Run(run) => run.state.name,
                News::Task(task) => format!("{} {} {}", task.id, task.state.name, task.attempt),
            };
            seen.push(
                news.map(|news| news.into_iter().map(text).collect::<Vec<_>>().join(", ")).ok(),
            );
        }
        let seen: Vec<Option<&str>> = seen.iter().map(Option::as_deref).collect();
        assert_eq!(
            seen,
            [
                Some("t0 none 0, t1 none 0, queued"),
                Some("t0 running 1, running"),
                Some(""),
                None,
                None,
                Some("t0 running 2"),
                Some("t0 success 2, t1 success 1, success"),
            ]
        );
        assert_eq!(pauses, [500, 500, 750, 1_000, 2_000, 500, 500]);
        assert!(follower.is_over());
    }

    #[test]
    fn pauses_have_an_upper_limit() {
        let id = RunId { pipeline: "p".into(), run: "r".into() };
        let mut follower = Follower { quiet: 1_000, ..Follower::new(id) };
        assert_eq!(follower.pause(), LONG);
        follower.failures = 1_000;
        assert_eq!(follower.pause(), LOST);
    }
}
