//! `mlops-tui experiments history`.

use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use serde_json::{Value as Json, json};

use super::Opened;
use super::curve::CurveArguments;
use super::search::experiments;
use crate::cli::output;
use crate::cli::table::Reader;
use crate::cli::tracked::number;
use crate::tracking::entities::{Point, Results};
use crate::tracking::reference::find_run;

/// Print the values of a metric, or draw them: step, time in milliseconds, value.
///
/// The JSON is `{"schema": 1, "points": [{"step", "timestamp", "value"}], "truncated": false}`; NaN and infinities
/// are texts.
///
/// Example: mlops-tui experiments history latest loss --plot --smooth 0.6
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// First digits of an id, a name, `latest`, or `best:metrics.rmse`
    run: String,
    /// The metric's name
    metric: String,
    /// Show at most this many
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    curve: CurveArguments,
}

pub(super) fn run(opened: &Opened, arguments: &Arguments) -> Result<ExitCode> {
    let active = experiments(opened, &[])?;
    let run = find_run(&opened.store, &arguments.run, Some(&active))?;
    let points = opened.store.history(&run.id, &arguments.metric)?;
    if points.is_empty() && !arguments.json && !arguments.csv {
        let names: Vec<&str> = run.metrics.iter().map(|(key, _)| key.as_str()).collect();
        if names.is_empty() {
            bail!("Run {} has no metrics.", run.id);
        }
        bail!("Run {} has no metric `{}`; it has {}.", run.id, arguments.metric, names.join(", "));
    }
    let found = Results::of(points, arguments.limit);
    if arguments.json {
        let point = |point: &Point| -> Json {
            json!({"step": point.step, "timestamp": point.timestamp, "value": number(point.value)})
        };
        let points: Vec<Json> = found.items.iter().map(point).collect();
        return output::json(&json!({"schema": 1, "points": points, "truncated": found.truncated}));
    }
    if arguments.curve.plot {
        let columns = Reader::of_stdout().columns();
        return output::text(&arguments.curve.draw(&run, &arguments.metric, &found.items, columns));
    }
    let (head, sign) = if arguments.csv { ("step,timestamp,value\n", ',') } else { ("", '\t') };
    let mut text = head.to_owned();
    for point in &found.items {
        text += &format!("{}{sign}{}{sign}{}\n", point.step, point.timestamp, point.value);
    }
    output::text(&text)
}
