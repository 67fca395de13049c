//! What there is to tell of runs, tracked runs, registered models and engines.

use super::{Details, Line, Tone, outcome_text, when};
use crate::app::event::TrackingReport;
use crate::app::run::{ActiveRun, Level, NodeState, headline, seconds_text};
use crate::app::state::State;
use crate::project::Place;
use crate::tracking::Overview;

pub(super) fn of_run(state: &State) -> Details {
    let Some(record) = state.runs.selected() else { return Details::default() };
    let live = state.run.as_ref().filter(|run| run.record.id == record.id);
    let replayed;
    let run = match (live, state.run_events.get(&record.id)) {
        (Some(run), _) => run,
        (None, Some(events)) => {
            replayed = ActiveRun::replay(record.clone(), events);
            &replayed
        }
        (None, None) => {
            let lines = vec![Line::Title(format!("run {}", record.id))];
            return Details { lines, place: None, name: record.new.command.clone() };
        }
    };
    let mut lines = vec![Line::Title(format!("run {}", record.id))];
    let (text, tone) = outcome_text(run.record.outcome);
    let text = format!("{text}, {}", seconds_text(run.seconds(state.now)));
    lines.push(Line::Field("state", text, tone));
    lines.push(Line::Field("when", when(state.now, record.new.started_at), Tone::Plain));
    lines.push(Line::Field("env", record.new.env.clone().unwrap_or("default".into()), Tone::Plain));
    lines.push(Line::Text(record.new.command.clone(), Tone::Dim));
    let mut place = None;
    if let Some(failure) = &run.failure {
        lines.push(Line::Field("why", headline(failure), Tone::Bad));
        if let Some(frame) = failure.project_frame() {
            let at = format!("{}:{} in {}", frame.file, frame.line, frame.function);
            lines.push(Line::Field("at", at, Tone::Bad));
            place = Some(Place::line(std::path::Path::new(&frame.file), frame.line));
        }
    } else if let Some(reason) = &run.record.reason {
        lines.push(Line::Field("why", reason.clone(), Tone::Bad));
    }
    lines.push(Line::Blank);
    for (name, node) in &run.nodes {
        let (text, tone) = match node {
            NodeState::Waiting => ("waiting".to_owned(), Tone::Dim),
            NodeState::Running(since) => (seconds_text(state.now - since), Tone::Busy),
            NodeState::Done(seconds) => (seconds_text(*seconds), Tone::Good),
            NodeState::Failed(seconds) => {
                (format!("failed, {}", seconds_text(*seconds)), Tone::Bad)
            }
            NodeState::Stopped => ("not reached".to_owned(), Tone::Warning),
        };
        lines.push(Line::Text(format!("{text:>12}  {name}"), tone));
    }
    lines.push(Line::Blank);
    for line in &run.log {
        let node = line.node.as_deref().map(|node| format!("{node}: ")).unwrap_or_default();
        let tone = match line.level {
            Level::Error => Tone::Bad,
            Level::Warning => Tone::Warning,
            Level::Own | Level::Debug => Tone::Dim,
            Level::Info => Tone::Plain,
        };
        lines.push(Line::Text(format!("{node}{}", line.text), tone));
    }
    Details { lines, place, name: record.new.command.clone() }
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
