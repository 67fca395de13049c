//! A Kedro server: `kedro server start` in a project, on another machine or on this one (Kedro 1.5 and later).
//!
//! It has three routes. `/health` says its version, `/snapshot` lists pipelines and nodes, and `/run` answers when the run
//! has ended. It keeps no list of runs, so a [`KedroServer`] remembers those that were submitted through it; they are
//! forgotten with it. `request` says what a submission may hold, `outcome` what becomes of a run, `snapshot` reads
//! pipelines, and `client` speaks HTTP.

mod client;
mod outcome;
mod request;
mod snapshot;

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json};

pub use client::TimeLimits;
pub use request::OPTIONS;

use self::client::{Client, Failure};
use self::outcome::Outcome;
use super::backend::{Action, Backend, Check, RemoteError};
use super::http;
use super::model::{
    Deployed, LogPage, Mark, Phase, Run, RunId, RunsQuery, State, Submission, Task,
};
use super::profile::Profile;
use crate::project::Pipeline;
use crate::store::now;
use crate::text::UserError;
use crate::text::secrets::redact;

const NO_RUNS: &str = "A Kedro server keeps no list of runs. Only runs that were submitted through this connection are listed, \
     and they are forgotten when the program ends.";
const NO_LOGS: &str = "A Kedro server gives no logs. They are where it was started: in its terminal or its service's log.";
const NO_DEPLOY: &str = "A Kedro server runs the project that it was started in. Update the project there and restart the server.";
const NO_CANCEL: &str = "A Kedro server can't stop a run. Stopping the server on its own machine stops all of its runs.";
const NO_RETRY: &str =
    "A Kedro server can't continue a failed run. Submit a new run that begins at the failed node.";
const NO_MARK: &str = "A Kedro server keeps no states of runs that could be set.";
const NO_PAUSE: &str = "A Kedro server starts no runs by itself, so there is nothing to pause.";

/// A connection to a Kedro server.
pub struct KedroServer {
    /// The package name of the local project.
    package: Option<String>,
    connection: Arc<Connection>,
}

/// What the threads of runs share.
struct Connection {
    client: Client,
    /// The runs that were submitted, oldest first.
    runs: Mutex<Vec<Submitted>>,
    /// A run has ended.
    ended: Condvar,
    /// The latest answer of `/snapshot`, locked while the server is asked for one.
    snapshot: Mutex<Option<Arc<Json>>>,
}

/// A run that was submitted through a connection.
struct Submitted {
    run: Run,
    /// Whether it has parameters.
    has_params: bool,
    /// Whether the server may skip nodes, and does not say which.
    may_skip: bool,
    /// The names of its nodes; `None` until the server has told them.
    nodes: Option<Result<Vec<String>, RemoteError>>,
}

impl KedroServer {
    /// Prepares a connection to the server at an address such as `http://127.0.0.1:8000`; nothing is sent. `package` is
    /// the package name of the local project: [`Backend::check`] says whether the server has the same project.
    ///
    /// # Errors
    /// When the address can't be used.
    pub fn open(address: &str, package: Option<&str>) -> Result<Self, UserError> {
        KedroServer::open_with(address, package, TimeLimits::default())
    }

    /// [`KedroServer::open`] with other time limits.
    ///
    /// # Errors
    /// When the address can't be used.
    pub fn open_with(
        address: &str,
        package: Option<&str>,
        limits: TimeLimits,
    ) -> Result<Self, UserError> {
        let builder = reqwest::blocking::Client::builder();
        Ok(KedroServer::with(Client::new(address, limits, builder)?, package))
    }

    /// Prepares a connection to the server of a profile, with its certificates, proxy and time limit; nothing is sent.
    ///
    /// # Errors
    /// When the address, a certificate or the proxy can't be used.
    pub fn of(profile: &Profile, package: Option<&str>) -> Result<Self, UserError> {
        let limits = TimeLimits::default();
        let limits = TimeLimits {
            connection: limits.connection.min(profile.timeout),
            health: profile.timeout,
            ..limits
        };
        let client = Client::new(&profile.url, limits, http::builder(profile)?)?;
        Ok(KedroServer::with(client, package))
    }

    fn with(client: Client, package: Option<&str>) -> Self {
        KedroServer {
            package: package.map(str::to_owned),
            connection: Arc::new(Connection {
                client,
                runs: Mutex::default(),
                ended: Condvar::new(),
                snapshot: Mutex::default(),
            }),
        }
    }

    fn project(&self) -> Result<String, String> {
        let answer = self.connection.snapshot().map_err(|failure| failure.to_string())?;
        let (name, package) = snapshot::project(&answer)
            .map_err(|reason| self.connection.client.about(client::SNAPSHOT, &reason))?;
        let served = format!("{name} (package `{package}`)");
        match &self.package {
            Some(local) if *local != package => Err(format!(
                "The server runs another project: {served}. The package of this one is `{local}`."
            )),
            _ => Ok(served),
        }
    }
}

impl Connection {
    fn snapshot(&self) -> Result<Arc<Json>, Failure> {
        self.latest(&mut locked(&self.snapshot))
    }

    /// A new snapshot, or the kept one while a run is going on. Kedro 1.7 keeps the resolvers of its configuration once for
    /// the whole process: a snapshot in the first second of a run can make that run fail.
    fn latest(&self, kept: &mut Option<Arc<Json>>) -> Result<Arc<Json>, Failure> {
        let is_running = |submitted: &Submitted| submitted.run.state.phase == Phase::Running;
        if let Some(kept) = kept
            && locked(&self.runs).iter().any(is_running)
        {
            return Ok(Arc::clone(kept));
        }
        let answer = Arc::new(self.client.snapshot()?);
        if snapshot::project(&answer).is_ok() {
            *kept = Some(Arc::clone(&answer));
        }
        Ok(answer)
    }

    fn pipelines(&self, answer: Result<Arc<Json>, Failure>) -> Result<Vec<Pipeline>, RemoteError> {
        snapshot::pipelines(&*answer.map_err(Failure::into_error)?)
            .map_err(|reason| RemoteError::Refused(self.client.about(client::SNAPSHOT, &reason)))
    }

    /// Runs to the end what was submitted. The nodes are asked for first: later they could disturb the run.
    fn follow(&self, id: &RunId, body: &Map<String, Json>) {
        let waits = |runs: &mut Vec<Submitted>| waits(runs, id);
        drop(self.ended.wait_while(locked(&self.runs), waits));
        {
            // No snapshot is asked for by other threads until the run counts as running.
            let mut kept = locked(&self.snapshot);
            let pipelines = self.pipelines(self.latest(&mut kept));
            let nodes = pipelines.and_then(|pipelines| snapshot::nodes(&pipelines, body));
            if let Ok(submitted) = found(&mut locked(&self.runs), id) {
                submitted.nodes = Some(nodes);
                submitted.run.state = state("running", Phase::Running);
                submitted.run.started = Some(now());
            }
        }
        let outcome = Outcome::of(self.client.run(body), || self.client.health());
        if let Ok(submitted) = found(&mut locked(&self.runs), id) {
            outcome.store(&mut submitted.run, now());
        }
        self.ended.notify_all();
    }
}

/// Whether a run has to wait for one that was submitted before it. Kedro 1.7 mixes up `${runtime_params:}` of runs that begin
/// together, without a word, so a run with parameters has the server for itself as far as this connection goes.
fn waits(runs: &[Submitted], id: &RunId) -> bool {
    let Some(at) = runs.iter().position(|submitted| submitted.run.id == *id) else { return false };
    let is_live = |run: &Run| matches!(run.state.phase, Phase::Waiting | Phase::Running);
    let mut before = runs[..at].iter().filter(|submitted| is_live(&submitted.run));
    before.any(|submitted| submitted.has_params || runs[at].has_params)
}

fn state(name: &str, phase: Phase) -> State {
    State { name: name.to_owned(), phase }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn found<'r>(runs: &'r mut [Submitted], id: &RunId) -> Result<&'r mut Submitted, RemoteError> {
    runs.iter_mut().find(|submitted| submitted.run.id == *id).ok_or_else(|| {
        let RunId { pipeline, run } = id;
        RemoteError::Missing(format!("There is no run `{run}` of pipeline `{pipeline}`. {NO_RUNS}"))
    })
}

impl Backend for KedroServer {
    fn can(&self, action: Action) -> Result<(), &'static str> {
        match action {
            Action::Pipelines | Action::Tasks | Action::Submit => Ok(()),
            Action::Runs => Err(NO_RUNS),
            Action::Logs => Err(NO_LOGS),
            Action::Deploy => Err(NO_DEPLOY),
            Action::Cancel => Err(NO_CANCEL),
            Action::Retry => Err(NO_RETRY),
            Action::Mark => Err(NO_MARK),
            Action::Pause => Err(NO_PAUSE),
        }
    }

    fn check(&self) -> Vec<Check> {
        let client = &self.connection.client;
        let address = Ok(format!("{} answers", client.address()));
        let health = match client.health() {
            Ok(health) => health,
            Err(failure @ Failure::NotSent(_)) => {
                return vec![Check { what: "address", found: Err(failure.to_string()) }];
            }
            Err(failure) => {
                let health = Check { what: "health", found: Err(failure.to_string()) };
                return vec![Check { what: "address", found: address }, health];
            }
        };
        let state = match health.status.as_str() {
            "healthy" => Ok(health.status),
            other => Err(format!("The server says that it is `{other}`.")),
        };
        let permissions = match client.is_https() {
            false => "no authentication, no TLS: whoever reaches the port runs code",
            true => {
                "the server itself has no authentication: whoever reaches the address runs code"
            }
        };
        [
            ("address", address),
            ("health", state),
            ("version", Ok(format!("Kedro {}", health.version))),
            ("project", self.project()),
            ("permissions", Ok(permissions.to_owned())),
        ]
        .map(|(what, found)| Check { what, found })
        .into()
    }

    fn pipelines(&self) -> Result<Vec<Deployed>, RemoteError> {
        let pipelines = self.connection.pipelines(self.connection.snapshot())?;
        let mut ids: Vec<_> = pipelines.into_iter().map(|pipeline| pipeline.name).collect();
        ids.sort();
        Ok(ids.into_iter().map(|id| Deployed { id, ..Deployed::default() }).collect())
    }

    /// Lists the runs that were submitted through this connection.
    fn runs(&self, query: &RunsQuery) -> Result<Vec<Run>, RemoteError> {
        let most = if query.limit == 0 { usize::MAX } else { query.limit };
        let is_asked = |run: &&Run| {
            query.pipeline.as_ref().is_none_or(|pipeline| *pipeline == run.id.pipeline)
                && (query.states.is_empty() || query.states.contains(&run.state.name))
        };
        let runs = locked(&self.connection.runs);
        let newest_first = runs.iter().rev().map(|submitted| &submitted.run);
        Ok(newest_first.filter(is_asked).take(most).cloned().collect())
    }

    fn run(&self, id: &RunId) -> Result<Run, RemoteError> {
        Ok(found(&mut locked(&self.connection.runs), id)?.run.clone())
    }

    /// The nodes of the run; none before it is sent. The server does not report their states, so they are known only after
    /// a run that succeeded.
    fn tasks(&self, id: &RunId) -> Result<Vec<Task>, RemoteError> {
        let mut runs = locked(&self.connection.runs);
        let Submitted { run, may_skip, nodes, .. } = found(&mut runs, id)?;
        let nodes = nodes.clone().unwrap_or(Ok(Vec::new()))?;
        let succeeded = run.state.phase == Phase::Succeeded && !*may_skip;
        let state = match succeeded {
            true => run.state.clone(),
            false => state("not reported", Phase::Unknown),
        };
        let task = |id| Task {
            id,
            index: None,
            state: state.clone(),
            attempt: u32::from(succeeded),
            attempts: 1,
            started: None,
            ended: None,
            host: None,
        };
        Ok(nodes.into_iter().map(task).collect())
    }

    /// A node is a task of its own.
    fn nodes(&self, pipeline: &str) -> Result<HashMap<String, Vec<String>>, RemoteError> {
        let pipelines = self.connection.pipelines(self.connection.snapshot())?;
        let Some(found) = pipelines.iter().find(|one| one.name == pipeline) else {
            return Err(RemoteError::Missing(format!("The server has no pipeline `{pipeline}`.")));
        };
        let own = |name: &String| (name.clone(), vec![name.clone()]);
        Ok(found.nodes.iter().map(|node| own(&node.name)).collect())
    }

    fn log(
        &self,
        _id: &RunId,
        _task: &Task,
        _attempt: u32,
        _from: Option<&str>,
    ) -> Result<LogPage, RemoteError> {
        Err(RemoteError::Unable(NO_LOGS))
    }

    /// Starts a run and returns at once. A thread asks for the run's nodes, sends the request once, holds the connection
    /// until the server answers, and keeps the outcome for [`Backend::run`]. Runs with parameters wait for each other.
    fn submit(&self, submission: &Submission) -> Result<Run, RemoteError> {
        let body = request::body(submission).map_err(RemoteError::Refused)?;
        let id = RunId { pipeline: submission.pipeline.clone(), run: submission.id.clone() };
        // A server that does not answer now is told here, where it is certain that nothing was submitted.
        self.connection.client.health().map_err(Failure::into_error)?;
        let run = Run {
            id: id.clone(),
            state: state("waiting", Phase::Waiting),
            queued: Some(now()),
            started: None,
            ended: None,
            kind: "manual".to_owned(),
            conf: submission.conf.clone(),
            note: submission.note.clone(),
            error: None,
        };
        {
            let mut runs = locked(&self.connection.runs);
            if found(&mut runs, &id).is_ok() {
                let RunId { pipeline, run } = id;
                let reason = format!("There is a run `{run}` of pipeline `{pipeline}` already.");
                return Err(RemoteError::Conflict(reason));
            }
            let may_skip = body.get("only_missing_outputs") == Some(&Json::Bool(true));
            let has_params = body.contains_key("params");
            runs.push(Submitted { run: run.clone(), has_params, may_skip, nodes: None });
        }
        let connection = Arc::clone(&self.connection);
        std::thread::spawn(move || connection.follow(&id, &body));
        Ok(run)
    }

    fn cancel(&self, _id: &RunId) -> Result<(), RemoteError> {
        Err(RemoteError::Unable(NO_CANCEL))
    }

    fn retry(&self, _id: &RunId) -> Result<Vec<String>, RemoteError> {
        Err(RemoteError::Unable(NO_RETRY))
    }

    fn mark(&self, _id: &RunId, _task: Option<&Task>, _as: Mark) -> Result<(), RemoteError> {
        Err(RemoteError::Unable(NO_MARK))
    }

    fn pause(&self, _pipeline: &str, _paused: bool) -> Result<(), RemoteError> {
        Err(RemoteError::Unable(NO_PAUSE))
    }
}

/// An `error` of the server: an exception's type and message, without secrets.
fn exception(error: &Json) -> Option<String> {
    let (kind, message) = (error["type"].as_str()?, error["message"].as_str()?);
    Some(redact(&format!("{kind}: {message}")))
}
