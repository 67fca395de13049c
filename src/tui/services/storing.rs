//! The store service: a thread that owns the project's [`Store`] and does one job after the other. It also
//! reports changes by other connections: by runs of this program or of another one.
//!
//! If the store can't be used, this is reported once, and the program continues without a history.

use std::fmt::Display;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Reports;
use crate::app::{effect::Generation, event::Report};
use crate::runs::history::{self, change};
use crate::store::{
    Outcome, PruneLimits, Pruned, RunFilter, RunId, RunTerm, RunTest, Store, StoreError,
};

/// The number of runs that a node's usual duration is computed from.
const TIMED: usize = 20;

/// The number of runs that are followed at the same time.
const MOST_GOING_ON: usize = 8;

/// How often changes by others are checked; a check is cheap.
const LOOK: Duration = Duration::from_millis(500);

/// How long the program waits for the store at its end.
const FAREWELL: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// Whether any run is going on, of this program or of another one.
fn goes_on(store: &mut Store) -> bool {
    store.runs(&going_on(1)).is_ok_and(|runs| !runs.is_empty())
}

/// The runs that go on, at most this many. Remote runs are not among them: they are followed on their engine, and neither
/// their nodes nor their data change here.
fn going_on(most: usize) -> RunFilter {
    RunFilter {
        outcomes: vec![Outcome::Running],
        terms: vec![RunTerm { negated: true, any: vec![RunTest::Remote] }],
        limit: Some(most),
        ..RunFilter::default()
    }
}

fn gone(root: &Path) -> String {
    format!("{} is gone: moved or deleted. Open the project where it is now.", root.display())
}

/// A handle on the thread, which ends with it.
pub(super) struct Storing {
    jobs: Sender<Job>,
    reports: Reports,
}

impl Storing {
    /// Starts the thread for the project in `root`.
    pub(super) fn start(root: &Path, reports: Reports) -> Self {
        let (jobs, queue) = channel::<Job>();
        let mut store = Store::new(root);
        let (root, to) = (root.to_owned(), reports.clone());
        thread::spawn(move || {
            let mut is_there = true;
            // First mark the runs of killed programs as lost.
            let _ = store.recover();
            let _ = store.changed();
            let mut going_on = goes_on(&mut store);
            let mut looked = Instant::now();
            loop {
                match queue.recv_timeout(LOOK.saturating_sub(looked.elapsed())) {
                    Ok(job) => job(&mut store),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                if looked.elapsed() >= LOOK {
                    looked = Instant::now();
                    if std::mem::replace(&mut is_there, root.is_dir()) && !is_there {
                        let _ = to.blocking_send(Report::Watching(Err(gone(&root).into())).into());
                    }
                    // A failed check is repeated at the next one.
                    let changed = store.changed().unwrap_or(false);
                    // A killed program can't record the end of its runs.
                    let lost = going_on && store.recover().is_ok_and(|lost| !lost.is_empty());
                    if changed || lost {
                        going_on = goes_on(&mut store);
                        let _ = to.blocking_send(Report::HistoryChanged.into());
                    }
                }
            }
        });
        Storing { jobs, reports }
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

    /// Does `job`, and reports what goes wrong.
    pub(super) fn tell<E: Display>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<(), E> + Send + 'static,
    ) {
        let reports = self.reports.clone();
        let _ = self.jobs.send(Box::new(move |store| {
            if let Err(error) = job(store) {
                let _ = reports.blocking_send(Report::Notice(error.to_string()).into());
            }
        }));
    }

    /// Reports the runs that match a filter.
    pub(super) fn load_runs(&self, generation: Generation, filter: RunFilter) {
        let to = self.reports.clone();
        self.tell(move |store| -> Result<(), StoreError> {
            let runs = store.runs(&filter)?;
            let total = store.count_runs()?;
            let _ = to.blocking_send(Report::Runs { generation, runs, total }.into());
            Ok(())
        });
    }

    /// Reports everything stored about a run except its log.
    pub(super) fn load_run(&self, id: RunId) {
        let to = self.reports.clone();
        self.tell(move |store| -> Result<(), StoreError> {
            if let Some(whole) = history::whole(store, id)? {
                let _ = to.blocking_send(Report::RunRead(Box::new(whole)).into());
            }
            Ok(())
        });
    }

    /// Reports the runs that go on, and those of `known`, with their nodes.
    pub(super) fn load_going_on(&self, known: Vec<RunId>) {
        let to = self.reports.clone();
        self.tell(move |store| -> Result<(), StoreError> {
            let mut runs = store.runs(&going_on(MOST_GOING_ON))?;
            for id in known {
                if runs.iter().all(|run| run.id != Some(id)) {
                    runs.extend(store.run(id)?);
                }
            }
            let mut found = Vec::new();
            for run in runs {
                let nodes = run.id.map(|id| store.nodes(id)).transpose()?;
                found.push((run, nodes.unwrap_or_default()));
            }
            let _ = to.blocking_send(Report::GoingOn(found).into());
            Ok(())
        });
    }

    /// Reports the durations of nodes.
    pub(super) fn load_timings(&self) {
        let to = self.reports.clone();
        self.tell(move |store| -> Result<(), StoreError> {
            let timings = store.timings(TIMED)?;
            let _ = to.blocking_send(Report::Timings(timings).into());
            Ok(())
        });
    }

    /// Reports what pruning to `room` would delete.
    pub(super) fn prunable(&self, room: PruneLimits) {
        let to = self.reports.clone();
        self.tell(move |store| -> Result<(), StoreError> {
            let pruned = store.prunable(&room)?;
            let _ = to.blocking_send(Report::Prunable(room, pruned).into());
            Ok(())
        });
    }

    /// Does `job`, which changes the history, and reports that it did.
    pub(super) fn change<E: Display>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<(), E> + Send + 'static,
    ) {
        let to = self.reports.clone();
        self.tell(move |store| {
            let done = job(store);
            // Report also after an error: the screen may already show the change.
            let _ = to.blocking_send(Report::HistoryChanged.into());
            done
        });
    }

    /// Does `job`, which deletes, and reports what was deleted.
    pub(super) fn delete<E: Display>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<Pruned, E> + Send + 'static,
    ) {
        let to = self.reports.clone();
        self.change(move |store| -> Result<(), E> {
            let deleted = job(store)?;
            let _ = to.blocking_send(Report::Notice(change::report(&deleted)).into());
            Ok(())
        });
    }

    /// Waits until all jobs are done, for a limited time: a disk may be gone.
    pub(super) async fn finish(&self) {
        let _ = tokio::time::timeout(FAREWELL, self.ask(|_| Ok(()))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{NewRun, Remote};

    #[test]
    fn runs_on_engines_do_not_go_on_here() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        store.add_remote_run(&Remote::default(), &NewRun::default()).unwrap();
        assert!(!goes_on(&mut store));
        store.add_run(&NewRun::default()).unwrap();
        assert!(goes_on(&mut store));
    }
}
