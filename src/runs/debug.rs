//! A Python prompt, or the debugger, in the context of a node. It takes over the terminal.

use std::io::{self, Write};
use std::process::Command;

use serde_json::json;
use tempfile::NamedTempFile;

use super::plan::Prepared;
use super::process::Spec;
use super::server::{BOOT, SOURCES};

/// The command that opens the prompt for `node`, and the file that it reads; the file has to stay
/// until the command has ended. With `post_mortem` the node runs, and the debugger opens where it
/// fails.
///
/// # Errors
/// When the file can't be written.
pub fn command(
    spec: &Spec,
    prepared: &Prepared,
    node: &str,
    post_mortem: bool,
) -> io::Result<(Command, NamedTempFile)> {
    let mut request = prepared.to_json();
    request["root"] = json!(spec.root);
    request["node"] = json!(node);
    request["post_mortem"] = json!(post_mortem);
    let setup = json!({"start": "debug", "sources": SOURCES, "request": request});
    let mut file = NamedTempFile::new()?;
    file.write_all(setup.to_string().as_bytes())?;
    let mut command = Command::new(&spec.python);
    command.args(["-c", BOOT]).arg(file.path()).current_dir(&spec.root);
    Ok((command, file))
}
