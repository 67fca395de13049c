//! The JSON of a tracking server's answers (MLflow's `service.proto` and `model_registry.proto`). Numbers may
//! be texts: 64-bit integers are texts in protocol buffers' JSON, and so is NaN.

use serde::{Deserialize, Deserializer};

use crate::tracking::entities::{
    DatasetInput, Experiment, LoggedModel, Model, ModelMetric, ModelVersion, Point, Run,
};
use crate::tracking::follow::RunState;

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Real(f64),
    Text(String),
}

pub(super) fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Option::<Number>::deserialize(from)?
        .map(|number| match number {
            Number::Whole(number) => Ok(number),
            // The conversion saturates for numbers that are too large.
            Number::Real(number) => Ok(number as i64),
            Number::Text(text) => text
                .parse()
                .map_err(|_| serde::de::Error::custom(format_args!("`{text}` is no whole number"))),
        })
        .transpose()
}

fn real<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    match Number::deserialize(from)? {
        Number::Whole(number) => Ok(number as f64),
        Number::Real(number) => Ok(number),
        // Rust's parser accepts `NaN`, `Infinity` and `-Infinity`.
        Number::Text(text) => text
            .parse()
            .map_err(|_| serde::de::Error::custom(format_args!("`{text}` is no number"))),
    }
}

#[derive(Deserialize)]
struct Pair {
    key: String,
    #[serde(default)]
    value: String,
}

/// Converts key-value pairs, sorted by key.
fn pairs(pairs: Vec<Pair>) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = pairs.into_iter().map(|pair| (pair.key, pair.value)).collect();
    pairs.sort();
    pairs
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

#[derive(Deserialize)]
pub(super) struct OfExperiment {
    experiment_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    artifact_location: String,
    #[serde(default)]
    lifecycle_stage: String,
    #[serde(default, deserialize_with = "whole")]
    creation_time: Option<i64>,
    #[serde(default, deserialize_with = "whole")]
    last_update_time: Option<i64>,
    #[serde(default)]
    workspace: Option<String>,
    #[serde(default)]
    tags: Vec<Pair>,
}

impl From<OfExperiment> for Experiment {
    fn from(experiment: OfExperiment) -> Self {
        Experiment {
            id: experiment.experiment_id,
            name: experiment.name,
            artifact_location: experiment.artifact_location,
            lifecycle_stage: experiment.lifecycle_stage,
            creation_time: experiment.creation_time,
            last_update_time: experiment.last_update_time,
            workspace: experiment.workspace,
            tags: pairs(experiment.tags),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct OfRun {
    info: Info,
    #[serde(default)]
    data: Data,
    #[serde(default)]
    inputs: Inputs,
    #[serde(default)]
    outputs: Outputs,
}

#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    run_id: Option<String>,
    /// The former name of `run_id`.
    #[serde(default)]
    run_uuid: Option<String>,
    #[serde(default)]
    run_name: String,
    #[serde(default)]
    experiment_id: String,
    #[serde(default)]
    user_id: String,
    #[serde(default)]
    status: String,
    #[serde(default, deserialize_with = "whole")]
    start_time: Option<i64>,
    #[serde(default, deserialize_with = "whole")]
    end_time: Option<i64>,
    #[serde(default)]
    artifact_uri: String,
    #[serde(default)]
    lifecycle_stage: String,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(default)]
    metrics: Vec<OfMetric>,
    #[serde(default)]
    params: Vec<Pair>,
    #[serde(default)]
    tags: Vec<Pair>,
}

#[derive(Deserialize)]
struct OfMetric {
    key: String,
    #[serde(deserialize_with = "real")]
    value: f64,
    #[serde(default, deserialize_with = "whole")]
    timestamp: Option<i64>,
    #[serde(default, deserialize_with = "whole")]
    step: Option<i64>,
    #[serde(default)]
    run_id: String,
    #[serde(default)]
    dataset_name: Option<String>,
    #[serde(default)]
    dataset_digest: Option<String>,
}

#[derive(Default, Deserialize)]
struct Inputs {
    #[serde(default)]
    dataset_inputs: Vec<OfInput>,
    #[serde(default)]
    model_inputs: Vec<OfModelInput>,
}

#[derive(Deserialize)]
struct OfInput {
    #[serde(default)]
    tags: Vec<Pair>,
    dataset: OfDataset,
}

#[derive(Deserialize)]
struct OfDataset {
    #[serde(default)]
    name: String,
    #[serde(default)]
    digest: String,
    #[serde(default)]
    source_type: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    schema: Option<String>,
    #[serde(default)]
    profile: Option<String>,
}

#[derive(Default, Deserialize)]
struct Outputs {
    #[serde(default)]
    model_outputs: Vec<OfModelInput>,
}

#[derive(Deserialize)]
struct OfModelInput {
    model_id: String,
    #[serde(default, deserialize_with = "whole")]
    step: Option<i64>,
}

/// The part of a run that a follower needs: the state, and the latest values of its metrics with step and
/// time.
#[derive(Deserialize)]
#[serde(from = "OfRun")]
pub(super) struct Observed {
    pub state: RunState,
    pub metrics: Vec<(String, Point)>,
}

impl From<OfRun> for Observed {
    fn from(run: OfRun) -> Self {
        let point = |metric: OfMetric| {
            let (step, timestamp) =
                (metric.step.unwrap_or_default(), metric.timestamp.unwrap_or_default());
            (metric.key, Point { step, timestamp, value: metric.value })
        };
        let state = RunState {
            id: filled(run.info.run_id).or(run.info.run_uuid).unwrap_or_default(),
            name: run.info.run_name,
            experiment_id: run.info.experiment_id,
            status: run.info.status,
            lifecycle_stage: run.info.lifecycle_stage,
            start_time: run.info.start_time,
            end_time: run.info.end_time,
        };
        Observed { state, metrics: run.data.metrics.into_iter().map(point).collect() }
    }
}

impl From<OfRun> for Run {
    fn from(run: OfRun) -> Self {
        let mut metrics: Vec<_> =
            run.data.metrics.into_iter().map(|metric| (metric.key, metric.value)).collect();
        metrics.sort_by(|(a, _), (b, _)| a.cmp(b));
        let dataset = |input: OfInput| DatasetInput {
            name: input.dataset.name,
            digest: input.dataset.digest,
            source_type: input.dataset.source_type,
            source: input.dataset.source,
            schema: filled(input.dataset.schema),
            profile: filled(input.dataset.profile),
            tags: pairs(input.tags),
        };
        let mut datasets: Vec<DatasetInput> =
            run.inputs.dataset_inputs.into_iter().map(dataset).collect();
        datasets.sort_by(|a, b| (&a.name, &a.digest).cmp(&(&b.name, &b.digest)));
        let outputs = run.outputs.model_outputs.into_iter();
        let mut run = Run {
            id: filled(run.info.run_id).or(run.info.run_uuid).unwrap_or_default(),
            name: run.info.run_name,
            experiment_id: run.info.experiment_id,
            user_id: run.info.user_id,
            status: run.info.status,
            start_time: run.info.start_time,
            end_time: run.info.end_time.filter(|at| *at != 0),
            lifecycle_stage: run.info.lifecycle_stage,
            artifact_uri: run.info.artifact_uri,
            params: pairs(run.data.params),
            metrics,
            tags: pairs(run.data.tags),
            datasets,
            model_inputs: run.inputs.model_inputs.into_iter().map(|input| input.model_id).collect(),
            model_outputs: outputs
                .map(|output| (output.model_id, output.step.unwrap_or_default()))
                .collect(),
        };
        if run.name.is_empty() {
            run.name = run.tag("mlflow.runName").unwrap_or_default().to_owned();
        }
        run
    }
}

#[derive(Deserialize)]
pub(super) struct OfPoint {
    #[serde(deserialize_with = "real")]
    value: f64,
    #[serde(default, deserialize_with = "whole")]
    timestamp: Option<i64>,
    #[serde(default, deserialize_with = "whole")]
    step: Option<i64>,
}

impl From<OfPoint> for Point {
    fn from(point: OfPoint) -> Self {
        Point {
            step: point.step.unwrap_or_default(),
            timestamp: point.timestamp.unwrap_or_default(),
            value: point.value,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct OfModel {
    name: String,
    #[serde(default, deserialize_with = "whole")]
    creation_timestamp: Option<i64>,
    #[serde(default, deserialize_with = "whole")]
    last_updated_timestamp: Option<i64>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    workspace: Option<String>,
    #[serde(default)]
    tags: Vec<Pair>,
    #[serde(default)]
    aliases: Vec<OfAlias>,
}

#[derive(Deserialize)]
struct OfAlias {
    alias: String,
    #[serde(default, deserialize_with = "whole")]
    version: Option<i64>,
}

impl From<OfModel> for Model {
    fn from(model: OfModel) -> Self {
        let aliases = model.aliases.into_iter();
        let mut aliases: Vec<_> =
            aliases.map(|alias| (alias.alias, alias.version.unwrap_or_default())).collect();
        aliases.sort();
        Model {
            name: model.name,
            creation_timestamp: model.creation_timestamp,
            last_updated_timestamp: model.last_updated_timestamp,
            description: model.description,
            workspace: model.workspace,
            tags: pairs(model.tags),
            aliases,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct OfVersion {
    name: String,
    #[serde(default, deserialize_with = "whole")]
    version: Option<i64>,
    #[serde(default, deserialize_with = "whole")]
    creation_timestamp: Option<i64>,
    #[serde(default, deserialize_with = "whole")]
    last_updated_timestamp: Option<i64>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    current_stage: String,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    run_id: Option<String>,
    #[serde(default)]
    run_link: Option<String>,
    #[serde(default)]
    status: String,
    #[serde(default)]
    status_message: Option<String>,
    #[serde(default)]
    workspace: Option<String>,
    #[serde(default)]
    tags: Vec<Pair>,
    #[serde(default)]
    aliases: Vec<String>,
}

impl From<OfVersion> for ModelVersion {
    fn from(version: OfVersion) -> Self {
        let mut aliases = version.aliases;
        aliases.sort();
        ModelVersion {
            name: version.name,
            version: version.version.unwrap_or_default(),
            creation_timestamp: version.creation_timestamp,
            last_updated_timestamp: version.last_updated_timestamp,
            description: version.description,
            user_id: version.user_id,
            stage: version.current_stage,
            source: version.source,
            run_id: version.run_id,
            run_link: version.run_link,
            status: version.status,
            status_message: version.status_message,
            workspace: version.workspace,
            tags: pairs(version.tags),
            aliases,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct OfLoggedModel {
    info: OfLoggedInfo,
    #[serde(default)]
    data: OfLoggedData,
}

#[derive(Deserialize)]
struct OfLoggedInfo {
    model_id: String,
    #[serde(default)]
    experiment_id: String,
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "whole")]
    creation_timestamp_ms: Option<i64>,
    #[serde(default, deserialize_with = "whole")]
    last_updated_timestamp_ms: Option<i64>,
    #[serde(default)]
    artifact_uri: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    status_message: Option<String>,
    #[serde(default)]
    model_type: Option<String>,
    #[serde(default)]
    source_run_id: Option<String>,
    #[serde(default)]
    tags: Vec<Pair>,
}

#[derive(Default, Deserialize)]
struct OfLoggedData {
    #[serde(default)]
    params: Vec<Pair>,
    #[serde(default)]
    metrics: Vec<OfMetric>,
}

impl From<OfLoggedModel> for LoggedModel {
    fn from(model: OfLoggedModel) -> Self {
        let metric = |metric: OfMetric| ModelMetric {
            key: metric.key,
            value: metric.value,
            step: metric.step.unwrap_or_default(),
            timestamp: metric.timestamp.unwrap_or_default(),
            run_id: metric.run_id,
            dataset: filled(metric.dataset_name)
                .map(|name| (name, metric.dataset_digest.unwrap_or_default())),
        };
        let mut metrics: Vec<ModelMetric> = model.data.metrics.into_iter().map(metric).collect();
        metrics.sort_by(|a, b| {
            (&a.key, a.timestamp, a.step, &a.run_id).cmp(&(&b.key, b.timestamp, b.step, &b.run_id))
        });
        let info = model.info;
        LoggedModel {
            id: info.model_id,
            experiment_id: info.experiment_id,
            name: info.name,
            artifact_location: info.artifact_uri,
            creation_timestamp: info.creation_timestamp_ms,
            last_updated_timestamp: info.last_updated_timestamp_ms,
            model_type: filled(info.model_type),
            source_run_id: filled(info.source_run_id),
            status: info
                .status
                .trim_start_matches("LOGGED_MODEL_")
                .trim_start_matches("UPLOAD_")
                .to_owned(),
            status_message: info.status_message,
            // Servers never return deleted ones.
            lifecycle_stage: "active".to_owned(),
            params: pairs(model.data.params),
            tags: pairs(info.tags),
            metrics,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_texts() {
        let read = |json: &str| serde_json::from_str::<OfPoint>(json).map(Point::from);
        let point = read(r#"{"value": "NaN", "timestamp": "17", "step": -9223372036854775808}"#);
        let point = point.unwrap();
        assert!(point.value.is_nan());
        assert_eq!((point.timestamp, point.step), (17, i64::MIN));
        assert_eq!(read(r#"{"value": "-Infinity"}"#).unwrap().value, f64::NEG_INFINITY);
        for wrong in [r#"{"value": "x"}"#, r#"{"value": 1, "step": "x"}"#, r#"{"step": 1}"#, "[]"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
