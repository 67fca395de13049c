//! The reading service: a thread that owns the project's [`Reader`].
//!
//! It reads the project when asked, lays Kedro's answers over what it read, and watches the files
//! that it reads from. Of several requests that wait, only the newest is answered. It never fails: what is wrong with a project is
//! part of the snapshot.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, PoisonError};
use std::thread;

use serde_json::Value as Json;

use super::{Current, Reports, watching};
use crate::app::{effect::Generation, event::Report};
use crate::project::watch::Watcher;
use crate::project::{Metadata, Options, Reader, Snapshot, json};
use crate::runs::Failure;

/// What the thread is asked.
pub(super) enum Request {
    /// Read the files.
    Static { generation: Generation, options: Options },
    /// Make the exact snapshot of Kedro's answer.
    Exact { generation: Generation, options: Options, answer: Box<Json>, stored: bool },
}

/// Starts the thread. It ends when the returned sender is dropped.
pub(super) fn start(root: PathBuf, current: Current, reports: Reports) -> Sender<Request> {
    let (sender, receiver) = channel();
    thread::spawn(move || serve(root, &receiver, &current, &reports));
    sender
}

fn serve(root: PathBuf, requests: &Receiver<Request>, current: &Current, reports: &Reports) {
    let mut reader = Reader::new(root);
    let mut last: Option<(Options, Snapshot)> = None;
    let mut watcher: Option<(Metadata, Option<Watcher>)> = None;
    while let Ok(first) = requests.recv() {
        for request in newest(first, requests) {
            let report = match request {
                Request::Static { generation, options } => {
                    let snapshot = reader.read(&options);
                    last = Some((options, snapshot.clone()));
                    let shared = Arc::new(snapshot.clone());
                    *current.lock().unwrap_or_else(PoisonError::into_inner) = Some(shared);
                    // What is to be watched may have moved.
                    let metadata = &snapshot.metadata;
                    if watcher.as_ref().is_none_or(|(of, _)| of != metadata) {
                        let new = watching::project(metadata, reports);
                        watcher = Some((metadata.clone(), new));
                    }
                    Report::Static { generation, result: Ok(Box::new(snapshot)) }
                }
                Request::Exact { generation, options, answer, stored } => {
                    let read = match last.take() {
                        Some((of, snapshot)) if of == options => snapshot,
                        _ => reader.read(&options),
                    };
                    let result = json::from_exact(&answer, &read)
                        .map(Box::new)
                        .map_err(|text| Failure { message: text, ..Failure::default() });
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

/// All requests that wait, without static ones that a later static one makes needless.
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
