//! `mlops-tui experiments compare`.

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::{Map, Value as Json, json};

use super::search::sign;
use super::several::Found;
use super::{PlaceArguments, columns};
use crate::app::words::Tone;
use crate::cli::csv;
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::cli::tracked::{self, when};
use crate::tracking::entities::Run;
use crate::tracking::filter::{Attribute, Field, Searched};
use crate::tracking::table;

/// Show the metrics, params and tags in which runs differ.
///
/// The JSON is `{"schema": 1, "runs": [...], "differences": {"metrics": {KEY: [VALUE, ...]}, "params": ...,
/// "tags": ...}}`: runs as in `search`, and for each key the values in the order of the runs, null where a run
/// has none.
///
/// Runs of several stores are compared when STORE: stands before them, a name of [tool.mlops-tui.stores] in
/// pyproject.toml, or `project:` for the project's own.
///
/// Example: mlops-tui experiments compare best:metrics.rmse latest prod:latest
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The first digits of an id, a name, `latest`, or `best:metrics.rmse`; of another store STORE:RUN
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    runs: Vec<String>,
    /// Show what is equal too, and tags of MLflow's own
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV
    #[arg(long)]
    csv: bool,
}

/// The smallest width of a run's column, in cells.
const LEAST: usize = 16;
/// The width of keys, in cells.
const KEYS: usize = 24;

pub(super) fn run(place: &PlaceArguments, arguments: &Arguments) -> Result<ExitCode> {
    let Found { runs, .. } = Found::new(place, &arguments.runs)?;
    let mut rows = table::columns(&runs, arguments.all);
    rows.retain(|row| arguments.all || table::differs(&runs, row));
    if arguments.json {
        return output::json(&to_json(&runs, &rows));
    }
    if arguments.csv {
        return output::text(&to_csv(&runs, &rows));
    }
    let reader = Reader::of_stdout();
    let side_by_side = match reader.width {
        Some(width) => (width.saturating_sub(KEYS) / (LEAST + 2)).max(2),
        None => runs.len(),
    };
    let mut blocks: Vec<String> =
        runs.chunks(side_by_side).map(|runs| block(reader, runs, &rows)).collect();
    if rows.is_empty() {
        blocks.push("They have the same metrics, params and tags.\n".to_owned());
    }
    output::text(&blocks.join("\n"))
}

/// The rows, grouped by kind of key.
fn kinds(rows: &[Field]) -> [(&'static str, Vec<(&str, &Field)>); 3] {
    let of = |wanted: fn(&Field) -> Option<&str>| -> Vec<(&str, &Field)> {
        rows.iter().filter_map(|row| Some((wanted(row)?, row))).collect()
    };
    [
        ("metrics", of(|row| if let Field::Metric(key) = row { Some(key) } else { None })),
        ("params", of(|row| if let Field::Param(key) = row { Some(key) } else { None })),
        ("tags", of(|row| if let Field::Tag(key) = row { Some(key) } else { None })),
    ]
}

fn to_json(runs: &[Run], rows: &[Field]) -> Json {
    let values = |row: &Field| -> Json { runs.iter().map(|run| columns::json(run, row)).collect() };
    let differences: Map<String, Json> = kinds(rows)
        .into_iter()
        .map(|(kind, rows)| {
            let rows = rows.into_iter().map(|(key, row)| (key.to_owned(), values(row)));
            (kind.to_owned(), Json::Object(rows.collect()))
        })
        .collect();
    let runs: Vec<Json> = runs.iter().map(tracked::run).collect();
    json!({"schema": 1, "runs": runs, "differences": differences})
}

fn to_csv(runs: &[Run], rows: &[Field]) -> String {
    let ids = runs.iter().map(|run| run.id.as_str());
    let mut csv = csv::table(["kind", "key"].into_iter().chain(ids));
    let mut row = |kind: &str, key: &str, row: &Field| {
        let values = runs.iter().map(|run| columns::exact(run, row));
        csv.row([kind.to_owned(), key.to_owned()].into_iter().chain(values));
    };
    for attribute in [Attribute::Name, Attribute::Status, Attribute::Created, Attribute::Ended] {
        let field = Field::Attribute(attribute);
        row("attributes", &table::title(&field), &field);
    }
    for (kind, rows) in kinds(rows) {
        rows.into_iter().for_each(|(key, field)| row(kind, key, field));
    }
    csv.text()
}

/// The runs side by side.
fn block(reader: Reader, runs: &[Run], rows: &[Field]) -> String {
    let head = |title: &str, of: &dyn Fn(&Run) -> Cell| -> Vec<Cell> {
        let mut cells = vec![(title.to_owned(), Tone::Dim)];
        cells.extend(runs.iter().map(of));
        cells
    };
    let mut out = vec![
        head("", &|run| (run.name.clone(), Tone::Name)),
        head("id", &|run| (run.id.chars().take(8).collect(), Tone::Dim)),
        head("status", &|run| {
            let (sign, tone) = sign(&run.status);
            (format!("{sign} {}", run.status.to_lowercase()), tone)
        }),
        head("began", &|run| (when(run.start_time), Tone::Dim)),
    ];
    for (kind, mut rows) in kinds(rows) {
        // With several blocks of runs, a block leaves out keys that only runs of other blocks have.
        rows.retain(|(_, row)| runs.iter().any(|run| run.cell(row).is_some()));
        if rows.is_empty() {
            continue;
        }
        out.push(head("", &|_| (String::new(), Tone::Plain)));
        out.push(vec![(kind.to_owned(), Tone::Name)]);
        for (key, row) in rows {
            let title = format!("  {key}");
            out.push(head(&title, &|run| (columns::text(run, row), Tone::Plain)));
        }
    }
    let columns = vec![("", Align::Name); runs.len() + 1];
    lines(reader, &columns, &out)
}
