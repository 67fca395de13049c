//! The run service: a task for each run that owns its worker, has its events recorded, and reports them
//! in bursts. A run ends with its task; cancelling lets the worker end by itself.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::Reports;
use super::working::Working;
use crate::app::event::{Generation, Report};
use crate::runs::history::Asked;
use crate::runs::recorder::{Subject, burst};
use crate::runs::{
    Failure, Interpreter, Plan, Prepared, Process, Recorder, RunRequest, Stamped, Warmth, detach,
    environment, grid, interpreter, plan,
};
use crate::store::{RunId, Store};

/// How long leaving the program waits for cancelled runs.
const FAREWELL: Duration = Duration::from_secs(8);

type Cancels = Arc<Mutex<HashMap<RunId, Arc<Notify>>>>;

/// The runs that are going on.
#[derive(Default)]
pub(super) struct Runs {
    cancels: Cancels,
    tasks: Vec<JoinHandle<()>>,
    /// Whether no further run of a grid is to begin.
    over: Arc<AtomicBool>,
}

/// What to run, and with what.
pub(super) struct Task {
    pub generation: Generation,
    pub request: RunRequest,
    pub why: String,
    pub root: PathBuf,
    pub python: Option<PathBuf>,
    pub working: Working,
    pub reports: Reports,
}

impl Runs {
    /// Starts a run.
    pub(super) fn start(&mut self, task: Task) {
        self.tasks.retain(|task| !task.is_finished());
        self.tasks.push(tokio::spawn(run(task, self.cancels.clone())));
    }

    /// Starts runs of a grid, as many at a time as there are processors; the next ones follow.
    pub(super) fn start_grid(&mut self, tasks: Vec<Task>) {
        let room = Arc::new(Semaphore::new(grid::at_a_time()));
        self.tasks.retain(|task| !task.is_finished());
        for task in tasks {
            let (cancels, room, over) = (self.cancels.clone(), room.clone(), self.over.clone());
            self.tasks.push(tokio::spawn(async move {
                let permit = room.acquire().await;
                if permit.is_ok() && !over.load(Ordering::Relaxed) {
                    run(task, cancels).await;
                }
            }));
        }
    }

    /// Asks a run to stop.
    pub(super) fn cancel(&self, id: RunId) {
        let cancels = self.cancels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cancel) = cancels.get(&id) {
            cancel.notify_one();
        }
    }

    /// Cancels all runs and waits for their ends, for a while.
    pub(super) async fn finish(self) {
        self.over.store(true, Ordering::Relaxed);
        {
            let cancels = self.cancels.lock().unwrap_or_else(PoisonError::into_inner);
            cancels.values().for_each(|cancel| cancel.notify_one());
        }
        let all = async {
            for task in self.tasks {
                let _ = task.await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, all).await;
    }
}

/// Starts a run in a program of its own.
pub(super) fn detach(
    root: &Path,
    python: Option<&Path>,
    generation: Generation,
    request: &RunRequest,
    reports: &Reports,
) {
    let arguments = detach::arguments(root, python, request);
    let reports = reports.clone();
    tokio::task::spawn_blocking(move || {
        let result = detach::start(arguments).map(|begun| begun.run);
        let _ = reports.blocking_send(Report::Detached { generation, result }.into());
    });
}

async fn run(task: Task, cancels: Cancels) {
    let Begun { mut process, python, notes, taken } = match begin(&task).await {
        Ok(begun) => begun,
        Err((failure, needs_environment)) => {
            let report =
                Report::RunRefused { generation: task.generation, failure, needs_environment };
            let _ = task.reports.send(report.into()).await;
            return;
        }
    };
    let subject = Subject {
        root: task.root.clone(),
        request: task.request.clone(),
        asked: Asked {
            why: task.why.clone(),
            python: python.path.display().to_string(),
            worker: match *task.working.worker(&python.path).warmth().borrow() {
                Warmth::Fresh(_) => "fresh".into(),
                _ => "warm".into(),
            },
            ..Asked::default()
        },
        taken,
    };
    let to = task.reports.clone();
    let tell = move |text| {
        // Where the loop is behind, it has worse to tell.
        let _ = to.try_send(Report::Notice(text).into());
    };
    let (recorder, run) = Recorder::start(Store::new(&task.root), subject, tell).await;
    let id = run.id;
    let cancel = Arc::new(Notify::new());
    cancels.lock().unwrap_or_else(PoisonError::into_inner).insert(id, cancel.clone());
    let report = Report::RunStarted { generation: task.generation, run: Box::new(run) };
    let _ = task.reports.send(report.into()).await;
    let head = format!("Python {} ({})", python.path.display(), python.reason);
    let mut events: Vec<Stamped> = std::iter::once(head).chain(notes).map(own_line).collect();
    loop {
        recorder.record(events.clone()).await;
        if task.reports.send(Report::Run { id, events }.into()).await.is_err() {
            process.cancel();
        }
        let first = loop {
            tokio::select! {
                event = process.next() => break event,
                () = cancel.notified() => process.cancel(),
            }
        };
        let Some(first) = first else { break };
        events = burst(&mut process, first).await;
    }
    recorder.finish().await;
    cancels.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    let _ = task.reports.send(Report::RunStored.into()).await;
}

/// What this program adds to the log: the interpreter and why it was chosen, and what the plan says.
fn own_line(text: String) -> Stamped {
    Stamped::log("INFO", None, text)
}

/// A run whose worker was started.
struct Begun {
    process: Process,
    python: Interpreter,
    /// What the plan says.
    notes: Vec<String>,
    /// Files of kept datasets that it takes, by dataset.
    taken: HashMap<String, String>,
}

/// Starts the worker; an error says whether a Python environment is missing.
async fn begin(task: &Task) -> Result<Begun, (Failure, bool)> {
    let failed = |message: String| Failure { message, ..Failure::default() };
    let (root, named) = (task.root.clone(), task.python.clone());
    let chosen = tokio::task::spawn_blocking(move || interpreter::choose(&root, named.as_deref()));
    let python = match chosen.await {
        Ok(Ok(python)) => python,
        Ok(Err(message)) => return Err((failed(message), task.python.is_none())),
        Err(error) => return Err((failed(error.to_string()), false)),
    };
    if !task.working.has_kedro(&python.path) && !has_kedro(&python.path, &task.root).await {
        let message =
            format!("Kedro is not installed in {} ({}).", python.path.display(), python.reason);
        return Err((failed(message), true));
    }
    task.working.saw_kedro(&python.path);
    let (root, request) = (task.root.clone(), task.request.clone());
    let prepared = tokio::task::spawn_blocking(move || plan::prepare(&root, request)).await;
    let prepared = prepared.unwrap_or_else(|_| Prepared::as_asked(task.request.clone()));
    let notes = prepared.plan.iter().flat_map(Plan::notes).collect();
    match task.working.worker(&python.path).start(&prepared) {
        Ok(process) => Ok(Begun { process, python, notes, taken: prepared.taken() }),
        Err(error) => Err((failed(format!("Python can't be started: {error}.")), false)),
    }
}

/// Whether the interpreter finds Kedro; nothing is imported.
async fn has_kedro(python: &Path, root: &Path) -> bool {
    let code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('kedro') is None)";
    let status = tokio::process::Command::new(python)
        .args(["-c", code])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status();
    match tokio::time::timeout(Duration::from_secs(20), status).await {
        Ok(Ok(status)) => status.success(),
        _ => false,
    }
}

/// Makes the project's Python environment and reports how it goes.
pub(super) async fn create_environment(root: PathBuf, reports: Reports) {
    let (progress, mut lines) = mpsc::channel(64);
    let to = reports.clone();
    let forward = async move {
        while let Some(line) = lines.recv().await {
            let _ = to.send(Report::EnvironmentProgress(line).into()).await;
        }
    };
    let (result, ()) = tokio::join!(environment::create(&root, progress), forward);
    let result = result.map(drop).map_err(|error| error.to_string());
    let _ = reports.send(Report::EnvironmentDone(result).into()).await;
}
