//! `mlops-tui run --detach`: the same command again, as a run that outlives the terminal.

use std::process::ExitCode;

use color_eyre::eyre::{Result, eyre};

use super::output;
use crate::runs::detach::{DETACHED, start};

/// Starts this command line again with `--detached` for `--detach`, and waits until its run has
/// begun.
pub(super) fn detach(json: bool) -> Result<ExitCode> {
    let arguments = std::env::args_os().skip(1).map(|word| match word.to_str() {
        Some("--detach") => DETACHED.into(),
        _ => word,
    });
    let begun = start(arguments).map_err(|error| eyre!(error))?;
    if json {
        return output::json(&serde_json::to_value(begun)?);
    }
    output::text(&format!(
        "Run {0} goes on by itself. `mlops-tui runs show {0}` tells of it, and so does the screen.\n",
        begun.run
    ))
}
