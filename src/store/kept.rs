//! Datasets kept from runs, so that a later run can start in the middle, and the fingerprints of
//! nodes. Only the worker writes and reads the files; the store records which file holds which
//! dataset.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Transaction, params};
use serde::Serialize;

use super::database::{Store, StoreError};
use super::folder::{Folder, FolderError};
use super::record::RunId;

/// An unfinished file older than this was left behind by a crash.
const WRITING: Duration = Duration::from_secs(24 * 60 * 60);

/// An in-memory dataset that was kept from a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kept {
    /// The dataset's name, without transcoding.
    pub dataset: String,
    /// The file name in [`Place::folder`]: a hash of the contents.
    pub file: String,
    /// The size of the file.
    pub bytes: u64,
    /// The node that made the dataset.
    pub node: String,
    /// The run that made the dataset.
    pub run: RunId,
    /// When the dataset was made, in seconds since the Unix epoch.
    pub made_at: f64,
}

/// What a run did to a dataset that can be kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Keeping {
    /// The dataset was made again, so an earlier kept value must not be used any more.
    Outdated(String),
    /// The dataset was kept.
    Kept(Kept),
}

/// The fingerprint of a node's last run, as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFingerprint {
    /// The node's full name.
    pub node: String,
    /// The run that last executed the node.
    pub run: RunId,
    /// The fingerprint as JSON text.
    pub json: String,
}

/// The folder for the files of kept datasets, in the store's folder.
const KEPT: &str = "kept";

/// Where datasets are kept, and how their files start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder of the files.
    pub folder: PathBuf,
    /// The first line of each file, with the store's mark.
    pub line: String,
}

pub(super) fn create(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "CREATE TABLE kept (
            env TEXT NOT NULL,
            dataset TEXT NOT NULL,
            file TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            node TEXT NOT NULL,
            run INTEGER NOT NULL,
            made_at REAL NOT NULL,
            PRIMARY KEY (env, dataset)
        ) WITHOUT ROWID;
        CREATE TABLE prints (
            env TEXT NOT NULL,
            node TEXT NOT NULL,
            run INTEGER NOT NULL,
            json TEXT NOT NULL,
            PRIMARY KEY (env, node)
        ) WITHOUT ROWID;",
    )
}

impl Store {
    /// Applies the changes of a run to the kept datasets of a run environment, in order; the last
    /// change of a dataset wins.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn keep(&mut self, env: &str, news: &[Keeping]) -> Result<(), StoreError> {
        self.write(|connection| {
            let transaction = connection.transaction()?;
            for one in news {
                match one {
                    Keeping::Outdated(dataset) => transaction
                        .prepare_cached("DELETE FROM kept WHERE env = ?1 AND dataset = ?2")?
                        .execute(params![env, dataset])?,
                    Keeping::Kept(one) => transaction
                        .prepare_cached(
                            "INSERT OR REPLACE INTO kept
                             (env, dataset, file, bytes, node, run, made_at)
                             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        )?
                        .execute(params![
                            env,
                            one.dataset,
                            one.file,
                            i64::try_from(one.bytes).unwrap_or(i64::MAX),
                            one.node,
                            one.run,
                            one.made_at
                        ])?,
                };
            }
            transaction.commit()
        })
    }

    /// The kept datasets of a run environment whose files exist.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn kept(&mut self, env: &str) -> Result<Vec<Kept>, StoreError> {
        let kept: Option<Vec<Kept>> = self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT dataset, file, bytes, node, run, made_at FROM kept WHERE env = ?1
                     ORDER BY dataset",
                )?
                .query_map([env], |row| {
                    Ok(Kept {
                        dataset: row.get(0)?,
                        file: row.get(1)?,
                        bytes: row.get::<_, i64>(2)?.unsigned_abs(),
                        node: row.get(3)?,
                        run: row.get(4)?,
                        made_at: row.get(5)?,
                    })
                })?
                .collect()
        })?;
        let mut kept = kept.unwrap_or_default();
        if kept.is_empty() {
            return Ok(kept);
        }
        match Folder::open(self.root())?.map(|folder| folder.sub(OsStr::new(KEPT))) {
            Some(folder) => {
                let folder = folder?;
                kept.retain(|one| {
                    folder.as_ref().is_some_and(|folder| folder.has_file(one.file.as_ref()))
                });
            }
            None => kept.clear(),
        }
        Ok(kept)
    }

    /// The place where datasets are kept; its folder is created.
    ///
    /// # Errors
    /// If the store or the folder can't be written, or the folder is not safe to use.
    pub fn keeping(&mut self) -> Result<Option<Place>, StoreError> {
        let Some(mark) = self.new_mark()? else { return Ok(None) };
        let folder = self.made_folder()?.make_sub(OsStr::new(KEPT))?;
        Ok(Some(Place { folder: folder.path().to_owned(), line: mark.line() }))
    }

    /// Removes kept datasets, least recently used first, until they take at most `budget` bytes;
    /// returns the freed bytes. Files without this store's mark are neither removed nor counted.
    ///
    /// # Errors
    /// If the store or the folder can't be read, or the database was set aside.
    pub fn make_room(&mut self, budget: u64) -> Result<u64, StoreError> {
        let Some(mark) = self.mark()? else { return Ok(0) };
        let Some(folder) = self.own_folder()? else { return Ok(0) };
        let Some(folder) = folder.sub(OsStr::new(KEPT))? else { return Ok(0) };
        let io = |source| FolderError::Io { path: folder.path().to_owned(), source };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut files: Vec<(i64, u64, OsString)> = Vec::new();
        let mut freed = 0;
        for name in folder.names().map_err(io)? {
            if !folder.is_marked(&name, &mark).unwrap_or(false) {
                continue;
            }
            // Another program may have removed the file meanwhile.
            let Ok(stat) = folder.stat(&name) else { continue };
            let age = now.as_secs().saturating_sub(u64::try_from(stat.st_mtime).unwrap_or(0));
            if name.as_encoded_bytes().ends_with(b".pickle") {
                files.push((stat.st_mtime, u64::try_from(stat.st_size).unwrap_or(0), name));
            } else if age > WRITING.as_secs() {
                freed += folder.remove_file(&name, &mark).unwrap_or(0);
            }
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, name) in files {
            if total <= budget {
                break;
            }
            match folder.remove_file(&name, &mark) {
                Ok(bytes) => {
                    tracing::info!(?name, bytes, "a kept dataset made room for newer ones");
                    freed += bytes;
                }
                Err(error) => tracing::warn!(?name, %error, "a kept dataset can't be removed"),
            }
            total -= bytes;
        }
        Ok(freed)
    }

    /// Stores the fingerprints of nodes in a run environment.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn save_fingerprints(
        &mut self,
        env: &str,
        fingerprints: &[StoredFingerprint],
    ) -> Result<(), StoreError> {
        self.write(|connection| {
            let transaction = connection.transaction()?;
            for fingerprint in fingerprints {
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO prints (env, node, run, json) VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![env, fingerprint.node, fingerprint.run, fingerprint.json])?;
            }
            transaction.commit()
        })
    }

    /// The stored fingerprint of each node in a run environment.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn fingerprints(&mut self, env: &str) -> Result<Vec<StoredFingerprint>, StoreError> {
        let fingerprints = self.read(|connection| {
            connection
                .prepare_cached("SELECT node, run, json FROM prints WHERE env = ?1")?
                .query_map([env], |row| {
                    Ok(StoredFingerprint { node: row.get(0)?, run: row.get(1)?, json: row.get(2)? })
                })?
                .collect()
        })?;
        Ok(fingerprints.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::run_id;

    fn kept(dataset: &str, file: &str, bytes: u64) -> Keeping {
        let (dataset, file) = (dataset.into(), file.into());
        Keeping::Kept(Kept {
            dataset,
            file,
            bytes,
            run: run_id(1),
            node: String::new(),
            made_at: 0.0,
        })
    }

    /// Writes a marked file of `bytes` bytes that was last used `age` seconds ago.
    fn write(place: &Place, name: &str, bytes: usize, age: u64) {
        let path = place.folder.join(name);
        fs::write(&path, place.line.clone() + &"0".repeat(bytes - place.line.len())).unwrap();
        let time = SystemTime::now() - Duration::from_secs(age);
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    }

    #[test]
    fn the_latest_kept_dataset_is_listed_while_its_file_exists() {
        let project = tempfile::tempdir().unwrap();
        let mut store = Store::new(project.path());
        let place = store.keeping().unwrap().unwrap();
        store.keep("local", &[kept("a", "1.pickle", 3), kept("b", "2.pickle", 3)]).unwrap();
        store.keep("local", &[kept("a", "3.pickle", 4)]).unwrap();
        for name in ["1.pickle", "2.pickle", "3.pickle"] {
            write(&place, name, 60, 0);
        }
        let files = |store: &mut Store, env: &str| -> Vec<String> {
            store.kept(env).unwrap().into_iter().map(|one| one.file).collect()
        };
        assert_eq!(files(&mut store, "local"), ["3.pickle", "2.pickle"]);
        assert!(files(&mut store, "base").is_empty());
        fs::remove_file(place.folder.join("3.pickle")).unwrap();
        assert_eq!(files(&mut store, "local"), ["2.pickle"]);
        store.keep("base", &[kept("b", "2.pickle", 3)]).unwrap();
        store.keep("local", &[Keeping::Outdated("b".into())]).unwrap();
        assert!(files(&mut store, "local").is_empty());
        assert_eq!(files(&mut store, "base"), ["2.pickle"]);
    }

    #[test]
    fn the_least_recently_used_datasets_are_removed_first() {
        let project = tempfile::tempdir().unwrap();
        let mut store = Store::new(project.path());
        assert_eq!(store.make_room(0).unwrap(), 0);
        assert!(!store.path().exists(), "nothing is made to be removed");
        let place = store.keeping().unwrap().unwrap();
        write(&place, "old.pickle", 100, 50);
        write(&place, "new.pickle", 100, 10);
        write(&place, "middle.pickle", 100, 30);
        write(&place, "writing-1", 70, 2 * 24 * 60 * 60);
        write(&place, "writing-2", 70, 10);
        let foreign = place.folder.join("foreign.pickle");
        fs::write(&foreign, "0".repeat(1000)).unwrap();
        let link = place.folder.join("link.pickle");
        std::os::unix::fs::symlink(place.folder.join("new.pickle"), &link).unwrap();
        assert_eq!(store.make_room(250).unwrap(), 170);
        let mut left: Vec<_> = fs::read_dir(&place.folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let expected =
            ["foreign.pickle", "link.pickle", "middle.pickle", "new.pickle", "writing-2"];
        assert_eq!(left, expected);
    }

    #[test]
    fn a_linked_folder_is_refused() {
        let project = tempfile::tempdir().unwrap();
        let foreign = tempfile::tempdir().unwrap();
        let mut store = Store::new(project.path());
        let place = store.keeping().unwrap().unwrap();
        store.keep("local", &[kept("a", "1.pickle", 3)]).unwrap();
        write(&place, "1.pickle", 60, 10);
        fs::rename(&place.folder, foreign.path().join("kept")).unwrap();
        std::os::unix::fs::symlink(foreign.path().join("kept"), &place.folder).unwrap();
        assert!(store.keeping().is_err() && store.make_room(0).is_err());
        assert!(store.kept("local").is_err());
        assert!(foreign.path().join("kept/1.pickle").is_file());
    }

    #[test]
    fn the_latest_fingerprint_of_a_node_is_returned() {
        let project = tempfile::tempdir().unwrap();
        let mut store = Store::new(project.path());
        let fingerprint = |run, json: &str| StoredFingerprint {
            node: "a".into(),
            run: run_id(run),
            json: json.into(),
        };
        store.save_fingerprints("local", &[fingerprint(1, "1")]).unwrap();
        store.save_fingerprints("local", &[fingerprint(2, "2")]).unwrap();
        assert_eq!(store.fingerprints("local").unwrap(), [fingerprint(2, "2")]);
    }
}
