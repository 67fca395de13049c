//! `mlops-tui config`: resolved configuration with origins.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use serde_json::json;

use super::inspect;
use super::output::{self, ErrorsArgument};
use super::project::{self, EnvOption};
use crate::app::screens::entry::find;
use crate::project::json::{located_to_json, problem_to_json, value_to_json};
use crate::project::reader::Configuration;
use crate::project::{Located, Reader, Value};
use crate::text::secrets;
use crate::text::{pad, sanitize, width};

/// Show resolved configuration with the origin of each value.
///
/// Environments are merged and interpolations resolved as in Kedro; each value is shown with the
/// file, line and environment that set it. Secrets are shown as `********`; `--reveal` prints one of them.
///
/// Example: mlops-tui config catalog --env cloud
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The project (optional), then the kind: catalog, parameters, globals, credentials, or
    /// another one of the project's `config_patterns`
    #[arg(num_args = 1..=2, required = true, value_names = ["PATH", "KIND"])]
    path_and_kind: Vec<String>,
    /// The project, as PATH
    #[arg(long, short = 'C', value_name = "PATH")]
    project: Option<PathBuf>,
    #[command(flatten)]
    env: EnvOption,
    /// Print JSON: `{"value", "origin"}` at every level
    #[arg(long)]
    json: bool,
    /// Print only the value of this dotted key to a terminal, even if it is a secret
    #[arg(long, value_name = "KEY", conflicts_with = "json")]
    reveal: Option<String>,
    #[command(flatten)]
    errors: ErrorsArgument,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (path, kind) = match arguments.path_and_kind.as_slice() {
        [kind] => (arguments.project.as_deref(), kind),
        [_, _, ..] if arguments.project.is_some() => {
            bail!("Name the project once: as PATH or by -C.")
        }
        [path, kind, ..] => (Some(Path::new(path)), kind),
        [] => bail!("Name what to show: catalog, parameters, globals or credentials."),
    };
    if arguments.reveal.is_some() {
        if !std::io::stdout().is_terminal() {
            bail!("--reveal prints to a terminal alone, so that no secret stays in a file.");
        }
        secrets::keep_values();
    }
    let mut reader = Reader::new(project::root(path)?);
    let Configuration { config, problems, .. } = reader.configuration(&arguments.env.options());
    let Some(located) = config.kinds.get(kind) else {
        let known: Vec<&str> = config.kinds.keys().map(String::as_str).collect();
        bail!("There is no configuration kind `{kind}` here; there are: {}.", known.join(", "));
    };
    if let Some(key) = &arguments.reveal {
        return reveal(located, kind, key);
    }
    if arguments.json {
        output::json(&json!({
            "kind": kind,
            "env": config.env,
            "config": located_to_json(located),
            "problems": problems.iter().map(problem_to_json).collect::<Vec<_>>(),
        }))?;
    } else {
        output::text(&(describe(located) + &inspect::describe_problems(&problems)))?;
    }
    Ok(arguments.errors.code_of(&problems))
}

/// Prints the value at a dotted key.
fn reveal(located: &Located, kind: &str, key: &str) -> Result<ExitCode> {
    let Some(found) = find(located, key) else { bail!("There is no `{key}` in {kind}.") };
    let text = match &found.value {
        Value::Map(_) | Value::List(_) => bail!("`{key}` has values below it; name one of them."),
        Value::Secret(secret) => match secret.reveal() {
            Some(value) => value.to_owned(),
            None => bail!("`{key}` is put together from other values; reveal those."),
        },
        Value::Str(text) => text.clone(),
        other => value_to_json(other).to_string(),
    };
    let lines: String = text.lines().map(|line| sanitize(line) + "\n").collect();
    output::text(&lines)
}

/// YAML-like lines, each value with its origin as a comment, the comments aligned.
fn describe(located: &Located) -> String {
    let mut rows = Vec::new();
    push(&mut rows, 0, None, located);
    let column = rows.iter().map(|(text, _)| width(text)).filter(|width| *width <= 60).max();
    let column = column.unwrap_or(0) + 2;
    let mut out = String::new();
    for (text, origin) in rows {
        match origin {
            Some(origin) => {
                let cells = column.max(width(&text) + 2);
                let _ = writeln!(out, "{}# {origin}", pad(&text, cells));
            }
            None => {
                let _ = writeln!(out, "{text}");
            }
        }
    }
    out
}

fn push(rows: &mut Vec<(String, Option<String>)>, depth: usize, key: Option<&str>, at: &Located) {
    let indent = "  ".repeat(depth.saturating_sub(1));
    let label = match key {
        Some("-") => format!("{indent}- "),
        Some(key) => format!("{indent}{}: ", sanitize(key)),
        None => String::new(),
    };
    let origin = at.origin.as_ref().map(|origin| sanitize(&origin.to_string()));
    match &at.value {
        Value::Map(map) if !map.is_empty() => {
            if key.is_some() {
                rows.push((label.trim_end().to_owned(), origin));
            }
            map.iter().for_each(|(key, item)| push(rows, depth + 1, Some(key), item));
        }
        Value::List(items) if !items.is_empty() => {
            if key.is_some() {
                rows.push((label.trim_end().to_owned(), origin));
            }
            items.iter().for_each(|item| push(rows, depth + 1, Some("-"), item));
        }
        Value::Str(text) => rows.push((format!("{label}{}", sanitize(text)), origin)),
        other => {
            rows.push((format!("{label}{}", sanitize(&value_to_json(other).to_string())), origin))
        }
    }
}
