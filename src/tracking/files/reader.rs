//! Reader of a store's folders: files that can't be read are noted as problems, and reading continues.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;

use super::lines;
use crate::system::files;
use crate::text::UserError;
use crate::tracking::entities::Point;

/// The file that describes its folder.
pub(super) const META: &str = "meta.yaml";

/// Most bytes of a param, tag or description that are read; MLflow allows at most 8,000 characters.
const MOST_BYTES: usize = 1 << 20;
/// Most bytes of all params or tags of one run that are read.
const MOST_TEXT: usize = 64 << 20;
/// Most entries of one folder that are read.
const MOST_ENTRIES: usize = 200_000;
/// Most nested folders in a name with `/`; MLflow allows names of at most 250 characters.
const DEEPEST: usize = 128;
/// Most problems that are kept.
const MOST_PROBLEMS: usize = 1_000;
/// `meta.yaml` is overwritten in place: a recent one may be incomplete.
const YOUNG: Duration = Duration::from_secs(3);
/// Time until an incomplete file is read again.
const WAIT: Duration = Duration::from_millis(50);
/// Most threads that read in parallel.
const MOST_THREADS: usize = 8;

/// Reads the files of a store; each thread has its own reader.
pub(super) struct Reader<'a> {
    root: &'a Path,
    buffer: Vec<u8>,
    /// Messages about files that could not be read.
    pub problems: Vec<String>,
}

impl<'a> Reader<'a> {
    /// A reader for the store in this folder.
    pub fn new(root: &'a Path) -> Self {
        Reader { root, buffer: Vec::new(), problems: Vec::new() }
    }

    /// Adds a problem.
    pub fn note(&mut self, path: &Path, reason: impl std::fmt::Display) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(format!("{}: {reason}", self.named(path)));
        }
    }

    /// The path for display: relative to the parent of the store's folder.
    pub fn named(&self, path: &Path) -> String {
        let below = path.strip_prefix(self.root.parent().unwrap_or(self.root));
        below.unwrap_or(path).display().to_string()
    }

    /// The value, or `None` with a problem noted.
    pub fn noted<T>(&mut self, path: &Path, read: Result<T, impl std::fmt::Display>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(reason) => {
                self.note(path, reason);
                None
            }
        }
    }

    /// The text of a small file.
    fn text(&mut self, path: &Path) -> io::Result<&str> {
        let mut file = files::open(path)?;
        let mut length = 0;
        loop {
            if length == self.buffer.len() {
                if length > MOST_BYTES {
                    return Err(io::Error::other("it is larger than 1 MB"));
                }
                self.buffer.resize((2 * length).max(4 << 10), 0);
            }
            match file.read(&mut self.buffer[length..]) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        std::str::from_utf8(&self.buffer[..length])
            .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not written in UTF-8"))
    }

    /// The content of `meta.yaml` in a folder; `None` if it does not exist, or can't be read (which is
    /// noted).
    pub fn meta<T: DeserializeOwned>(&mut self, folder: &Path) -> Option<T> {
        let path = folder.join(META);
        let mut read = self.yaml(&path);
        if matches!(read, Some(Err(_))) && is_young(&path) {
            thread::sleep(WAIT);
            read = self.yaml(&path);
        }
        self.noted(&path, read?)
    }

    fn yaml<T: DeserializeOwned>(&mut self, path: &Path) -> Option<Result<T, UserError>> {
        match self.text(path) {
            Ok(text) => Some(serde_yaml::from_str(text).map_err(UserError::plain)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => Some(Err(UserError::plain(error))),
        }
    }

    /// The values added to a metric's file after an offset, see [`lines::added`]; errors are noted.
    pub fn added(&mut self, path: &Path, from: u64) -> Option<(Vec<Point>, u64)> {
        let opened = files::open(path).map_err(UserError::plain);
        let added = opened.and_then(|file| lines::added(file, from, &mut self.buffer));
        let (points, end, broken) = self.noted(path, added)?;
        if let Some(reason) = broken {
            self.note(path, format_args!("a line behind byte {from}: {reason}"));
        }
        Some((points, end))
    }

    /// The offset where the last complete line of a metric's file ends; `None` if it can't be read (which is
    /// noted).
    pub fn last_end(&mut self, path: &Path) -> Option<u64> {
        let opened = files::open(path).and_then(lines::last_end);
        self.noted(path, opened)
    }

    /// Opens all metrics in a folder in turn; `/` in a name is a subfolder.
    pub fn metrics<T>(
        &mut self,
        folder: &Path,
        read: impl Fn(&str, fs::File, &mut Vec<u8>) -> Result<T, UserError>,
    ) -> Vec<(String, T)> {
        let mut found = Vec::new();
        for (key, path) in self.keys(folder) {
            let opened = files::open(&path).map_err(UserError::plain);
            let value = opened.and_then(|file| read(&key, file, &mut self.buffer));
            if let Some(value) = self.noted(&path, value) {
                found.push((key, value));
            }
        }
        found
    }

    /// Opens the metric with a name; `None` if it does not exist. Links to folders are not followed.
    pub fn metric<T>(
        &mut self,
        folder: &Path,
        key: &str,
        read: impl Fn(fs::File, &mut Vec<u8>) -> Result<T, UserError>,
    ) -> Result<Option<T>, (PathBuf, String)> {
        let inside = key.split('/').all(|part| !matches!(part, "" | "." | ".."));
        let path = folder.join(key);
        let above = path.ancestors().skip(1).take_while(|above| *above != folder);
        if !inside || !path.is_file() || above.into_iter().any(Path::is_symlink) {
            return Ok(None);
        }
        let opened = files::open(&path).map_err(UserError::plain);
        match opened.and_then(|file| read(file, &mut self.buffer)) {
            Ok(value) => Ok(Some(value)),
            Err(reason) => Err((path, reason.text)),
        }
    }

    /// Texts by key, sorted: the folder has a file for each key.
    pub fn texts(&mut self, folder: &Path) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        let mut bytes = 0;
        for (key, path) in self.keys(folder) {
            match self.text(&path).map(str::to_owned) {
                Ok(text) => {
                    bytes += text.len();
                    texts.push((key, text));
                }
                Err(error) => self.note(&path, error),
            }
            if bytes > MOST_TEXT {
                self.note(folder, format!("its files hold more than {} MB", MOST_TEXT >> 20));
                break;
            }
        }
        texts
    }

    /// The files of a folder by key, sorted; `/` in a key is a subfolder. Links to folders are not followed.
    pub fn keys(&mut self, folder: &Path) -> Vec<(String, PathBuf)> {
        let mut keys = Vec::new();
        let mut left = vec![(folder.to_owned(), String::new(), 0)];
        while let Some((folder, before, depth)) = left.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => {
                    self.note(&folder, error);
                    continue;
                }
            };
            for entry in entries {
                let Some(entry) = self.noted(&folder, entry) else { break };
                if keys.len() + left.len() >= MOST_ENTRIES {
                    self.note(&folder, format!("it has more than {MOST_ENTRIES} files"));
                    return keys;
                }
                let path = entry.path();
                let Some(name) = entry.file_name().to_str().map(|name| format!("{before}{name}"))
                else {
                    self.note(&path, "its name is not UTF-8");
                    continue;
                };
                match entry.file_type() {
                    Ok(kind) if !kind.is_dir() => keys.push((name, path)),
                    Ok(_) if depth < DEEPEST => left.push((path, format!("{name}/"), depth + 1)),
                    Ok(_) => self.note(&path, "it lies too deep"),
                    Err(error) => self.note(&path, error),
                }
            }
        }
        keys.sort_unstable();
        keys
    }

    /// The subfolders of a folder, by name; links to folders are followed.
    pub fn folders(&mut self, folder: &Path) -> Vec<(String, PathBuf)> {
        let mut folders = Vec::new();
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return folders,
            Err(error) => {
                self.note(folder, error);
                return folders;
            }
        };
        for entry in entries {
            let Some(entry) = self.noted(folder, entry) else { break };
            let path = entry.path();
            let is_folder = match entry.file_type() {
                Ok(kind) if kind.is_symlink() => path.is_dir(),
                Ok(kind) => kind.is_dir(),
                Err(_) => false,
            };
            if !is_folder {
                continue;
            }
            if folders.len() == MOST_ENTRIES {
                self.note(folder, format!("it has more than {MOST_ENTRIES} folders"));
                break;
            }
            match entry.file_name().into_string() {
                Ok(name) => folders.push((name, path)),
                Err(_) => self.note(&path, "its name is not UTF-8"),
            }
        }
        folders.sort_unstable();
        folders
    }

    /// Reads folders on several threads; the results are in no particular order.
    pub fn all<F: Sync, T: Send>(
        &mut self,
        folders: &[F],
        read: impl Fn(&mut Reader<'_>, &F) -> Option<T> + Sync,
    ) -> Vec<T> {
        if folders.len() > MOST_ENTRIES {
            self.note(self.root, format!("only {MOST_ENTRIES} of {} are read", folders.len()));
        }
        let folders = &folders[..folders.len().min(MOST_ENTRIES)];
        let found = Mutex::new((Vec::new(), &mut self.problems));
        let next = AtomicUsize::new(0);
        let work = || {
            let mut reader = Reader::new(self.root);
            let mut own = Vec::new();
            while let Some(folder) = folders.get(next.fetch_add(1, Ordering::Relaxed)) {
                own.extend(read(&mut reader, folder));
            }
            let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            found.0.append(&mut own);
            found.1.append(&mut reader.problems);
        };
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = threads.clamp(2, MOST_THREADS).min(folders.len());
        thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        let (found, problems) =
            found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        problems.sort_unstable();
        problems.truncate(MOST_PROBLEMS);
        found
    }
}

fn is_young(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age < YOUNG))
}
