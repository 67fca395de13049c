//! The folders in which grid runs save their results; they are deleted together with their runs.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::database::{Store, StoreError};
use super::folder::{Folder, FolderError, MARK};
use super::record::RunId;

/// The parent of these folders, in the store's folder.
pub const APART: &str = "apart";

/// A younger folder may belong to a run that is not in the store yet, so it is never swept.
const YOUNG: Duration = Duration::from_secs(60 * 60);

/// A folder that belongs to no run any more but was not deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The path of the folder.
    pub path: PathBuf,
    /// The reason why it was not deleted.
    pub why: String,
}

impl Store {
    /// Creates the folder in which a run saves, with this store's mark in it. `folder` is the path
    /// from the run's request, relative to the project's folder.
    ///
    /// # Errors
    /// If the path is not a folder for runs, exists without the mark, or can't be created.
    pub fn make_apart(&mut self, folder: &str) -> Result<(), StoreError> {
        let path = self.root().join(folder);
        let below = Path::new(super::FOLDER).join(APART);
        let name = Path::new(folder).strip_prefix(below).ok().map(Path::as_os_str);
        let name = name.filter(|name| Path::new(name).file_name() == Some(name));
        let not_ours =
            || FolderError::Kind { path: path.clone(), expected: "folder for a run of this store" };
        let (Some(name), Some(mark)) = (name, self.new_mark()?) else {
            return Err(not_ours().into());
        };
        let io = |source| FolderError::Io { path: path.clone(), source };
        let parent = self.made_folder()?.make_sub(OsStr::new(APART))?;
        let is_new = parent.stat(name).is_err();
        let folder = parent.make_sub(name)?;
        if is_new {
            folder.create(OsStr::new(MARK), mark.line().as_bytes()).map_err(io)?;
        } else if !folder.is_marked(OsStr::new(MARK), &mark).unwrap_or(false) {
            return Err(not_ours().into());
        }
        Ok(())
    }

    /// The folders of runs that are not in the history any more, or will not be once
    /// `deleted_runs` are deleted.
    fn orphans(
        &mut self,
        deleted_runs: &[RunId],
    ) -> Result<Option<(Folder, Vec<String>)>, StoreError> {
        let Some(runs) = self.read(requests)? else { return Ok(None) };
        let mut stay: HashSet<String> = HashSet::new();
        for (id, request) in runs.iter().filter(|(id, _)| !deleted_runs.contains(id)) {
            let Ok(folder) = apart(request) else {
                tracing::warn!(run = %id, "its request can't be read, so no folder is removed");
                return Ok(None);
            };
            stay.extend(
                folder.as_deref().and_then(|folder| folder.rsplit('/').next()).map(str::to_owned),
            );
        }
        let Some(folder) = self.own_folder()? else { return Ok(None) };
        let Some(folder) = folder.sub(OsStr::new(APART))? else { return Ok(None) };
        let io = |source| FolderError::Io { path: folder.path().to_owned(), source };
        let names = folder.names().map_err(io)?;
        let old = |name: &String| {
            let stat = folder.stat(OsStr::new(name));
            let at = stat.ok().and_then(|stat| u64::try_from(stat.st_mtime).ok());
            let at = at.map(|at| UNIX_EPOCH + Duration::from_secs(at));
            let age = at.and_then(|at| SystemTime::now().duration_since(at).ok());
            age.is_some_and(|age| age > YOUNG)
        };
        let names = names.into_iter().filter_map(|name| name.into_string().ok());
        let names = names.filter(|name| !stay.contains(name) && old(name)).collect();
        Ok(Some((folder, names)))
    }

    /// The folders that [`Store::sweep`] would remove after `deleted_runs` are deleted.
    pub(super) fn sweepable(&mut self, deleted_runs: &[RunId]) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        let mark = self.mark()?;
        let (Some(mark), Some((folder, names))) = (mark, self.orphans(deleted_runs)?) else {
            return Ok(swept);
        };
        for name in names {
            let path = folder.path().join(&name);
            let inner = folder.sub(OsStr::new(&name));
            let is_marked = |inner: Folder| inner.is_marked(OsStr::new(MARK), &mark).ok();
            match inner.ok().flatten().and_then(is_marked) {
                Some(true) => swept.folders.push(path),
                _ => swept.left.push(Left { path, why: super::folder::Kept::Unmarked.to_string() }),
            }
        }
        Ok(swept)
    }

    /// Removes the folders of `deleted_runs` and of runs deleted earlier, if they carry this store's
    /// mark. A folder that can't be removed is listed in [`Swept::left`].
    ///
    /// # Errors
    /// If the store can't be read or was set aside.
    pub(super) fn sweep(&mut self, deleted_runs: &[RunId]) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        let mark = self.mark()?;
        let (Some(mark), Some((folder, names))) = (mark, self.orphans(deleted_runs)?) else {
            return Ok(swept);
        };
        for name in names {
            let path = folder.path().join(&name);
            match folder.remove_tree(OsStr::new(&name), &mark) {
                Ok(_) => swept.folders.push(path),
                Err(error) => swept.left.push(Left { path, why: error.to_string() }),
            }
        }
        Ok(swept)
    }
}

/// All runs with their requests.
fn requests(connection: &mut Connection) -> rusqlite::Result<Vec<(RunId, String)>> {
    connection
        .prepare("SELECT id, request FROM runs")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// The separate folder that a run saves in, if it has one.
fn apart(request: &str) -> serde_json::Result<Option<String>> {
    #[derive(Deserialize)]
    struct Request {
        apart: Option<String>,
    }
    if request.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(request).map(|request: Request| request.apart)
}

/// The result of sweeping the folders of deleted runs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Swept {
    /// The paths of the removed folders.
    pub folders: Vec<PathBuf>,
    /// The folders that were not removed.
    pub left: Vec<Left>,
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::store::record::NewRun;
    use crate::store::{PruneLimits, StoreError};

    fn run(folder: &str) -> NewRun {
        let request = format!(r#"{{"apart": ".mlops-tui/apart/{folder}"}}"#);
        NewRun { request, ..NewRun::default() }
    }

    /// Creates a run's folder containing a file, with an old time stamp.
    fn saved(store: &mut Store, name: &str) -> PathBuf {
        store.make_apart(&format!(".mlops-tui/apart/{name}")).unwrap();
        let folder = store.root().join(super::super::FOLDER).join(APART).join(name);
        fs::write(folder.join("data"), "1").unwrap();
        age(&folder);
        folder
    }

    fn age(folder: &Path) {
        let old = SystemTime::now() - 2 * YOUNG;
        fs::File::open(folder).unwrap().set_modified(old).unwrap();
    }

    fn end_all(store: &mut Store) {
        let end = "UPDATE runs SET outcome = 'succeeded'";
        store.write(|connection| connection.execute(end, [])).unwrap();
    }

    #[test]
    fn the_folder_of_a_run_is_removed_with_it() {
        let project = tempfile::tempdir().unwrap();
        let mut store = Store::new(project.path());
        let first = store.add_run(&run("one")).unwrap();
        store.add_run(&run("two")).unwrap();
        let (one, two) = (saved(&mut store, "one"), saved(&mut store, "two"));
        store.make_apart(".mlops-tui/apart/young").unwrap();
        let foreign = one.with_file_name("unmarked");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("data"), "1").unwrap();
        age(&foreign);
        end_all(&mut store);
        let expected = Swept {
            folders: vec![one.clone()],
            left: vec![Left {
                path: foreign.clone(),
                why: "it does not carry this store's mark".into(),
            }],
        };
        assert_eq!(store.sweepable(&[first.id.unwrap()]).unwrap(), expected);
        assert!(one.exists(), "nothing is removed yet");
        let deleted = store.delete_run(first.id.unwrap()).unwrap().unwrap();
        assert_eq!((deleted.folders, deleted.left), (expected.folders, expected.left));
        assert!(!one.exists() && two.exists() && foreign.join("data").exists());
        assert!(one.with_file_name("young").exists());
    }

    #[test]
    fn a_damaged_store_deletes_no_results() {
        let project = tempfile::tempdir().unwrap();
        let mut store = Store::new(project.path());
        store.add_run(&run("one")).unwrap();
        let one = saved(&mut store, "one");
        end_all(&mut store);
        let path = store.path();
        drop(store);
        for damage in [&b"no database at all"[..], b"SQLite format 3\0and nothing more", b""] {
            fs::write(&path, damage.repeat(400)).unwrap();
            for _ in 0..2 {
                let mut store = Store::new(project.path());
                let pruned = store.prune(&PruneLimits { runs: Some(0), ..PruneLimits::default() });
                match (pruned, store.set_aside()) {
                    (Err(StoreError::SetAside(path)), Some(aside)) => assert_eq!(path, aside),
                    (Ok(pruned), None) => assert_eq!(pruned.folders, [] as [PathBuf; 0]),
                    other => panic!("{other:?}"),
                }
                assert!(one.join("data").exists());
            }
        }
    }

    #[test]
    fn a_request_that_cannot_be_read_keeps_all_folders() {
        let project = tempfile::tempdir().unwrap();
        let mut store = Store::new(project.path());
        store.add_run(&NewRun { request: "{".into(), ..NewRun::default() }).unwrap();
        let one = saved(&mut store, "one");
        assert_eq!(store.sweep(&[]).unwrap(), Swept::default());
        assert!(one.exists());
    }

    #[test]
    fn only_a_folder_for_runs_is_made() {
        let project = tempfile::tempdir().unwrap();
        let foreign = tempfile::tempdir().unwrap();
        let mut store = Store::new(project.path());
        for folder in ["data", ".mlops-tui/apart", ".mlops-tui/apart/..", ".mlops-tui/apart/a/b"] {
            let error = store.make_apart(folder).unwrap_err();
            assert!(matches!(error, StoreError::Unsafe(FolderError::Kind { .. })), "{error}");
        }
        store.make_apart(".mlops-tui/apart/one").unwrap();
        store.make_apart(".mlops-tui/apart/one").unwrap();
        let apart = project.path().join(super::super::FOLDER).join(APART);
        fs::create_dir(apart.join("theirs")).unwrap();
        assert!(store.make_apart(".mlops-tui/apart/theirs").is_err());
        symlink(foreign.path(), apart.join("link")).unwrap();
        assert!(store.make_apart(".mlops-tui/apart/link").is_err());
        assert_eq!(fs::read_dir(foreign.path()).unwrap().count(), 0);
    }
}
