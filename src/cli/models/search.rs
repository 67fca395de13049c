//! `mlops-tui models search`.

use std::process::ExitCode;

use color_eyre::eyre::Result;

use super::version_json;
use crate::app::words::Tone;
use crate::cli::experiments::{Opened, asked, refuse, within};
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::cli::tracked::{print_list, when};
use crate::tracking::entities::ModelVersion;
use crate::tracking::filter::Entity;

/// List versions of registered models that match a filter, the most recently changed first.
///
/// The JSON is `{"schema": 1, "versions": [{"name", "version", "creation_timestamp", "last_updated_timestamp",
/// "description", "user_id", "current_stage", "source", "run_id", "run_link", "status", "status_message", "tags": {},
/// "aliases": []}], "truncated": false}`.
///
/// Example: mlops-tui models search "name = 'churn' and tags.validated = 'yes'"
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A filter of MLflow's for model versions [default: all]
    filter: Option<String>,
    /// Order, such as `version_number DESC`; can be repeated
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

const COLUMNS: [&str; 12] = [
    "name",
    "version",
    "current_stage",
    "aliases",
    "status",
    "run_id",
    "source",
    "user_id",
    "creation_timestamp",
    "last_updated_timestamp",
    "description",
    "tags",
];

pub(super) fn run(opened: &Opened, arguments: &Arguments) -> Result<ExitCode> {
    let filter = arguments.filter.as_deref();
    let (expr, orders) = match asked(Entity::ModelVersion, filter, &arguments.order_by) {
        Ok(asked) => asked,
        Err(refused) => return refuse(&refused),
    };
    let all = opened.store.versions(&expr, &orders, opened.now)?;
    let found = within(all, arguments.limit);
    let form = (arguments.json, arguments.csv);
    if let Some(printed) = print_list(form, "versions", &COLUMNS, &found, version_json) {
        return printed;
    }
    if found.items.is_empty() {
        return output::text("No model version matches.\n");
    }
    output::text(&table(&found.items, Reader::of_stdout()))
}

/// Versions as a table.
pub(super) fn table(versions: &[ModelVersion], reader: Reader) -> String {
    let columns = [
        ("name", Align::Name),
        ("version", Align::Right),
        ("stage", Align::Left),
        ("aliases", Align::Left),
        ("changed", Align::Left),
        ("run", Align::Name),
    ];
    let row = |version: &ModelVersion| -> Vec<Cell> {
        let stage = if version.stage == "None" { "" } else { &version.stage };
        let run: String = version.run_id.as_deref().unwrap_or_default().chars().take(8).collect();
        vec![
            (version.name.clone(), Tone::Name),
            (version.version.to_string(), Tone::Plain),
            (stage.to_owned(), Tone::Plain),
            (version.aliases.join(" "), Tone::Plain),
            (when(version.last_updated_timestamp), Tone::Dim),
            (run, Tone::Dim),
        ]
    };
    let rows: Vec<Vec<Cell>> = versions.iter().map(row).collect();
    lines(reader, &columns, &rows)
}
