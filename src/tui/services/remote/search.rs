//! The search over the logs of a run: a thread with connections of its own, so that what the screen shows is looked at
//! meanwhile. There is one search at a time.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::context::Context;
use super::metadata;
use crate::app::screens::remote::asked::{Answer, Search};
use crate::remote::search::search;
use crate::remote::{Profile, connect};

/// The search that goes on, or the last one.
#[derive(Default)]
pub(super) struct Searching {
    stopped: Arc<AtomicBool>,
}

impl Searching {
    /// Ends the search after the answers that are under way.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Begins a search in place of the one that goes on.
    pub(super) fn begin(&mut self, context: &Arc<Context>, profile: Profile, asked: Search) {
        self.stop();
        self.stopped = Arc::default();
        let (context, stopped) = (context.clone(), self.stopped.clone());
        std::thread::spawn(move || {
            let package = metadata(&context).package_name;
            let connect = || connect(&profile, &package);
            let Search { number, id, tries, pattern, .. } = &asked;
            let ended = search(connect, id, tries, pattern, |place, hits| {
                if stopped.load(Ordering::Relaxed) || context.reports.is_closed() {
                    return ControlFlow::Break(());
                }
                let hits = hits.map_err(|error| error.to_string());
                context.answer(Answer::Found { search: *number, place, hits });
                ControlFlow::Continue(())
            });
            context.answer(Answer::Searched(*number, ended.err().map(|error| error.line())));
        });
    }
}

impl Drop for Searching {
    fn drop(&mut self) {
        self.stop();
    }
}
