//! `mlops-tui doctor`: checks what a project needs.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use color_eyre::eyre::Result;
use serde_json::{Value as Json, json};

use super::output::{self, ErrorsArgument};
use super::project::FolderArguments;
use crate::project::discovery;
use crate::runs::interpreter;
use crate::store::Store;
use crate::text::{UserError, pad, sanitize};

/// How long Python may take to report its Kedro version.
const PATIENCE: Duration = Duration::from_secs(30);

/// Check what the project needs: interpreter, Kedro, store, terminal.
///
/// Nothing of the project is executed. The exit code is 1 when something is missing.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    folder: FolderArguments,
    /// Python interpreter [default: the project's own]
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    errors: ErrorsArgument,
}

/// The result of one check.
struct Check {
    name: &'static str,
    ok: bool,
    found: String,
    remedy: String,
}

impl Check {
    fn good(name: &'static str, found: impl Into<String>) -> Self {
        Check { name, ok: true, found: found.into(), remedy: String::new() }
    }

    fn bad(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Check { name, ok: false, found: found.into(), remedy: remedy.into() }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut checks = vec![Check::good("mlops-tui", env!("CARGO_PKG_VERSION"))];
    match arguments.folder.root() {
        Ok(root) => check_project(&root, arguments.python.as_deref(), &mut checks),
        Err(error) => {
            let text = error.to_string();
            let (found, remedy) = text.split_once('\n').unwrap_or((&text, ""));
            checks.push(Check::bad("project", found, remedy));
        }
    }
    checks.push(terminal());
    let healthy = checks.iter().all(|check| check.ok);
    if arguments.json {
        output::json(&to_json(&checks, healthy))?;
    } else {
        output::text(&describe(&checks))?;
    }
    Ok(arguments.errors.code(!healthy))
}

fn check_project(root: &Path, python: Option<&Path>, checks: &mut Vec<Check>) {
    let (metadata, problems) = discovery::metadata(root);
    let name = format!("{} in {}", metadata.project_name, root.display());
    checks.push(match problems.first() {
        None => Check::good("project", name),
        Some(problem) => Check::bad("project", problem.text.as_str(), problem.remedy.as_str()),
    });
    match interpreter::choose(root, python) {
        Err(error) => {
            checks.push(Check::bad("python", error.text, error.hint.unwrap_or_default()));
        }
        Ok(found) => {
            let shown = format!("{} ({})", found.path.display(), found.reason);
            checks.push(Check::good("python", shown));
            checks.push(match kedro_version(&found.path) {
                Ok(version) => Check::good("kedro", version),
                Err(error) => Check::bad(
                    "kedro",
                    error.text,
                    "Make the project's environment: mlops-tui env create. Or name another Python: --python",
                ),
            });
        }
    }
    let mut store = Store::new(root);
    checks.push(match store.check_writable() {
        Ok(()) => Check::good("store", store.path().display().to_string()),
        Err(error) => Check::bad("store", error.to_string(), "Make the project's folder writable."),
    });
}

/// Kedro's version in the interpreter's environment, without importing Kedro.
fn kedro_version(python: &Path) -> Result<String, UserError> {
    let ask = "import importlib.metadata as m; print(m.version('kedro'))";
    let mut child = Command::new(python)
        .args(["-I", "-c", ask])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("Python can't be started: {error}."))?;
    let began = Instant::now();
    while matches!(child.try_wait(), Ok(None)) {
        if began.elapsed() > PATIENCE {
            // An error means that the process has ended already.
            let _ = child.kill();
            let _ = child.wait();
            return Err("Python did not answer in 30 s.".into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().map_err(UserError::plain)?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !version.is_empty() {
        Ok(version)
    } else {
        Err("Kedro is not installed in this Python.".into())
    }
}

/// Facts about the terminal. None is a failure, because the headless verbs need no terminal.
fn terminal() -> Check {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let mut facts = Vec::new();
    if std::io::stdout().is_terminal() {
        if let Ok((columns, rows)) = crossterm::terminal::size() {
            facts.push(format!("{columns}x{rows}"));
        }
    } else {
        facts.push("not a terminal".to_owned());
    }
    for name in ["TERM", "COLORTERM", "TERM_PROGRAM", "NO_COLOR", "TMUX", "SSH_TTY"] {
        if let Some(value) = set(name) {
            // The values of the last two variables are not informative.
            facts.push(match name {
                "TMUX" | "SSH_TTY" => name.to_owned(),
                _ => format!("{name}={value}"),
            });
        }
    }
    if let Some(locale) = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set) {
        facts.push(format!("locale {locale}"));
    }
    Check::good("terminal", facts.join(", "))
}

fn to_json(checks: &[Check], healthy: bool) -> Json {
    let checks: Vec<Json> = checks
        .iter()
        .map(|check| {
            json!({"name": check.name, "ok": check.ok, "found": check.found, "remedy": check.remedy})
        })
        .collect();
    json!({"healthy": healthy, "checks": checks})
}

fn describe(checks: &[Check]) -> String {
    let mut out = String::new();
    for check in checks {
        let sign = if check.ok { '✓' } else { '✗' };
        let _ = writeln!(out, "{sign} {} {}", pad(check.name, 10), sanitize(&check.found));
        if !check.remedy.is_empty() {
            let _ = writeln!(out, "  {} {}", pad("", 10), sanitize(&check.remedy));
        }
    }
    out
}
