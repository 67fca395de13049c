//! The engines: a thread for each connection, which looks again and again at what the screen shows, and does what it is
//! asked for.

mod search;

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::context::Context;
use crate::app::event::Report;
use crate::app::screens::remote::asked::{Answer, Ask, Profile as Row, Shown, What};
use crate::project::{Metadata, Options, Reader};
use crate::remote::deploy::deployment;
use crate::remote::model::{Run, RunId, RunsQuery, Submission, new_run_id};
use crate::remote::{
    Action, Airflow, Backend, Change, DagFile, DagSettings, Follower, Grouping, Plan, Profile,
    Profiles, RemoteError, connect,
};
use crate::text::UserError;

/// Runs that are read at each look; older ones are read once.
const NEWEST: usize = 100;
/// The pause between two looks at a list, a log or a run that goes on.
const PAUSE: Duration = Duration::from_millis(1_500);
/// The pause between two looks at what has ended, or while another tab is shown.
const IDLE: Duration = Duration::from_secs(5);
/// The longest pause while the engine does not answer.
const LOST: Duration = Duration::from_secs(60);
/// Most runs that are followed while another tab is shown.
const MOST: usize = 20;

/// What engines may be unable to do.
const ACTIONS: [Action; 10] = [
    Action::Pipelines,
    Action::Runs,
    Action::Tasks,
    Action::Logs,
    Action::Deploy,
    Action::Submit,
    Action::Cancel,
    Action::Retry,
    Action::Mark,
    Action::Pause,
];

/// All connections of a project.
#[derive(Default)]
pub(super) struct Remotes {
    /// The profiles that were read last; the thread that reads them puts them here.
    profiles: Arc<Mutex<Vec<Profile>>>,
    /// The threads by the names of their profiles, with the profiles that they were started with.
    threads: HashMap<String, (Profile, Sender<Ask>)>,
    /// The search over logs that goes on.
    searching: search::Searching,
}

impl Remotes {
    /// Starts to do what the screen asks for.
    pub(super) fn ask(&mut self, context: &Arc<Context>, ask: Ask) {
        let name = match &ask {
            Ask::Profiles(env) => return self.read(context, env.clone()),
            Ask::StopSearch => return self.searching.stop(),
            Ask::Search(search) => {
                let Some(profile) = self.profile(&search.profile) else { return };
                return self.searching.begin(context, profile, (**search).clone());
            }
            Ask::Deploy { profile, pipeline, write } => {
                return self.deploy(context, profile, pipeline, *write);
            }
            Ask::Show(shown) => {
                // The others show nothing.
                let name = shown.as_ref().map(|shown| shown.profile.clone());
                for (of, (_, thread)) in &self.threads {
                    if Some(of) != name.as_ref() {
                        let _ = thread.send(Ask::Show(None));
                    }
                }
                let Some(name) = name else { return };
                name
            }
            Ask::Check(profile)
            | Ask::Submit { profile, .. }
            | Ask::Cancel(profile, _)
            | Ask::Retry(profile, _)
            | Ask::Pause(profile, ..) => profile.clone(),
        };
        let Some(profile) = self.profile(&name) else { return };
        let kept = self.threads.remove(&name).filter(|(of, _)| *of == profile);
        let (_, thread) = match kept {
            Some(kept) => self.threads.entry(name).insert_entry(kept).into_mut(),
            None => {
                let (sender, asks) = channel();
                let (context, of) = (context.clone(), profile.clone());
                std::thread::spawn(move || serve(context, of, &asks));
                self.threads.entry(name).insert_entry((profile, sender)).into_mut()
            }
        };
        // The thread lives as long as its sender does.
        let _ = thread.send(ask);
    }

    fn profile(&self, name: &str) -> Option<Profile> {
        let profiles = self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
        profiles.iter().find(|profile| profile.name == name).cloned()
    }

    /// Reads the profiles and reports them.
    fn read(&self, context: &Arc<Context>, env: Option<String>) {
        let (context, kept) = (context.clone(), self.profiles.clone());
        tokio::task::spawn_blocking(move || {
            let read = Profiles::read(&context.root, env.as_deref());
            let metadata = metadata(&context);
            let snapshot = context.snapshot();
            let names = snapshot.iter().flat_map(|snapshot| &snapshot.pipelines);
            let names: Vec<String> = names.map(|pipeline| pipeline.name.clone()).collect();
            let row = |profile: &Profile| row(profile, &metadata.package_name, &names);
            let rows = read.list.iter().map(row).collect();
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = read.list;
            context.answer(Answer::Profiles(rows, read.mistakes));
        });
    }

    /// Makes a DAG file, and reports what writing it changes, or writes it.
    fn deploy(&self, context: &Arc<Context>, profile: &str, pipeline: &str, write: bool) {
        let Some(profile) = self.profile(profile) else { return };
        let (context, pipeline) = (context.clone(), pipeline.to_owned());
        tokio::task::spawn_blocking(move || {
            let answer = deployed(&context, &profile, &pipeline, write);
            context.answer(answer.unwrap_or_else(Answer::Refused));
        });
    }
}

impl Context {
    fn answer(&self, answer: Answer) {
        self.send_blocking(Report::Remote(Box::new(answer)));
    }
}

fn metadata(context: &Context) -> Metadata {
    match context.snapshot() {
        Some(snapshot) => snapshot.metadata.clone(),
        None => crate::project::discovery::metadata(&context.root).0,
    }
}

/// A profile as the screen shows it.
fn row(profile: &Profile, package: &str, pipelines: &[String]) -> Row {
    let (unable, broken) = match connect(profile, package) {
        Ok(backend) => {
            let unable = |action: &Action| Some((*action, backend.can(*action).err()?));
            (ACTIONS.iter().filter_map(unable).collect(), None)
        }
        Err(error) => (Vec::new(), Some(error.line())),
    };
    let deployed = |name: &String| (name.clone(), profile.deployed(name, package));
    Row {
        name: profile.name.clone(),
        engine: profile.engine,
        url: crate::text::secrets::redact(&profile.url),
        place: profile.place.clone(),
        folder: profile.folder.clone(),
        pipelines: pipelines.iter().map(deployed).collect(),
        unable,
        broken,
    }
}

fn deployed(
    context: &Context,
    profile: &Profile,
    pipeline: &str,
    write: bool,
) -> Result<Answer, UserError> {
    let folder = profile.folder.as_deref();
    let folder = folder.ok_or_else(|| format!("Profile {} has no `folder`.", profile.name))?;
    let env = context.snapshot().map(|snapshot| snapshot.env.clone());
    let mut reader = Reader::new(&context.root);
    let snapshot = reader.read(&Options { env: env.clone(), ..Options::default() });
    let plan = Plan::of(&snapshot, pipeline, &Grouping::default()).map_err(UserError::from)?;
    let settings = DagSettings::read(&mut reader, env.as_deref(), pipeline)?;
    let file = DagFile::new(&snapshot, &plan, &settings, Airflow::Three);
    let made = deployment(&snapshot, &file, None)?;
    let path = made.path(folder);
    if write {
        made.write(folder)?;
        let text = format!("Written: {}. The engine reads it at its next look.", path.display());
        return Ok(Answer::Done { profile: profile.name.clone(), text, run: None });
    }
    let change = made.change(folder)?;
    let unused = |key: &String| format!("airflow.yml: `{key}` is not used.");
    Ok(Answer::Preview {
        profile: profile.name.clone(),
        pipeline: pipeline.to_owned(),
        file: path,
        is_new: change == Change::New,
        change: match change {
            Change::New => made.text,
            Change::Unchanged => String::new(),
            Change::Changed(difference) => difference,
        },
        warnings: made.unused.iter().map(unused).collect(),
    })
}

/// Holds a connection until the screen has no more use for it.
fn serve(context: Arc<Context>, profile: Profile, asks: &Receiver<Ask>) {
    let package = metadata(&context).package_name;
    // The screen offers nothing of a profile that can't be connected.
    let Ok(backend) = connect(&profile, &package) else { return };
    let name = profile.name;
    let mut connection = Connection {
        context,
        backend,
        name,
        what: None,
        looked: None,
        follower: None,
        log: None,
        grid: HashMap::new(),
        going_on: Vec::new(),
        failures: 0,
    };
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
    /// The name of the profile.
    name: String,
    what: Option<What>,
    /// The list at the last look; `None` before the first one.
    looked: Option<Vec<Run>>,
    follower: Option<Follower>,
    /// Where the rest of the log begins; `None` inside if it has ended, and outside before the first look.
    log: Option<Option<String>>,
    /// Whether the runs of the grid have ended, for those that were read.
    grid: HashMap<RunId, bool>,
    /// Runs that went on at the last look.
    going_on: Vec<RunId>,
    /// How often the engine did not answer since its last answer.
    failures: u32,
}

impl Connection {
    /// How long to wait for something to do before the next look; `None` if there is nothing to look at.
    fn pause(&self) -> Option<Duration> {
        if self.failures > 0 {
            let longer = PAUSE.mul_f64(2_f64.powi(self.failures.min(10) as i32)).min(LOST);
            return (self.what.is_some() || !self.going_on.is_empty()).then_some(longer);
        }
        match &self.what {
            None => (!self.going_on.is_empty()).then_some(IDLE),
            Some(What::Runs { .. }) => {
                Some(if self.looked.is_some() { PAUSE } else { Duration::ZERO })
            }
            Some(What::Pipelines) => Some(PAUSE),
            Some(What::Run(_)) => Some(self.pause_of_run()),
            Some(What::Log { .. }) => Some(match self.log {
                None => Duration::ZERO,
                Some(_) => self.pause_of_run().min(PAUSE),
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
                let done = self.backend.cancel(&id);
                self.done(done.map(|()| format!("Stopped: {}", id.run)));
            }
            Ask::Retry(_, id) => {
                let done = self.backend.retry(&id);
                self.done(done.map(|tasks| format!("Tried again: {}", tasks.join(", "))));
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
            self.log = None;
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
        let mut runs = Vec::new();
        for id in self.going_on.clone() {
            match self.backend.run(&id) {
                Ok(run) => runs.push(run),
                Err(RemoteError::Missing(_)) => self.going_on.retain(|other| *other != id),
                Err(error) => return Err(error),
            }
        }
        self.going_on
            .retain(|id| runs.iter().any(|run| run.id == *id && !run.state.phase.is_over()));
        self.context.answer(Answer::Runs { profile: self.name.clone(), runs, all: false });
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
            self.context.answer(Answer::Runs { profile: self.name.clone(), runs, all });
        }
        Ok(())
    }

    fn look_at_run(&mut self) -> Result<(), RemoteError> {
        let Some(follower) = &mut self.follower else { return Ok(()) };
        let news = follower.look(&*self.backend)?;
        let Some(run) = follower.run() else { return Ok(()) };
        if !news.is_empty() || self.failures > 0 {
            let (run, tasks) = (Box::new(run.clone()), follower.tasks().to_vec());
            self.going_on.retain(|id| *id != run.id);
            if !run.state.phase.is_over() {
                self.going_on.push(run.id.clone());
            }
            self.context.answer(Answer::Run { profile: self.name.clone(), run, tasks });
        }
        Ok(())
    }

    fn look_at_log(
        &mut self,
        id: &RunId,
        task: &crate::remote::model::Task,
        attempt: u32,
    ) -> Result<(), RemoteError> {
        let tasks = self.follower.as_ref().map(Follower::tasks).unwrap_or_default();
        let task = tasks.iter().find(|other| other.name() == task.name()).unwrap_or(task).clone();
        // Before its first try a task has no log.
        if task.attempt == 0 {
            return Ok(());
        }
        let has_ended = attempt < task.attempt || task.state.phase.is_over();
        let mut first = self.log.is_none();
        while self.log != Some(None) {
            let from = self.log.clone().flatten();
            let page = self.backend.log(id, &task, attempt, from.as_deref())?;
            let is_last = page.next.is_none() || page.next == from;
            let ended = has_ended && is_last;
            self.log = match (ended, page.next) {
                (true, _) => Some(None),
                // Without a place to go on from, the whole log is read again at the next look.
                (false, None) => None,
                (false, next) => Some(next),
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
