//! Printing to standard output. A closed pipe (`| head`) is not an error.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use color_eyre::eyre::Result;
use serde::Serialize;

use crate::project::{Problem, Severity};
use crate::system::say;
use crate::text::secrets::redact;
use crate::text::{json, sanitize};

/// How errors that a verb finds in the project decide its exit code.
#[derive(Debug, clap::Args)]
pub(super) struct ErrorsArgument {
    /// Exit with 0 even if there are errors
    #[arg(long)]
    exit_zero: bool,
}

impl ErrorsArgument {
    /// The exit code: 1 if there are errors, unless `--exit-zero` was given.
    pub(super) fn code(&self, errors: bool) -> ExitCode {
        if errors && !self.exit_zero { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    /// The exit code for the problems of a project. Warnings are no errors.
    pub(super) fn code_of(&self, problems: &[Problem]) -> ExitCode {
        self.code(problems.iter().any(|problem| problem.severity == Severity::Error))
    }
}

/// Prints a warning on standard error, where it does not disturb what a program reads.
pub(super) fn warn(problem: &Problem) {
    complain(&format!("warning: {}", problem.text));
}

/// Prints a text that ends with a newline.
pub(super) fn text(text: &str) -> Result<ExitCode> {
    bytes(text.as_bytes())
}

/// Prints an error of this program on standard error. Control characters in it are replaced.
pub(super) fn complain(text: &str) {
    let lines: Vec<String> = redact(text).lines().map(sanitize).collect();
    say::complain(&format!("mlops-tui: {}", lines.join("\n")));
}

/// Prints JSON, indented.
pub(super) fn json(value: &impl Serialize) -> Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = json::write_pretty(&mut out, value);
    finished(written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()))
}

/// Prints JSON on one line.
pub(super) fn json_line(value: &impl Serialize) -> Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = json::write_line(&mut out, value);
    finished(written.and_then(|()| out.flush()))
}

/// Prints bytes.
pub(super) fn bytes(bytes: &[u8]) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    finished(out.write_all(bytes).and_then(|()| out.flush()))
}

fn finished(written: io::Result<()>) -> Result<ExitCode> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
