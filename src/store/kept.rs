//! Datasets kept from runs, so that a later run can begin in the middle, and what nodes were run
//! with. The worker writes the files (and alone reads them); the store knows which is which.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Transaction, params};
use serde::Serialize;

use super::database::{Store, StoreError};
use super::record::RunId;

/// A file that is being written for longer was left behind.
const WRITING: Duration = Duration::from_secs(24 * 60 * 60);

/// A dataset that lives in memory only, kept from a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Kept {
    /// Its name, transcoding stripped.
    pub dataset: String,
    /// Name of its file in [`kept_folder`]: the hash of what it holds.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// The node that made it.
    pub node: String,
    /// The run that made it.
    pub run: RunId,
    /// When, in seconds since the Unix epoch.
    pub made_at: f64,
}

/// What a run did to a dataset that may be kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Keeping {
    /// It was made again, so what was kept of it before must not be taken any more.
    Outdated(String),
    /// It is kept.
    Kept(Kept),
}

/// What a node was last run with, as JSON.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Print {
    /// The node's name.
    pub node: String,
    /// The run.
    pub run: RunId,
    /// What it was run with.
    pub json: String,
}

/// Where the files of kept datasets lie in a project.
pub fn kept_folder(root: &Path) -> PathBuf {
    root.join(super::FOLDER).join("kept")
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
    /// Follows what a run did to the datasets of a run environment, in order; the last word on each
    /// name holds.
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

    /// The kept datasets of a run environment whose files are there.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn kept(&mut self, env: &str) -> Result<Vec<Kept>, StoreError> {
        let folder = kept_folder(self.root());
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
        kept.retain(|one| folder.join(&one.file).is_file());
        Ok(kept)
    }

    /// Removes kept datasets until they take at most `budget` bytes, the least recently used first;
    /// gives the bytes that were freed.
    ///
    /// # Errors
    /// When the folder can't be read or a file not be removed.
    pub fn make_room(&self, budget: u64) -> std::io::Result<u64> {
        let folder = kept_folder(self.root());
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        let mut freed = 0;
        for entry in entries {
            let entry = entry?;
            let Ok(metadata) = entry.metadata() else { continue };
            let used = metadata.modified()?;
            let written = entry.path().extension().is_some_and(|it| it == "pickle");
            if written {
                files.push((used, metadata.len(), entry.path()));
            } else if used.elapsed().is_ok_and(|age| age > WRITING) {
                fs::remove_file(entry.path())?;
                freed += metadata.len();
            }
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in files {
            if total <= budget {
                break;
            }
            fs::remove_file(path)?;
            total -= bytes;
            freed += bytes;
        }
        Ok(freed)
    }

    /// Remembers what nodes were run with in a run environment.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn save_prints(&mut self, env: &str, prints: &[Print]) -> Result<(), StoreError> {
        self.write(|connection| {
            let transaction = connection.transaction()?;
            for print in prints {
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO prints (env, node, run, json) VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![env, print.node, print.run, print.json])?;
            }
            transaction.commit()
        })
    }

    /// What each node was last run with in a run environment.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn prints(&mut self, env: &str) -> Result<Vec<Print>, StoreError> {
        let prints = self.read(|connection| {
            connection
                .prepare_cached("SELECT node, run, json FROM prints WHERE env = ?1")?
                .query_map([env], |row| {
                    Ok(Print { node: row.get(0)?, run: row.get(1)?, json: row.get(2)? })
                })?
                .collect()
        })?;
        Ok(prints.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(dataset: &str, file: &str, bytes: u64) -> Keeping {
        let (dataset, file) = (dataset.into(), file.into());
        Keeping::Kept(Kept { dataset, file, bytes, run: 1, ..Kept::default() })
    }

    fn write(folder: &Path, name: &str, bytes: usize, age: u64) {
        let path = folder.join(name);
        fs::write(&path, vec![0; bytes]).unwrap();
        let time = SystemTime::now() - Duration::from_secs(age);
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    }

    #[test]
    fn the_last_one_of_a_name_holds_while_its_file_is_there() {
        let project = tempfile::tempdir().unwrap();
        let folder = kept_folder(project.path());
        fs::create_dir_all(&folder).unwrap();
        let mut store = Store::new(project.path());
        store.keep("local", &[kept("a", "1.pickle", 3), kept("b", "2.pickle", 3)]).unwrap();
        store.keep("local", &[kept("a", "3.pickle", 4)]).unwrap();
        for name in ["1.pickle", "2.pickle", "3.pickle"] {
            write(&folder, name, 3, 0);
        }
        let files = |store: &mut Store, env: &str| -> Vec<String> {
            store.kept(env).unwrap().into_iter().map(|one| one.file).collect()
        };
        assert_eq!(files(&mut store, "local"), ["3.pickle", "2.pickle"]);
        assert!(files(&mut store, "base").is_empty());
        fs::remove_file(folder.join("3.pickle")).unwrap();
        assert_eq!(files(&mut store, "local"), ["2.pickle"]);
        store.keep("base", &[kept("b", "2.pickle", 3)]).unwrap();
        store.keep("local", &[Keeping::Outdated("b".into())]).unwrap();
        assert!(files(&mut store, "local").is_empty());
        assert_eq!(files(&mut store, "base"), ["2.pickle"]);
    }

    #[test]
    fn the_least_recently_used_make_room() {
        let project = tempfile::tempdir().unwrap();
        let folder = kept_folder(project.path());
        let store = Store::new(project.path());
        assert_eq!(store.make_room(0).unwrap(), 0);
        fs::create_dir_all(&folder).unwrap();
        write(&folder, "old.pickle", 100, 50);
        write(&folder, "new.pickle", 100, 10);
        write(&folder, "middle.pickle", 100, 30);
        write(&folder, "writing-1", 7, 2 * 24 * 60 * 60);
        write(&folder, "writing-2", 7, 10);
        assert_eq!(store.make_room(250).unwrap(), 107);
        let mut left: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["middle.pickle", "new.pickle", "writing-2"]);
    }

    #[test]
    fn the_last_print_of_a_node_holds() {
        let project = tempfile::tempdir().unwrap();
        let mut store = Store::new(project.path());
        let print = |run, json: &str| Print { node: "a".into(), run, json: json.into() };
        store.save_prints("local", &[print(1, "1")]).unwrap();
        store.save_prints("local", &[print(2, "2")]).unwrap();
        assert_eq!(store.prints("local").unwrap(), [print(2, "2")]);
    }
}
