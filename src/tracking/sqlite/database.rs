//! Opening a database of MLflow's to read it: it is never written or made, and no question goes on without
//! end, whatever views the database holds.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};

use crate::system::files;
use crate::tracking::filter::is_like;

/// How long a read waits for a writer.
const BUSY: Duration = Duration::from_secs(5);
/// How long all questions of one connection may take.
const LIMIT: Duration = Duration::from_secs(20);
/// Steps of SQLite's machine between two looks at the clock; about a millisecond.
const STEPS: i32 = 10_000;

/// Opens the database; a pipe or a device in its place is no valid path.
pub(in crate::tracking) fn open(path: &Path) -> rusqlite::Result<Connection> {
    open_for(path, LIMIT)
}

fn open_for(path: &Path, limit: Duration) -> rusqlite::Result<Connection> {
    if files::open(path).is_err() {
        return Err(rusqlite::Error::InvalidPath(path.to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    let until = Instant::now() + limit;
    connection.progress_handler(STEPS, Some(move || Instant::now() > until))?;
    // As MLflow does: `LIKE` heeds case.
    connection.pragma_update(None, "case_sensitive_like", true)?;
    add_functions(&connection)?;
    Ok(connection)
}

/// The functions of the filter language's extensions.
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
        let connection = open_for(&path, Duration::from_millis(50)).unwrap();
        let counted = connection.query_row("SELECT count(*) FROM runs", [], |row| row.get(0));
        let error = counted.map(|_: i64| ()).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::OperationInterrupted));
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
