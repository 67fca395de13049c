//! `mlops-tui remote home`: a failed task of a remote run, here.

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::json;

use super::kept::Kept;
use super::{Opened, RunArguments};
use crate::app::run::headline;
use crate::app::words::Tone;
use crate::cli::output;
use crate::cli::table::Reader;
use crate::dag::Slice;
use crate::remote::dag_file::OWN_KEY;
use crate::remote::model::{Phase, Task};
use crate::runs::params::{dotted, masked};
use crate::runs::{Failure, RunRequest};
use crate::text::secrets::HIDDEN;
use crate::text::{UserError, did_you_mean};

/// Bring a failed task of a run home: its node with the same parameters and environment, here.
///
/// Prints where the node failed, and the command that runs it here; with --run, runs it. Its inputs come through the
/// catalog of this machine.
///
/// Example: mlops-tui remote home last --run
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    run: RunArguments,
    /// The task [default: the first one that failed]
    task: Option<String>,
    /// Run the node here
    #[arg(long = "run", id = "run_here")]
    run_here: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(opened: &Opened, arguments: &Arguments) -> Result<ExitCode> {
    let run = arguments.run.find(opened)?;
    let tasks = opened.backend.tasks(&run.id)?;
    let task = chosen(&tasks, arguments.task.as_deref())?;
    let mut kept = Kept::new(opened, &run.id.pipeline);
    let record = kept.finish(&run, &tasks);
    let nodes = kept.nodes_of(task).to_vec();
    let Some(first) = nodes.first() else {
        return Err(UserError::from(format!(
            "Task `{}` holds no node of this project's pipelines.",
            task.name()
        ))
        .into());
    };
    let id = record.as_ref().and_then(|record| record.id);
    let stored = id.map(|id| kept.store().nodes(id)).transpose()?.unwrap_or_default();
    let failed = stored.iter().find(|one| one.failure.is_some() && nodes.contains(&one.node));
    let node = failed.map_or(first, |one| &one.node);
    let failure: Option<Failure> =
        failed.and_then(|one| serde_json::from_str(one.failure.as_deref()?).ok());

    let mut conf = run.conf.clone();
    let own = conf.as_object_mut().and_then(|conf| conf.shift_remove(OWN_KEY));
    let env = own.as_ref().and_then(|own| own["env"].as_str().map(str::to_owned));
    let pipeline = kept.pipeline().filter(|name| *name != "__default__").map(str::to_owned);
    let request = RunRequest {
        pipeline,
        slice: Slice::nodes([node]),
        env: env.or_else(|| opened.env.clone()),
        params: dotted(&conf),
        ..RunRequest::default()
    };
    let command = request.to_command().replacen("kedro run", "mlops-tui run", 1);
    if arguments.run_here {
        return crate::cli::run::here(&opened.root, request, arguments.json);
    }
    let frame = failure.as_ref().and_then(Failure::project_frame);
    if arguments.json {
        return output::json(&json!({
            "run": id,
            "task": task.name(),
            "node": node,
            "nodes": nodes,
            "pipeline": request.pipeline,
            "env": request.env,
            "params": masked(&request.params, &|_| HIDDEN.into()),
            "failure": failure,
            "file": frame.map(|frame| &frame.file),
            "line": frame.map(|frame| frame.line),
            "command": command,
        }));
    }
    let reader = Reader::of_stdout();
    let place = frame.map(|frame| format!("{}:{} in {}", frame.file, frame.line, frame.function));
    let mut text = String::new();
    for (label, value) in [
        ("task", Some(format!("{}, {}", task.name(), task.state.name))),
        ("node", Some(node.clone())),
        ("why", failure.as_ref().map(headline)),
        ("at", place),
        ("here", Some(command)),
    ] {
        let Some(value) = value else { continue };
        let label = reader.paint(&format!("{label:<6}"), Tone::Dim);
        text += &format!("{label}{}\n", crate::text::sanitize(&value));
    }
    output::text(&text)
}

/// The task of this name, or the first one that failed.
fn chosen<'t>(tasks: &'t [Task], name: Option<&str>) -> Result<&'t Task> {
    let Some(name) = name else {
        let has_failed = |task: &&Task| matches!(task.state.phase, Phase::Failed | Phase::Retrying);
        return tasks.iter().find(has_failed).ok_or_else(|| {
            UserError::hinted(
                "No task of the run has failed.",
                "Name a task to bring it home all the same.",
            )
            .into()
        });
    };
    tasks.iter().find(|task| task.id == name || task.name() == name).ok_or_else(|| {
        let names: Vec<String> = tasks.iter().map(Task::name).collect();
        let known = did_you_mean(name, names.iter().map(String::as_str));
        UserError::from(format!("The run has no task `{name}`.{known}")).into()
    })
}
