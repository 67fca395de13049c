//! The answers of Airflow's REST API, of both versions. What is missing or unknown is left out, never an error.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;
use serde_json::Value as Json;

use super::super::dag_file::nodes_of;
use super::super::model::{Deployed, Phase, Run, RunId, State, Task};

/// Seconds since the Unix epoch of a time such as `2026-12-01T01:07:29.528702Z`.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.as_microsecond() as f64 / 1e6)
}

fn time(text: Option<String>) -> Option<f64> {
    seconds(&text?)
}

/// What Airflow's states of runs and task instances mean (`DagRunState`, `TaskInstanceState`).
fn state(name: Option<String>) -> State {
    let name = name.unwrap_or_else(|| "none".into());
    let phase = match name.as_str() {
        "none" | "scheduled" | "queued" => Phase::Waiting,
        "running" | "restarting" | "deferred" | "awaiting_input" => Phase::Running,
        "up_for_retry" | "up_for_reschedule" => Phase::Retrying,
        "success" => Phase::Succeeded,
        "failed" => Phase::Failed,
        "upstream_failed" => Phase::UpstreamFailed,
        "skipped" | "removed" => Phase::Skipped,
        _ => Phase::Unknown,
    };
    State { name, phase }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Dags {
    pub dags: Vec<Dag>,
    pub total_entries: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Dag {
    dag_id: String,
    is_paused: Option<bool>,
    is_stale: Option<bool>,
    is_active: Option<bool>,
    has_import_errors: Option<bool>,
    tags: Option<Vec<Tag>>,
    timetable_summary: Option<String>,
    timetable_description: Option<String>,
    schedule_interval: Option<Json>,
    params: Option<BTreeMap<String, Json>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tag {
    name: String,
}

impl Dag {
    pub fn deployed(self) -> Deployed {
        let interval = self.schedule_interval.and_then(|interval| {
            interval["value"].as_str().or(interval.as_str()).map(str::to_owned)
        });
        let schedule = self.timetable_summary.or(interval).or(self.timetable_description);
        let default = |param: Json| param.get("value").cloned().unwrap_or(param);
        Deployed {
            id: self.dag_id,
            paused: self.is_paused.unwrap_or(false),
            schedule: schedule
                .filter(|text| !matches!(text.as_str(), "None" | "Never, external triggers only")),
            tags: self.tags.unwrap_or_default().into_iter().map(|tag| tag.name).collect(),
            broken: self.has_import_errors == Some(true)
                || self.is_stale == Some(true)
                || self.is_active == Some(false),
            params: self
                .params
                .unwrap_or_default()
                .into_iter()
                .map(|(name, param)| (name, default(param)))
                .collect(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Runs {
    pub dag_runs: Vec<DagRun>,
    pub total_entries: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DagRun {
    dag_id: String,
    dag_run_id: String,
    state: Option<String>,
    queued_at: Option<String>,
    run_after: Option<String>,
    execution_date: Option<String>,
    start_date: Option<String>,
    end_date: Option<String>,
    run_type: Option<String>,
    conf: Option<Json>,
    note: Option<String>,
}

impl DagRun {
    pub fn run(self) -> Run {
        let queued = time(self.queued_at).or(time(self.run_after)).or(time(self.execution_date));
        Run {
            id: RunId { pipeline: self.dag_id, run: self.dag_run_id },
            state: state(self.state),
            queued,
            started: time(self.start_date),
            ended: time(self.end_date),
            kind: self.run_type.unwrap_or_default(),
            conf: self.conf.unwrap_or(Json::Null),
            note: self.note.filter(|note| !note.is_empty()),
            error: None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TaskInstances {
    pub task_instances: Vec<TaskInstance>,
    pub total_entries: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TaskInstance {
    dag_id: String,
    dag_run_id: String,
    task_id: String,
    map_index: Option<i64>,
    state: Option<String>,
    try_number: Option<u32>,
    max_tries: Option<u32>,
    start_date: Option<String>,
    end_date: Option<String>,
    hostname: Option<String>,
}

impl TaskInstance {
    /// The run that it belongs to.
    pub fn run(&self) -> RunId {
        RunId { pipeline: self.dag_id.clone(), run: self.dag_run_id.clone() }
    }

    pub fn task(self) -> Task {
        Task {
            id: self.task_id,
            index: self.map_index.and_then(|index| u32::try_from(index).ok()),
            state: state(self.state),
            attempt: self.try_number.unwrap_or(0),
            // Airflow counts the tries after the first one.
            attempts: self.max_tries.unwrap_or(0) + 1,
            started: time(self.start_date),
            ended: time(self.end_date),
            host: self.hostname.filter(|name| !name.is_empty()),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tasks {
    tasks: Vec<DagTask>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DagTask {
    task_id: String,
    downstream_task_ids: Vec<String>,
    doc_md: Option<String>,
}

impl Tasks {
    /// The nodes of the tasks that a DAG file of ours has made.
    pub fn nodes(self) -> HashMap<String, Vec<String>> {
        let nodes = |task: DagTask| Some((task.task_id, nodes_of(&task.doc_md?)?));
        self.tasks.into_iter().filter_map(nodes).collect()
    }

    /// The ids in an order in which the tasks can run; those that can run at once keep the order of their names.
    pub fn sorted(mut self) -> Vec<String> {
        self.tasks.sort_by(|a, b| a.task_id.cmp(&b.task_id));
        let mut sorted = Vec::new();
        let mut rest: Vec<&DagTask> = self.tasks.iter().collect();
        while !rest.is_empty() {
            let blocked: HashSet<&str> = rest
                .iter()
                .flat_map(|task| task.downstream_task_ids.iter().map(String::as_str))
                .collect();
            let (ready, waiting): (Vec<&DagTask>, Vec<&DagTask>) =
                rest.iter().partition(|task| !blocked.contains(task.task_id.as_str()));
            // A graph with a cycle is no DAG; its tasks follow as they are.
            if ready.is_empty() {
                sorted.extend(waiting.iter().map(|task| task.task_id.clone()));
                break;
            }
            sorted.extend(ready.iter().map(|task| task.task_id.clone()));
            rest = waiting;
        }
        sorted
    }
}
