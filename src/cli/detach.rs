//! A run that outlives the terminal: the same command again, in a session of its own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitCode, Stdio};

use color_eyre::eyre::{Result, WrapErr, bail};
use serde::{Deserialize, Serialize};

use crate::store::RunId;
use crate::text::sanitize;

/// What the run says when it has begun.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Begun {
    /// Its number; 0 when it can't be recorded.
    pub run: RunId,
}

/// Starts this command line again with `--detached` for `--detach`, and waits until its run has
/// begun.
pub(super) fn detach(json: bool) -> Result<ExitCode> {
    let program = std::env::current_exe().wrap_err("the program's own file is not known")?;
    let arguments = std::env::args_os().skip(1).map(|word| match word.to_str() {
        Some("--detach") => "--detached".into(),
        _ => word,
    });
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .wrap_err("the run can't be started")?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    let Ok(begun) = serde_json::from_str::<Begun>(&line) else {
        let mut complaint = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            stderr.read_to_string(&mut complaint)?;
        }
        let complaint = complaint.trim().trim_start_matches("mlops-tui:").trim();
        bail!("{}", sanitize(complaint).trim_end_matches('␊'));
    };
    if json {
        println!("{line}");
    } else {
        println!(
            "Run {0} goes on by itself. `mlops-tui runs show {0}` tells of it, and so does the screen.",
            begun.run
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Leaves the terminal and its session: their end is not this run's.
pub(super) fn leave() -> Result<()> {
    rustix::process::setsid().wrap_err("the run can't leave its session")?;
    Ok(())
}

/// Says that the run has begun, and nothing more from then on.
pub(super) fn begun(run: RunId) -> Result<()> {
    println!("{}", serde_json::to_string(&Begun { run })?);
    let nowhere = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    rustix::stdio::dup2_stderr(&nowhere)?;
    Ok(())
}
