//! Start and end of each node, and the critical path: the dependency chain that bounds the run's duration.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::project::strip_transcoding;
use crate::store::{DatasetRecord, Direction, NodeOutcome, NodeRecord, RunRecord};

/// The nodes of a run on a time axis.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Timeline {
    /// When the run began, seconds since the Unix epoch.
    pub start: f64,
    /// When its first node began; equals `start` when no node did.
    pub begun: f64,
    /// When it ended; the current time while it is running.
    pub end: f64,
    /// The nodes, in the run's order.
    pub bars: Vec<Bar>,
    /// The largest number of nodes that ran at the same time.
    pub lanes: usize,
    /// Total duration of the nodes on the critical path, in seconds.
    pub critical_seconds: f64,
}

/// A node on a time axis.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Bar {
    /// The node's name.
    pub node: String,
    /// The node's outcome so far.
    pub outcome: NodeOutcome,
    /// When it began, seconds since the Unix epoch; `None` when it never did.
    pub start: Option<f64>,
    /// When it ended; if unknown, the run's end or the current time.
    pub end: Option<f64>,
    /// The first lane, from 0, that is free while the node runs.
    pub lane: usize,
    /// Whether it is on the critical path.
    pub critical: bool,
    /// Seconds spent loading inputs.
    pub loading: f64,
    /// Seconds spent saving outputs.
    pub saving: f64,
}

impl Bar {
    /// Its duration (so far) in seconds; `None` when it never began.
    pub fn seconds(&self) -> Option<f64> {
        Some((self.end? - self.start?).max(0.0))
    }
}

/// The timeline of a run from its stored nodes and datasets; `now` replaces unknown ends.
pub fn timeline(
    run: &RunRecord,
    nodes: &[NodeRecord],
    datasets: &[DatasetRecord],
    now: f64,
) -> Timeline {
    let end = run.ended_at.unwrap_or(now).max(run.new.started_at);
    let mut bars: Vec<Bar> = nodes
        .iter()
        .map(|node| Bar {
            node: node.node.clone(),
            outcome: node.outcome,
            start: node.started_at,
            end: node.started_at.map(|start| match node.seconds {
                Some(seconds) => start + seconds,
                None => end.max(start),
            }),
            ..Bar::default()
        })
        .collect();
    let index: HashMap<&str, usize> =
        nodes.iter().enumerate().map(|(index, node)| (node.node.as_str(), index)).collect();
    for moved in datasets {
        if let Some(index) = moved.node.as_deref().and_then(|node| index.get(node)) {
            match moved.direction {
                Direction::Load => bars[*index].loading += moved.seconds,
                Direction::Save => bars[*index].saving += moved.seconds,
            }
        }
    }
    let lanes = into_lanes(&mut bars);
    let mut critical_seconds = 0.0;
    for index in critical_path(&bars, &dependencies(&index, datasets)) {
        bars[index].critical = true;
        critical_seconds += bars[index].seconds().unwrap_or_default();
    }
    let start = run.new.started_at;
    let begun = bars.iter().filter_map(|bar| bar.start).min_by(f64::total_cmp).unwrap_or(start);
    Timeline { start, begun, end, bars, lanes, critical_seconds }
}

/// The indices of the bars that began, sorted by their start.
fn by_begin(bars: &[Bar]) -> Vec<usize> {
    let mut order: Vec<(f64, usize)> =
        bars.iter().enumerate().filter_map(|(index, bar)| Some((bar.start?, index))).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    order.into_iter().map(|(_, index)| index).collect()
}

/// Assigns each bar the first free lane; returns the number of lanes.
fn into_lanes(bars: &mut [Bar]) -> usize {
    let mut free_from: Vec<f64> = Vec::new();
    for index in by_begin(bars) {
        let (start, end) = (bars[index].start.unwrap_or(0.0), bars[index].end.unwrap_or(0.0));
        let lane = free_from.iter().position(|free| *free <= start).unwrap_or(free_from.len());
        if lane == free_from.len() {
            free_from.push(end);
        } else {
            free_from[lane] = end;
        }
        bars[index].lane = lane;
    }
    free_from.len()
}

/// For each node, the nodes that saved its inputs.
fn dependencies(
    index: &HashMap<&str, usize>,
    datasets: &[DatasetRecord],
) -> HashMap<usize, HashSet<usize>> {
    let mut makers: HashMap<&str, usize> = HashMap::new();
    let mut found: HashMap<usize, HashSet<usize>> = HashMap::new();
    let mut moved: Vec<&DatasetRecord> = datasets.iter().collect();
    moved.sort_by_key(|moved| moved.number);
    for moved in moved {
        let Some(&node) = moved.node.as_deref().and_then(|node| index.get(node)) else { continue };
        let name = strip_transcoding(&moved.dataset);
        match moved.direction {
            Direction::Save => drop(makers.insert(name, node)),
            Direction::Load => {
                if let Some(&maker) = makers.get(name).filter(|maker| **maker != node) {
                    found.entry(node).or_default().insert(maker);
                }
            }
        }
    }
    found
}

/// The dependency chain with the longest total duration, in order of time.
fn critical_path(bars: &[Bar], needs: &HashMap<usize, HashSet<usize>>) -> Vec<usize> {
    // For each node, the duration of the longest chain that ends with it, and its predecessor there. A node's
    // dependencies began before it, so their chains are already computed.
    let mut longest: HashMap<usize, (f64, Option<usize>)> = HashMap::new();
    for index in by_begin(bars) {
        let before = needs
            .get(&index)
            .into_iter()
            .flatten()
            .filter_map(|before| Some((longest.get(before)?.0, *before)))
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let own = bars[index].seconds().unwrap_or_default();
        let chain = before.map_or(0.0, |(seconds, _)| seconds) + own;
        longest.insert(index, (chain, before.map(|(_, before)| before)));
    }
    let last = longest.iter().max_by(|a, b| a.1.0.total_cmp(&b.1.0).then(b.0.cmp(a.0)));
    let mut path = Vec::new();
    let mut at = last.map(|(index, _)| *index);
    while let Some(index) = at {
        path.push(index);
        at = longest.get(&index).and_then(|(_, before)| *before);
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RunId;
    use crate::store::{NewRun, Outcome};

    fn node(name: &str, start: f64, seconds: f64) -> NodeRecord {
        NodeRecord {
            node: name.into(),
            outcome: NodeOutcome::Succeeded,
            started_at: Some(start),
            seconds: Some(seconds),
            ..NodeRecord::default()
        }
    }

    fn moved(number: u64, node: &str, direction: Direction, dataset: &str) -> DatasetRecord {
        DatasetRecord {
            number,
            node: Some(node.into()),
            dataset: dataset.into(),
            direction,
            seconds: 0.25,
            ..DatasetRecord::default()
        }
    }

    fn run() -> RunRecord {
        let mut run =
            RunRecord::begun(RunId::new(1), NewRun { started_at: 10.0, ..NewRun::default() });
        (run.outcome, run.ended_at) = (Outcome::Succeeded, Some(20.0));
        run
    }

    #[test]
    fn the_longest_dependency_chain_is_critical_and_parallel_nodes_have_lanes() {
        // a -> c, b -> c, a -> d; b takes longer than a; d is the longest node, but depends only on a.
        let nodes = [
            node("a", 11.0, 1.0),
            node("b", 11.0, 3.0),
            node("c", 14.0, 2.0),
            node("d", 12.0, 3.5),
            NodeRecord { node: "e".into(), ..NodeRecord::default() },
        ];
        let (load, save) = (Direction::Load, Direction::Save);
        let datasets = [
            moved(1, "a", save, "x@spark"),
            moved(2, "d", load, "x@pandas"),
            moved(3, "b", save, "y"),
            moved(4, "b", load, "y"),
            moved(5, "c", load, "x@pandas"),
            moved(6, "c", load, "y"),
        ];
        let timeline = timeline(&run(), &nodes, &datasets, 99.0);
        assert_eq!((timeline.start, timeline.begun, timeline.end), (10.0, 11.0, 20.0));
        assert_eq!(timeline.lanes, 2);
        let shown: Vec<_> = timeline
            .bars
            .iter()
            .map(|bar| (bar.node.as_str(), bar.lane, bar.critical, bar.seconds()))
            .collect();
        assert_eq!(
            shown,
            [
                ("a", 0, false, Some(1.0)),
                ("b", 1, true, Some(3.0)),
                ("c", 1, true, Some(2.0)),
                ("d", 0, false, Some(3.5)),
                ("e", 0, false, None),
            ]
        );
        assert_eq!(timeline.critical_seconds, 5.0);
        assert_eq!((timeline.bars[2].loading, timeline.bars[1].saving), (0.5, 0.25));
    }

    #[test]
    fn a_running_node_ends_now() {
        let mut run = run();
        run.ended_at = None;
        let mut running = node("a", 12.0, 0.0);
        running.seconds = None;
        let timeline = timeline(&run, &[running], &[], 15.0);
        assert_eq!((timeline.end, timeline.bars[0].seconds()), (15.0, Some(3.0)));
        assert!(timeline.bars[0].critical);
        assert_eq!(super::timeline(&run, &[], &[], 15.0).lanes, 0);
    }
}
