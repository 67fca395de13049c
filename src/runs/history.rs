//! Runs as the store keeps them: what the events of a run come to.

use super::event::{RunEvent, Stamped};
use super::process::now;
use super::request::RunRequest;
use crate::store::{NewRun, Outcome, RunRecord};

/// A run that begins now.
pub fn new_run(request: &RunRequest) -> NewRun {
    NewRun {
        started_at: now(),
        pipeline: request.pipeline.clone().unwrap_or_else(|| "__default__".into()),
        env: request.env.clone(),
        request: serde_json::to_string(request).unwrap_or_default(),
        command: request.to_command(),
    }
}

/// Brings the record up to date with the event. Returns whether it changed.
pub fn apply(record: &mut RunRecord, stamped: &Stamped) -> bool {
    match &stamped.event {
        RunEvent::RunStarted { nodes, env, .. } => {
            record.nodes_total = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
            if record.new.env.is_none() && !env.is_empty() {
                record.new.env = Some(env.clone());
            }
        }
        RunEvent::NodeFinished { .. } => record.nodes_done += 1,
        RunEvent::NodeFailed { node, failure, .. } => {
            record.failed_node = Some(node.clone());
            record.reason = Some(first_line(&failure.message));
        }
        RunEvent::RunFinished { .. } => end(record, Outcome::Succeeded, stamped.at, None),
        RunEvent::RunFailed { failure } => {
            let reason = first_line(&failure.message);
            let reason = if reason.is_empty() { failure.kind.clone() } else { reason };
            end(record, Outcome::Failed, stamped.at, Some(reason));
        }
        RunEvent::RunCancelled => end(record, Outcome::Cancelled, stamped.at, None),
        RunEvent::RunLost { reason } => {
            end(record, Outcome::Lost, stamped.at, Some(first_line(reason)));
        }
        RunEvent::NodeStarted { .. }
        | RunEvent::DatasetLoaded { .. }
        | RunEvent::DatasetSaved { .. }
        | RunEvent::Output { .. } => return false,
    }
    true
}

fn end(record: &mut RunRecord, outcome: Outcome, at: f64, reason: Option<String>) {
    record.outcome = outcome;
    record.ended_at = Some(at);
    if record.reason.is_none() || outcome == Outcome::Lost {
        record.reason = reason;
    }
}

fn first_line(text: &str) -> String {
    text.trim().lines().next().unwrap_or_default().chars().take(500).collect()
}

/// The events as rows for the store: time and JSON.
pub fn to_rows(events: &[Stamped]) -> Vec<(f64, String)> {
    events.iter().filter_map(|event| Some((event.at, serde_json::to_string(event).ok()?))).collect()
}

/// The events of the store's rows. Rows of another version that can't be read are left out.
pub fn from_rows(rows: &[String]) -> Vec<Stamped> {
    rows.iter().filter_map(|row| serde_json::from_str(row).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::Failure;

    fn record() -> RunRecord {
        RunRecord {
            id: 1,
            new: new_run(&RunRequest::default()),
            outcome: Outcome::Running,
            ended_at: None,
            nodes_total: 0,
            nodes_done: 0,
            failed_node: None,
            reason: None,
        }
    }

    fn at(at: f64, event: RunEvent) -> Stamped {
        Stamped { at, event }
    }

    #[test]
    fn a_failing_run_keeps_the_node_and_its_reason() {
        let mut record = record();
        let failure = Failure { message: "bad\nworse".into(), ..Failure::default() };
        let started = RunEvent::RunStarted {
            pipeline: "p".into(),
            env: "local".into(),
            nodes: vec!["a".into(), "b".into()],
            kedro_version: "1.7.0".into(),
            runner: "SequentialRunner".into(),
            worker: crate::runs::Served::Warm,
        };
        let events = [
            at(1.0, started),
            at(2.0, RunEvent::NodeStarted { node: "a".into() }),
            at(3.0, RunEvent::NodeFinished { node: "a".into(), seconds: 1.0 }),
            at(
                4.0,
                RunEvent::NodeFailed { node: "b".into(), seconds: 1.0, failure: failure.clone() },
            ),
            at(5.0, RunEvent::RunFailed { failure }),
        ];
        let changed: Vec<bool> = events.iter().map(|event| apply(&mut record, event)).collect();
        assert_eq!(changed, [true, false, true, true, true]);
        assert_eq!((record.nodes_total, record.nodes_done), (2, 1));
        assert_eq!(record.failed_node.as_deref(), Some("b"));
        assert_eq!(record.reason.as_deref(), Some("bad"));
        assert_eq!((record.outcome, record.ended_at), (Outcome::Failed, Some(5.0)));
        let rows: Vec<String> = to_rows(&events).into_iter().map(|(_, json)| json).collect();
        assert_eq!(from_rows(&rows), events);
    }
}
