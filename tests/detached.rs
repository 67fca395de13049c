//! Runs that go on by themselves, and the prompt in a node's context, with real Kedro.

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::project::project;
use common::python::python;
use mlops_tui::store::{Outcome, RunFilter, RunRecord, Store};

const NODES: &str = r#"
import pathlib, time


def first(size):
    return {"size": size}


def wait(table):
    while not pathlib.Path("go").exists():
        time.sleep(0.02)
    return 1 / (table["size"] - 3)


def make(node):
    return [node(first, "params:size", "table", name="first"), node(wait, "table", "x", name="wait")]
"#;

fn program(root: &Path, verb: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-tui"));
    command.args(verb).arg("--python").arg(python()).current_dir(root).stdin(Stdio::null());
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn until(root: &Path, wanted: impl Fn(&RunRecord) -> bool) -> RunRecord {
    let began = Instant::now();
    let mut store = Store::new(root);
    loop {
        store.recover().unwrap();
        let run = store.runs(&RunFilter::newest(1)).unwrap().into_iter().next();
        if let Some(run) = run.filter(|run| wanted(run)) {
            return run;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "the run does not get there");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn going(run: &RunRecord) -> bool {
    run.outcome == Outcome::Running && run.nodes_done == 1
}

#[test]
fn a_detached_run_goes_on_without_who_started_it() {
    let folder = project(NODES);
    let root = folder.path();
    let output =
        program(root, &["run", "--detach", "--json", "--params", "size=4"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let begun: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(begun["run"], 1);
    let run = until(root, going);
    assert!(run.new.detached);
    fs::write(root.join("go"), "").unwrap();
    let run = until(root, |run| run.outcome != Outcome::Running);
    assert_eq!((run.outcome, run.nodes_done), (Outcome::Succeeded, 2));
}

#[test]
fn a_detached_run_that_crashes_is_not_running() {
    let folder = project(NODES);
    let root = folder.path();
    assert!(program(root, &["run", "--detach"]).status().unwrap().success());
    until(root, going);
    let connection = rusqlite::Connection::open(Store::new(root).path()).unwrap();
    let pid: i32 = connection.query_row("SELECT pid FROM runs", [], |row| row.get(0)).unwrap();
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    assert_eq!(until(root, |run| run.outcome != Outcome::Running).outcome, Outcome::Lost);
}

#[test]
fn a_detached_run_that_cannot_begin_says_why() {
    let folder = project(NODES);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-tui"));
    let output =
        command.args(["run", "--detach", "--python", "/no/python"]).arg(folder.path()).output();
    let output = output.unwrap();
    assert!(!output.status.success());
    assert!(text(&output).contains("/no/python"), "{}", text(&output));
}

#[test]
fn the_prompt_has_the_inputs_of_the_node() {
    let folder = project(NODES);
    let root = folder.path();
    fs::write(root.join("go"), "").unwrap();
    let output = program(root, &["debug", "wait"]).output().unwrap();
    assert!(text(&output).contains("table is missing: run first first."), "{}", text(&output));
    assert!(!program(root, &["run"]).output().unwrap().status.success());

    let mut child = program(root, &["debug", "wait"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"print('size', table['size'], func.__name__)\n")
        .unwrap();
    let told = text(&child.wait_with_output().unwrap());
    assert!(told.contains("table is the one of run 1."), "{told}");
    assert!(told.contains("size 3 wait"), "{told}");

    let mut child = program(root, &["debug", "wait", "--post-mortem"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"p table\nq\n").unwrap();
    let told = text(&child.wait_with_output().unwrap());
    assert!(told.contains("ZeroDivisionError") && told.contains("(Pdb) {'size': 3}"), "{told}");
    assert!(!told.contains("mlops-tui worker"), "{told}");

    let output = program(root, &["debug", "wai"]).output().unwrap();
    assert!(text(&output).contains("did you mean `wait`?"), "{}", text(&output));
}
