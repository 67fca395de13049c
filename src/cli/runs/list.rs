//! `mlops-tui runs list`.

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::Value as Json;

use super::{clock, sign, to_json};
use crate::app::screens::runs::columns::Columns;
use crate::app::words::seconds_text;
use crate::app::words::{Tone, on_engine, outcome_text};
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::cli::{complete, output};
use crate::runs::history::filter::{parse, parse_outcome, parse_time};
use crate::store::{Outcome, RunFilter, RunRecord, Store, now};
use crate::text::{UserError, sanitize, width};

/// List runs, the newest first.
///
/// Overridden parameters and metrics in which the runs differ are columns, as many as fit.
///
/// Example: mlops-tui runs list --outcome failed --node train_model --since 7d
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Runs with this outcome; several are separated by commas
    #[arg(long, value_name = "OUTCOME", value_delimiter = ',', value_parser = parse_outcome)]
    outcome: Vec<Outcome>,
    /// Runs of this pipeline
    #[arg(long, short, value_name = "NAME", add = complete::pipelines())]
    pipeline: Option<String>,
    /// Runs that had this node
    #[arg(long, short, value_name = "NODE", add = complete::nodes())]
    node: Option<String>,
    /// Runs in this environment
    #[arg(long, short, value_name = "ENV")]
    env: Option<String>,
    /// Runs with this text in command, note, reason, branch or user
    #[arg(long, short, value_name = "TEXT")]
    text: Option<String>,
    /// Runs that logged to this run of MLflow, by its id
    #[arg(long, value_name = "ID")]
    mlflow_run: Option<String>,
    /// Runs that began since then: 7d, 12h, 2026-11-02
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<f64>,
    /// Runs that began before then
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<f64>,
    /// Only pinned runs
    #[arg(long)]
    pinned: bool,
    /// Runs that match, as & on the Runs screen: is:failed -env:cloud took>1m param:lr=0.1
    #[arg(long, short, value_name = "FILTER", value_parser = matching)]
    filter: Option<Box<RunFilter>>,
    /// Show at most this many
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
    /// Skip this many of the newest
    #[arg(long, value_name = "COUNT", default_value_t = 0, hide_default_value = true)]
    offset: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn time(text: &str) -> Result<f64, UserError> {
    parse_time(text, now())
}

fn matching(text: &str) -> Result<Box<RunFilter>, String> {
    parse(text, now()).map(Box::new).map_err(|error| error.pointed(text))
}

pub(super) fn run(store: &mut Store, arguments: &Arguments) -> Result<ExitCode> {
    let filter = RunFilter {
        outcomes: arguments.outcome.clone(),
        pipeline: arguments.pipeline.clone(),
        node: arguments.node.clone(),
        env: arguments.env.clone(),
        text: arguments.text.clone(),
        mlflow_run: arguments.mlflow_run.clone(),
        since: arguments.since,
        until: arguments.until,
        pinned: arguments.pinned,
        terms: arguments.filter.iter().flat_map(|filter| filter.terms.clone()).collect(),
        limit: Some(arguments.limit),
        offset: arguments.offset,
    };
    let runs = store.runs(&filter)?;
    if arguments.json {
        return output::json(&Json::Array(runs.iter().map(to_json).collect()));
    }
    if runs.is_empty() {
        let any = filter != RunFilter { limit: filter.limit, ..RunFilter::default() };
        let text = if any { "No run matches the filter." } else { "No run is recorded yet." };
        return output::text(&format!("{text}\n"));
    }
    output::text(&describe(&runs, Reader::of_stdout(), now()))
}

const COLUMNS: [(&str, Align); 8] = [
    ("", Align::Left),
    ("run", Align::Right),
    ("began", Align::Left),
    ("took", Align::Right),
    ("nodes", Align::Right),
    ("pipeline", Align::Name),
    ("env", Align::Name),
    ("", Align::Left),
];

const PIPELINE: usize = 5;
/// Columns that are left out on a narrow terminal, because `what` contains the same facts.
const TOLD_TWICE: [usize; 2] = [PIPELINE, 6];
/// The width that `what` keeps beside the columns in which runs differ, in cells.
const WHAT: usize = 24;

fn describe(runs: &[RunRecord], reader: Reader, now: f64) -> String {
    let narrow = reader.width.is_some_and(|width| width < 90);
    let began = if narrow { "%m-%d %H:%M" } else { "%Y-%m-%d %H:%M" };
    let shown = |column: &usize| !narrow || !TOLD_TWICE.contains(column);
    let own: Vec<Vec<Cell>> = runs
        .iter()
        .map(|run| {
            let (sign, tone) = sign(run.outcome);
            let plain = |text: String| (text, Tone::Plain);
            let cells = [
                (sign.to_owned(), tone),
                plain(run.id.map(|id| id.to_string()).unwrap_or_default()),
                (clock(run.new.started_at, began), Tone::Dim),
                plain(seconds_text(run.seconds(now))),
                plain(format!("{}/{}", run.nodes_done, run.nodes_total)),
                plain(run.new.pipeline.clone()),
                plain(run.new.env.clone().unwrap_or_default()),
                (if run.pinned { "*" } else { "" }.to_owned(), Tone::Warning),
            ];
            let cells = cells.into_iter().enumerate().filter(|(column, _)| shown(column));
            cells.map(|(_, cell)| cell).collect()
        })
        .collect();
    let mut titles: Vec<_> =
        (0..COLUMNS.len()).filter(shown).map(|column| COLUMNS[column]).collect();
    let widest = |(index, (title, _)): (usize, &(&str, Align))| {
        let cells = own.iter().map(|cells| width(&sanitize(&cells[index].0)));
        cells.chain([width(title)]).max().unwrap_or(0) + 2
    };
    let taken: usize = titles.iter().enumerate().map(widest).sum();
    let columns = Columns::of(runs);
    let room = reader.width.map_or(usize::MAX, |all| all.saturating_sub(taken + WHAT));
    let differing = columns.fitting(room);
    titles.extend(differing.iter().map(|column| {
        (column.title.as_str(), if column.numbers { Align::Right } else { Align::Left })
    }));
    titles.push(("what", Align::Left));
    let rows: Vec<Vec<Cell>> = (own.into_iter().zip(runs).enumerate())
        .map(|(index, (mut cells, run))| {
            cells
                .extend(differing.iter().map(|column| (column.values[index].clone(), Tone::Plain)));
            cells.push(what(run, columns.rest(run, &differing, shown(&PIPELINE))));
            cells
        })
        .collect();
    lines(reader, &titles, &rows)
}

/// The note, the failure or the other options of a run.
fn what(run: &RunRecord, options: String) -> Cell {
    let (word, _) = outcome_text(run.outcome);
    let (text, tone) = match (&run.failed_node, &run.reason) {
        (Some(node), Some(reason)) => (format!("{word} at {node}: {reason}"), Tone::Bad),
        (Some(node), None) => (format!("{word} at {node}"), Tone::Bad),
        (None, Some(reason)) => (format!("{word}: {reason}"), Tone::Bad),
        (None, None) => (options, Tone::Dim),
    };
    let parts = [on_engine(run).unwrap_or_default(), text];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let text = parts.collect::<Vec<_>>().join(" · ");
    match &run.note {
        Some(note) if text.is_empty() => (note.clone(), Tone::Plain),
        Some(note) => (format!("{note} · {text}"), tone),
        None => (text, tone),
    }
}
