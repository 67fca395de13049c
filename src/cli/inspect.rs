//! `mlops-tui inspect`: pipelines, datasets, parameters and problems of a project.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use color_eyre::eyre::{Result, bail, eyre};

use super::output::{self, ErrorsArgument};
use super::project::ProjectArguments;
use crate::project::reader::runtime_params;
use crate::project::{Options, Problem, Reader, Severity, Snapshot, json};
use crate::runs::params::Params;
use crate::runs::request::parse_params;
use crate::runs::{Spec, Worker, exact, interpreter};
use crate::system::say;
use crate::text::sanitize;

/// Show what a project is: pipelines, datasets, parameters, problems.
///
/// Nothing of the project is executed, and no Python is started, unless `--exact` asks Kedro
/// itself. `--json` prints the shape of Kedro's `kedro.inspection.ProjectSnapshot`, and the
/// problems found.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    project: ProjectArguments,
    /// Runtime parameters: a=1,model.depth=3
    #[arg(long, value_name = "PARAMS", value_parser = parse_params, default_value = "", hide_default_value = true)]
    params: Params,
    /// Let Kedro itself read the project, which executes the project's code
    #[arg(long)]
    exact: bool,
    /// Python interpreter of the project, for --exact
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    errors: ErrorsArgument,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let root = arguments.project.root()?;
    let options = Options {
        runtime_params: runtime_params(&arguments.params),
        ..arguments.project.options()
    };
    let mut snapshot = Reader::new(&root).read(&options);
    if arguments.exact {
        snapshot = ask_kedro(arguments, &root, &snapshot)?;
    }
    if arguments.json {
        output::json(&json::Written(&snapshot))?;
    } else {
        output::text(&describe(&snapshot))?;
    }
    Ok(arguments.errors.code_of(&snapshot.problems))
}

fn ask_kedro(arguments: &Arguments, root: &Path, read: &Snapshot) -> Result<Snapshot> {
    let python = arguments.python.as_deref();
    let python = interpreter::choose(root, python).map_err(|text| eyre!("{text}"))?;
    let env = arguments.project.env();
    let worker = Worker::fresh(Spec::new(&python.path, root), "asked for");
    let ask = async { Ok(exact::snapshot(&worker, env.as_deref(), &arguments.params).await) };
    match super::block_on(ask)? {
        Ok(answer) => json::from_exact(&answer, read).map_err(|text| eyre!("{text}")),
        Err(failure) => {
            // Print the traceback, without control characters.
            for line in failure.traceback.lines() {
                say::complain(&sanitize(line));
            }
            let kind = failure.kind.rsplit('.').next().unwrap_or_default().to_owned();
            bail!(
                "Kedro can't read the project with {} ({}): {}",
                python.path.display(),
                python.reason,
                sanitize(&format!("{kind}: {}", failure.message))
            )
        }
    }
}

fn describe(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    let metadata = &snapshot.metadata;
    let _ = writeln!(
        out,
        "{} · Kedro {} · env {} · {:?} reading{}",
        sanitize(&metadata.project_name),
        sanitize(&metadata.kedro_version),
        sanitize(&snapshot.env),
        snapshot.reading,
        if snapshot.complete() { "" } else { ", incomplete" },
    );
    for pipeline in &snapshot.pipelines {
        let count = pipeline.nodes.len();
        let _ = writeln!(
            out,
            "\n{} · {count} node{}{}",
            sanitize(&pipeline.name),
            if count == 1 { "" } else { "s" },
            if pipeline.complete { "" } else { " · incomplete" },
        );
        for node in &pipeline.nodes {
            let _ = writeln!(
                out,
                "  {}  {} -> {}",
                sanitize(&node.name),
                sanitize(&node.inputs.join(", ")),
                sanitize(&node.outputs.join(", ")),
            );
        }
    }
    let _ = writeln!(out, "\n{} datasets", snapshot.datasets.len());
    for dataset in snapshot.datasets.values() {
        let _ = writeln!(
            out,
            "  {}  {}  {}",
            sanitize(&dataset.name),
            sanitize(&dataset.type_name),
            sanitize(dataset.filepath.as_deref().unwrap_or("")),
        );
    }
    out.push_str(&describe_problems(&snapshot.problems));
    out
}

/// The problems as text; empty if there are none.
pub(super) fn describe_problems(problems: &[Problem]) -> String {
    let mut out = String::new();
    if problems.is_empty() {
        return out;
    }
    let count = problems.len();
    let _ = writeln!(out, "\n{count} problem{}", if count == 1 { "" } else { "s" });
    for problem in problems {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        let place = problem.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let _ = writeln!(out, "  {severity}  {}{}", sanitize(&place), sanitize(&problem.text));
        if !problem.remedy.is_empty() {
            let _ = writeln!(out, "         {}", sanitize(&problem.remedy));
        }
    }
    out
}
