//! `mlops-tui remote submit`.

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::json;

use super::kept::Kept;
use super::{Opened, clock, run_json, task_json, tone};
use crate::app::words::Tone;
use crate::cli::output;
use crate::cli::table::Reader;
use crate::remote::model::{Phase, Run, RunId, Submission, new_run_id};
use crate::remote::{Action, Engine, Follower, News, RemoteError};
use crate::runs::params::{Params, nested};
use crate::runs::request::parse_params;
use crate::store::now;

/// Start a run on the engine.
///
/// With --wait it is followed to its end, and the exit code is 0 if it succeeded, 1 if not. A run on a Kedro server is
/// always followed.
///
/// Example: mlops-tui remote submit --wait --params model.alpha=0.1
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The pipeline, by its name in the project or its id on the engine [default: the project's]
    #[arg(long, short, value_name = "NAME")]
    pipeline: Option<String>,
    /// Parameters, as `kedro run` takes them: key=value, separated by commas
    #[arg(long, value_name = "PARAMS", value_parser = parse_params, default_value = "", hide_default_value = true)]
    params: Params,
    /// The run's id [default: made from the time]. The same id twice is one run
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// A note to keep with the run
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Resume the engine's starts of the pipeline if they are paused: a paused one does not begin
    #[arg(long)]
    resume: bool,
    /// Follow the run to its end
    #[arg(long, short)]
    wait: bool,
    /// Print JSON, with --wait a line for each change
    #[arg(long)]
    json: bool,
}

pub(super) fn run(opened: &Opened, arguments: &Arguments) -> Result<ExitCode> {
    let backend = &*opened.backend;
    backend.can(Action::Submit).map_err(RemoteError::Unable)?;
    let pipeline = opened.pipeline(arguments.pipeline.as_deref())?;
    let conf = nested(&arguments.params);
    let id = arguments.id.clone().unwrap_or_else(new_run_id);
    let submission =
        Submission { pipeline: pipeline.clone(), id, conf, note: arguments.note.clone() };
    if arguments.resume {
        backend.pause(&pipeline, false)?;
    }
    let run = backend.submit(&submission)?;
    let mut kept = Kept::new(opened, &pipeline).submitted();
    kept.look(&run);
    // A Kedro server runs for as long as it is waited for.
    if !arguments.wait && opened.profile.engine != Engine::KedroServer {
        if arguments.json {
            return output::json(&run_json(&run));
        }
        output::text(&format!("Submitted: {}, {}.\n", run.id.run, run.state.name))?;
        return Ok(ExitCode::SUCCESS);
    }
    if !arguments.json {
        output::text(&format!("Submitted: {}.\n", run.id.run))?;
    }
    follow(opened, run.id, arguments.json, &mut kept)
}

/// Follows a run to its end, prints what changes, and keeps it in the history.
pub(super) fn follow(
    opened: &Opened,
    id: RunId,
    json: bool,
    kept: &mut Kept<'_>,
) -> Result<ExitCode> {
    let reader = Reader::of_stdout();
    let mut follower = Follower::new(id);
    let mut is_lost = false;
    loop {
        match follower.look(&*opened.backend) {
            Ok(news) => {
                if std::mem::take(&mut is_lost) {
                    output::complain("The engine answers again.");
                }
                if let Some(run) = follower.run().filter(|_| !news.is_empty()) {
                    kept.finish(run, follower.tasks());
                }
                for one in news {
                    print(&one, reader, json)?;
                }
                if follower.is_over() {
                    break;
                }
            }
            Err(error @ RemoteError::Unanswered(_)) => {
                // The run goes on without us.
                if !std::mem::replace(&mut is_lost, true) {
                    output::complain(&format!("{error} The run may go on; it is asked again."));
                }
            }
            Err(error) => return Err(error.into()),
        }
        std::thread::sleep(follower.pause());
    }
    if let Some(error) = follower.run().and_then(|run| run.error.as_ref()) {
        output::complain(error);
    }
    let is_good = follower.run().is_some_and(|run| run.state.phase == Phase::Succeeded);
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(news: &News, reader: Reader, json: bool) -> Result<()> {
    if json {
        let line = match news {
            News::Run(run) => json!({"event": "run", "run": run_json(run)}),
            News::Task(task) => json!({"event": "task", "task": task_json(task)}),
        };
        output::json_line(&line)?;
        return Ok(());
    }
    let (at, name, state) = match news {
        News::Run(run) => (time_of(run), "run".to_owned(), &run.state),
        News::Task(task) if task.state.phase == Phase::Waiting => return Ok(()),
        News::Task(task) => {
            let again =
                if task.attempt > 1 { format!(", try {}", task.attempt) } else { String::new() };
            (task.ended.or(task.started), format!("{}{again}", task.name()), &task.state)
        }
    };
    let at = clock(Some(at.unwrap_or_else(now)), "%H:%M:%S");
    let state = reader.paint(&format!("{:<15}", state.name), tone(state));
    output::text(&format!("{}  {state}  {}\n", reader.paint(&at, Tone::Dim), reader.line(&name)))?;
    Ok(())
}

fn time_of(run: &Run) -> Option<f64> {
    run.ended.or(run.started).or(run.queued)
}
