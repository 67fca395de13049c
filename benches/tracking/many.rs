//! A hundred runs with a hundred metrics of a thousand values each, in MLflow's own schema: what their page of charts
//! reads.

use std::hint::black_box;
use std::path::Path;

use mlops_tui::tracking::SqliteStore;
use rusqlite::Connection;

use crate::{peer, row};

const RUNS: usize = 100;
const KEYS: usize = 100;
const STEPS: usize = 1_000;
/// Charts on a screen of 200x60.
const CHARTS: usize = 24;

pub fn measure(python: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mlflow.db");
    peer(python, "write", &path, &[&RUNS, &1, &2]);
    let ids = fill(&path);
    let wanted = |runs: usize, charts: usize| -> Vec<(String, String)> {
        let of_key = |key: usize| ids[..runs].iter().map(move |id| (id.clone(), format!("m{key}")));
        (0..charts).flat_map(of_key).collect()
    };
    for without_index in [false, true] {
        let schema = if without_index {
            let connection = Connection::open(&path).expect("a database");
            let drop = "DROP INDEX index_metrics_run_uuid_key_step";
            connection.execute_batch(drop).expect("the index is gone");
            "MLflow up to 3.5"
        } else {
            "MLflow 3.17"
        };
        for (runs, charts) in [(RUNS, 1), (RUNS, CHARTS), (8, CHARTS)] {
            let wanted = wanted(runs, charts);
            let what = format!("{charts} charts of {runs} runs, {STEPS} values each, {schema}");
            row(&what, || read(&path, &wanted));
        }
    }
}

fn read(path: &Path, wanted: &[(String, String)]) {
    let store = SqliteStore::open(path, None).expect("a store");
    let mut count = 0;
    store.histories(wanted, |_, points| {
        let points = points.expect("values");
        assert_eq!(points.len(), STEPS);
        count += black_box(points).len();
    });
    assert_eq!(count, wanted.len() * STEPS);
}

/// Adds the values; they were logged step by step, all runs at a time. Returns the ids of the runs.
fn fill(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).expect("a database");
    let sql = format!(
        "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; PRAGMA cache_size = -1000000;
         INSERT INTO metrics (run_uuid, key, value, timestamp, step, is_nan)
         WITH steps(step) AS (SELECT 0 UNION ALL SELECT step + 1 FROM steps WHERE step + 1 < {STEPS}),
              keys(key) AS (SELECT 0 UNION ALL SELECT key + 1 FROM keys WHERE key + 1 < {KEYS})
         SELECT run_uuid, 'm' || key, 1.0 / (step + key + 1), 1700000000000 + step * 10, step, 0
         FROM steps CROSS JOIN keys CROSS JOIN (SELECT run_uuid FROM runs WHERE experiment_id = 0);
         INSERT INTO latest_metrics (run_uuid, key, value, timestamp, step, is_nan)
         SELECT run_uuid, key, value, timestamp, step, is_nan FROM metrics
         WHERE step = {STEPS} - 1 AND key LIKE 'm%' AND key NOT LIKE 'metric%';"
    );
    connection.execute_batch(&sql).expect("rows");
    let mut runs =
        connection.prepare("SELECT run_uuid FROM runs WHERE experiment_id = 0").expect("a query");
    let ids = runs.query_map([], |row| row.get(0)).expect("runs");
    ids.collect::<rusqlite::Result<_>>().expect("ids")
}
