//! A Python prompt, or the debugger, in the context of a node. It takes over the terminal.

use std::fs;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;
use tempfile::NamedTempFile;

use super::plan::Prepared;
use super::process::Spec;
use super::server::{BOOT, SOURCES};

/// Opens the prompt for `node` in the place of this process, so that the terminal and its signals are
/// Python's alone. With `post_mortem` the node runs, and the debugger opens where it fails. Comes back
/// only with an error: the request can't be written, or Python not be started.
pub fn become_prompt(spec: &Spec, prepared: &Prepared, node: &str, post_mortem: bool) -> io::Error {
    let mut request = prepared.to_json();
    request["root"] = json!(spec.root);
    request["node"] = json!(node);
    request["post_mortem"] = json!(post_mortem);
    // Python removes the file once it has read it.
    let setup = json!({"start": "debug", "sources": SOURCES, "request": request, "remove": true});
    let path = match write(&setup.to_string()) {
        Ok(path) => path,
        Err(error) => return error,
    };
    let mut command = Command::new(&spec.python);
    let error = command.args(["-c", BOOT]).arg(&path).current_dir(&spec.root).exec();
    let _ = fs::remove_file(path);
    error
}

fn write(text: &str) -> io::Result<PathBuf> {
    let mut file = NamedTempFile::new()?;
    file.write_all(text.as_bytes())?;
    Ok(file.into_temp_path().keep()?)
}
