//! The histories of many metrics at once. Without an index of metrics by key, each history alone costs a reading of all
//! values of its run, so the rows are read once, in the cheaper of two orders, and distributed.

use std::collections::HashMap;

use indexmap::IndexMap;
use rusqlite::Row;

use super::history::{PIECE, sort};
use super::{SqliteStore, rows};
use crate::tracking::TrackingError;
use crate::tracking::entities::Point;

/// A metric of a run: the run's id and the metric's name.
type Id = (String, String);

/// The primary key of the last row that was read, after that of the metric.
type Place = (i64, i64, String, f64, bool);

impl SqliteStore {
    /// Reads all values of metrics of runs, each sorted as by [`SqliteStore::history`], and hands them over one by one,
    /// with their index in `ids`, which are all different. An error concerns its metric alone.
    pub fn histories(
        &self,
        ids: &[Id],
        mut take: impl FnMut(usize, Result<Vec<Point>, TrackingError>),
    ) {
        let mut by_key: IndexMap<&str, Vec<usize>> = IndexMap::new();
        for (index, (_, key)) in ids.iter().enumerate() {
            by_key.entry(key).or_default().push(index);
        }
        let mut by_run: IndexMap<&str, Vec<usize>> = IndexMap::new();
        for (key, own) in by_key {
            let is_cheap = own.len() > 1 && self.is_most(key, own.len());
            match is_cheap.then(|| self.of_key(key, &own, ids)) {
                Some(Ok(found)) => {
                    own.iter().zip(found).for_each(|(index, list)| take(*index, Ok(list)));
                }
                // Each of those that can't be read says why.
                Some(Err(_)) | None => {
                    own.iter()
                        .for_each(|index| by_run.entry(&ids[*index].0).or_default().push(*index));
                }
            }
        }
        for own in by_run.into_values() {
            let is_cheap = own.len() > 1 && !self.schema.steps_indexed;
            match is_cheap.then(|| self.of_run(&own, ids)) {
                Some(Ok(found)) => {
                    own.iter().zip(found).for_each(|(index, list)| take(*index, Ok(list)));
                }
                Some(Err(_)) | None => {
                    let alone = |index: &usize| self.history(&ids[*index].0, &ids[*index].1);
                    own.iter().for_each(|index| take(*index, alone(index)));
                }
            }
        }
    }

    /// Whether at least half of the runs with a metric are wanted: then it is cheapest to read it of all runs, along the
    /// primary key, which has all columns.
    fn is_most(&self, key: &str, wanted: usize) -> bool {
        const SQL: &str = "SELECT count(*) FROM latest_metrics WHERE key = ?1";
        let count = self.ask(|connection| connection.query_row(SQL, [key], |row| row.get(0)));
        count.is_ok_and(|count: i64| wanted as i64 * 2 >= count)
    }

    /// The histories of one metric, in the order of `own`, read along the primary key.
    fn of_key(
        &self,
        key: &str,
        own: &[usize],
        ids: &[Id],
    ) -> Result<Vec<Vec<Point>>, TrackingError> {
        const SQL: &str = "SELECT run_uuid, step, timestamp, value, is_nan FROM metrics WHERE key = ?1 \
                           AND (timestamp, step, run_uuid, value, is_nan) > (?2, ?3, ?4, ?5, ?6) \
                           ORDER BY timestamp, step, run_uuid, value, is_nan LIMIT ?7";
        let places: HashMap<&str, usize> =
            own.iter().enumerate().map(|(place, index)| (ids[*index].0.as_str(), place)).collect();
        let mut found = vec![Vec::new(); own.len()];
        let mut last: Place = (i64::MIN, i64::MIN, String::new(), f64::NEG_INFINITY, false);
        loop {
            let (count, next) = self.ask(|connection| {
                let mut statement = connection.prepare_cached(SQL)?;
                let (timestamp, step, run, value, is_nan) = &last;
                let mut rows =
                    statement.query((key, timestamp, step, run, value, is_nan, PIECE))?;
                let (mut count, mut next) = (0, None);
                while let Some(row) = rows.next()? {
                    count += 1;
                    if let Some(place) = places.get(row.get_ref(0)?.as_str()?) {
                        found[*place].push(point(row)?);
                    }
                    if count == PIECE {
                        next =
                            Some((row.get(2)?, row.get(1)?, row.get(0)?, row.get(3)?, row.get(4)?));
                    }
                }
                Ok((count, next))
            })?;
            match next {
                Some(next) if count == PIECE => last = next,
                _ => {
                    found.iter_mut().for_each(|list| sort(list));
                    return Ok(found);
                }
            }
        }
    }

    /// The histories of metrics of one run, in the order of `own`, read along its rows.
    fn of_run(&self, own: &[usize], ids: &[Id]) -> Result<Vec<Vec<Point>>, TrackingError> {
        const SQL: &str = "SELECT rowid, step, timestamp, value, is_nan, key FROM metrics \
                           WHERE run_uuid = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3";
        let run = &ids[own[0]].0;
        let places: HashMap<&str, usize> =
            own.iter().enumerate().map(|(place, index)| (ids[*index].1.as_str(), place)).collect();
        let mut found = vec![Vec::new(); own.len()];
        let mut last = i64::MIN;
        loop {
            let read = self.ask(|connection| {
                rows(connection, SQL, (run, last, PIECE), |row| {
                    if let Some(place) = places.get(row.get_ref(5)?.as_str()?) {
                        found[*place].push(point(row)?);
                    }
                    row.get::<_, i64>(0)
                })
            })?;
            match read.last() {
                Some(row) if read.len() as i64 == PIECE => last = *row,
                _ => {
                    found.iter_mut().for_each(|list| sort(list));
                    return Ok(found);
                }
            }
        }
    }
}

/// The point in a row whose columns 1 to 4 are step, timestamp, value and whether it is NaN.
fn point(row: &Row<'_>) -> rusqlite::Result<Point> {
    let value = if row.get(4)? { f64::NAN } else { row.get(3)? };
    Ok(Point { step: row.get(1)?, timestamp: row.get(2)?, value })
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// MLflow's tables of metrics.
    const SCHEMA: &str = "CREATE TABLE experiments (experiment_id INTEGER); CREATE TABLE runs (run_uuid TEXT);
        CREATE TABLE metrics (key TEXT NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL, run_uuid TEXT NOT NULL,
            step BIGINT NOT NULL, is_nan BOOLEAN NOT NULL,
            CONSTRAINT metric_pk PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan));
        CREATE INDEX index_metrics_run_uuid ON metrics (run_uuid);
        CREATE TABLE latest_metrics (key TEXT, run_uuid TEXT, PRIMARY KEY (key, run_uuid))";
    const INDEX: &str =
        "CREATE INDEX index_metrics_run_uuid_key_step ON metrics (run_uuid, key, step)";
    const RUNS: usize = 6;

    /// Values of which many have the same time and step, among them NaN; those of one metric take several pieces.
    fn store(folder: &std::path::Path, indexed: bool) -> SqliteStore {
        let path = folder.join("mlflow.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(&format!("{SCHEMA}; BEGIN")).unwrap();
        for (key, count) in [("loss", 9_000), ("accuracy", 50)] {
            for number in 0..count * RUNS {
                let (run, step) = (format!("run{}", number % RUNS), number as i64 / 40);
                let is_nan = number % 7 == 0;
                let value = if is_nan { 0.0 } else { (number * 31 % 97 + 1) as f64 };
                connection
                    .prepare_cached("INSERT OR IGNORE INTO metrics VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
                    .and_then(|mut insert| {
                        insert.execute((key, value, step * 3, run, step, is_nan))
                    })
                    .unwrap();
            }
        }
        let latest =
            "INSERT INTO latest_metrics SELECT DISTINCT key, run_uuid FROM metrics; COMMIT";
        connection.execute_batch(latest).unwrap();
        if indexed {
            connection.execute_batch(INDEX).unwrap();
        }
        SqliteStore::open(&path, None).unwrap()
    }

    #[test]
    fn many_histories_are_read_as_each_of_them_alone() {
        for indexed in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let store = store(folder.path(), indexed);
            // All runs, half of them, and two of them; and one that has nothing.
            for wanted in [vec![0, 1, 2, 3, 4, 5], vec![5, 1, 3], vec![4, 2], vec![1, 77]] {
                let ids: Vec<Id> = ["loss", "accuracy", "none"]
                    .iter()
                    .flat_map(|key| {
                        wanted.iter().map(|run| (format!("run{run}"), (*key).to_owned()))
                    })
                    .collect();
                let mut found = vec![None; ids.len()];
                store.histories(&ids, |index, read| {
                    assert!(
                        found[index].replace(read.unwrap()).is_none(),
                        "{:?} twice",
                        ids[index]
                    );
                });
                for ((run, key), found) in ids.iter().zip(found) {
                    let (found, alone) = (found.unwrap(), store.history(run, key).unwrap());
                    let bits = |list: &[Point]| -> Vec<(i64, i64, u64)> {
                        list.iter()
                            .map(|one| (one.timestamp, one.step, one.value.to_bits()))
                            .collect()
                    };
                    assert!(
                        bits(&found) == bits(&alone),
                        "{run} {key} of {wanted:?}, index {indexed}"
                    );
                    assert_eq!(alone.len() > 4_000, key == "loss" && run != "run77", "{run} {key}");
                }
            }
        }
    }

    #[test]
    fn a_database_that_cannot_be_read_says_so_for_each_history() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), false);
        let connection = Connection::open(folder.path().join("mlflow.db")).unwrap();
        connection.execute_batch("DROP TABLE metrics").unwrap();
        let ids = [0, 1, 2, 3].map(|run| (format!("run{run}"), "loss".to_owned()));
        let mut errors = Vec::new();
        store.histories(&ids, |index, read| errors.push((index, read.unwrap_err().to_string())));
        errors.sort();
        assert_eq!(errors.iter().map(|one| one.0).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(errors.iter().all(|one| one.1.contains("no such table")), "{errors:?}");
    }
}
