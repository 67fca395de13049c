//! `mlops-tui remote show`.

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::Value as Json;

use super::kept::Kept;
use super::{Opened, RunArguments, clock, run_json, task_json, tone};
use crate::app::words::{Tone, seconds_text};
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::remote::model::Task;
use crate::store::now;

/// Show a run on the engine with its tasks.
///
/// Example: mlops-tui remote show last
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    run: RunArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(opened: &Opened, arguments: &Arguments) -> Result<ExitCode> {
    let run = arguments.run.find(opened)?;
    let tasks = opened.backend.tasks(&run.id)?;
    Kept::new(opened, &run.id.pipeline).finish(&run, &tasks);
    if arguments.json {
        let mut json = run_json(&run);
        json["tasks"] = tasks.iter().map(task_json).collect::<Vec<Json>>().into();
        return output::json(&json);
    }
    let (reader, now) = (Reader::of_stdout(), now());
    let took = run.started.map(|start| run.ended.unwrap_or(now) - start);
    let mut head = vec![
        ("run", run.id.run.clone()),
        ("pipeline", run.id.pipeline.clone()),
        ("state", reader.paint(&run.state.name, tone(&run.state))),
        ("began", clock(run.started.or(run.queued), "%Y-%m-%d %H:%M:%S")),
        ("took", took.map(seconds_text).unwrap_or_default()),
        ("note", run.note.clone().unwrap_or_default()),
        ("error", run.error.clone().unwrap_or_default()),
    ];
    if run.conf.as_object().is_some_and(|conf| !conf.is_empty()) {
        head.push(("conf", run.conf.to_string()));
    }
    let mut text = String::new();
    for (label, value) in head.iter().filter(|(_, value)| !value.is_empty()) {
        let value = if *label == "state" { value.clone() } else { reader.line(value) };
        text += &format!("{}{value}\n", reader.paint(&format!("{label:<10}"), Tone::Dim));
    }
    let row = |task: &Task| -> Vec<Cell> {
        let tries = match task.attempts.max(task.attempt) {
            0 | 1 => String::new(),
            most => format!("{} of {most}", task.attempt),
        };
        vec![
            (task.name(), Tone::Plain),
            (task.state.name.clone(), tone(&task.state)),
            (tries, Tone::Dim),
            (clock(task.started, "%H:%M:%S"), Tone::Plain),
            (task.took(now).map(seconds_text).unwrap_or_default(), Tone::Plain),
        ]
    };
    let columns = [
        ("task", Align::Name),
        ("state", Align::Left),
        ("try", Align::Left),
        ("began", Align::Left),
        ("took", Align::Right),
    ];
    let rows: Vec<Vec<Cell>> = tasks.iter().map(row).collect();
    if !rows.is_empty() {
        text += &format!("\n{}", lines(reader, &columns, &rows));
    }
    output::text(&text)
}
