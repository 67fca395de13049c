//! A full disk: it is named, what is stored is read, and `runs prune` makes room.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use mlops_tui::store::{NewRun, Outcome, RunFilter, RunId, Store};

use crate::common::history::noisy_run;
use crate::common::project::{copy, project};
use crate::common::python::python;
use crate::common::run_id;

/// Set in the process that sees the small disk: where it is mounted.
const DISK: &str = "MLOPS_TUI_TEST_DISK";
/// Its size; a project with a few runs takes half of it.
const SIZE: &str = "size=6m";

/// `talk` prints and needs no disk, `fill` leaves no room on it.
const NODES: &str = r#"
import pathlib


def talk(size):
    print("nothing is written to the disk")
    return size


def fill(size):
    with open("fill", "ab", buffering=0) as file:
        try:
            while True:
                file.write(b"0" * 512)
        except OSError:
            pass
    for number in range(2000):
        print("line %d of many after the disk was full" % number)
    return size


def make(node):
    return [
        node(talk, "params:size", "said", name="talk"),
        node(fill, "params:size", "filled", name="fill"),
    ]
"#;

/// Does the rest of a test on a small disk that only this process and its children see, mounted for it in
/// a process of its own. Where mounting is not allowed, that is printed, and nothing is done.
fn on_a_small_disk(test: &str, act: impl FnOnce(&Path)) {
    if let Some(disk) = std::env::var_os(DISK) {
        return act(Path::new(&disk));
    }
    let place = tempfile::tempdir().unwrap();
    let mount = r#"mount -t tmpfs -o "$1" none "$0""#;
    let ways = [&["--user", "--map-root-user", "--mount"][..], &["--mount"]];
    let within = |way: &[&str], script: &str| {
        let mut command = Command::new("unshare");
        command.args(way).args(["sh", "-c", script]).arg(place.path()).arg(SIZE);
        command
    };
    let may = |way: &&&[&str]| {
        let tried = within(way, mount).stdout(Stdio::null()).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    let Some(way) = ways.iter().find(may) else {
        let note = format!("{test} is left out: a small disk can't be mounted here.\n");
        // Past the test's captured output, so that it is seen.
        return std::io::stderr().write_all(note.as_bytes()).unwrap();
    };
    let script = format!(r#"{mount} && shift && exec "$@""#);
    let output = within(way, &script)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("safety::full::{test}"), "--nocapture"])
        .env(DISK, place.path())
        .output()
        .unwrap();
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (told(&output.stdout), told(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}{err}");
}

/// A project on the small disk, with runs 1 to `runs` in its history.
fn project_on(disk: &Path, runs: usize) -> PathBuf {
    let root = disk.join("project");
    copy(project(NODES).path(), &root);
    let mut store = Store::new(&root);
    for number in 0..runs {
        noisy_run(&mut store, &NewRun { started_at: number as f64, ..NewRun::default() }, 3_000);
    }
    root
}

/// Leaves room for so many bytes.
fn fill(disk: &Path, but: u64) {
    let path = disk.join("others");
    let mut file = File::options().append(true).create(true).open(&path).unwrap();
    let full = loop {
        if let Err(error) = file.write_all(&[0; 4096]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    let size = file.metadata().unwrap().len();
    file.set_len(size.saturating_sub(but)).unwrap();
}

fn mlops(root: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-tui"));
    command.args(words).current_dir(root).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn done(root: &Path, words: &[&str]) -> String {
    let output = mlops(root, words);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && err.is_empty(), "{words:?}: {err}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a node; what is printed to the standard error.
fn run(root: &Path, node: &str) -> String {
    let output = mlops(root, &["run", "--nodes", node, "--python", python().to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && out.contains("Finished in"), "{told}{out}");
    told
}

fn ids(root: &Path) -> Vec<RunId> {
    let mut ids: Vec<RunId> = Store::new(root)
        .runs(&RunFilter::default())
        .unwrap()
        .iter()
        .inspect(|run| assert_eq!(run.outcome, Outcome::Succeeded))
        .map(|run| run.id.unwrap())
        .collect();
    ids.sort();
    ids
}

#[test]
fn a_full_disk_is_named_read_and_pruned() {
    on_a_small_disk("a_full_disk_is_named_read_and_pruned", |disk| {
        // With room for SQLite's shared memory there may be none for its journal.
        for (round, but) in [0, 4 << 10, 40 << 10, 48 << 10].into_iter().enumerate() {
            let root = project_on(disk, 4);
            fill(disk, but);
            let list = done(&root, &["runs", "list"]);
            assert_eq!(list.lines().count(), 5, "{list}");
            assert!(done(&root, &["runs", "show", "3"]).contains("run 3 succeeded"));
            assert_eq!(done(&root, &["runs", "logs", "3"]).lines().count(), 3_000);
            assert!(done(&root, &["inspect"]).contains("talk"));
            assert!(done(&root, &["status"]).contains("talk"));
            assert!(done(&root, &["run", "--plan"]).contains("talk"));
            assert!(done(&root, &["runs", "prune", "--keep", "2", "--dry-run"]).contains("2 runs"));
            if but == 0 {
                let told = run(&root, "talk");
                let expected = "project/.mlops-tui/store.db: the disk is full. Make room; \
                    `mlops-tui runs prune` deletes old runs. This run is not kept in the history.";
                assert!(told.contains(expected) && told.lines().count() == 1, "{told}");
                let pin = mlops(&root, &["runs", "pin", "1"]);
                let told = String::from_utf8_lossy(&pin.stderr);
                assert!(!pin.status.success() && told.contains("the disk is full"), "{told}");
            }
            assert_eq!(ids(&root), [1, 2, 3, 4].map(run_id));
            let size = |root: &Path| fs::metadata(Store::new(root).path()).unwrap().len();
            let before = size(&root);
            if round % 2 == 0 {
                let pruned = done(&root, &["runs", "prune", "--keep", "2"]);
                assert!(pruned.starts_with("Deleted 2 runs (1 to 2)"), "{pruned}");
            } else {
                done(&root, &["runs", "delete", "1", "2"]);
            }
            assert!(size(&root) < before * 2 / 3, "{before} became {}", size(&root));
            assert_eq!(done(&root, &["runs", "logs", "3"]).lines().count(), 3_000);
            assert_eq!(run(&root, "talk"), "");
            assert_eq!(ids(&root), [3, 4, 5].map(run_id));
            fs::remove_dir_all(&root).unwrap();
            fs::remove_file(disk.join("others")).unwrap();
        }
    });
}

#[test]
fn a_disk_that_fills_up_during_a_run_loses_nothing_stored() {
    on_a_small_disk("a_disk_that_fills_up_during_a_run_loses_nothing_stored", |disk| {
        let root = project_on(disk, 2);
        let told = run(&root, "fill");
        assert!(told.contains("the disk is full") && told.contains("runs prune"), "{told}");
        assert!(done(&root, &["runs", "list"]).lines().count() == 4);
        assert_eq!(done(&root, &["runs", "logs", "2"]).lines().count(), 3_000);
        // The end of the run is not known; it counts as lost where that can be written.
        done(&root, &["runs", "prune", "--keep", "1"]);
        let list = done(&root, &["runs", "list"]);
        assert!(list.lines().count() == 2, "{list}");
        fs::remove_file(root.join("fill")).unwrap();
        assert_eq!(run(&root, "talk"), "");
    });
}

#[test]
fn a_store_that_is_begun_on_a_full_disk_is_whole_later() {
    on_a_small_disk("a_store_that_is_begun_on_a_full_disk_is_whole_later", |disk| {
        let root = project_on(disk, 0);
        fill(disk, 0);
        let told = run(&root, "talk");
        assert!(told.contains("the disk is full"), "{told}");
        assert_eq!(done(&root, &["runs", "list"]), "No run is recorded yet.\n");
        fs::remove_file(disk.join("others")).unwrap();
        assert_eq!(run(&root, "talk"), "");
        assert_eq!(fs::read_to_string(root.join(".mlops-tui/.gitignore")).unwrap(), "*\n");
        assert_eq!(ids(&root), [1].map(run_id));
    });
}
