//! Going on after a failure, and the end of a cancelled run in MLflow.

use std::process::Command;
use std::time::Duration;

use mlops_tui::runs::{Prepared, Process, RunEvent, RunRequest, Spec, Stream, Worker};

use crate::common::project::project;
use crate::common::python::python;
use crate::worker::rest;

const SHOP: &str = r#"def fail(size):
    raise ValueError("sold out")


def make(node):
    def same(x):
        return x

    def two(x, y):
        return x

    return [
        node(fail, "params:size", "bad", name="fail"),
        node(same, "bad", "worse", name="below"),
        node(two, ["worse", "good"], "worst", name="far_below"),
        node(same, "params:size", "good", name="beside"),
        node(same, "good", "better", name="below_beside"),
    ]
"#;

fn start(folder: &tempfile::TempDir, request: RunRequest) -> Process {
    let spec = Spec::new(python(), folder.path());
    Worker::fresh(spec, "a test").start(&Prepared::as_asked(request)).unwrap()
}

async fn run(runner: &str, keep_going: bool) -> (Vec<String>, Vec<RunEvent>) {
    let folder = project(SHOP);
    let request = RunRequest { runner: Some(runner.into()), keep_going, ..RunRequest::default() };
    let events = rest(&mut start(&folder, request)).await;
    let mut ends: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            RunEvent::NodeFinished { node, .. } => Some(node.clone()),
            RunEvent::NodeFailed { node, .. } => Some(format!("{node} failed")),
            _ => None,
        })
        .collect();
    ends.sort();
    (ends, events)
}

#[tokio::test]
async fn what_does_not_depend_on_a_failed_node_still_runs() {
    for runner in ["SequentialRunner", "ThreadRunner"] {
        let (ends, events) = run(runner, true).await;
        assert_eq!(ends, ["below_beside", "beside", "fail failed"], "{runner}");
        let Some(RunEvent::RunFailed { failure }) = events.last() else { panic!("{events:#?}") };
        assert_eq!(failure.message, "sold out");
        let lines: Vec<&str> = events
            .iter()
            .filter_map(|event| match event {
                RunEvent::Output { stream: Stream::Log, text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let note = "Kept going after the failure of fail. Not run, because they need its outputs: below, far_below.";
        assert!(lines.contains(&note), "{lines:#?}");
        for node in ["fail", "below", "far_below"] {
            let line = format!("Completed node: {node}");
            assert!(!lines.contains(&line.as_str()), "{lines:#?}");
        }
    }
    let (ends, _) = run("SequentialRunner", false).await;
    assert!(ends.contains(&"fail failed".into()) && ends.len() <= 2, "{ends:?}");
}

#[tokio::test]
async fn a_runner_that_can_not_keep_going_is_refused() {
    let (ends, events) = run("ParallelRunner", true).await;
    assert_eq!(ends, [""; 0]);
    let Some(RunEvent::RunFailed { failure }) = events.last() else { panic!("{events:#?}") };
    assert!(failure.message.contains("can't keep going"), "{failure:?}");
}

/// The states in MLflow of the runs that `node` starts, when it is cancelled after it printed `tracked`.
async fn cancelled(node: &str, worker: fn(Spec) -> Worker) -> String {
    let folder = project(&format!(
        r#"import signal, time

import mlflow


def sleep(size):
    mlflow.set_tracking_uri("sqlite:///runs.db")
{node}


def make(node):
    return [node(sleep, "params:size", None, name="sleep")]
"#
    ));
    let spec = Spec { grace: Duration::from_secs(2), ..Spec::new(python(), folder.path()) };
    let worker = worker(spec);
    let mut process = worker.start(&Prepared::as_asked(RunRequest::default())).unwrap();
    loop {
        let event = tokio::time::timeout(Duration::from_secs(120), process.next()).await;
        match event.expect("MLflow starts").expect("the run goes on").event {
            RunEvent::Output { text, .. } if text == "tracked" => break,
            event => assert!(!event.ends_run(), "{event:?}"),
        }
    }
    process.cancel();
    let events = rest(&mut process).await;
    assert!(events.contains(&RunEvent::RunCancelled), "{events:#?}");
    let code = "import sqlite3; print(*[row[0] for row in sqlite3.connect('runs.db').execute('SELECT status FROM runs')])";
    let output =
        Command::new(python()).args(["-c", code]).current_dir(folder.path()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn fresh(spec: Spec) -> Worker {
    Worker::fresh(spec, "a test")
}

#[tokio::test]
async fn a_cancelled_run_is_killed_in_mlflow_too() {
    let nested = r#"
    mlflow.start_run()
    mlflow.start_run(nested=True)
    print("tracked")
    time.sleep(600)
"#;
    assert_eq!(cancelled(nested, fresh).await, "KILLED KILLED");
    let with = r#"
    with mlflow.start_run():
        print("tracked")
        time.sleep(600)
"#;
    assert_eq!(cancelled(with, fresh).await, "KILLED");
}

#[tokio::test]
async fn a_run_that_does_not_end_when_it_is_cancelled_is_killed_in_mlflow_too() {
    let deaf = r#"
    with mlflow.start_run():
        pass
    mlflow.start_run()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("tracked")
    time.sleep(600)
"#;
    for worker in [fresh, Worker::warm] {
        assert_eq!(cancelled(deaf, worker).await, "FINISHED KILLED");
    }
}
