//! What the history records of a dataset that a run has loaded or saved: the size of its file, a stamp that
//! identifies its content, and the numbers in the file, for metrics.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::{DatasetStatus, FOLDER_FILES, filepath, local, measure, newest, status, versions};
use crate::project::Dataset;
use crate::system::files;

/// Largest file or folder, in bytes, whose content is hashed: hashing takes about a tenth of a second.
const HASHED: u64 = 256 << 20;
/// Largest file, in bytes, that is read for metrics.
const METRICS: u64 = 64 << 10;
/// Most versions of a dataset that are read.
const VERSIONS: usize = 10_000;
/// Most numbers that are kept of one dataset.
const NUMBERS: usize = 200;

/// A dataset's size, time and hash on disk.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stamp {
    /// Size in bytes.
    pub bytes: u64,
    /// Last modification, seconds since the Unix epoch.
    pub modified: f64,
    /// Hash of the content; `None` if the file is too large to be read.
    pub hash: Option<String>,
}

impl fmt::Display for Stamp {
    /// `blake3:...` if the content was hashed, else `size:...,time:...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hash {
            Some(hash) => write!(f, "blake3:{hash}"),
            None => write!(f, "size:{},time:{:.6}", self.bytes, self.modified),
        }
    }
}

/// Reads the stamp of a dataset of the project in `root`; `None` if it has no local file. `known` returns the
/// hash for a size and a time, so that unchanged files are not read again.
pub fn stamp(
    root: &Path,
    dataset: &Dataset,
    known: impl Fn(u64, f64) -> Option<String>,
) -> Option<Stamp> {
    let DatasetStatus::Present { bytes, modified, .. } = status(root, dataset) else { return None };
    let hash = || newest(root, dataset).filter(|_| bytes <= HASHED).and_then(|path| hash(&path));
    Some(Stamp { bytes, modified, hash: known(bytes, modified).or_else(hash) })
}

/// A hash of a file's content, or of the names and contents of all files in a folder.
fn hash(path: &Path) -> Option<String> {
    let mut hasher = blake3::Hasher::new();
    if path.is_dir() {
        let walk = ignore::WalkBuilder::new(path).standard_filters(false).build();
        let mut files: Vec<_> = walk
            .flatten()
            .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
            .map(ignore::DirEntry::into_path)
            .take(FOLDER_FILES + 1)
            .collect();
        if files.len() > FOLDER_FILES {
            return None;
        }
        files.sort();
        for file in files {
            let name = file.strip_prefix(path).ok()?.as_os_str().as_encoded_bytes();
            let content = hash(&file)?;
            hasher.update(&name.len().to_le_bytes()).update(name).update(content.as_bytes());
        }
    } else {
        hasher.update_reader(files::open(path).ok()?.take(HASHED)).ok()?;
    }
    Some(hasher.finalize().to_hex()[..32].to_owned())
}

/// The numbers in a dataset's file by dotted keys, if the file is a JSON object.
pub fn metrics(root: &Path, dataset: &Dataset) -> Option<Map<String, Json>> {
    let file = newest(root, dataset).filter(|_| may_be_metrics(dataset))?;
    numbers(&files::read(&file, METRICS).ok()?)
}

fn may_be_metrics(dataset: &Dataset) -> bool {
    dataset.type_name.ends_with("JSONDataset")
        || dataset.type_name.ends_with("JSONDataSet")
        || dataset.type_name.contains("Metric")
}

/// The numbers in one version of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The version, such as `2026-11-30T03.31.19.123Z`; `None` if the dataset is not versioned.
    pub version: Option<String>,
    /// Last modification of its file, in seconds since the Unix epoch.
    pub modified: f64,
    /// Numbers by dotted keys.
    pub numbers: Map<String, Json>,
}

/// The numbers in all versions of a dataset that [`metrics`] could read, oldest first. If there are very many
/// versions, only the newest ones are read.
pub fn measured(root: &Path, dataset: &Dataset) -> Vec<Measured> {
    let path = filepath(dataset).and_then(|path| local(root, path));
    let Some(path) = path.filter(|_| may_be_metrics(dataset)) else { return Vec::new() };
    let mut found: Vec<PathBuf> = if dataset.versioned { versions(&path) } else { vec![path] };
    found.drain(..found.len().saturating_sub(VERSIONS));
    let of_file = |path: PathBuf| {
        let numbers = numbers(&files::read(&path, METRICS).ok()?)?;
        let (_, modified) = measure(&path)?;
        let name = path.parent().and_then(Path::file_name).filter(|_| dataset.versioned);
        let version = name.map(|name| name.to_string_lossy().into_owned());
        Some(Measured { version, modified, numbers })
    };
    found.into_iter().filter_map(of_file).collect()
}

/// The numbers of a JSON object by dotted keys; `None` if there are none.
fn numbers(content: &[u8]) -> Option<Map<String, Json>> {
    let Json::Object(object) = serde_json::from_slice(content).ok()? else { return None };
    let mut found = Map::new();
    collect("", &object, &mut found);
    (!found.is_empty()).then_some(found)
}

fn collect(prefix: &str, object: &Map<String, Json>, found: &mut Map<String, Json>) {
    for (key, value) in object {
        if found.len() == NUMBERS {
            return;
        }
        match value {
            Json::Number(_) => drop(found.insert(format!("{prefix}{key}"), value.clone())),
            Json::Object(inner) => collect(&format!("{prefix}{key}."), inner, found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn stamps_identify_content_and_metrics_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let dataset = |name: &str, type_name: &str| Dataset {
            filepath: Some(name.into()),
            type_name: type_name.into(),
            ..Dataset::default()
        };
        let look = |dataset: &Dataset| stamp(root, dataset, |_, _| None);
        let json = dataset("m.json", "json.JSONDataset");
        assert_eq!(look(&json), None);
        fs::write(root.join("m.json"), r#"{"mae": 1.5, "by": {"day": 2, "name": "x"}, "l": [1]}"#)
            .unwrap();
        let first = look(&json).unwrap();
        let numbers = serde_json::to_string(&metrics(root, &json)).unwrap();
        assert_eq!(numbers, r#"{"mae":1.5,"by.day":2}"#);
        assert!(first.to_string().starts_with("blake3:") && first.bytes == 53, "{first:?}");
        fs::write(root.join("m.json"), "[1, 2]").unwrap();
        let second = look(&json).unwrap();
        assert_eq!(metrics(root, &json), None);
        assert_ne!(second.hash, first.hash);
        let text = dataset("m.json", "text.TextDataset");
        assert_eq!(look(&text).unwrap(), second);
        let known = stamp(root, &text, |bytes, _| (bytes == 6).then(|| "known".into())).unwrap();
        assert_eq!(known.to_string(), "blake3:known");
        fs::create_dir(root.join("parts")).unwrap();
        let parts = dataset("parts", "partitions.PartitionedDataset");
        let empty = look(&parts).unwrap();
        fs::write(root.join("parts/a"), "1").unwrap();
        let one = look(&parts).unwrap();
        fs::rename(root.join("parts/a"), root.join("parts/b")).unwrap();
        let renamed = look(&parts).unwrap();
        assert!(empty.hash != one.hash && one.hash != renamed.hash && renamed.hash.is_some());
    }
}
