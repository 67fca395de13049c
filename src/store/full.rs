//! A full disk, and one that can't be written: what is stored can be read. On a full one, what is old
//! can be deleted.
//!
//! SQLite needs room beside the database before it reads or deletes anything: for its journal, and for
//! the memory that programs share. [`Store::open_alone`] does without the second, and
//! [`Store::write_freeing`] without the first.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use rusqlite::{Connection, OpenFlags};

use super::database::{BUSY, Store, StoreError};
use super::migrations;

/// As much as SQLite needs beside the database before it reads anything, and a little more.
const NEEDED: usize = 64 << 10;

/// What would end the path of a URI, or stands for another character in it (<https://sqlite.org/uri.html>).
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

/// Whether an error says that there is no room: on the disk, or for this user.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// Whether there is no room for more in a folder. SQLite does not tell it in each case.
pub(super) fn is_full_at(folder: &Path) -> bool {
    let written = tempfile::tempfile_in(folder).and_then(|mut file| {
        file.write_all(&[0; NEEDED])?;
        file.sync_data()
    });
    written.is_err_and(|error| is_full(&error))
}

impl Store {
    /// Reads on a full disk. The database is closed again at once, for others can't open it meanwhile.
    ///
    /// # Errors
    /// When there is no database, it can't be read, or its schema is not the present one.
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

    /// Reads where nothing can be written. What a journal holds is not seen.
    ///
    /// # Errors
    /// As [`Store::read_alone`].
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

    /// Reads, if the schema is the present one.
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

    /// Opens the database so that nobody else can, which needs no room beside it. What its journal
    /// holds is seen.
    ///
    /// # Errors
    /// When another program has it open, or it can't be read.
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

    /// Does a write that deletes and adds nothing. On a full disk the pages are changed in their
    /// places, and memory holds what they were: an error undoes all, but a power cut in these
    /// milliseconds may damage the database.
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
        // Closing it brings what its journal holds into the database.
        self.close();
        let mut connection = self.open_alone()?;
        let freed = connection
            .pragma_update_and_check(None, "journal_mode", "memory", |row| row.get::<_, String>(0))
            .and_then(|mode| match mode.as_str() {
                // Nothing is written before the end.
                "memory" => connection.pragma_update(None, "cache_spill", false).map(|()| true),
                _ => Ok(false),
            })
            .and_then(|ready| if ready { act(&mut connection).map(Some) } else { Ok(None) });
        freed.map_err(|error| self.error(error))?.ok_or(full)
    }
}
