//! `mlops-tui experiments search`.

use std::process::ExitCode;

use clap::ValueEnum;
use color_eyre::eyre::{Result, bail};
use serde_json::{Value as Json, json};

use super::{Opened, refuse};
use crate::app::details::{Tone, number_text};
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::cli::tracked::{self, shown, when};
use crate::tracking::entities::{Run, RunQuery, View};
use crate::tracking::filter::{Entity, Expr, parse, parse_orders};

/// List runs that match a filter, the newest first.
///
/// The filter is MLflow's, and more: OR, NOT and parentheses; `~` for regular expressions;
/// `metrics.rmse.min`, `.max`, `.mean` and `.best` of a metric's history; `last 7 days`; plain words for names.
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
    /// At most so many
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which runs and experiments are looked at.
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

/// The ids of experiments that are named, or of all active ones.
pub(super) fn experiments(opened: &Opened, named: &[String]) -> Result<Vec<String>> {
    let view = if named.is_empty() { View::Active } else { View::All };
    let all = opened.store.experiments(&Expr::default(), &[], view, opened.now)?.items;
    if named.is_empty() {
        return Ok(all.into_iter().map(|experiment| experiment.id).collect());
    }
    let mut ids = Vec::new();
    for name in named {
        let same =
            all.iter().find(|it| it.name == *name).or_else(|| all.iter().find(|it| it.id == *name));
        let Some(found) = same else {
            bail!("No experiment is named `{name}`. `mlops-tui experiments list` lists them.");
        };
        ids.push(found.id.clone());
    }
    Ok(ids)
}

pub(super) fn run(opened: &Opened, arguments: &Arguments) -> Result<ExitCode> {
    let filter = arguments.filter.as_deref().unwrap_or_default();
    let expr = match parse(Entity::Run, filter) {
        Ok(expr) => expr,
        Err(error) => return refuse(filter, &error),
    };
    let order = match parse_orders(Entity::Run, &arguments.order_by) {
        Ok(orders) => orders,
        Err(error) => return refuse(&arguments.order_by.join(", "), &error),
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
    if arguments.json {
        let runs: Vec<Json> = found.items.iter().map(tracked::run).collect();
        return output::json(&json!({"schema": 1, "runs": runs, "truncated": found.truncated}));
    }
    if found.items.is_empty() {
        return output::text("No run matches.\n");
    }
    let mut text = describe(&found.items, Reader::of_stdout());
    if found.truncated {
        text += "There are more; --limit sets how many are shown.\n";
    }
    output::text(&text)
}

/// Most params and metrics that have a column.
const MOST_KEYS: usize = 4;

fn describe(runs: &[Run], reader: Reader) -> String {
    let metrics =
        keys(runs.iter().map(|run| run.metrics.iter().map(|(key, _)| key.as_str()).collect()));
    let params =
        keys(runs.iter().map(|run| run.params.iter().map(|(key, _)| key.as_str()).collect()));
    let mut columns =
        vec![("", Align::Left), ("id", Align::Left), ("name", Align::Left), ("began", Align::Left)];
    columns.extend(metrics.iter().map(|key| (*key, Align::Right)));
    columns.extend(params.iter().map(|key| (*key, Align::Left)));
    let row = |run: &Run| -> Vec<Cell> {
        let (sign, tone) = sign(&run.status);
        let mut cells = vec![
            (sign.to_owned(), tone),
            (run.id.chars().take(8).collect(), Tone::Dim),
            (run.name.clone(), Tone::Name),
            (when(run.start_time), Tone::Dim),
        ];
        let metric = |key: &&str| run.metric(key).map(number_text).unwrap_or_default();
        cells.extend(metrics.iter().map(|key| (metric(key), Tone::Plain)));
        let param = |key: &&str| run.param(key).map(|value| shown(key, value)).unwrap_or_default();
        cells.extend(params.iter().map(|key| (param(key), Tone::Plain)));
        cells
    };
    let rows: Vec<Vec<Cell>> = runs.iter().map(row).collect();
    lines(reader, &columns, &rows)
}

/// The keys that most runs have, in the order of their names.
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

/// Sign and tone of a status.
pub(super) fn sign(status: &str) -> (&'static str, Tone) {
    match status {
        "FINISHED" => ("✓", Tone::Good),
        "RUNNING" => ("●", Tone::Busy),
        "FAILED" => ("✗", Tone::Bad),
        "KILLED" => ("◌", Tone::Warning),
        _ => ("·", Tone::Dim),
    }
}
