//! What the verbs see of runs on engines, kept in the project's history.
//!
//! A run does not depend on its history: what can't be recorded is said once, and the verb goes on.

use std::collections::HashMap;

use super::Opened;
use crate::cli::invocation::why;
use crate::cli::output;
use crate::project::{Options, Reader, Snapshot};
use crate::remote::history::{self, Origin};
use crate::remote::model::{LogLine, Phase, Run, Task};
use crate::remote::plan::nodes_by_name;
use crate::remote::{Action, RemoteError};
use crate::store::{RunRecord, Store, StoreError};

/// The history, for the runs of one deployed pipeline.
pub(super) struct Kept<'a> {
    opened: &'a Opened,
    store: Store,
    snapshot: Snapshot,
    origin: Origin,
    /// What the engine says about the nodes of tasks; `None` until it has answered.
    told: Option<HashMap<String, Vec<String>>>,
    /// The nodes of all tasks that were seen.
    nodes: HashMap<String, Vec<String>>,
    has_complained: bool,
}

impl<'a> Kept<'a> {
    pub fn new(opened: &'a Opened, pipeline: &str) -> Self {
        let options = Options { env: opened.env.clone(), ..Options::default() };
        let snapshot = Reader::new(&opened.root).read(&options);
        let names = snapshot.pipelines.iter().map(|pipeline| pipeline.name.as_str());
        let origin = Origin::of(&opened.profile, &opened.package, pipeline, names);
        let origin = Origin { env: opened.env.clone(), ..origin };
        Kept {
            opened,
            store: Store::new(&opened.root),
            snapshot,
            origin,
            told: None,
            nodes: HashMap::new(),
            has_complained: false,
        }
    }

    /// The same, for a run that is submitted by this command.
    pub fn submitted(self) -> Self {
        let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
        let asked = Some(why(std::env::args_os()));
        Kept { origin: Origin { user, why: asked, ..self.origin }, ..self }
    }

    /// Records a run as it is now.
    pub fn see(&mut self, run: &Run, tasks: &[Task]) -> Option<RunRecord> {
        self.find_nodes(run, tasks)?;
        let recorded = history::record(&mut self.store, &self.origin, run, tasks, &self.nodes);
        self.told_of(recorded)
    }

    /// Records a run as it is now, asking for its tasks. If it has ended, the logs of its failed tasks are kept too.
    pub fn look(&mut self, run: &Run) -> Option<RunRecord> {
        let tasks = self.opened.backend.tasks(&run.id);
        let tasks = tasks.map_err(|error| self.complain(&error)).ok()?;
        self.finish(run, &tasks)
    }

    /// Records a run as it is now. If it has ended, the logs of its failed tasks are kept too.
    pub fn finish(&mut self, run: &Run, tasks: &[Task]) -> Option<RunRecord> {
        let record = self.see(run, tasks)?;
        if !run.state.phase.is_over() || self.opened.backend.can(Action::Logs).is_err() {
            return Some(record);
        }
        for task in tasks.iter().filter(|task| task.state.phase == Phase::Failed) {
            let known = history::has_log(&mut self.store, &record, task, task.attempt);
            if self.told_of(known)? {
                continue;
            }
            let lines = read(self.opened, run, task);
            let lines = lines.map_err(|error| self.complain(&error)).ok()?;
            self.log(&record, task, task.attempt, &lines)?;
        }
        let stored = record.id.map(|id| self.store.run(id)).transpose();
        self.told_of(stored)?.flatten()
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
        let place = (self.opened.root.as_path(), self.opened.package.as_str());
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

    pub fn store(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Finds out which nodes the tasks hold: the engine knows it of our own pipelines, the names tell it of others.
    fn find_nodes(&mut self, run: &Run, tasks: &[Task]) -> Option<()> {
        if self.told.is_none() {
            self.told = match self.opened.backend.nodes(&run.id.pipeline) {
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
        if !std::mem::replace(&mut self.has_complained, true) {
            output::complain(&format!("{error} The run is not kept in the history."));
        }
    }
}

/// The whole log of the latest try of a task that has ended.
fn read(opened: &Opened, run: &Run, task: &Task) -> Result<Vec<LogLine>, RemoteError> {
    let mut lines = Vec::new();
    let mut from: Option<String> = None;
    loop {
        let page = opened.backend.log(&run.id, task, task.attempt.max(1), from.as_deref())?;
        lines.extend(page.lines);
        match page.next {
            Some(next) if Some(&next) != from.as_ref() => from = Some(next),
            _ => return Ok(lines),
        }
    }
}
