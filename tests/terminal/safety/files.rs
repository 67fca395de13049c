//! Pipes, devices, endless files and links to everywhere, in the place of any file of a project: every verb
//! answers, and so does the screen.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::project::project;
use crate::common::terminal::Terminal;

const NODES: &str = r#"
from . import extra


def act(x):
    return x


def make(node):
    return [node(act, "params:size", "a", name="first"), node(act, "a", "b", name="second")]
"#;
/// A verb that takes longer hangs.
const HANGS: Duration = Duration::from_secs(60);

fn pipe(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let status = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(status.success());
}

fn answers(words: &[&str], root: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-tui"));
    command.args(words).current_dir(root).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || std::io::read_to_string(&mut out).unwrap());
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < HANGS, "{words:?} hangs");
        std::thread::sleep(Duration::from_millis(5));
    }
    reader.join().unwrap()
}

const VERBS: [&[&str]; 10] = [
    &["inspect"],
    &["inspect", "--json"],
    &["layout"],
    &["config", ".", "catalog"],
    &["config", ".", "parameters"],
    &["config", ".", "credentials"],
    &["status"],
    &["run", "--plan"],
    &["runs", "list"],
    &["runs", "prune", "--keep", "0"],
];

#[test]
fn what_is_no_plain_file_holds_up_nobody() {
    let folder = project(NODES);
    let root = folder.path();
    for name in [
        "conf/base/parameters_pipe.yml",
        "conf/local/catalog.yml",
        "conf/base/mlflow.yml",
        "conf/base/logging.yml",
        "src/shop/extra.py",
        "requirements.txt",
        "environment.yml",
        ".python-version",
        "uv.lock",
        "data/pipe.csv",
        "mlflow.db",
        ".venv/pyvenv.cfg",
    ] {
        let _ = fs::remove_file(root.join(name));
        pipe(&root.join(name));
    }
    symlink("/dev/zero", root.join("conf/base/parameters_zero.yml")).unwrap();
    symlink("/", root.join("conf/local/everything")).unwrap();
    symlink("/", root.join("data/everything")).unwrap();
    symlink("/", root.join("src/shop/everything")).unwrap();
    fs::create_dir(root.join("conf/base/catalog_folder.yml")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("conf/base/catalog_s.yml"));
    let catalog = "a: {type: pandas.CSVDataset, filepath: data/pipe.csv}\n\
                   b: {type: partitions.PartitionedDataset, path: data/everything}\n";
    fs::write(root.join("conf/base/catalog.yml"), catalog).unwrap();
    for words in VERBS {
        answers(words, root);
    }
    let told = answers(&["inspect"], root);
    for name in ["catalog.yml", "parameters_pipe.yml", "parameters_zero.yml", "extra"] {
        assert!(told.contains(name), "{name} is not named:\n{told}");
    }

    let home = tempfile::tempdir().unwrap();
    let root = root.to_str().unwrap();
    let mut terminal = Terminal::start(home.path(), 100, 30, &[root], &[]);
    terminal.wait_for("second");
    terminal.keys("2");
    terminal.wait_for("pandas.CSVDataset");
    terminal.keys("5");
    terminal.keys("1q");
    terminal.wait_exit();
}

#[test]
fn a_folder_whose_name_is_no_text_is_refused_in_a_sentence() {
    let folder = project(NODES);
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join(std::ffi::OsStr::from_bytes(b"odd-\xff"));
    fs::rename(folder.keep(), &root).unwrap();
    for words in [&["inspect"][..], &["runs", "list"], &["status"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-tui"));
        let output = command.args(words).current_dir(&root).stdin(Stdio::null()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains("is not valid UTF-8"), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn nothing_is_made_where_a_moved_project_was() {
    let folder = project(NODES.replace("from . import extra", "").as_str());
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("project");
    fs::rename(folder.keep(), &root).unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(home.path(), 100, 30, &[root.to_str().unwrap()], &[]);
    terminal.wait_for("second");
    fs::rename(&root, place.path().join("elsewhere")).unwrap();
    terminal.wait_for("is gone");
    terminal.keys("4");
    terminal.keys("q");
    terminal.wait_exit();
    assert!(!root.exists());
}
