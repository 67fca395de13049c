//! Logged models, in `models/` of their experiment: `meta.yaml`, and a file for each metric, param and tag.

use std::path::Path;

use serde::Deserialize;

use super::lines;
use super::reader::Reader;
use crate::tracking::entities::LoggedModel;
use crate::tracking::filter::{Cell, Field, Searched};

#[derive(Deserialize)]
struct Meta {
    model_id: String,
    experiment_id: String,
    name: String,
    #[serde(default)]
    artifact_location: Option<String>,
    #[serde(default)]
    creation_timestamp: Option<i64>,
    #[serde(default)]
    last_updated_timestamp: Option<i64>,
    #[serde(default)]
    model_type: Option<String>,
    #[serde(default)]
    source_run_id: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    status_message: Option<String>,
    #[serde(default)]
    lifecycle_stage: Option<String>,
}

/// The logged model in a folder of an experiment; `None` if it is deleted or can't be read.
pub(super) fn read(
    reader: &mut Reader<'_>,
    experiment: &str,
    folder: &Path,
) -> Option<LoggedModel> {
    let meta: Meta = reader.meta(folder)?;
    let stage = meta.lifecycle_stage.unwrap_or_else(|| "active".to_owned());
    if stage != "active" {
        return None;
    }
    if meta.experiment_id != experiment {
        reader.note(folder, "it describes a model of another experiment");
        return None;
    }
    let metrics = reader.metrics(&folder.join("metrics"), lines::of_model);
    Some(LoggedModel {
        id: meta.model_id,
        experiment_id: meta.experiment_id,
        name: meta.name,
        artifact_location: meta.artifact_location.unwrap_or_default(),
        creation_timestamp: meta.creation_timestamp,
        last_updated_timestamp: meta.last_updated_timestamp,
        model_type: meta.model_type,
        source_run_id: meta.source_run_id.filter(|id| !id.is_empty()),
        status: status(meta.status.as_deref()).to_owned(),
        status_message: meta.status_message,
        lifecycle_stage: stage,
        params: reader.texts(&folder.join("params")),
        tags: reader.texts(&folder.join("tags")),
        metrics: metrics.into_iter().flat_map(|(_, metrics)| metrics).collect(),
    })
}

/// The name of a status number (`LoggedModelStatus` in MLflow's protocol).
fn status(number: Option<&str>) -> &str {
    match number {
        None | Some("0") => "UNSPECIFIED",
        Some("1") => "PENDING",
        Some("2") => "READY",
        Some("3") => "FAILED",
        Some(name) => name,
    }
}

/// A logged model as seen by sort orders: the newest value of a metric counts.
pub(super) struct Ordered<'a>(pub &'a LoggedModel);

impl Searched for Ordered<'_> {
    fn cell(&self, field: &Field) -> Option<Cell<'_>> {
        let Field::Metric(key) = field else { return self.0.cell(field) };
        let metrics = self.0.metrics.iter().filter(|metric| metric.key == *key);
        // Of equally new ones the first counts.
        let newest = metrics.reduce(|newest, metric| match metric.timestamp > newest.timestamp {
            true => metric,
            false => newest,
        });
        newest.map(|metric| Cell::Number(metric.value))
    }
}
