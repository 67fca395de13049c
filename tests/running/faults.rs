//! What is killed at any moment loses nothing that was stored, leaves no run "running" and no
//! process behind.
#![cfg(target_os = "linux")]

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mlops_tui::runs::history::Asked;
use mlops_tui::runs::recorder::{Recorder, Subject};
use mlops_tui::runs::{Prepared, RunEvent, RunRequest, Spec, Stamped, Worker, history};
use mlops_tui::store::{LogCursor, LogFilter, Outcome, RunFilter, RunId, Store};

use crate::common::project::project;
use crate::common::python::python;
use crate::common::terminal::Terminal;

const CHILDREN: usize = 140;
const SERVERS: usize = 35;
const PROGRAMS: usize = 50;
const SCREENS: usize = 25;
/// Programs and screens that are killed together with all processes that work for them.
const WHOLE_PROGRAMS: usize = 38;
const WHOLE_SCREENS: usize = 12;
/// A run takes about a second; one that takes this long hangs.
const HANGS: Duration = Duration::from_secs(60);

/// Eight nodes one after the other, with output, and a process of their own each.
const NODES: &str = r#"
import subprocess, time


def act(x, index=[0]):
    index[0] += 1
    helper = subprocess.Popen(["sleep", "600"])
    for number in range(20):
        print("line", number, "of", index[0])
        time.sleep(0.001)
    helper.kill()
    helper.wait()
    return x + 1


def make(node):
    names = ["params:size"] + ["n%d" % number for number in range(8)]
    return [
        node(act, names[number], names[number + 1], name="node_%d" % number) for number in range(8)
    ]
"#;

/// Numbers that look random, the same ones each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn signal(which: &str, pids: &[String]) {
    // They may have ended by themselves in the meantime.
    let _ = Command::new("kill").arg(which).args(pids).stderr(Stdio::null()).status();
}

fn kill(pid: u32) {
    signal("-KILL", &[pid.to_string()]);
}

/// Kills a program and all that works in the project at once. They are stopped first, so that none of them
/// starts another one meanwhile.
fn kill_all(root: &Path, program: u32) {
    let mut all = vec![program.to_string()];
    signal("-STOP", &all);
    loop {
        let new: Vec<String> =
            processes(root).into_iter().filter(|pid| !all.contains(pid)).collect();
        if new.is_empty() {
            break;
        }
        signal("-STOP", &new);
        all.extend(new);
    }
    signal("-KILL", &all);
}

/// Processes that work in the project's folder.
fn processes(root: &Path) -> Vec<String> {
    let own = std::process::id().to_string();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == root))
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|pid| {
            *pid != own && mlops_tui::store::liveness::started(pid.parse().unwrap()).is_some()
        })
        .collect()
}

#[track_caller]
fn assert_nobody_is_left(root: &Path) {
    let began = Instant::now();
    loop {
        let left = processes(root);
        if left.is_empty() {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{left:?} are left behind");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How much of a run another connection sees.
fn seen(store: &mut Store, id: RunId) -> (usize, usize) {
    let lines = store.log(id, &LogFilter::default(), LogCursor::Line(1), usize::MAX).unwrap();
    (store.events(id).unwrap().len(), lines.len())
}

fn check(root: &Path) {
    let connection = rusqlite::Connection::open(Store::new(root).path()).unwrap();
    let answer: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(answer, "ok");
    let gaps = "SELECT run FROM events GROUP BY run HAVING COUNT(*) > MAX(number)";
    assert!(!connection.prepare(gaps).unwrap().exists([]).unwrap(), "an event came twice");
    let open = "SELECT id FROM runs WHERE outcome = 'running'";
    assert!(!connection.prepare(open).unwrap().exists([]).unwrap(), "a run is still running");
}

async fn record(
    root: &Path,
    worker: &Worker,
    victim: impl Fn(&mlops_tui::runs::Process) -> Option<u32>,
    after: Duration,
) -> Outcome {
    let request = RunRequest::default();
    let mut process = worker.start(&Prepared::as_asked(request.clone())).unwrap();
    let subject =
        Subject { root: root.to_owned(), request, asked: Asked::default(), taken: HashMap::new() };
    let (recorder, record) =
        Recorder::start(Store::new(root), subject, |text| panic!("{text}")).await;
    let deadline = tokio::time::sleep(after);
    tokio::pin!(deadline);
    let mut killed = false;
    let mut told: Vec<Stamped> = Vec::new();
    let all = async {
        loop {
            tokio::select! {
                event = process.next() => match event {
                    Some(event) => {
                        recorder.record(vec![event.clone()]).await;
                        told.push(event);
                    }
                    None => break,
                },
                () = &mut deadline, if !killed => {
                    killed = true;
                    if let Some(pid) = victim(&process) {
                        kill(pid);
                    }
                }
            }
        }
    };
    tokio::time::timeout(HANGS, all).await.expect("the run ends");
    let outcome = recorder.finish().await.unwrap().outcome;
    assert!(told.last().is_some_and(|last| last.event.ends_run()), "{:?}", told.last());
    let mut store = Store::new(root);
    let kept = history::from_rows(&store.events(record.id.unwrap()).unwrap());
    let events =
        told.iter().filter(|stamped| !matches!(stamped.event, RunEvent::Output { .. })).count();
    assert_eq!(kept.len(), events);
    assert_eq!(seen(&mut store, record.id.unwrap()).1, told.len() - events);
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_or_a_worker_is_killed_at_any_moment() {
    let folder = project(NODES);
    let root = folder.path().canonicalize().unwrap();
    let worker = Worker::warm(Spec::new(python(), &root));
    let mut random = Random(7);
    // Nobody is killed: the project runs, and the worker learns what it needs.
    assert_eq!(record(&root, &worker, |_| None, Duration::ZERO).await, Outcome::Succeeded);
    let mut outcomes = Vec::new();
    for number in 0..CHILDREN + SERVERS {
        let after = Duration::from_millis(random.below(500));
        let server = number % (CHILDREN / SERVERS + 1) == 0;
        let victim = |process: &mlops_tui::runs::Process| match server {
            true => Some(process.server_pid()),
            false => process.pid(),
        };
        outcomes.push((server, record(&root, &worker, victim, after).await));
    }
    // The server tells how its child has ended; nobody is left to tell it for the server.
    let ends = |server| if server { Outcome::Lost } else { Outcome::Failed };
    for (server, outcome) in &outcomes {
        assert!(
            *outcome == Outcome::Succeeded || *outcome == ends(*server),
            "{server} {outcome:?}"
        );
    }
    for server in [true, false] {
        assert!(outcomes.contains(&(server, ends(server))), "{outcomes:?}");
    }
    assert_eq!(record(&root, &worker, |_| None, Duration::ZERO).await, Outcome::Succeeded);
    drop(worker);
    tokio::task::spawn_blocking(move || {
        assert_nobody_is_left(&root);
        check(&root);
    })
    .await
    .unwrap();
}

/// Kills so many programs at moments that look random.
fn kill_programs(seed: u64, count: usize, kill: impl Fn(&Path, u32)) {
    let folder = project(NODES);
    let root = folder.path().canonicalize().unwrap();
    let mut random = Random(seed);
    let mut lost = 0;
    for _ in 0..count {
        let mut program = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
            .args(["run", "--python"])
            .arg(python())
            .arg(&root)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(random.below(2_000)));
        // What another connection sees is stored, and stays.
        let mut store = Store::new(&root);
        let id = store
            .runs(&RunFilter { limit: Some(1), ..RunFilter::default() })
            .unwrap()
            .first()
            .and_then(|run| run.id);
        let before = id.map(|id| seen(&mut store, id));
        kill(&root, program.id());
        program.wait().unwrap();
        assert_nobody_is_left(&root);
        lost += store.recover().unwrap().len();
        if let (Some(id), Some(before)) = (id, before) {
            let after = seen(&mut store, id);
            assert!(after.0 >= before.0 && after.1 >= before.1, "{before:?} became {after:?}");
        }
        // It may have been killed before there was a run.
        if store.path().exists() {
            check(&root);
        }
    }
    assert!(lost > 0);
}

/// Kills so many screens at moments that look random.
fn kill_screens(seed: u64, count: usize, kill: impl Fn(&Path, u32)) {
    let folder = project(NODES);
    let root = folder.path().canonicalize().unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut random = Random(seed);
    let mut runs = 0;
    for number in 0..count {
        let arguments = [root.to_str().unwrap(), "--python", python().to_str().unwrap()];
        let mut terminal = Terminal::start(home.path(), 80, 24, &arguments, &[]);
        terminal.wait_for("8 nodes");
        terminal.keys(if number == 0 { "ay" } else { "a" });
        std::thread::sleep(Duration::from_millis(random.below(3_000)));
        kill(&root, terminal.pid());
        terminal.wait_exit();
        assert_nobody_is_left(&root);
        let mut store = Store::new(&root);
        store.recover().unwrap();
        // It may have been killed before there was a run.
        if store.path().exists() {
            check(&root);
            let kept = store.runs(&RunFilter::default()).unwrap().len();
            assert!(kept >= runs, "{runs} runs became {kept}");
            runs = kept;
        }
    }
    assert!(runs > 0);
}

/// Two threads share the work: most of it is waiting.
fn by_two(seed: u64, count: usize, kill_some: impl Fn(u64, usize) + Sync) {
    std::thread::scope(|scope| {
        scope.spawn(|| kill_some(seed, count / 2));
        kill_some(seed + 1, count - count / 2);
    });
}

#[test]
fn the_program_is_killed_at_any_moment() {
    by_two(11, PROGRAMS, |seed, count| kill_programs(seed, count, |_, program| kill(program)));
}

#[test]
fn the_program_is_killed_with_all_its_processes() {
    by_two(17, WHOLE_PROGRAMS, |seed, count| kill_programs(seed, count, kill_all));
}

#[test]
fn the_screen_is_killed_at_any_moment() {
    kill_screens(13, SCREENS, |_, screen| kill(screen));
}

#[test]
fn the_screen_is_killed_with_all_its_processes() {
    kill_screens(19, WHOLE_SCREENS, kill_all);
}
