//! `mlops-tui experiments datasets`.

use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use serde_json::{Value as Json, json};

use super::search::{ViewArgument, experiments};
use super::{Opened, PlaceArguments};
use crate::app::words::Tone;
use crate::cli::csv;
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::cli::tracked::shown;
use crate::tracking::entities::{Results, Run, RunQuery};
use crate::tracking::inputs::{self, ReadDataset};

/// List datasets with the runs that have read them.
///
/// The JSON is `{"schema": 1, "datasets": [{"name", "digest", "source_type", "source", "catalog", "runs":
/// [{"run_id", "run_name", "experiment_id", "contexts": []}]}], "truncated": false}`: a dataset for each name and
/// digest; catalog is the dataset of the project's catalog with its path or name, or null; contexts are what a run
/// has read it for, such as `training`.
///
/// Example: mlops-tui experiments datasets train
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A dataset's name, its name in the catalog, or its digest [default: all]
    dataset: Option<String>,
    /// Experiments to look at, by name or id; can be repeated [default: all active ones]
    #[arg(long, short, value_name = "EXPERIMENT")]
    experiment: Vec<String>,
    /// Active runs, deleted ones, or all
    #[arg(long, value_name = "VIEW", default_value = "active")]
    view: ViewArgument,
    /// Show at most this many datasets
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV: a line for each run and dataset
    #[arg(long)]
    csv: bool,
}

/// The number of runs listed below a dataset, unless the dataset is named on the command line.
const LISTED: usize = 5;

pub(super) fn run(
    place: &PlaceArguments,
    opened: &Opened,
    arguments: &Arguments,
) -> Result<ExitCode> {
    let query = RunQuery {
        experiments: Some(experiments(opened, &arguments.experiment)?),
        view: arguments.view.into(),
        now: opened.now,
        ..RunQuery::default()
    };
    let mut runs = opened.store.search_runs(&query)?;
    runs.problems.iter().for_each(|problem| output::complain(problem));
    opened.store.add_datasets(&mut runs.items)?;
    let runs = runs.items;
    let mut datasets = inputs::datasets(&runs);
    inputs::join(&mut datasets, &place.root(), &place.catalog());
    if let Some(name) = &arguments.dataset {
        let names = |dataset: &ReadDataset| dataset.name == *name || dataset.digest == *name;
        datasets.retain(|dataset| names(dataset) || dataset.catalog.as_deref() == Some(name));
        if datasets.is_empty() {
            bail!(
                "No run has read a dataset `{name}`. `mlops-tui experiments datasets` lists them."
            );
        }
    }
    let found = Results::of(datasets, arguments.limit);
    if arguments.json {
        let datasets: Vec<Json> =
            found.items.iter().map(|dataset| to_json(dataset, &runs)).collect();
        let truncated = found.truncated;
        return output::json(&json!({"schema": 1, "datasets": datasets, "truncated": truncated}));
    }
    if arguments.csv {
        return output::text(&to_csv(&found.items, &runs));
    }
    if found.items.is_empty() {
        return output::text("No run has read a dataset.\n");
    }
    let most = if arguments.dataset.is_some() { usize::MAX } else { LISTED };
    let mut text = describe(&found.items, &runs, most, Reader::of_stdout());
    if found.truncated {
        text += "There are more; --limit sets how many are shown.\n";
    }
    output::text(&text)
}

fn to_json(dataset: &ReadDataset, runs: &[Run]) -> Json {
    let readers = dataset.readers.iter().map(|reader| {
        let run = &runs[reader.run];
        json!({
            "run_id": run.id, "run_name": run.name, "experiment_id": run.experiment_id,
            "contexts": reader.contexts,
        })
    });
    json!({
        "name": dataset.name,
        "digest": dataset.digest,
        "source_type": dataset.source_type,
        "source": shown("", &dataset.source),
        "catalog": dataset.catalog,
        "runs": readers.collect::<Vec<Json>>(),
    })
}

fn to_csv(datasets: &[ReadDataset], runs: &[Run]) -> String {
    let mut csv = csv::table([
        "name",
        "digest",
        "source_type",
        "source",
        "catalog",
        "run_id",
        "run_name",
        "contexts",
    ]);
    for dataset in datasets {
        for reader in &dataset.readers {
            let run = &runs[reader.run];
            csv.row([
                &dataset.name,
                &dataset.digest,
                &dataset.source_type,
                &shown("", &dataset.source),
                dataset.catalog.as_deref().unwrap_or_default(),
                &run.id,
                &run.name,
                &reader.contexts.join(" "),
            ]);
        }
    }
    csv.text()
}

fn describe(datasets: &[ReadDataset], runs: &[Run], most: usize, reader: Reader) -> String {
    let mut text = String::new();
    for (index, dataset) in datasets.iter().enumerate() {
        let gap = if index > 0 { "\n" } else { "" };
        let count = match dataset.readers.len() {
            1 => "1 run".to_owned(),
            count => format!("{count} runs"),
        };
        let head = format!("{}  {}  {count}", dataset.name, dataset.digest);
        text += &format!("{gap}{}\n", reader.paint(&reader.line(&head), Tone::Name));
        let source = match dataset.source.as_str() {
            "" => dataset.source_type.clone(),
            source => format!("{}: {}", dataset.source_type, shown("", source)),
        };
        let catalog = match &dataset.catalog {
            Some(name) if *name != dataset.name => format!(", in the catalog {name}"),
            Some(_) => ", in the catalog".to_owned(),
            None => String::new(),
        };
        let source = format!("  {source}{catalog}");
        text += &format!("{}\n", reader.paint(&reader.line(&source), Tone::Dim));
        let row = |reading: &inputs::Reader| -> Vec<Cell> {
            let run = &runs[reading.run];
            vec![
                (String::new(), Tone::Plain),
                (run.id.chars().take(8).collect(), Tone::Dim),
                (run.name.clone(), Tone::Plain),
                (reading.contexts.join(", "), Tone::Dim),
            ]
        };
        let rows: Vec<Vec<Cell>> = dataset.readers.iter().take(most).map(row).collect();
        let columns = [Align::Left, Align::Left, Align::Name, Align::Left].map(|align| ("", align));
        text += &lines(reader, &columns, &rows);
        if dataset.readers.len() > most {
            let name = match dataset.name.contains(' ') {
                true => &dataset.digest,
                false => &dataset.name,
            };
            let more =
                format!("  {} more: `experiments datasets {name}`", dataset.readers.len() - most);
            text += &format!("{}\n", reader.paint(&reader.line(&more), Tone::Dim));
        }
    }
    text
}
