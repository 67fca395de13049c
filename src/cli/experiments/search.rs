//! `mlops-tui experiments search`.

use std::process::ExitCode;

use clap::ValueEnum;
use color_eyre::eyre::{Result, bail};
use serde_json::{Value as Json, json};

use super::groups::{self, Shape};
use super::{Opened, asked, columns, refuse};
use crate::app::words::Tone;
use crate::cli::csv;
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::cli::tracked::{self, when};
use crate::text::width;
use crate::tracking::entities::{Run, RunQuery, View};
use crate::tracking::filter::{Attribute, Entity, Expr, Field};
use crate::tracking::table::{self, Row};

/// List runs that match a filter, the newest first.
///
/// The filter is MLflow's, and more: OR, NOT and parentheses; `~` for regular expressions;
/// `metrics.rmse.min`, `.max`, `.mean` and `.best` of a metric's history; `last 7 days`; plain words for names.
///
/// The table shows the keys that most runs have; --columns and --differing choose others. CSV has all params,
/// metrics and tags unless columns are chosen, and times in milliseconds.
///
/// The JSON is `{"schema": 1, "runs": [{"run_id", "run_name", "experiment_id", "status", "lifecycle_stage",
/// "start_time", "end_time", "user_id", "artifact_uri", "params": {}, "metrics": {}, "tags": {}}], "truncated":
/// false}`; times are in milliseconds, NaN and infinities are texts.
///
/// `--group-by auto` finds the param that varies while all others are equal, such as a seed, and puts the runs
/// that differ in it alone together. The JSON of groups is `{"schema": 1, "by": [PARAM], "groups": [{"params":
/// {}, "runs": [RUN_ID], "metrics": {KEY: {"count", "nan", "mean", "std", "min", "max"}}}], "truncated":
/// false}`: NaN is left out of the figures and counted; what can't be calculated is null.
///
/// Example: mlops-tui experiments search "metrics.rmse < 1 or last 2 days" --order-by "metrics.rmse ASC"
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The filter [default: all runs]
    filter: Option<String>,
    /// Experiments to look at, by name or id; can be repeated [default: all active ones]
    #[arg(long, short, value_name = "EXPERIMENT")]
    experiment: Vec<String>,
    /// Order, such as `metrics.rmse DESC`; can be repeated
    #[arg(long, value_name = "CLAUSE")]
    order_by: Vec<String>,
    /// Active runs, deleted ones, or all
    #[arg(long, value_name = "VIEW", default_value = "active")]
    view: ViewArgument,
    /// Show at most this many
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// Columns to show, such as `rmse,params.lr,start_time`
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    columns: Vec<String>,
    /// Show only columns in which the runs differ
    #[arg(long)]
    differing: bool,
    /// Show runs below the run that they lie in
    #[arg(long, conflicts_with_all = ["json", "csv", "group_by"])]
    tree: bool,
    /// Show the spread of metrics by a param, by `all-but:PARAM`, or by `auto`; can be repeated
    #[arg(long, value_name = "PARAM")]
    group_by: Vec<String>,
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV
    #[arg(long)]
    csv: bool,
}

/// The arguments that choose runs and experiments.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ViewArgument {
    Active,
    Deleted,
    All,
}

impl From<ViewArgument> for View {
    fn from(view: ViewArgument) -> Self {
        match view {
            ViewArgument::Active => View::Active,
            ViewArgument::Deleted => View::Deleted,
            ViewArgument::All => View::All,
        }
    }
}

/// The ids of the named experiments, or of all active ones.
pub(in crate::cli) fn experiments(opened: &Opened, named: &[String]) -> Result<Vec<String>> {
    let view = if named.is_empty() { View::Active } else { View::All };
    let all = opened.store.experiments(&Expr::default(), &[], view, opened.now)?.items;
    if named.is_empty() {
        return Ok(all.into_iter().map(|experiment| experiment.id).collect());
    }
    let mut ids = Vec::new();
    for name in named {
        let same = all
            .iter()
            .find(|experiment| experiment.name == *name)
            .or_else(|| all.iter().find(|experiment| experiment.id == *name));
        let Some(found) = same else {
            bail!("No experiment is named `{name}`. `mlops-tui experiments list` lists them.");
        };
        ids.push(found.id.clone());
    }
    Ok(ids)
}

pub(super) fn run(opened: &Opened, arguments: &Arguments) -> Result<ExitCode> {
    let filter = arguments.filter.as_deref();
    let (expr, order) = match asked(Entity::Run, filter, &arguments.order_by) {
        Ok(asked) => asked,
        Err(refused) => return refuse(&refused),
    };
    let query = RunQuery {
        experiments: Some(experiments(opened, &arguments.experiment)?),
        filter: expr,
        order,
        view: arguments.view.into(),
        limit: arguments.limit,
        now: opened.now,
    };
    let found = opened.store.search_runs(&query)?;
    found.problems.iter().for_each(|problem| output::complain(problem));
    if !arguments.group_by.is_empty() {
        let shape = Shape::of(arguments.json, arguments.csv);
        return groups::run(&found, &arguments.group_by, &chosen(&found.items, arguments)?, shape);
    }
    if arguments.json {
        let runs: Vec<Json> = found.items.iter().map(tracked::run).collect();
        return output::json(&json!({"schema": 1, "runs": runs, "truncated": found.truncated}));
    }
    let columns = chosen(&found.items, arguments)?;
    if arguments.csv {
        return output::text(&to_csv(&found.items, columns));
    }
    if found.items.is_empty() {
        return output::text("No run matches.\n");
    }
    let mut text = describe(&found.items, &columns, arguments.tree, Reader::of_stdout());
    if found.truncated {
        text += "There are more; --limit sets how many are shown.\n";
    }
    output::text(&text)
}

/// The requested columns; `None` if none are requested.
fn chosen(runs: &[Run], arguments: &Arguments) -> Result<Option<Vec<Field>>> {
    let named = arguments.columns.iter().map(|name| columns::named(runs, name));
    let mut chosen = named.collect::<Result<Vec<Field>>>()?;
    if arguments.columns.is_empty() {
        if !arguments.differing {
            return Ok(None);
        }
        chosen = table::columns(runs, false);
    }
    chosen.retain(|column| !arguments.differing || table::differs(runs, column));
    Ok(Some(chosen))
}

fn to_csv(runs: &[Run], columns: Option<Vec<Field>>) -> String {
    use Attribute::{Created, Ended, ExperimentId, Id, Name, Status, UserId};
    let attributes: &[Attribute] = match columns {
        Some(_) => &[Id],
        None => &[Id, Name, ExperimentId, Status, Created, Ended, UserId],
    };
    let columns = columns.unwrap_or_else(|| table::columns(runs, true));
    let columns: Vec<Field> =
        attributes.iter().map(|attribute| Field::Attribute(*attribute)).chain(columns).collect();
    let mut csv = csv::table(columns.iter().map(table::title));
    for run in runs {
        csv.row(columns.iter().map(|column| columns::exact(run, column)));
    }
    csv.text()
}

/// The largest number of params, and of metrics, with a column by default.
const MOST_KEYS: usize = 4;
/// The largest width of a column, in cells, while choosing which columns fit.
const FITTING: usize = 12;

fn describe(runs: &[Run], chosen: &Option<Vec<Field>>, tree: bool, reader: Reader) -> String {
    let common = || -> Vec<Field> {
        let metrics =
            keys(runs.iter().map(|run| run.metrics.iter().map(|(key, _)| key.as_str()).collect()));
        let params =
            keys(runs.iter().map(|run| run.params.iter().map(|(key, _)| key.as_str()).collect()));
        let metrics = metrics.into_iter().map(|key| Field::Metric(key.to_owned()));
        metrics.chain(params.into_iter().map(|key| Field::Param(key.to_owned()))).collect()
    };
    let order: Vec<usize> = (0..runs.len()).collect();
    let rows: Vec<Row> = match tree {
        true => table::tree(runs, &order),
        false => order.into_iter().map(|run| Row { run, depth: 0 }).collect(),
    };
    let mut columns = chosen.clone().unwrap_or_else(common);
    let titles = columns::titles(&columns);
    let start = |row: &Row| -> Vec<Cell> {
        let run = &runs[row.run];
        let (sign, tone) = sign(&run.status);
        let mut cells = vec![
            (sign.to_owned(), tone),
            (run.id.chars().take(8).collect(), Tone::Dim),
            (format!("{}{}", "  ".repeat(row.depth), run.name), Tone::Name),
        ];
        if chosen.is_none() {
            cells.push((when(run.start_time), Tone::Dim));
        }
        cells
    };
    let mut cells: Vec<Vec<Cell>> = rows.iter().map(start).collect();
    let mut head = vec![("", Align::Left), ("id", Align::Left), ("name", Align::Name)];
    if chosen.is_none() {
        head.push(("began", Align::Left));
    }
    // Columns that don't fit are left out: narrower columns would be unreadable.
    let natural = |column: usize| -> usize {
        cells.iter().map(|row| width(&row[column].0)).max().unwrap_or_default()
    };
    let mut used =
        (0..head.len()).map(|column| natural(column).min(2 * FITTING) + 2).sum::<usize>();
    let room = reader.width.unwrap_or(usize::MAX);
    let mut fitting = 0;
    for (column, title) in columns.iter().zip(&titles) {
        let texts: Vec<String> =
            rows.iter().map(|row| columns::text(&runs[row.run], column)).collect();
        let widest = texts.iter().map(|text| width(text)).max().unwrap_or_default();
        used += widest.max(width(title)).min(FITTING) + 2;
        if used > room.saturating_add(2) && fitting > 0 {
            break;
        }
        fitting += 1;
        head.push((title, if columns::is_number(column) { Align::Right } else { Align::Left }));
        let texts = texts.into_iter().map(|text| (text, Tone::Plain));
        cells.iter_mut().zip(texts).for_each(|(row, cell)| row.push(cell));
    }
    let left = columns.split_off(fitting).len();
    let mut text = lines(reader, &head, &cells);
    if left > 0 && chosen.is_some() {
        let columns = if left == 1 { "column does" } else { "columns do" };
        text += &format!("{left} more {columns} not fit; --columns chooses, --csv shows all.\n");
    }
    text
}

/// The most frequent keys, sorted by name.
fn keys<'a>(runs: impl Iterator<Item = Vec<&'a str>>) -> Vec<&'a str> {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for key in runs.flatten() {
        *counts.entry(key).or_default() += 1;
    }
    let mut keys: Vec<(&str, usize)> = counts.into_iter().collect();
    keys.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    keys.truncate(MOST_KEYS);
    let mut keys: Vec<&str> = keys.into_iter().map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys
}

/// The glyph and the tone of a status.
pub(super) fn sign(status: &str) -> (&'static str, Tone) {
    match status {
        "FINISHED" => ("✓", Tone::Good),
        "RUNNING" => ("●", Tone::Busy),
        "FAILED" => ("✗", Tone::Bad),
        "KILLED" => ("◌", Tone::Warning),
        _ => ("·", Tone::Dim),
    }
}
