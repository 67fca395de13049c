//! The project's worker, shared by the services that need Python.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Reports;
use crate::app::event::Report;
use crate::runs::{Spec, Worker};

/// Starts the worker when it is first needed, and a new one when the interpreter or the setting
/// changes.
pub(super) struct Working {
    root: PathBuf,
    fresh: AtomicBool,
    worker: Mutex<Option<Made>>,
    reports: Reports,
}

struct Made {
    worker: Worker,
    fresh: bool,
    /// Whether this Python is known to have Kedro.
    has_kedro: bool,
}

impl Working {
    pub(super) fn new(root: PathBuf, fresh: bool, reports: Reports) -> Self {
        let fresh = AtomicBool::new(fresh);
        Working { root, fresh, worker: Mutex::default(), reports }
    }

    /// Sets whether each request gets a Python process of its own, from the next request on.
    pub(super) fn set_fresh(&self, fresh: bool) {
        self.fresh.store(fresh, Ordering::Relaxed);
    }

    /// The worker for an interpreter.
    pub(super) fn worker(&self, python: &Path) -> Worker {
        self.with(python, |made| made.worker.clone())
    }

    /// Whether the interpreter is known to have Kedro.
    pub(super) fn has_kedro(&self, python: &Path) -> bool {
        self.with(python, |made| made.has_kedro)
    }

    /// Remembers that the interpreter has Kedro.
    pub(super) fn saw_kedro(&self, python: &Path) {
        self.with(python, |made| made.has_kedro = true);
    }

    /// Drops the worker, which ends its process.
    pub(super) fn close(&self) {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn with<T>(&self, python: &Path, act: impl FnOnce(&mut Made) -> T) -> T {
        let fresh = self.fresh.load(Ordering::Relaxed);
        let mut slot = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let kept =
            slot.take().filter(|made| made.fresh == fresh && made.worker.spec().python == python);
        let made = kept.unwrap_or_else(|| {
            let spec = Spec::new(python, &self.root);
            let worker = match fresh {
                true => Worker::fresh(spec, "the settings say so"),
                false => Worker::warm(spec),
            };
            tokio::spawn(report(worker.clone(), self.reports.clone()));
            Made { worker, fresh, has_kedro: false }
        });
        act(slot.insert(made))
    }
}

/// Reports the state of the worker until it is dropped.
async fn report(worker: Worker, reports: Reports) {
    let mut warmth = worker.warmth();
    drop(worker);
    loop {
        let now = warmth.borrow_and_update().clone();
        if reports.send(Report::Worker(now).into()).await.is_err()
            || warmth.changed().await.is_err()
        {
            return;
        }
    }
}
