//! `mlops-tui experiments export`.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use color_eyre::eyre::{Result, bail, eyre};

use super::PlaceArguments;
use super::several::Found;
use crate::app::screens::experiments::columns::{Choices, Source};
use crate::app::screens::experiments::comparison::{Comparison, MOST_RUNS};
use crate::app::screens::experiments::export;
use crate::app::screens::experiments::table::Table;
use crate::cli::output;
use crate::tracking::filter::Expr;
use crate::tracking::{self, Overview};
use crate::ui::{comparison, curves};

/// Write a comparison of runs, or the curves of a metric, to a file.
///
/// The ending of the file chooses the format. Of runs: .html, one page with tables and curves that needs no network and
/// no script, for at most 100 runs; .csv or .md, the table alone. With --metric: .svg, the curves; .csv, the values.
///
/// Runs of several stores are written when STORE: stands before them, as for `experiments compare`.
///
/// Examples: mlops-tui experiments export best:metrics.rmse latest --to runs.html
///           mlops-tui experiments export latest --metric loss --to - --format svg
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// The first digits of an id, a name, `latest`, or `best:metrics.rmse`; of another store STORE:RUN
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
    /// The new file; - prints
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Write the curves of this metric
    #[arg(long, value_name = "KEY")]
    metric: Option<String>,
    /// The format [default: the ending of the file; printed, html, or svg with --metric]
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Html,
    Csv,
    Md,
    Svg,
}

impl Arguments {
    fn prints(&self) -> bool {
        self.to == Path::new("-")
    }

    fn format(&self) -> Result<Format> {
        let ending = self.to.extension().and_then(|ending| ending.to_str());
        let format = match (self.format, ending) {
            (Some(format), _) => format,
            (None, _) if self.prints() && self.metric.is_some() => Format::Svg,
            (None, _) if self.prints() => Format::Html,
            (None, ending) => {
                let found = ending.and_then(|ending| Format::from_str(ending, false).ok());
                let name = self.to.display();
                found.ok_or_else(|| {
                    eyre!("{name} has no known ending. Use one of .html, .csv, .md, .svg.")
                })?
            }
        };
        match (format, &self.metric) {
            (Format::Svg, None) => bail!("A chart has one metric: name it with --metric."),
            (Format::Html | Format::Md, Some(_)) => {
                bail!("The curves of a metric are written as .svg or .csv.")
            }
            _ => Ok(format),
        }
    }
}

pub(super) fn run(place: &PlaceArguments, arguments: &Arguments) -> Result<ExitCode> {
    let format = arguments.format()?;
    let mut found = Found::new(place, &arguments.runs)?;
    found.runs.iter_mut().for_each(tracking::hide_secrets);
    let text = match &arguments.metric {
        Some(metric) => of_metric(&found, metric, format)?,
        None => of_runs(place, found, format)?,
    };
    if arguments.prints() {
        return output::text(&text);
    }
    let name = arguments.to.display();
    let written = File::create_new(&arguments.to);
    match written.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("{name} exists already. Choose another name.")
        }
        Err(error) => bail!("{name} can't be written: {error}"),
    }
}

/// The curves of a metric, or its values.
fn of_metric(found: &Found, metric: &str, format: Format) -> Result<String> {
    if found.runs.iter().all(|run| run.metric(metric).is_none()) {
        bail!("None of the runs has a metric `{metric}`.");
    }
    let lists = found.histories(found.runs.len(), metric)?;
    let curves = found.runs.iter().zip(&lists).map(|(run, list)| (run, list.as_slice()));
    Ok(match format {
        Format::Csv => export::values(curves.map(|(run, points)| (run, metric, points))),
        _ => curves::runs_to_svg(metric, curves),
    })
}

/// The comparison of runs, or their table.
fn of_runs(place: &PlaceArguments, mut found: Found, format: Format) -> Result<String> {
    let overview = Overview {
        source: found.source(|| Ok(place.location()?.name(&place.root())))?,
        experiments: found.name_experiments()?,
        ..Overview::default()
    };
    let now = jiff::Timestamp::now().as_millisecond() as f64 / 1e3;
    if format == Format::Html {
        let compared = Comparison::of(&overview, &found.runs, &Choices::default(), now);
        if compared.left_out > 0 {
            output::complain(&format!("Only the first {MOST_RUNS} runs are compared."));
        }
        return comparison::html(&compared, |key| found.histories(MOST_RUNS, key));
    }
    let overview = Overview { runs: found.runs, ..overview };
    let choices = Choices { all: true, flat: true, ..Choices::default() };
    let source =
        Source { overview: &overview, choices: &choices, groups: None, baseline: None, now };
    let mut table = Table::default();
    table.arrange(&source, &Expr::default(), &Default::default());
    Ok(match format {
        Format::Md => export::markdown(&source, &table),
        _ => export::csv(&source, &table),
    })
}
