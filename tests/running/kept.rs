//! Any node alone: datasets that live in memory are kept from real runs, and taken by later ones.

use std::fs;
use std::path::Path;

use mlops_tui::store::Store;
use serde_json::Value;

use crate::common::project::project;
use crate::common::run::run;

const NODES: &str = r#"



def first(size):
    with open("calls.txt", "a") as file:
        file.write("first ")
    return {"size": size}, lambda: 2


def second(table, lock):
    with open("calls.txt", "a") as file:
        file.write("second ")
    return [table["size"]]


def third(row):
    with open("result.txt", "w") as file:
        file.write(str(row))
    return sum(row)


def make(node):
    return [
        node(first, "params:size", ["table", "lock"], name="first"),
        node(second, ["table", "lock"], "row", name="second"),
        node(third, "row", "secretly", name="third"),
    ]
"#;

fn calls(root: &Path) -> String {
    fs::read_to_string(root.join("calls.txt")).unwrap()
}

fn named<'a>(events: &'a [Value], name: &str) -> Vec<&'a str> {
    let of = events.iter().filter(|event| event["event"] == name);
    of.map(|event| event["dataset"].as_str().unwrap()).collect()
}

#[test]
fn a_node_in_the_middle_runs_without_its_ancestors() {
    let folder = project(NODES);
    let root = folder.path();
    fs::write(
        root.join("conf/base/catalog.yml"),
        "secretly:\n  type: MemoryDataset\n  metadata:\n    mlops-tui: {keep: false}\n",
    )
    .unwrap();
    let (code, events) = run(root, &[]);
    assert_eq!(code, 0, "{events:#?}");
    assert_eq!(named(&events, "dataset_kept"), ["table", "row"]);
    assert_eq!(named(&events, "dataset_not_kept"), ["lock"]);
    let reason = events.iter().find(|event| event["event"] == "dataset_not_kept").unwrap();
    assert!(reason["reason"].as_str().unwrap().contains("pickle"), "{reason}");

    let (code, events) = run(root, &["--nodes", "third"]);
    assert_eq!(code, 0, "{events:#?}");
    assert_eq!(calls(root), "first second ", "what was kept is taken");
    assert_eq!(fs::read_to_string(root.join("result.txt")).unwrap(), "[3]");

    let (code, _) = run(root, &["--nodes", "second"]);
    assert_eq!(code, 0);
    assert_eq!(calls(root), "first second first second ", "what could not be kept is made again");

    let (code, events) = run(root, &["--nodes", "third", "--strict"]);
    assert_eq!(code, 1, "{events:#?}");
    let last = events.iter().find(|event| event["event"] == "run_failed").unwrap();
    assert!(last["failure"]["message"].as_str().unwrap().contains("row"), "{last}");
}

#[test]
fn what_was_kept_is_taken_by_every_runner() {
    let folder = project(&NODES.replace("lambda: 2", "2"));
    let root = folder.path();
    for runner in ["ThreadRunner", "ParallelRunner", "SequentialRunner"] {
        let kept = root.join(".mlops-tui/kept");
        if kept.exists() {
            fs::remove_dir_all(&kept).unwrap();
        }
        let (code, events) = run(root, &["--runner", runner]);
        assert_eq!(code, 0, "{events:#?}");
        let mut names = named(&events, "dataset_kept");
        names.sort_unstable();
        assert_eq!(names, ["lock", "row", "secretly", "table"], "{runner}");
        fs::remove_file(root.join("calls.txt")).unwrap();
        let (code, events) = run(root, &["--runner", runner, "--nodes", "second"]);
        assert_eq!(code, 0, "{events:#?}");
        assert_eq!(calls(root), "second ", "{runner}");
    }
    let mut store = Store::new(root);
    assert_eq!(store.kept("local").unwrap().len(), 4);
}

#[test]
fn a_file_that_was_tampered_with_or_removed_is_not_taken() {
    let folder = project(NODES);
    let root = folder.path();
    assert_eq!(run(root, &[]).0, 0);
    let kept = Store::new(root).kept("local").unwrap();
    let row = kept.iter().find(|one| one.dataset == "row").unwrap();
    fs::remove_file(root.join(".mlops-tui/kept").join(&row.file)).unwrap();
    fs::remove_file(root.join("calls.txt")).unwrap();
    assert_eq!(run(root, &["--nodes", "third"]).0, 0);
    assert_eq!(calls(root), "first second ");
    let row = Store::new(root).kept("local").unwrap();
    let row = row.iter().find(|one| one.dataset == "row").unwrap();
    fs::write(root.join(".mlops-tui/kept").join(&row.file), "nonsense").unwrap();
    let (code, events) = run(root, &["--nodes", "third"]);
    assert_eq!(code, 1, "{events:#?}");
}

#[test]
fn what_was_made_again_without_being_kept_is_not_taken() {
    let folder = project(&NODES.replace("lambda: 2", "2"));
    let root = folder.path();
    assert_eq!(run(root, &[]).0, 0);
    fs::write(root.join("conf/base/parameters.yml"), "size: 9\n").unwrap();
    let (code, events) = run(root, &["--strict"]);
    assert_eq!(code, 0, "{events:#?}");
    assert!(named(&events, "dataset_kept").is_empty());
    fs::remove_file(root.join("calls.txt")).unwrap();
    let (code, events) = run(root, &["--nodes", "third"]);
    assert_eq!(code, 0, "{events:#?}");
    assert_eq!(calls(root), "first second ", "the outdated one would be 3");
    assert_eq!(fs::read_to_string(root.join("result.txt")).unwrap(), "[9]");
}

#[test]
fn what_can_no_longer_be_kept_is_outdated() {
    let folder = project(&NODES.replace("lambda: 2", "2"));
    let root = folder.path();
    assert_eq!(run(root, &[]).0, 0);
    let nodes = NODES.replace("lambda: 2", "2").replace("{\"size\": size}", "Odd(size=5)");
    let odd = "class Odd(dict):\n    def __reduce__(self):\n        raise TypeError('no')\n\n    def __deepcopy__(self, memo):\n        return self\n\n\n";
    fs::write(root.join("src/shop/nodes.py"), format!("{odd}{nodes}")).unwrap();
    let (code, events) = run(root, &["--nodes", "first"]);
    assert_eq!(code, 0, "{events:#?}");
    assert_eq!(named(&events, "dataset_not_kept"), ["table"]);
    let (code, events) = run(root, &["--nodes", "second"]);
    assert_eq!(code, 0, "{events:#?}");
    assert!(calls(root).ends_with("first first second "), "{}", calls(root));
    assert_eq!(run(root, &["--nodes", "third"]).0, 0);
    assert_eq!(fs::read_to_string(root.join("result.txt")).unwrap(), "[5]");
}

#[test]
fn what_is_saved_by_other_threads_is_kept() {
    let folder = project(NODES);
    let root = folder.path();
    let (code, events) = run(root, &["--async"]);
    assert_eq!(code, 0, "{events:#?}");
    let mut names = named(&events, "dataset_kept");
    names.sort_unstable();
    assert_eq!(names, ["row", "secretly", "table"]);
}
