//! The reading service: a thread that owns the project's [`Reader`].
//!
//! The thread reads the project on request, merges Kedro's answers into the static reading, and watches the files
//! of the project. Of several waiting static requests, only the newest is answered. A reading never fails:
//! errors in the project are part of the snapshot.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use serde_json::Value as Json;

use super::context::Context;
use super::watching;
use crate::app::{effect::Generation, event::Report};
use crate::project::watch::Watcher;
use crate::project::{Metadata, Options, Reader, Snapshot, json};
use crate::runs::Failure;

/// A request to the thread.
pub(super) enum Request {
    /// Read the files.
    Static { generation: Generation, options: Options },
    /// Make the exact snapshot from Kedro's answer.
    Exact { generation: Generation, options: Options, answer: Box<Json>, stored: bool },
}

/// Starts the thread. It ends when the returned sender is dropped.
pub(super) fn start(context: Arc<Context>) -> Sender<Request> {
    let (sender, receiver) = channel();
    thread::spawn(move || serve(&context, &receiver));
    sender
}

fn serve(context: &Context, requests: &Receiver<Request>) {
    let reports = &context.reports;
    let mut reader = Reader::new(&context.root);
    let mut last: Option<(Options, Arc<Snapshot>)> = None;
    let mut watcher: Option<(Metadata, Option<Watcher>)> = None;
    while let Ok(first) = requests.recv() {
        for request in newest(first, requests) {
            let report = match request {
                Request::Static { generation, options } => {
                    let snapshot = Arc::new(reader.read(&options));
                    last = Some((options, snapshot.clone()));
                    context.set_snapshot(snapshot.clone());
                    // The watched folders may have changed.
                    let metadata = &snapshot.metadata;
                    if watcher.as_ref().is_none_or(|(of, _)| of != metadata) {
                        let new = watching::project(metadata, reports);
                        watcher = Some((metadata.clone(), new));
                    }
                    Report::Static { generation, result: Ok(snapshot) }
                }
                Request::Exact { generation, options, answer, stored } => {
                    let read = match last.take() {
                        Some((of, snapshot)) if of == options => snapshot,
                        _ => Arc::new(reader.read(&options)),
                    };
                    let result = json::from_exact(&answer, &read)
                        .map(Arc::new)
                        .map_err(|error| Failure { message: error.text, ..Failure::default() });
                    last = Some((options, read));
                    Report::Exact { generation, result, stored }
                }
            };
            if reports.blocking_send(report.into()).is_err() {
                return;
            }
        }
    }
}

/// All waiting requests, without static ones that are followed by another static one.
fn newest(first: Request, requests: &Receiver<Request>) -> Vec<Request> {
    let mut waiting: Vec<Request> = std::iter::once(first).chain(requests.try_iter()).collect();
    let last_static = waiting.iter().rposition(|request| matches!(request, Request::Static { .. }));
    let mut index = 0;
    waiting.retain(|request| {
        let keep = !matches!(request, Request::Static { .. }) || Some(index) == last_static;
        index += 1;
        keep
    });
    waiting
}
