//! `mlops-tui experiments list`.

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::{Map, Value as Json, json};

use super::search::ViewArgument;
use super::{Opened, asked, refuse, within};
use crate::app::words::Tone;
use crate::cli::csv;
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::cli::tracked::{shown, when};
use crate::tracking::entities::Experiment;
use crate::tracking::filter::Entity;

/// List experiments, the newest first.
///
/// The JSON is `{"schema": 1, "experiments": [{"experiment_id", "name", "artifact_location", "lifecycle_stage",
/// "creation_time", "last_update_time", "workspace", "tags": {}}], "truncated": false, "traces": null}`; traces is their number with --traces.
///
/// Example: mlops-tui experiments list "name LIKE 'churn%'"
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A filter of MLflow's for experiments
    filter: Option<String>,
    /// Order, such as `name ASC`; can be repeated
    #[arg(long, value_name = "CLAUSE")]
    order_by: Vec<String>,
    /// Active ones, deleted ones, or all
    #[arg(long, value_name = "VIEW", default_value = "active")]
    view: ViewArgument,
    /// Show at most this many
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// Count their traces, too; a tracking server is asked for all of them
    #[arg(long, conflicts_with = "csv")]
    traces: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV
    #[arg(long)]
    csv: bool,
}

const COLUMNS: [&str; 8] = [
    "experiment_id",
    "name",
    "lifecycle_stage",
    "artifact_location",
    "creation_time",
    "last_update_time",
    "workspace",
    "tags",
];

pub(super) fn run(opened: &Opened, arguments: &Arguments) -> Result<ExitCode> {
    let filter = arguments.filter.as_deref();
    let (expr, orders) = match asked(Entity::Experiment, filter, &arguments.order_by) {
        Ok(asked) => asked,
        Err(refused) => return refuse(&refused),
    };
    let all = opened.store.experiments(&expr, &orders, arguments.view.into(), opened.now)?;
    let found = within(all, arguments.limit);
    let ids =
        || found.items.iter().map(|experiment| experiment.id.clone()).collect::<Vec<String>>();
    let traces = arguments.traces.then(|| opened.store.traces(&ids())).transpose()?;
    let experiments = || found.items.iter().map(to_json).collect::<Vec<Json>>();
    if arguments.json {
        return output::json(&json!({
            "schema": 1, "experiments": experiments(), "truncated": found.truncated,
            "traces": traces,
        }));
    }
    if arguments.csv {
        return output::text(&csv::of_objects(&COLUMNS, &experiments()));
    }
    if found.items.is_empty() {
        return output::text("No experiment matches.\n");
    }
    let columns = [
        ("id", Align::Right),
        ("name", Align::Name),
        ("created", Align::Left),
        ("artifacts", Align::Name),
    ];
    let plain = |text: &str| (text.to_owned(), Tone::Plain);
    let row = |experiment: &Experiment| -> Vec<Cell> {
        let tone = if experiment.lifecycle_stage == "active" { Tone::Name } else { Tone::Dim };
        vec![
            plain(&experiment.id),
            (experiment.name.clone(), tone),
            (when(experiment.creation_time), Tone::Dim),
            (shown("", &experiment.artifact_location), Tone::Dim),
        ]
    };
    let rows: Vec<Vec<Cell>> = found.items.iter().map(row).collect();
    let mut text = lines(Reader::of_stdout(), &columns, &rows);
    match traces {
        None => {}
        Some(1) => text += "They have 1 trace.\n",
        Some(count) => text += &format!("They have {count} traces.\n"),
    }
    output::text(&text)
}

fn to_json(experiment: &Experiment) -> Json {
    let tags: Map<String, Json> = experiment
        .tags
        .iter()
        .map(|(key, value)| (key.clone(), shown(key, value).into()))
        .collect();
    json!({
        "experiment_id": experiment.id,
        "name": experiment.name,
        "artifact_location": shown("", &experiment.artifact_location),
        "lifecycle_stage": experiment.lifecycle_stage,
        "creation_time": experiment.creation_time,
        "last_update_time": experiment.last_update_time,
        "workspace": experiment.workspace,
        "tags": tags,
    })
}
