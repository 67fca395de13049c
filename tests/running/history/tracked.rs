//! The project's own runs as tracked runs, where there is no MLflow: those of the history, and those of `kedro run`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::common::project::project;
use crate::common::python::python;
use crate::common::run::run;

const NODES: &str = r#"
def measure(size):
    return {"mae": 1 / size, "by": {"day": size}, "name": "x"}


def copy(raw):
    return {"rows": raw["rows"]}


def make(node):
    return [
        node(measure, "params:size", "scores", name="measure"),
        node(copy, "raw", "counts", name="copy"),
    ]
"#;

const CATALOG: &str = r"
scores:
  type: json.JSONDataset
  filepath: data/scores.json
  versioned: true
counts: {type: json.JSONDataset, filepath: data/counts.json}
raw: {type: json.JSONDataset, filepath: data/raw.json}
";

fn ask(root: &Path, words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .arg("experiments")
        .args(words)
        .arg("-C")
        .arg(root)
        .env_remove("MLFLOW_TRACKING_URI")
        .env("TZ", "UTC")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.is_empty(), "{words:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

fn json_of(root: &Path, words: &[&str]) -> Json {
    serde_json::from_str(&ask(root, &[words, &["--json"]].concat())).unwrap()
}

/// A project whose `kedro run` has been followed by two runs of ours.
fn three_runs() -> tempfile::TempDir {
    let folder = project(NODES);
    let root = folder.path();
    let mut catalog =
        fs::File::options().append(true).open(root.join("conf/base/catalog.yml")).unwrap();
    catalog.write_all(CATALOG.as_bytes()).unwrap();
    fs::create_dir(root.join("data")).unwrap();
    fs::write(root.join("data/raw.json"), r#"{"rows": 7}"#).unwrap();
    let kedro = Command::new(python())
        .args(["-m", "kedro", "run", "--nodes=measure"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(kedro.status.success(), "{}", String::from_utf8_lossy(&kedro.stderr));
    for size in ["size=4", "size=8"] {
        let (code, events) = run(root, &["--params", size]);
        assert_eq!(code, 0, "{events:?}");
    }
    folder
}

#[test]
fn runs_are_tracked_without_mlflow() {
    let folder = three_runs();
    let root = folder.path();
    let place = json_of(root, &["where"]);
    assert_eq!([&place["kind"], &place["chosen_by"]], ["project", "folder"]);

    let runs = json_of(root, &["search"]);
    let runs = runs["runs"].as_array().unwrap();
    let mae: Vec<&Json> = runs.iter().map(|run| &run["metrics"]["scores.mae"]).collect();
    assert_eq!(mae, [0.125, 0.25, 1.0 / 3.0]);
    let [last, first, other] = runs.as_slice() else { panic!("{runs:?}") };
    assert_eq!([&last["run_id"], &first["run_id"]], ["2", "1"]);
    assert_eq!(last["run_name"], "__default__");
    assert_eq!(last["status"], "FINISHED");
    assert_eq!([&last["params"]["size"], &last["params"]["model.depth"]], ["8", "2"]);
    assert_eq!(last["metrics"]["scores.by.day"], 8.0);
    assert_eq!(last["metrics"]["counts.rows"], 7.0);
    // What Kedro's own run has saved is named by its version.
    let version = fs::read_dir(root.join("data/scores.json")).unwrap();
    let mut versions: Vec<_> = version.map(|entry| entry.unwrap().file_name()).collect();
    versions.sort();
    assert_eq!(other["run_id"], versions[0].to_str().unwrap());
    assert_eq!([&other["run_name"], &other["params"]], [&json!("scores"), &json!({})]);

    let points = json_of(root, &["history", "2", "scores.mae"]);
    let points: Vec<_> = points["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| (&point["step"], &point["value"]))
        .collect();
    let expected = [json!(0), json!(1.0 / 3.0), json!(1), json!(0.25), json!(2), json!(0.125)];
    let expected: Vec<_> = expected.chunks(2).map(|pair| (&pair[0], &pair[1])).collect();
    assert_eq!(points, expected);
    let best = json_of(root, &["show", "best:metrics.scores.mae"]);
    assert_eq!(best["run"]["run_id"], "2");
    for (filter, ids) in [
        ("params.size = '4'", vec!["1"]),
        ("metrics.counts.rows > 0", vec!["2", "1"]),
        ("metrics.scores.mae.max > 0.3 and params.size = '8'", vec!["2"]),
        ("dataset.name = 'raw'", vec!["2", "1"]),
    ] {
        let found = json_of(root, &["search", filter]);
        let found: Vec<&Json> =
            found["runs"].as_array().unwrap().iter().map(|run| &run["run_id"]).collect();
        assert_eq!(found, ids, "{filter}");
    }

    let datasets = json_of(root, &["datasets"]);
    let datasets = datasets["datasets"].as_array().unwrap();
    assert_eq!(datasets.len(), 1, "{datasets:?}");
    assert_eq!([&datasets[0]["name"], &datasets[0]["catalog"]], ["raw", "raw"]);
    assert_eq!(datasets[0]["runs"].as_array().unwrap().len(), 2);
    let differ = ask(root, &["compare", "1", "2"]);
    assert!(differ.contains("size") && !differ.contains("model.depth"), "{differ}");

    // Stores have names, so that runs of several are compared.
    let copy = tempfile::tempdir().unwrap();
    let other = copy.path().join("mlruns");
    let write = |path: &str, text: &str| {
        let path = other.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("0/meta.yaml", "experiment_id: '0'\nname: Default\n");
    write("0/abc/meta.yaml", "run_id: abc\nexperiment_id: '0'\nrun_name: theirs\n");
    write("0/abc/metrics/scores.mae", "1 0.5 0\n");
    write("0/abc/params/size", "16");
    let mut pyproject = fs::File::options().append(true).open(root.join("pyproject.toml")).unwrap();
    writeln!(pyproject, "[tool.mlops-tui]\nstores = {{prod = '{}'}}", other.display()).unwrap();
    let compared = json_of(root, &["compare", "prod:abc", "2", "project:1", "prod:latest"]);
    let names: Vec<&Json> =
        compared["runs"].as_array().unwrap().iter().map(|run| &run["run_name"]).collect();
    assert_eq!(names, ["theirs", "__default__", "__default__", "theirs"]);
    assert_eq!(compared["differences"]["params"]["size"], json!(["16", "8", "4", "16"]));
    assert_eq!(compared["differences"]["metrics"]["scores.mae"], json!([0.5, 0.125, 0.25, 0.5]));

    // They are also written together, with the experiments of each store.
    let of_both = ["export", "prod:abc", "2", "--to", "-"];
    let table = ask(root, &[&of_both[..], &["--format", "csv"]].concat());
    assert!(table.contains("prod:Default") && table.contains("theirs"), "{table}");
    assert_eq!(table.lines().count(), 3, "{table}");
    let values = ask(
        root,
        &[
            &["export", "2", "prod:abc", "1", "--to", "-"][..],
            &["--metric", "scores.mae"],
            &["--format", "csv"],
        ]
        .concat(),
    );
    let ids = values.lines().skip(1).map(|line| line.split(',').next().unwrap_or_default());
    let mut ids: Vec<&str> = ids.collect();
    ids.dedup();
    assert_eq!(ids, ["2", "abc", "1"], "{values}");
    let page = ask(root, &of_both);
    assert!(page.contains("prod, own runs"), "{page}");

    // A later run of Kedro's adds a run, and leaves the file that ours have saved to them.
    fs::write(root.join("data/counts.json"), r#"{"rows": 9}"#).unwrap();
    let runs = json_of(root, &["search"]);
    assert_eq!(runs["runs"].as_array().unwrap().len(), 4);
    assert_eq!(runs["runs"][0]["metrics"], json!({"counts.rows": 9.0}));
}

#[test]
fn a_project_that_never_ran_has_no_tracked_runs() {
    let folder = project(NODES);
    let root = folder.path();
    assert_eq!(json_of(root, &["search"]), json!({"schema": 1, "runs": [], "truncated": false}));
    assert_eq!(json_of(root, &["datasets"])["datasets"], json!([]));
    assert_eq!(json_of(root, &["list"])["experiments"].as_array().unwrap().len(), 1);
    assert!(!root.join(".mlops-tui").exists(), "looking makes nothing");
}
