//! Answers of real servers, kept in `tests/remote/answers` for tests that need no server. The test asks everything again and
//! compares statuses, keys and types; with `UPDATE_ANSWERS=1` it writes the files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::airflow::{ADMIN, Airflow, VIEWER, Version};
use crate::client::User;
use crate::server;

/// Run ids of Airflow hold these signs.
const RUN: &str = "manual__2026-12-01T08:00:00.123456+00:00";
const RUN_IN_PATHS: &str = "manual__2026-12-01T08%3A00%3A00.123456%2B00%3A00";

#[test]
fn airflow_3_still_answers_as_recorded() {
    let airflow = server(Version::Three);
    let mut recorder = Recorder::of(&airflow, "airflow-3");
    recorder.access();
    recorder.token();
    recorder.dags();
    recorder.three_tasks();
    recorder.slow_run();
    recorder.end();
}

#[test]
fn airflow_2_still_answers_as_recorded() {
    let airflow = server(Version::Two);
    let mut recorder = Recorder::of(&airflow, "airflow-2");
    recorder.access();
    recorder.dags();
    recorder.three_tasks();
    recorder.slow_run();
    recorder.end();
}

struct Recorder<'a> {
    airflow: &'a Airflow,
    ada: User,
    folder: PathBuf,
    differences: Vec<String>,
}

impl<'a> Recorder<'a> {
    fn of(airflow: &'a Airflow, name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/remote/answers").join(name);
        fs::create_dir_all(&folder).unwrap();
        for dag in ["slow", "three_tasks"] {
            User::of(airflow, ADMIN).unpause(dag);
        }
        Recorder { airflow, ada: User::of(airflow, ADMIN), folder, differences: Vec::new() }
    }

    fn three(&self) -> bool {
        self.airflow.version() == Version::Three
    }

    /// Who may ask, and how a refusal looks.
    fn access(&mut self) {
        let (three, airflow) = (self.three(), self.airflow);
        let stranger = User::stranger(airflow);
        let vera = User::of(airflow, VIEWER);
        self.get("version", "version");
        let health = if three { "monitor/health" } else { "health" };
        self.get("health", health);
        self.by(&stranger, "error-nobody", "GET", "dags", None);
        let liar = User::with_wrong_secret(airflow);
        self.by(&liar, "error-wrong-secret", "GET", "dags", None);
        let trigger = json!({"logical_date": null});
        let run = if three { &trigger } else { &json!({}) };
        self.by(&vera, "error-viewer", "POST", "dags/slow/dagRuns", Some(run));
        self.get("error-404-dag", "dags/nowhere");
        self.get("error-404-run", "dags/slow/dagRuns/nowhere");
        self.get("error-404-route", "nowhere");
        self.ask("error-405", "PUT", "dags/slow", Some(&json!({})));
        self.ask("error-extra-key", "POST", "dags/slow/dagRuns", Some(&json!({"color": 1})));
        let conf = json!({"logical_date": null, "conf": {"bikes": -1}});
        let conf = if three { conf } else { json!({"conf": {"bikes": -1}}) };
        self.ask("error-conf", "POST", "dags/three_tasks/dagRuns", Some(&conf));
        self.get("error-time-without-zone", "dags/~/dagRuns?updated_at_gte=2026-12-01T00:00:00");
        self.get("error-order", "dags/~/dagRuns?order_by=color");
        self.get("state-unknown", "dags/~/dagRuns?state=color");
    }

    fn token(&mut self) {
        let stranger = User::stranger(self.airflow);
        let body = |password| json!({"username": ADMIN.0, "password": password});
        self.by(&stranger, "token", "POST", "/auth/token", Some(&body(ADMIN.1)));
        self.by(&stranger, "token-refused", "POST", "/auth/token", Some(&body("wrong")));
    }

    fn dags(&mut self) {
        self.ada.until("importErrors", |answer| answer["total_entries"] == 1);
        self.get("import-errors", "importErrors");
        self.get("dags", "dags?limit=100&order_by=dag_id");
        self.get("dag", "dags/three_tasks");
        self.get("dag-details", "dags/three_tasks/details");
        self.get("tasks", "dags/three_tasks/tasks");
        let pause = |paused: bool| json!({"is_paused": paused});
        self.ask("pause", "PATCH", "dags/slow?update_mask=is_paused", Some(&pause(true)));
        self.ask("unpause", "PATCH", "dags/slow?update_mask=is_paused", Some(&pause(false)));
    }

    /// A run with mapped tasks and a second try.
    fn three_tasks(&mut self) {
        let trigger = self.ada.trigger("three_tasks", RUN, &json!({"bikes": 5}));
        self.keep("trigger", "POST", "dags/three_tasks/dagRuns", None, &trigger);
        let again = self.ada.trigger("three_tasks", RUN, &json!({}));
        self.keep("error-409-run-exists", "POST", "dags/three_tasks/dagRuns", None, &again);
        let run = format!("dags/three_tasks/dagRuns/{RUN_IN_PATHS}");
        let tasks = format!("{run}/taskInstances");
        self.ada.until(&format!("{tasks}/second_try"), |task| task["state"] == "up_for_retry");
        self.get("task-instance-up-for-retry", &format!("{tasks}/second_try"));
        self.get("log-first-try-failed", &format!("{tasks}/second_try/logs/1"));
        self.ada.until(&run, |run| run["state"] == "success");
        self.get("run-success", &run);
        self.get("task-instances-success", &tasks);
        self.get("task-instance-mapped", &format!("{tasks}/double/1"));
        self.get("task-instances-of-a-mapped-task", &format!("{tasks}/double/listMapped"));
        self.get("tries", &format!("{tasks}/second_try/tries"));
        self.get("tries-of-a-mapped-task", &format!("{tasks}/double/1/tries"));
        self.get("log-mapped", &format!("{tasks}/double/logs/1?map_index=1"));
        for (name, accept) in [("log-plain", "text/plain"), ("log-lines", "application/x-ndjson")] {
            let path = format!("{tasks}/count/logs/1");
            let answer = self.ada.ask_for("GET", &path, None, accept);
            self.keep(name, "GET", &path, None, &answer);
        }
    }

    /// A run that is looked at while it runs, one that waits behind it, cancelling, clearing and marking.
    fn slow_run(&mut self) {
        let started = jiff::Timestamp::now().to_string();
        let slow = "dags/slow/dagRuns";
        assert_eq!(self.ada.trigger("slow", "long", &json!({"seconds": 300})).status, 200);
        self.ada.until("dags/slow/dagRuns/long/taskInstances/wait", |it| it["state"] == "running");
        assert_eq!(self.ada.trigger("slow", "behind", &json!({})).status, 200);
        self.get("run-running", &format!("{slow}/long"));
        self.get("run-queued", &format!("{slow}/behind"));
        self.get("task-instances-running", &format!("{slow}/long/taskInstances"));
        self.get("runs", &format!("{slow}?limit=10&order_by=-start_date"));
        self.get("runs-of-all-dags", "dags/~/dagRuns?limit=2&offset=1&order_by=-start_date");
        self.get("runs-running", "dags/~/dagRuns?state=running&state=queued");
        self.get("runs-updated", &format!("dags/~/dagRuns?updated_at_gte={started}"));
        let changed = format!("dags/~/dagRuns/~/taskInstances?updated_at_gte={started}");
        self.get("task-instances-updated", &changed);
        let batch = json!({"dag_ids": ["slow"], "states": ["running", "queued"], "page_limit": 5});
        self.ask("batch-runs", "POST", "dags/~/dagRuns/list", Some(&batch));
        let batch =
            json!({"dag_ids": ["slow"], "dag_run_ids": ["long", "behind"], "page_limit": 5});
        let batch = if self.three() { batch } else { without(batch, "page_limit") };
        let list = "dags/~/dagRuns/~/taskInstances/list";
        self.ask("batch-task-instances", "POST", list, Some(&batch));

        let log = format!("{slow}/long/taskInstances/wait/logs/1");
        self.ada.until(&log, |log| log.to_string().contains("second 2"));
        let first = self.get("log-running", &log);
        let token = first["continuation_token"].as_str().expect("a token").to_owned();
        std::thread::sleep(Duration::from_secs(2));
        self.get("log-running-continued", &format!("{log}?token={token}"));
        self.get("log-never-started", &format!("{slow}/long/taskInstances/after/logs/1"));

        let state = |state| json!({"state": state});
        self.ask("mark-run-failed", "PATCH", &format!("{slow}/long"), Some(&state("failed")));
        self.get("task-instances-cancelled", &format!("{slow}/long/taskInstances"));
        let behind = format!("{slow}/behind");
        self.ada.until(&behind, |run| run["state"] == "failed");
        self.get("run-failed", &behind);
        self.get("task-instances-failed", &format!("{behind}/taskInstances"));
        self.get("log-failed", &format!("{behind}/taskInstances/break_down/logs/1"));

        let mut clear = json!({"dry_run": true, "dag_run_id": "behind", "only_failed": true});
        clear["reset_dag_runs"] = true.into();
        let path = "dags/slow/clearTaskInstances";
        self.ask("clear-dry-run", "POST", path, Some(&clear));
        clear["dry_run"] = false.into();
        self.ask("clear", "POST", path, Some(&clear));
        self.ada.until(&behind, |run| run["state"] == "failed");
        let task = format!("{behind}/taskInstances/break_down");
        let mut mark = json!({"new_state": "success"});
        if !self.three() {
            mark["dry_run"] = false.into();
        }
        self.ask("mark-task-success", "PATCH", &task, Some(&mark));
        self.get("tries-after-clear", &format!("{task}/tries"));
        self.ask("mark-run-success", "PATCH", &behind, Some(&state("success")));
        self.ask("mark-run-queued", "PATCH", &format!("{slow}/long"), Some(&state("queued")));
        self.ask("mark-run-failed-again", "PATCH", &format!("{slow}/long"), Some(&state("failed")));
    }

    fn get(&mut self, name: &str, path: &str) -> Value {
        self.ask(name, "GET", path, None)
    }

    fn ask(&mut self, name: &str, method: &str, path: &str, body: Option<&Value>) -> Value {
        let answer = self.ada.ask(method, path, body);
        self.keep(name, method, path, body, &answer);
        serde_json::from_str(&answer.text).unwrap_or_default()
    }

    fn by(&mut self, user: &User, name: &str, method: &str, path: &str, body: Option<&Value>) {
        let answer = user.ask(method, path, body);
        self.keep(name, method, path, body, &answer);
    }

    /// Writes an answer, or compares it with what was written.
    fn keep(
        &mut self,
        name: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
        answer: &crate::client::Answer,
    ) {
        let text = self.without_places(&answer.text);
        let mut kept = json!({"method": method, "path": path, "status": answer.status});
        if let Some(body) = body {
            kept["body"] = body.clone();
        }
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => kept["answer"] = without_secrets(value),
            Err(_) => kept["text"] = text.into(),
        }
        let file = self.folder.join(format!("{name}.json"));
        if std::env::var_os("UPDATE_ANSWERS").is_some() {
            fs::write(file, serde_json::to_string_pretty(&kept).unwrap() + "\n").unwrap();
            return;
        }
        let written = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        let written: Value = serde_json::from_str(&written).unwrap();
        if written["status"] != kept["status"] {
            let (was, now) = (&written["status"], &kept["status"]);
            self.differences.push(format!("{name}: status {now}, recorded {was}"));
        }
        compare(name, &written["answer"], &kept["answer"], &mut self.differences);
    }

    fn without_places(&self, text: &str) -> String {
        let environment = self.airflow.python().parent().unwrap().parent().unwrap();
        let home = self.airflow.dags_folder();
        let host = rustix::system::uname();
        let host = regex::escape(host.nodename().to_str().unwrap());
        let host = regex::Regex::new(&format!(r"\b{host}\b")).unwrap();
        host.replace_all(text, "somewhere")
            .replace(home.parent().unwrap().to_str().unwrap(), "/airflow")
            .replace(environment.to_str().unwrap(), "/python")
            .replace(&self.airflow.address(), "http://127.0.0.1:8080")
    }

    fn end(self) {
        assert!(self.differences.is_empty(), "{}", self.differences.join("\n"));
    }
}

fn without(mut value: Value, key: &str) -> Value {
    value.as_object_mut().unwrap().remove(key);
    value
}

fn without_secrets(mut value: Value) -> Value {
    match &mut value {
        Value::Object(entries) => {
            for (key, entry) in entries.iter_mut() {
                match key.as_str() {
                    "access_token" => *entry = "TOKEN".into(),
                    "unixname" if entry != "" => *entry = "somebody".into(),
                    _ => *entry = without_secrets(entry.take()),
                }
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| *item = without_secrets(item.take()));
        }
        _ => {}
    }
    value
}

/// Where two answers differ in keys or in the types of values. `null` goes with everything, and lists by their first element.
fn compare(place: &str, was: &Value, is: &Value, differences: &mut Vec<String>) {
    match (was, is) {
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(was), Value::Object(is)) => {
            let keys = |map: &Map<String, Value>, other: &Map<String, Value>| {
                map.keys().filter(|key| !other.contains_key(*key)).cloned().collect::<Vec<_>>()
            };
            for (word, keys) in [("gone", keys(was, is)), ("new", keys(is, was))] {
                // What a run and a task were given, and what a log says, are not the server's own keys.
                let given = place.ends_with("conf") || place.ends_with("rendered_fields");
                let own = !given && !place.contains("content");
                if own && !keys.is_empty() {
                    differences.push(format!("{place}: {word}: {}", keys.join(", ")));
                }
            }
            for (key, was) in was {
                compare(&format!("{place}.{key}"), was, &is[key], differences);
            }
        }
        (Value::Array(was), Value::Array(is)) => {
            if let (Some(was), Some(is)) = (was.first(), is.first()) {
                compare(&format!("{place}[0]"), was, is, differences);
            }
        }
        _ => {
            if std::mem::discriminant(was) != std::mem::discriminant(is) {
                differences.push(format!("{place}: {is}, recorded {was}"));
            }
        }
    }
}
