//! A Python prompt, or the debugger, in the context of a node. Python takes over the terminal.

use std::fs;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value as Json, json};
use tempfile::NamedTempFile;

use super::plan::{InputSource, Prepared};
use super::process::{Process, Spec};
use super::server::{BOOT, SOURCES};
use super::warm::Worker;
use crate::text::sanitize;

/// Where the prompt is, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Name of the node.
    pub node: String,
    /// Whether the node runs, and the debugger opens where it fails.
    pub post_mortem: bool,
}

/// Starts a Python prompt in a child of the worker. The child takes the terminal of this process, which must not
/// use it until the [`Process`] has ended; then this process has it again. Needs a tokio runtime.
///
/// # Errors
/// When the interpreter can't be started.
pub fn prompt(worker: &Worker, prepared: &Prepared, prompt: &Prompt) -> io::Result<Process> {
    let mut request = request(prepared, prompt);
    request["command"] = json!("debug");
    request["foreground"] = json!(rustix::process::getpgrp().as_raw_nonzero());
    worker.begin(request)
}

/// What the user should know of the inputs before the prompt appears: datasets that do not exist yet, and
/// copies that earlier runs kept.
pub fn notes(prepared: &Prepared) -> Vec<String> {
    let Some(plan) = &prepared.plan else { return Vec::new() };
    let missing = plan.nodes.iter().filter_map(|added| {
        let dataset = sanitize(added.makes.as_deref()?);
        Some(format!("{dataset} does not exist yet; the node {} makes it.", sanitize(&added.name)))
    });
    let kept = plan.inputs.iter().filter_map(|input| match input.from {
        InputSource::Kept { run, .. } => {
            let dataset = sanitize(&input.dataset);
            Some(format!("{dataset}: the copy that run {run} kept is loaded."))
        }
        _ => None,
    });
    missing.chain(kept).collect()
}

fn request(prepared: &Prepared, prompt: &Prompt) -> Json {
    let mut request = prepared.to_json();
    request["node"] = json!(prompt.node);
    request["post_mortem"] = json!(prompt.post_mortem);
    request
}

/// Replaces this process by a Python prompt, so that the terminal and its signals belong to Python alone.
/// Returns only on an error: the request can't be written, or Python can't be started.
pub fn become_prompt(spec: &Spec, prepared: &Prepared, prompt: &Prompt) -> io::Error {
    let mut request = request(prepared, prompt);
    request["root"] = json!(spec.root);
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
