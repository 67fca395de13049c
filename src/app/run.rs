//! A run of this program, built from its events: the state of its nodes, and its log.

use std::collections::VecDeque;

use indexmap::IndexMap;

use super::effect::RunKey;
use super::words::seconds_text;
use crate::runs::{Failure, RunEvent, RunRequest, Stamped, Stream};
use crate::store::{NodeOutcome, NodeRecord, Outcome, RunRecord};
use crate::text::ansi::{self, Part};

/// The number of log lines kept in memory; the store has the whole log.
const LONGEST_LOG: usize = 20_000;

/// The state of a node in a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NodeState {
    /// The node has not begun.
    Waiting,
    /// The node began at this time, in seconds since the Unix epoch.
    Running(f64),
    /// The node succeeded after this many seconds.
    Done(f64),
    /// The node failed after this many seconds.
    Failed(f64),
    /// The run ended before the node did.
    Stopped,
}

impl NodeState {
    /// The state of a node in the store.
    pub fn of(node: &NodeRecord) -> NodeState {
        let seconds = node.seconds.unwrap_or_default();
        match node.outcome {
            NodeOutcome::Waiting => NodeState::Waiting,
            NodeOutcome::Running => NodeState::Running(node.started_at.unwrap_or_default()),
            NodeOutcome::Succeeded => NodeState::Done(seconds),
            NodeOutcome::Failed => NodeState::Failed(seconds),
            NodeOutcome::Stopped => NodeState::Stopped,
        }
    }
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// Seconds since the Unix epoch.
    pub at: f64,
    /// The node that wrote it.
    pub node: Option<String>,
    /// The severity.
    pub level: Level,
    /// The text without control characters.
    pub text: String,
    /// The text in styled parts, if it contains colour sequences.
    pub parts: Vec<Part>,
    /// The stream of a line that rewrites itself, such as a progress bar; its next state replaces it.
    pub rewritten: Option<Stream>,
}

/// The severity of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A debug message.
    Debug,
    /// Normal output.
    Info,
    /// A warning.
    Warning,
    /// An error.
    Error,
    /// A message of this program about the run.
    Own,
}

/// A run of this program and its progress.
#[derive(Debug, Clone)]
pub struct ActiveRun {
    /// The key of the run in reports and effects.
    pub key: RunKey,
    /// The record of the run in the store.
    pub record: RunRecord,
    /// The state of each node, in the order of the run.
    pub nodes: IndexMap<String, NodeState>,
    /// The log, oldest line first.
    pub log: VecDeque<LogLine>,
    /// Lines scrolled up from the end.
    pub scrolled: usize,
    /// The failure.
    pub failure: Option<Failure>,
    /// The node that failed.
    pub failed_node: Option<String>,
    /// The outcome and the time of the end.
    pub ended: Option<(Outcome, f64)>,
    /// Whether the run saves in a folder of its own instead of the project's.
    pub apart: bool,
    /// Whether the run was asked to stop.
    pub cancelling: bool,
}

impl ActiveRun {
    /// A run that was just accepted.
    pub fn new(key: RunKey, record: RunRecord) -> Self {
        let request = serde_json::from_str::<RunRequest>(&record.new.request);
        ActiveRun {
            key,
            apart: request.is_ok_and(|request| request.apart.is_some()),
            record,
            nodes: IndexMap::new(),
            log: VecDeque::new(),
            scrolled: 0,
            failure: None,
            failed_node: None,
            ended: None,
            cancelling: false,
        }
    }

    /// A run of another program, as the store has it.
    pub fn recorded(record: RunRecord, nodes: &[NodeRecord]) -> Self {
        let states = nodes.iter().map(|node| (node.node.clone(), NodeState::of(node)));
        ActiveRun { nodes: states.collect(), ..ActiveRun::new(RunKey::default(), record) }
    }

    /// Applies an event.
    pub fn apply(&mut self, stamped: &Stamped) {
        let at = stamped.at;
        match &stamped.event {
            RunEvent::RunStarted { nodes, pipeline, runner, .. } => {
                self.nodes = nodes.iter().map(|name| (name.clone(), NodeState::Waiting)).collect();
                self.record.nodes_total = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
                let count = nodes.len();
                let s = if count == 1 { "" } else { "s" };
                self.say(at, Level::Own, None, format!("{pipeline}: {count} node{s}, {runner}"));
            }
            RunEvent::NodeStarted { node } => {
                self.nodes.insert(node.clone(), NodeState::Running(at));
            }
            RunEvent::NodeFinished { node, seconds } => {
                self.nodes.insert(node.clone(), NodeState::Done(*seconds));
                self.record.nodes_done += 1;
                let text = format!("done in {}", seconds_text(*seconds));
                self.say(at, Level::Own, Some(node), text);
            }
            RunEvent::NodeFailed { node, seconds, failure } => {
                self.nodes.insert(node.clone(), NodeState::Failed(*seconds));
                self.failed_node = Some(node.clone());
                self.failure = Some(failure.clone());
                self.say(at, Level::Error, Some(node), headline(failure));
            }
            RunEvent::DatasetLoaded { .. }
            | RunEvent::DatasetSaved { .. }
            | RunEvent::DatasetKept { .. }
            | RunEvent::DatasetNotKept { .. } => {}
            RunEvent::Tracked { run } => self.record.mlflow_run = Some(run.clone()),
            RunEvent::Output { node, stream, level, text, partial, .. } => {
                // A line that rewrites itself replaces its previous state.
                let last = self.log.back();
                if last.is_some_and(|line| line.rewritten == Some(*stream) && line.node == *node) {
                    self.log.pop_back();
                    self.scrolled = self.scrolled.saturating_sub(1);
                }
                let level = match (stream, level.as_deref()) {
                    (Stream::Warning, _) | (_, Some("WARNING")) => Level::Warning,
                    (_, Some("ERROR" | "CRITICAL")) => Level::Error,
                    (_, Some("DEBUG")) => Level::Debug,
                    _ => Level::Info,
                };
                self.say(at, level, node.as_ref(), crate::text::sanitize(text));
                if let Some(line) = self.log.back_mut() {
                    line.rewritten = partial.then_some(*stream);
                    if text.contains('\x1b') {
                        line.parts = ansi::parts(text);
                    }
                }
            }
            RunEvent::RunFinished { seconds } => {
                self.end(Outcome::Succeeded, at);
                self.say(at, Level::Own, None, format!("finished in {}", seconds_text(*seconds)));
            }
            RunEvent::RunFailed { failure } => {
                self.end(Outcome::Failed, at);
                if self.failure.is_none() {
                    self.say(at, Level::Error, None, headline(failure));
                    self.failure = Some(failure.clone());
                }
            }
            RunEvent::RunCancelled => {
                self.end(Outcome::Cancelled, at);
                self.say(at, Level::Own, None, "cancelled".into());
            }
            RunEvent::RunLost { reason } => {
                self.end(Outcome::Lost, at);
                self.record.reason = Some(reason.clone());
                self.say(at, Level::Error, None, format!("the worker ended: {reason}"));
            }
        }
    }

    /// Adds a line to the log.
    pub fn say(&mut self, at: f64, level: Level, node: Option<&String>, text: String) {
        if self.log.len() == LONGEST_LOG {
            self.log.pop_front();
        }
        if self.scrolled > 0 {
            self.scrolled += 1;
        }
        self.log.push_back(LogLine {
            at,
            node: node.cloned(),
            level,
            text,
            parts: Vec::new(),
            rewritten: None,
        });
    }

    fn end(&mut self, outcome: Outcome, at: f64) {
        self.ended = Some((outcome, at));
        self.record.outcome = outcome;
        self.record.ended_at = Some(at);
        for state in self.nodes.values_mut() {
            if matches!(state, NodeState::Waiting | NodeState::Running(_)) {
                *state = NodeState::Stopped;
            }
        }
    }

    /// The number of nodes that succeeded.
    pub fn nodes_done(&self) -> usize {
        self.nodes.values().filter(|state| matches!(state, NodeState::Done(_))).count()
    }

    /// The running node that began last.
    pub fn current(&self) -> Option<&str> {
        let running = self.nodes.iter().filter_map(|(name, state)| match state {
            NodeState::Running(since) => Some((since, name)),
            _ => None,
        });
        running.max_by(|a, b| a.0.total_cmp(b.0)).map(|(_, name)| name.as_str())
    }

    /// Seconds from the start of the run to its end, or to now.
    pub fn seconds(&self, now: f64) -> f64 {
        let end = self.ended.map_or(now, |(_, at)| at);
        (end - self.record.new.started_at).max(0.0)
    }
}

/// A failure on one line.
pub fn headline(failure: &Failure) -> String {
    let kind = failure.kind.rsplit('.').next().unwrap_or_default();
    let message = failure.message.lines().next().unwrap_or_default();
    let text = match (kind, message) {
        ("", message) => message.to_owned(),
        (kind, "") => kind.to_owned(),
        (kind, message) => format!("{kind}: {message}"),
    };
    crate::text::sanitize(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NewRun;
    use crate::store::RunId;

    #[test]
    fn a_line_that_rewrites_itself_is_one_line_and_colours_are_kept() {
        let mut run =
            ActiveRun::new(RunKey::default(), RunRecord::begun(RunId::new(1), NewRun::default()));
        let mut print = |text: &str, stream, partial| {
            let event = RunEvent::Output {
                node: Some("a".into()),
                stream,
                level: None,
                logger: None,
                text: text.into(),
                partial,
            };
            run.apply(&Stamped { at: 1.0, event });
            run.log.iter().map(|line| line.text.clone()).collect::<Vec<_>>()
        };
        print("before", Stream::Stdout, false);
        print("10 %", Stream::Stderr, true);
        assert_eq!(print("50 %", Stream::Stderr, true), ["before", "50 %"]);
        assert_eq!(print("\x1b[32m100 %\x1b[0m", Stream::Stderr, false), ["before", "100 %"]);
        assert_eq!(print("after", Stream::Stderr, false), ["before", "100 %", "after"]);
        assert_eq!(run.log[1].parts[0].hue, Some(ansi::Hue::Green));
    }
}
