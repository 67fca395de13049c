//! Runs that go on by themselves, and the prompt in a node's context, with real Kedro.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use mlops_tui::store::{Outcome, RunFilter, RunRecord, Store};

use crate::common::project::project;
use crate::common::python::python;
use crate::common::terminal::Terminal;

pub(crate) const NODES: &str = r#"
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

pub(crate) fn until(root: &Path, wanted: impl Fn(&RunRecord) -> bool) -> RunRecord {
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

pub(crate) fn going(run: &RunRecord) -> bool {
    run.outcome == Outcome::Running && run.nodes_done == 1
}

/// The process that records the last run.
fn pid(root: &Path) -> String {
    let connection = rusqlite::Connection::open(Store::new(root).path()).unwrap();
    let sql = "SELECT pid FROM runs ORDER BY id DESC LIMIT 1";
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().to_string()
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
    assert!(Command::new("kill").args(["-9", &pid(root)]).status().unwrap().success());
    assert_eq!(until(root, |run| run.outcome != Outcome::Running).outcome, Outcome::Lost);
}

#[test]
fn two_runs_do_not_write_the_same_data_at_the_same_time() {
    let folder = project(NODES);
    let root = folder.path();
    let catalog = "x:\n  type: json.JSONDataset\n  filepath: data/x.json\n";
    fs::write(root.join("conf/base/catalog.yml"), catalog).unwrap();
    let size = ["--params", "size=4"];
    let run = |words: &[&str]| program(root, &[words, &size].concat()).output().unwrap();
    assert!(run(&["run", "--detach"]).status.success());
    until(root, going);
    for words in
        [&["run"][..], &["run", "--strict"], &["run", "--detach"], &["run", "--nodes", "wait"]]
    {
        let output = run(words);
        let text = text(&output);
        assert!(text.contains("Run 1 is going on and writes data/x.json."), "{words:?}: {text}");
        assert!(text.contains("mlops-tui runs cancel 1"), "{words:?}: {text}");
        assert_eq!(output.status.code(), Some(1), "{words:?}");
    }
    let other = run(&["run", "--nodes", "first"]);
    assert!(other.status.success(), "it writes something else: {}", text(&other));
    // A program that is killed releases what it was to write.
    let sql = "SELECT pid FROM runs WHERE id = 1";
    let connection = rusqlite::Connection::open(Store::new(root).path()).unwrap();
    let pid: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    fs::write(root.join("go"), "").unwrap();
    let again = run(&["run"]);
    assert!(again.status.success(), "{}", text(&again));
}

#[test]
fn the_screen_detaches_a_run_shows_it_live_and_cancels_it() {
    let folder = project(NODES);
    let (root, home) = (folder.path(), tempfile::tempdir().unwrap());
    let arguments = [root.to_str().unwrap(), "--python", python().to_str().unwrap()];
    let mut terminal = Terminal::start(home.path(), 120, 30, &arguments, &[]);
    terminal.wait_for("2 nodes");
    terminal.keys("B");
    terminal.wait_for("Trust this project?");
    terminal.keys("y");
    terminal.wait_for("Run 1 continues in the background");
    assert!(until(root, going).new.detached);
    terminal.wait_for("run 1 1/2 in the background");
    terminal.keys("x");
    terminal.wait_for("Another program runs run 1.");
    terminal.keys("n4");
    terminal.wait_for("1/2");
    terminal.keys("<enter>");
    terminal.wait_for("critical path");
    terminal.keys("x");
    terminal.wait_for("Cancel this run?");
    terminal.keys("y");
    terminal.wait_for("cancelled 1/2");
    terminal.wait_for("run 1 cancelled after");
    assert_eq!(until(root, |_| true).outcome, Outcome::Cancelled);

    // One that is started elsewhere, goes on when the screen leaves, and is killed.
    terminal.keys("<esc>");
    assert!(program(root, &["run", "--detach"]).status().unwrap().success());
    terminal.wait_for("running");
    until(root, going);
    terminal.keys("q");
    assert!(terminal.wait_exit().success());
    assert!(going(&until(root, |_| true)));
    let mut terminal = Terminal::start(home.path(), 120, 30, &arguments, &[]);
    terminal.keys("4");
    terminal.wait_for("running");
    assert!(Command::new("kill").args(["-9", &pid(root)]).status().unwrap().success());
    terminal.wait_for("lost: the program");
    terminal.keys("q");
    assert!(terminal.wait_exit().success());
}

#[test]
fn a_run_of_another_terminal_is_cancelled_by_the_verb() {
    let folder = project(NODES);
    let root = folder.path();
    assert!(program(root, &["run", "--detach"]).status().unwrap().success());
    until(root, going);
    let cancel = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-tui"));
        command.args(["runs", "cancel", "last", "-C"]).arg(root).output().unwrap()
    };
    assert_eq!(text(&cancel()), "Run 1 is being cancelled.\n");
    let run = until(root, |run| run.outcome != Outcome::Running);
    assert_eq!(run.outcome, Outcome::Cancelled);
    assert!(text(&cancel()).contains("Run 1 is not running."));
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
    assert!(
        text(&output).contains("table does not exist yet; the node first makes it."),
        "{}",
        text(&output)
    );
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
    assert!(told.contains("table: the copy that run 1 kept is loaded."), "{told}");
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
