//! `mlops-tui remote list`, `check`, `pipelines` and `runs`.

use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::{Value as Json, json};

use super::{Opened, clock, run_json, tone};
use crate::app::words::{Tone, seconds_text};
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::remote::model::{Run, RunsQuery};
use crate::remote::{Action, RemoteError};
use crate::store::now;

/// List the engines that the project names.
///
/// Example: mlops-tui remote list
#[derive(Debug, clap::Args)]
pub(super) struct Profiles {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Look at the connection to an engine, part by part. Exits with 1 if a part is wrong.
///
/// Example: mlops-tui remote check --profile prod
#[derive(Debug, clap::Args)]
pub(super) struct CheckArguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// List the pipelines that are on the engine.
///
/// Example: mlops-tui remote pipelines
#[derive(Debug, clap::Args)]
pub(super) struct Pipelines {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// List runs on the engine, the newest first.
///
/// Example: mlops-tui remote runs --state failed
#[derive(Debug, clap::Args)]
pub(super) struct Runs {
    /// Runs of this pipeline, by its name in the project or its id on the engine [default: of the project's]
    #[arg(long, short, value_name = "NAME")]
    pipeline: Option<String>,
    /// Runs of all pipelines on the engine
    #[arg(long, conflicts_with = "pipeline")]
    all: bool,
    /// Runs in this state, under the engine's name; several are separated by commas
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    state: Vec<String>,
    /// Show at most this many
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn profiles(
    profiles: &crate::remote::Profiles,
    arguments: &Profiles,
) -> Result<ExitCode> {
    let code = if profiles.mistakes.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if arguments.json {
        let profile = |profile: &crate::remote::Profile| {
            json!({
                "name": profile.name,
                "engine": profile.engine.name(),
                "url": profile.url,
                "credentials": profile.credentials.1,
                "place": profile.place,
            })
        };
        let mistakes: Vec<String> = profiles.mistakes.iter().map(|error| error.line()).collect();
        let list: Vec<Json> = profiles.list.iter().map(profile).collect();
        output::json(&json!({"profiles": list, "mistakes": mistakes}))?;
        return Ok(code);
    }
    if profiles.list.is_empty() && profiles.mistakes.is_empty() {
        return output::text(
            "The project names no engine. Write one into conf/base/remote.yml: a name, and below it\n\
             `engine: airflow` and `url: …`.\n",
        );
    }
    let row = |profile: &crate::remote::Profile| -> Vec<Cell> {
        vec![
            (profile.name.clone(), Tone::Plain),
            (profile.engine.name().to_owned(), Tone::Dim),
            (profile.url.clone(), Tone::Plain),
            (profile.place.clone(), Tone::Dim),
        ]
    };
    let rows: Vec<Vec<Cell>> = profiles.list.iter().map(row).collect();
    let columns = [
        ("name", Align::Name),
        ("engine", Align::Left),
        ("url", Align::Name),
        ("file", Align::Name),
    ];
    if !rows.is_empty() {
        output::text(&lines(Reader::of_stdout(), &columns, &rows))?;
    }
    profiles.mistakes.iter().for_each(|error| output::complain(&error.line()));
    Ok(code)
}

pub(super) fn check(opened: &Opened, arguments: &CheckArguments) -> Result<ExitCode> {
    let checks = opened.backend.check();
    let is_good = checks.iter().all(|check| check.found.is_ok());
    if arguments.json {
        let check = |check: &crate::remote::Check| {
            let (good, text) = match &check.found {
                Ok(text) => (true, text),
                Err(text) => (false, text),
            };
            json!({"what": check.what, "good": good, "found": text})
        };
        output::json(&checks.iter().map(check).collect::<Vec<Json>>())?;
    } else {
        let row = |check: &crate::remote::Check| -> Vec<Cell> {
            let (sign, text, tone) = match &check.found {
                Ok(text) => ("✓", text, Tone::Good),
                Err(text) => ("✗", text, Tone::Bad),
            };
            vec![
                (sign.to_owned(), tone),
                (check.what.to_owned(), Tone::Plain),
                (text.clone(), Tone::Plain),
            ]
        };
        let rows: Vec<Vec<Cell>> = checks.iter().map(row).collect();
        let columns = [("", Align::Left), ("", Align::Left), ("", Align::Left)];
        // The remedies must be whole, however narrow the terminal is.
        let reader = Reader { width: None, ..Reader::of_stdout() };
        output::text(&lines(reader, &columns, &rows))?;
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) fn pipelines(opened: &Opened, arguments: &Pipelines) -> Result<ExitCode> {
    let found = opened.backend.pipelines()?;
    if arguments.json {
        let pipeline = |one: &crate::remote::model::Deployed| {
            json!({
                "id": one.id,
                "paused": one.paused,
                "schedule": one.schedule,
                "tags": one.tags,
                "broken": one.broken,
            })
        };
        return output::json(&found.iter().map(pipeline).collect::<Vec<Json>>());
    }
    if found.is_empty() {
        return output::text("No pipeline is on the engine.\n");
    }
    let own = opened.pipeline(None)?;
    let row = |one: &crate::remote::model::Deployed| -> Vec<Cell> {
        let state = match (one.broken, one.paused) {
            (true, _) => ("broken", Tone::Bad),
            (_, true) => ("paused", Tone::Warning),
            _ => ("active", Tone::Good),
        };
        let mark = if one.id == own { "this project's" } else { "" };
        vec![
            (one.id.clone(), Tone::Plain),
            (state.0.to_owned(), state.1),
            (one.schedule.clone().unwrap_or_default(), Tone::Plain),
            (one.tags.join(", "), Tone::Dim),
            (mark.to_owned(), Tone::Dim),
        ]
    };
    let columns = [
        ("pipeline", Align::Name),
        ("", Align::Left),
        ("schedule", Align::Left),
        ("tags", Align::Left),
        ("", Align::Left),
    ];
    let rows: Vec<Vec<Cell>> = found.iter().map(row).collect();
    output::text(&lines(Reader::of_stdout(), &columns, &rows))
}

pub(super) fn runs(opened: &Opened, arguments: &Runs) -> Result<ExitCode> {
    opened.backend.can(Action::Runs).map_err(RemoteError::Unable)?;
    let pipeline = match (&arguments.pipeline, arguments.all) {
        (_, true) => None,
        (name, _) => Some(opened.pipeline(name.as_deref())?),
    };
    let query = RunsQuery {
        pipeline: pipeline.clone(),
        states: arguments.state.clone(),
        limit: arguments.limit,
    };
    let runs = opened.backend.runs(&query)?;
    if arguments.json {
        return output::json(&runs.iter().map(run_json).collect::<Vec<Json>>());
    }
    if runs.is_empty() {
        let of = pipeline.map(|id| format!(" of {id}")).unwrap_or_default();
        return output::text(&format!("There is no run{of}.\n"));
    }
    let now = now();
    let row = |run: &Run| -> Vec<Cell> {
        let took = run.started.map(|start| run.ended.unwrap_or(now) - start);
        vec![
            (run.id.pipeline.clone(), Tone::Dim),
            (run.id.run.clone(), Tone::Plain),
            (run.state.name.clone(), tone(&run.state)),
            (clock(run.started.or(run.queued), "%Y-%m-%d %H:%M"), Tone::Plain),
            (took.map(seconds_text).unwrap_or_default(), Tone::Plain),
            (run.kind.clone(), Tone::Dim),
        ]
    };
    let columns = [
        ("pipeline", Align::Name),
        ("run", Align::Name),
        ("state", Align::Left),
        ("began", Align::Left),
        ("took", Align::Right),
        ("kind", Align::Left),
    ];
    let rows: Vec<Vec<Cell>> = runs.iter().map(row).collect();
    output::text(&lines(Reader::of_stdout(), &columns, &rows))
}
