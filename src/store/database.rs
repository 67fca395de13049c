//! The database file: created on the first write, migrated, and set aside when it is broken.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::folder::{Folder, FolderError, Mark};
use super::{full, migrations};
use crate::text::secrets::Key;

/// The database file in the store's folder.
const DATABASE: &str = "store.db";
/// How long a write waits for another program's write.
pub(super) const BUSY: Duration = Duration::from_secs(5);
/// The write-ahead log is truncated to this size in bytes after a long read let it grow.
const JOURNAL: i64 = 64 << 20;
/// The number of stored exact readings, one per environment and interpreter.
const READINGS: u32 = 16;

/// Why the store can't be used. The program then continues without a history.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder contains an entry that could lead out of it or that belongs to another user.
    #[error("{0} The run history is not kept.")]
    Unsafe(#[source] FolderError),
    /// The database was damaged and is set aside, so the files that belong to its runs are unknown.
    #[error("The store was damaged and is set aside as {}. Nothing was deleted.", .0.display())]
    SetAside(PathBuf),
    /// Another program locks the database for longer than a write waits.
    #[error("{} is locked by another program. Close what has it open, such as a database browser.", .0.display())]
    Locked(PathBuf),
    /// The disk is full.
    #[error("{}: the disk is full. Make room; `mlops-tui runs prune` deletes old runs.", .0.display())]
    Full(PathBuf),
    /// The file or its folder is not writable.
    #[error("{} can't be written. Check who owns the file and its folder.", .0.display())]
    ReadOnly(PathBuf),
    /// The database can't be read or written.
    #[error("{}: {source}. If it stays so, move the file away: a new history is begun then.", path.display())]
    Database {
        /// The path of the database file.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The database belongs to another program, or lacks tables or columns.
    #[error("{} does not hold what mlops-tui keeps. Move the file away: a new history is begun then.", .0.display())]
    Foreign(PathBuf),
    /// The database contains views or triggers, which this program never creates.
    #[error("{} has views or triggers, which mlops-tui does not make. Move the file away.", .0.display())]
    Code(PathBuf),
    /// A newer version of mlops-tui created the database.
    #[error("{} was made by a newer mlops-tui; use that one, or move the file away.", .0.display())]
    Newer(PathBuf),
}

impl From<FolderError> for StoreError {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Io { path, source } if full::is_full(&source) => StoreError::Full(path),
            other => StoreError::Unsafe(other),
        }
    }
}

/// The store of one project. Nothing is opened before the first use, and nothing is created before
/// the first write.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    folder: PathBuf,
    connection: Option<Connection>,
    /// Device and inode number of the open database file.
    opened: Option<(u64, u64)>,
    set_aside: Option<PathBuf>,
    /// SQLite's `data_version` at the last check.
    version: Option<i64>,
}

impl Store {
    /// The store of the project in `root`.
    pub fn new(root: &Path) -> Self {
        Store {
            root: root.to_owned(),
            folder: root.join(super::FOLDER),
            connection: None,
            opened: None,
            set_aside: None,
            version: None,
        }
    }

    /// The mark that the files and folders of this store carry; `None` while there is no store.
    ///
    /// # Errors
    /// When the store can't be read.
    pub(super) fn mark(&mut self) -> Result<Option<Mark>, StoreError> {
        let mark = self.read(mark)?;
        Ok(mark.flatten())
    }

    /// The key that turns secrets into marks in this store; `None` while there is no store.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn key(&mut self) -> Result<Option<Key>, StoreError> {
        let bytes = self.read(|connection| {
            connection.query_row("SELECT key FROM store", [], |row| row.get(0)).optional()
        })?;
        Ok(bytes.flatten().map(Key::new))
    }

    /// Like [`Store::key`], before something is stored: creates the store if there is none.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn new_key(&mut self) -> Result<Option<Key>, StoreError> {
        self.check_writable()?;
        self.key()
    }

    /// Like [`Store::mark`], before a file is created: creates the store if there is none.
    ///
    /// # Errors
    /// When the store can't be written.
    pub(super) fn new_mark(&mut self) -> Result<Option<Mark>, StoreError> {
        self.check_writable()?;
        self.mark()
    }

    /// The store's folder, before something is removed from it; `None` if there is none.
    ///
    /// # Errors
    /// If the database was set aside, so that the owners of the files are unknown, or if the folder
    /// is not safe to use.
    pub(super) fn own_folder(&self) -> Result<Option<Folder>, StoreError> {
        self.refuse_set_aside()?;
        Ok(Folder::open(&self.root)?)
    }

    /// Fails if the database was set aside. Called before anything is deleted.
    ///
    /// # Errors
    /// If the database was set aside.
    pub(super) fn refuse_set_aside(&self) -> Result<(), StoreError> {
        match &self.set_aside {
            Some(aside) => Err(StoreError::SetAside(aside.clone())),
            None => Ok(()),
        }
    }

    /// The project's folder, which contains the store's folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The store's folder, before something is written to it; it is created if missing.
    ///
    /// # Errors
    /// If it can't be created or is not safe to use.
    pub(super) fn made_folder(&self) -> Result<Folder, StoreError> {
        Ok(Folder::make(&self.root)?)
    }

    /// The path of the database file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(DATABASE)
    }

    /// The new path of a broken database, if one was found since [`Store::new`].
    pub fn set_aside(&self) -> Option<&Path> {
        self.set_aside.as_deref()
    }

    /// Checks that the store can be written; creates it if missing.
    ///
    /// # Errors
    /// If the store can't be written.
    pub fn check_writable(&mut self) -> Result<(), StoreError> {
        self.write(|connection| connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK;"))
    }

    /// Whether another connection has written since the last call. This check is cheap.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn changed(&mut self) -> Result<bool, StoreError> {
        let opened = self.connection.is_none();
        let version = self.read(|connection| {
            connection.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0))
        })?;
        if self.connection.is_none() {
            // There is no store, or the disk is full: nobody writes.
            return Ok(false);
        }
        // The version numbers of two connections are not comparable.
        let before = if opened { None } else { self.version };
        self.version = version;
        Ok(version.is_some() && version != before)
    }

    /// The stored exact reading for `key` (environment and interpreter), if the project still has
    /// `fingerprint`.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn reading(&mut self, key: &str, fingerprint: &str) -> Result<Option<String>, StoreError> {
        let answer = self.read(|connection| {
            connection
                .query_row(
                    "SELECT answer FROM readings WHERE key = ?1 AND fingerprint = ?2",
                    [key, fingerprint],
                    |row| row.get(0),
                )
                .optional()
        })?;
        Ok(answer.flatten())
    }

    /// Stores an exact reading; `made_at` is in seconds since the Unix epoch.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn save_reading(
        &mut self,
        key: &str,
        fingerprint: &str,
        made_at: f64,
        answer: &str,
    ) -> Result<(), StoreError> {
        self.write(|connection| {
            connection.execute(
                "INSERT OR REPLACE INTO readings (key, fingerprint, made_at, answer) VALUES (?1, ?2, ?3, ?4)",
                params![key, fingerprint, made_at, answer],
            )?;
            connection.execute(
                "DELETE FROM readings WHERE key NOT IN (SELECT key FROM readings ORDER BY made_at DESC LIMIT ?1)",
                [READINGS],
            )?;
            Ok(())
        })
    }

    /// Runs a read; `None` if there is no store yet.
    pub(super) fn read<T>(
        &mut self,
        act: impl Fn(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        if self.connection.is_none() && !self.path().exists() {
            return Ok(None);
        }
        self.act(act, false).map(Some)
    }

    /// Runs a write; creates the store if there is none.
    pub(crate) fn write<T>(
        &mut self,
        act: impl Fn(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        // If someone removed the folder, the open file is orphaned and must be closed.
        if self.connection.is_some() && !self.path().exists() {
            self.connection = None;
        }
        self.act(act, true)
    }

    fn act<T>(
        &mut self,
        act: impl Fn(&mut Connection) -> rusqlite::Result<T>,
        write: bool,
    ) -> Result<T, StoreError> {
        for last in [false, true] {
            let result = match self.connect() {
                Err(error @ StoreError::Full(_)) if !write => self.read_alone(&act, error),
                Err(error) if !write && is_closed(&error) => self.read_closed(&act, error),
                Ok(connection) => act(connection).map_err(|error| self.error(error)),
                Err(error) => Err(error),
            };
            match result {
                Err(StoreError::Database { source, .. }) if !last && is_broken(&source) => {
                    self.put_aside()?;
                }
                other => return other,
            }
        }
        unreachable!("the second attempt returns")
    }

    fn connect(&mut self) -> Result<&mut Connection, StoreError> {
        if self.connection.is_none() {
            let opened = self.open()?;
            return Ok(self.connection.insert(opened));
        }
        match &mut self.connection {
            Some(connection) => Ok(connection),
            None => unreachable!("it was opened above"),
        }
    }

    /// Checks that this program may use an open database.
    ///
    /// # Errors
    /// If it can't be read, has views or triggers, or was created by a newer or another program.
    pub(super) fn check(&self, connection: &Connection) -> Result<(), StoreError> {
        if has_code(connection).map_err(|error| self.error(error))? {
            return Err(StoreError::Code(self.path()));
        }
        let version = migrations::schema_version(connection).map_err(|error| self.error(error))?;
        if version > migrations::VERSION {
            return Err(StoreError::Newer(self.path()));
        }
        // The first migration sets a version, so tables without a version are foreign.
        if version == 0 && has_tables(connection).map_err(|error| self.error(error))? {
            return Err(StoreError::Foreign(self.path()));
        }
        Ok(())
    }

    /// Closes the database; the next use opens it again.
    pub(super) fn close(&mut self) {
        self.connection = None;
    }

    fn open(&mut self) -> Result<Connection, StoreError> {
        let folder = self.made_folder()?;
        match folder.create(OsStr::new(DATABASE), b"") {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(FolderError::Io { path: self.path(), source: error }.into());
            }
            _ => {}
        }
        self.opened = number(&folder);
        let mut connection = Connection::open(self.path()).map_err(|error| self.error(error))?;
        self.check(&connection)?;
        prepare(&mut connection).map_err(|error| self.error(error))?;
        self.check(&connection)?;
        Ok(connection)
    }

    /// Renames the broken database together with its journal files; their contents may still be
    /// wanted.
    fn put_aside(&mut self) -> Result<(), StoreError> {
        self.connection = None;
        let folder = self.made_folder()?;
        if number(&folder) != self.opened {
            // Another program has already set it aside and created a new one.
            return Ok(());
        }
        let free = |name: &String| folder.stat(OsStr::new(name)).is_err();
        let aside = (1..=u32::MAX).map(|number| format!("store.broken-{number}.db")).find(free);
        let aside = aside.unwrap_or_else(|| "store.broken.db".into());
        for ending in ["-wal", "-shm", "-journal", ""] {
            let (from, to) = (format!("{DATABASE}{ending}"), format!("{aside}{ending}"));
            match folder.rename(OsStr::new(&from), OsStr::new(&to)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(FolderError::Io { path: self.path(), source: error }.into());
                }
                _ => {}
            }
        }
        self.set_aside = Some(self.folder.join(aside));
        Ok(())
    }

    pub(super) fn error(&self, source: rusqlite::Error) -> StoreError {
        let path = self.path();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked(path),
            Some(ErrorCode::DiskFull) => StoreError::Full(path),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen)
                if full::is_full_at(&self.folder) =>
            {
                StoreError::Full(path)
            }
            _ if is_foreign(&source) => {
                tracing::warn!(error = %source, "the store is not as it was made");
                StoreError::Foreign(path)
            }
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly(path),
            _ => StoreError::Database { path, source },
        }
    }
}

/// Sets up the connection and migrates the schema; returns the schema's version.
fn prepare(connection: &mut Connection) -> rusqlite::Result<usize> {
    connection.busy_timeout(BUSY)?;
    // Takes effect only in an empty database: pruning then frees space without rewriting the file.
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    // Some network file systems don't support it; the default journal is slower, but works.
    let _ = connection.pragma_update(None, "journal_mode", "wal");
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "journal_size_limit", JOURNAL)?;
    migrations::migrate(connection)
}

/// Whether the database has views or triggers. This program creates none, and reading from them
/// might never end.
fn has_code(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM sqlite_master WHERE type IN ('view', 'trigger')")?.exists([])
}

fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table'")?.exists([])
}

/// Whether the error shows tables, columns or value types that this program does not create.
fn is_foreign(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, SqlInputError,
    };
    matches!(
        error,
        SqlInputError { .. }
            | FromSqlConversionFailure(..)
            | IntegralValueOutOfRange(..)
            | InvalidColumnType(..)
    )
}

/// The random mark that was generated when the database was created.
fn mark(connection: &mut Connection) -> rusqlite::Result<Option<Mark>> {
    let mark: Option<String> =
        connection.query_row("SELECT mark FROM store", [], |row| row.get(0)).optional()?;
    let drawn = |mark: &String| mark.len() == 32 && mark.bytes().all(|b| b.is_ascii_hexdigit());
    Ok(mark.filter(drawn).map(Mark))
}

/// Device and inode number of the database file.
fn number(folder: &Folder) -> Option<(u64, u64)> {
    let stat = folder.stat(OsStr::new(DATABASE)).ok()?;
    Some((stat.st_dev, stat.st_ino))
}

/// Whether the error means that nothing can be written there, now or later.
fn is_closed(error: &StoreError) -> bool {
    match error {
        StoreError::Unsafe(FolderError::Io { .. }) | StoreError::ReadOnly(_) => true,
        StoreError::Database { source, .. } => {
            source.sqlite_error_code() == Some(ErrorCode::CannotOpen)
        }
        _ => false,
    }
}

fn is_broken(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_created_before_the_first_write() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        assert_eq!(store.reading("local", "f").unwrap(), None);
        assert!(!folder.path().join(super::super::FOLDER).exists());
        store.check_writable().unwrap();
        let ignore =
            std::fs::read_to_string(folder.path().join(super::super::FOLDER).join(".gitignore"));
        assert_eq!(ignore.unwrap(), "*\n");
    }

    #[test]
    fn a_reading_is_valid_while_the_fingerprint_is_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        store.save_reading("local", "one", 1.0, "{}").unwrap();
        assert_eq!(store.reading("local", "one").unwrap().as_deref(), Some("{}"));
        assert_eq!(store.reading("local", "two").unwrap(), None);
        assert_eq!(store.reading("cloud", "one").unwrap(), None);
        for number in 0..40 {
            let key = format!("env{number}");
            store.save_reading(&key, "one", 2.0 + f64::from(number), "{}").unwrap();
        }
        assert_eq!(store.reading("local", "one").unwrap(), None, "old ones make room");
    }

    #[test]
    fn a_broken_file_is_set_aside_and_a_new_one_made() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        store.made_folder().unwrap();
        std::fs::write(store.path(), "this is no database at all, ".repeat(100)).unwrap();
        assert_eq!(store.reading("local", "one").unwrap(), None);
        assert!(store.set_aside().unwrap().exists());
        store.save_reading("local", "one", 1.0, "{}").unwrap();
        assert_eq!(Store::new(folder.path()).reading("local", "one").unwrap().unwrap(), "{}");
    }

    #[test]
    fn a_file_with_broken_contents_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        for number in 0..10 {
            store.save_reading(&number.to_string(), "one", 1.0, &"x".repeat(20_000)).unwrap();
        }
        drop(store);
        let path = Store::new(folder.path()).path();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[4096..].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
        let mut store = Store::new(folder.path());
        store.save_reading("new", "one", 1.0, "{}").unwrap();
        assert!(store.set_aside().is_some());
        assert_eq!(store.reading("new", "one").unwrap().unwrap(), "{}");
    }

    #[test]
    fn a_newer_store_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        store.check_writable().unwrap();
        store.write(|connection| connection.pragma_update(None, "user_version", 99)).unwrap();
        let mut store = Store::new(folder.path());
        assert!(matches!(store.check_writable(), Err(StoreError::Newer(_))));
    }

    #[test]
    fn a_database_with_views_or_triggers_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        store.check_writable().unwrap();
        let endless = "CREATE VIEW odd AS WITH RECURSIVE n(x) AS \
            (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";
        store.write(|connection| connection.execute_batch(endless)).unwrap();
        drop(store);
        let mut store = Store::new(folder.path());
        assert!(matches!(store.reading("a", "f"), Err(StoreError::Code(_))));
        assert!(matches!(store.check_writable(), Err(StoreError::Code(_))));
        let closed = store.read_closed(|_| Ok(()), StoreError::ReadOnly(store.path()));
        assert!(
            matches!(closed, Err(StoreError::Code(_))),
            "nor is it read where it can't be written"
        );
        assert!(store.set_aside().is_none() && store.path().exists());
    }

    #[test]
    fn a_store_that_cannot_be_written_is_read_in_a_folder_of_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("50%25 a?b#c ü");
        std::fs::create_dir(&root).unwrap();
        Store::new(&root).save_reading("a", "f", 1.0, "{}").unwrap();
        let store = Store::new(&root);
        let count = |connection: &mut Connection| {
            connection.query_row("SELECT count(*) FROM readings", [], |row| row.get::<_, i64>(0))
        };
        let read = store.read_closed(count, StoreError::ReadOnly(store.path()));
        assert_eq!(read.unwrap(), 1);
    }

    #[test]
    fn writes_of_other_connections_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (mut own, mut other) = (Store::new(folder.path()), Store::new(folder.path()));
        assert!(!own.changed().unwrap(), "there is no store yet");
        other.save_reading("a", "f", 1.0, "{}").unwrap();
        assert!(own.changed().unwrap());
        assert!(!own.changed().unwrap());
        own.save_reading("b", "f", 1.0, "{}").unwrap();
        assert!(!own.changed().unwrap(), "one's own writes are no news");
        other.save_reading("c", "f", 1.0, "{}").unwrap();
        assert!(own.changed().unwrap());
    }

    #[test]
    fn errors_of_a_locked_and_a_full_store_name_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, mut other) = (Store::new(folder.path()), Store::new(folder.path()));
        store.save_reading("a", "f", 1.0, "{}").unwrap();
        let impatient = |connection: &mut Connection| connection.busy_timeout(Duration::ZERO);
        store.write(impatient).unwrap();
        other.write(|connection| connection.execute_batch("BEGIN IMMEDIATE")).unwrap();
        let error = store.save_reading("b", "f", 1.0, "{}").unwrap_err();
        assert!(matches!(error, StoreError::Locked(_)), "{error}");
        assert!(error.to_string().contains("Close what has it open"), "{error}");
        other.write(|connection| connection.execute_batch("ROLLBACK")).unwrap();
        store.save_reading("b", "f", 1.0, "{}").unwrap();

        store
            .write(|connection| {
                let pages: i64 =
                    connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
                connection.pragma_update(None, "max_page_count", pages)
            })
            .unwrap();
        let error = store.save_reading("c", "f", 1.0, &"x".repeat(100_000)).unwrap_err();
        assert!(matches!(error, StoreError::Full(_)), "{error}");
        assert!(error.to_string().contains("runs prune"), "{error}");
        assert_eq!(store.reading("b", "f").unwrap().as_deref(), Some("{}"), "what is there stays");
    }

    #[test]
    fn a_store_that_cannot_be_made_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(super::super::FOLDER), "a file in its place").unwrap();
        let mut store = Store::new(folder.path());
        assert_eq!(store.reading("local", "one").unwrap(), None);
        let error = store.check_writable().unwrap_err();
        assert!(matches!(error, StoreError::Unsafe(FolderError::Kind { .. })), "{error}");
    }
}
