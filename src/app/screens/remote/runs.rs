//! The runs of an engine: their order and their filter.

use crate::remote::model::{Phase, Run};
use crate::runs::history::filter::parse_time;
use crate::text::UserError;
use crate::text::filter::{Key, Kind, Row, key, value};

/// The keys of the filter of remote runs.
pub const KEYS: &[Key] = &[
    key(
        "is",
        Kind::Values(&[
            value("failed", "ended with an error, or stopped by hand"),
            value("succeeded", "ended well"),
            value("running", "going on"),
            value("waiting", "not begun"),
            value("lost", "the engine can't say what became of it"),
            value("noted", "with a note"),
        ]),
        "what the state means",
    ),
    key("state", Kind::Text, "the state under the engine's name"),
    key("pipeline", Kind::Text, "runs of the deployed pipeline"),
    key("kind", Kind::Text, "why it runs: manual, scheduled, backfill"),
    key("took", Kind::Duration, "duration of the run"),
    key("since", Kind::Checked("7d", check_time), "began since: 7d, 12h, 2026-11-02"),
    key("until", Kind::Checked("2026-11-02", check_time), "began before"),
];

fn check_time(text: &str) -> Result<(), UserError> {
    parse_time(text, 0.0).map(drop)
}

/// When a run began, was submitted, or ended: the first that is known.
pub fn began(run: &Run) -> Option<f64> {
    run.started.or(run.queued).or(run.ended)
}

/// Seconds that a run took, or has taken until `now`; `None` before it begins.
pub fn took(run: &Run, now: f64) -> Option<f64> {
    let end = match (run.ended, run.state.phase.is_over()) {
        (Some(end), _) => end,
        (None, true) => return None,
        (None, false) => now,
    };
    Some((end - run.started?).max(0.0))
}

/// A run that is filtered at this time.
pub struct At<'a>(pub &'a Run, pub f64);

impl Row for At<'_> {
    fn contains(&self, word: &str) -> bool {
        let run = self.0;
        let has = |text: &str| text.to_lowercase().contains(word);
        has(&run.id.run)
            || has(&run.id.pipeline)
            || run.note.as_deref().is_some_and(has)
            || run.error.as_deref().is_some_and(has)
            || (!run.conf.is_null() && has(&run.conf.to_string()))
    }

    fn is(&self, key: &str, value: &str) -> bool {
        let (run, phase) = (self.0, self.0.state.phase);
        let same = |text: &str| text.eq_ignore_ascii_case(value);
        match (key, value) {
            ("is", "failed") => matches!(phase, Phase::Failed | Phase::UpstreamFailed),
            ("is", "succeeded") => phase == Phase::Succeeded,
            ("is", "running") => matches!(phase, Phase::Running | Phase::Retrying),
            ("is", "waiting") => phase == Phase::Waiting,
            ("is", "lost") => phase == Phase::Lost,
            ("is", "noted") => run.note.as_ref().is_some_and(|note| !note.is_empty()),
            ("state", _) => same(&run.state.name),
            ("pipeline", _) => same(&run.id.pipeline),
            ("kind", _) => same(&run.kind),
            ("since", text) => self.time(text).is_some_and(|(began, time)| began >= time),
            ("until", text) => self.time(text).is_some_and(|(began, time)| began < time),
            _ => false,
        }
    }

    fn number(&self, key: &str) -> Option<f64> {
        (key == "took").then(|| took(self.0, self.1)).flatten()
    }
}

impl At<'_> {
    /// When the run began, and the time that a text of the filter means.
    fn time(&self, text: &str) -> Option<(f64, f64)> {
        Some((began(self.0)?, parse_time(text, self.1).ok()?))
    }
}

/// Puts runs that were read now in the place of those known before, newest first. Runs that were not read again stay.
pub fn merge(known: &mut Vec<Run>, read: Vec<Run>) {
    let old = std::mem::take(known);
    let mut ids: std::collections::HashSet<_> = read.iter().map(|run| run.id.clone()).collect();
    known.extend(read);
    known.extend(old.into_iter().filter(|run| ids.insert(run.id.clone())));
    let order = |run: &Run| run.queued.or(run.started).or(run.ended).unwrap_or_default();
    // The order of runs without times is that of the engine.
    known.sort_by(|one, other| order(other).total_cmp(&order(one)));
}
