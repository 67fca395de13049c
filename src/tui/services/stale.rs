//! The staleness service: a thread that reports which nodes are out of date, on request and when
//! the files of datasets or the history have changed since.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::context::Context;
use crate::app::event::Report;
use crate::dag::staleness::Freshness;
use crate::runs::interpreter;
use crate::runs::staleness::Staleness;
use crate::store::Store;

/// How often files are checked that are not watched.
const POLL: Duration = Duration::from_secs(2);
/// Checking takes at most this fraction of the time (1/200).
const SHARE: u32 = 200;

/// Starts the thread, which receives names of pipelines and ends when the sender is dropped.
pub(super) fn start(context: Arc<Context>) -> Sender<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || Service { context }.serve(&receiver));
    sender
}

struct Service {
    context: Arc<Context>,
}

impl Service {
    fn serve(&self, requests: &Receiver<String>) {
        let mut staleness = Staleness::default();
        let mut store = Store::new(&self.context.root);
        let mut told: Option<(String, HashMap<String, Freshness>)> = None;
        let mut wait = POLL;
        loop {
            let asked = match requests.recv_timeout(wait) {
                Ok(first) => Some(requests.try_iter().last().unwrap_or(first)),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let Some(pipeline) = asked.clone().or_else(|| told.as_ref().map(|told| told.0.clone()))
            else {
                continue;
            };
            let began = Instant::now();
            let found = self.look(&mut staleness, &mut store, &pipeline);
            wait = POLL.max(began.elapsed() * SHARE);
            let Some(found) = found else { continue };
            let news = (pipeline, found);
            if asked.is_none() && told.as_ref() == Some(&news) {
                continue;
            }
            let (pipeline, statuses) = news.clone();
            told = Some(news);
            let report = Report::Staleness { pipeline, statuses };
            if self.context.reports.blocking_send(report.into()).is_err() {
                return;
            }
        }
    }

    fn look(
        &self,
        staleness: &mut Staleness,
        store: &mut Store,
        pipeline: &str,
    ) -> Option<HashMap<String, Freshness>> {
        let snapshot = self.context.snapshot()?;
        let pipeline = snapshot.pipeline(pipeline)?;
        // Without a history no node was run.
        if let Err(error) = staleness.load(store, &snapshot.env) {
            tracing::debug!(%error, "what nodes were run with can't be read");
        }
        let python = interpreter::choose(&self.context.root, self.context.python.as_deref()).ok();
        let python = python.as_ref().map(|python| python.path.as_path());
        Some(staleness.look(&snapshot, pipeline, python))
    }
}
