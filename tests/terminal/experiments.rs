//! Tracked runs as they train, with real MLflow.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::project::project;
use crate::common::python::python;
use crate::common::terminal::Terminal;

const NODES: &str =
    "def make(node):\n    return [node(lambda size: size, 'params:size', 'x', name='one')]\n";

/// Two runs: one that has ended, and one that does a step whenever a file appears.
const TRAINER: &str = r#"
import pathlib, time

import mlflow

mlflow.set_tracking_uri("sqlite:///mlflow.db")
with mlflow.start_run(run_name="first-one"):
    mlflow.log_param("lr", 0.1)
    mlflow.log_dict({"layers": [8, 4]}, "model/shape.json")
    mlflow.log_text("never read", "model/weights.pkl")
    for step in range(5):
        mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
pathlib.Path("ready").touch()


def wait(name):
    while not pathlib.Path(name).exists():
        time.sleep(0.01)


wait("go-0")
with mlflow.start_run(run_name="second-one"):
    mlflow.log_param("lr", 0.2)
    for step, loss in enumerate([0.875, 0.0625]):
        mlflow.log_metric("loss", loss, step=step)
        wait("go-%d" % (step + 1))
"#;

/// Eight runs that log a loss each whenever a file appears: first in their order, then the other way round.
const GRID: &str = r#"
import pathlib, time

from mlflow import MlflowClient

client = MlflowClient("sqlite:///mlflow.db")
runs = [client.create_run("0", run_name="grid-%d" % i).info.run_id for i in range(8)]
for i, run in enumerate(runs):
    client.log_param(run, "lr", i)


def wait(name):
    while not pathlib.Path(name).exists():
        time.sleep(0.01)


for step in range(2):
    for i, run in enumerate(runs):
        client.log_metric(run, "loss", float(i + 1 if step == 0 else 8 - i), step=step)
    pathlib.Path("ready").touch()
    wait("go-%d" % step)
for run in runs:
    client.set_terminated(run)
"#;

/// A training process that is killed at the end of the test.
struct Trainer(Child);

impl Drop for Trainer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn train(root: &Path, script: &str) -> Trainer {
    fs::write(root.join("train.py"), script).unwrap();
    let mut command = Command::new(python());
    command.arg("train.py").current_dir(root).stdout(Stdio::null()).stderr(Stdio::null());
    let trainer = Trainer(command.spawn().unwrap());
    while !root.join("ready").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    trainer
}

#[test]
fn runs_appear_and_change_while_they_train() {
    let folder = project(NODES);
    let (root, home) = (folder.path(), tempfile::tempdir().unwrap());
    let _trainer = train(root, TRAINER);
    let arguments = [root.to_str().unwrap(), "--python", python().to_str().unwrap()];
    let mut terminal = Terminal::start(home.path(), 120, 30, &arguments, &[]);
    terminal.wait_for("mlflow.db");
    terminal.keys("5");
    terminal.wait_for("✓ first-one");
    fs::write(root.join("go-0"), "").unwrap();
    terminal.wait_for("● second-one");
    terminal.wait_for("0.8750");
    // Both runs in one chart, while one of them trains.
    terminal.keys("g<space><space><enter>");
    terminal.wait_for("2 runs · over steps");
    terminal.wait_for("second-one 0.8750");
    terminal.wait_for("first-one 0.2000");
    fs::write(root.join("go-1"), "").unwrap();
    terminal.wait_for("second-one 0.06250");
    terminal.keys("<esc><esc>2");
    terminal.wait_for("Catalog ·");
    fs::write(root.join("go-2"), "").unwrap();
    terminal.wait_for("second-one finished after");
    terminal.keys("5");
    terminal.wait_for("✓ second-one");
    terminal.wait_for("★ 0.06250");
    terminal.keys("&first<enter>");
    terminal.wait_for("1 of 2 · first");
    terminal.keys("<c-s>");
    terminal.wait_for("write to: runs.csv");
    terminal.keys("<enter>");
    terminal.wait_for("Written: runs.csv");
    let csv = fs::read_to_string(root.join("runs.csv")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 2, "{csv}");
    assert!(lines[0].starts_with("run_id,status,name,started,"), "{csv}");
    assert!(lines[1].contains(",FINISHED,first-one,") && lines[1].contains(",0.2"), "{csv}");
    terminal.keys("F");
    terminal.wait_for("Artifacts of first-one");
    terminal.wait_for("▸ model");
    terminal.keys("lj");
    terminal.wait_for("\"layers\": [");
    terminal.keys("j");
    terminal.wait_for("pickle, 10 B: never opened");
    terminal.keys("q");
    assert!(terminal.wait_exit().success());
}

/// The numbers of the grid's runs in the order of the rows.
fn ranked(screen: &str) -> Vec<usize> {
    let number = |line: &str| -> Option<usize> {
        let at = line.find("grid-").filter(|at| *at < 20)?;
        line[at + 5..].chars().next()?.to_digit(10).map(|digit| digit as usize)
    };
    screen.lines().filter_map(number).collect()
}

#[test]
fn a_grid_of_eight_runs_is_ranked_while_it_trains() {
    let folder = project(NODES);
    let (root, home) = (folder.path(), tempfile::tempdir().unwrap());
    let _trainer = train(root, GRID);
    let arguments = [root.to_str().unwrap(), "--python", python().to_str().unwrap()];
    let mut terminal = Terminal::start(home.path(), 120, 30, &arguments, &[]);
    terminal.wait_for("mlflow.db");
    terminal.keys("5");
    terminal.wait_for("● grid-7");
    // By the loss, the lowest first.
    terminal.keys("llls");
    terminal.wait("the first order", |screen| ranked(screen) == [0, 1, 2, 3, 4, 5, 6, 7]);
    fs::write(root.join("go-0"), "").unwrap();
    terminal.wait("the other order", |screen| ranked(screen) == [7, 6, 5, 4, 3, 2, 1, 0]);
    fs::write(root.join("go-1"), "").unwrap();
    terminal.wait("all have ended", |screen| screen.matches("✓ grid-").count() == 8);
    terminal.keys("q");
    assert!(terminal.wait_exit().success());
}
