//! `mlops-tui remote`: runs on engines, one file for each group of verbs.

mod act;
mod deploy;
mod home;
mod kept;
mod list;
mod logs;
mod show;
mod submit;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use color_eyre::eyre::Result;
use serde_json::{Value as Json, json};

use super::project::{EnvOption, FolderOption};
use crate::app::words::Tone;
use crate::remote::model::{Phase, Run, RunId, RunsQuery, State, Task};
use crate::remote::{Action, Backend, Profile, Profiles, RemoteError, connect};
use crate::text::UserError;

/// Run pipelines on engines: list, check, pipelines, plan, deploy, submit, runs, show, logs, cancel, retry, mark, home,
/// pause.
///
/// The project names its engines in conf/<env>/remote.yml. A RUN is its id, a part of it that no other run has,
/// or `last`.
///
/// Example: mlops-tui remote submit --wait --params model.alpha=0.1
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    place: PlaceArguments,
}

/// The project, its environment, and the engine.
#[derive(Debug, clap::Args)]
struct PlaceArguments {
    #[command(flatten)]
    project: FolderOption,
    #[command(flatten)]
    env: EnvOption,
    /// The profile in remote.yml [default: the only one]
    #[arg(long, short = 'P', global = true, value_name = "NAME")]
    profile: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the engines that the project names
    List(list::Profiles),
    /// Look at the connection: address, credentials, version, permissions
    Check(list::CheckArguments),
    /// List the pipelines that are on the engine
    Pipelines(list::Pipelines),
    /// Show which nodes share a task
    Plan(deploy::PlanArguments),
    /// Write the pipeline as a DAG file for Airflow
    Deploy(deploy::DeployArguments),
    /// Start a run
    Submit(submit::Arguments),
    /// List runs, the newest first
    Runs(list::Runs),
    /// Show a run with its tasks
    Show(show::Arguments),
    /// Print the logs of a run's tasks
    Logs(logs::Arguments),
    /// Stop a run
    Cancel(act::Cancel),
    /// Run the failed tasks of a run once more, and those after them
    Retry(act::Retry),
    /// Bring a failed task home: its node, where it failed, and the command that runs it here
    Home(home::Arguments),
    /// Set the state of a run or of one of its tasks by hand
    Mark(act::Mark),
    /// Stop or resume the engine's own starts of a pipeline
    Pause(act::Pause),
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let place = &arguments.place;
    let verb = match &arguments.verb {
        Verb::List(arguments) => return list::profiles(&place.profiles()?, arguments),
        Verb::Plan(arguments) => return deploy::plan(place, arguments),
        Verb::Deploy(arguments) => return deploy::deploy(place, arguments),
        verb => verb,
    };
    let opened = place.open()?;
    match verb {
        // They need no connection.
        Verb::List(_) | Verb::Plan(_) | Verb::Deploy(_) => Ok(ExitCode::SUCCESS),
        Verb::Check(arguments) => list::check(&opened, arguments),
        Verb::Pipelines(arguments) => list::pipelines(&opened, arguments),
        Verb::Submit(arguments) => submit::run(&opened, arguments),
        Verb::Runs(arguments) => list::runs(&opened, arguments),
        Verb::Show(arguments) => show::run(&opened, arguments),
        Verb::Logs(arguments) => logs::run(&opened, arguments),
        Verb::Cancel(arguments) => act::cancel(&opened, arguments),
        Verb::Retry(arguments) => act::retry(&opened, arguments),
        Verb::Home(arguments) => home::run(&opened, arguments),
        Verb::Mark(arguments) => act::mark(&opened, arguments),
        Verb::Pause(arguments) => act::pause(&opened, arguments),
    }
}

/// A connection, with the profile and the project that it is for.
struct Opened {
    profile: Profile,
    backend: Box<dyn Backend>,
    /// The project's package.
    package: String,
    /// The project's folder.
    root: PathBuf,
    /// The run environment, if one was chosen.
    env: Option<String>,
}

impl PlaceArguments {
    fn profiles(&self) -> Result<Profiles> {
        Ok(Profiles::read(&self.project.root()?, self.env.name().as_deref()))
    }

    fn open(&self) -> Result<Opened> {
        let root = self.project.root()?;
        let profile = self.profiles()?.choose(self.profile.as_deref())?.clone();
        let package = crate::project::discovery::metadata(&root).0.package_name;
        let backend = connect(&profile, &package)?;
        Ok(Opened { profile, backend, package, root, env: self.env.name() })
    }
}

/// Which run is meant, of which pipeline.
#[derive(Debug, clap::Args)]
struct RunArguments {
    /// Its id, a part of it, or `last`
    #[arg(default_value = "last")]
    run: String,
    /// The pipeline that it is a run of, by its name in the project or its id on the engine
    #[arg(long, short, value_name = "NAME")]
    pipeline: Option<String>,
}

impl RunArguments {
    /// Looks the run up on the engine.
    fn find(&self, opened: &Opened) -> Result<Run> {
        opened.backend.can(Action::Runs).map_err(RemoteError::Unable)?;
        let pipeline = opened.pipeline(self.pipeline.as_deref())?;
        let id = RunId { pipeline: pipeline.clone(), run: self.run.clone() };
        if self.run != "last" {
            match opened.backend.run(&id) {
                Ok(run) => return Ok(run),
                Err(RemoteError::Missing(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let query =
            RunsQuery { pipeline: Some(pipeline.clone()), limit: 100, ..RunsQuery::default() };
        let runs = opened.backend.runs(&query)?;
        let is_meant = |run: &&Run| self.run == "last" || run.id.run.contains(&self.run);
        let mut found = runs.iter().filter(is_meant);
        match (found.next(), found.next()) {
            (Some(run), None) => Ok(run.clone()),
            (Some(run), Some(_)) if self.run == "last" => Ok(run.clone()),
            (Some(_), Some(_)) => Err(UserError::hinted(
                format!("`{}` is a part of several runs of {pipeline}.", self.run),
                "`mlops-tui remote runs` lists them.",
            )
            .into()),
            (None, _) if self.run == "last" => {
                Err(UserError::from(format!("{pipeline} has no run yet.")).into())
            }
            (None, _) => Err(UserError::hinted(
                format!("{pipeline} has no run `{}` among its last 100.", self.run),
                "`mlops-tui remote runs` lists them.",
            )
            .into()),
        }
    }
}

/// Whether a task is meant by this name: its id, which stands for all that it was expanded to, or its name with the number.
fn is_named(task: &Task, name: &str) -> bool {
    name == task.id || name == task.name()
}

/// The error for a name that no task of a run has.
fn no_task(name: &str, tasks: &[Task]) -> UserError {
    let names: Vec<String> = tasks.iter().map(Task::name).collect();
    let known = crate::text::did_you_mean(name, names.iter().map(String::as_str));
    format!("The run has no task `{name}`.{known}").into()
}

impl Opened {
    /// The id of a pipeline on the engine, by its name in the project or by its id.
    fn pipeline(&self, name: Option<&str>) -> Result<String> {
        let deployed = self.profile.deployed(name.unwrap_or("__default__"), &self.package);
        let Some(name) = name else { return Ok(deployed) };
        if self.profile.pipelines.contains_key(name) || name == "__default__" {
            return Ok(deployed);
        }
        // An id of the engine wins over the usual id of a pipeline of that name.
        let known = self.backend.pipelines()?;
        let is_id = known.iter().any(|pipeline| pipeline.id == name);
        Ok(if is_id { name.to_owned() } else { deployed })
    }
}

fn tone(state: &State) -> Tone {
    match state.phase {
        Phase::Succeeded => Tone::Good,
        Phase::Failed => Tone::Bad,
        Phase::Running => Tone::Busy,
        Phase::Retrying | Phase::UpstreamFailed | Phase::Unknown | Phase::Lost => Tone::Warning,
        Phase::Waiting | Phase::Skipped => Tone::Dim,
    }
}

/// The time of an event on this machine's clock; empty if there is none.
fn clock(at: Option<f64>, format: &str) -> String {
    at.map(|at| super::runs::clock(at, format)).unwrap_or_default()
}

fn run_json(run: &Run) -> Json {
    json!({
        "pipeline": run.id.pipeline,
        "run": run.id.run,
        "state": run.state.name,
        "phase": phase(run.state.phase),
        "queued": run.queued,
        "started": run.started,
        "ended": run.ended,
        "kind": run.kind,
        "conf": run.conf,
        "note": run.note,
        "error": run.error,
    })
}

fn task_json(task: &Task) -> Json {
    json!({
        "task": task.id,
        "index": task.index,
        "state": task.state.name,
        "phase": phase(task.state.phase),
        "try": task.attempt,
        "tries": task.attempts,
        "started": task.started,
        "ended": task.ended,
        "host": task.host,
    })
}

/// The name of a phase in JSON.
fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "waiting",
        Phase::Running => "running",
        Phase::Retrying => "retrying",
        Phase::Succeeded => "succeeded",
        Phase::Failed => "failed",
        Phase::UpstreamFailed => "upstream-failed",
        Phase::Skipped => "skipped",
        Phase::Unknown => "unknown",
        Phase::Lost => "lost",
    }
}
