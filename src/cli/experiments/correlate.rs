//! `mlops-tui experiments correlate`.

use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use serde_json::{Value as Json, json};

use super::search::experiments;
use super::{Opened, asked, refuse};
use crate::app::words::Tone;
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::tracking::entities::{Run, RunQuery};
use crate::tracking::filter::{Entity, Field};
use crate::tracking::groups::varying;
use crate::tracking::relate::{Relation, Values, relation};

/// List the params by how strongly they go with a metric.
///
/// The strength is the size of Spearman's rank correlation for numbers, and for texts the correlation ratio of the
/// metric's ranks: from 0 to 1. It tells what goes together, not what causes what.
///
/// The JSON is `{"schema": 1, "metric", "runs", "params": [{"param", "strength", "rises", "runs"}]}`, the strongest first;
/// `rises` is null for texts.
///
/// Example: mlops-tui experiments correlate rmse --filter "params.model = 'ridge'"
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The metric
    metric: String,
    /// A filter of MLflow's for the runs
    #[arg(long)]
    filter: Option<String>,
    /// A name or an id; can be repeated
    #[arg(long, short = 'x')]
    experiment: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(opened: &Opened, arguments: &Arguments) -> Result<ExitCode> {
    let (filter, order) = match asked(Entity::Run, arguments.filter.as_deref(), &[]) {
        Ok(asked) => asked,
        Err(refused) => return refuse(&refused),
    };
    let experiments = Some(experiments(opened, &arguments.experiment)?);
    let query = RunQuery { experiments, filter, order, now: opened.now, ..RunQuery::default() };
    let runs = opened.store.search_runs(&query)?.items;
    let metric = arguments.metric.as_str();
    let runs: Vec<Run> = runs.into_iter().filter(|run| run.metric(metric).is_some()).collect();
    if runs.is_empty() {
        bail!("No run has the metric `{metric}`.");
    }
    let found = relations(&runs, metric);
    if arguments.json {
        let row = |(param, one): &(String, Relation)| -> Json {
            json!({"param": param, "strength": one.strength, "rises": one.rises, "runs": one.runs})
        };
        let params: Vec<Json> = found.iter().map(row).collect();
        let runs = runs.len();
        return output::json(
            &json!({"schema": 1, "metric": metric, "runs": runs, "params": params}),
        );
    }
    if found.is_empty() {
        return output::text("No param says anything: at least 3 runs must differ in one.\n");
    }
    let row = |(param, one): &(String, Relation)| -> Vec<Cell> {
        let note = if one.rises.is_none() { "texts" } else { "" };
        vec![
            (param.clone(), Tone::Name),
            (one.text(), Tone::Plain),
            (one.runs.to_string(), Tone::Plain),
            (note.to_owned(), Tone::Dim),
        ]
    };
    let rows: Vec<Vec<Cell>> = found.iter().map(row).collect();
    let columns = [
        ("param", Align::Name),
        ("rank correlation", Align::Right),
        ("runs", Align::Right),
        ("", Align::Left),
    ];
    output::text(&lines(Reader::of_stdout(), &columns, &rows))
}

fn relations(runs: &[Run], metric: &str) -> Vec<(String, Relation)> {
    let all: Vec<&Run> = runs.iter().collect();
    let values = Values::of(&all, &Field::Metric(metric.to_owned()));
    let mut found: Vec<(String, Relation)> = varying(runs)
        .into_iter()
        .filter_map(|param| {
            let own = Values::of(&all, &Field::Param(param.clone()));
            Some((param, relation(&own, &values)?))
        })
        .collect();
    found.sort_by(|(_, a), (_, b)| b.strength.total_cmp(&a.strength));
    found
}
