//! The Python prompt in a node's context: the `debug` verb of this program, which has the terminal meanwhile.

use std::path::PathBuf;
use std::process::Command;

use super::services::Services;
use crate::runs::RunRequest;
use crate::runs::params::Handed;
use crate::text::UserError;

/// Runs its arguments, and waits for a key if they fail, so that their output can be read. Ctrl-C goes
/// to the program that it runs.
const WAITING: &str = r#"trap : INT; "$@" || { printf '\nPress enter to go back. '; read -r _; }"#;

/// The command that opens the prompt.
///
/// # Errors
/// If the parameters can't be handed over.
pub(super) fn command(
    services: &Services,
    node: &str,
    post_mortem: bool,
    request: &RunRequest,
) -> Result<Command, UserError> {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("mlops-tui"));
    let mut command = Command::new("/bin/sh");
    command.args(["-c", WAITING, "sh"]).arg(program).arg("debug");
    let mut option = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            command.arg(format!("--{name}={value}"));
        }
    };
    option("pipeline", request.pipeline.as_deref());
    option("env", request.env.as_deref());
    // Other users could see parameters on a command line.
    if !request.params.is_empty() {
        let handed = Handed { params: request.params.clone(), runner_params: None };
        command.arg("--params-from").arg(handed.leave()?);
    }
    if post_mortem {
        command.arg("--post-mortem");
    }
    if let Some(python) = services.python() {
        command.arg("--python").arg(python);
    }
    command.arg("--").arg(node).arg(services.root());
    Ok(command)
}
