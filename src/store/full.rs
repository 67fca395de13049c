//! Reading and freeing space when the disk is full, and reading when nothing can be written.
//!
//! SQLite needs space beside the database before it reads or deletes anything: for its journal, and
//! for the memory that programs share. [`Store::open_alone`] avoids the shared memory, and
//! [`Store::write_freeing`] avoids the journal.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use rusqlite::{Connection, OpenFlags};

use super::database::{BUSY, Store, StoreError};
use super::migrations;

/// The bytes that SQLite needs beside the database before it reads, and some more.
const NEEDED: usize = 64 << 10;

/// Characters that would end the path of a URI or be decoded in it (<https://sqlite.org/uri.html>).
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

/// Whether the error means that the disk, or the user's quota, is full.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// Whether the file system of a folder is full. SQLite does not report that in all cases.
pub(super) fn is_full_at(folder: &Path) -> bool {
    let written = tempfile::tempfile_in(folder).and_then(|mut file| {
        file.write_all(&[0; NEEDED])?;
        file.sync_data()
    });
    written.is_err_and(|error| is_full(&error))
}

impl Store {
    /// Reads on a full disk. The database is closed again immediately, because other programs can't
    /// open it meanwhile.
    ///
    /// # Errors
    /// If there is no database, it can't be read, or its schema is not the current one.
    pub(super) fn read_alone<T>(
        &self,
        act: impl Fn(&mut Connection) -> rusqlite::Result<T>,
        full: StoreError,
    ) -> Result<T, StoreError> {
        if !self.path().exists() {
            return Err(full);
        }
        let mut connection = self.open_alone()?;
        self.read_with(&mut connection, act, full)
    }

    /// Reads where nothing can be written. Changes that are only in a journal are not visible.
    ///
    /// # Errors
    /// Those of [`Store::read_alone`].
    pub(super) fn read_closed<T>(
        &self,
        act: impl Fn(&mut Connection) -> rusqlite::Result<T>,
        closed: StoreError,
    ) -> Result<T, StoreError> {
        if !self.path().exists() {
            return Err(closed);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let path = self.path();
        let path = percent_encode(path.as_os_str().as_encoded_bytes(), NOT_IN_A_PATH);
        let uri = format!("file:{path}?immutable=1");
        let opened = Connection::open_with_flags(uri, flags);
        let mut connection = opened.map_err(|error| self.error(error))?;
        self.check(&connection)?;
        self.read_with(&mut connection, act, closed)
    }

    /// Reads if the schema is the current one.
    fn read_with<T>(
        &self,
        connection: &mut Connection,
        act: impl Fn(&mut Connection) -> rusqlite::Result<T>,
        otherwise: StoreError,
    ) -> Result<T, StoreError> {
        match migrations::schema_version(connection) {
            Ok(migrations::VERSION) => act(connection).map_err(|error| self.error(error)),
            Ok(_) => Err(otherwise),
            Err(error) => Err(self.error(error)),
        }
    }

    /// Opens the database exclusively, which needs no space beside it. Changes in its journal are
    /// visible.
    ///
    /// # Errors
    /// If another program has the database open, or it can't be read.
    fn open_alone(&self) -> Result<Connection, StoreError> {
        let open = || {
            let connection = Connection::open(self.path())?;
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "locking_mode", "exclusive")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            Ok(connection)
        };
        let connection = open().map_err(|error| self.error(error))?;
        self.check(&connection)?;
        Ok(connection)
    }

    /// Runs a write that only deletes. On a full disk, pages are changed in place, with the old
    /// contents in memory: an error rolls back everything, but a power cut in these milliseconds
    /// may damage the database.
    ///
    /// # Errors
    /// When the store can't be written.
    pub(super) fn write_freeing<T>(
        &mut self,
        act: impl Fn(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let full = match self.write(&act) {
            Err(error @ StoreError::Full(_)) => error,
            other => return other,
        };
        // Closing the connection merges the journal into the database.
        self.close();
        let mut connection = self.open_alone()?;
        let freed = connection
            .pragma_update_and_check(None, "journal_mode", "memory", |row| row.get::<_, String>(0))
            .and_then(|mode| match mode.as_str() {
                // Nothing is written before the commit.
                "memory" => connection.pragma_update(None, "cache_spill", false).map(|()| true),
                _ => Ok(false),
            })
            .and_then(|ready| if ready { act(&mut connection).map(Some) } else { Ok(None) });
        freed.map_err(|error| self.error(error))?.ok_or(full)
    }
}
