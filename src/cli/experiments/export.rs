//! `mlops-tui experiments export`.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use color_eyre::eyre::{Result, bail, eyre};

use super::search::experiments;
use super::{Opened, PlaceArguments};
use crate::app::screens::experiments::columns::{Choices, Source};
use crate::app::screens::experiments::comparison::{Comparison, MOST_RUNS};
use crate::app::screens::experiments::export;
use crate::app::screens::experiments::table::Table;
use crate::cli::output;
use crate::tracking::entities::{Run, View};
use crate::tracking::filter::Expr;
use crate::tracking::reference::find_run;
use crate::tracking::{self, Overview};
use crate::ui::{comparison, curves};

/// Write a comparison of runs, or the curves of a metric, to a file.
///
/// The ending of the file chooses the format. Of runs: .html, one page with tables and curves that needs no network and
/// no script, for at most 100 runs; .csv or .md, the table alone. With --metric: .svg, the curves; .csv, the values.
///
/// Examples: mlops-tui experiments export best:metrics.rmse latest --to runs.html
///           mlops-tui experiments export latest --metric loss --to - --format svg
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// The first digits of an id, a name, `latest`, or `best:metrics.rmse`
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
    let opened = place.open()?;
    let active = experiments(&opened, &[])?;
    let mut runs = Vec::new();
    for reference in &arguments.runs {
        let mut run = find_run(&opened.store, reference, Some(&active))?;
        tracking::hide_secrets(&mut run);
        runs.push(run);
    }
    let text = match &arguments.metric {
        Some(metric) => of_metric(&opened, &runs, metric, format)?,
        None => of_runs(place, &opened, runs, format)?,
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
fn of_metric(opened: &Opened, runs: &[Run], metric: &str, format: Format) -> Result<String> {
    if runs.iter().all(|run| run.metric(metric).is_none()) {
        bail!("None of the runs has a metric `{metric}`.");
    }
    let lists = opened.store.histories(runs, metric)?;
    let curves = runs.iter().zip(&lists).map(|(run, list)| (run, list.as_slice()));
    Ok(match format {
        Format::Csv => export::values(curves.map(|(run, points)| (run, metric, points))),
        _ => curves::runs_to_svg(metric, curves),
    })
}

/// The comparison of runs, or their table.
fn of_runs(
    place: &PlaceArguments,
    opened: &Opened,
    runs: Vec<Run>,
    format: Format,
) -> Result<String> {
    let all = opened.store.experiments(&Expr::default(), &[], View::All, opened.now)?.items;
    let overview = Overview {
        source: place.location()?.name(&place.root()),
        experiments: all.into_iter().map(|one| (one.id, one.name)).collect(),
        ..Overview::default()
    };
    let now = opened.now as f64 / 1e3;
    if format == Format::Html {
        let compared = Comparison::of(&overview, &runs, &Choices::default(), now);
        if compared.left_out > 0 {
            output::complain(&format!("Only the first {MOST_RUNS} runs are compared."));
        }
        let read = |key: &str| opened.store.histories(&compared.overview.runs, key);
        return Ok(comparison::html(&compared, read)?);
    }
    let overview = Overview { runs, ..overview };
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
