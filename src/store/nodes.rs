//! The nodes and datasets of runs, and the usual durations of nodes.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};
use serde::Serialize;

use super::database::{Store, StoreError};
use super::record::{DatasetRecord, Direction, NodeOutcome, NodeRecord, RunId};

/// The durations of a node in the last runs in which the node succeeded, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Timing {
    /// The median of the durations.
    pub median: f64,
    /// The most recent duration.
    pub last: f64,
    /// The number of runs.
    pub runs: usize,
}

impl Timing {
    /// The median and the newest of durations, which are given newest first; `None` if there are none.
    fn from_durations(mut seconds: Vec<f64>) -> Option<Timing> {
        let last = *seconds.first()?;
        seconds.sort_by(f64::total_cmp);
        let middle = seconds.len() / 2;
        let median = match seconds.len() % 2 {
            0 => f64::midpoint(seconds[middle - 1], seconds[middle]),
            _ => seconds[middle],
        };
        Some(Timing { median, last, runs: seconds.len() })
    }
}

impl Store {
    /// The nodes of a run in topological order.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn nodes(&mut self, run: RunId) -> Result<Vec<NodeRecord>, StoreError> {
        let nodes = self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT node, position, outcome, started_at, seconds, failure FROM nodes
                     WHERE run = ?1 ORDER BY position",
                )?
                .query_map([run], node)?
                .collect()
        })?;
        Ok(nodes.unwrap_or_default())
    }

    /// The datasets that a run loaded and saved, in order of time.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn datasets(&mut self, run: RunId) -> Result<Vec<DatasetRecord>, StoreError> {
        let datasets = self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT number, node, dataset, direction, at, seconds, bytes, stamp, metrics
                     FROM datasets WHERE run = ?1 ORDER BY number",
                )?
                .query_map([run], dataset)?
                .collect()
        })?;
        Ok(datasets.unwrap_or_default())
    }

    /// The timing of each node over the last `runs` runs on this project's own worker in which that node succeeded.
    /// The times of other machines say nothing about this one.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn timings(&mut self, runs: usize) -> Result<HashMap<String, Timing>, StoreError> {
        let limit = i64::try_from(runs).unwrap_or(i64::MAX);
        let rows: Option<Vec<(String, f64)>> = self.read(|connection| {
            connection
                .prepare_cached(
                    // Jumps along the index from one node name to the next, and reads only the newest
                    // rows of each name.
                    "WITH RECURSIVE names (node) AS (
                         SELECT MIN(node) FROM nodes
                         UNION ALL
                         SELECT (SELECT MIN(node) FROM nodes WHERE node > names.node) FROM names
                         WHERE node IS NOT NULL),
                     remotes (id) AS (SELECT id FROM runs WHERE remote IS NOT NULL)
                     SELECT node, seconds FROM nodes JOIN names USING (node)
                     WHERE outcome = 'succeeded' AND seconds IS NOT NULL AND run NOT IN remotes AND run >= COALESCE(
                         (SELECT run FROM nodes AS older
                          WHERE older.node = names.node AND outcome = 'succeeded' AND run NOT IN remotes
                          ORDER BY run DESC LIMIT 1 OFFSET ?1 - 1), 0)
                     ORDER BY node, run DESC",
                )?
                .query_map([limit], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })?;
        let mut seconds: HashMap<String, Vec<f64>> = HashMap::new();
        for (node, duration) in rows.unwrap_or_default() {
            seconds.entry(node).or_default().push(duration);
        }
        let timings = seconds.into_iter();
        Ok(timings
            .filter_map(|(node, durations)| Some((node, Timing::from_durations(durations)?)))
            .collect())
    }
}

/// Inserts nodes and datasets; existing rows are replaced.
pub(super) fn save(
    connection: &Connection,
    run: RunId,
    nodes: &[NodeRecord],
    datasets: &[DatasetRecord],
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO nodes (run, node, position, outcome, started_at, seconds, failure)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for node in nodes {
        let outcome = node.outcome.as_str();
        insert.execute(params![
            run,
            node.node,
            node.position,
            outcome,
            node.started_at,
            node.seconds,
            node.failure
        ])?;
    }
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO datasets
             (run, number, node, dataset, direction, at, seconds, bytes, stamp, metrics)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for dataset in datasets {
        insert.execute(params![
            run,
            dataset.number as i64,
            dataset.node,
            dataset.dataset,
            dataset.direction.as_str(),
            dataset.at,
            dataset.seconds,
            dataset.bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
            dataset.stamp,
            dataset.metrics,
        ])?;
    }
    Ok(())
}

fn node(row: &Row<'_>) -> rusqlite::Result<NodeRecord> {
    let outcome: String = row.get(2)?;
    Ok(NodeRecord {
        node: row.get(0)?,
        position: row.get(1)?,
        outcome: NodeOutcome::from_text(&outcome),
        started_at: row.get(3)?,
        seconds: row.get(4)?,
        failure: row.get(5)?,
    })
}

fn dataset(row: &Row<'_>) -> rusqlite::Result<DatasetRecord> {
    let direction: String = row.get(3)?;
    Ok(DatasetRecord {
        number: row.get::<_, i64>(0)?.unsigned_abs(),
        node: row.get(1)?,
        dataset: row.get(2)?,
        direction: Direction::from_text(&direction),
        at: row.get(4)?,
        seconds: row.get(5)?,
        bytes: row.get::<_, Option<i64>>(6)?.map(i64::unsigned_abs),
        stamp: row.get(7)?,
        metrics: row.get(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{NewRun, Progress};

    #[test]
    fn the_timing_is_the_median_of_the_last_successes() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        assert!(store.timings(3).unwrap().is_empty());
        let failed = NodeOutcome::Failed;
        for (seconds, outcome) in [
            (90.0, NodeOutcome::Succeeded),
            (3.0, NodeOutcome::Succeeded),
            (1.0, NodeOutcome::Succeeded),
            (60.0, failed),
            (2.0, NodeOutcome::Succeeded),
        ] {
            let record = store.add_run(&NewRun::default()).unwrap();
            let node = |name: &str| NodeRecord {
                node: name.into(),
                outcome,
                seconds: Some(seconds),
                ..NodeRecord::default()
            };
            let nodes = [node("a"), node("b")];
            let progress =
                Progress { record: &record, first: 1, entries: &[], nodes: &nodes, datasets: &[] };
            store.record(&progress).unwrap();
        }
        let timings = store.timings(3).unwrap();
        assert_eq!(timings["a"], Timing { median: 2.0, last: 2.0, runs: 3 });
        assert_eq!(store.timings(4).unwrap()["b"].median, 2.5);
    }
}
