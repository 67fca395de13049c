//! The run service: one task for each run. The task owns the run's process, records its events, and reports them
//! in bursts. A run ends with its task; a cancelled run may end by itself first.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::context::Context;
use crate::app::effect::{Generation, RunKey};
use crate::app::event::Report;
use crate::runs::grid::Room;
use crate::runs::history::Asked;
use crate::runs::recorder::{Subject, burst};
use crate::runs::{
    Failure, Interpreter, Plan, Prepared, Process, Recorder, RunRequest, Stamped, Warmth, claims,
    detach, environment, grid, interpreter, packages, plan,
};
use crate::store::{Claim, RunId, Store};
use crate::text::UserError;

/// How long the program waits for cancelled runs at its end.
const FAREWELL: Duration = Duration::from_secs(8);

/// Tells a run to stop; the runs of a grid share one.
type Stop = Arc<watch::Sender<bool>>;

type Stops = Arc<Mutex<HashMap<RunKey, Stop>>>;

/// The runs that are going on.
#[derive(Default)]
pub(super) struct Runs {
    /// The stop senders of the runs that have begun.
    stops: Stops,
    /// The key of the last run.
    key: RunKey,
    tasks: Vec<(JoinHandle<()>, Stop)>,
}

/// What to run.
pub(super) struct Task {
    /// The number of the request; `None` for a run of a grid.
    pub generation: Option<Generation>,
    pub request: RunRequest,
    pub why: String,
}

impl Runs {
    /// Starts runs, a limited number at a time; the others follow.
    pub(super) fn start(&mut self, context: &Arc<Context>, tasks: Vec<Task>) {
        let room = Room::new();
        let stop = Stop::new(watch::Sender::new(false));
        self.tasks.retain(|(task, _)| !task.is_finished());
        for task in tasks {
            self.key = self.key.next();
            let key = self.key;
            let (stops, room, of_all) = (self.stops.clone(), room.clone(), stop.clone());
            let context = context.clone();
            let one = tokio::spawn(async move {
                let _place = room.enter().await;
                run(&context, key, task, stops, of_all, &room).await;
            });
            self.tasks.push((one, stop.clone()));
        }
    }

    /// Stops a run, and with it all runs of its grid.
    pub(super) fn cancel(&self, key: RunKey) {
        let stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stop) = stops.get(&key) {
            stop.send_replace(true);
        }
    }

    /// Cancels all runs and waits for their ends, for a limited time.
    pub(super) async fn finish(self) {
        for (_, stop) in &self.tasks {
            stop.send_replace(true);
        }
        let all = async {
            for (task, _) in self.tasks {
                let _ = task.await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, all).await;
    }
}

/// Starts a run in a background process, with a copy of the worker if its Python is known to have Kedro.
pub(super) fn detach(context: &Arc<Context>, generation: Generation, request: &RunRequest) {
    let arguments = detach::arguments(&context.root, context.python.as_deref(), request);
    let context = context.clone();
    tokio::task::spawn_blocking(move || {
        let python = interpreter::choose(&context.root, context.python.as_deref()).ok();
        let worker = python
            .filter(|python| knows_kedro(&context, python))
            .and_then(|python| context.working.worker(&python.path).lend());
        let begun = arguments.and_then(|arguments| detach::start(arguments, worker));
        let result = begun.map(|begun| begun.run);
        context.send_blocking(Report::Detached { generation, result });
    });
}

async fn run(context: &Context, key: RunKey, task: Task, stops: Stops, stop: Stop, room: &Room) {
    let mut asked = stop.subscribe();
    let begun = tokio::select! {
        biased;
        // Dropping the future ends the Python process.
        _ = asked.wait_for(|asked| *asked) => return,
        begun = begin(context, &task) => begun,
    };
    let Begun { mut process, python, notes, taken, claim } = match begun {
        Ok(begun) => begun,
        Err((failure, needs_environment)) => {
            // The other runs of a grid have the same problem, and one question is enough.
            if needs_environment && stop.send_replace(true) {
                return;
            }
            let report =
                Report::RunRefused { generation: task.generation, failure, needs_environment };
            context.send(report).await;
            return;
        }
    };
    let subject = Subject {
        root: context.root.clone(),
        request: task.request.clone(),
        asked: Asked {
            why: task.why.clone(),
            python: python.path.display().to_string(),
            worker: match *context.working.worker(&python.path).warmth().borrow() {
                Warmth::Fresh(_) => "fresh".into(),
                _ => "warm".into(),
            },
            batch: match task.generation {
                Some(_) => None,
                None => grid::batch(&task.request),
            },
            ..Asked::default()
        },
        taken,
    };
    let to = context.reports.clone();
    let tell = move |text| {
        // If the channel is full, the loop is overloaded and this notice can be lost.
        let _ = to.try_send(Report::Notice(text).into());
    };
    let (recorder, run) = Recorder::start(Store::new(&context.root), subject, tell).await;
    let mut claim = with_run(claim, run.id).await;
    stops.lock().unwrap_or_else(PoisonError::into_inner).insert(key, stop);
    let report = Report::RunStarted { generation: task.generation, key, run: Box::new(run) };
    context.send(report).await;
    let head = format!("Python {} ({})", python.path.display(), python.reason);
    let mut events: Vec<Stamped> = std::iter::once(head).chain(notes).map(own_line).collect();
    loop {
        room.follow(&events);
        recorder.record(events.clone()).await;
        // Once the screen shows the end, the same nodes can be run again.
        if events.iter().any(|stamped| stamped.event.ends_run()) {
            release(claim.take()).await;
        }
        if context.reports.send(Report::Run { key, events }.into()).await.is_err() {
            process.cancel();
        }
        let first = loop {
            tokio::select! {
                event = process.next() => break event,
                Ok(()) = asked.changed() => process.cancel(),
            }
        };
        let Some(first) = first else { break };
        events = burst(&mut process, first).await;
    }
    recorder.finish().await;
    release(claim).await;
    stops.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    let _ = context.reports.send(Report::RunStored.into()).await;
}

/// The claim with the number of its run.
async fn with_run(claim: Option<Claim>, run: Option<RunId>) -> Option<Claim> {
    let Some(run) = run else { return claim };
    let mut claim = claim?;
    let set = move || {
        claim.set_run(run);
        claim
    };
    tokio::task::spawn_blocking(set).await.ok()
}

/// Releases what a run was to write. This writes to the disk.
async fn release(claim: Option<Claim>) {
    if claim.is_some() {
        drop(tokio::task::spawn_blocking(move || drop(claim)).await);
    }
}

/// A log line of this program: the interpreter, or a note of the plan.
fn own_line(text: String) -> Stamped {
    Stamped::log("INFO", None, text)
}

/// A run whose worker was started.
struct Begun {
    process: Process,
    python: Interpreter,
    /// The notes of the plan.
    notes: Vec<String>,
    /// Files of kept datasets that the run loads, by dataset.
    taken: HashMap<String, String>,
    /// The right to write what the run writes.
    claim: Option<Claim>,
}

/// Starts the worker. An error includes whether a Python environment is missing.
async fn begin(context: &Context, task: &Task) -> Result<Begun, (Failure, bool)> {
    let failed = |message: String| Failure { message, ..Failure::default() };
    let (root, named) = (context.root.clone(), context.python.clone());
    let chosen = tokio::task::spawn_blocking(move || interpreter::choose(&root, named.as_deref()));
    let python = match chosen.await {
        Ok(Ok(python)) => python,
        Ok(Err(error)) => return Err((failed(error.line()), context.python.is_none())),
        Err(error) => return Err((failed(error.to_string()), false)),
    };
    if !knows_kedro(context, &python) && !has_kedro(&python.path, &context.root).await {
        let message =
            format!("Kedro is not installed in {} ({}).", python.path.display(), python.reason);
        return Err((failed(message), true));
    }
    context.working.saw_kedro(&python.path);
    let (root, request) = (context.root.clone(), task.request.clone());
    let prepare = move || -> Result<_, UserError> {
        let prepared = plan::prepare(&root, request).map_err(UserError::plain)?;
        let claim = claims::claim(&root, &prepared)?;
        Ok((prepared, claim))
    };
    let (prepared, claim) = match tokio::task::spawn_blocking(prepare).await {
        Ok(Ok(prepared)) => prepared,
        Ok(Err(error)) => return Err((failed(error.line()), false)),
        Err(_) => (Prepared::as_asked(task.request.clone()), None),
    };
    let notes = prepared.plan.iter().flat_map(Plan::notes).collect();
    match context.working.worker(&python.path).start(&prepared) {
        Ok(process) => Ok(Begun { process, python, notes, taken: prepared.taken(), claim }),
        Err(error) => Err((failed(format!("Python can't be started: {error}.")), false)),
    }
}

/// Whether the interpreter has Kedro, as far as is known without starting it.
fn knows_kedro(context: &Context, python: &Interpreter) -> bool {
    context.working.has_kedro(&python.path) || packages::has(&python.path, "kedro")
}

/// Whether the interpreter finds Kedro. Kedro is not imported.
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
pub(super) async fn create_environment(context: Arc<Context>) {
    let (progress, mut lines) = mpsc::channel(64);
    let forward = async {
        while let Some(line) = lines.recv().await {
            context.send(Report::EnvironmentProgress(line)).await;
        }
    };
    let (result, ()) = tokio::join!(environment::create(&context.root, progress), forward);
    context.send(Report::EnvironmentDone(result.map(drop))).await;
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::super::Message;
    use super::*;
    use crate::app::event::Event;
    use crate::store::RunFilter;

    #[tokio::test]
    async fn a_run_that_is_about_to_begin_does_not_when_all_are_cancelled() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        // The script waits before it answers whether Kedro is installed.
        let script =
            "#!/bin/sh\ncd \"${0%/*}\"\ntouch asked\nwhile [ ! -e go ]; do sleep 0.01; done\n";
        fs::write(file("python"), script).unwrap();
        fs::set_permissions(file("python"), fs::Permissions::from_mode(0o755)).unwrap();
        let (reports, mut heard) = mpsc::channel(64);
        let context = Context::new(folder.path().to_owned(), Some(file("python")), true, reports);
        let task = |number: usize| Task {
            generation: None,
            request: RunRequest {
                apart: Some(format!(".mlops-tui/apart/1.0-{number}")),
                ..RunRequest::default()
            },
            why: String::new(),
        };
        let mut runs = Runs::default();
        runs.start(&context, (1..9).map(task).collect());
        while !file("asked").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let finish = runs.finish();
        tokio::pin!(finish);
        tokio::select! {
            biased;
            () = &mut finish => {}
            () = std::future::ready(()) => {}
        }
        fs::write(file("go"), "").unwrap();
        finish.await;
        while let Ok(message) = heard.try_recv() {
            let Message::Event(Event::Report(report)) = message else { continue };
            assert!(!matches!(report, Report::RunStarted { .. }), "{report:?}");
        }
        let stored = Store::new(folder.path()).runs(&RunFilter::newest(9)).unwrap_or_default();
        assert!(stored.is_empty(), "{stored:?}");
    }
}
