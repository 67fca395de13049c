//! `mlops-tui models list`.

use std::process::ExitCode;

use color_eyre::eyre::Result;

use super::model_json;
use crate::app::words::Tone;
use crate::cli::experiments::{Opened, asked, refuse, within};
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::cli::tracked::{print_list, when};
use crate::tracking::entities::Model;
use crate::tracking::filter::Entity;

/// List registered models, by name.
///
/// The JSON is `{"schema": 1, "models": [{"name", "creation_timestamp", "last_updated_timestamp", "description",
/// "workspace", "tags": {}, "aliases": {"ALIAS": VERSION}}], "truncated": false}`.
///
/// Example: mlops-tui models list "tags.team = 'risk'"
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A filter of MLflow's for registered models
    filter: Option<String>,
    /// Order, such as `timestamp DESC`; can be repeated
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

const COLUMNS: [&str; 7] = [
    "name",
    "creation_timestamp",
    "last_updated_timestamp",
    "description",
    "workspace",
    "tags",
    "aliases",
];

pub(super) fn run(opened: &Opened, arguments: &Arguments) -> Result<ExitCode> {
    let filter = arguments.filter.as_deref();
    let (expr, orders) = match asked(Entity::RegisteredModel, filter, &arguments.order_by) {
        Ok(asked) => asked,
        Err(refused) => return refuse(&refused),
    };
    let all = opened.store.models(&expr, &orders, opened.now)?;
    let found = within(all, arguments.limit);
    let form = (arguments.json, arguments.csv);
    if let Some(printed) = print_list(form, "models", &COLUMNS, &found, model_json) {
        return printed;
    }
    if found.items.is_empty() {
        return output::text("No registered model matches.\n");
    }
    let columns = [
        ("name", Align::Name),
        ("changed", Align::Left),
        ("aliases", Align::Left),
        ("description", Align::Left),
    ];
    let row = |model: &Model| -> Vec<Cell> {
        let aliases = model.aliases.iter().map(|(alias, version)| format!("{alias}={version}"));
        let description = model.description.as_deref().unwrap_or_default();
        vec![
            (model.name.clone(), Tone::Name),
            (when(model.last_updated_timestamp), Tone::Dim),
            (aliases.collect::<Vec<_>>().join(" "), Tone::Plain),
            (description.lines().next().unwrap_or_default().to_owned(), Tone::Dim),
        ]
    };
    let rows: Vec<Vec<Cell>> = found.items.iter().map(row).collect();
    output::text(&lines(Reader::of_stdout(), &columns, &rows))
}
