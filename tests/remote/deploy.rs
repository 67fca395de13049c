//! The sample project is deployed to real Airflows, and runs there task by task.

use std::fs;
use std::path::Path;

use mlops_tui::project::{Options, Reader, Snapshot};
use mlops_tui::remote::dag_file::nodes_of;
use mlops_tui::remote::{Airflow, Change, DagFile, DagSettings, Grouping, Plan, deploy};
use serde_json::{Value, json};

use crate::airflow::{ADMIN, Airflow as Server, Version};
use crate::client::User;
use crate::project::copy_of_sample;
use crate::server;

#[test]
fn the_sample_project_runs_on_airflow_3() {
    runs_on(Version::Three, Airflow::Three, "sample_on_3");
}

#[test]
fn the_sample_project_runs_on_airflow_2() {
    runs_on(Version::Two, Airflow::Two, "sample_on_2");
}

fn runs_on(version: Version, airflow: Airflow, run: &str) {
    let (_folder, root) = copy_of_sample();
    let text = "default: {retries: 0, tags: [bikes]}\n";
    fs::write(root.join("conf/base/airflow.yml"), text).unwrap();
    let mut reader = Reader::new(&root);
    let snapshot = reader.read(&Options::default());
    let plan = Plan::of(&snapshot, "__default__", &Grouping::default()).unwrap();
    let settings = DagSettings::read(&mut reader, None, "__default__").unwrap();
    let file = DagFile::new(&snapshot, &plan, &settings, airflow);
    let deployment = deploy::deployment(&snapshot, &file, None).unwrap();

    let server = server(version);
    assert_eq!(deployment.write(&server.dags_folder()).unwrap(), Change::New);
    let ada = User::of(&server, ADMIN);
    let dag = deployment.id.as_str();
    ada.unpause(dag);
    let known = ada.get(&format!("dags/{dag}/tasks"));
    for task in &plan.tasks {
        let known = known["tasks"].as_array().unwrap().iter().find(|one| one["task_id"] == task.id);
        let doc = known.unwrap()["doc_md"].as_str().unwrap();
        assert_eq!(nodes_of(doc).as_ref(), Some(&task.nodes));
    }

    let conf = json!({"test_days": 30, "linear": {"model_options": {"alpha": 2.5}}, "_mlops_tui": {"id": run}});
    assert_eq!(ada.trigger(dag, run, &conf).status, 200);
    let tasks = format!("dags/{dag}/dagRuns/{run}/taskInstances");
    for task in &plan.tasks {
        let path = format!("{tasks}/{}", task.id);
        let ended = ada.until(&path, is_over);
        assert_eq!(ended["state"], "success", "{}", ada.get(&format!("{path}/logs/1"))["content"]);
    }
    assert_eq!(ada.until(&format!("dags/{dag}/dagRuns/{run}"), is_over)["state"], "success");

    let summary = fs::read_to_string(root.join("data/08_reporting/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["test_days"], 30, "a parameter reaches its node");
    // What conf does not name keeps its value.
    assert_eq!(summary["seed"], 7);
    for made in
        ["05_model_input/train.parquet", "06_models/linear.pkl", "08_reporting/forecast.png"]
    {
        assert!(root.join("data").join(made).is_file(), "{made}");
    }
    assert!(tracked_runs(&root) > 0);

    let conf = json!({"trips": {"min_minutes": "a text"}});
    assert_eq!(ada.trigger(dag, "wrong", &conf).status, 200);
    let failed = format!("dags/{dag}/dagRuns/wrong/taskInstances/clean-trips");
    assert_eq!(ada.until(&failed, is_over)["state"], "failed");
    let log = ada.get(&format!("{failed}/logs/1"))["content"].to_string();
    assert!(log.contains("in clean_trips") || log.contains("\"name\":\"clean_trips\""), "{log}");
    assert_eq!(ada.until(&format!("dags/{dag}/dagRuns/wrong"), is_over)["state"], "failed");
    history(&root, &server, dag, &plan, run);
    assert_eq!(deployment.write(&server.dags_folder()).unwrap(), Change::Unchanged);
    fs::remove_file(deployment.path(&server.dags_folder())).unwrap();
}

/// Both runs are in the project's history, like runs of this machine; the failed one is brought home, and fails here as there.
fn history(root: &Path, server: &Server, dag: &str, plan: &Plan, good: &str) {
    let profile = format!(
        "engines:\n  engine: airflow\n  url: {}\n  credentials: of_ada\n  pipelines: {{__default__: {dag}}}\n",
        server.address()
    );
    fs::write(root.join("conf/base/remote.yml"), profile).unwrap();
    let credentials = format!("of_ada: {{username: {}, password: {}}}\n", ADMIN.0, ADMIN.1);
    fs::write(root.join("conf/local/credentials.yml"), credentials).unwrap();
    let verb = |words: &[&str]| {
        let python = Version::Three.python();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
            .args(words)
            .arg("-C")
            .arg(root)
            .env("VIRTUAL_ENV", python.parent().and_then(Path::parent).unwrap())
            .env("MLOPS_TUI_STATE_DIR", root.join(".state"))
            .env("DO_NOT_TRACK", "1")
            .env("NO_PROXY", "*")
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (text, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(!text.contains(ADMIN.1) && !errors.contains(ADMIN.1), "{words:?}: {errors}");
        (output.status.success(), text)
    };
    let json = |words: &[&str]| -> Value {
        let (_, text) = verb(words);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{words:?}: {error}: {text}"))
    };
    for _ in 0..2 {
        assert!(verb(&["remote", "show", good]).0);
        assert!(verb(&["remote", "show", "wrong"]).0);
    }
    let filter = ["runs", "list", "--json", "--filter", "on:engines is:remote"];
    let listed = json(&filter);
    let ids: Vec<String> =
        listed.as_array().unwrap().iter().map(|run| run["id"].to_string()).collect();
    assert_eq!(ids.len(), 2, "{listed:#}");

    let shown = json(&["runs", "show", &ids[1], "--json"]);
    assert_eq!((&shown["outcome"], &shown["remote"]["run"]), (&json!("succeeded"), &json!(good)));
    assert_eq!(shown["request"]["params"]["linear.model_options.alpha"], "2.5");
    assert!(shown["request"]["params"].get("_mlops_tui.id").is_none());
    let mut nodes: Vec<&str> = shown["timeline"]["bars"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bar| {
            assert!(bar["start"].is_number() && bar["end"].is_number(), "{bar}");
            bar["node"].as_str().unwrap()
        })
        .collect();
    let mut planned: Vec<&str> =
        plan.tasks.iter().flat_map(|task| &task.nodes).map(String::as_str).collect();
    nodes.sort_unstable();
    planned.sort_unstable();
    assert_eq!(nodes, planned);
    // The tracked runs of its tasks are found by their tags.
    let tracked = shown["mlflow_run"].as_str().unwrap();
    assert!(verb(&["experiments", "show", tracked]).0);
    assert!(shown["metrics"]["linear.mae"].is_number(), "{:#}", shown["metrics"]);

    let there = json(&["runs", "show", &ids[0], "--json"]);
    assert_eq!(
        (&there["outcome"], &there["failed_node"]),
        (&json!("failed"), &json!("clean_trips"))
    );
    let home = json(&["remote", "home", "wrong", "--json"]);
    assert_eq!((&home["node"], &home["line"]), (&json!("clean_trips"), &json!(26)));
    assert!(home["file"].as_str().unwrap().ends_with("data_processing/nodes.py"), "{home:#}");
    assert_eq!(home["params"], json!({"trips.min_minutes": "a text"}));
    let logs = verb(&["remote", "logs", "wrong"]).1;
    assert!(logs.contains("in clean_trips"), "{logs}");
    assert!(verb(&["runs", "logs", &ids[0]]).1.contains("in clean_trips"));

    assert!(!verb(&["remote", "home", "wrong", "--run"]).0);
    let here = json(&["runs", "show", "last", "--json"]);
    assert_eq!((&here["remote"], &here["failed_node"]), (&Value::Null, &json!("clean_trips")));
    let place = |run: &Value| {
        let frames = run["failure"]["frames"].as_array().unwrap().clone();
        let own = frames.into_iter().rev().find(|frame| frame["in_project"] == true).unwrap();
        (
            own,
            run["failure"]["message"].clone(),
            run["failure"]["kind"].as_str().unwrap().rsplit('.').next().unwrap().to_owned(),
        )
    };
    assert_eq!(place(&here), place(&there), "it fails here as there");
    let changes = json(&["runs", "diff", &ids[0], "last", "--json"]);
    assert_eq!(changes["overrides"], json!([]), "{changes:#}");
}

fn is_over(answer: &Value) -> bool {
    ["success", "failed", "upstream_failed", "skipped"]
        .iter()
        .any(|state| answer["state"] == *state)
}

/// How many runs are in the project's own MLflow.
fn tracked_runs(root: &Path) -> i64 {
    let store = rusqlite::Connection::open(root.join("mlflow.db")).unwrap();
    store.query_row("SELECT count(*) FROM runs", [], |row| row.get(0)).unwrap()
}

/// kedro-airflow's groups with ids and dependencies, and the ids it gives to some names.
const PEER: &str = r#"
import json, sys
from pathlib import Path
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro_airflow.grouping import group_memory_nodes
from slugify import slugify
bootstrap_project(Path.cwd())
with KedroSession.create(project_path=Path.cwd()) as session:
    catalog = session.load_context().catalog
    found = {}
    for name, pipeline in pipelines.items():
        groups = group_memory_nodes(catalog, pipeline)
        found[name] = {slugify(g.name): [g.nodes, sorted(map(slugify, g.dependencies))] for g in groups}
print(json.dumps(found))
"#;

#[test]
fn the_groups_are_those_of_kedro_airflow() {
    let (_folder, root) = copy_of_sample();
    let output = std::process::Command::new(Version::Three.python())
        .args(["-c", PEER])
        .current_dir(&root)
        .env("DO_NOT_TRACK", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let peer: Value = serde_json::from_str(text.lines().last().unwrap_or_default())
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let snapshot: Snapshot = Reader::new(&root).read(&Options::default());
    for pipeline in &snapshot.pipelines {
        let plan = Plan::of(&snapshot, &pipeline.name, &Grouping::Memory).unwrap();
        let groups = peer[&pipeline.name].as_object().unwrap();
        assert_eq!(groups.len(), plan.tasks.len(), "{}", pipeline.name);
        for task in &plan.tasks {
            let group = &groups.get(&task.id).unwrap_or_else(|| panic!("{}: {groups:?}", task.id));
            assert_eq!(json!(task.nodes), group[0]);
            let mut upstream = task.upstream.clone();
            upstream.sort();
            // kedro-airflow takes transcodings of a dataset for different datasets, and does not wait for the writer.
            if task.nodes == ["split_days"] {
                assert_eq!(group[1], json!([]));
                continue;
            }
            assert_eq!(json!(upstream), group[1], "{}", task.id);
        }
    }
}
