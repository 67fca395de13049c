//! The run service: a task for each run that owns its worker, records its events in the store, and
//! reports them in bursts. A run ends with its task; cancelling lets the worker end by itself.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::Reports;
use super::storing::Storing;
use super::working::Working;
use crate::app::event::{Generation, Report};
use crate::runs::{
    Failure, Interpreter, Process, RunEvent, RunRequest, Stamped, Stream, environment, history,
    interpreter,
};
use crate::store::{RunId, RunRecord};

/// Events that come within this time are reported together.
const BURST: Duration = Duration::from_millis(50);
/// Most events in one report.
const MOST: usize = 2_000;
/// How long leaving the program waits for cancelled runs.
const FAREWELL: Duration = Duration::from_secs(8);

type Cancels = Arc<Mutex<HashMap<RunId, Arc<Notify>>>>;

/// The runs that are going on.
#[derive(Default)]
pub(super) struct Runs {
    cancels: Cancels,
    tasks: Vec<JoinHandle<()>>,
}

/// What to run, and with what.
pub(super) struct Task {
    pub generation: Generation,
    pub request: RunRequest,
    pub root: PathBuf,
    pub python: Option<PathBuf>,
    pub working: Working,
    pub store: Storing,
    pub reports: Reports,
}

impl Runs {
    /// Starts a run.
    pub(super) fn start(&mut self, task: Task) {
        self.tasks.retain(|task| !task.is_finished());
        self.tasks.push(tokio::spawn(run(task, self.cancels.clone())));
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

async fn run(task: Task, cancels: Cancels) {
    let (mut process, mut record, python) = match begin(&task).await {
        Ok(begun) => begun,
        Err((failure, needs_environment)) => {
            let report =
                Report::RunRefused { generation: task.generation, failure, needs_environment };
            let _ = task.reports.send(report.into()).await;
            return;
        }
    };
    let id = record.id;
    let cancel = Arc::new(Notify::new());
    cancels.lock().unwrap_or_else(PoisonError::into_inner).insert(id, cancel.clone());
    let report = Report::RunStarted { generation: task.generation, run: record.clone() };
    let _ = task.reports.send(report.into()).await;
    let with = vec![with_python(&python)];
    store(&task, &mut record, &with);
    let _ = task.reports.send(Report::Run { id, events: with }.into()).await;
    loop {
        let first = tokio::select! {
            event = process.next() => event,
            () = cancel.notified() => {
                process.cancel();
                continue;
            }
        };
        let Some(first) = first else { break };
        let mut events = vec![first];
        let end = tokio::time::Instant::now() + BURST;
        while events.len() < MOST && !events.last().is_some_and(|it| it.event.ends_run()) {
            match tokio::time::timeout_at(end, process.next()).await {
                Ok(Some(event)) => events.push(event),
                Ok(None) | Err(_) => break,
            }
        }
        store(&task, &mut record, &events);
        if task.reports.send(Report::Run { id, events }.into()).await.is_err() {
            process.cancel();
        }
    }
    cancels.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
}

/// The log begins with the interpreter and why it was chosen.
fn with_python(python: &Interpreter) -> Stamped {
    let event = RunEvent::Output {
        node: None,
        stream: Stream::Log,
        level: Some("INFO".into()),
        logger: None,
        text: format!("Python {} ({})", python.path.display(), python.reason),
        partial: false,
    };
    let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    Stamped { at, event }
}

fn store(task: &Task, record: &mut RunRecord, events: &[Stamped]) {
    let mut changed = false;
    for event in events {
        changed |= history::apply(record, event);
    }
    let (rows, record) = (history::to_rows(events), record.clone());
    task.store.tell(&task.reports, move |store| {
        store.append_events(record.id, &rows)?;
        if changed { store.update_run(&record) } else { Ok(()) }
    });
}

/// Starts the worker and records the run; an error says whether a Python environment is missing.
async fn begin(task: &Task) -> Result<(Process, RunRecord, Interpreter), (Failure, bool)> {
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
    let new = history::new_run(&task.request);
    let record = match task.store.ask(move |store| store.add_run(&new)).await {
        Some(Ok(record)) => record,
        Some(Err(error)) => return Err((failed(error.to_string()), false)),
        None => return Err((failed("The store is gone.".into()), false)),
    };
    match task.working.worker(&python.path).start(&task.request) {
        Ok(process) => Ok((process, record, python)),
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
