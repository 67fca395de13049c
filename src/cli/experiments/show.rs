//! `mlops-tui experiments show`.

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::{Value as Json, json};

use super::search::{experiments, sign};
use super::{Opened, PlaceArguments};
use crate::app::words::{Tone, number_text, outcome_text};
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::cli::tracked::{self, shown, when};
use crate::store::RunRecord;
use crate::tracking;
use crate::tracking::entities::{DatasetInput, Run};
use crate::tracking::reference::find_run;

/// Show a run: params, metrics, tags, datasets, and the run of the pipeline that logged it.
///
/// The JSON is `{"schema": 1, "run": {...}, "pipeline_runs": [...]}`: the run as `search` has it with its
/// "datasets" (name, digest, source_type, source, schema, profile, context, tags), and the numbers of the runs of
/// the project's history, which `mlops-tui runs show` shows.
///
/// Example: mlops-tui experiments show best:metrics.rmse
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// First digits of an id, a name, `latest`, or `best:metrics.rmse`
    run: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(
    place: &PlaceArguments,
    opened: &Opened,
    arguments: &Arguments,
) -> Result<ExitCode> {
    let active = experiments(opened, &[])?;
    let found = find_run(&opened.store, &arguments.run, Some(&active))?;
    let run = opened.store.run(&found.id)?.unwrap_or(found);
    let runs = tracking::pipeline_runs(&place.root(), &run).unwrap_or_else(|error| {
        // The history is in another file than the tracking store.
        output::complain(&error.to_string());
        Vec::new()
    });
    if arguments.json {
        let mut json = tracked::run(&run);
        json["datasets"] = run.datasets.iter().map(dataset).collect();
        return output::json(&json!({
            "schema": 1, "run": json,
            "pipeline_runs": runs.iter().map(|run| run.id).collect::<Vec<_>>(),
        }));
    }
    output::text(&describe(&run, &runs, Reader::of_stdout()))
}

fn dataset(dataset: &DatasetInput) -> Json {
    json!({
        "name": dataset.name,
        "digest": dataset.digest,
        "source_type": dataset.source_type,
        "source": shown("", &dataset.source),
        "schema": dataset.schema,
        "profile": dataset.profile,
        "context": dataset.context(),
        "tags": tracked::object(&dataset.tags),
    })
}

fn describe(run: &Run, runs: &[RunRecord], reader: Reader) -> String {
    let (sign, tone) = sign(&run.status);
    let ended = match run.end_time {
        Some(_) => format!(", ended {}", when(run.end_time)),
        None => String::new(),
    };
    let mut text = format!(
        "{} {}\n",
        reader.paint(sign, tone),
        reader.paint(&reader.line(&format!("{}  {}", run.name, run.id)), Tone::Name)
    );
    let stage = if run.lifecycle_stage == "active" { "" } else { ", deleted" };
    let user = match run.user_id.as_str() {
        "" => String::new(),
        user => format!(", by {user}"),
    };
    let about = format!("  {}{stage}, began {}{ended}{user}", run.status, when(run.start_time));
    text += &format!("{}\n", reader.line(&about));
    if !run.artifact_uri.is_empty() {
        text += &format!("{}\n", reader.line(&format!("  {}", shown("", &run.artifact_uri))));
    }
    for record in runs {
        let (word, _) = outcome_text(record.outcome);
        let line =
            format!("  logged by {} of pipeline {}, {word}", record.name(), record.new.pipeline);
        text += &format!("{}\n", reader.line(&line));
    }
    let of_texts = |pairs: &[(String, String)]| -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| (key.clone(), shown(key, value))).collect()
    };
    let metrics =
        run.metrics.iter().map(|(key, value)| (key.clone(), number_text(*value))).collect();
    let datasets = run.datasets.iter().map(|dataset| {
        let context = dataset.context().map(|context| format!(" ({context})")).unwrap_or_default();
        (dataset.name.clone(), format!("{}{context}", dataset.digest))
    });
    for (title, pairs) in [
        ("metrics", metrics),
        ("params", of_texts(&run.params)),
        ("datasets", datasets.collect()),
        ("tags", of_texts(&run.tags)),
    ] {
        text += &section(reader, title, &pairs);
    }
    text
}

fn section(reader: Reader, title: &str, pairs: &[(String, String)]) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    let row = |(key, value): &(String, String)| -> Vec<Cell> {
        vec![(String::new(), Tone::Plain), (key.clone(), Tone::Dim), (value.clone(), Tone::Plain)]
    };
    let rows: Vec<Vec<Cell>> = pairs.iter().map(row).collect();
    let columns = [("", Align::Left), ("", Align::Name), ("", Align::Left)];
    format!("\n{}\n{}", reader.paint(title, Tone::Name), lines(reader, &columns, &rows))
}
