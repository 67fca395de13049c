//! The details of a node: its run, its datasets, its function.

use crate::app::command::Command;
use crate::app::run::{NodeState, headline};
use crate::app::screens::entry::{dataset_of, find, one_line};
use crate::app::shared::{Shared, Source};
use crate::app::words::{Details, Line, Tone, left_text, seconds_text};
use crate::dag::staleness::Freshness;
use crate::project::{Node, Place};
use crate::text::sanitize;

pub(super) fn of_node_named(shared: &Shared, name: &str) -> Details {
    let Some(node) = shared.node(name) else { return Details::default() };
    let mut lines = vec![Line::Title(node.name.clone())];
    staleness(shared, node, &mut lines);
    node_run(shared, node, &mut lines);
    if let Some(timing) = shared.timings.get(&node.name) {
        let runs = if timing.runs == 1 { "1 run".into() } else { format!("{} runs", timing.runs) };
        let (last, median) = (seconds_text(timing.last), seconds_text(timing.median));
        let text = format!("{last}, median {median} of {runs}");
        lines.push(Line::Field("took", text, Tone::Plain));
    }
    lines.push(Line::Field("func", format!("{}()", node.func_name), Tone::Plain));
    for input in &node.inputs {
        let label =
            if lines.iter().any(|line| matches!(line, Line::Field("in", ..))) { "" } else { "in" };
        lines.push(Line::Field(label, described(shared, input), tone_of(shared, input)));
    }
    for (index, output) in node.outputs.iter().enumerate() {
        let label = if index == 0 { "out" } else { "" };
        lines.push(Line::Field(label, described(shared, output), tone_of(shared, output)));
    }
    if let Some(namespace) = &node.namespace {
        lines.push(Line::Field("space", namespace.clone(), Tone::Plain));
    }
    if !node.tags.is_empty() {
        let tags: Vec<&str> = node.tags.iter().map(String::as_str).collect();
        lines.push(Line::Field("tags", tags.join(", "), Tone::Plain));
    }
    let mut place = node.call.clone();
    if let Some(range) = &node.source {
        place = Some(Place::line(std::path::Path::new(&range.filepath), range.line_start));
        lines.push(Line::Blank);
        let at = format!("{}:{}", range.filepath, range.line_start);
        lines.push(Line::Link("from", at, range.filepath.clone(), Tone::Dim));
        match shared.project.sources.get(&range.filepath) {
            Some(Source::Text(text)) => {
                let first = range.line_start.saturating_sub(1) as usize;
                let last = (range.line_end as usize).min(text.lines.len());
                lines.extend((first..last).map(|index| {
                    Line::Code(u32::try_from(index + 1).unwrap_or(u32::MAX), text.clone(), index)
                }));
            }
            Some(Source::Failed(why)) => lines.push(Line::Text(why.clone(), Tone::Bad)),
            _ => {}
        }
    } else {
        let text = "the function is outside the project, or is a lambda";
        lines.push(Line::Blank);
        lines.push(Line::Text(text.into(), Tone::Dim));
    }
    Details { lines, place, name: node.name.clone() }
}

/// Adds the node's freshness, and its reasons.
fn staleness(shared: &Shared, node: &Node, lines: &mut Vec<Line>) {
    let Some(status) = shared.project.staleness.get(&node.name) else { return };
    let tone = match status {
        Freshness::Fresh => Tone::Good,
        Freshness::Stale { .. } => Tone::Warning,
        Freshness::StaleThrough { .. } | Freshness::NeverRun | Freshness::Unknown { .. } => {
            Tone::Dim
        }
    };
    lines.push(Line::Field("is", status.as_str().into(), tone));
    for (index, why) in status.why().into_iter().enumerate() {
        let label = if index == 0 { "why" } else { "" };
        lines.push(Line::Field(label, sanitize(&why), tone));
    }
}

fn node_run(shared: &Shared, node: &Node, lines: &mut Vec<Line>) {
    let Some((run, node_state)) = shared.node_run(&node.name) else { return };
    let of = run.record.name();
    let (text, tone) = match node_state {
        NodeState::Waiting => (format!("waiting in {of}"), Tone::Dim),
        NodeState::Running(since) => {
            let left = shared.node_left(&node.name, *since);
            let left = left.map(|left| format!(", {}", left_text(left))).unwrap_or_default();
            let text = format!("running for {} in {of}{left}", seconds_text(shared.now - since));
            (text, Tone::Busy)
        }
        NodeState::Done(seconds) => {
            (format!("done in {} in {of}", seconds_text(*seconds)), Tone::Good)
        }
        NodeState::Failed(seconds) => {
            (format!("failed after {} in {of}", seconds_text(*seconds)), Tone::Bad)
        }
        NodeState::Stopped => (format!("not reached in {of}"), Tone::Warning),
    };
    lines.push(Line::Field("last", text, tone));
    if matches!(node_state, NodeState::Failed(_))
        && let Some(failure) = &run.failure
    {
        lines.push(Line::Field("why", headline(failure), Tone::Bad));
        if let Some(frame) = failure.project_frame() {
            let at = format!("{}:{} in {}", frame.file, frame.line, frame.function);
            lines.push(Line::Link("at", at, frame.file.clone(), Tone::Bad));
        }
        lines.push(Line::Field("", format!("{} traceback", key_of(shared)), Tone::Dim));
    }
}

fn key_of(shared: &Shared) -> String {
    let keys = shared.keymap.keys(Command::Traceback);
    keys.into_iter().next().unwrap_or_default()
}

/// A dataset's or parameter's name with its value or type.
fn described(shared: &Shared, name: &str) -> String {
    let Some(snapshot) = shared.project.snapshot.as_deref() else { return name.to_owned() };
    if let Some(key) = name.strip_prefix("params:") {
        return match find(&snapshot.parameters, key) {
            Some(located) if located.value.as_map().is_none() => {
                format!("{name} = {}", one_line(&located.value))
            }
            Some(_) => name.to_owned(),
            None => format!("{name} (missing)"),
        };
    }
    match dataset_of(snapshot, name) {
        Some(dataset) => format!("{name}  {}", dataset.type_name),
        None => name.to_owned(),
    }
}

fn tone_of(shared: &Shared, name: &str) -> Tone {
    let Some(snapshot) = shared.project.snapshot.as_deref() else { return Tone::Plain };
    match name.strip_prefix("params:") {
        Some(key) if find(&snapshot.parameters, key).is_none() => Tone::Bad,
        _ => Tone::Plain,
    }
}
