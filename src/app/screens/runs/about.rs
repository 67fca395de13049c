//! The details of a run: its outcome, who asked for it and how, its nodes, and what it saved.

use super::RunsScreen;
use super::page::Part;
use crate::app::run::{NodeState, headline};
use crate::app::shared::Shared;
use crate::app::words::{
    Details, Line, Tone, code_text, number_text, outcome_text, remote_text, seconds_text,
    size_text, when,
};
use crate::project::Place;
use crate::store::{DatasetRecord, Direction, RunRecord};

pub(super) fn of_run(screen: &RunsScreen, shared: &Shared) -> Details {
    let Some(record) = screen.shown_run() else { return Details::default() };
    let name = record.new.command.clone();
    let mut lines = vec![Line::Title(record.name())];
    let live = shared.run.as_ref().filter(|run| run.record.is_same(record));
    let read = record.id.and_then(|id| screen.read(id));
    let seconds = live.map_or_else(|| record.seconds(shared.now), |run| run.seconds(shared.now));
    let (text, tone) = outcome_text(record.outcome);
    lines.push(Line::Field("state", format!("{text}, {}", seconds_text(seconds)), tone));
    start_fields(shared, record, &mut lines);
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
            lines.push(Line::Link("at", at, frame.file.clone(), Tone::Bad));
            place = Some(Place::line(std::path::Path::new(&frame.file), frame.line));
        }
    } else if let Some(reason) = &record.reason {
        lines.push(Line::Field("why", reason.clone(), Tone::Bad));
    }
    lines.push(Line::Blank);
    match (live, read) {
        (Some(run), _) => {
            lines.extend(run.nodes.iter().map(|(name, node)| node_line(shared, name, node)))
        }
        (None, Some(read)) => {
            let nodes = read.whole.nodes.iter();
            lines.extend(nodes.map(|node| node_line(shared, &node.node, &NodeState::of(node))));
        }
        (None, None) => {}
    }
    lines.extend(read.into_iter().flat_map(|read| saved(&read.whole.datasets)));
    // The editor opens the source of the selected node, or the failing line of the node that failed.
    if let Some(node) = selected_node(screen)
        && record.failed_node.as_deref() != Some(node)
    {
        place = shared.node(node).and_then(|node| {
            let range = node.source.as_ref()?;
            Some(Place::line(std::path::Path::new(&range.filepath), range.line_start))
        });
    }
    Details { lines, place, name }
}

/// The datasets that a run saved, with sizes and metrics.
fn saved(datasets: &[DatasetRecord]) -> Vec<Line> {
    let mut lines = Vec::new();
    for dataset in datasets.iter().filter(|dataset| dataset.direction == Direction::Save) {
        let Some(bytes) = dataset.bytes else { continue };
        if lines.is_empty() {
            lines.extend([Line::Blank, Line::Text("Saved".into(), Tone::Dim)]);
        }
        lines.push(Line::Text(
            format!("{:>12}  {}", size_text(bytes), dataset.dataset),
            Tone::Plain,
        ));
        let metrics = dataset.metrics.as_deref().and_then(|text| {
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
fn selected_node(screen: &RunsScreen) -> Option<&str> {
    screen.shown_part().filter(|part| *part == Part::Timeline)?;
    let index = screen.run_page()?.nodes.selected;
    Some(screen.shown_timeline()?.bars.get(index)?.node.as_str())
}

/// Adds what is known about the start of a run: note, time, environment, user, how it was started, versions, MLflow
/// run.
fn start_fields(shared: &Shared, run: &RunRecord, lines: &mut Vec<Line>) {
    let mut field = |label: &'static str, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            lines.push(Line::Field(label, text, Tone::Plain));
        }
    };
    field("note", run.note.clone());
    let pinned = if run.pinned { ", pinned" } else { "" };
    field("when", Some(format!("{}{pinned}", when(shared.now, run.new.started_at))));
    field("env", run.new.env.clone());
    let who = [&run.new.user, &run.new.host].into_iter().flatten().cloned().collect::<Vec<_>>();
    field("by", Some(who.join("@")));
    field("via", run.new.why.clone());
    field("on", run.new.remote.as_ref().map(remote_text));
    field("batch", run.new.batch.clone());
    field("Kedro", run.kedro_version.clone());
    let python = [&run.python_version, &run.new.python].into_iter().flatten().cloned();
    field("Python", Some(python.collect::<Vec<_>>().join("  ")));
    field("worker", run.new.worker.clone());
    field("mlflow", run.mlflow_run.clone());
}

fn node_line(shared: &Shared, name: &str, node: &NodeState) -> Line {
    let (text, tone) = match node {
        NodeState::Waiting => ("waiting".to_owned(), Tone::Dim),
        NodeState::Running(since) => (seconds_text(shared.now - since), Tone::Busy),
        NodeState::Done(seconds) => (seconds_text(*seconds), Tone::Good),
        NodeState::Failed(seconds) => (format!("failed, {}", seconds_text(*seconds)), Tone::Bad),
        NodeState::Stopped => ("not reached".to_owned(), Tone::Warning),
    };
    Line::Text(format!("{text:>12}  {name}"), tone)
}
