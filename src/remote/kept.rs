//! What is seen of runs on an engine, kept in the project's history.
//!
//! A run does not depend on its history: why something can't be recorded is kept for [`Kept::complaint`].

use std::collections::HashMap;
use std::sync::Arc;

use super::backend::{Action, Backend, RemoteError};
use super::history::{self, Origin};
use super::model::{LogLine, Phase, Run, Task};
use super::plan::nodes_by_name;
use super::profile::{Engine, Profile};
use crate::project::Snapshot;
use crate::store::{RunRecord, Store, StoreError};
use crate::tracking;

/// The history, for the runs of one deployed pipeline.
pub struct Kept {
    store: Store,
    snapshot: Arc<Snapshot>,
    origin: Origin,
    /// What the engine says about the nodes of tasks; `None` until it has answered.
    told: Option<HashMap<String, Vec<String>>>,
    /// The nodes of all tasks that were seen.
    nodes: HashMap<String, Vec<String>>,
    complaint: Option<String>,
}

impl Kept {
    /// The history of the project that was read, for the runs of this deployed pipeline on the engine of this profile. `env` is
    /// the run environment of runs that name none.
    pub fn new(
        snapshot: Arc<Snapshot>,
        env: Option<String>,
        profile: &Profile,
        pipeline: &str,
    ) -> Self {
        let names = snapshot.pipelines.iter().map(|pipeline| pipeline.name.as_str());
        let origin = Origin::of(profile, &snapshot.metadata.package_name, pipeline, names);
        let origin = Origin { env, ..origin };
        Kept {
            store: Store::new(&snapshot.metadata.root),
            snapshot,
            origin,
            told: None,
            nodes: HashMap::new(),
            complaint: None,
        }
    }

    /// The same, for runs that are submitted here, in this way.
    #[must_use]
    pub fn submitted(mut self, why: String) -> Self {
        self.submitted_by(why);
        self
    }

    /// From now on runs are recorded as submitted here, in this way.
    pub fn submitted_by(&mut self, why: String) {
        self.origin.user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
        self.origin.why = Some(why);
    }

    /// Why something could not be recorded since the last call, if so.
    pub fn complaint(&mut self) -> Option<String> {
        self.complaint.take()
    }

    /// Records a run as it is now.
    pub fn see(&mut self, backend: &dyn Backend, run: &Run, tasks: &[Task]) -> Option<RunRecord> {
        self.find_nodes(backend, run, tasks)?;
        let recorded = history::record(&mut self.store, &self.origin, run, tasks, &self.nodes);
        self.told_of(recorded)
    }

    /// Records a run as it is now, asking for its tasks. If it has ended, the logs of its failed tasks are kept too.
    pub fn look(&mut self, backend: &dyn Backend, run: &Run) -> Option<RunRecord> {
        let tasks = backend.tasks(&run.id);
        let tasks = tasks.map_err(|error| self.complain(&error)).ok()?;
        self.finish(backend, run, &tasks)
    }

    /// Records a run as it is now. If it has ended, the logs of its failed tasks are kept too.
    pub fn finish(
        &mut self,
        backend: &dyn Backend,
        run: &Run,
        tasks: &[Task],
    ) -> Option<RunRecord> {
        let record = self.see(backend, run, tasks)?;
        let record = match run.state.phase.is_over() {
            true => self.find_tracked(run, record),
            false => record,
        };
        if !run.state.phase.is_over() || backend.can(Action::Logs).is_err() {
            return Some(record);
        }
        for task in tasks.iter().filter(|task| task.state.phase == Phase::Failed) {
            let known = history::has_log(&mut self.store, &record, task, task.attempt);
            if self.told_of(known)? {
                continue;
            }
            let lines = read(backend, run, task);
            let lines = lines.map_err(|error| self.complain(&error)).ok()?;
            self.log(&record, task, task.attempt, &lines)?;
        }
        let stored = record.id.map(|id| self.store.run(id)).transpose();
        self.told_of(stored)?.flatten()
    }

    /// Finds the tracked runs that the run has logged to, where the project's tracking store has them.
    fn find_tracked(&mut self, run: &Run, record: RunRecord) -> RunRecord {
        let metadata = &self.snapshot.metadata;
        let found = || {
            let choice = tracking::choose(&metadata.root, Some(&self.snapshot.env), None).ok()?;
            let location = choice.location?;
            let store = tracking::Store::open(&location, tracking::workspace().as_deref()).ok()?;
            tracking::runs_of_airflow(&store, &run.id.pipeline, &run.id.run).ok()
        };
        let found = if self.origin.engine == Engine::Airflow.name() { found() } else { None };
        match found {
            Some(runs) if !runs.is_empty() => {
                let noted = history::tracked(&mut self.store, &record, &runs);
                self.told_of(noted).unwrap_or(record)
            }
            _ => record,
        }
    }

    /// Keeps the whole log of a try that has ended.
    pub fn log(
        &mut self,
        record: &RunRecord,
        task: &Task,
        attempt: u32,
        lines: &[LogLine],
    ) -> Option<()> {
        let nodes = self.nodes.get(&task.id).map(Vec::as_slice).unwrap_or_default();
        let metadata = &self.snapshot.metadata;
        let place = (metadata.root.as_path(), metadata.package_name.as_str());
        let kept = history::keep_log(&mut self.store, record, (task, attempt), lines, nodes, place);
        self.told_of(kept)
    }

    /// Notes that the run was cancelled from here.
    pub fn cancelled(&mut self, record: &RunRecord) -> Option<RunRecord> {
        let noted = history::cancelled(&mut self.store, record);
        self.told_of(noted)
    }

    /// The nodes that a task holds; none for a task that is none of the project's.
    pub fn nodes_of(&self, task: &Task) -> &[String] {
        self.nodes.get(&task.id).map(Vec::as_slice).unwrap_or_default()
    }

    /// The name of the pipeline in the project; `None` if it is none of the project's.
    pub fn pipeline(&self) -> Option<&str> {
        let name = self.origin.pipeline.as_str();
        self.snapshot.pipeline(name).map(|_| name)
    }

    /// The snapshot that tasks are matched with.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The history itself.
    pub fn store(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Finds out which nodes the tasks hold: the engine knows it of our own pipelines, the names tell it of others.
    fn find_nodes(&mut self, backend: &dyn Backend, run: &Run, tasks: &[Task]) -> Option<()> {
        if self.told.is_none() {
            self.told = match backend.nodes(&run.id.pipeline) {
                Ok(nodes) => Some(nodes),
                // Later it may answer; nodes that are recorded under the names of their tasks would stay.
                Err(RemoteError::Unanswered(_)) => return None,
                Err(_) => Some(HashMap::new()),
            };
            self.nodes = self.told.clone().unwrap_or_default();
        }
        let unknown: Vec<&str> = tasks
            .iter()
            .map(|task| task.id.as_str())
            .filter(|id| !self.nodes.contains_key(*id))
            .collect();
        if !unknown.is_empty() {
            let found = nodes_by_name(&self.snapshot, &self.origin.pipeline, unknown.into_iter());
            self.nodes.extend(found);
        }
        Some(())
    }

    fn told_of<T>(&mut self, result: Result<T, StoreError>) -> Option<T> {
        result.map_err(|error| self.complain(&error)).ok()
    }

    fn complain(&mut self, error: &dyn std::fmt::Display) {
        self.complaint
            .get_or_insert_with(|| format!("{error} The run is not kept in the history."));
    }
}

/// The whole log of the latest try of a task that has ended.
fn read(backend: &dyn Backend, run: &Run, task: &Task) -> Result<Vec<LogLine>, RemoteError> {
    let mut lines = Vec::new();
    let mut from: Option<String> = None;
    loop {
        let page = backend.log(&run.id, task, task.attempt.max(1), from.as_deref())?;
        lines.extend(page.lines);
        match page.next {
            Some(next) if Some(&next) != from.as_ref() => from = Some(next),
            _ => return Ok(lines),
        }
    }
}
