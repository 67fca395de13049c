//! A Python prompt, or the debugger, in the context of a node. Python takes over the terminal.

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

/// Replaces this process by a Python prompt for `node`, so that the terminal and its signals belong to Python
/// alone. With `post_mortem` the node runs and the debugger opens where it fails. Returns only on an error:
/// the request can't be written, or Python can't be started.
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
