//! `mlops-tui models logged`.

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::{Value as Json, json};

use crate::app::words::Tone;
use crate::cli::experiments::{Opened, asked, experiments, refuse, within};
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::cli::tracked::{number, object, print_list, shown, when};
use crate::tracking::entities::{LoggedModel, ModelMetric};
use crate::tracking::filter::Entity;

/// List logged models (MLflow 3) that match a filter, the newest first.
///
/// The JSON is `{"schema": 1, "logged_models": [{"model_id", "experiment_id", "name", "artifact_location",
/// "creation_timestamp", "last_updated_timestamp", "model_type", "source_run_id", "status", "status_message",
/// "lifecycle_stage", "params": {}, "tags": {}, "metrics": [{"key", "value", "step", "timestamp", "run_id",
/// "dataset_name", "dataset_digest"}]}], "truncated": false}`.
///
/// Example: mlops-tui models logged "metrics.accuracy > 0.9"
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A filter of MLflow's for logged models [default: all]
    filter: Option<String>,
    /// Experiments to look at, by name or id; can be repeated [default: all active ones]
    #[arg(long, short, value_name = "EXPERIMENT")]
    experiment: Vec<String>,
    /// Order, such as `metrics.accuracy DESC`; can be repeated
    #[arg(long, value_name = "CLAUSE")]
    order_by: Vec<String>,
    /// Show at most this many
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV
    #[arg(long)]
    csv: bool,
}

const COLUMNS: [&str; 10] = [
    "model_id",
    "name",
    "experiment_id",
    "status",
    "model_type",
    "source_run_id",
    "creation_timestamp",
    "params",
    "metrics",
    "tags",
];

pub(super) fn run(opened: &Opened, arguments: &Arguments) -> Result<ExitCode> {
    let filter = arguments.filter.as_deref();
    let (expr, orders) = match asked(Entity::LoggedModel, filter, &arguments.order_by) {
        Ok(asked) => asked,
        Err(refused) => return refuse(&refused),
    };
    let ids = experiments(opened, &arguments.experiment)?;
    let all = opened.store.logged_models(Some(&ids), &expr, &orders, opened.now)?;
    let found = within(all, arguments.limit);
    let form = (arguments.json, arguments.csv);
    if let Some(printed) = print_list(form, "logged_models", &COLUMNS, &found, to_json) {
        return printed;
    }
    if found.items.is_empty() {
        return output::text("No logged model matches.\n");
    }
    let columns = [
        ("id", Align::Left),
        ("name", Align::Name),
        ("type", Align::Name),
        ("status", Align::Left),
        ("created", Align::Left),
        ("run", Align::Name),
    ];
    let row = |model: &LoggedModel| -> Vec<Cell> {
        let run: String =
            model.source_run_id.as_deref().unwrap_or_default().chars().take(8).collect();
        vec![
            (model.id.chars().take(10).collect(), Tone::Dim),
            (model.name.clone(), Tone::Name),
            (model.model_type.clone().unwrap_or_default(), Tone::Plain),
            (model.status.clone(), Tone::Plain),
            (when(model.creation_timestamp), Tone::Dim),
            (run, Tone::Dim),
        ]
    };
    let rows: Vec<Vec<Cell>> = found.items.iter().map(row).collect();
    output::text(&lines(Reader::of_stdout(), &columns, &rows))
}

fn to_json(model: &LoggedModel) -> Json {
    let metric = |metric: &ModelMetric| {
        let (name, digest) = metric.dataset.clone().unzip();
        json!({
            "key": metric.key, "value": number(metric.value), "step": metric.step,
            "timestamp": metric.timestamp, "run_id": metric.run_id, "dataset_name": name,
            "dataset_digest": digest,
        })
    };
    json!({
        "model_id": model.id,
        "experiment_id": model.experiment_id,
        "name": model.name,
        "artifact_location": shown("", &model.artifact_location),
        "creation_timestamp": model.creation_timestamp,
        "last_updated_timestamp": model.last_updated_timestamp,
        "model_type": model.model_type,
        "source_run_id": model.source_run_id,
        "status": model.status,
        "status_message": model.status_message,
        "lifecycle_stage": model.lifecycle_stage,
        "params": object(&model.params),
        "tags": object(&model.tags),
        "metrics": model.metrics.iter().map(metric).collect::<Vec<Json>>(),
    })
}
