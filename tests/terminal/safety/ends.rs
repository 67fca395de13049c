//! Ways to end: a panic, signals that were ignored, threads and readers that never answer.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use mlops_tui::store::{Outcome, RunFilter, Store};
use rustix::process::{Pid, Signal, kill_process};

use crate::common::project::project;
use crate::common::python::python;
use crate::common::terminal::Terminal;

/// `talk` prints more than pipes hold, `wait` takes until the file `go` is there.
pub(crate) const NODES: &str = r#"
import pathlib, time


def talk(size):
    for number in range(size * 5000):
        print("line %d of many, long enough to fill a pipe" % number)
    return size


def wait(x):
    pathlib.Path("waits").touch()
    while not pathlib.Path("go").exists():
        time.sleep(0.02)
    return x


def make(node):
    return [
        node(talk, "params:size", "said", name="talk"),
        node(wait, "params:size", "done", name="wait"),
    ]
"#;
/// An end that takes longer hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(60);

fn outcome(root: &Path) -> Option<Outcome> {
    let mut store = Store::new(root);
    let _ = store.recover();
    store.runs(&RunFilter::newest(1)).unwrap().first().map(|run| run.outcome)
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < HANGS, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How many processes work in the project.
pub(crate) fn orphans(root: &Path) -> usize {
    let works_there = |entry: &fs::DirEntry| {
        let folder = fs::read_link(entry.path().join("cwd"));
        folder.is_ok_and(|folder| folder.starts_with(root))
    };
    fs::read_dir("/proc").unwrap().flatten().filter(works_there).count()
}

fn ended(child: &mut Child) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(began.elapsed() < HANGS, "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

fn run(root: &Path, nodes: &str, words: &[&str]) -> Command {
    let mut command = Command::new("env");
    command
        .args(["--default-signal=INT,HUP,TERM"])
        .args(words)
        .arg(env!("CARGO_BIN_EXE_mlops-tui"))
        .args(["run", "--nodes", nodes, "--python"])
        .arg(python())
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

#[test]
fn a_panic_anywhere_ends_the_screen_once_and_names_the_report() {
    for place in ["task", "thread", "loop"] {
        let folder = project(NODES);
        let home = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        let env = [("MLOPS_TUI_PANIC", place)];
        let mut terminal = Terminal::start(home.path(), 100, 30, &[root], &env);
        let status = terminal.wait_exit();
        assert_eq!(status.exit_code(), 101, "{place}");
        let screen = terminal.wait_for("The report lies in");
        terminal.wait_left();
        assert_eq!(screen.matches("had to stop").count(), 1, "{place}: {screen}");
        let mut reports = fs::read_dir(home.path().join("state")).unwrap().flatten();
        let report =
            reports.find(|report| report.file_name().to_string_lossy().starts_with("panic-"));
        let text = fs::read_to_string(report.unwrap().path()).unwrap();
        assert!(text.contains("asked for in"), "{place}: {text}");
    }
}

#[test]
fn a_decoder_that_panics_does_not_end_the_screen() {
    let folder = project(NODES);
    let home = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    let env = [("MLOPS_TUI_PANIC", "contained")];
    let mut terminal = Terminal::start(home.path(), 100, 30, &[root], &env);
    terminal.wait_for("Pipeline");
    terminal.keys("2");
    terminal.wait_for("Catalog ·");
    terminal.keys("q");
    assert!(terminal.wait_exit().success());
}

#[test]
fn signals_that_were_ignored_stay_ignored() {
    let folder = project(NODES);
    let root = folder.path();
    let mut child = run(root, "wait", &["--ignore-signal=HUP"]).spawn().unwrap();
    until("the node to wait", || root.join("waits").exists());
    signal(child.id(), Signal::HUP);
    std::thread::sleep(Duration::from_millis(200));
    fs::write(root.join("go"), "").unwrap();
    assert!(ended(&mut child).success());
    assert_eq!(outcome(root), Some(Outcome::Succeeded));
}

#[test]
fn a_run_that_ignores_ctrl_c_can_be_cancelled_from_elsewhere() {
    let folder = project(NODES);
    let root = folder.path();
    let mut child = run(root, "wait", &["--ignore-signal=INT"]).spawn().unwrap();
    until("the node to wait", || root.join("waits").exists());
    let cancel = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args(["runs", "cancel", "last", "-C"])
        .arg(root)
        .status();
    assert!(cancel.unwrap().success());
    assert_eq!(ended(&mut child).code(), Some(130));
    assert_eq!(outcome(root), Some(Outcome::Cancelled));
}

#[test]
fn a_signal_ends_a_run_whose_output_nobody_takes() {
    for which in [Signal::TERM, Signal::HUP, Signal::INT] {
        let folder = project(NODES);
        let root = folder.path();
        let mut command = run(root, "talk,wait", &[]);
        command.stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("of many") {
            line.clear();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "it has ended");
        }
        std::thread::sleep(Duration::from_millis(300));
        signal(child.id(), which);
        let status = ended(&mut child);
        assert_eq!(status.code(), Some(130), "{which:?} {:?}", status.signal());
        assert_eq!(outcome(root), Some(Outcome::Cancelled));
        drop(out);
        until("all processes to end", || orphans(&root.canonicalize().unwrap()) == 0);
    }
}

#[test]
fn a_reader_that_goes_away_ends_no_run() {
    let folder = project(NODES);
    let root = folder.path();
    let mut command = run(root, "talk,wait", &[]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    drop(child.stderr.take());
    until("the node to wait", || root.join("waits").exists());
    fs::write(root.join("go"), "").unwrap();
    assert!(ended(&mut child).success());
    assert_eq!(outcome(root), Some(Outcome::Succeeded));
}
