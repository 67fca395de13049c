//! What happens to tracked runs while they train, as messages: a run ends, or a metric is not a number any more.

use crate::app::command::Command;
use crate::app::notice::Toast;
use crate::app::tab::Tab;
use crate::app::words::{number_text, seconds_text};
use crate::store::Outcome;
use crate::text::sanitize;
use crate::tracking::entities::Run;

use super::columns::{SYSTEM, name, took};
use super::followed::Crossed;

/// How long a message about a tracked run is shown, in seconds: of a good end, and of another.
const SHOWN: (f64, f64) = (5.0, 20.0);
/// Most metrics in a message.
const METRICS: usize = 3;

/// The message about a run that was known before and is now different; `None` if there is nothing to say.
pub fn toast(before: &Run, run: &Run, now: f64) -> Option<Toast> {
    ended(before, run, now).or_else(|| not_a_number(before, run, now))
}

/// The message about a followed metric that crossed its threshold.
pub fn crossed(crossed: Crossed, now: f64) -> Toast {
    Toast {
        outcome: Outcome::Succeeded,
        title: crossed.title,
        lines: vec![crossed.line],
        commands: vec![Command::Show(Tab::Experiments)],
        until: now + SHOWN.1,
    }
}

fn ended(before: &Run, run: &Run, now: f64) -> Option<Toast> {
    if !matches!(before.status.as_str(), "RUNNING" | "SCHEDULED") {
        return None;
    }
    let (outcome, word) = match run.status.as_str() {
        "FINISHED" => (Outcome::Succeeded, "finished"),
        "FAILED" => (Outcome::Failed, "failed"),
        "KILLED" => (Outcome::Cancelled, "was killed"),
        _ => return None,
    };
    let after = took(run, now).map(|took| format!(" after {}", seconds_text(took)));
    let metrics: Vec<String> = run
        .metrics
        .iter()
        .filter(|(key, _)| !key.starts_with(SYSTEM))
        .take(METRICS)
        .map(|(key, value)| format!("{} {}", sanitize(key), number_text(*value)))
        .collect();
    let lines = if metrics.is_empty() { Vec::new() } else { vec![metrics.join(" · ")] };
    let shown = if outcome == Outcome::Succeeded { SHOWN.0 } else { SHOWN.1 };
    Some(Toast {
        outcome,
        title: format!("{} {word}{}", sanitize(&name(run)), after.unwrap_or_default()),
        lines,
        commands: vec![Command::Show(Tab::Experiments)],
        until: now + shown,
    })
}

fn not_a_number(before: &Run, run: &Run, now: f64) -> Option<Toast> {
    let new = run
        .metrics
        .iter()
        .find(|(key, value)| value.is_nan() && !before.metric(key).is_some_and(f64::is_nan));
    let (key, _) = new?;
    Some(Toast {
        outcome: Outcome::Failed,
        title: format!("{}: {} is NaN", sanitize(&name(run)), sanitize(key)),
        lines: Vec::new(),
        commands: vec![Command::Show(Tab::Experiments)],
        until: now + SHOWN.1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(status: &str, loss: f64) -> Run {
        Run {
            name: "bold-fox".into(),
            status: status.into(),
            start_time: Some(1_000),
            end_time: (status != "RUNNING").then_some(3_500),
            metrics: vec![("loss".into(), loss), ("system/cpu".into(), 1.0)],
            ..Run::default()
        }
    }

    #[test]
    fn ends_and_nan_are_told_once() {
        let going = run("RUNNING", 0.5);
        let told = |before: &Run, now: &Run| toast(before, now, 9.0).map(|toast| toast.line());
        assert_eq!(told(&going, &going), None);
        let end = told(&going, &run("FINISHED", 0.25)).unwrap();
        assert_eq!(end, "bold-fox finished after 2.50 s: loss 0.2500");
        assert_eq!(told(&run("FINISHED", 0.25), &run("FINISHED", 0.25)), None);
        assert!(told(&going, &run("FAILED", 0.5)).unwrap().contains("failed"));
        let nan = run("RUNNING", f64::NAN);
        assert_eq!(told(&going, &nan).unwrap(), "bold-fox: loss is NaN");
        assert_eq!(told(&nan, &nan), None);
    }
}
