//! The store service: a thread that owns the project's [`Store`] and does one job after the other.
//!
//! When the store can't be used, that is told once, and the program goes on without a history.

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Reports;
use crate::app::event::Report;
use crate::runs::history;
use crate::store::{From, LogFilter, RunFilter, RunId, Store, StoreError};

/// How many runs of the history are shown.
const RUNS: usize = 500;

/// How many lines of a log are shown.
const LINES: usize = 20_000;

/// How long leaving the program waits for the store.
const FAREWELL: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// A handle on the thread; it ends with its last handle.
#[derive(Clone)]
pub(super) struct Storing {
    jobs: Sender<Job>,
}

impl Storing {
    /// Starts the thread for the project in `root`.
    pub(super) fn start(root: &Path) -> Self {
        let (jobs, queue) = channel::<Job>();
        let mut store = Store::new(root);
        thread::spawn(move || {
            // Runs of a screen that was killed are marked before anything else is told.
            let _ = store.recover();
            while let Ok(job) = queue.recv() {
                job(&mut store);
            }
        });
        Storing { jobs }
    }

    /// Does `job` and gives its result; `None` when the thread is gone.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Option<Result<T, StoreError>> {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move |store: &mut Store| drop(sender.send(job(store))));
        self.jobs.send(job).ok()?;
        receiver.await.ok()
    }

    /// Does `job`; what goes wrong is told.
    pub(super) fn tell(
        &self,
        reports: &Reports,
        job: impl FnOnce(&mut Store) -> Result<(), StoreError> + Send + 'static,
    ) {
        let reports = reports.clone();
        let _ = self.jobs.send(Box::new(move |store| {
            if let Err(error) = job(store) {
                let _ = reports.blocking_send(Report::Notice(error.to_string()).into());
            }
        }));
    }

    /// Reports the newest runs.
    pub(super) fn load_runs(&self, reports: &Reports) {
        let to = reports.clone();
        self.tell(reports, move |store| {
            let runs = store.runs(&RunFilter::newest(RUNS))?;
            let _ = to.blocking_send(Report::Runs(runs).into());
            Ok(())
        });
    }

    /// Reports the events of a run.
    pub(super) fn load_events(&self, id: RunId, reports: &Reports) {
        let to = reports.clone();
        self.tell(reports, move |store| {
            let mut events = history::from_rows(&store.events(id)?);
            let lines = store.log(id, &LogFilter::default(), From::Before(u64::MAX), LINES)?;
            events.extend(lines.into_iter().map(history::output));
            events.sort_by(|a, b| a.at.total_cmp(&b.at));
            let _ = to.blocking_send(Report::RunEvents { id, events }.into());
            Ok(())
        });
    }

    /// Waits until all jobs are done, for a while: a disk may be gone.
    pub(super) async fn finish(self) {
        let _ = tokio::time::timeout(FAREWELL, self.ask(|_| Ok(()))).await;
    }
}
