//! Converts pipeline runs of the history to tracked runs.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::Value as Json;

use super::{EXPERIMENT, Loaded, Measured, milliseconds};
use crate::store::{
    DatasetRecord, Direction, Outcome, RunFilter, RunId, RunRecord, Store, StoreError,
};
use crate::text::secrets::without_marks;
use crate::tracking::TrackingError;
use crate::tracking::entities::{DatasetInput, Run};

/// All runs of a project's history; empty if there is no history.
///
/// # Errors
/// When the history can't be read.
pub(super) fn load(root: &Path) -> Result<Loaded, TrackingError> {
    let mut store = Store::new(root);
    if !store.path().exists() {
        return Ok(Loaded::default());
    }
    let runs = read(&mut store).map_err(|error| TrackingError::Files {
        path: store.path().display().to_string(),
        reason: error.to_string().trim_end_matches('.').to_owned(),
    })?;
    let aside = store.set_aside().map(|aside| StoreError::SetAside(aside.to_owned()).to_string());
    Ok(Loaded { runs, problems: aside.into_iter().collect() })
}

fn read(store: &mut Store) -> Result<Vec<Measured>, StoreError> {
    let mut params: HashMap<String, Vec<(String, String)>> = HashMap::new();
    let mut found = Vec::new();
    for record in store.runs(&RunFilter::default())? {
        let Some(id) = record.id else { continue };
        let datasets = store.datasets(id)?;
        let own = match &record.parameters {
            None => Vec::new(),
            Some(hash) => match params.get(hash) {
                Some(params) => params.clone(),
                None => {
                    let text = store.text(hash)?.map(|text| without_marks(&text));
                    let json = text.and_then(|text| serde_json::from_str(&text).ok());
                    params.entry(hash.clone()).or_insert(flat(&json.unwrap_or_default())).clone()
                }
            },
        };
        found.push(measured(id, record, &datasets, own));
    }
    Ok(found)
}

fn measured(
    id: RunId,
    record: RunRecord,
    datasets: &[DatasetRecord],
    params: Vec<(String, String)>,
) -> Measured {
    let mut metrics = BTreeMap::new();
    let mut saved = BTreeMap::new();
    for dataset in datasets.iter().filter(|dataset| dataset.direction == Direction::Save) {
        let numbers = dataset.metrics.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let Some(Json::Object(numbers)) = numbers else { continue };
        for (key, value) in numbers {
            let key = format!("{}.{key}", dataset.dataset);
            saved.insert(key.clone(), milliseconds(dataset.at));
            metrics.insert(key, value.as_f64().unwrap_or(f64::NAN));
        }
    }
    let mut inputs = Vec::new();
    for dataset in datasets.iter().filter(|dataset| dataset.direction == Direction::Load) {
        let input = DatasetInput {
            name: dataset.dataset.clone(),
            digest: dataset.stamp.clone().unwrap_or_default(),
            source_type: "local".to_owned(),
            ..DatasetInput::default()
        };
        // A dataset that several nodes load is one input.
        if dataset.stamp.is_some() && !inputs.contains(&input) {
            inputs.push(input);
        }
    }
    let code = record.code.as_ref();
    let mut tags: Vec<(String, String)> = [
        ("kedro.command", Some(record.new.command)),
        ("kedro.env", record.new.env),
        ("kedro.version", record.kedro_version),
        ("mlflow.note.content", record.note),
        ("mlflow.source.git.branch", code.and_then(|code| code.branch.clone())),
        ("mlflow.source.git.commit", code.and_then(|code| code.commit.clone())),
        ("mlops-tui.batch", record.new.batch),
        ("mlops-tui.mlflow_run", record.mlflow_run),
        ("mlops-tui.on", record.new.remote.map(|remote| remote.profile)),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key.to_owned(), value?)))
    .collect();
    tags.sort();
    let status = match record.outcome {
        Outcome::Running => "RUNNING",
        Outcome::Succeeded => "FINISHED",
        Outcome::Failed | Outcome::Lost => "FAILED",
        Outcome::Cancelled => "KILLED",
    };
    let run = Run {
        id: id.to_string(),
        name: record.new.pipeline,
        experiment_id: EXPERIMENT.to_owned(),
        user_id: record.new.user.unwrap_or_default(),
        status: status.to_owned(),
        start_time: Some(milliseconds(record.new.started_at)),
        end_time: record.ended_at.map(milliseconds),
        lifecycle_stage: "active".to_owned(),
        params,
        metrics: metrics.into_iter().collect(),
        tags,
        datasets: inputs,
        ..Run::default()
    };
    Measured { run, saved }
}

/// Parameters by dotted keys, sorted, in Python's notation, as MLflow would log them.
fn flat(json: &Json) -> Vec<(String, String)> {
    fn add(prefix: &str, json: &Json, found: &mut Vec<(String, String)>) {
        match json {
            Json::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    let dot = if prefix.is_empty() { "" } else { "." };
                    add(&format!("{prefix}{dot}{key}"), value, found);
                }
            }
            Json::String(text) => found.push((prefix.to_owned(), text.clone())),
            Json::Null => found.push((prefix.to_owned(), "None".to_owned())),
            Json::Bool(true) => found.push((prefix.to_owned(), "True".to_owned())),
            Json::Bool(false) => found.push((prefix.to_owned(), "False".to_owned())),
            other => found.push((prefix.to_owned(), other.to_string())),
        }
    }
    let mut found = Vec::new();
    if let Json::Object(map) = json {
        for (key, value) in map {
            add(key, value, &mut found);
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_are_flat_and_in_python_notation() {
        let json = json!({"b": {"c": 1.5, "a": {}}, "a": "x", "n": null, "t": true, "l": [1, 2]});
        let pairs = [
            ("a", "x"),
            ("b.a", "{}"),
            ("b.c", "1.5"),
            ("l", "[1,2]"),
            ("n", "None"),
            ("t", "True"),
        ];
        let expected = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(flat(&json), expected);
        assert_eq!(flat(&Json::Null), []);
    }
}
