//! Follows a file store. Sizes and modification times show whether a file has to be read again: files of
//! metrics only grow, and a folder's time changes when an entry is added.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::reader::{META, Reader};
use super::{FileStore, RESERVED, runs};
use crate::tracking::TrackingError;
use crate::tracking::entities::Point;
use crate::tracking::follow::{Batch, News, RunState};

/// A recent change: another one may follow without a new modification time.
const YOUNG: Duration = Duration::from_secs(2);
/// How many ended runs are checked per poll; they hardly ever change.
const ENDED: usize = 50;
/// Number of problems that are remembered, so that each is reported once.
const MOST_PROBLEMS: usize = 10_000;

/// Follows a file store from the moment it was opened.
#[derive(Debug)]
pub struct Follower {
    store: FileStore,
    /// Device and inode of the store's folder.
    folder: Option<(u64, u64)>,
    /// The folders of experiments with their stamps when they were listed.
    listed: HashMap<PathBuf, Stamp>,
    /// Runs by id.
    runs: BTreeMap<String, Watched>,
    /// Id of the ended run that was checked last.
    turn: String,
    reported: HashSet<String>,
}

#[derive(Debug)]
struct Watched {
    experiment: String,
    folder: PathBuf,
    /// The stamp of `meta.yaml` when it was read; `None` if it was too recent to rely on.
    described: Option<Stamp>,
    state: RunState,
    /// For each metric's file, the offset where reading continues; `None` if the file can't be read.
    ends: HashMap<String, Option<u64>>,
}

/// A stamp to detect changes of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    size: u64,
    inode: u64,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let modified = metadata.modified().ok()?;
        Some(Stamp { modified, size: metadata.len(), inode: metadata.ino() })
    }

    fn settled(self) -> Option<Self> {
        let age = SystemTime::now().duration_since(self.modified);
        age.is_ok_and(|age| age > YOUNG).then_some(self)
    }
}

impl Follower {
    /// Starts to follow a store.
    ///
    /// # Errors
    /// When the store's folder can't be read.
    pub fn new(store: FileStore) -> Result<Self, TrackingError> {
        let folder = identity(&store.root);
        let (listed, runs) = {
            let mut reader = store.reader()?;
            let mut listed = HashMap::new();
            let folders = changed(&store, &mut reader, &mut listed);
            let watched = reader.all(&folders, |reader, (experiment, folder)| {
                let mut run = Watched::new(reader, experiment, folder)?;
                run.skip(reader);
                Some((run.state.id.clone(), run))
            });
            (listed, watched.into_iter().collect())
        };
        let (turn, reported) = (String::new(), HashSet::new());
        Ok(Follower { store, folder, listed, runs, turn, reported })
    }

    /// The news since the last poll: new runs, values of metrics in order of time, changed run states.
    ///
    /// # Errors
    /// When the store's folder can't be read.
    pub fn poll(&mut self) -> Result<Vec<News>, TrackingError> {
        if identity(&self.store.root) != self.folder {
            *self = Follower::new(self.store.clone())?;
            return Ok(vec![News::Replaced]);
        }
        let store = self.store.clone();
        let mut reader = store.reader()?;
        let mut batch = Batch::default();
        for (experiment, folder) in changed(&store, &mut reader, &mut self.listed) {
            self.found(&mut reader, &experiment, &folder, &mut batch);
        }
        for id in self.turns() {
            if let Some(run) = self.runs.get_mut(&id) {
                run.look(&mut reader, &mut batch);
            }
        }
        for problem in reader.problems {
            if self.reported.len() < MOST_PROBLEMS && self.reported.insert(problem.clone()) {
                batch.problems.push(problem);
            }
        }
        batch.points.sort_by_key(|(_, _, point)| point.timestamp);
        Ok(batch.news())
    }

    /// Starts to watch a folder that may contain a run.
    fn found(
        &mut self,
        reader: &mut Reader<'_>,
        experiment: &str,
        folder: &Path,
        batch: &mut Batch,
    ) {
        let id = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match self.runs.get_mut(id) {
            Some(run) if run.folder == folder || run.folder.join(META).exists() => {}
            // The experiment was moved to the trash or back.
            Some(run) => folder.clone_into(&mut run.folder),
            None => {
                if let Some(run) = Watched::new(reader, experiment, folder) {
                    batch.new.push(run.state.clone());
                    self.runs.insert(id.to_owned(), run);
                }
            }
        }
    }

    /// The runs to check in this poll: all that are active, and some of the ended ones in turn.
    fn turns(&mut self) -> Vec<String> {
        let goes_on = |run: &Watched| run.state.goes_on();
        let going = self.runs.iter().filter(|(_, run)| goes_on(run)).map(|(id, _)| id.clone());
        let mut ids: Vec<String> = going.collect();
        let after = (Bound::Excluded(self.turn.clone()), Bound::Unbounded);
        let ended = self.runs.range(after).filter(|(_, run)| !goes_on(run)).take(ENDED);
        let ended: Vec<String> = ended.map(|(id, _)| id.clone()).collect();
        self.turn = match ended.last() {
            Some(last) if ended.len() == ENDED => last.clone(),
            _ => String::new(),
        };
        ids.extend(ended);
        ids
    }
}

impl Watched {
    /// Watches a run; only its state has been read.
    fn new(reader: &mut Reader<'_>, experiment: &str, folder: &Path) -> Option<Self> {
        let stamp = Stamp::of(&folder.join(META))?;
        Some(Watched {
            state: runs::state(reader, experiment, folder)?,
            experiment: experiment.to_owned(),
            folder: folder.to_owned(),
            described: stamp.settled(),
            ends: HashMap::new(),
        })
    }

    /// Marks all existing values as known.
    fn skip(&mut self, reader: &mut Reader<'_>) {
        for (key, path) in reader.keys(&self.folder.join("metrics")) {
            let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            // Only an active run can have an incomplete last line.
            let end = match self.state.goes_on() {
                true => reader.last_end(&path),
                false => Some(size),
            };
            self.ends.insert(key, end);
        }
    }

    fn look(&mut self, reader: &mut Reader<'_>, batch: &mut Batch) {
        let stamp = Stamp::of(&self.folder.join(META));
        let mut state = None;
        if stamp.is_some() && stamp != self.described {
            state = runs::state(reader, &self.experiment, &self.folder);
            self.described = stamp.and_then(Stamp::settled);
        }
        // The state was read before the values, so all values that were logged before the run's end are
        // reported before the end.
        for (key, path) in reader.keys(&self.folder.join("metrics")) {
            let end = self.ends.entry(key.clone()).or_insert(Some(0));
            let (Some(from), Ok(metadata)) = (*end, fs::metadata(&path)) else { continue };
            if metadata.len() < from {
                reader.note(&path, "it has become shorter; its values are reported from here on");
                *end = Some(metadata.len());
            }
            if metadata.len() <= from {
                continue;
            }
            *end = reader.added(&path, from).map(|(points, end)| {
                let of_run = |point: Point| (self.state.id.clone(), key.clone(), point);
                batch.points.extend(points.into_iter().map(of_run));
                end
            });
        }
        if let Some(state) = state.filter(|state| *state != self.state) {
            self.state = state.clone();
            batch.changed.push(state);
        }
    }
}

/// The possible run folders of all experiments that have changed.
fn changed(
    store: &FileStore,
    reader: &mut Reader<'_>,
    listed: &mut HashMap<PathBuf, Stamp>,
) -> Vec<(String, PathBuf)> {
    let mut folders = Vec::new();
    for place in store.places(reader) {
        let stamp = Stamp::of(&place.folder);
        if stamp.is_some() && stamp.as_ref() == listed.get(&place.folder) {
            continue;
        }
        match stamp.and_then(Stamp::settled) {
            Some(stamp) => listed.insert(place.folder.clone(), stamp),
            None => listed.remove(&place.folder),
        };
        let found = reader.folders(&place.folder).into_iter();
        let found = found.filter(|(name, _)| !RESERVED.contains(&name.as_str()));
        folders.extend(found.map(|(_, folder)| (place.id.clone(), folder)));
    }
    folders
}

/// Device and inode of a folder.
fn identity(folder: &Path) -> Option<(u64, u64)> {
    fs::metadata(folder).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// A store with one experiment.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let folder = Folder(tempfile::tempdir().unwrap());
            folder.write("0/meta.yaml", "experiment_id: '0'\nname: Default\n");
            folder
        }

        fn path(&self, path: &str) -> PathBuf {
            self.0.path().join("mlruns").join(path)
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn append(&self, path: &str, text: &str) {
            let path = self.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut file = fs::File::options().create(true).append(true).open(path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        fn run(&self, id: &str, status: u8) {
            let text =
                format!("run_id: {id}\nexperiment_id: '0'\nrun_name: {id}\nstatus: {status}\n");
            self.write(&format!("0/{id}/meta.yaml"), &text);
        }

        fn follow(&self) -> Follower {
            Follower::new(FileStore::new(self.path(""))).unwrap()
        }
    }

    /// The news as short texts.
    fn news(follower: &mut Follower) -> Vec<String> {
        let word = |news| match news {
            News::Run(run) => format!("{} {}", run.id, run.status),
            News::Metric { run_id, key, point } => format!("{run_id} {key} {}", point.value),
            News::Problem(problem) => problem,
            News::Replaced => "replaced".to_owned(),
        };
        follower.poll().unwrap().into_iter().map(word).collect()
    }

    #[test]
    fn new_runs_values_and_states_are_reported_once() {
        let folder = Folder::new();
        folder.run("a", 1);
        folder.run("b", 3);
        folder.write("0/a/metrics/loss", "1 0.5 0\n2 0.4");
        let mut follower = folder.follow();
        assert!(news(&mut follower).is_empty());
        // The rest of a line, a metric in a folder, and a metric of an ended run.
        folder.append("0/a/metrics/loss", " 1\n3 0.3 2\n");
        folder.append("0/a/metrics/val/loss", "2 0.7 1\n");
        folder.append("0/b/metrics/loss", "4 0.1 0\n");
        let expected = ["a loss 0.4", "a val/loss 0.7", "a loss 0.3", "b loss 0.1"];
        assert_eq!(news(&mut follower), expected);
        assert!(news(&mut follower).is_empty());
        folder.append("0/a/metrics/loss", "5 0.2 3\n6 0.");
        folder.run("a", 3);
        folder.run("c", 1);
        folder.append("0/c/metrics/loss", "1 9 0\n");
        assert_eq!(news(&mut follower), ["c RUNNING", "c loss 9", "a loss 0.2", "a FINISHED"]);
        assert!(news(&mut follower).is_empty());
        folder.append("0/a/metrics/loss", "1 4\n");
        assert_eq!(news(&mut follower), ["a loss 0.1"]);
    }

    #[test]
    fn an_experiment_is_followed_into_the_trash() {
        let folder = Folder::new();
        folder.run("a", 1);
        folder.append("0/a/metrics/loss", "1 0.5 0\n");
        let mut follower = folder.follow();
        fs::create_dir(folder.path(".trash")).unwrap();
        fs::rename(folder.path("0"), folder.path(".trash/0")).unwrap();
        folder.append(".trash/0/a/metrics/loss", "2 0.4 1\n");
        assert_eq!(news(&mut follower), ["a loss 0.4"]);
    }

    #[test]
    fn an_unreadable_file_is_reported_once_and_the_rest_is_followed() {
        let folder = Folder::new();
        folder.run("a", 1);
        folder.append("0/a/metrics/loss", "1 0.5 0\n");
        let mut follower = folder.follow();
        folder.append("0/a/metrics/loss", "2 x 1\n3 0.3 2\n");
        folder.append("0/a/metrics/score", "3 1 2\n");
        let problem =
            "mlruns/0/a/metrics/loss: a line behind byte 8: its value is no number".to_owned();
        let expected = ["a loss 0.3", "a score 1", &problem];
        assert_eq!(news(&mut follower), expected);
        assert!(news(&mut follower).is_empty());
        folder.write("0/a/metrics/loss", "1 9 0\n");
        let shorter =
            "mlruns/0/a/metrics/loss: it has become shorter; its values are reported from here on";
        assert_eq!(news(&mut follower), [shorter]);
        folder.append("0/a/metrics/loss", "2 8 1\n");
        assert_eq!(news(&mut follower), ["a loss 8"]);
        fs::rename(folder.path(""), folder.0.path().join("old")).unwrap();
        assert!(follower.poll().is_err());
        folder.write("0/meta.yaml", "experiment_id: '0'\nname: Default\n");
        assert_eq!(news(&mut follower), ["replaced"]);
    }

    #[test]
    fn each_ended_run_has_its_turn() {
        let folder = Folder::new();
        let count = 2 * ENDED + 1;
        for run in 0..count {
            folder.run(&format!("r{run:03}"), 3);
        }
        let mut follower = folder.follow();
        for run in 0..count {
            folder.append(&format!("0/r{run:03}/metrics/loss"), "1 1 0\n");
        }
        let found: Vec<usize> = (0..3).map(|_| news(&mut follower).len()).collect();
        assert_eq!(found, [ENDED, ENDED, 1]);
        assert!(news(&mut follower).is_empty());
    }
}
