//! Converts snapshots to and from JSON in the shape of `kedro.inspection.ProjectSnapshot`.
//!
//! Most keys are Kedro's; `reading`, `complete`, `problems`, `env`, `environments`, `patterns` and
//! `details` are additions. [`from_exact`] lays Kedro's answer over the static reading, which knows
//! things that Kedro does not report: origins, layers, and where nodes are made.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

use super::model::{
    Dataset, Located, Node, Origin, Pipeline, Problem, Reading, Severity, Snapshot, SourceRange,
    Value,
};
pub use super::values::{kept_json, value_to_json};
use super::{mistakes, secrets};
use crate::text::UserError;
use crate::text::secrets::redact;

/// The snapshot in the shape of `kedro.inspection.ProjectSnapshot`, with additional keys.
pub fn to_json(snapshot: &Snapshot) -> Json {
    let mut json = frame(snapshot);
    json["pipelines"] = snapshot.pipelines.iter().map(pipeline_to_json).collect();
    let datasets = snapshot.datasets.values();
    let by_name = |to_json: fn(&Dataset) -> Json| {
        datasets.clone().map(|dataset| (dataset.name.clone(), to_json(dataset))).collect()
    };
    json["datasets"] = Json::Object(by_name(dataset_to_json));
    json["details"] = Json::Object(by_name(details_to_json));
    json
}

/// [`to_json`] as a streaming serializer, so that large snapshots need little memory.
#[derive(Debug)]
pub struct Written<'a>(pub &'a Snapshot);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = frame(self.0);
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in json.as_object().into_iter().flatten() {
            match key.as_str() {
                "pipelines" => map.serialize_entry(key, &Pipelines(&self.0.pipelines))?,
                "datasets" => map.serialize_entry(key, &Datasets(self.0, dataset_to_json))?,
                "details" => map.serialize_entry(key, &Datasets(self.0, details_to_json))?,
                _ => map.serialize_entry(key, value)?,
            }
        }
        map.end()
    }
}

struct Pipelines<'a>(&'a [Pipeline]);

impl Serialize for Pipelines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(OnePipeline))
    }
}

struct OnePipeline<'a>(&'a Pipeline);

impl Serialize for OnePipeline<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Pipeline { name, nodes, inputs, outputs, .. } = self.0;
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("name", name)?;
        map.serialize_entry("nodes", &Nodes(nodes))?;
        map.serialize_entry("inputs", inputs)?;
        map.serialize_entry("outputs", outputs)?;
        map.end()
    }
}

struct Nodes<'a>(&'a [Arc<Node>]);

impl Serialize for Nodes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|node| node_to_json(node)))
    }
}

/// A map from dataset name to the JSON that the function `1` makes from the dataset.
struct Datasets<'a>(&'a Snapshot, fn(&Dataset) -> Json);

impl Serialize for Datasets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let datasets = self.0.datasets.values();
        serializer.collect_map(datasets.map(|dataset| (&dataset.name, self.1(dataset))))
    }
}

fn dataset_to_json(dataset: &Dataset) -> Json {
    json!({"name": dataset.name, "type": dataset.type_name, "filepath": dataset.filepath})
}

fn details_to_json(dataset: &Dataset) -> Json {
    json!({
        "layer": dataset.layer,
        "versioned": dataset.versioned,
        "credentials": dataset.credentials,
        "pattern": dataset.pattern,
        "origin": dataset.definition.origin.as_ref().map(origin_to_json),
    })
}

/// The snapshot with empty pipelines and datasets.
fn frame(snapshot: &Snapshot) -> Json {
    let metadata = &snapshot.metadata;
    let mut parameters: Vec<&String> =
        snapshot.parameters.value.as_map().map(|map| map.keys().collect()).unwrap_or_default();
    parameters.sort();
    json!({
        "metadata": {
            "project_name": metadata.project_name,
            "package_name": metadata.package_name,
            "kedro_version": metadata.kedro_version,
        },
        "pipelines": [],
        "datasets": {},
        "parameters": parameters,
        "reading": snapshot.reading,
        "complete": snapshot.complete(),
        "problems": snapshot.problems.iter().map(problem_to_json).collect::<Vec<_>>(),
        "env": snapshot.env,
        "environments": snapshot.environments,
        "patterns": snapshot.patterns.iter().map(|pattern| &pattern.pattern).collect::<Vec<_>>(),
        "details": {},
    })
}

fn pipeline_to_json(pipeline: &Pipeline) -> Json {
    json!({
        "name": pipeline.name,
        "nodes": pipeline.nodes.iter().map(|node| node_to_json(node)).collect::<Vec<_>>(),
        "inputs": pipeline.inputs,
        "outputs": pipeline.outputs,
    })
}

fn node_to_json(node: &Node) -> Json {
    json!({
        "name": node.name,
        "func_name": node.func_name,
        "namespace": node.namespace,
        "tags": node.tags,
        "inputs": node.inputs,
        "outputs": node.outputs,
        "source": node.source,
    })
}

fn origin_to_json(origin: &Origin) -> Json {
    json!({"file": origin.place.file.display().to_string(), "line": origin.place.line, "column": origin.place.column, "env": &*origin.env})
}

/// A problem as JSON.
pub fn problem_to_json(problem: &Problem) -> Json {
    json!({
        "severity": problem.severity,
        "file": problem.place.as_ref().map(|place| place.file.display().to_string()),
        "line": problem.place.as_ref().map(|place| place.line),
        "column": problem.place.as_ref().map(|place| place.column),
        "text": problem.text,
        "remedy": problem.remedy,
        "hides": problem.hides,
    })
}

/// A configuration value as JSON with its origin: `{"value", "origin"}`, nested in lists and maps.
pub fn located_to_json(located: &Located) -> Json {
    let value = match &located.value {
        Value::List(items) => items.iter().map(located_to_json).collect(),
        Value::Map(map) => Json::Object(
            map.iter().map(|(key, item)| (key.clone(), located_to_json(item))).collect(),
        ),
        other => value_to_json(other),
    };
    let mut object = Map::new();
    object.insert("value".into(), value);
    object.insert("origin".into(), located.origin.as_ref().map_or(Json::Null, origin_to_json));
    match &located.value {
        Value::Unknown(_) => drop(object.insert("unknown".into(), Json::Bool(true))),
        Value::Secret(_) => drop(object.insert("secret".into(), Json::Bool(true))),
        _ => {}
    }
    Json::Object(object)
}

/// Plain JSON as a configuration value. Origins are copied from `model` where it has the same key.
pub fn value_from_json(json: &Json, model: Option<&Located>) -> Located {
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Value::Int(value),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Str(text.clone()),
        Json::Array(items) => {
            let item_model = |index: usize| match model.map(|located| &located.value) {
                Some(Value::List(list)) => list.get(index),
                _ => None,
            };
            Value::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(i, item)| value_from_json(item, item_model(i)))
                    .collect(),
            )
        }
        Json::Object(map) => Value::Map(
            map.iter()
                .map(|(key, item)| {
                    let item_model = model.and_then(|located| located.value.get(key));
                    (key.clone(), value_from_json(item, item_model))
                })
                .collect(),
        ),
    };
    Located { value, origin: model.and_then(|located| located.origin.clone()) }
}

/// Lays Kedro's answer over the static reading of the same files.
///
/// # Errors
/// If the answer does not have the shape of a `ProjectSnapshot`; the text names the part.
pub fn from_exact(answer: &Json, read: &Snapshot) -> Result<Snapshot, UserError> {
    let mut snapshot = Snapshot { reading: Reading::Exact, ..read.clone() };
    if let Some(version) = answer["kedro_version"].as_str() {
        // The installed version decides how Kedro behaves; the project's own version describes its
        // layout.
        if snapshot.metadata.kedro_version.is_empty() {
            snapshot.metadata.kedro_version = version.to_owned();
        }
    }
    let pipelines = answer["pipelines"].as_array().ok_or("the answer has no `pipelines`")?;
    snapshot.pipelines = pipelines
        .iter()
        .map(|pipeline| pipeline_from_json(pipeline, read))
        .collect::<Result<_, _>>()?;
    // What both readings have keeps its place on the screen.
    let place = |name: &str| read.pipelines.iter().position(|pipeline| pipeline.name == name);
    snapshot.pipelines.sort_by_key(|pipeline| place(&pipeline.name).unwrap_or(usize::MAX));
    let datasets = answer["datasets"].as_object().ok_or("the answer has no `datasets`")?;
    let mut names: Vec<&String> = datasets.keys().collect();
    // Kedro resolves patterns in the order of a set, which differs between runs.
    names.sort_by_key(|name| (read.datasets.get_index_of(*name).unwrap_or(usize::MAX), *name));
    snapshot.datasets = names
        .into_iter()
        .map(|name| (name.clone(), dataset_from_json(name, &datasets[name], read)))
        .collect();
    if answer["parameter_values"].is_object() {
        snapshot.parameters = value_from_json(&answer["parameter_values"], Some(&read.parameters));
        secrets::remove_from_exact(&mut snapshot.parameters, &read.parameters);
        sort_as(&mut snapshot.parameters, &read.parameters);
    }
    // The exact reading knows everything that the static reading had to leave out.
    let mistakes = mistakes::find(read);
    snapshot.problems.retain(|problem| !problem.hides && !mistakes.contains(problem));
    snapshot.problems.extend(mistakes::find(&snapshot));
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        snapshot.problems.push(
            Problem::new(
                Severity::Warning,
                None,
                warning.as_str().unwrap_or_default(),
                "Kedro left this out of the pipelines; mend it to have it back.",
            )
            .hiding(),
        );
    }
    Problem::sort(&mut snapshot.problems);
    Ok(snapshot)
}

/// Kedro's answer without secrets, to be stored. The static reading `read` supplies the origins of
/// the values.
pub fn exact_without_secrets(answer: &Json, read: &Snapshot) -> Json {
    let mut answer = answer.clone();
    if answer["parameter_values"].is_object() {
        let mut parameters = value_from_json(&answer["parameter_values"], Some(&read.parameters));
        secrets::remove_from_exact(&mut parameters, &read.parameters);
        answer["parameter_values"] = value_to_json(&parameters.value);
    }
    for key in ["datasets", "warnings"] {
        redact_strings(&mut answer[key]);
    }
    answer
}

fn redact_strings(json: &mut Json) {
    match json {
        Json::String(text) => *text = redact(text),
        Json::Array(items) => items.iter_mut().for_each(redact_strings),
        Json::Object(map) => map.values_mut().for_each(redact_strings),
        _ => {}
    }
}

/// Gives the keys that both mappings have the order of the static reading, at all depths; others follow.
fn sort_as(exact: &mut Located, read: &Located) {
    let (Value::Map(map), Value::Map(read)) = (&mut exact.value, &read.value) else { return };
    map.sort_by_cached_key(|key, _| read.get_index_of(key).unwrap_or(usize::MAX));
    for (key, value) in map {
        if let Some(read) = read.get(key) {
            sort_as(value, read);
        }
    }
}

fn pipeline_from_json(json: &Json, read: &Snapshot) -> Result<Pipeline, UserError> {
    let name = json["name"].as_str().ok_or("a pipeline has no `name`")?.to_owned();
    let known: IndexMap<&str, &Arc<Node>> = read
        .pipeline(&name)
        .map(|pipeline| pipeline.nodes.iter().map(|node| (node.name.as_str(), node)).collect())
        .unwrap_or_default();
    let nodes =
        json["nodes"].as_array().ok_or_else(|| format!("pipeline `{name}` has no `nodes`"))?;
    let nodes = nodes
        .iter()
        .map(|json| {
            let mut node = node_from_json(json)?;
            if let Some(read) = known.get(node.name.as_str()) {
                node.call.clone_from(&read.call);
                node.callable.clone_from(&read.callable);
                if node.source.is_none() {
                    node.source.clone_from(&read.source);
                }
                // If Kedro found another function, the static reach does not apply.
                if node.source == read.source {
                    node.reach.clone_from(&read.reach);
                }
            }
            if node.reach.is_none() {
                node.reach = node.source.as_ref().and_then(|source| read.code.reach_at(source));
            }
            Ok(Arc::new(node))
        })
        .collect::<Result<_, UserError>>()?;
    Ok(Pipeline {
        name,
        nodes,
        inputs: strings(&json["inputs"]),
        outputs: strings(&json["outputs"]),
        complete: true,
    })
}

fn node_from_json(json: &Json) -> Result<Node, UserError> {
    let source = &json["source"];
    let line = |key: &str| source[key].as_u64().and_then(|line| u32::try_from(line).ok());
    Ok(Node {
        name: json["name"].as_str().ok_or("a node has no `name`")?.to_owned(),
        func_name: json["func_name"].as_str().unwrap_or_default().to_owned(),
        namespace: json["namespace"].as_str().map(str::to_owned),
        tags: strings(&json["tags"]).into_iter().collect(),
        inputs: strings(&json["inputs"]),
        outputs: strings(&json["outputs"]),
        source: match (source["filepath"].as_str(), line("line_start"), line("line_end")) {
            (Some(filepath), Some(line_start), Some(line_end)) => {
                Some(SourceRange { filepath: filepath.to_owned(), line_start, line_end })
            }
            _ => None,
        },
        call: None,
        callable: None,
        reach: None,
    })
}

fn dataset_from_json(name: &str, json: &Json, read: &Snapshot) -> Dataset {
    let mut dataset = read.datasets.get(name).cloned().unwrap_or_default();
    dataset.name = name.to_owned();
    dataset.type_name = json["type"].as_str().unwrap_or_default().to_owned();
    dataset.filepath = json["filepath"].as_str().map(redact);
    dataset
}

fn strings(json: &Json) -> Vec<String> {
    json.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
}
