//! What the verbs see of runs on engines, kept in the project's history. What can't be recorded is said once, and the verb
//! goes on.

use std::sync::Arc;

use super::Opened;
use crate::cli::invocation::why;
use crate::cli::output;
use crate::project::{Options, Reader};
use crate::remote::kept::Kept as History;
use crate::remote::model::{LogLine, Run, Task};
use crate::store::{RunRecord, Store};

/// The history, for the runs of one deployed pipeline.
pub(super) struct Kept<'a> {
    opened: &'a Opened,
    history: History,
    has_complained: bool,
}

impl<'a> Kept<'a> {
    pub fn new(opened: &'a Opened, pipeline: &str) -> Self {
        let options = Options { env: opened.env.clone(), ..Options::default() };
        let snapshot = Arc::new(Reader::new(&opened.root).read(&options));
        let history = History::new(snapshot, opened.env.clone(), &opened.profile, pipeline);
        Kept { opened, history, has_complained: false }
    }

    /// The same, for a run that is submitted by this command.
    pub fn submitted(self) -> Self {
        let history = self.history.submitted(why(std::env::args_os()));
        Kept { history, ..self }
    }

    /// Records a run as it is now, asking for its tasks. If it has ended, the logs of its failed tasks are kept too.
    pub fn look(&mut self, run: &Run) -> Option<RunRecord> {
        let record = self.history.look(&*self.opened.backend, run);
        self.told_of(record)
    }

    /// Records a run as it is now. If it has ended, the logs of its failed tasks are kept too.
    pub fn finish(&mut self, run: &Run, tasks: &[Task]) -> Option<RunRecord> {
        let record = self.history.finish(&*self.opened.backend, run, tasks);
        self.told_of(record)
    }

    /// Keeps the whole log of a try that has ended.
    pub fn log(&mut self, record: &RunRecord, task: &Task, attempt: u32, lines: &[LogLine]) {
        let kept = self.history.log(record, task, attempt, lines);
        self.told_of(kept);
    }

    /// Notes that the run was cancelled from here.
    pub fn cancelled(&mut self, record: &RunRecord) {
        let record = self.history.cancelled(record);
        self.told_of(record);
    }

    /// The nodes that a task holds; none for a task that is none of the project's.
    pub fn nodes_of(&self, task: &Task) -> &[String] {
        self.history.nodes_of(task)
    }

    /// The name of the pipeline in the project; `None` if it is none of the project's.
    pub fn pipeline(&self) -> Option<&str> {
        self.history.pipeline()
    }

    pub fn store(&mut self) -> &mut Store {
        self.history.store()
    }

    fn told_of<T>(&mut self, result: Option<T>) -> Option<T> {
        if let Some(complaint) = self.history.complaint()
            && !std::mem::replace(&mut self.has_complained, true)
        {
            output::complain(&complaint);
        }
        result
    }
}
