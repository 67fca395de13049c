//! `mlops-tui runs pin`, `note`, `cancel`, `delete` and `prune`: the verbs that change the history.

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::json;

use super::reference::RunName;
use crate::cli::output;
use crate::runs::history::change::{self, parse_size};
use crate::runs::history::filter::parse_time;
use crate::store::{Pruned, Room, RunId, Store, now};
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

/// Cancel a run of another program on this machine, as Ctrl-C in that program would.
///
/// `mlops-tui runs show` shows when the run has ended.
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
fn named(ids: &[RunId]) -> String {
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
    let word = if arguments.off { "Took the pin from" } else { "Pinned" };
    output::text(&format!("{word} {}.\n", named(&ids)))
}

pub(super) fn note(store: &mut Store, arguments: &Note) -> Result<ExitCode> {
    let id = arguments.run.find(store)?.0;
    store.note(id, &arguments.text)?;
    let note = store.run(id)?.and_then(|run| run.note);
    if arguments.json {
        return output::json(&json!({ "run": id, "note": note }));
    }
    let word = if note.is_some() { "Wrote the note to" } else { "Took the note from" };
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
    report(&deleted, arguments.dry_run, arguments.json)
}

pub(super) fn prune(store: &mut Store, arguments: &Prune) -> Result<ExitCode> {
    let room =
        Room { before: arguments.older_than, bytes: arguments.max_size, runs: arguments.keep };
    let pruned = match arguments.dry_run {
        true => store.prunable(&room)?,
        false => store.prune(&room)?,
    };
    report(&pruned, arguments.dry_run, arguments.json)
}

/// Prints what was or would be deleted, and which folders of deleted runs are left.
fn report(pruned: &Pruned, dry_run: bool, json: bool) -> Result<ExitCode> {
    if json {
        return output::json(&json!({
            "deleted": pruned.runs,
            "bytes": pruned.bytes,
            "folders": pruned.folders,
            "left": pruned.left,
            "dry_run": dry_run,
        }));
    }
    let mut text = match (change::told(pruned), dry_run) {
        (None, _) => "All runs fit; nothing was deleted.\n".to_owned(),
        (Some(told), true) => format!("Would delete {told}.\n"),
        (Some(told), false) => format!("Deleted {told}.\n"),
    };
    for folder in &pruned.folders {
        text += &format!("  {}\n", sanitize(&folder.display().to_string()));
    }
    for left in &pruned.left {
        text += &sanitize(&format!("Left {}: {}.", left.path.display(), left.why));
        text.push('\n');
    }
    output::text(&text)
}
