//! What there is to tell of runs, tracked runs, registered models and engines.

use super::{Details, Line, Tone, number_text, outcome_text, when};
use crate::app::event::TrackingReport;
use crate::app::history::Part;
use crate::app::run::{NodeState, headline, seconds_text};
use crate::app::state::State;
use crate::project::Place;
use crate::store::{CodeVersion, DatasetRecord, Direction, NodeOutcome, NodeRecord, RunRecord};
use crate::text::size_text;
use crate::tracking::Overview;

pub(super) fn of_run(state: &State) -> Details {
    let Some(record) = state.shown_run() else { return Details::default() };
    let name = record.new.command.clone();
    let mut lines = vec![Line::Title(format!("run {}", record.id))];
    let live = state.run.as_ref().filter(|run| run.record.id == record.id);
    let read = state.history.read(record.id);
    let seconds = live.map_or_else(|| record.seconds(state.now), |run| run.seconds(state.now));
    let (text, tone) = outcome_text(record.outcome);
    lines.push(Line::Field("state", format!("{text}, {}", seconds_text(seconds)), tone));
    about(state, record, &mut lines);
    if let Some(code) = &record.code {
        let diff = read.and_then(|read| read.whole.diff.as_deref());
        lines.push(Line::Field("code", code_text(code, diff), Tone::Plain));
    }
    lines.push(Line::Text(name.clone(), Tone::Dim));
    let failure = live
        .and_then(|run| run.failure.as_ref())
        .or_else(|| read.and_then(|read| read.whole.failure.as_ref()));
    let mut place = None;
    if let Some(failure) = failure {
        lines.push(Line::Field("why", headline(failure), Tone::Bad));
        if let Some(frame) = failure.project_frame() {
            let at = format!("{}:{} in {}", frame.file, frame.line, frame.function);
            lines.push(Line::Field("at", at, Tone::Bad));
            place = Some(Place::line(std::path::Path::new(&frame.file), frame.line));
        }
    } else if let Some(reason) = &record.reason {
        lines.push(Line::Field("why", reason.clone(), Tone::Bad));
    }
    lines.push(Line::Blank);
    match (live, read) {
        (Some(run), _) => {
            lines.extend(run.nodes.iter().map(|(name, node)| of_node(state, name, node)))
        }
        (None, Some(read)) => {
            let nodes = read.whole.nodes.iter();
            lines.extend(nodes.map(|node| of_node(state, &node.node, &node_state(node))));
        }
        (None, None) => {}
    }
    lines.extend(read.into_iter().flat_map(|read| saved(&read.whole.datasets)));
    if let Some(node) = selected_node(state)
        && record.failed_node.as_deref() != Some(node)
    {
        place = state.node(node).and_then(|node| {
            let range = node.source.as_ref()?;
            Some(Place::line(std::path::Path::new(&range.filepath), range.line_start))
        });
    }
    Details { lines, place, name }
}

/// What a run saved, with sizes and metrics.
fn saved(datasets: &[DatasetRecord]) -> Vec<Line> {
    let mut lines = Vec::new();
    for it in datasets.iter().filter(|it| it.direction == Direction::Save) {
        let Some(bytes) = it.bytes else { continue };
        if lines.is_empty() {
            lines.extend([Line::Blank, Line::Text("Saved".into(), Tone::Dim)]);
        }
        lines.push(Line::Text(format!("{:>12}  {}", size_text(bytes), it.dataset), Tone::Plain));
        let metrics = it.metrics.as_deref().and_then(|text| {
            serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).ok()
        });
        lines.extend(metrics.into_iter().flatten().map(|(name, value)| {
            let value = match value.as_f64() {
                Some(number) if value.is_f64() => number_text(number),
                _ => value.to_string(),
            };
            Line::Text(format!("{value:>12}    {name}"), Tone::Dim)
        }));
    }
    lines
}

/// The node that is selected in the timeline.
fn selected_node(state: &State) -> Option<&str> {
    state.shown_part().filter(|part| *part == Part::Timeline)?;
    let index = state.history.run_page()?.nodes.selected;
    Some(state.shown_timeline()?.bars.get(index)?.node.as_str())
}

/// Who asked for a run, how, and with what.
fn about(state: &State, run: &RunRecord, lines: &mut Vec<Line>) {
    let mut field = |label: &'static str, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            lines.push(Line::Field(label, text, Tone::Plain));
        }
    };
    field("note", run.note.clone());
    let pinned = if run.pinned { ", pinned" } else { "" };
    field("when", Some(format!("{}{pinned}", when(state.now, run.new.started_at))));
    field("env", run.new.env.clone());
    let who = [&run.new.user, &run.new.host].into_iter().flatten().cloned().collect::<Vec<_>>();
    field("by", Some(who.join("@")));
    field("asked", run.new.why.clone());
    field("batch", run.new.batch.clone());
    field("Kedro", run.kedro_version.clone());
    let python = [&run.python_version, &run.new.python].into_iter().flatten().cloned();
    field("Python", Some(python.collect::<Vec<_>>().join("  ")));
    field("worker", run.new.worker.clone());
    field("mlflow", run.mlflow_run.clone());
}

fn of_node(state: &State, name: &str, node: &NodeState) -> Line {
    let (text, tone) = match node {
        NodeState::Waiting => ("waiting".to_owned(), Tone::Dim),
        NodeState::Running(since) => (seconds_text(state.now - since), Tone::Busy),
        NodeState::Done(seconds) => (seconds_text(*seconds), Tone::Good),
        NodeState::Failed(seconds) => (format!("failed, {}", seconds_text(*seconds)), Tone::Bad),
        NodeState::Stopped => ("not reached".to_owned(), Tone::Warning),
    };
    Line::Text(format!("{text:>12}  {name}"), tone)
}

fn node_state(node: &NodeRecord) -> NodeState {
    let seconds = node.seconds.unwrap_or_default();
    match node.outcome {
        NodeOutcome::Waiting => NodeState::Waiting,
        NodeOutcome::Running => NodeState::Running(node.started_at.unwrap_or_default()),
        NodeOutcome::Succeeded => NodeState::Done(seconds),
        NodeOutcome::Failed => NodeState::Failed(seconds),
        NodeOutcome::Stopped => NodeState::Stopped,
    }
}

/// The version of the code: its commit, branch, and how many files differ from it.
pub fn code_text(code: &CodeVersion, diff: Option<&str>) -> String {
    let commit = code.commit.as_deref().map_or("no commit", |it| it.get(..10).unwrap_or(it));
    let mut text = match &code.branch {
        Some(branch) => format!("{commit} on {branch}"),
        None => commit.to_owned(),
    };
    let changed =
        diff.unwrap_or_default().lines().filter(|it| it.starts_with("diff --git")).count();
    let count = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what} file")),
        _ => Some(format!("{count} {what} files")),
    };
    let parts = [count(changed, "changed"), count(code.untracked.len(), "untracked")];
    for part in parts.into_iter().flatten() {
        text.push_str(" · ");
        text.push_str(&part);
    }
    text
}

fn tracked(state: &State) -> Option<&Overview> {
    match &state.project.tracking {
        Some(TrackingReport::Live(overview)) => Some(overview),
        _ => None,
    }
}

pub(super) fn of_tracked_run(state: &State) -> Details {
    let run = tracked(state).zip(state.experiments.selected());
    let Some(run) = run.and_then(|(overview, index)| overview.runs.get(*index)) else {
        return Details::default();
    };
    let mut lines = vec![Line::Title(run.name.clone())];
    let tone = match run.status.as_str() {
        "FINISHED" => Tone::Good,
        "RUNNING" => Tone::Busy,
        "FAILED" => Tone::Bad,
        _ => Tone::Warning,
    };
    lines.push(Line::Field("state", run.status.to_lowercase(), tone));
    lines.push(Line::Field("in", run.experiment.clone(), Tone::Plain));
    lines.push(Line::Field("when", when(state.now, run.started_at), Tone::Plain));
    if let Some(end) = run.ended_at {
        lines.push(Line::Field("time", seconds_text(end - run.started_at), Tone::Plain));
    }
    lines.push(Line::Field("id", run.id.clone(), Tone::Dim));
    let metrics = run.metrics.iter().map(|(key, value)| (key, value.to_string()));
    pairs(&mut lines, "Metrics", metrics.collect());
    pairs(
        &mut lines,
        "Params",
        run.params.iter().map(|(key, value)| (key, value.clone())).collect(),
    );
    Details { lines, place: None, name: run.id.clone() }
}

fn pairs(lines: &mut Vec<Line>, title: &str, pairs: Vec<(&String, String)>) {
    if pairs.is_empty() {
        return;
    }
    lines.push(Line::Blank);
    lines.push(Line::Text(title.into(), Tone::Dim));
    lines.extend(pairs.into_iter().map(|(key, value)| Line::Config {
        depth: 0,
        key: key.clone(),
        value,
        origin: String::new(),
    }));
}

pub(super) fn of_model(state: &State) -> Details {
    let model = tracked(state).zip(state.models.selected());
    let Some(model) = model.and_then(|(overview, index)| overview.models.get(*index)) else {
        return Details::default();
    };
    let mut lines = vec![Line::Title(model.name.clone())];
    if let Some(version) = model.latest_version {
        lines.push(Line::Field("version", version.to_string(), Tone::Plain));
    }
    lines.push(Line::Field("updated", when(state.now, model.updated_at), Tone::Plain));
    let aliases = model.aliases.iter().map(|(name, version)| (name, version.to_string()));
    pairs(&mut lines, "Aliases", aliases.collect());
    Details { lines, place: None, name: model.name.clone() }
}

pub(super) fn of_engine(state: &State) -> Details {
    let selected = state.remote.selected();
    let Some(backend) = selected.and_then(|index| state.project.backends.get(*index)) else {
        return Details::default();
    };
    let required = match backend.required {
        true => ("named in the project's requirements", Tone::Good),
        false => ("not in the project's requirements", Tone::Warning),
    };
    let mut lines = vec![
        Line::Title(backend.name.into()),
        Line::Field("plug-in", backend.plugin.into(), Tone::Plain),
        Line::Field("", required.0.into(), required.1),
    ];
    for (index, file) in backend.config.iter().enumerate() {
        lines.push(Line::Field(if index == 0 { "file" } else { "" }, file.clone(), Tone::Plain));
    }
    lines.push(Line::Blank);
    lines.push(Line::Text("Submitting is not built yet.".into(), Tone::Dim));
    let place = backend.config.first().map(|file| Place::line(std::path::Path::new(file), 1));
    Details { lines, place, name: backend.name.into() }
}
