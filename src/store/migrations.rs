//! The schema, and the migrations from older versions.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use serde_json::Value as Json;

use super::record::{Level, Line, RunId, Source};
use super::{claims, kept, log, remote, texts};

/// Each function migrates the schema from the version of its index to the next version.
const MIGRATIONS: [fn(&Transaction<'_>) -> rusqlite::Result<()>; 8] = [
    first,
    nodes_and_logs,
    kept::create,
    mark,
    key,
    claims::create,
    texts::create_parts,
    remote::create,
];

/// The version of the schema that this program writes.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// Migrates the schema to the current version. Returns the resulting version, which is larger than
/// [`VERSION`] if a newer program created the store.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<usize> {
    let version = schema_version(connection)?;
    if version >= VERSION {
        return Ok(version);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another program may have migrated meanwhile.
    let version = schema_version(&transaction)?;
    for migration in MIGRATIONS.iter().skip(version) {
        migration(&transaction)?;
    }
    let version = version.max(VERSION);
    transaction.pragma_update(None, "user_version", version as i64)?;
    transaction.commit()?;
    Ok(version)
}

/// The version of the schema; 0 for an empty database.
pub(super) fn schema_version(connection: &Connection) -> rusqlite::Result<usize> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(0))
}

fn first(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "CREATE TABLE runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            started_at REAL NOT NULL,
            pipeline TEXT NOT NULL,
            env TEXT,
            request TEXT NOT NULL,
            command TEXT NOT NULL,
            outcome TEXT NOT NULL,
            ended_at REAL,
            nodes_total INTEGER NOT NULL DEFAULT 0,
            nodes_done INTEGER NOT NULL DEFAULT 0,
            failed_node TEXT,
            reason TEXT,
            pid INTEGER NOT NULL,
            process_started TEXT NOT NULL
        );
        CREATE TABLE events (
            run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            at REAL NOT NULL,
            json TEXT NOT NULL,
            PRIMARY KEY (run, number)
        ) WITHOUT ROWID;
        CREATE TABLE readings (
            key TEXT PRIMARY KEY,
            fingerprint TEXT NOT NULL,
            made_at REAL NOT NULL,
            answer TEXT NOT NULL
        ) WITHOUT ROWID;",
    )
}

/// Generates the random mark of the store's files and folders. Datasets kept without it are
/// dropped.
fn mark(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "CREATE TABLE store (mark TEXT NOT NULL);
        INSERT INTO store (mark) VALUES (lower(hex(randomblob(16))));
        DELETE FROM kept;",
    )
}

/// Generates the random key that turns secrets into marks. Stored readings are deleted, because
/// they may contain secrets.
fn key(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "ALTER TABLE store ADD COLUMN key BLOB;
        UPDATE store SET key = randomblob(32);
        DELETE FROM readings;",
    )
}

/// Moves nodes and datasets into rows and output lines from the events to the log, and adds columns
/// for who started a run, why, and with which code.
fn nodes_and_logs(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "ALTER TABLE runs ADD COLUMN user TEXT;
        ALTER TABLE runs ADD COLUMN host TEXT;
        ALTER TABLE runs ADD COLUMN why TEXT;
        ALTER TABLE runs ADD COLUMN python TEXT;
        ALTER TABLE runs ADD COLUMN worker TEXT;
        ALTER TABLE runs ADD COLUMN batch TEXT;
        ALTER TABLE runs ADD COLUMN detached INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN kedro_version TEXT;
        ALTER TABLE runs ADD COLUMN python_version TEXT;
        ALTER TABLE runs ADD COLUMN git TEXT;
        ALTER TABLE runs ADD COLUMN parameters TEXT;
        ALTER TABLE runs ADD COLUMN mlflow_run TEXT;
        ALTER TABLE runs ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN note TEXT;
        -- Number of the last entry that was stored, and lines of the log.
        ALTER TABLE runs ADD COLUMN entries INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN log_lines INTEGER NOT NULL DEFAULT 0;
        -- When the recording process last wrote.
        ALTER TABLE runs ADD COLUMN seen_at REAL;

        CREATE TABLE nodes (
            run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            node TEXT NOT NULL,
            position INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            started_at REAL,
            seconds REAL,
            failure TEXT,
            PRIMARY KEY (run, node)
        ) WITHOUT ROWID;
        CREATE INDEX nodes_by_name ON nodes (node, outcome, run, seconds);

        CREATE TABLE datasets (
            run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            node TEXT,
            dataset TEXT NOT NULL,
            direction TEXT NOT NULL,
            at REAL NOT NULL,
            seconds REAL NOT NULL,
            bytes INTEGER,
            stamp TEXT,
            metrics TEXT,
            PRIMARY KEY (run, number)
        ) WITHOUT ROWID;

        -- Lines of the log in chunks; `log.rs` says how they are packed.
        CREATE TABLE log (
            run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            first INTEGER NOT NULL,
            lines INTEGER NOT NULL,
            started_at REAL NOT NULL,
            ended_at REAL NOT NULL,
            levels INTEGER NOT NULL,
            sources TEXT NOT NULL,
            packed BLOB NOT NULL,
            PRIMARY KEY (run, first)
        );

        -- Texts that several runs share, by their hash: differences of code, parameters.
        CREATE TABLE texts (
            hash TEXT PRIMARY KEY,
            length INTEGER NOT NULL,
            packed BLOB NOT NULL
        );",
    )?;
    let runs: Vec<RunId> = transaction
        .prepare("SELECT id FROM runs")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for run in runs {
        sort_events(transaction, run)?;
    }
    Ok(())
}

/// Distributes the events of a run over the new tables.
fn sort_events(transaction: &Transaction<'_>, run: RunId) -> rusqlite::Result<()> {
    let rows: Vec<(i64, f64, String)> = transaction
        .prepare("SELECT number, at, json FROM events WHERE run = ?1 ORDER BY number")?
        .query_map([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let events: Vec<(i64, f64, Json)> = rows
        .into_iter()
        .filter_map(|(number, at, json)| Some((number, at, serde_json::from_str(&json).ok()?)))
        .collect();
    let mut lines = Vec::new();
    for (number, at, event) in &events {
        let text = |key: &str| event[key].as_str();
        let node = text("node");
        match text("event").unwrap_or_default() {
            "run_started" => {
                transaction.execute(
                    "UPDATE runs SET kedro_version = ?2 WHERE id = ?1",
                    params![run, text("kedro_version")],
                )?;
                for (position, node) in event["nodes"].as_array().into_iter().flatten().enumerate()
                {
                    transaction.execute(
                        "INSERT OR IGNORE INTO nodes (run, node, position, outcome)
                         VALUES (?1, ?2, ?3, 'stopped')",
                        params![run, node.as_str().unwrap_or_default(), position as i64],
                    )?;
                }
            }
            "node_started" => {
                transaction.execute(
                    "UPDATE nodes SET started_at = ?3 WHERE run = ?1 AND node = ?2",
                    params![run, node, at],
                )?;
            }
            name @ ("node_finished" | "node_failed") => {
                let (outcome, failure) = match name {
                    "node_failed" => ("failed", Some(event["failure"].to_string())),
                    _ => ("succeeded", None),
                };
                transaction.execute(
                    "UPDATE nodes SET outcome = ?3, seconds = ?4, failure = ?5
                     WHERE run = ?1 AND node = ?2",
                    params![run, node, outcome, event["seconds"].as_f64(), failure],
                )?;
            }
            name @ ("dataset_loaded" | "dataset_saved") => {
                let direction = if name == "dataset_saved" { "save" } else { "load" };
                transaction.execute(
                    "INSERT INTO datasets (run, number, node, dataset, direction, at, seconds)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        run,
                        number,
                        node,
                        text("dataset").unwrap_or_default(),
                        direction,
                        at,
                        event["seconds"].as_f64().unwrap_or_default(),
                    ],
                )?;
            }
            "output" => lines.push((number, line(*at, event))),
            _ => {}
        }
    }
    let last: i64 = transaction.query_row(
        "SELECT COALESCE(MAX(number), 0) FROM events WHERE run = ?1",
        [run],
        |row| row.get(0),
    )?;
    for (number, _) in &lines {
        transaction
            .execute("DELETE FROM events WHERE run = ?1 AND number = ?2", params![run, number])?;
    }
    let count = log::append(transaction, run, 1, lines.iter().map(|(_, line)| *line))?;
    transaction.execute(
        "UPDATE runs SET entries = ?2, log_lines = ?3 WHERE id = ?1",
        params![run, last, count as i64],
    )?;
    Ok(())
}

fn line(at: f64, event: &Json) -> Line<'_> {
    let text = |key: &str| event[key].as_str();
    let stream = text("stream").unwrap_or("stdout");
    let level = match (stream, text("level")) {
        ("warning", _) | (_, Some("WARNING")) => Level::Warning,
        (_, Some("ERROR" | "CRITICAL")) => Level::Error,
        (_, Some("DEBUG")) => Level::Debug,
        _ => Level::Info,
    };
    let source = Source {
        level,
        node: text("node"),
        stream,
        level_name: text("level"),
        logger: text("logger"),
    };
    Line { at, source, text: text("text").unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::run_id;
    use crate::store::{Direction, NodeOutcome, Store};

    #[test]
    fn a_store_of_the_first_version_keeps_its_events_contents_when_upgraded() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".mlops-tui")).unwrap();
        let path = Store::new(folder.path()).path();
        let mut old = Connection::open(path).unwrap();
        let transaction = old.transaction().unwrap();
        first(&transaction).unwrap();
        transaction.pragma_update(None, "user_version", 1).unwrap();
        transaction
            .execute(
                "INSERT INTO runs (started_at, pipeline, request, command, outcome, ended_at, pid, process_started)
                 VALUES (10.0, '__default__', '{}', 'kedro run', 'failed', 20.0, 1, '')",
                [],
            )
            .unwrap();
        let events = [
            r#"{"at":11.0,"event":"run_started","pipeline":"p","env":"local","nodes":["a","b","c"],"kedro_version":"1.7.0","runner":"S"}"#,
            r#"{"at":12.0,"event":"node_started","node":"a"}"#,
            r#"{"at":12.5,"event":"output","node":"a","stream":"log","level":"ERROR","logger":"x","text":"uh\noh"}"#,
            r#"{"at":12.6,"event":"output","node":"a","stream":"stdout","text":"two"}"#,
            r#"{"at":13.0,"event":"dataset_saved","dataset":"d","node":"a","seconds":0.5}"#,
            r#"{"at":13.0,"event":"node_finished","node":"a","seconds":1.0}"#,
            r#"{"at":13.0,"event":"node_started","node":"b"}"#,
            r#"{"at":14.0,"event":"node_failed","node":"b","seconds":0.9,"failure":{"kind":"K"}}"#,
            "this was never JSON",
        ];
        for (number, json) in (1..).zip(events) {
            transaction
                .execute(
                    "INSERT INTO events (run, number, at, json) VALUES (1, ?1, 11.0 + ?1, ?2)",
                    params![number, json],
                )
                .unwrap();
        }
        transaction.commit().unwrap();
        drop(old);

        let mut store = Store::new(folder.path());
        let run = store.run(run_id(1)).unwrap().unwrap();
        assert_eq!((run.kedro_version.as_deref(), run.log_lines), (Some("1.7.0"), 2));
        assert_eq!(store.events(run_id(1)).unwrap().len(), events.len() - 2);
        let nodes = store.nodes(run_id(1)).unwrap();
        let outcomes: Vec<_> =
            nodes.iter().map(|node| (node.node.as_str(), node.outcome, node.seconds)).collect();
        assert_eq!(
            outcomes,
            [
                ("a", NodeOutcome::Succeeded, Some(1.0)),
                ("b", NodeOutcome::Failed, Some(0.9)),
                ("c", NodeOutcome::Stopped, None),
            ]
        );
        assert_eq!(nodes[1].failure.as_deref(), Some(r#"{"kind":"K"}"#));
        let datasets = store.datasets(run_id(1)).unwrap();
        assert_eq!((datasets[0].dataset.as_str(), datasets[0].direction), ("d", Direction::Save));
        let lines = store
            .log(run_id(1), &Default::default(), crate::store::LogCursor::Line(1), 10)
            .unwrap();
        let log_lines: Vec<_> =
            lines.iter().map(|line| (line.number, line.level, line.text.as_str())).collect();
        assert_eq!(log_lines, [(1, Level::Error, "uh\noh"), (2, Level::Info, "two")]);
    }
}
