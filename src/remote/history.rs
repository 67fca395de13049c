//! Runs on engines in the project's history: a remote run has the same record as a local one.
//!
//! [`record`] is called at each look at a run, and changes only what has changed. [`keep_log`] stores the log of a try once
//! it has ended, and with it the exception of a failed task. Neither asks the engine.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::dag_file::OWN_KEY;
use super::model::{LogLine, Phase, Run, Task};
use super::profile::Profile;
use super::traceback;
use crate::project::params::{dotted, masked};
use crate::store::{
    Entry, Level, Line, NewRun, NodeOutcome, NodeRecord, Outcome, Progress, Remote, RunRecord,
    Source, Store, StoreError, now,
};
use crate::text::secrets::{HIDDEN, Key, SECRET, redact};
use crate::tracking;

/// Where a run is, and who asked for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Name of the profile.
    pub profile: String,
    /// Kind of the engine.
    pub engine: String,
    /// Address of the engine, without credentials.
    pub address: String,
    /// The pipeline by its name in the project, or by its id on the engine if it is none of the project's.
    pub pipeline: String,
    /// The run environment of runs that name none.
    pub env: Option<String>,
    /// Who submitted the run, if that was here.
    pub user: Option<String>,
    /// How it was submitted, if that was here.
    pub why: Option<String>,
}

impl Origin {
    /// The origin of runs of a deployed pipeline. `registered` are the names of the project's pipelines.
    pub fn of<'n>(
        profile: &Profile,
        package: &str,
        deployed: &str,
        mut registered: impl Iterator<Item = &'n str>,
    ) -> Self {
        let name = registered.find(|name| profile.deployed(name, package) == deployed);
        Origin {
            profile: profile.name.clone(),
            engine: profile.engine.name().to_owned(),
            address: address(&profile.url),
            pipeline: name.unwrap_or(deployed).to_owned(),
            ..Origin::default()
        }
    }
}

/// A URL without credentials, query and fragment.
fn address(url: &str) -> String {
    let Ok(mut url) = reqwest::Url::parse(url) else { return redact(url) };
    let _ = (url.set_username(""), url.set_password(None));
    url.set_query(None);
    url.set_fragment(None);
    url.as_str().trim_end_matches('/').to_owned()
}

/// Records a run as it is now, and returns its record. `nodes` says which nodes each task holds; a task that is not in it
/// stands for itself.
///
/// # Errors
/// When the store can't be read or written.
pub fn record(
    store: &mut Store,
    origin: &Origin,
    run: &Run,
    tasks: &[Task],
    nodes: &HashMap<String, Vec<String>>,
) -> Result<RunRecord, StoreError> {
    let remote = Remote {
        profile: origin.profile.clone(),
        engine: origin.engine.clone(),
        pipeline: run.id.pipeline.clone(),
        run: run.id.run.clone(),
    };
    let known = match store.remote_run(&remote)? {
        Some(known) => known,
        None => {
            let key = store.new_key()?;
            let added = store.add_remote_run(&remote, &begun(origin, run, key.as_ref()))?;
            if let (Some(id), Some(note)) = (added.id, &run.note) {
                store.note(id, &redact(note))?;
            }
            added
        }
    };
    let Some(id) = known.id else { return Ok(known) };
    let stored = store.nodes(id)?;
    let found = merged(run, tasks, nodes, &stored);
    let failed = found.iter().filter(|node| node.outcome == NodeOutcome::Failed);
    // The node whose exception is known is certain; a shared task may have failed at any of its nodes.
    let failed =
        failed.max_by_key(|node| (node.failure.is_some(), std::cmp::Reverse(node.position)));
    let failed_node = failed.map(|node| node.node.clone());
    let succeeded = found.iter().filter(|node| node.outcome == NodeOutcome::Succeeded).count();
    let outcome = outcome(run.state.phase, known.outcome);
    let mut updated = RunRecord {
        outcome,
        ended_at: (outcome != Outcome::Running).then(|| ended(run, tasks, &known)),
        nodes_total: u32::try_from(found.len()).unwrap_or(u32::MAX),
        nodes_done: u32::try_from(succeeded).unwrap_or(u32::MAX),
        reason: reason(run, outcome, failed),
        failed_node,
        ..known.clone()
    };
    updated.new.started_at = run.started.or(run.queued).unwrap_or(known.new.started_at);
    let changed: Vec<NodeRecord> =
        found.into_iter().filter(|node| !stored.contains(node)).collect();
    if updated != known || !changed.is_empty() {
        let progress =
            Progress { record: &updated, first: 1, entries: &[], nodes: &changed, datasets: &[] };
        store.record(&progress)?;
    }
    Ok(store.run(id)?.unwrap_or(updated))
}

/// Notes which tracked run a run has logged to, and the metrics of all those that its tasks have logged to.
///
/// # Errors
/// When the store can't be written.
pub fn tracked(
    store: &mut Store,
    record: &RunRecord,
    runs: &[tracking::entities::Run],
) -> Result<RunRecord, StoreError> {
    // The one with metrics is what people look for.
    let with_metrics = runs.iter().find(|run| !run.metrics.is_empty());
    let Some(main) = with_metrics.or(runs.first()) else { return Ok(record.clone()) };
    let mut metrics = BTreeMap::new();
    for (key, value) in runs.iter().rev().flat_map(|run| &run.metrics) {
        if value.is_finite() {
            metrics.insert(key.clone(), *value);
        }
    }
    let record = RunRecord { mlflow_run: Some(main.id.clone()), metrics, ..record.clone() };
    store.record(&Progress {
        record: &record,
        first: 1,
        entries: &[],
        nodes: &[],
        datasets: &[],
    })?;
    Ok(record)
}

/// Notes that a run was cancelled from here. Airflow counts such a run as failed.
///
/// # Errors
/// When the store can't be written.
pub fn cancelled(store: &mut Store, record: &RunRecord) -> Result<RunRecord, StoreError> {
    let record = RunRecord { outcome: Outcome::Cancelled, ..record.clone() };
    store.record(&Progress {
        record: &record,
        first: 1,
        entries: &[],
        nodes: &[],
        datasets: &[],
    })?;
    Ok(record)
}

/// What is known when a run begins. What it was submitted with may hold secrets; only marks of them are kept.
fn begun(origin: &Origin, run: &Run, key: Option<&Key>) -> NewRun {
    let mut conf = run.conf.clone();
    let own = conf.as_object_mut().and_then(|conf| conf.shift_remove(OWN_KEY));
    let env = own.as_ref().and_then(|own| own["env"].as_str().map(str::to_owned));
    let env = env.or_else(|| origin.env.clone());
    let params = dotted(&conf);
    let kept = masked(&params, &|secret| key.map_or(SECRET.into(), |key| key.mark_of(secret)));
    let shown = masked(&params, &|_| HIDDEN.into());
    let shown: Vec<String> = shown.iter().map(|(key, text)| format!("{key}={text}")).collect();
    let mut command = format!(
        "mlops-tui remote submit --profile {} --pipeline {}",
        origin.profile, run.id.pipeline
    );
    if !shown.is_empty() {
        command += &format!(" --params '{}'", shown.join(",").replace('\'', r"'\''"));
    }
    // The form of a request of `kedro run`, which later asks for the same here.
    let pipeline = Some(&origin.pipeline).filter(|name| *name != "__default__");
    let request = json!({"pipeline": pipeline, "env": env, "params": kept});
    NewRun {
        started_at: run.started.or(run.queued).unwrap_or_else(now),
        pipeline: origin.pipeline.clone(),
        env,
        request: request.to_string(),
        command,
        user: origin.user.clone(),
        host: Some(origin.address.clone()),
        why: origin.why.clone().or_else(|| Some(redact(&run.kind)).filter(|kind| !kind.is_empty())),
        detached: true,
        ..NewRun::default()
    }
}

fn outcome(phase: Phase, known: Outcome) -> Outcome {
    match (phase, known) {
        (Phase::Waiting | Phase::Running | Phase::Retrying | Phase::Unknown, _) => Outcome::Running,
        (Phase::Succeeded, _) => Outcome::Succeeded,
        (Phase::Failed | Phase::UpstreamFailed, Outcome::Cancelled) => Outcome::Cancelled,
        (Phase::Failed | Phase::UpstreamFailed, _) => Outcome::Failed,
        (Phase::Skipped, _) => Outcome::Cancelled,
        (Phase::Lost, _) => Outcome::Lost,
    }
}

/// When a run ended. An engine that does not say so gets the end of the last task, or the time when the end was seen.
fn ended(run: &Run, tasks: &[Task], known: &RunRecord) -> f64 {
    let last = || tasks.iter().filter_map(|task| task.ended).max_by(f64::total_cmp);
    run.ended.or(known.ended_at).or_else(last).unwrap_or_else(now)
}

fn reason(run: &Run, outcome: Outcome, failed: Option<&NodeRecord>) -> Option<String> {
    match outcome {
        Outcome::Lost => {
            Some(run.error.as_deref().map_or_else(
                || "the engine can't say what became of the run".to_owned(),
                first_line,
            ))
        }
        Outcome::Failed => {
            failed.and_then(of_failure).or_else(|| run.error.as_deref().map(first_line))
        }
        _ => None,
    }
}

fn first_line(text: &str) -> String {
    redact(text.lines().next().unwrap_or_default())
}

/// The exception of a node in a line.
fn of_failure(node: &NodeRecord) -> Option<String> {
    let failure: Json = serde_json::from_str(node.failure.as_deref()?).ok()?;
    let text = |key: &str| failure[key].as_str().unwrap_or_default();
    let kind = text("kind").rsplit('.').next().unwrap_or_default();
    Some(first_line(&format!("{kind}: {}", text("message"))))
}

/// The nodes of a run from its tasks. A task that was expanded into several counts once, with the state that matters most.
fn merged(
    run: &Run,
    tasks: &[Task],
    nodes: &HashMap<String, Vec<String>>,
    stored: &[NodeRecord],
) -> Vec<NodeRecord> {
    let is_over = run.state.phase.is_over();
    let mut found: IndexMap<String, (NodeRecord, Option<f64>)> = IndexMap::new();
    for task in tasks {
        let own = [task.id.clone()];
        let names = nodes.get(&task.id).map_or(own.as_slice(), Vec::as_slice);
        let outcome = node_outcome(task.state.phase, is_over);
        for name in names {
            let position = u32::try_from(found.len()).unwrap_or(u32::MAX);
            let (node, ended) = found.entry(name.clone()).or_insert_with(|| {
                let node =
                    NodeRecord { node: name.clone(), position, outcome, ..NodeRecord::default() };
                (node, task.ended)
            });
            if weight(outcome) > weight(node.outcome) {
                node.outcome = outcome;
            }
            node.started_at = earliest(node.started_at, task.started);
            *ended = ended.zip(task.ended).map(|(one, other)| one.max(other));
        }
    }
    let finished = |(mut node, ended): (NodeRecord, Option<f64>)| {
        let took = |(start, end): (f64, f64)| (end - start).max(0.0);
        let has_ended = matches!(node.outcome, NodeOutcome::Succeeded | NodeOutcome::Failed);
        node.seconds = node.started_at.zip(ended).map(took).filter(|_| has_ended);
        // The exception of this try is known from its log.
        let same = |old: &&NodeRecord| {
            old.node == node.node
                && old.outcome == NodeOutcome::Failed
                && node.outcome == NodeOutcome::Failed
                && old.started_at == node.started_at
        };
        node.failure = stored.iter().find(same).and_then(|old| old.failure.clone());
        node
    };
    found.into_values().map(finished).collect()
}

fn earliest(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn node_outcome(phase: Phase, is_over: bool) -> NodeOutcome {
    match phase {
        Phase::Succeeded => NodeOutcome::Succeeded,
        Phase::Failed => NodeOutcome::Failed,
        Phase::UpstreamFailed | Phase::Skipped | Phase::Lost => NodeOutcome::Stopped,
        // Nothing more becomes of it.
        _ if is_over => NodeOutcome::Stopped,
        Phase::Running | Phase::Retrying => NodeOutcome::Running,
        Phase::Waiting | Phase::Unknown => NodeOutcome::Waiting,
    }
}

/// How much a state matters among those that one task was expanded to.
fn weight(outcome: NodeOutcome) -> u8 {
    match outcome {
        NodeOutcome::Failed => 4,
        NodeOutcome::Running => 3,
        NodeOutcome::Waiting => 2,
        NodeOutcome::Stopped => 1,
        NodeOutcome::Succeeded => 0,
    }
}

/// Whether the log of a task's try is stored.
///
/// # Errors
/// When the store can't be read.
pub fn has_log(
    store: &mut Store,
    record: &RunRecord,
    task: &Task,
    attempt: u32,
) -> Result<bool, StoreError> {
    let Some(id) = record.id else { return Ok(true) };
    Ok(store.events(id)?.contains(&mark(task, attempt)))
}

/// The event that says that a log is stored.
fn mark(task: &Task, attempt: u32) -> String {
    json!({"event": "remote_log", "task": task.name(), "try": attempt}).to_string()
}

/// Stores the whole log of a try that has ended, unless it is stored. If the task failed at this try, the exception in it
/// becomes that of the node. `root` is the project's folder: places in its files are found there.
///
/// # Errors
/// When the store can't be read or written.
pub fn keep_log(
    store: &mut Store,
    record: &RunRecord,
    (task, attempt): (&Task, u32),
    lines: &[LogLine],
    nodes: &[String],
    (root, package): (&Path, &str),
) -> Result<(), StoreError> {
    let Some(id) = record.id else { return Ok(()) };
    let events = store.events(id)?;
    let mark = mark(task, attempt);
    if events.contains(&mark) {
        return Ok(());
    }
    let Some(record) = store.run(id)? else { return Ok(()) };
    let texts: Vec<String> = lines.iter().map(|line| redact(&line.text)).collect();
    let own = [task.id.clone()];
    let nodes = if nodes.is_empty() { own.as_slice() } else { nodes };
    let mut at = task.started.unwrap_or(record.new.started_at);
    // Of several nodes, Kedro logs which one begins.
    let mut node = Some(nodes[0].as_str()).filter(|_| nodes.len() == 1);
    let mut entries = vec![Entry::Event(at, mark)];
    let mut running = Vec::new();
    for (line, text) in lines.iter().zip(&texts) {
        at = line.at.unwrap_or(at);
        node = begins(text, nodes).or(node);
        running.push(node);
        let level_name = line.level.as_deref();
        let level = match level_name {
            Some("error" | "critical") => Level::Error,
            Some("warning") => Level::Warning,
            Some("debug") => Level::Debug,
            _ => Level::Info,
        };
        let source = Source { level, node, stream: "log", level_name, logger: None };
        entries.push(Entry::Line(Line { at, source, text }));
    }
    let mut stored = store.nodes(id)?;
    let is_last = attempt == task.attempt && task.state.phase == Phase::Failed;
    let found = if is_last { traceback::last(lines, root, package) } else { None };
    let failed: Vec<NodeRecord> = found.map_or_else(Vec::new, |(line, failure)| {
        let name = running.get(line).copied().flatten().unwrap_or(&nodes[0]);
        stored.retain(|node| node.node == name);
        stored.iter_mut().for_each(|node| node.failure = Some(failure.to_string()));
        stored
    });
    let record = match failed.first() {
        Some(node) if record.outcome == Outcome::Failed => {
            RunRecord { failed_node: Some(node.node.clone()), reason: of_failure(node), ..record }
        }
        _ => record,
    };
    // Each event and each line is an entry.
    let first = events.len() as u64 + record.log_lines + 1;
    store.record(&Progress {
        record: &record,
        first,
        entries: &entries,
        nodes: &failed,
        datasets: &[],
    })
}

/// The node that begins at a line of Kedro's own log, if it is one of these.
fn begins<'n>(text: &str, nodes: &'n [String]) -> Option<&'n str> {
    let (_, rest) = text.split_once("Running node: ")?;
    let is_named = |name: &&String| {
        let after = rest.strip_prefix(name.as_str());
        after.is_some_and(|after| after.is_empty() || after.starts_with(':'))
    };
    nodes.iter().filter(is_named).max_by_key(|name| name.len()).map(String::as_str)
}

#[cfg(test)]
mod tests;
