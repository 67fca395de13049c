//! Builds the record of a run and of its nodes from the run's events.

use indexmap::IndexMap;

use crate::project::is_parameter;
use crate::runs::event::{Failure, RunEvent, Stamped};
use crate::store::{DatasetRecord, Direction, NodeOutcome, NodeRecord, Outcome, RunRecord};

/// The state of a run after the events so far.
#[derive(Debug, Clone)]
pub struct Course {
    /// The run's record.
    pub record: RunRecord,
    /// The records of its nodes, in order.
    pub nodes: IndexMap<String, NodeRecord>,
    /// Number of the last applied event; the first is 1.
    number: u64,
}

/// The records that an event changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct News {
    /// Whether the run's record changed.
    pub record: bool,
    /// Indices into [`Course::nodes`] of the nodes that changed.
    pub nodes: Vec<usize>,
    /// The dataset that was loaded or saved.
    pub dataset: Option<DatasetRecord>,
}

impl Course {
    /// The state of a run that just began.
    pub fn new(record: RunRecord) -> Self {
        Course { record, nodes: IndexMap::new(), number: 0 }
    }

    /// Applies the next event.
    pub fn apply(&mut self, stamped: &Stamped) -> News {
        self.number += 1;
        let at = stamped.at;
        let mut news = News::default();
        let record = &mut self.record;
        match &stamped.event {
            RunEvent::RunStarted { nodes, env, kedro_version, worker, .. } => {
                record.new.worker = Some(worker.as_str().to_owned());
                record.nodes_total = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
                record.kedro_version =
                    Some(kedro_version.clone()).filter(|version| !version.is_empty());
                if record.new.env.is_none() && !env.is_empty() {
                    record.new.env = Some(env.clone());
                }
                news.record = true;
                nodes.iter().for_each(|node| news.nodes.push(self.node(node)));
            }
            RunEvent::NodeStarted { node } => {
                news.nodes.push(self.change(node, |node| {
                    node.outcome = NodeOutcome::Running;
                    node.started_at = Some(at);
                }));
            }
            RunEvent::NodeFinished { node, seconds } => {
                record.nodes_done += 1;
                news.record = true;
                news.nodes.push(self.ended(node, NodeOutcome::Succeeded, at, *seconds, None));
            }
            RunEvent::NodeFailed { node, seconds, failure } => {
                record.failed_node = Some(node.clone());
                record.reason = Some(first_line(&failure.message));
                news.record = true;
                let failed = NodeOutcome::Failed;
                news.nodes.push(self.ended(node, failed, at, *seconds, Some(failure)));
            }
            RunEvent::DatasetLoaded { dataset, node, seconds } => {
                news.dataset = self.moved(dataset, node, Direction::Load, at, *seconds);
            }
            RunEvent::DatasetSaved { dataset, node, seconds } => {
                news.dataset = self.moved(dataset, node, Direction::Save, at, *seconds);
            }
            RunEvent::Tracked { run } => {
                record.mlflow_run = Some(run.clone());
                news.record = true;
            }
            RunEvent::Output { .. }
            | RunEvent::DatasetKept { .. }
            | RunEvent::DatasetNotKept { .. } => {}
            RunEvent::RunFinished { .. } => self.end(Outcome::Succeeded, at, None, &mut news),
            RunEvent::RunFailed { failure } => {
                let reason = first_line(&failure.message);
                let reason = if reason.is_empty() { failure.kind.clone() } else { reason };
                self.end(Outcome::Failed, at, Some(reason), &mut news);
            }
            RunEvent::RunCancelled => self.end(Outcome::Cancelled, at, None, &mut news),
            RunEvent::RunLost { reason } => {
                self.end(Outcome::Lost, at, Some(first_line(reason)), &mut news);
            }
        }
        news
    }

    /// Index of a node. A node that the run's first event did not name is appended.
    fn node(&mut self, name: &str) -> usize {
        if let Some(index) = self.nodes.get_index_of(name) {
            return index;
        }
        let index = self.nodes.len();
        let position = u32::try_from(index).unwrap_or(u32::MAX);
        let node = NodeRecord { node: name.to_owned(), position, ..NodeRecord::default() };
        self.nodes.insert(name.to_owned(), node);
        index
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut NodeRecord)) -> usize {
        let index = self.node(name);
        change(&mut self.nodes[index]);
        index
    }

    fn ended(
        &mut self,
        name: &str,
        outcome: NodeOutcome,
        at: f64,
        seconds: f64,
        failure: Option<&Failure>,
    ) -> usize {
        self.change(name, |node| {
            node.outcome = outcome;
            node.started_at = node.started_at.or(Some(at - seconds));
            node.seconds = Some(seconds);
            node.failure = failure.and_then(|failure| serde_json::to_string(failure).ok());
        })
    }

    /// Kedro loads parameters as datasets; they are not recorded here, because the store has them separately.
    fn moved(
        &self,
        dataset: &str,
        node: &Option<String>,
        direction: Direction,
        at: f64,
        seconds: f64,
    ) -> Option<DatasetRecord> {
        (!is_parameter(dataset)).then(|| DatasetRecord {
            number: self.number,
            node: node.clone(),
            dataset: dataset.to_owned(),
            direction,
            at,
            seconds,
            ..DatasetRecord::default()
        })
    }

    fn end(&mut self, outcome: Outcome, at: f64, reason: Option<String>, news: &mut News) {
        let record = &mut self.record;
        record.outcome = outcome;
        record.ended_at = Some(at);
        if record.reason.is_none() || outcome == Outcome::Lost {
            record.reason = reason;
        }
        news.record = true;
        for (index, node) in self.nodes.values_mut().enumerate() {
            if matches!(node.outcome, NodeOutcome::Waiting | NodeOutcome::Running) {
                node.outcome = NodeOutcome::Stopped;
                news.nodes.push(index);
            }
        }
    }
}

fn first_line(text: &str) -> String {
    text.trim().lines().next().unwrap_or_default().chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NewRun;
    use crate::store::RunId;

    fn at(at: f64, event: RunEvent) -> Stamped {
        Stamped { at, event }
    }

    #[test]
    fn a_failing_run_keeps_its_nodes_and_the_reason() {
        let mut course = Course::new(RunRecord::begun(RunId::new(1), NewRun::default()));
        let failure = Failure { message: "bad\nworse".into(), ..Failure::default() };
        let node = |name: &str| name.to_owned();
        let saved = |dataset: &str| RunEvent::DatasetSaved {
            dataset: dataset.into(),
            node: Some("a".into()),
            seconds: 0.5,
        };
        let events = [
            at(
                1.0,
                RunEvent::RunStarted {
                    pipeline: "p".into(),
                    env: "local".into(),
                    nodes: vec!["a".into(), "b".into(), "c".into()],
                    kedro_version: "1.7.0".into(),
                    runner: "SequentialRunner".into(),
                    worker: crate::runs::Served::Fresh,
                },
            ),
            at(2.0, RunEvent::NodeStarted { node: node("a") }),
            at(2.5, saved("d")),
            at(2.6, saved("params:p")),
            at(3.0, RunEvent::NodeFinished { node: node("a"), seconds: 1.0 }),
            at(
                4.0,
                RunEvent::NodeFailed { node: node("b"), seconds: 0.5, failure: failure.clone() },
            ),
            at(5.0, RunEvent::RunFailed { failure }),
        ];
        let news: Vec<News> = events.iter().map(|event| course.apply(event)).collect();
        let changed: Vec<_> =
            news.iter().map(|news| (news.record, news.nodes.as_slice())).collect();
        assert_eq!(
            changed,
            [
                (true, [0, 1, 2].as_slice()),
                (false, &[0]),
                (false, &[]),
                (false, &[]),
                (true, &[0]),
                (true, &[1]),
                (true, &[2]),
            ]
        );
        let dataset = news[2].dataset.as_ref().unwrap();
        assert_eq!((dataset.number, dataset.dataset.as_str()), (3, "d"));
        assert_eq!(news[3].dataset, None);
        let record = &course.record;
        assert_eq!((record.nodes_total, record.nodes_done), (3, 1));
        assert_eq!(record.failed_node.as_deref(), Some("b"));
        assert_eq!(record.reason.as_deref(), Some("bad"));
        assert_eq!((record.outcome, record.ended_at), (Outcome::Failed, Some(5.0)));
        assert_eq!(record.kedro_version.as_deref(), Some("1.7.0"));
        let nodes: Vec<_> = course
            .nodes
            .values()
            .map(|node| (node.outcome, node.started_at, node.seconds))
            .collect();
        assert_eq!(
            nodes,
            [
                (NodeOutcome::Succeeded, Some(2.0), Some(1.0)),
                (NodeOutcome::Failed, Some(3.5), Some(0.5)),
                (NodeOutcome::Stopped, None, None),
            ]
        );
        assert!(course.nodes["b"].failure.as_deref().unwrap().contains("worse"));
    }
}
