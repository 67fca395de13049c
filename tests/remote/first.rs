//! A DAG is registered, triggered, followed to its end and read.

use serde_json::{Value, json};

use crate::airflow::{ADMIN, Version};
use crate::client::User;
use crate::server;

#[test]
fn airflow_3_runs_three_tasks() {
    runs_three_tasks(Version::Three);
}

#[test]
fn airflow_2_runs_three_tasks() {
    runs_three_tasks(Version::Two);
}

#[test]
fn a_restart_keeps_runs_and_ends_tasks() {
    let mut airflow = server(Version::Two);
    let ada = User::of(&airflow, ADMIN);
    ada.unpause("slow");
    assert_eq!(ada.trigger("slow", "interrupted", &json!({"seconds": 300})).status, 200);
    let task = "dags/slow/dagRuns/interrupted/taskInstances/wait";
    ada.until(task, |task| task["state"] == "running");
    let pid = ada.get(task)["pid"].as_i64().unwrap().to_string();
    let runs = || std::path::Path::new("/proc").join(&pid).exists();
    assert!(runs() || !cfg!(target_os = "linux"));

    airflow.restart();

    assert!(!runs());
    assert_eq!(ada.get("dags/slow/dagRuns/interrupted")["conf"], json!({"seconds": 300}));
    let failed = json!({"state": "failed"});
    let answer = ada.ask("PATCH", "dags/slow/dagRuns/interrupted", Some(&failed));
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn runs_three_tasks(version: Version) {
    let airflow = server(version);
    let ada = User::of(&airflow, ADMIN);
    ada.unpause("three_tasks");

    let answer = ada.trigger("three_tasks", "first", &json!({"bikes": 5}));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["state"], "queued");
    assert_eq!(ada.trigger("three_tasks", "first", &json!({})).status, 409);

    let run = ada.until("dags/three_tasks/dagRuns/first", |run| {
        ["success", "failed"].iter().any(|state| run["state"] == *state)
    });
    assert_eq!(run["state"], "success", "{}", airflow.log());
    assert_eq!(run["conf"], json!({"bikes": 5}));

    let answer = ada.get("dags/three_tasks/dagRuns/first/taskInstances");
    let mut tasks: Vec<_> = answer["task_instances"].as_array().unwrap().iter().map(row).collect();
    tasks.sort();
    let mapped = |index| ("double".to_owned(), index, 1, "success".to_owned());
    assert_eq!(
        tasks,
        [
            ("count".to_owned(), -1, 1, "success".to_owned()),
            mapped(0),
            mapped(1),
            mapped(2),
            ("second_try".to_owned(), -1, 2, "success".to_owned()),
        ]
    );

    let logs = "dags/three_tasks/dagRuns/first/taskInstances";
    assert!(text(&ada, &format!("{logs}/count/logs/1")).contains("counting 5 bikes"));
    assert!(text(&ada, &format!("{logs}/double/logs/1?map_index=2")).contains("double of 3 is 6"));
    assert!(text(&ada, &format!("{logs}/second_try/logs/1")).contains("the first try fails"));
    assert!(text(&ada, &format!("{logs}/second_try/logs/2")).contains("this is try 2"));
}

fn row(task: &Value) -> (String, i64, i64, String) {
    let text = |key: &str| task[key].as_str().unwrap_or_default().to_owned();
    let number = |key: &str| task[key].as_i64().unwrap();
    (text("task_id"), number("map_index"), number("try_number"), text("state"))
}

/// A log as JSON. Airflow 2 gives one string, Airflow 3 a list of events.
fn text(user: &User, path: &str) -> String {
    user.get(path)["content"].to_string()
}
