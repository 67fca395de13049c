//! The drawing service: a thread that lays graphs out. Of several waiting requests only the newest is drawn, and the
//! drawing that is under way is cancelled for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::Reports;
use crate::app::screens::pipeline::{Picture, Plot};
use crate::app::{effect::Generation, event::Report};
use crate::dag::Graph;
use crate::project::Snapshot;

/// A handle on the drawing thread.
pub(super) struct Drawing {
    requests: Sender<Request>,
    /// Cancels the last requested drawing.
    cancel: Arc<AtomicBool>,
}

struct Request {
    generation: Generation,
    picture: Picture,
    cancel: Arc<AtomicBool>,
}

impl Drawing {
    /// Starts the thread, which ends when the handle is dropped.
    pub(super) fn start(reports: Reports) -> Self {
        let (requests, receiver) = channel();
        thread::spawn(move || serve(&receiver, &reports));
        Drawing { requests, cancel: Arc::default() }
    }

    /// Requests a drawing, and cancels the previous one.
    pub(super) fn ask(&mut self, generation: Generation, picture: Picture) {
        self.cancel.store(true, Ordering::Relaxed);
        self.cancel = Arc::default();
        let cancel = self.cancel.clone();
        // The thread lives as long as this handle.
        let _ = self.requests.send(Request { generation, picture, cancel });
    }
}

impl Drop for Drawing {
    fn drop(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
    }
}

fn serve(requests: &Receiver<Request>, reports: &Reports) {
    let mut before: Option<Arc<Plot>> = None;
    let mut graph: Option<(Arc<Snapshot>, Arc<Graph>)> = None;
    while let Ok(first) = requests.recv() {
        let Request { generation, picture, cancel } = requests.try_iter().last().unwrap_or(first);
        let Some(pipeline) = picture.pipeline() else { continue };
        let known = graph.take().filter(|(of, _)| {
            let same = before.as_ref().is_some_and(|plot| plot.pipeline == picture.pipeline);
            same && Arc::ptr_eq(of, &picture.snapshot)
        });
        let whole = known.map_or_else(|| Arc::new(Graph::of(pipeline)), |(_, whole)| whole);
        let mut last = None;
        let drawn = picture.draw(&whole, before.as_deref(), &cancel, |plot| {
            let plot = Arc::new(plot);
            last = Some(plot.clone());
            let _ = reports.blocking_send(Report::Drawn { generation, plot }.into());
        });
        if drawn.is_ok() || last.is_some() {
            before = last;
        }
        graph = Some((picture.snapshot, whole));
        if reports.is_closed() {
            return;
        }
    }
}
