//! A new user's path, with real Kedro and MLflow: find the best run by a metric, see what made it and why it is better, run
//! it again with another parameter, and see the new run beat the old one.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::project::project;
use crate::common::python::python;
use crate::common::terminal::Terminal;

const NODES: &str = r#"
import mlflow


def score(size):
    return 1 / size


def train(size):
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    with mlflow.start_run(run_name="size-%s" % size):
        mlflow.log_param("size", size)
        mlflow.log_metric("mae", score(size))
    return score(size)


def make(node):
    return [node(train, "params:size", "error", name="train")]
"#;

/// Presses a key and counts it.
fn press(terminal: &mut Terminal, key: &str, keys: &mut usize) {
    terminal.keys(key);
    *keys += 1;
}

fn run(root: &Path) {
    let status = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args(["run", "--python"])
        .arg(python())
        .arg(root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn from_the_best_run_to_a_better_one_in_a_dozen_keys() {
    let folder = project(NODES);
    let (root, home) = (folder.path(), tempfile::tempdir().unwrap());
    run(root);
    let code = NODES.replace("return 1 / size", "return 2 / size");
    fs::write(root.join("src/shop/nodes.py"), &code).unwrap();
    run(root);

    let arguments = [root.to_str().unwrap(), "--python", python().to_str().unwrap()];
    let mut terminal = Terminal::start(home.path(), 140, 40, &arguments, &[]);
    let mut keys = 0;
    terminal.wait_for("mlflow.db");
    press(&mut terminal, "5", &mut keys);
    terminal.wait_for("★ 0.3333");
    // The best run by the metric comes first.
    press(&mut terminal, "l", &mut keys);
    press(&mut terminal, "l", &mut keys);
    press(&mut terminal, "s", &mut keys);
    press(&mut terminal, "g", &mut keys);
    terminal.wait("the best run is selected", |screen| {
        screen.lines().nth(4).is_some_and(|line| line.contains("0.3333"))
    });
    // What made it.
    press(&mut terminal, "r", &mut keys);
    terminal.wait_for("Runs > run 1");
    press(&mut terminal, "5", &mut keys);
    // That again, with one parameter changed.
    press(&mut terminal, "R", &mut keys);
    terminal.wait_for("Run with options");
    terminal.keys("size=9");
    terminal.wait_for("│ 1 node");
    press(&mut terminal, "<enter>", &mut keys);
    terminal.wait_for("Trust this project?");
    press(&mut terminal, "y", &mut keys);
    terminal.wait("the new run beats the old one", |screen| screen.contains("★ 0.2222"));
    assert!(keys <= 12, "{keys} keys");

    // Why the first is better than the second: its code.
    terminal.keys("&metrics.mae > 0.3<enter>");
    terminal.wait_for("2 of 3");
    terminal.keys("g<space><space>W");
    terminal.wait_for("Why the results differ");
    terminal.wait_for("code changed: nodes.score");
    terminal.wait_for("-     return 1 / size");
    terminal.keys("q");
    assert!(terminal.wait_exit().success());
}
