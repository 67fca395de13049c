//! The details of datasets, parameters and factory patterns: where they come from, whether they are on
//! disk, and which nodes use them. Several screens show them.

use std::collections::BTreeSet;

use indexmap::IndexSet;

use crate::app::shared::Shared;
use crate::app::words::{Details, Line, Tone, size_text, when};
use crate::datasets::DatasetStatus;
use crate::project::python::highlight::Token;
use crate::project::{
    Dataset, Located, Node, Origin, Place, Snapshot, Value, json, makers, strip_transcoding,
};
use crate::runs::params;
use crate::text::sanitize;
use crate::text::secrets::HIDDEN;

/// The catalog entry of a dataset. A name without transcoding finds a transcoded entry, too.
pub(super) fn dataset_of<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a Dataset> {
    snapshot.datasets.get(name).or_else(|| {
        snapshot.datasets.values().find(|dataset| strip_transcoding(&dataset.name) == name)
    })
}

pub(super) fn of_dataset(shared: &Shared, snapshot: &Snapshot, name: &str) -> Details {
    let mut lines = vec![Line::Title(name.to_owned())];
    let mut place = None;
    match dataset_of(snapshot, name) {
        None => {
            lines.push(Line::Field("type", "MemoryDataset (in no catalog file)".into(), Tone::Dim))
        }
        Some(dataset) => {
            lines.push(Line::Field("type", dataset.type_name.clone(), Tone::Plain));
            if let Some(filepath) = &dataset.filepath {
                lines.push(Line::Link("file", filepath.clone(), filepath.clone(), Tone::Plain));
            }
            let (text, tone) = on_disk(shared, &dataset.name);
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
        // Transcoded entries of one dataset are listed below each other.
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

fn on_disk(shared: &Shared, name: &str) -> (String, Tone) {
    match shared.project.datasets.get(name) {
        None => ("looking ...".into(), Tone::Dim),
        Some(DatasetStatus::Missing) => ("not there yet".into(), Tone::Warning),
        Some(DatasetStatus::Elsewhere) => ("not a local file".into(), Tone::Dim),
        Some(DatasetStatus::NoFile) => ("not kept in a file".into(), Tone::Dim),
        Some(DatasetStatus::Present { bytes, modified, versions }) => {
            let versions = match versions {
                Some(1) => ", 1 version".into(),
                Some(count) => format!(", {count} versions"),
                None => String::new(),
            };
            let text = format!("{}, {}{versions}", size_text(*bytes), when(shared.now, *modified));
            (text, Tone::Good)
        }
    }
}

/// Adds the nodes that make, and those that read, a dataset or parameter.
fn users(snapshot: &Snapshot, name: &str, lines: &mut Vec<Line>) {
    let base = strip_transcoding(name);
    let made_by =
        makers(snapshot.nodes()).filter(|(dataset, _)| *dataset == base).map(|(_, node)| node);
    let used_by =
        snapshot.nodes().filter(|node| node.inputs.iter().any(|input| reads(input, base)));
    let mut add = |label: &'static str, nodes: Vec<&Node>| {
        // The same node can be in several pipelines.
        let names: IndexSet<&str> = nodes.into_iter().map(|node| node.name.as_str()).collect();
        for (index, name) in names.into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            lines.push(Line::Field(label, name.to_owned(), Tone::Name));
        }
    };
    add("made by", made_by.collect());
    add("used by", used_by.collect());
}

/// Whether a node with the input `dataset` reads `asked`. A group of parameters includes each parameter in it.
pub(super) fn reads(dataset: &str, asked: &str) -> bool {
    match (dataset.strip_prefix("params:"), asked.strip_prefix("params:")) {
        (Some(key), Some(asked)) => {
            key == asked || asked.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'))
        }
        (None, Some(_)) => dataset == "parameters",
        _ => strip_transcoding(dataset) == asked,
    }
}

pub(super) fn of_parameter(shared: &Shared, snapshot: &Snapshot, name: &str) -> Details {
    let mut lines = vec![Line::Title(name.to_owned())];
    let found = match name.strip_prefix("params:") {
        Some(key) => find(&snapshot.parameters, key),
        None => Some(&snapshot.parameters),
    };
    match found {
        None => lines.push(Line::Text("no parameters file defines it".into(), Tone::Bad)),
        Some(located) => {
            if let Some(origin) = &located.origin {
                let file = origin.place.file.display().to_string();
                lines.push(Line::Link("from", origin.to_string(), file, Tone::Plain));
            }
            let key = name.strip_prefix("params:").unwrap_or_default();
            for (path, text) in &params::masked(&shared.overrides, &|_| HIDDEN.into()) {
                if path == key || key.is_empty() || path.starts_with(&format!("{key}.")) {
                    let text = format!("{path} is {text} for the next runs");
                    lines.push(Line::Field("set", sanitize(&text), Tone::Warning));
                }
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

pub(super) fn of_pattern(snapshot: &Snapshot, index: usize) -> Details {
    let Some(pattern) = snapshot.patterns.get(index) else { return Details::default() };
    let mut lines = vec![Line::Title(pattern.pattern.clone())];
    let made = snapshot
        .datasets
        .values()
        .filter(|dataset| dataset.pattern.as_ref() == Some(&pattern.pattern));
    for (index, dataset) in made.enumerate() {
        let label = if index == 0 { "makes" } else { "" };
        lines.push(Line::Field(label, dataset.name.clone(), Tone::Name));
    }
    lines.push(Line::Blank);
    config_lines(&mut lines, 0, &pattern.pattern, &pattern.definition);
    let place = first_place(&pattern.definition);
    Details { lines, place, name: pattern.pattern.clone() }
}

/// The environments and files that a definition comes from.
pub(super) struct Origins<'a>(Vec<&'a Origin>);

impl Origins<'_> {
    /// Whether a part comes from the environment or from the file with this name or path.
    pub(super) fn is_in(&self, wanted: &str) -> bool {
        self.0.iter().any(|origin| {
            let path = origin.place.file.to_string_lossy();
            let within = path.strip_suffix(wanted);
            *origin.env == *wanted
                || within.is_some_and(|start| start.is_empty() || start.ends_with('/'))
        })
    }

    /// The names of environments and files.
    pub(super) fn into_names(self) -> BTreeSet<String> {
        let names = self.0.iter().flat_map(|origin| {
            let file = origin.place.file.file_name();
            let file = file.map(|name| name.to_string_lossy().into_owned());
            [Some(origin.env.to_string()), file].into_iter().flatten()
        });
        names.collect()
    }
}

/// The origins of a value and of all values in it.
pub(super) fn origins(located: &Located) -> Origins<'_> {
    let mut found: Vec<&Origin> = located.origin.iter().collect();
    if let Some(map) = located.value.as_map() {
        found.extend(map.values().flat_map(|inner| origins(inner).0));
    }
    Origins(found)
}

fn first_place(located: &Located) -> Option<Place> {
    if let Some(origin) = &located.origin {
        return Some(origin.place.clone());
    }
    let inner = located.value.as_map()?;
    inner.values().find_map(first_place)
}

fn config_lines(lines: &mut Vec<Line>, depth: usize, key: &str, located: &Located) {
    let token = match &located.value {
        Value::Int(_) | Value::BigInt(_) | Value::Float(_) | Value::Bool(_) | Value::Null => {
            Token::Number
        }
        Value::Str(_) => Token::String,
        Value::Secret(_) | Value::Unknown(_) => Token::Comment,
        Value::List(_) | Value::Map(_) => Token::Plain,
    };
    let mut push = |value: String, origin: Option<Origin>| {
        lines.push(Line::Config { depth, key: key.to_owned(), value, token, origin });
    };
    match &located.value {
        Value::Map(map) if !map.is_empty() => {
            push(String::new(), None);
            map.iter().for_each(|(key, inner)| config_lines(lines, depth + 1, key, inner));
        }
        Value::List(items) if items.iter().any(|item| item.value.as_map().is_some()) => {
            push(String::new(), None);
            items.iter().for_each(|inner| config_lines(lines, depth + 1, "-", inner));
        }
        value => push(one_line(value), located.origin.clone()),
    }
}

/// A value on one line, as JSON, except that a text has no quotation marks.
pub fn one_line(value: &Value) -> String {
    match value {
        Value::Str(text) => text.clone(),
        Value::Secret(secret) => secret.part().unwrap_or("(secret)").to_owned(),
        Value::Unknown(text) => format!("{text}  (unknown)"),
        other => json::value_to_json(other).to_string(),
    }
}

/// The value at a dotted key such as `a.b.c`. Keys that contain dots themselves are found, too.
pub fn find<'a>(parameters: &'a Located, path: &str) -> Option<&'a Located> {
    if let Some(found) = parameters.value.get(path) {
        return Some(found);
    }
    for (index, _) in path.match_indices('.') {
        let (first, rest) = (&path[..index], &path[index + 1..]);
        if let Some(inner) = parameters.value.get(first)
            && let Some(found) = find(inner, rest)
        {
            return Some(found);
        }
    }
    None
}
