//! Follows a database. SQLite's change counter shows whether anything has changed (`PRAGMA data_version`, a
//! few microseconds), and new rows have larger row ids.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use rusqlite::Row;

use super::{SqliteStore, rows, text};
use crate::tracking::TrackingError;
use crate::tracking::entities::Point;
use crate::tracking::follow::{Batch, News, RunState};

/// Points per read.
const PIECE: i64 = 10_000;
/// How often ended runs, and the identity of the file, are checked.
const SELDOM: Duration = Duration::from_secs(2);

/// Follows a database from the moment it was opened.
#[derive(Debug)]
pub struct Follower {
    store: SqliteStore,
    /// Device and inode of the file.
    file: Option<(u64, u64)>,
    /// SQLite's change counter.
    version: Option<i64>,
    /// Row ids of the last known metric and of the last known run.
    last_metric: i64,
    last_run: i64,
    /// States of runs, by id.
    runs: HashMap<String, RunState>,
    looked: Instant,
}

const RUNS: &str = "SELECT run_uuid, name, experiment_id, status, lifecycle_stage, start_time, end_time, rowid \
                    FROM runs";

impl Follower {
    /// Starts to follow a store.
    ///
    /// # Errors
    /// When SQLite returns an error.
    pub fn new(store: SqliteStore) -> Result<Self, TrackingError> {
        let last = |table: &str| {
            let sql = format!("SELECT coalesce(max(rowid), 0) FROM {table}");
            store.ask(|connection| connection.query_row(&sql, [], |row| row.get(0)))
        };
        let (last_metric, last_run) = (last("metrics")?, last("runs")?);
        let known = store.ask(|connection| rows(connection, RUNS, [], state))?;
        let runs = known.into_iter().map(|(state, _)| (state.id.clone(), state)).collect();
        let file = identity(&store);
        let looked = Instant::now();
        Ok(Follower { store, file, version: None, last_metric, last_run, runs, looked })
    }

    /// The news since the last poll: new runs, values of metrics in the order in which they were logged,
    /// changed run states.
    ///
    /// # Errors
    /// When SQLite returns an error, or another file has replaced the database and can't be read.
    pub fn poll(&mut self) -> Result<Vec<News>, TrackingError> {
        let seldom = self.looked.elapsed() >= SELDOM;
        if seldom {
            self.looked = Instant::now();
            if identity(&self.store) != self.file {
                return self.reopen();
            }
        }
        let mut batch = Batch::default();
        let read = self.read(seldom, &mut batch);
        if read.is_err() {
            self.version = None;
        }
        batch.unless(read)
    }

    fn read(&mut self, seldom: bool, batch: &mut Batch) -> Result<(), TrackingError> {
        let version = self.store.ask(|connection| {
            connection.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0))
        })?;
        let changed = self.version.replace(version) != Some(version);
        // Read runs first: values that were logged before a run's end are then read together with its end.
        if changed || seldom {
            self.runs(seldom, batch)?;
        }
        if changed {
            self.metrics(batch)?;
        }
        Ok(())
    }

    /// Reads new runs and changes of active runs; with `all`, changes of all runs.
    fn runs(&mut self, all: bool, batch: &mut Batch) -> Result<(), TrackingError> {
        let found = if all {
            self.store.ask(|connection| rows(connection, RUNS, [], state))?
        } else {
            let going = self.runs.values().filter(|run| run.goes_on());
            let ids: Vec<&str> = going.map(|run| run.id.as_str()).collect();
            let list = serde_json::Value::from(ids).to_string();
            let sql = format!(
                "{RUNS} WHERE rowid > ?1 OR run_uuid IN (SELECT value FROM json_each(?2)) ORDER BY rowid"
            );
            self.store.ask(|connection| rows(connection, &sql, (self.last_run, list), state))?
        };
        for (state, row) in found {
            self.last_run = self.last_run.max(row);
            match self.runs.insert(state.id.clone(), state.clone()) {
                None => batch.new.push(state),
                Some(before) if before != state => batch.changed.push(state),
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn metrics(&mut self, batch: &mut Batch) -> Result<(), TrackingError> {
        const SQL: &str = "SELECT rowid, run_uuid, key, step, timestamp, CASE WHEN is_nan THEN NULL ELSE value END \
                           FROM metrics WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";
        loop {
            let read = self.store.ask(|connection| {
                rows(connection, SQL, (self.last_metric, PIECE), |row| {
                    let point = Point {
                        step: row.get(3)?,
                        timestamp: row.get(4)?,
                        value: row.get::<_, Option<f64>>(5)?.unwrap_or(f64::NAN),
                    };
                    Ok((row.get::<_, i64>(0)?, text(row, 1)?, text(row, 2)?, point))
                })
            })?;
            let is_last = (read.len() as i64) < PIECE;
            for (row, run_id, key, point) in read {
                self.last_metric = row;
                batch.points.push((run_id, key, point));
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Starts to follow the file that has replaced the database.
    fn reopen(&mut self) -> Result<Vec<News>, TrackingError> {
        let store = SqliteStore::open(&self.store.path, Some(&self.store.workspace))?;
        *self = Follower::new(store)?;
        Ok(vec![News::Replaced])
    }
}

/// Device and inode of the database file.
fn identity(store: &SqliteStore) -> Option<(u64, u64)> {
    fs::metadata(&store.path).ok().map(|file| (file.dev(), file.ino()))
}

fn state(row: &Row<'_>) -> rusqlite::Result<(RunState, i64)> {
    let state = RunState {
        id: row.get(0)?,
        name: text(row, 1)?,
        experiment_id: row.get::<_, i64>(2)?.to_string(),
        status: text(row, 3)?,
        lifecycle_stage: text(row, 4)?,
        start_time: row.get(5)?,
        end_time: row.get(6)?,
    };
    Ok((state, row.get(7)?))
}
