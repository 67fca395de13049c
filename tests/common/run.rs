//! Runs by the program itself.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::python::python;

/// Runs `mlops-tui run` in a project; its exit code and the events that it printed.
pub fn run(root: &Path, arguments: &[&str]) -> (i32, Vec<Value>) {
    let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args(["run", "--json", "--python"])
        .arg(python())
        .arg(root)
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code().unwrap(), events)
}
