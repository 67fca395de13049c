//! `mlops-tui runs`: the run history, one file for each way to look at it.

mod change;
mod diff;
mod list;
mod logs;
mod reference;
mod show;

use std::process::ExitCode;

use clap::Subcommand;
use color_eyre::eyre::Result;
use serde_json::{Value as Json, json};

use super::project::FolderOption;
use crate::app::words::Tone;
use crate::store::{Outcome, RunRecord, Store, StoreError};
use crate::text::secrets::without_marks;

/// Look at the run history: list, show, logs, diff, pin, note, cancel, delete, prune.
///
/// A RUN is a number, `last` or `last-failed`. Nothing of the project is executed.
///
/// Example: mlops-tui runs list --outcome failed --since 7d
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    project: FolderOption,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List runs, the newest first
    List(list::Arguments),
    /// Show a run: who, how, code, nodes in time, datasets, failure
    Show(show::Arguments),
    /// Print the log of a run
    Logs(logs::Arguments),
    /// Compare two runs: parameters, metrics, code, nodes, datasets
    Diff(diff::Arguments),
    /// Keep runs from being pruned
    Pin(change::Pin),
    /// Write a note about a run
    Note(change::Note),
    /// Cancel a run of another program
    Cancel(change::Cancel),
    /// Delete runs
    Delete(change::Delete),
    /// Delete old runs by age, size or count
    Prune(change::Prune),
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let root = arguments.project.root()?;
    let mut store = Store::new(&root);
    if store.path().exists() {
        // Mark runs of killed programs as lost. A store that can't be written can
        // still be read, so errors are ignored.
        let _ = store.recover();
    }
    let done = match &arguments.verb {
        Verb::List(arguments) => list::run(&mut store, arguments),
        Verb::Show(arguments) => show::run(&mut store, arguments),
        Verb::Logs(arguments) => logs::run(&mut store, arguments),
        Verb::Diff(arguments) => diff::run(&root, &mut store, arguments),
        Verb::Pin(arguments) => change::pin(&mut store, arguments),
        Verb::Note(arguments) => change::note(&mut store, arguments),
        Verb::Cancel(arguments) => change::cancel(&mut store, arguments),
        Verb::Delete(arguments) => change::delete(&mut store, arguments),
        Verb::Prune(arguments) => change::prune(&mut store, arguments),
    };
    if let Some(aside) = store.set_aside() {
        let text = StoreError::SetAside(aside.to_owned()).to_string();
        // The deleting verbs were handled above.
        if !done.as_ref().is_err_and(|error| error.to_string() == text) {
            super::output::complain(&text);
        }
    }
    done
}

/// The glyph and the tone of an outcome.
fn sign(outcome: Outcome) -> (&'static str, Tone) {
    match outcome {
        Outcome::Running => ("●", Tone::Busy),
        Outcome::Succeeded => ("✓", Tone::Good),
        Outcome::Failed | Outcome::Lost => ("✗", Tone::Bad),
        Outcome::Cancelled => ("◌", Tone::Warning),
    }
}

/// A run as JSON: its record, the request as an object.
fn to_json(run: &RunRecord) -> Json {
    let mut json = json!(run);
    json["request"] = serde_json::from_str(&without_marks(&run.new.request)).unwrap_or(Json::Null);
    json
}

/// A time on this machine's clock.
pub(super) fn clock(at: f64, format: &str) -> String {
    let time = jiff::Timestamp::from_microsecond((at * 1e6) as i64);
    time.map(|time| {
        time.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime(format).to_string()
    })
    .unwrap_or_default()
}
