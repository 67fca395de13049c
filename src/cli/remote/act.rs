//! `mlops-tui remote cancel`, `retry`, `mark` and `pause`.

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::json;

use super::kept::Kept;
use super::submit::follow;
use super::{Opened, RunArguments, is_named, no_task};
use crate::cli::output;
use crate::remote::{Action, RemoteError, model};

/// Stop a run on the engine.
///
/// Example: mlops-tui remote cancel last
#[derive(Debug, clap::Args)]
pub(super) struct Cancel {
    #[command(flatten)]
    run: RunArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Run the failed tasks of a run once more, and those after them.
///
/// Example: mlops-tui remote retry last --wait
#[derive(Debug, clap::Args)]
pub(super) struct Retry {
    #[command(flatten)]
    run: RunArguments,
    /// Follow the run to its end
    #[arg(long, short)]
    wait: bool,
    /// Print JSON, with --wait a line for each change
    #[arg(long)]
    json: bool,
}

/// Set the state of a run or of one of its tasks by hand; what runs is stopped. In a run that has failed, a task marked as
/// successful lets those after it run.
///
/// Example: mlops-tui remote mark last train_model --as success
#[derive(Debug, clap::Args)]
pub(super) struct Mark {
    #[command(flatten)]
    run: RunArguments,
    /// The task; of an expanded one `TASK[NUMBER]`, or all of them by its id [default: the run]
    task: Option<String>,
    /// The state
    #[arg(long = "as", value_name = "STATE")]
    state: As,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum As {
    Success,
    Failed,
}

/// Stop the engine's own starts of a pipeline, or resume them.
///
/// Example: mlops-tui remote pause --off
#[derive(Debug, clap::Args)]
pub(super) struct Pause {
    /// The pipeline, by its name in the project or its id on the engine [default: the project's]
    pipeline: Option<String>,
    /// Resume them
    #[arg(long)]
    off: bool,
}

pub(super) fn cancel(opened: &Opened, arguments: &Cancel) -> Result<ExitCode> {
    opened.backend.can(Action::Cancel).map_err(RemoteError::Unable)?;
    let run = arguments.run.find(opened)?;
    opened.backend.cancel(&run.id)?;
    // The run is there as it was when the engine does not answer any more.
    let mut kept = Kept::new(opened, &run.id.pipeline);
    let after = opened.backend.run(&run.id).unwrap_or(run.clone());
    if let Some(record) = kept.look(&after) {
        kept.cancelled(&record);
    }
    if arguments.json {
        return output::json(&json!({"run": run.id.run, "cancelled": true}));
    }
    output::text(&format!("Cancelled: {}.\n", run.id.run))
}

pub(super) fn retry(opened: &Opened, arguments: &Retry) -> Result<ExitCode> {
    opened.backend.can(Action::Retry).map_err(RemoteError::Unable)?;
    let run = arguments.run.find(opened)?;
    let tasks = opened.backend.retry(&run.id)?;
    match (arguments.json, arguments.wait) {
        (true, true) => output::json_line(&json!({"event": "retry", "tasks": tasks}))?,
        (true, false) => output::json(&json!({"run": run.id.run, "tasks": tasks}))?,
        (false, _) => {
            output::text(&format!("Run again: {} of {}.\n", tasks.join(", "), run.id.run))?
        }
    };
    let mut kept = Kept::new(opened, &run.id.pipeline);
    match arguments.wait {
        true => follow(opened, run.id, arguments.json, &mut kept),
        false => {
            if let Ok(run) = opened.backend.run(&run.id) {
                kept.look(&run);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

pub(super) fn mark(opened: &Opened, arguments: &Mark) -> Result<ExitCode> {
    opened.backend.can(Action::Mark).map_err(RemoteError::Unable)?;
    let run = arguments.run.find(opened)?;
    let (mark, state) = match arguments.state {
        As::Success => (model::Mark::Succeeded, "success"),
        As::Failed => (model::Mark::Failed, "failed"),
    };
    let mut names = Vec::new();
    match &arguments.task {
        None => opened.backend.mark(&run.id, None, mark)?,
        Some(name) => {
            let tasks = opened.backend.tasks(&run.id)?;
            for task in tasks.iter().filter(|task| is_named(task, name)) {
                opened.backend.mark(&run.id, Some(task), mark)?;
                names.push(task.name());
            }
            if names.is_empty() {
                return Err(no_task(name, &tasks).into());
            }
        }
    }
    if arguments.json {
        return output::json(&json!({"run": run.id.run, "tasks": names, "as": state}));
    }
    let tasks = if names.is_empty() { String::new() } else { format!("{} of ", names.join(", ")) };
    output::text(&format!("Marked as {state}: {tasks}{}.\n", run.id.run))
}

pub(super) fn pause(opened: &Opened, arguments: &Pause) -> Result<ExitCode> {
    opened.backend.can(Action::Pause).map_err(RemoteError::Unable)?;
    let pipeline = opened.pipeline(arguments.pipeline.as_deref())?;
    opened.backend.pause(&pipeline, !arguments.off)?;
    let state = if arguments.off { "Resumed" } else { "Paused" };
    output::text(&format!("{state}: {pipeline}.\n"))
}
