//! `mlops-tui run --detach`: the same command again, as a run that outlives the terminal.

use std::ffi::OsString;
use std::process::ExitCode;

use color_eyre::eyre::{Result, eyre};

use super::output;
use crate::runs::detach::{DETACHED, PARAMS_FROM, start};
use crate::runs::params::Handed;

/// Starts this command line again with `--detached` for `--detach`, and waits until its run has
/// begun. Parameters go through a file, because other users can see the command line of a running process.
pub(super) fn detach(handed: &Handed, json: bool) -> Result<ExitCode> {
    let mut arguments: Vec<OsString> = Vec::new();
    let mut words = std::env::args_os().skip(1);
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--detach") => arguments.push(DETACHED.into()),
            Some("--params" | "--runner-params") => drop(words.next()),
            Some(text) if text.starts_with("--params=") || text.starts_with("--runner-params=") => {
            }
            _ => arguments.push(word),
        }
    }
    if !handed.is_empty() {
        let file = handed.leave().map_err(|error| eyre!(error))?;
        // Insert before a `--`, because no options follow it.
        arguments.splice(1..1, [PARAMS_FROM.into(), file.into()]);
    }
    let begun = start(arguments, None).map_err(|error| eyre!(error))?;
    if json {
        return output::json(&serde_json::to_value(begun)?);
    }
    output::text(&match begun.run {
        Some(id) => format!(
            "Run {id} continues in the background. `mlops-tui runs show {id}` and the screen show it.\n"
        ),
        None => "The run continues in the background. It is not kept in the history.\n".to_owned(),
    })
}
