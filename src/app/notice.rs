//! Messages: short ones on the bar, and the end of a run, which every tab shows for a while.

use std::collections::VecDeque;

use super::command::Command;
use super::run::headline;
use super::tab::Tab;
use super::words::{outcome_text, seconds_text};
use crate::runs::Failure;
use crate::store::{Outcome, RunRecord};
use crate::text::sanitize;

/// The number of messages that are kept.
const KEPT: usize = 20;
/// How long the end of a run is shown, in seconds: of one that succeeded, and of another.
pub const SHOWN: (f64, f64) = (5.0, 20.0);

/// A short message on the bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The message.
    pub text: String,
    /// Whether something went wrong.
    pub error: bool,
    /// The time, in seconds since the Unix epoch.
    pub at: f64,
}

/// The last messages, oldest first.
#[derive(Debug, Default)]
pub struct Notices {
    kept: VecDeque<Notice>,
}

impl Notices {
    /// Adds a message. The same message again replaces the last one.
    pub fn add(&mut self, notice: Notice) {
        if self.kept.back().is_some_and(|last| last.text == notice.text) {
            self.kept.pop_back();
        }
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(notice);
    }

    /// The messages, newest first.
    pub fn newest(&self) -> impl Iterator<Item = &Notice> {
        self.kept.iter().rev()
    }
}

/// The end of a run, shown on every tab for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Toast {
    /// How the run ended.
    pub outcome: Outcome,
    /// Run, outcome and time.
    pub title: String,
    /// The failed node, and the error; empty if the run did not fail.
    pub lines: Vec<String>,
    /// The commands that help.
    pub commands: Vec<Command>,
    /// The time until which it is shown, in seconds since the Unix epoch.
    pub until: f64,
}

impl Toast {
    /// The end of a run. `shown` says whether it is the run that the Pipeline tab shows: the commands for a failure act on
    /// that one.
    pub fn of(
        record: &RunRecord,
        failed_node: Option<&str>,
        failure: Option<&Failure>,
        shown: bool,
        now: f64,
    ) -> Toast {
        let (word, _) = outcome_text(record.outcome);
        let seconds = seconds_text(record.seconds(now));
        let node = failed_node.map(|node| format!(" in {}", sanitize(node)));
        let reason = match failure {
            Some(failure) => Some(headline(failure)),
            None => record.reason.as_deref().map(sanitize),
        };
        let has_failed = matches!(record.outcome, Outcome::Failed | Outcome::Lost);
        let lines = reason.filter(|_| has_failed).into_iter().collect();
        let commands: &[Command] = match (has_failed, shown) {
            (true, true) => &[
                Command::Traceback,
                Command::EditFailure,
                Command::Retry,
                Command::Show(Tab::Runs),
            ],
            _ => &[Command::Show(Tab::Runs)],
        };
        Toast {
            outcome: record.outcome,
            title: format!("{} {word}{} after {seconds}", record.name(), node.unwrap_or_default()),
            lines,
            commands: commands.to_vec(),
            until: now + if has_failed { SHOWN.1 } else { SHOWN.0 },
        }
    }

    /// The toast on one line.
    pub fn line(&self) -> String {
        let lines = std::iter::once(&self.title).chain(&self.lines);
        lines.map(String::as_str).collect::<Vec<_>>().join(": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{NewRun, RunId};

    #[test]
    fn the_last_twenty_messages_are_kept() {
        let mut notices = Notices::default();
        for number in 0..25 {
            let text = (number / 2 * 2).to_string();
            notices.add(Notice { text, error: false, at: f64::from(number) });
        }
        let kept: Vec<(&str, f64)> =
            notices.newest().map(|notice| (notice.text.as_str(), notice.at)).collect();
        assert_eq!(kept[0], ("24", 24.0));
        assert_eq!(kept[1], ("22", 23.0), "a repeated message is there once, with its last time");
        assert_eq!(kept.len(), 13);
        for number in 0..25 {
            notices.add(Notice { text: number.to_string(), error: true, at: 0.0 });
        }
        assert_eq!(notices.newest().count(), KEPT);
        assert_eq!(notices.newest().last().unwrap().text, "5");
    }

    #[test]
    fn a_toast_says_how_the_run_ended() {
        let mut record =
            RunRecord::begun(RunId::new(7), NewRun { started_at: 10.0, ..NewRun::default() });
        record.ended_at = Some(12.5);
        record.outcome = Outcome::Succeeded;
        let toast = Toast::of(&record, None, None, true, 13.0);
        assert_eq!(toast.line(), "run 7 succeeded after 2.50 s");
        assert_eq!(toast.commands, [Command::Show(Tab::Runs)]);
        record.outcome = Outcome::Failed;
        let failure = Failure {
            kind: "builtins.KeyError".into(),
            message: "'x'\nmore".into(),
            ..Failure::default()
        };
        let toast = Toast::of(&record, Some("fit"), Some(&failure), true, 13.0);
        assert_eq!(toast.line(), "run 7 failed in fit after 2.50 s: KeyError: 'x'");
        assert!(toast.commands.contains(&Command::Traceback) && toast.until > 30.0);
        record.reason = Some("the process was killed".into());
        let toast = Toast::of(&record, None, None, false, 13.0);
        assert_eq!(toast.line(), "run 7 failed after 2.50 s: the process was killed");
        assert_eq!(toast.commands, [Command::Show(Tab::Runs)]);
    }
}
