//! The shared context of a project's services.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::Message;
use super::storing::Storing;
use super::working::Working;
use crate::app::event::Report;
use crate::project::Snapshot;

/// Sends messages from the services to the event loop.
pub(in crate::tui) type Reports = mpsc::Sender<Message>;

/// The shared context of a project's services.
pub(super) struct Context {
    /// The project's folder.
    pub root: PathBuf,
    /// The interpreter that `--python` names.
    pub python: Option<PathBuf>,
    /// Sends reports to the event loop.
    pub reports: Reports,
    /// Starts, keeps and restarts the Python worker.
    pub working: Working,
    /// Runs operations on the store on a thread of their own.
    pub store: Storing,
    /// The last static reading.
    current: Mutex<Option<Arc<Snapshot>>>,
}

impl Context {
    pub(super) fn new(
        root: PathBuf,
        python: Option<PathBuf>,
        fresh_worker: bool,
        reports: Reports,
    ) -> Arc<Self> {
        Arc::new(Context {
            working: Working::new(root.clone(), fresh_worker, reports.clone()),
            store: Storing::start(&root, reports.clone()),
            current: Mutex::default(),
            root,
            python,
            reports,
        })
    }

    /// The last static reading of the project.
    pub(super) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stores a new static reading.
    pub(super) fn set_snapshot(&self, snapshot: Arc<Snapshot>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(snapshot);
    }

    /// Sends a report from a task.
    pub(super) async fn send(&self, report: Report) {
        // Sending fails only if the event loop has ended, and the program with it.
        let _ = self.reports.send(report.into()).await;
    }

    /// Sends a report from a thread that may block.
    pub(super) fn send_blocking(&self, report: Report) {
        let _ = self.reports.blocking_send(report.into());
    }
}
