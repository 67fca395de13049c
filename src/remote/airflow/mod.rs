//! Apache Airflow 3 (REST API v2) and 2 (REST API v1), chosen by asking the server.
//!
//! - `session`: which API the server has, signing in, requests and their failures.
//! - `shapes`: the answers.
//! - `changes`: what has changed since a time.
//! - `logs`: the logs of both versions as lines.
//!
//! Source: the API documents of Airflow 3.3 and 2.11, and what servers of both answered (`tests/remote/answers`).

mod changes;
mod logs;
mod session;
mod shapes;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value as Json, json};

use self::session::{Api, Session, segment, value};
use self::shapes::{Dag, DagRun, Dags, Runs, TaskInstance, TaskInstances, Tasks};
use super::backend::{Action, Backend, Check, RemoteError};
use super::model::{
    Changes, Deployed, LogPage, Mark, Phase, Run, RunId, RunsQuery, Submission, Task,
};
use super::profile::Profile;
use crate::text::UserError;

/// Rows of one page: servers cut larger ones to this by default (`maximum_page_limit`).
const PAGE: usize = 100;
/// How often a submission without an answer is looked for or sent again.
const SUBMISSIONS: u32 = 3;
/// Clocks that differ by more than this many seconds are mentioned.
const SKEW: f64 = 5.0;

/// A connection to an Airflow server.
pub struct AirflowServer {
    session: Session,
    /// The tasks of DAGs in the order in which they can run.
    orders: Mutex<HashMap<String, Vec<String>>>,
}

impl AirflowServer {
    /// Prepares a connection; nothing is sent.
    ///
    /// # Errors
    /// When a certificate or the proxy can't be used.
    pub fn new(profile: &Profile) -> Result<Self, UserError> {
        Ok(AirflowServer { session: Session::new(profile)?, orders: Mutex::default() })
    }

    /// All pages of a list. `rows` takes the rows from an answer, with the total of rows.
    fn pages<T: serde::de::DeserializeOwned, R>(
        &self,
        path: &str,
        limit: usize,
        rows: impl Fn(T) -> (Vec<R>, Option<usize>),
    ) -> Result<Vec<R>, RemoteError> {
        let mut all: Vec<R> = Vec::new();
        let join = if path.contains('?') { '&' } else { '?' };
        loop {
            let wanted = if limit == 0 { PAGE } else { PAGE.min(limit - all.len()) };
            let page = format!("{path}{join}limit={wanted}&offset={}", all.len());
            let (found, total) = rows(self.session.get(&page)?);
            let is_empty = found.is_empty();
            all.extend(found);
            let is_all = total.is_none_or(|total| all.len() >= total);
            if is_empty || is_all || (limit > 0 && all.len() >= limit) {
                return Ok(all);
            }
        }
    }

    fn path(id: &RunId) -> String {
        format!("dags/{}/dagRuns/{}", segment(&id.pipeline), segment(&id.run))
    }

    /// The places of the tasks of a DAG, in the order in which they can run; empty if the server does not say.
    fn order(&self, dag: &str, known: &[&str]) -> HashMap<String, usize> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known =
            |order: &Vec<String>| known.iter().all(|id| order.iter().any(|one| one == id));
        if !orders.get(dag).is_some_and(is_known)
            && let Ok(tasks) = self.session.get::<Tasks>(&format!("dags/{}/tasks", segment(dag)))
        {
            orders.insert(dag.to_owned(), tasks.sorted());
        }
        let order = orders.get(dag).map(Vec::as_slice).unwrap_or_default();
        order.iter().enumerate().map(|(place, id)| (id.clone(), place)).collect()
    }
}

impl Backend for AirflowServer {
    fn can(&self, action: Action) -> Result<(), &'static str> {
        match action {
            Action::Deploy => Err("Airflow reads DAGs from its folder; its API takes none"),
            _ => Ok(()),
        }
    }

    fn check(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        let mut add = |what, found: Result<String, String>| {
            let is_good = found.is_ok();
            checks.push(Check { what, found });
            is_good
        };
        let api = self.session.api();
        let address = match &api {
            Ok(api) => Ok(format!("{}, REST API {}", self.session.address(), api.name())),
            Err(error) => Err(error.to_string()),
        };
        if !add("address", address) {
            return checks;
        }
        let signed = self.session.sign_in().map_err(|error| error.to_string());
        if !add("credentials", signed) {
            return checks;
        }
        let version = self.session.get::<Json>("version").map_err(|error| error.to_string());
        let version = version.map(|version| {
            format!("Airflow {}", version["version"].as_str().unwrap_or("of an unknown version"))
        });
        add("version", version);
        let dags = self.session.get::<Dags>("dags?limit=1");
        add(
            "permissions",
            dags.map(|dags| {
                format!("reads DAGs ({})", dags.total_entries.unwrap_or(dags.dags.len()))
            })
            .map_err(|error| error.to_string()),
        );
        for (what, found) in self.session.health() {
            add(what, found);
        }
        if let Some(skew) = self.session.skew().filter(|skew| skew.abs() > SKEW) {
            let way = if skew > 0.0 { "ahead of" } else { "behind" };
            add(
                "clock",
                Err(format!(
                    "it is {:.0} s {way} this machine's; times are shown by the engine's clock",
                    skew.abs()
                )),
            );
        }
        checks
    }

    fn pipelines(&self) -> Result<Vec<Deployed>, RemoteError> {
        let dags =
            self.pages("dags?order_by=dag_id", 0, |page: Dags| (page.dags, page.total_entries))?;
        Ok(dags.into_iter().map(Dag::deployed).collect())
    }

    fn runs(&self, query: &RunsQuery) -> Result<Vec<Run>, RemoteError> {
        let dag = query.pipeline.as_deref().map_or_else(|| "~".to_owned(), segment);
        let mut path = format!("dags/{dag}/dagRuns?order_by=-id");
        query.states.iter().for_each(|state| path += &format!("&state={}", value(state)));
        let runs =
            self.pages(&path, query.limit, |page: Runs| (page.dag_runs, page.total_entries))?;
        Ok(runs.into_iter().map(DagRun::run).collect())
    }

    fn run(&self, id: &RunId) -> Result<Run, RemoteError> {
        self.session.get(&AirflowServer::path(id)).map(DagRun::run)
    }

    fn tasks(&self, id: &RunId) -> Result<Vec<Task>, RemoteError> {
        let path = format!("{}/taskInstances", AirflowServer::path(id));
        let found =
            self.pages(&path, 0, |page: TaskInstances| (page.task_instances, page.total_entries))?;
        let mut tasks: Vec<Task> = found.into_iter().map(TaskInstance::task).collect();
        let known: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
        let order = self.order(&id.pipeline, &known);
        let place = |task: &Task| order.get(&task.id).copied().unwrap_or(usize::MAX);
        tasks.sort_by(|a, b| (place(a), &a.id, a.index).cmp(&(place(b), &b.id, b.index)));
        Ok(tasks)
    }

    fn nodes(&self, pipeline: &str) -> Result<HashMap<String, Vec<String>>, RemoteError> {
        Ok(self.session.get::<Tasks>(&format!("dags/{}/tasks", segment(pipeline)))?.nodes())
    }

    fn changes(&self, pipeline: Option<&str>, since: Option<f64>) -> Result<Changes, RemoteError> {
        changes::since(&self.session, pipeline, since)
    }

    fn rest(&self) -> Duration {
        self.session.rest()
    }

    fn log(
        &self,
        id: &RunId,
        task: &Task,
        attempt: u32,
        from: Option<&str>,
    ) -> Result<LogPage, RemoteError> {
        let mut path = format!(
            "{}/taskInstances/{}/logs/{attempt}?full_content=false",
            AirflowServer::path(id),
            segment(&task.id)
        );
        if let Some(index) = task.index {
            path += &format!("&map_index={index}");
        }
        if let Some(token) = from {
            path += &format!("&token={}", value(token));
        }
        match self.session.get::<Json>(&path) {
            Ok(answer) => Ok(logs::page(&answer)),
            // A task that has not started has no log yet, in version 3 of the server.
            Err(RemoteError::Missing(_)) if attempt == 0 || task.state.phase == Phase::Waiting => {
                Ok(LogPage::default())
            }
            Err(error) => Err(error),
        }
    }

    fn submit(&self, submission: &Submission) -> Result<Run, RemoteError> {
        let path = format!("dags/{}/dagRuns", segment(&submission.pipeline));
        let mut body = json!({"dag_run_id": submission.id, "conf": submission.conf});
        if let Some(note) = &submission.note {
            body["note"] = note.as_str().into();
        }
        if self.session.api()? == Api::V2 {
            body["logical_date"] = Json::Null;
        }
        let id = RunId { pipeline: submission.pipeline.clone(), run: submission.id.clone() };
        let mut tries = 1;
        loop {
            let error = match self.session.post::<DagRun>(&path, &body) {
                Ok(run) => return Ok(run.run()),
                // The answer to an earlier try was lost.
                Err(RemoteError::Conflict(_)) if tries > 1 => return self.run(&id),
                Err(RemoteError::Unanswered(error)) => RemoteError::Unanswered(error),
                Err(error) => return Err(error),
            };
            // The server may have taken it: the same id is never a second run.
            match self.run(&id) {
                Ok(run) => return Ok(run),
                Err(RemoteError::Missing(_)) if tries < SUBMISSIONS => tries += 1,
                _ => return Err(error),
            }
        }
    }

    fn cancel(&self, id: &RunId) -> Result<(), RemoteError> {
        let run = self.run(id)?;
        if run.state.phase.is_over() {
            return Err(RemoteError::Refused(format!("{} has ended: {}.", id.run, run.state.name)));
        }
        self.session.patch::<Json>(&AirflowServer::path(id), &json!({"state": "failed"})).map(drop)
    }

    fn retry(&self, id: &RunId) -> Result<Vec<String>, RemoteError> {
        let path = format!("dags/{}/clearTaskInstances", segment(&id.pipeline));
        let body = json!({"dry_run": false, "dag_run_id": id.run, "only_failed": true, "reset_dag_runs": true});
        let cleared: TaskInstances = self.session.post(&path, &body)?;
        let mut names: Vec<String> =
            cleared.task_instances.into_iter().map(|one| one.task().name()).collect();
        names.dedup();
        match names.is_empty() {
            true => Err(RemoteError::Refused(format!("No task of {} has failed.", id.run))),
            false => Ok(names),
        }
    }

    fn mark(&self, id: &RunId, task: Option<&Task>, as_: Mark) -> Result<(), RemoteError> {
        let state = match as_ {
            Mark::Succeeded => "success",
            Mark::Failed => "failed",
        };
        let mut path = AirflowServer::path(id);
        let Some(task) = task else {
            return self.session.patch::<Json>(&path, &json!({"state": state})).map(drop);
        };
        path += &format!("/taskInstances/{}", segment(&task.id));
        if let Some(index) = task.index {
            path += &format!("/{index}");
        }
        let mut body = json!({"new_state": state});
        // Airflow 2 only tells what would change, unless it is told otherwise. Airflow 3 does not know the key.
        if self.session.api()? == Api::V1 {
            body["dry_run"] = false.into();
        }
        match self.session.patch::<Json>(&path, &body) {
            Ok(_) => Ok(()),
            // Airflow 3 refuses a state that the task has already, also when an answer was lost and the request sent again.
            Err(RemoteError::Conflict(error)) => {
                let task = self.session.get::<TaskInstance>(&path)?.task();
                if task.state.name == state { Ok(()) } else { Err(RemoteError::Conflict(error)) }
            }
            Err(error) => Err(error),
        }
    }

    fn pause(&self, pipeline: &str, paused: bool) -> Result<(), RemoteError> {
        let path = format!("dags/{}?update_mask=is_paused", segment(pipeline));
        self.session.patch::<Json>(&path, &json!({"is_paused": paused})).map(drop)
    }
}
