//! Parsed files cached across evaluations, and the files that one evaluation keeps in memory.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use indexmap::IndexSet;

use super::source::{MAX_FILE_BYTES, Source};
use crate::system::files;

/// A file modified less than this before it was read may change again without a new time stamp.
const COARSE_CLOCK: Duration = Duration::from_secs(2);

/// Parsed source files, cached across evaluations and parsed again when a file's content changes.
///
/// A file with unchanged time stamp and length is not read again. A file that was only touched is
/// read and hashed, but not parsed again.
#[derive(Debug, Default)]
pub struct SourceCache {
    entries: HashMap<PathBuf, Entry>,
    settings_files: IndexSet<PathBuf>,
    registry_files: IndexSet<PathBuf>,
    code_files: IndexSet<PathBuf>,
}

#[derive(Debug)]
struct Entry {
    modified: Option<SystemTime>,
    len: u64,
    read_at: SystemTime,
    hash: blake3::Hash,
    source: Arc<Source>,
}

impl Entry {
    fn still_valid(&self, metadata: &fs::Metadata) -> bool {
        let settled = |modified: SystemTime| {
            self.read_at.duration_since(modified).is_ok_and(|age| age > COARSE_CLOCK)
        };
        self.len == metadata.len()
            && self.modified == metadata.modified().ok()
            && self.modified.is_some_and(settled)
    }
}

/// The purpose for which a file is read.
#[derive(Debug, Clone, Copy)]
pub(in crate::project) enum Purpose {
    Settings,
    Registry,
    /// The code that the nodes reach.
    Code,
}

impl SourceCache {
    /// The absolute paths of the files that the last evaluations used.
    pub fn touched(&self) -> impl Iterator<Item = &Path> {
        let more = self.settings_files.iter().chain(&self.code_files);
        let all: IndexSet<&Path> =
            self.registry_files.iter().chain(more).map(PathBuf::as_path).collect();
        all.into_iter()
    }

    /// Forgets which files the last evaluation for `purpose` used.
    pub(in crate::project) fn begin(&mut self, purpose: Purpose) {
        self.used(purpose).clear();
    }

    fn used(&mut self, purpose: Purpose) -> &mut IndexSet<PathBuf> {
        match purpose {
            Purpose::Settings => &mut self.settings_files,
            Purpose::Registry => &mut self.registry_files,
            Purpose::Code => &mut self.code_files,
        }
    }

    /// The parsed file at `path`; `None` if there is no such file.
    pub(in crate::project) fn load(
        &mut self,
        path: &Path,
        root: &Path,
        purpose: Purpose,
    ) -> Option<Arc<Source>> {
        let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        self.used(purpose).insert(path.to_path_buf());
        if let Some(entry) = self.entries.get(path)
            && entry.still_valid(&metadata)
        {
            return Some(entry.source.clone());
        }
        let shown: Arc<Path> = path.strip_prefix(root).unwrap_or(path).into();
        let read_at = SystemTime::now();
        if metadata.len() > MAX_FILE_BYTES {
            return Some(Arc::new(Source::refused(shown, "is larger than a megabyte")));
        }
        let bytes = match files::read(path, MAX_FILE_BYTES) {
            Ok(bytes) => bytes,
            Err(error) => {
                let why = format!("can't be opened ({error})");
                return Some(Arc::new(Source::refused(shown, &why)));
            }
        };
        let hash = blake3::hash(&bytes);
        let source = match self.entries.get(path) {
            Some(entry) if entry.hash == hash && entry.source.shown == shown => {
                entry.source.clone()
            }
            _ => Arc::new(parse(shown, bytes)),
        };
        let entry = Entry {
            modified: metadata.modified().ok(),
            len: metadata.len(),
            read_at,
            hash,
            source: source.clone(),
        };
        self.entries.insert(path.to_path_buf(), entry);
        Some(source)
    }
}

fn parse(shown: Arc<Path>, bytes: Vec<u8>) -> Source {
    match String::from_utf8(bytes) {
        Ok(text) => Source::parse(shown, text),
        Err(_) => Source::refused(shown, "is not written in UTF-8"),
    }
}

/// Slots for files, each filled once.
type Chunk = Box<[OnceCell<Arc<Source>>]>;

/// The files that one evaluation has opened, at stable addresses.
///
/// Evaluated values point into syntax trees; this arena keeps the trees in place while more files
/// are opened. Chunks double in size, so there are few of them.
#[derive(Default)]
pub(super) struct Opened {
    chunks: [OnceCell<Chunk>; 24],
    count: RefCell<usize>,
}

impl Opened {
    /// Stores `source` and returns a reference to it; `None` after about sixteen million files.
    pub(super) fn keep(&self, source: Arc<Source>) -> Option<&Source> {
        let index = *self.count.borrow() + 1;
        let chunk = index.ilog2() as usize;
        let slots = self
            .chunks
            .get(chunk)?
            .get_or_init(|| (0..1_usize << chunk).map(|_| OnceCell::new()).collect());
        *self.count.borrow_mut() = index;
        let slot = slots.get(index - (1 << chunk))?;
        Some(slot.get_or_init(|| source).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_parsed_again_only_when_its_content_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.py");
        let mut cache = SourceCache::default();
        let mut load = || cache.load(&path, folder.path(), Purpose::Registry);
        assert!(load().is_none());
        fs::write(&path, "x = 1").unwrap();
        let first = load().unwrap();
        fs::write(&path, "x = 1").unwrap();
        assert!(Arc::ptr_eq(&first, &load().unwrap()));
        fs::write(&path, "x = 2").unwrap();
        assert_eq!(load().unwrap().text, "x = 2");
    }

    #[test]
    fn opened_files_stay_where_they_are() {
        let opened = Opened::default();
        let kept: Vec<&Source> = (0..100)
            .map(|n| Source::parse(Path::new("a.py").into(), format!("x = {n}")))
            .filter_map(|source| opened.keep(Arc::new(source)))
            .collect();
        assert_eq!(kept.len(), 100);
        assert!(kept.iter().enumerate().all(|(n, source)| source.text == format!("x = {n}")));
    }
}
