//! `mlops-tui runs pin`, `note`, `cancel`, `delete` and `prune`: the verbs that change the history.

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::json;

use super::reference::RunName;
use crate::cli::output;
use crate::runs::history::change::{self, parse_size};
use crate::runs::history::filter::parse_time;
use crate::store::{PruneLimits, Pruned, RunId, Store, now};
use crate::text::{UserError, sanitize};

/// Keep runs from being pruned.
///
/// Example: mlops-tui runs pin 12
#[derive(Debug, clap::Args)]
pub(super) struct Pin {
    /// Numbers, `last` or `last-failed`
    #[arg(required = true)]
    runs: Vec<RunName>,
    /// Remove the pins
    #[arg(long)]
    off: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Write a note about a run; without a text, remove the note.
///
/// Example: mlops-tui runs note last "the one in the paper"
#[derive(Debug, clap::Args)]
pub(super) struct Note {
    /// A number, `last` or `last-failed`
    run: RunName,
    /// The note
    #[arg(default_value = "", hide_default_value = true)]
    text: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Cancel a run of another mlops-tui process on this machine, like Ctrl-C there.
///
/// Cancelling takes a moment; `mlops-tui runs show` shows whether the run has ended.
///
/// Example: mlops-tui runs cancel 12
#[derive(Debug, clap::Args)]
pub(super) struct Cancel {
    /// A number, `last` or `last-failed`
    run: RunName,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Delete runs with everything stored about them.
///
/// Running runs are not deleted. MLflow records and data are not touched.
///
/// Example: mlops-tui runs delete 3 4 5
#[derive(Debug, clap::Args)]
pub(super) struct Delete {
    /// Numbers, `last` or `last-failed`
    #[arg(required = true)]
    runs: Vec<RunName>,
    /// Print what would be deleted, and delete nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Delete old runs by age, size or count.
///
/// With several limits, a run that exceeds any of them is deleted.
/// Pinned and running runs are kept. MLflow records and data are not touched.
///
/// Example: mlops-tui runs prune --older-than 30d --max-size 500MB --keep 50 --dry-run
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("room").required(true).multiple(true)))]
pub(super) struct Prune {
    /// Delete runs older than this: 30d, 12h, or a date
    #[arg(long, value_name = "AGE", value_parser = time, group = "room")]
    older_than: Option<f64>,
    /// Delete the oldest runs until the others take at most this much: 500MB
    #[arg(long, value_name = "SIZE", value_parser = parse_size, group = "room")]
    max_size: Option<u64>,
    /// Delete the oldest runs until this many are left
    #[arg(long, value_name = "COUNT", group = "room")]
    keep: Option<usize>,
    /// Print what would be deleted, and delete nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn time(text: &str) -> Result<f64, UserError> {
    parse_time(text, now())
}

/// The ids of the named runs, without duplicates. All must exist before anything is changed.
fn ids(store: &mut Store, names: &[RunName]) -> Result<Vec<RunId>> {
    let mut ids = Vec::new();
    for name in names {
        let id = name.find(store)?.0;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// `run 3`, `runs 3, 4 and 5`.
fn runs_text(ids: &[RunId]) -> String {
    let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
    match texts.as_slice() {
        [] => "no run".into(),
        [one] => format!("run {one}"),
        [most @ .., last] => format!("runs {} and {last}", most.join(", ")),
    }
}

pub(super) fn pin(store: &mut Store, arguments: &Pin) -> Result<ExitCode> {
    let ids = ids(store, &arguments.runs)?;
    for id in &ids {
        store.pin(*id, !arguments.off)?;
    }
    if arguments.json {
        return output::json(&json!({ "runs": ids, "pinned": !arguments.off }));
    }
    let word = if arguments.off { "Unpinned" } else { "Pinned" };
    output::text(&format!("{word} {}.\n", runs_text(&ids)))
}

pub(super) fn note(store: &mut Store, arguments: &Note) -> Result<ExitCode> {
    let id = arguments.run.find(store)?.0;
    store.note(id, &arguments.text)?;
    let note = store.run(id)?.and_then(|run| run.note);
    if arguments.json {
        return output::json(&json!({ "run": id, "note": note }));
    }
    let word = if note.is_some() { "Saved the note of" } else { "Removed the note of" };
    output::text(&format!("{word} run {id}.\n"))
}

pub(super) fn cancel(store: &mut Store, arguments: &Cancel) -> Result<ExitCode> {
    let id = arguments.run.find(store)?.0;
    change::cancel(store, id)?;
    if arguments.json {
        return output::json(&json!({ "cancelling": id }));
    }
    output::text(&format!("Run {id} is being cancelled.\n"))
}

pub(super) fn delete(store: &mut Store, arguments: &Delete) -> Result<ExitCode> {
    let ids = ids(store, &arguments.runs)?;
    let deleted = match arguments.dry_run {
        true => change::deletable(store, &ids)?,
        false => change::delete(store, &ids)?,
    };
    print_deleted(&deleted, arguments.dry_run, arguments.json)
}

pub(super) fn prune(store: &mut Store, arguments: &Prune) -> Result<ExitCode> {
    let room = PruneLimits {
        before: arguments.older_than,
        bytes: arguments.max_size,
        runs: arguments.keep,
    };
    let pruned = match arguments.dry_run {
        true => store.prunable(&room)?,
        false => store.prune(&room)?,
    };
    print_deleted(&pruned, arguments.dry_run, arguments.json)
}

/// Prints what was or would be deleted, and which folders of deleted runs are left.
fn print_deleted(pruned: &Pruned, dry_run: bool, json: bool) -> Result<ExitCode> {
    if json {
        return output::json(&json!({
            "deleted": pruned.runs,
            "bytes": pruned.bytes,
            "folders": pruned.folders,
            "left": pruned.left,
            "dry_run": dry_run,
        }));
    }
    let mut text = match (change::summary(pruned), dry_run) {
        (None, _) => "There is nothing to delete.\n".to_owned(),
        (Some(summary), true) => format!("Would delete {summary}.\n"),
        (Some(summary), false) => format!("Deleted {summary}.\n"),
    };
    for folder in &pruned.folders {
        text += &format!("  {}\n", sanitize(&folder.display().to_string()));
    }
    for left in &pruned.left {
        text += &sanitize(&format!("Not removed: {} ({}).", left.path.display(), left.why));
        text.push('\n');
    }
    output::text(&text)
}
