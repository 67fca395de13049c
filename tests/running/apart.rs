//! Runs of a grid with real Kedro: what they save is apart, and the project's data stay.

use std::fs;
use std::path::Path;
use std::process::Command;

use mlops_tui::store::{LogCursor, LogFilter, Outcome, RunFilter, Store};
use serde_json::Value;

use crate::common::project::project;
use crate::common::python::python;
use crate::common::run_id;

/// `Remote` has its protocol beside the path, as datasets of Spark do; it saves to a log.
const NODES: &str = r#"
from pathlib import PurePosixPath

from kedro.io import AbstractDataset


class Remote(AbstractDataset):
    def __init__(self, filepath):
        self._fs_prefix, path = filepath.split("://") if "://" in filepath else ("", filepath)
        self._fs_prefix += "://" if self._fs_prefix else ""
        self._filepath = PurePosixPath(path)

    def load(self):
        return None

    def save(self, data):
        with open("saved.txt", "a") as file:
            file.write(self._fs_prefix + str(self._filepath) + "\n")

    def _describe(self):
        return {}


def make_frames(size):
    return size, size, size


def write(size):
    return {"b": str(size), "c": str(size)}


def read(parts, own):
    return " ".join(sorted(parts)) + "|" + " ".join(sorted(own))


def make(node):
    return [
        node(make_frames, "params:size", ["cloud", "disk", "plain"], name="frames"),
        node(write, "params:size", "own", name="write"),
        node(read, ["parts", "own"], "result", name="read", confirms=["parts", "own"]),
    ]
"#;

const CATALOG: &str = r"
cloud: {type: shop.nodes.Remote, filepath: 's3a://bucket/frame'}
disk: {type: shop.nodes.Remote, filepath: 'file:///data/frame'}
plain: {type: shop.nodes.Remote, filepath: data/frame}
result: {type: text.TextDataset, filepath: data/result.txt}
parts: &parts
  type: partitions.IncrementalDataset
  path: data/parts
  dataset: text.TextDataset
own:
  <<: *parts
  path: data/own
  checkpoint: {filepath: data/own/LAST}
";

/// The files below a folder with what they hold.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                let name = entry.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(entry).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn what_runs_of_a_grid_save_and_confirm_is_apart() {
    let folder = project(NODES);
    // The worker's own path, for the system's folder of temporary files may be a link.
    let root = folder.path().canonicalize().unwrap();
    fs::write(root.join("conf/base/catalog.yml"), CATALOG).unwrap();
    for (name, text) in [
        ("parts/a", "1"),
        ("parts/b", "2"),
        ("parts/c", "3"),
        ("parts/CHECKPOINT", "a"),
        ("own/a", "1"),
        ("own/LAST", "b"),
    ] {
        let path = root.join("data").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let before = files(&root.join("data"));
    let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args(["run", "--json", "--grid", "size=1,2", "--python"])
        .arg(python())
        .arg(&root)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let runs: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((runs.len(), output.status.code()), (2, Some(0)), "{text}");
    assert_eq!(files(&root.join("data")), before, "the project's data stay");

    let saved = fs::read_to_string(root.join("saved.txt")).unwrap();
    let mut store = Store::new(&root);
    for run in &runs {
        let apart = root.join(run["folder"].as_str().unwrap());
        let held = |name: &str| fs::read_to_string(apart.join("data").join(name)).unwrap();
        assert_eq!(held("result.txt"), "b c|c", "each run begins at the project's checkpoints");
        assert_eq!((held("parts/CHECKPOINT"), held("own/LAST")), ("c".into(), "c".into()));
        assert!(saved.contains(&format!("{}/data/frame\n", apart.display())), "{saved}");
        let elsewhere = format!("file://{}/elsewhere/data/frame\n", apart.display());
        assert!(saved.contains(&elsewhere), "{saved}");
        let id = run_id(run["run"]["id"].as_i64().unwrap());
        let log = store.log(id, &LogFilter::default(), LogCursor::Line(0), 1000).unwrap();
        let warned = log.iter().filter(|line| line.text.contains("where it always is"));
        let warned: Vec<&str> = warned.map(|line| line.text.as_str()).collect();
        assert_eq!(warned, ["cloud is saved where it always is: it has no file of its own here."]);
    }
    assert_eq!(saved.matches("s3a://bucket/frame\n").count(), 2, "{saved}");
    let recorded = store.runs(&RunFilter::newest(10)).unwrap();
    assert!(recorded.iter().all(|run| run.outcome == Outcome::Succeeded));
}
