//! Folders in which runs of grids save, and their end: they go with the runs.

use std::collections::HashSet;
use std::fs;
use std::time::{Duration, SystemTime};

use super::database::{Store, StoreError};

/// Where the runs of grids save, in the store's folder.
pub const APART: &str = "apart";

/// A folder that is younger may be of a run that is not in the store yet.
const YOUNG: Duration = Duration::from_secs(60 * 60);

impl Store {
    /// Removes the folders of runs that are not in the history any more.
    ///
    /// # Errors
    /// When the store can't be read. A folder that can't be removed stays.
    pub(super) fn sweep(&mut self) -> Result<(), StoreError> {
        let folder = self.root().join(super::FOLDER).join(APART);
        let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
        let known: Option<HashSet<String>> = self.read(|connection| {
            connection
                .prepare("SELECT request ->> '$.apart' FROM runs WHERE request ->> '$.apart' IS NOT NULL")?
                .query_map([], |row| row.get(0))?
                .collect()
        })?;
        let known = known.unwrap_or_default();
        let names: HashSet<&str> = known.iter().filter_map(|it| it.rsplit('/').next()).collect();
        for entry in entries.flatten() {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
            let name = entry.file_name();
            let old = age.is_some_and(|age| age > YOUNG);
            if old && name.to_str().is_some_and(|name| !names.contains(name)) {
                if let Err(error) = fs::remove_dir_all(entry.path()) {
                    tracing::debug!(%error, "a folder of a deleted run stays");
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::NewRun;

    #[test]
    fn the_folder_of_a_run_goes_with_it() {
        let project = tempfile::tempdir().unwrap();
        let folder = project.path().join(super::super::FOLDER).join(APART);
        let mut store = Store::new(project.path());
        let run = |folder: &str| NewRun {
            request: format!(r#"{{"apart": ".mlops-tui/apart/{folder}"}}"#),
            ..NewRun::default()
        };
        let first = store.add_run(&run("one")).unwrap();
        store.add_run(&run("two")).unwrap();
        let old = SystemTime::now() - 2 * YOUNG;
        for name in ["one", "two", "young"] {
            fs::create_dir_all(folder.join(name)).unwrap();
            fs::write(folder.join(name).join("data"), "1").unwrap();
            if name != "young" {
                fs::File::open(folder.join(name)).unwrap().set_modified(old).unwrap();
            }
        }
        store
            .write(|connection| connection.execute("UPDATE runs SET outcome = 'succeeded'", []))
            .unwrap();
        assert!(store.delete_run(first.id).unwrap());
        let left = |name: &str| folder.join(name).exists();
        assert!(!left("one") && left("two") && left("young"));
    }
}
