//! Detached runs in a copy of the warm worker of another process.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mlops_tui::runs::{Prepared, RunEvent, RunRequest, Served, Spec, Warmth, Worker};
use mlops_tui::store::Outcome;

use crate::common::project::project;
use crate::common::python::python;
use crate::detached::{NODES, going, until};
use crate::worker::{rest, served};

/// A process of the run that writes down its own id, and a daemon's.
const DAEMON: &str = r#"
import os, pathlib, subprocess, time


def wait():
    daemon = subprocess.Popen(["sleep", "300"], start_new_session=True)
    pathlib.Path("pids").write_text("%d %d %d" % (os.getpid(), daemon.pid, os.getppid()))
    time.sleep(300)


def make(node):
    return [node(wait, None, "x", name="wait")]
"#;

fn worker(root: &Path) -> Worker {
    Worker::warm(Spec::new(python(), root))
}

/// What the screen does for a detached run, but in a program of its own.
fn detached(root: &Path, socket: OwnedFd) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-tui"));
    command.args(["run", "--detached", "--warm", "--params", "size=4", "--python"]).arg(python());
    command.current_dir(root).stdin(socket).stdout(Stdio::null()).spawn().unwrap()
}

fn gone(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start().to_owned());
    state.is_none_or(|state| state.starts_with(['Z', 'X']))
}

async fn wait_until_gone(pid: &str) {
    let all = async {
        while !gone(pid) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.expect("the process ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_run_uses_the_warm_worker_and_outlives_it() {
    let folder = project(NODES);
    let root = folder.path();
    let worker = worker(root);
    // Asked for before the packages are imported.
    let mut child = detached(root, worker.lend().unwrap());
    let run = until(root, going);
    assert!(run.new.detached);
    assert_eq!(run.new.worker.as_deref(), Some("warm"));

    // The worker itself goes on to serve, and a run of its own that is cancelled leaves the copy alone.
    let own = RunRequest { slice: mlops_tui::dag::Slice::nodes(["wait"]), ..RunRequest::default() };
    let mut process = worker.start(&Prepared::as_asked(own)).unwrap();
    let events = async {
        process.next().await;
        process.cancel();
        rest(&mut process).await
    };
    assert_eq!(events.await.last(), Some(&RunEvent::RunCancelled));

    drop((process, worker));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(going(&until(root, |_| true)), "it outlives the worker");
    fs::write(root.join("go"), "").unwrap();
    let run = until(root, |run| run.outcome != Outcome::Running);
    assert_eq!((run.outcome, run.nodes_done), (Outcome::Succeeded, 2));
    assert!(child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_can_be_detached_and_the_worker_still_serves() {
    let folder = project(NODES);
    let root = folder.path();
    let worker = worker(root);
    worker.warm_up();
    let warm = |warmth: &Warmth| matches!(warmth, Warmth::Warm { .. });
    worker.warmth().wait_for(warm).await.unwrap();
    fs::write(root.join("go"), "").unwrap();
    for _ in 0..2 {
        let mut child = detached(root, worker.lend().unwrap());
        assert!(
            tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap().success()
        );
        assert_eq!(until(root, |_| true).new.worker.as_deref(), Some("warm"));
    }
    let params = mlops_tui::runs::request::parse_params("size=4").unwrap();
    let request = RunRequest { params, ..RunRequest::default() };
    let events = rest(&mut worker.start(&Prepared::as_asked(request)).unwrap()).await;
    assert!(matches!(events.last(), Some(RunEvent::RunFinished { .. })), "{events:#?}");
    assert_eq!(served(&events), Served::Warm);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_run_starts_a_python_if_the_worker_ends_before_it_is_warm() {
    let folder = project(NODES);
    let root = folder.path();
    let worker = worker(root);
    let socket = worker.lend().unwrap();
    drop(worker);
    fs::write(root.join("go"), "").unwrap();
    let mut child = detached(root, socket);
    assert!(tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap().success());
    assert_eq!(until(root, |_| true).outcome, Outcome::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_processes_of_a_detached_run_end_with_the_program_that_records_it() {
    let folder = project(DAEMON);
    let root = folder.path();
    let worker = worker(root);
    let mut child = detached(root, worker.lend().unwrap());
    until(root, |run| run.outcome == Outcome::Running);
    let pids = loop {
        match fs::read_to_string(root.join("pids")) {
            Ok(text) if text.split(' ').count() == 3 => break text,
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let server = pids.rsplit(' ').next().unwrap();
    let stat = fs::read_to_string(format!("/proc/{server}/stat")).unwrap();
    let parent = stat.rsplit_once(") S ").unwrap().1.split(' ').next().unwrap().to_owned();
    assert_ne!(parent, child.id().to_string(), "it is a copy, and not a new Python");
    child.kill().unwrap();
    child.wait().unwrap();
    for pid in pids.split(' ') {
        wait_until_gone(pid).await;
    }
    let events = rest(
        &mut worker
            .start(&Prepared::as_asked(RunRequest {
                slice: mlops_tui::dag::Slice::nodes(["nothing"]),
                ..RunRequest::default()
            }))
            .unwrap(),
    )
    .await;
    assert!(
        matches!(events.last(), Some(RunEvent::RunFailed { .. })),
        "the worker itself is there: {events:?}"
    );
}

#[test]
fn a_worker_that_starts_a_python_for_each_request_has_nothing_to_lend() {
    let worker = Worker::fresh(Spec::new(python(), "/"), "a test");
    assert!(worker.lend().is_none());
}
