//! `mlops-tui run --grid`: the same nodes with several sets of parameters, a few runs at a time.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;

use color_eyre::eyre::{Result, WrapErr, eyre};
use serde_json::json;

use super::invocation::{Signals, why};
use super::output::{self, complain};
use crate::runs::grid::Room;
use crate::runs::history::Asked;
use crate::runs::params;
use crate::runs::recorder::{Subject, burst};
use crate::runs::{Interpreter, Recorder, RunRequest, Spec, Worker, grid, plan};
use crate::store::{Outcome, RunRecord, Store, now};
use crate::text::sanitize;
use crate::text::secrets::HIDDEN;

/// Runs all combinations through one warm worker, and prints the outcome of each. Ctrl-C cancels all.
pub(super) fn run(
    root: &std::path::Path,
    request: &RunRequest,
    text: &str,
    python: &Interpreter,
    json: bool,
) -> Result<ExitCode> {
    let sets = grid::parse(text).map_err(|error| eyre!(error))?;
    let requests = grid::requests(request, sets, now());
    // All runs set the same parameters.
    if let Some(request) = requests.first() {
        plan::foresee(root, request.clone()).warnings.iter().for_each(output::warn);
    }
    let results = super::block_on(async {
        let mut signals = Signals::new()?;
        let worker = Worker::warm(Spec::new(&python.path, root));
        let room = Room::new();
        let (cancel, _) = tokio::sync::watch::channel(false);
        let tasks = requests.into_iter().map(|request| {
            let (worker, room, cancelled) = (worker.clone(), room.clone(), cancel.subscribe());
            let asked = Asked {
                why: why(std::env::args_os()),
                python: python.path.display().to_string(),
                batch: grid::batch(&request),
                ..Asked::default()
            };
            let params = told(&request);
            let subject = Subject { root: root.to_owned(), request, asked, taken: HashMap::new() };
            (params, tokio::spawn(one(worker, subject, room, cancelled, json)))
        });
        let tasks: Vec<_> = tasks.collect();
        let all = async {
            let mut results = Vec::new();
            for (params, task) in tasks {
                let result = task.await.wrap_err("the run ended badly").flatten();
                results.push((params, result));
            }
            results
        };
        tokio::pin!(all);
        loop {
            tokio::select! {
                results = &mut all => return Ok::<_, color_eyre::Report>(results),
                () = signals.next() => drop(cancel.send(true)),
            }
        }
    })?;
    let mut good = true;
    for (params, result) in results {
        match result {
            Ok(record) => {
                good &= record.is_some_and(|record| record.outcome == Outcome::Succeeded);
            }
            // The other runs have continued.
            Err(error) => {
                good = false;
                complain(&format!("{params}: {error:#}"));
            }
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The parameters of a run for printing, without secrets.
fn told(request: &RunRequest) -> String {
    let shown = params::masked(&request.params, &|_| HIDDEN.into());
    let params = shown.iter().map(|(key, text)| format!("{key}={text}"));
    params.collect::<Vec<_>>().join(" ")
}

/// One run; `None` if all runs were cancelled before it began.
async fn one(
    worker: Worker,
    subject: Subject,
    room: Arc<Room>,
    mut cancelled: tokio::sync::watch::Receiver<bool>,
    json: bool,
) -> Result<Option<RunRecord>> {
    let _place = room.enter().await;
    if *cancelled.borrow() {
        return Ok(None);
    }
    let params = told(&subject.request);
    let (root, request) = (subject.root.clone(), subject.request.clone());
    let apart = request.apart.clone().unwrap_or_default();
    let prepared = tokio::task::spawn_blocking(move || plan::prepare(&root, request)).await??;
    let mut process = worker.start(&prepared).wrap_err("Python can't be started")?;
    let subject = Subject { taken: prepared.taken(), ..subject };
    let tell = |text: String| complain(&text);
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
        let events = burst(&mut process, first).await;
        room.follow(&events);
        recorder.record(events).await;
    }
    let record = recorder.finish().await.unwrap_or(record);
    if json {
        let line = json!({"params": params, "folder": apart, "run": record});
        output::json_line(&line)?;
        return Ok(Some(record));
    }
    let seconds = record.ended_at.map_or(0.0, |end| end - record.new.started_at);
    let reason = record.reason.as_deref().map(|reason| format!("  {reason}")).unwrap_or_default();
    let line = format!(
        "{}  {params}  {} in {seconds:.2} s{reason}  {apart}",
        record.name(),
        record.outcome.as_str(),
    );
    output::text(&(sanitize(&line) + "\n"))?;
    Ok(Some(record))
}
