//! What nodes log to MLflow by themselves goes to one run of MLflow, with the project's real MLflow.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::common::project::project;
use crate::common::python::python;

/// Two nodes that are logged automatically, one that logs without a run, and one with a run of its own.
const NODES: &str = r#"
import mlflow
from sklearn.linear_model import LinearRegression

mlflow.sklearn.autolog(log_models=False, log_datasets=False)


def fit(size, depth):
    return float(LinearRegression().fit([[0], [size]], [0, depth]).coef_[0])


def log(one, two):
    mlflow.log_metric("sum", one + two)
    return one + two


def own(total):
    mlflow.end_run()
    with mlflow.start_run(run_name="own"):
        mlflow.log_metric("total", total)
    return total


def make(node):
    return [
        node(fit, ["params:size", "params:model.depth"], "one", name="first"),
        node(fit, ["params:model.depth", "params:size"], "two", name="second"),
        node(log, ["one", "two"], "total", name="log"),
        node(own, "total", "end", name="own"),
    ]
"#;

const RUNS: &str = "import json, mlflow
found = mlflow.MlflowClient().search_runs(['0'])
print(json.dumps(sorted([sorted(run.data.metrics), run.info.status, run.info.run_id] for run in found)))";

fn runs(root: &std::path::Path) -> Vec<Value> {
    let output = Command::new(python())
        .args(["-c", RUNS])
        .current_dir(root)
        .env("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last)
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn what_is_logged_without_a_run_goes_to_one_run() {
    let folder = project(NODES);
    let root = folder.path();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
            .args(["run", "--json", "--python"])
            .arg(python())
            .arg(root)
            .args(arguments)
            .env("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        let last = text.lines().last().unwrap().to_owned();
        serde_json::from_str::<Value>(&last).unwrap()
    };
    let record = run(&["--nodes", "first,second,log"]);
    let found = runs(root);
    assert_eq!(found.len(), 1, "{found:?}");
    let metrics = found[0][0].as_array().unwrap();
    assert!(metrics.len() > 1 && metrics.contains(&"sum".into()), "{found:?}");
    assert_eq!(found[0][1], "FINISHED");
    assert_eq!(record["mlflow_run"], found[0][2], "{record}");
    // A run that the project starts is its own; nothing else changes for `kedro run` itself.
    fs::remove_file(root.join("mlflow.db")).unwrap();
    run(&[]);
    assert_eq!(runs(root).len(), 2, "{:?}", runs(root));
    fs::remove_file(root.join("mlflow.db")).unwrap();
    run(&["--strict", "--nodes", "first,second"]);
    assert_eq!(runs(root).len(), 2, "as kedro run does");
}
