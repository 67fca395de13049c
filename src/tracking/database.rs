//! Opening a database of MLflow's to read it: it is never written or made, and no question goes on without
//! end, whatever views the database holds.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::system::files;

/// How long a read waits for a writer.
const BUSY: Duration = Duration::from_secs(5);
/// How long all questions of one connection may take.
const LIMIT: Duration = Duration::from_secs(20);
/// Steps of SQLite's machine between two looks at the clock; about a millisecond.
const STEPS: i32 = 10_000;

/// Opens the database; a pipe or a device in its place is no valid path.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
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
    Ok(connection)
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
