//! A run's folder: `meta.yaml`, and a file for each metric, param, tag and dataset.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::lines;
use super::reader::{META, Reader};
use crate::tracking::entities::{DatasetInput, Run, View, of};
use crate::tracking::filter::{Cell, DatasetField, Field, Searched};
use crate::tracking::follow::RunState;

/// The tag with a run's name, as written by MLflow 1.
const RUN_NAME: &str = "mlflow.runName";

/// A run and its folder.
pub(super) struct Held<'a> {
    pub run: Run,
    pub folder: PathBuf,
    pub root: &'a Path,
}

impl Searched for Held<'_> {
    fn cell(&self, field: &Field) -> Option<Cell<'_>> {
        self.run.cell(field)
    }

    fn datasets(&self, field: DatasetField) -> Vec<&str> {
        self.run.datasets(field)
    }

    /// Empty if the file can't be read, which the search has noted already.
    fn history(&self, metric: &str) -> Vec<f64> {
        let mut reader = Reader::new(self.root);
        let points = reader.metric(&self.folder.join("metrics"), metric, lines::history);
        let points = points.ok().flatten().unwrap_or_default();
        points.into_iter().map(|point| point.value).collect()
    }
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    run_id: Option<String>,
    /// The former name of `run_id`; MLflow 2 writes both.
    #[serde(default)]
    run_uuid: Option<String>,
    #[serde(default)]
    run_name: Option<String>,
    experiment_id: String,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    start_time: Option<i64>,
    #[serde(default)]
    end_time: Option<i64>,
    #[serde(default)]
    lifecycle_stage: Option<String>,
    #[serde(default)]
    artifact_uri: Option<String>,
}

/// The id and `meta.yaml` of the run in a folder of an experiment; `None` if the folder is no run, or can't
/// be read.
fn described(reader: &mut Reader<'_>, experiment: &str, folder: &Path) -> Option<(String, Meta)> {
    let meta: Meta = match reader.meta(folder) {
        Some(meta) => meta,
        None => {
            // Artifacts may be in the same folder, so not every subfolder is a run.
            if !folder.join(META).exists() && folder.join("params").is_dir() {
                reader.note(folder, "the run has no meta.yaml");
            }
            return None;
        }
    };
    let id = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let own = meta.run_id.as_deref().or(meta.run_uuid.as_deref());
    if own != Some(id) || meta.experiment_id != experiment {
        reader.note(&folder.join(META), "it describes a run of another folder");
        return None;
    }
    Some((id.to_owned(), meta))
}

/// The state of the run in a folder of an experiment; `None` if the folder is no run, or can't be read.
pub(super) fn state(reader: &mut Reader<'_>, experiment: &str, folder: &Path) -> Option<RunState> {
    let (id, meta) = described(reader, experiment, folder)?;
    let named = meta.run_name.filter(|name| !name.is_empty());
    let name =
        named.or_else(|| of(&reader.texts(&folder.join("tags")), RUN_NAME).map(str::to_owned));
    Some(RunState {
        id,
        name: name.unwrap_or_default(),
        experiment_id: meta.experiment_id,
        status: status(meta.status.as_deref()).to_owned(),
        lifecycle_stage: meta.lifecycle_stage.unwrap_or_else(|| "active".to_owned()),
        start_time: meta.start_time,
        end_time: meta.end_time,
    })
}

/// The run in a folder of an experiment; `None` if the folder is no run, is not in the view, or can't be
/// read.
pub(super) fn read(
    reader: &mut Reader<'_>,
    experiment: &str,
    folder: &Path,
    view: View,
) -> Option<Run> {
    let (id, meta) = described(reader, experiment, folder)?;
    let stage = meta.lifecycle_stage.unwrap_or_else(|| "active".to_owned());
    if !view.shows(&stage) {
        return None;
    }
    let metrics = reader.metrics(&folder.join("metrics"), |_, file, buffer| {
        let latest = lines::latest(file, buffer)?.ok_or("it has no values")?;
        Ok(latest.value)
    });
    let tags = reader.texts(&folder.join("tags"));
    let named = meta.run_name.filter(|name| !name.is_empty());
    let name = named.or_else(|| of(&tags, RUN_NAME).map(str::to_owned));
    Some(Run {
        id,
        name: name.unwrap_or_default(),
        experiment_id: meta.experiment_id,
        user_id: meta.user_id.unwrap_or_default(),
        status: status(meta.status.as_deref()).to_owned(),
        start_time: meta.start_time,
        end_time: meta.end_time,
        lifecycle_stage: stage,
        artifact_uri: meta.artifact_uri.unwrap_or_default(),
        params: reader.texts(&folder.join("params")),
        metrics,
        tags,
        datasets: datasets(reader, folder),
        model_inputs: model_inputs(reader, folder),
        model_outputs: model_outputs(reader, folder),
    })
}

/// Ids of the logged models that a run has read.
fn model_inputs(reader: &mut Reader<'_>, folder: &Path) -> Vec<String> {
    let folders = reader.folders(&folder.join("inputs"));
    let inputs = folders.iter().filter_map(|(_, path)| reader.meta::<Input>(path));
    inputs.filter(|input| input.source_type == "MODEL").map(|input| input.source_id).collect()
}

/// Ids and steps of the logged models that a run has made.
fn model_outputs(reader: &mut Reader<'_>, folder: &Path) -> Vec<(String, i64)> {
    let folders = reader.folders(&folder.join("outputs"));
    let outputs = folders.into_iter().filter_map(|(name, path)| {
        let output = reader.meta::<Output>(&path)?;
        Some((output.destination_id.unwrap_or(name), output.step.unwrap_or_default()))
    });
    outputs.collect()
}

/// The name of a status number (`RunStatus` in MLflow's protocol); `RUNNING` if there is none.
fn status(number: Option<&str>) -> &str {
    match number {
        None | Some("1") => "RUNNING",
        Some("2") => "SCHEDULED",
        Some("3") => "FINISHED",
        Some("4") => "FAILED",
        Some("5") => "KILLED",
        Some(name) => name,
    }
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    destination_id: Option<String>,
    #[serde(default)]
    step: Option<i64>,
}

#[derive(Deserialize)]
struct Input {
    source_type: String,
    source_id: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Dataset {
    name: String,
    digest: String,
    #[serde(default)]
    source_type: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    schema: Option<String>,
    #[serde(default)]
    profile: Option<String>,
}

/// The datasets that a run has read: the run's folder has their ids, and the experiment's folder describes
/// them.
fn datasets(reader: &mut Reader<'_>, folder: &Path) -> Vec<DatasetInput> {
    let described = folder.with_file_name("datasets");
    let mut datasets = Vec::new();
    for (_, path) in reader.folders(&folder.join("inputs")) {
        let Some(input) = reader.meta::<Input>(&path) else { continue };
        if input.source_type != "DATASET" {
            continue;
        }
        if !super::is_id(&input.source_id) {
            reader.note(&path, "it names no dataset");
            continue;
        }
        let Some(dataset) = reader.meta::<Dataset>(&described.join(&input.source_id)) else {
            reader.note(&path, format!("its dataset {} is missing", input.source_id));
            continue;
        };
        datasets.push(DatasetInput {
            name: dataset.name,
            digest: dataset.digest,
            source_type: dataset.source_type.unwrap_or_default(),
            source: dataset.source.unwrap_or_default(),
            schema: dataset.schema,
            profile: dataset.profile,
            tags: input.tags.into_iter().collect(),
        });
    }
    datasets
}
