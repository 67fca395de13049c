//! Databases: runs up to their table, and a long metric up to its curve.

use std::hint::black_box;
use std::path::Path;

use mlops_tui::tracking::SqliteStore;
use mlops_tui::tracking::curve::{Axis, Scale, decimate, ordered, split};
use mlops_tui::tracking::entities::RunQuery;
use mlops_tui::tracking::table::{Keys, columns, tree};
use rusqlite::{Connection, OpenFlags, Row};

use crate::{KEYS, RUNS, compare, peer};

const POINTS: u32 = 1_000_000;
/// The run of the long metric; `peer.py` knows it, too.
const LONG_RUN: &str = "ffffffffffffffffffffffffffffffff";

pub fn measure(python: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mlflow.db");
    peer(python, "write", &path, &[&RUNS, &KEYS, &POINTS]);
    let peers = peer(python, "search", &path, &[&3]);
    let what = format!("{RUNS} runs of a database to their table");
    compare(&what, peers, || table(&path), || plain_table(&path));
    // Once, since it takes half a minute.
    let peers = peer(python, "history", &path, &[&1]);
    let what = format!("{POINTS} points to their curve");
    compare(&what, peers, || curve(&path), || plain_points(&path));
}

fn table(path: &Path) {
    let store = SqliteStore::open(path, None).expect("a store");
    let query = RunQuery { experiments: Some(vec!["0".into()]), ..RunQuery::default() };
    let runs = store.search_runs(&query).expect("runs").items;
    let columns = columns(&runs, false);
    let order = Keys::of(&runs, &columns[0]).order(false);
    assert_eq!(tree(&runs, &order).len(), RUNS as usize);
    black_box((runs, columns));
}

fn curve(path: &Path) {
    let store = SqliteStore::open(path, None).expect("a store");
    let points = store.history(LONG_RUN, "long").expect("points");
    assert_eq!(points.len(), POINTS as usize);
    let split = split(&ordered(&points, Axis::Step), Axis::Step, Scale::Linear);
    black_box(decimate(&split.spots, 200));
}

/// The same rows as lists of what is in them.
fn plain_table(path: &Path) {
    let connection = open(path);
    type Run = (String, String, i64, String, String, Option<i64>, Option<i64>, String, String);
    let of_run = |row: &Row<'_>| {
        let times = (row.get(5)?, row.get(6)?);
        let (id, name, experiment) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (user, status, stage, place) = (row.get(3)?, row.get(4)?, row.get(7)?, row.get(8)?);
        Ok((id, name, experiment, user, status, times.0, times.1, stage, place))
    };
    let runs: Vec<Run> = rows(
        &connection,
        "SELECT run_uuid, name, experiment_id, user_id, status, start_time, end_time, lifecycle_stage, \
         artifact_uri FROM runs WHERE experiment_id = 0",
        of_run,
    );
    let text = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let params: Vec<(String, String, String)> =
        rows(&connection, "SELECT run_uuid, key, value FROM params", text);
    let tags: Vec<(String, String, String)> =
        rows(&connection, "SELECT run_uuid, key, value FROM tags", text);
    let metrics: Vec<(String, String, f64)> =
        rows(&connection, "SELECT run_uuid, key, value FROM latest_metrics", |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        });
    assert!(runs.len() == RUNS as usize && params.len() == (RUNS * KEYS) as usize);
    black_box((runs, params, tags, metrics));
}

fn plain_points(path: &Path) {
    let sql = format!(
        "SELECT step, timestamp, value FROM metrics WHERE run_uuid = '{LONG_RUN}' AND key = 'long'"
    );
    let points: Vec<(i64, i64, f64)> =
        rows(&open(path), &sql, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    assert_eq!(points.len(), POINTS as usize);
    black_box(points);
}

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database")
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    let mut statement = connection.prepare(sql).expect("a statement");
    let rows = statement.query_map([], of).expect("rows");
    rows.collect::<rusqlite::Result<_>>().expect("values")
}
