//! `mlops-tui run --grid`: the same nodes with several sets of parameters, some at a time.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;

use color_eyre::eyre::{Result, WrapErr, eyre};
use serde_json::json;
use tokio::sync::Semaphore;

use super::run::{Signals, why};
use crate::runs::history::Asked;
use crate::runs::recorder::{Subject, burst};
use crate::runs::{Interpreter, Recorder, RunRequest, Spec, Worker, grid, plan};
use crate::store::{Outcome, RunRecord, Store, now};
use crate::text::sanitize;

/// Runs them through one warm worker, and prints how each went. Ctrl-C cancels all.
pub(super) fn run(
    root: &std::path::Path,
    request: &RunRequest,
    text: &str,
    python: &Interpreter,
    json: bool,
) -> Result<ExitCode> {
    let sets = grid::parse(text).map_err(|error| eyre!(error))?;
    let requests = grid::requests(request, sets, now());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let records = runtime.block_on(async {
        let mut signals = Signals::new()?;
        let worker = Worker::warm(Spec::new(&python.path, root));
        let room = Arc::new(Semaphore::new(grid::at_a_time()));
        let (cancel, _) = tokio::sync::watch::channel(false);
        let tasks = requests.into_iter().map(|request| {
            let (worker, room, cancelled) = (worker.clone(), room.clone(), cancel.subscribe());
            let asked = Asked {
                why: why(std::env::args_os()),
                python: python.path.display().to_string(),
                ..Asked::default()
            };
            let subject = Subject { root: root.to_owned(), request, asked, taken: HashMap::new() };
            tokio::spawn(one(worker, subject, room, cancelled, json))
        });
        let tasks: Vec<_> = tasks.collect();
        let all = async {
            let mut records = Vec::new();
            for task in tasks {
                records.push(task.await.wrap_err("a run ended badly")??);
            }
            Ok::<_, color_eyre::Report>(records)
        };
        tokio::pin!(all);
        loop {
            tokio::select! {
                records = &mut all => return records,
                () = signals.next() => drop(cancel.send(true)),
            }
        }
    })?;
    let bad = records.iter().flatten().any(|record| record.outcome != Outcome::Succeeded);
    let cancelled = records.iter().any(Option::is_none);
    Ok(if bad || cancelled { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// One run; `None` for one that did not begin before all were cancelled.
async fn one(
    worker: Worker,
    subject: Subject,
    room: Arc<Semaphore>,
    mut cancelled: tokio::sync::watch::Receiver<bool>,
    json: bool,
) -> Result<Option<RunRecord>> {
    let _permit = room.acquire().await?;
    if *cancelled.borrow() {
        return Ok(None);
    }
    let params: Vec<String> =
        subject.request.params.iter().map(|(key, text)| format!("{key}={text}")).collect();
    let params = params.join(" ");
    let (root, request) = (subject.root.clone(), subject.request.clone());
    let apart = request.apart.clone().unwrap_or_default();
    let prepared = tokio::task::spawn_blocking(move || plan::prepare(&root, request)).await?;
    let mut process = worker.start(&prepared).wrap_err("Python can't be started")?;
    let subject = Subject { taken: prepared.taken(), ..subject };
    let tell = |text: String| eprintln!("mlops-tui: {}", sanitize(&text));
    let (recorder, record) = Recorder::start(Store::new(&subject.root), subject, tell).await;
    loop {
        let first = tokio::select! {
            event = process.next() => event,
            Ok(()) = cancelled.changed() => {
                process.cancel();
                continue;
            }
        };
        let Some(first) = first else { break };
        recorder.record(burst(&mut process, first).await).await;
    }
    let record = recorder.finish().await.unwrap_or(record);
    if json {
        println!("{}", json!({"params": params, "folder": apart, "run": record}));
        return Ok(Some(record));
    }
    let seconds = record.ended_at.map_or(0.0, |end| end - record.new.started_at);
    let reason = record.reason.as_deref().map(|reason| format!("  {reason}")).unwrap_or_default();
    let line = format!(
        "run {}  {params}  {} in {seconds:.2} s{reason}  {apart}",
        record.id,
        record.outcome.as_str(),
    );
    println!("{}", sanitize(&line));
    Ok(Some(record))
}
