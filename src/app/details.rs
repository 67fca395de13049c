//! What the side pane tells of the selected thing, as lines; `ui` colours them.

use std::sync::Arc;

use super::catalog::CatalogRow;
use super::event::TrackingReport;
use super::parameters::{find, one_line};
use super::run::{ActiveRun, NodeState, headline, seconds_text};
use super::state::{Source, State, Tab};
use crate::dag::Kind;
use crate::datasets::Status;
use crate::project::python::highlight::Highlighted;
use crate::project::{
    Dataset, Located, Node, Place, Snapshot, Value, is_parameter, strip_transcoding,
};
use crate::store::Outcome;
use crate::tracking::Overview;

/// How a text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Tone {
    #[default]
    Plain,
    Dim,
    Name,
    Good,
    Bad,
    Warning,
    Busy,
}

/// A line of the side pane.
#[derive(Debug, Clone)]
pub enum Line {
    /// The name of the selected thing.
    Title(String),
    /// A label and what stands beside it.
    Field(&'static str, String, Tone),
    /// A line of text.
    Text(String, Tone),
    /// A line of configuration: indentation, key, value, origin.
    Config {
        /// Levels of indentation.
        depth: usize,
        /// Key, or `-`.
        key: String,
        /// Value on one line.
        value: String,
        /// File, line and environment.
        origin: String,
    },
    /// A line of code: its number and its index in the file.
    Code(u32, Arc<Highlighted>, usize),
    /// Nothing.
    Blank,
}

/// The lines of the side pane, and the place that `e` opens.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// The lines.
    pub lines: Vec<Line>,
    /// Where it is defined.
    pub place: Option<Place>,
    /// Its name, for copying.
    pub name: String,
}

/// What there is to tell of what is selected.
pub fn details(state: &State) -> Details {
    let Some(snapshot) = state.project.snapshot.as_deref() else { return Details::default() };
    match state.tab {
        Tab::Pipeline => match &state.pipeline.selected {
            Some((Kind::Node, name)) => of_node_named(state, name),
            Some((Kind::Dataset, name)) => of_dataset(state, snapshot, name),
            Some((Kind::Parameters, name)) => of_parameter(snapshot, name),
            None => Details::default(),
        },
        Tab::Catalog => match state.catalog.selected() {
            Some(CatalogRow::Dataset(name) | CatalogRow::Memory(name)) => {
                of_dataset(state, snapshot, name)
            }
            Some(CatalogRow::Pattern(index)) => of_pattern(snapshot, *index),
            _ => Details::default(),
        },
        Tab::Parameters => match state.parameters.selected() {
            Some(row) => of_parameter(snapshot, &format!("params:{}", row.path)),
            None => Details::default(),
        },
        Tab::Runs => of_run(state),
        Tab::Experiments => of_tracked_run(state),
        Tab::Models => of_model(state),
        Tab::Remote => of_engine(state),
    }
}

fn of_node_named(state: &State, name: &str) -> Details {
    let Some(node) = state.node(name) else { return Details::default() };
    let mut lines = vec![Line::Title(node.name.clone())];
    node_run(state, node, &mut lines);
    lines.push(Line::Field("func", format!("{}()", node.func_name), Tone::Plain));
    for input in &node.inputs {
        let label =
            if lines.iter().any(|line| matches!(line, Line::Field("in", ..))) { "" } else { "in" };
        lines.push(Line::Field(label, described(state, input), tone_of(state, input)));
    }
    for (index, output) in node.outputs.iter().enumerate() {
        let label = if index == 0 { "out" } else { "" };
        lines.push(Line::Field(label, described(state, output), tone_of(state, output)));
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
        lines.push(Line::Field("from", at, Tone::Dim));
        match state.project.sources.get(&range.filepath) {
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
        let text = "the function stands outside the project, or is a lambda";
        lines.push(Line::Blank);
        lines.push(Line::Text(text.into(), Tone::Dim));
    }
    Details { lines, place, name: node.name.clone() }
}

fn node_run(state: &State, node: &Node, lines: &mut Vec<Line>) {
    let Some(run) = &state.run else { return };
    let Some(node_state) = run.nodes.get(&node.name) else { return };
    let of = format!("run {}", run.record.id);
    let (text, tone) = match node_state {
        NodeState::Waiting => (format!("waiting in {of}"), Tone::Dim),
        NodeState::Running(since) => {
            (format!("running for {} in {of}", seconds_text(state.now - since)), Tone::Busy)
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
            lines.push(Line::Field("at", at, Tone::Bad));
        }
        lines.push(Line::Field("", format!("{} traceback", key_of(state)), Tone::Dim));
    }
}

fn key_of(state: &State) -> String {
    let keys = state.keymap.keys(super::command::Command::Traceback);
    keys.into_iter().next().unwrap_or_default()
}

/// A dataset's or parameter's name with its value or type.
fn described(state: &State, name: &str) -> String {
    let Some(snapshot) = state.project.snapshot.as_deref() else { return name.to_owned() };
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

fn tone_of(state: &State, name: &str) -> Tone {
    let Some(snapshot) = state.project.snapshot.as_deref() else { return Tone::Plain };
    match name.strip_prefix("params:") {
        Some(key) if find(&snapshot.parameters, key).is_none() => Tone::Bad,
        _ if is_parameter(name) => Tone::Plain,
        _ => Tone::Plain,
    }
}

/// The entry of a dataset, also when it is asked for without its transcoding.
fn dataset_of<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a Dataset> {
    snapshot.datasets.get(name).or_else(|| {
        snapshot.datasets.values().find(|dataset| strip_transcoding(&dataset.name) == name)
    })
}

fn of_dataset(state: &State, snapshot: &Snapshot, name: &str) -> Details {
    let mut lines = vec![Line::Title(name.to_owned())];
    let mut place = None;
    match dataset_of(snapshot, name) {
        None => {
            lines.push(Line::Field("type", "MemoryDataset (in no catalog file)".into(), Tone::Dim))
        }
        Some(dataset) => {
            lines.push(Line::Field("type", dataset.type_name.clone(), Tone::Plain));
            if let Some(filepath) = &dataset.filepath {
                lines.push(Line::Field("file", filepath.clone(), Tone::Plain));
            }
            let (text, tone) = on_disk(state, &dataset.name);
            lines.push(Line::Field("disk", text, tone));
            if let Some(layer) = &dataset.layer {
                lines.push(Line::Field("layer", layer.clone(), Tone::Plain));
            }
            if let Some(pattern) = &dataset.pattern {
                lines.push(Line::Field("factory", pattern.clone(), Tone::Plain));
            }
            if let Some(credentials) = &dataset.credentials {
                lines.push(Line::Field("creds", format!("{credentials} (hidden)"), Tone::Plain));
            }
            place = first_place(&dataset.definition);
        }
    }
    users(snapshot, name, &mut lines);
    if let Some(dataset) = dataset_of(snapshot, name) {
        // Transcoded entries of one dataset stand one below the other.
        let same = snapshot
            .datasets
            .values()
            .filter(|other| other.name == dataset.name || strip_transcoding(&other.name) == name);
        for entry in same {
            lines.push(Line::Blank);
            config_lines(&mut lines, 0, &entry.name, &entry.definition);
        }
    }
    Details { lines, place, name: name.to_owned() }
}

fn on_disk(state: &State, name: &str) -> (String, Tone) {
    match state.project.datasets.get(name) {
        None => ("looking ...".into(), Tone::Dim),
        Some(Status::Missing) => ("not there yet".into(), Tone::Warning),
        Some(Status::Elsewhere) => ("not a local file".into(), Tone::Dim),
        Some(Status::NoFile) => ("not kept in a file".into(), Tone::Dim),
        Some(Status::Present { bytes, modified, versions }) => {
            let versions = match versions {
                Some(1) => ", 1 version".into(),
                Some(count) => format!(", {count} versions"),
                None => String::new(),
            };
            let text = format!("{}, {}{versions}", size_text(*bytes), when(state.now, *modified));
            (text, Tone::Good)
        }
    }
}

/// Who makes and who reads a dataset or parameter.
fn users(snapshot: &Snapshot, name: &str, lines: &mut Vec<Line>) {
    let base = strip_transcoding(name);
    let with = |outputs: bool| {
        let mut names: Vec<String> = Vec::new();
        for node in snapshot.pipelines.iter().flat_map(|pipeline| &pipeline.nodes) {
            let datasets = if outputs { &node.outputs } else { &node.inputs };
            let touches = datasets.iter().any(|dataset| reads(dataset, base));
            if touches && !names.contains(&node.name) {
                names.push(node.name.clone());
            }
        }
        names
    };
    for (label, names) in [("made by", with(true)), ("used by", with(false))] {
        for (index, name) in names.into_iter().enumerate() {
            lines.push(Line::Field(if index == 0 { label } else { "" }, name, Tone::Name));
        }
    }
}

/// Whether a node that names `dataset` touches `asked`; reading a group of parameters reads each.
fn reads(dataset: &str, asked: &str) -> bool {
    match (dataset.strip_prefix("params:"), asked.strip_prefix("params:")) {
        (Some(key), Some(asked)) => {
            key == asked || asked.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'))
        }
        (None, Some(_)) => dataset == "parameters",
        _ => strip_transcoding(dataset) == asked,
    }
}

fn of_parameter(snapshot: &Snapshot, name: &str) -> Details {
    let mut lines = vec![Line::Title(name.to_owned())];
    let found = match name.strip_prefix("params:") {
        Some(key) => find(&snapshot.parameters, key),
        None => Some(&snapshot.parameters),
    };
    match found {
        None => lines.push(Line::Text("no parameters file defines it".into(), Tone::Bad)),
        Some(located) => {
            if let Some(origin) = &located.origin {
                lines.push(Line::Field("from", origin.to_string(), Tone::Plain));
            }
            users(snapshot, name, &mut lines);
            lines.push(Line::Blank);
            let key = name.strip_prefix("params:").unwrap_or(name);
            let key = key.rsplit('.').next().unwrap_or(key);
            config_lines(&mut lines, 0, key, located);
        }
    }
    let place = found.and_then(first_place);
    Details { lines, place, name: name.to_owned() }
}

fn of_pattern(snapshot: &Snapshot, index: usize) -> Details {
    let Some(pattern) = snapshot.patterns.get(index) else { return Details::default() };
    let mut lines = vec![Line::Title(pattern.pattern.clone())];
    let made =
        snapshot.datasets.values().filter(|it| it.pattern.as_ref() == Some(&pattern.pattern));
    for (index, dataset) in made.enumerate() {
        let label = if index == 0 { "makes" } else { "" };
        lines.push(Line::Field(label, dataset.name.clone(), Tone::Name));
    }
    lines.push(Line::Blank);
    config_lines(&mut lines, 0, &pattern.pattern, &pattern.definition);
    let place = first_place(&pattern.definition);
    Details { lines, place, name: pattern.pattern.clone() }
}

fn of_run(state: &State) -> Details {
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
            super::run::Level::Error => Tone::Bad,
            super::run::Level::Warning => Tone::Warning,
            super::run::Level::Own | super::run::Level::Debug => Tone::Dim,
            super::run::Level::Info => Tone::Plain,
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

fn of_tracked_run(state: &State) -> Details {
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

fn of_model(state: &State) -> Details {
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

fn of_engine(state: &State) -> Details {
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

/// How a run stands, in a word.
pub fn outcome_text(outcome: Outcome) -> (&'static str, Tone) {
    match outcome {
        Outcome::Running => ("running", Tone::Busy),
        Outcome::Succeeded => ("succeeded", Tone::Good),
        Outcome::Failed => ("failed", Tone::Bad),
        Outcome::Cancelled => ("cancelled", Tone::Warning),
        Outcome::Lost => ("lost", Tone::Bad),
    }
}

fn first_place(located: &Located) -> Option<Place> {
    if let Some(origin) = &located.origin {
        return Some(origin.place.clone());
    }
    let inner = located.value.as_map()?;
    inner.values().find_map(first_place)
}

fn config_lines(lines: &mut Vec<Line>, depth: usize, key: &str, located: &Located) {
    let origin = located.origin.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut push = |value: String, origin: String| {
        lines.push(Line::Config { depth, key: key.to_owned(), value, origin });
    };
    match &located.value {
        Value::Map(map) if !map.is_empty() => {
            push(String::new(), String::new());
            map.iter().for_each(|(key, inner)| config_lines(lines, depth + 1, key, inner));
        }
        Value::List(items) if items.iter().any(|item| item.value.as_map().is_some()) => {
            push(String::new(), String::new());
            items.iter().for_each(|inner| config_lines(lines, depth + 1, "-", inner));
        }
        value => push(one_line(value), origin),
    }
}

/// Bytes for people: `812 B`, `4.2 kB`, `1.3 GB`.
pub fn size_text(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB", "TB"] {
        if value < 999.5 || unit == "TB" {
            let digits = usize::from(unit != "B" && value < 99.5);
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    String::new()
}

/// A time for people: `just now`, `5 min ago`, `3 h ago`, `2026-11-02`.
pub fn when(now: f64, at: f64) -> String {
    let age = now - at;
    match age {
        a if a < 60.0 => "just now".into(),
        a if a < 3600.0 => format!("{} min ago", (a / 60.0) as u64),
        a if a < 86_400.0 => format!("{} h ago", (a / 3600.0) as u64),
        a if a < 86_400.0 * 14.0 => format!("{} d ago", (a / 86_400.0) as u64),
        _ => jiff::Timestamp::from_second(at as i64)
            .map(|time| {
                time.to_zoned_datetime(jiff::tz::TimeZone::system())
                    .strftime("%Y-%m-%d")
                    .to_string()
            })
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_read_well() {
        assert_eq!(size_text(812), "812 B");
        assert_eq!(size_text(4_210), "4.2 kB");
        assert_eq!(size_text(999_600), "1.0 MB");
        assert_eq!(size_text(1_340_000_000), "1.3 GB");
        assert_eq!(when(1000.0, 990.0), "just now");
        assert_eq!(when(10_000.0, 1000.0), "2 h ago");
    }
}
