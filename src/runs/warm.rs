//! The project's worker: a warm server for many requests, or a new Python process for each request. It
//! decides which of the two serves a request, and learns which modules to import ahead.
//!
//! The server is started by the first request or by [`Worker::warm_up`], replaced when an installed file has
//! changed or a package makes forking unsafe, and ended when it is unused for long.

use std::collections::HashSet;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::sync::{mpsc, watch};

use super::plan::Prepared;
use super::process::{Lesson, Process, Spec, Warm};
use super::server::{Condition, Preload, Server};
use crate::store;
use crate::system::files;

/// How long an unused server is kept: it holds some hundred megabytes.
const IDLE: Duration = Duration::from_secs(20 * 60);
/// How often idle servers are searched for.
const LOOK: Duration = Duration::from_secs(60);
/// Most modules that are stored; large projects import some ten thousand.
const MOST_MODULES: usize = 30_000;
/// How often a server is replaced because a package makes forking unsafe.
const ATTEMPTS: usize = 5;
/// File in the store's folder with the learned modules.
const FILE: &str = "worker.json";

/// How ready the worker is.
#[derive(Debug, Clone, PartialEq)]
pub enum Warmth {
    /// Each request starts a Python process of its own; the text says why.
    Fresh(String),
    /// There is no server; the next request starts it.
    Cold,
    /// The server is importing the project's packages.
    Warming,
    /// The server has imported its modules.
    Warm {
        /// Number of imported modules.
        modules: usize,
        /// Duration of the imports, in seconds.
        seconds: f64,
    },
}

/// The worker of a project; clones share one server.
#[derive(Debug, Clone)]
pub struct Worker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    spec: Spec,
    state: Mutex<State>,
    warmth: watch::Sender<Warmth>,
    lessons: mpsc::UnboundedSender<Lesson>,
}

#[derive(Debug)]
struct State {
    /// If set, each request gets a process of its own; the text says why.
    fresh: Option<String>,
    server: Option<Arc<Server>>,
    /// The files that the server has loaded, with their stamps at that time.
    stamps: Vec<(PathBuf, Stamp)>,
    memory: Memory,
    attempts: usize,
    used: Instant,
}

/// Modification time of a file, and its size in bytes; `None` when the file does not exist.
type Stamp = Option<(SystemTime, u64)>;

/// The learned modules of a project, as stored in the store's folder.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Memory {
    python: PathBuf,
    modules: Vec<String>,
    refused: Vec<String>,
}

impl Worker {
    /// A worker that starts a Python process for each request.
    pub fn fresh(spec: Spec, why: impl Into<String>) -> Self {
        let (lessons, _) = mpsc::unbounded_channel();
        Worker(Shared::new(spec, Some(why.into()), Memory::default(), lessons))
    }

    /// A worker that keeps a server. Needs a tokio runtime.
    pub fn warm(spec: Spec) -> Self {
        let memory = Memory::read(&spec);
        let (send, lessons) = mpsc::unbounded_channel();
        let shared = Shared::new(spec, None, memory, send);
        tokio::spawn(learn(Arc::downgrade(&shared), lessons));
        tokio::spawn(grow_cold(Arc::downgrade(&shared)));
        Worker(shared)
    }

    /// A worker whose server is the copy, at the other end of the socket, of the server of another process of this
    /// program; see [`Worker::lend`]. If there is no such copy, it starts a server of its own. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the socket can't be used.
    pub fn adopt(spec: Spec, socket: OwnedFd) -> io::Result<Self> {
        let worker = Worker::warm(spec);
        let server = Arc::new(Server::adopt(socket)?);
        worker.0.keep(&mut worker.0.state(), &server);
        Ok(worker)
    }

    /// Copies the server for another process of this program. Gives the socket for [`Worker::adopt`] there; `None` if
    /// this worker keeps no server, or it can't be copied. Needs a tokio runtime.
    pub fn lend(&self) -> Option<OwnedFd> {
        let mut state = self.0.state();
        if state.fresh.is_some() {
            return None;
        }
        let (ours, theirs) = UnixStream::pair().ok()?;
        self.0.server(&mut state).ok()?.copy_for(theirs.into());
        Some(ours.into())
    }

    /// The interpreter and the folder that the worker uses.
    pub fn spec(&self) -> &Spec {
        &self.0.spec
    }

    /// A receiver for changes of the worker's readiness.
    pub fn warmth(&self) -> watch::Receiver<Warmth> {
        self.0.warmth.subscribe()
    }

    /// Starts the server ahead of a request. A failure shows at the request.
    pub fn warm_up(&self) {
        let mut state = self.0.state();
        if state.fresh.is_none()
            && let Err(error) = self.0.server(&mut state)
        {
            tracing::debug!(%error, "the worker can't be started");
        }
    }

    /// Starts a run. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the interpreter can't be started.
    pub fn start(&self, run: &Prepared) -> io::Result<Process> {
        self.begin(run.to_json())
    }

    pub(super) fn begin(&self, request: Json) -> io::Result<Process> {
        let shared = &self.0;
        let mut state = shared.state();
        if state.fresh.is_some() {
            let server = Server::start(&shared.spec, None)?;
            return Process::begin(Arc::new(server), &shared.spec, request, None);
        }
        let server = shared.server(&mut state)?;
        let weak = Arc::downgrade(shared);
        let replace = move |refused: &Arc<Server>| {
            let shared = weak.upgrade().ok_or(io::ErrorKind::NotConnected)?;
            shared.replace(refused)
        };
        let warm = Warm { lessons: shared.lessons.clone(), replace: Box::new(replace) };
        Process::begin(server, &shared.spec, request, Some(warm))
    }
}

impl Shared {
    fn new(
        spec: Spec,
        fresh: Option<String>,
        memory: Memory,
        lessons: mpsc::UnboundedSender<Lesson>,
    ) -> Arc<Self> {
        let warmth = fresh.clone().map_or(Warmth::Cold, Warmth::Fresh);
        let state = State {
            fresh,
            server: None,
            stamps: Vec::new(),
            memory,
            attempts: 0,
            used: Instant::now(),
        };
        let (warmth, _) = watch::channel(warmth);
        Arc::new(Shared { spec, state: Mutex::new(state), warmth, lessons })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current server; a new one if there is none or it is outdated.
    fn server(self: &Arc<Self>, state: &mut State) -> io::Result<Arc<Server>> {
        state.used = Instant::now();
        let outdated = state.stamps.iter().any(|(path, then)| stamp(path) != *then);
        let server = state.server.as_ref().filter(|server| !outdated && server.works());
        if let Some(server) = server {
            return Ok(server.clone());
        }
        let preload = Preload {
            modules: state.memory.modules.clone(),
            refused: state.memory.refused.clone(),
        };
        let server = Arc::new(Server::start(&self.spec, Some(&preload))?);
        self.keep(state, &server);
        Ok(server)
    }

    /// Uses this server from now on.
    fn keep(self: &Arc<Self>, state: &mut State, server: &Arc<Server>) {
        state.stamps.clear();
        state.server = Some(server.clone());
        self.warmth.send_replace(Warmth::Warming);
        tokio::spawn(follow(Arc::downgrade(self), Arc::downgrade(server), server.condition()));
    }

    /// The server that takes the place of one that has refused to serve.
    fn replace(self: &Arc<Self>, refused: &Arc<Server>) -> io::Result<Arc<Server>> {
        let condition = refused.condition().borrow().clone();
        self.take_note(&Arc::downgrade(refused), condition);
        let mut state = self.state();
        match state.fresh {
            Some(_) => Server::start(&self.spec, None).map(Arc::new),
            None => self.server(&mut state),
        }
    }

    /// Takes note of a server's new state; returns whether the server is still the one in use.
    fn take_note(self: &Arc<Self>, server: &Weak<Server>, condition: Condition) -> bool {
        let mut state = self.state();
        let current = state.server.as_ref().map(Arc::downgrade);
        if !current.is_some_and(|current| current.ptr_eq(server)) {
            return false;
        }
        match condition {
            Condition::Warming(_) => drop(self.warmth.send_replace(Warmth::Warming)),
            Condition::Warm(warm) => {
                state.stamps =
                    warm.files.into_iter().map(|path| (path.clone(), stamp(&path))).collect();
                let warmth = Warmth::Warm { modules: warm.modules, seconds: warm.seconds };
                self.warmth.send_replace(warmth);
            }
            Condition::Refused(packages) => {
                state.attempts += 1;
                state.memory.refused.extend(packages.iter().cloned());
                state.memory.write(&self.spec);
                state.server = None;
                if state.attempts >= ATTEMPTS {
                    let why = format!("packages start threads: {}", packages.join(", "));
                    self.give_up(&mut state, why);
                } else if let Err(error) = self.server(&mut state) {
                    tracing::debug!(%error, "the worker can't be started");
                }
                return false;
            }
            Condition::Ended(reason) => {
                tracing::info!(reason, "the worker has ended");
                state.server = None;
                self.warmth.send_replace(Warmth::Cold);
                return false;
            }
        }
        true
    }

    fn give_up(&self, state: &mut State, why: String) {
        tracing::info!(why, "each request gets a Python process of its own");
        state.server = None;
        state.fresh = Some(why.clone());
        self.warmth.send_replace(Warmth::Fresh(why));
    }
}

/// Follows a server's state until it ends or is replaced.
async fn follow(
    shared: Weak<Shared>,
    server: Weak<Server>,
    mut condition: watch::Receiver<Condition>,
) {
    loop {
        let now = condition.borrow_and_update().clone();
        let goes_on = shared.upgrade().is_some_and(|shared| shared.take_note(&server, now));
        if !goes_on || condition.changed().await.is_err() {
            return;
        }
    }
}

/// Receives the lessons of children: the next server imports the modules that they had to import.
async fn learn(shared: Weak<Shared>, mut lessons: mpsc::UnboundedReceiver<Lesson>) {
    while let Some(lesson) = lessons.recv().await {
        let Some(shared) = shared.upgrade() else { return };
        let mut state = shared.state();
        match lesson {
            Lesson::Modules(names) => {
                state.used = Instant::now();
                let known: HashSet<&String> = state.memory.modules.iter().collect();
                let new: Vec<String> =
                    names.iter().filter(|name| !known.contains(name)).cloned().collect();
                if !new.is_empty() && state.memory.modules.len() + new.len() <= MOST_MODULES {
                    state.memory.modules.extend(new);
                    state.memory.write(&shared.spec);
                }
                if let Some(server) = state.server.as_ref().filter(|_| !names.is_empty()) {
                    server.learn(names);
                }
            }
            Lesson::Crashed(how) => {
                let why = format!("a forked process was {how} before the run began");
                shared.give_up(&mut state, why);
            }
        }
    }
}

/// Ends a server that is unused.
async fn grow_cold(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(shared) = shared.upgrade() else { return };
        let mut state = shared.state();
        // Requests in progress hold a reference to their server.
        let unused = state.server.as_ref().is_some_and(|server| Arc::strong_count(server) == 1);
        if unused && state.used.elapsed() > IDLE {
            state.server = None;
            shared.warmth.send_replace(Warmth::Cold);
        }
    }
}

impl Memory {
    /// The stored modules of the project for this interpreter; empty if the file can't be read.
    fn read(spec: &Spec) -> Self {
        let path = spec.root.join(store::FOLDER).join(FILE);
        let memory = files::read(&path, files::TEXT)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        let same = memory.filter(|memory: &Memory| memory.python == spec.python);
        same.unwrap_or(Memory { python: spec.python.clone(), ..Memory::default() })
    }

    fn write(&mut self, spec: &Spec) {
        self.refused.sort();
        self.refused.dedup();
        if let Err(error) = self.try_write(&spec.root) {
            tracing::debug!(%error, "what was learned of the project's modules is not kept");
        }
    }

    fn try_write(&self, root: &Path) -> io::Result<()> {
        // Another instance of this program may read or write the file at any time.
        store::write_file(root, FILE, &serde_json::to_vec(self)?)
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = path.metadata().ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
