//! `mlops-tui remote plan` and `deploy`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde_json::{Value as Json, json};

use super::PlaceArguments;
use crate::app::words::Tone;
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader as Terminal, lines};
use crate::project::{Options, Reader, Snapshot};
use crate::remote::deploy::deployment;
use crate::remote::{Airflow, Change, DagFile, DagSettings, Deployment, Grouping, Plan};
use crate::text::UserError;

/// Show which nodes share a task on the engine.
///
/// Example: mlops-tui remote plan --group-by namespace
#[derive(Debug, clap::Args)]
pub(super) struct PlanArguments {
    #[command(flatten)]
    grouped: Grouped,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Write the pipeline as a DAG file for Airflow.
///
/// Without --yes, shows what would change. The file goes into the profile's `folder`, or into the one of --to; with
/// --stdout it is printed.
///
/// Example: mlops-tui remote deploy --to ~/airflow/dags --yes
#[derive(Debug, clap::Args)]
pub(super) struct DeployArguments {
    #[command(flatten)]
    grouped: Grouped,
    /// The folder from which Airflow reads DAG files [default: `folder` of the profile]
    #[arg(long, value_name = "FOLDER", conflicts_with = "stdout")]
    to: Option<PathBuf>,
    /// Print the file
    #[arg(long)]
    stdout: bool,
    /// Write without showing the changes first
    #[arg(long, short)]
    yes: bool,
    /// The release line of Airflow that reads the file
    #[arg(long, value_name = "2|3", default_value = "3", value_parser = release)]
    airflow: Airflow,
    /// The project's own template of the file
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A pipeline, and how its nodes are grouped.
#[derive(Debug, clap::Args)]
struct Grouped {
    /// The pipeline
    #[arg(long, short, value_name = "NAME", default_value = "__default__")]
    pipeline: String,
    /// Which nodes share a task, besides those that pass data in memory: memory, node, namespace, tag, tag:PREFIX
    #[arg(long, short, value_name = "GROUPING", default_value = "memory")]
    group_by: Grouping,
}

fn release(text: &str) -> Result<Airflow, String> {
    match text {
        "2" => Ok(Airflow::Two),
        "3" => Ok(Airflow::Three),
        _ => Err("there are 2 and 3".into()),
    }
}

/// The project, and the plan of a pipeline.
fn planned(place: &PlaceArguments, grouped: &Grouped) -> Result<(Reader, Snapshot, Plan)> {
    let mut reader = Reader::new(place.project.root()?);
    let snapshot = reader.read(&Options { env: place.env.name(), ..Options::default() });
    let plan = Plan::of(&snapshot, &grouped.pipeline, &grouped.group_by)?;
    Ok((reader, snapshot, plan))
}

pub(super) fn plan(place: &PlaceArguments, arguments: &PlanArguments) -> Result<ExitCode> {
    let (_, _, plan) = planned(place, &arguments.grouped)?;
    if arguments.json {
        let task = |task: &crate::remote::PlannedTask| json!({"task": task.id, "nodes": task.nodes, "upstream": task.upstream});
        return output::json(&plan.tasks.iter().map(task).collect::<Vec<Json>>());
    }
    let row = |task: &crate::remote::PlannedTask| -> Vec<Cell> {
        vec![
            (task.id.clone(), Tone::Plain),
            (task.nodes.join(", "), Tone::Dim),
            (task.upstream.join(", "), Tone::Dim),
        ]
    };
    let rows: Vec<Vec<Cell>> = plan.tasks.iter().map(row).collect();
    let columns = [("task", Align::Name), ("nodes", Align::Left), ("after", Align::Left)];
    output::text(&lines(Terminal::of_stdout(), &columns, &rows))
}

pub(super) fn deploy(place: &PlaceArguments, arguments: &DeployArguments) -> Result<ExitCode> {
    let (mut reader, snapshot, plan) = planned(place, &arguments.grouped)?;
    let settings = DagSettings::read(&mut reader, place.env.name().as_deref(), &plan.pipeline)?;
    let file = DagFile::new(&snapshot, &plan, &settings, arguments.airflow);
    let template = match &arguments.template {
        Some(path) => Some(fs::read_to_string(path).map_err(|error| {
            UserError::from(format!("{} can't be read: {error}.", path.display()))
        })?),
        None => None,
    };
    let made = deployment(&snapshot, &file, template.as_deref())?;
    for key in &made.unused {
        output::complain(&format!(
            "airflow.yml: `{key}` is not used; a template (--template) may use it."
        ));
    }
    if arguments.stdout {
        return output::bytes(made.text.as_bytes());
    }
    let folder = match &arguments.to {
        Some(folder) => folder.clone(),
        None => place.profiles()?.choose(place.profile.as_deref())?.folder.clone().ok_or_else(|| {
            UserError::hinted(
                "The profile has no `folder`.",
                "Name the folder from which Airflow reads DAG files, there or by --to; --stdout prints the file.",
            )
        })?,
    };
    let change = match arguments.yes {
        true => made.write(&folder)?,
        false => made.change(&folder)?,
    };
    let (word, difference) = match &change {
        Change::New => ("new", ""),
        Change::Unchanged => ("unchanged", ""),
        Change::Changed(difference) => ("changed", difference.as_str()),
    };
    let is_written = arguments.yes && change != Change::Unchanged;
    let path = made.path(&folder);
    if arguments.json {
        return output::json(&json!({
            "pipeline": made.id, "file": path, "change": word, "difference": difference, "written": is_written,
        }));
    }
    if !arguments.yes {
        output::text(difference)?;
    }
    let text = match (&change, is_written) {
        (Change::Unchanged, _) => format!("Unchanged: {}.\n", path.display()),
        (_, true) => {
            let text = format!("Written: {}. DAG {}.", path.display(), made.id);
            format!("{}\n", [text.as_str(), Deployment::next_step(&folder)].join(" ").trim_end())
        }
        (_, false) => format!(
            "Would be {}: {}. --yes writes it.\n",
            if word == "new" { "new" } else { "changed" },
            path.display()
        ),
    };
    output::text(&text)
}
