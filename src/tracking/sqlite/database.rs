//! Opens MLflow databases read-only: they are never written or created, and each query has a time limit,
//! whatever views the database contains.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};

use crate::system::files;
use crate::tracking::filter::is_like;

/// How long a read waits for a writer.
const BUSY: Duration = Duration::from_secs(5);
/// Time limit for the queries of a connection, until [`Limit::renew`].
const LIMIT: Duration = Duration::from_secs(20);
/// Instructions of SQLite's virtual machine between two checks of the clock; about a millisecond.
const STEPS: i32 = 10_000;

/// The time limit of a connection's queries.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    opened: Instant,
    /// The end of the limit, in milliseconds after opening.
    until: Arc<AtomicU64>,
    length: Duration,
}

impl Limit {
    /// Restarts the time limit, for the next query.
    pub fn renew(&self) {
        let until = (self.opened.elapsed() + self.length).as_millis();
        self.until.store(u64::try_from(until).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.opened.elapsed().as_millis() > u128::from(self.until.load(Ordering::Relaxed))
    }
}

/// Opens the database for many queries with a time limit each. Pipes and devices are not valid paths.
pub(super) fn open(path: &Path) -> rusqlite::Result<(Connection, Limit)> {
    open_for(path, LIMIT)
}

fn open_for(path: &Path, length: Duration) -> rusqlite::Result<(Connection, Limit)> {
    if files::open(path).is_err() {
        return Err(rusqlite::Error::InvalidPath(path.to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    let limit = Limit { opened: Instant::now(), until: Arc::default(), length };
    limit.renew();
    let held = limit.clone();
    connection.progress_handler(STEPS, Some(move || held.is_over()))?;
    // `LIKE` is case-sensitive, as in MLflow.
    connection.pragma_update(None, "case_sensitive_like", true)?;
    add_functions(&connection)?;
    Ok((connection, limit))
}

/// Registers the SQL functions for the filter language's extensions.
fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("is_like", 2, flags, |context| {
        let name: Option<String> = context.get(0)?;
        let word: String = context.get(1)?;
        Ok(name.is_some_and(|name| is_like(&name, &word)))
    })?;
    connection.create_scalar_function("matches", 2, flags, |context| {
        let pattern = context.get_or_create_aux(1, |value| {
            let pattern = value.as_str().unwrap_or_default();
            regex::Regex::new(pattern).map_err(|error| error.to_string())
        })?;
        let text: Option<String> = context.get(0)?;
        Ok(text.map(|text| pattern.is_match(&text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_view_is_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mlflow.db");
        let endless = "CREATE VIEW runs AS WITH RECURSIVE n(x) AS \
            (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS run_uuid FROM n";
        Connection::open(&path).unwrap().execute_batch(endless).unwrap();
        let (connection, limit) = open_for(&path, Duration::from_millis(50)).unwrap();
        let counted = connection.query_row("SELECT count(*) FROM runs", [], |row| row.get(0));
        let error = counted.map(|_: i64| ()).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::OperationInterrupted));
        limit.renew();
        assert_eq!(connection.query_row("SELECT 1", [], |row| row.get(0)), Ok(1));
    }

    #[test]
    fn only_a_plain_file_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, mode, 0).unwrap();
        assert!(open(&pipe).is_err() && open(folder.path()).is_err());
    }
}
