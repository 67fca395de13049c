//! Datasets on disk: existence, size, modification time and versions.
//!
//! [`status`] reads only metadata of files; [`stamp()`] reads their content, for the history of runs.

mod stamp;

pub use stamp::{Measured, Stamp, measured, metrics, stamp};

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::project::{Dataset, Snapshot};

/// Most files of a folder that are counted; the size of a larger folder is a lower bound.
const FOLDER_FILES: usize = 10_000;

/// The state of a dataset on disk.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum DatasetStatus {
    /// The file or folder does not exist.
    #[default]
    Missing,
    /// A file or folder exists.
    Present {
        /// Size in bytes: for a folder the sum of its files (the first 10,000), for a versioned dataset that
        /// of the newest version.
        bytes: u64,
        /// Last modification, seconds since the Unix epoch.
        modified: f64,
        /// Number of versions, for a versioned dataset.
        versions: Option<usize>,
    },
    /// Not on this machine: the path has a protocol.
    Elsewhere,
    /// The definition names no file, for example a table or a service.
    NoFile,
}

/// The status of one dataset of the project in `root`.
pub fn status(root: &Path, dataset: &Dataset) -> DatasetStatus {
    let Some(filepath) = filepath(dataset) else { return DatasetStatus::NoFile };
    let Some(path) = local(root, filepath) else { return DatasetStatus::Elsewhere };
    let versions = dataset.versioned.then(|| versions(&path));
    let newest = match &versions {
        Some(versions) => versions.last(),
        None => Some(&path),
    };
    match newest.and_then(|newest| measure(newest)) {
        Some((bytes, modified)) => DatasetStatus::Present {
            bytes,
            modified,
            versions: versions.map(|versions| versions.len()),
        },
        None => DatasetStatus::Missing,
    }
}

/// The file or folder of a dataset, for a versioned dataset the newest version; it may not exist.
fn newest(root: &Path, dataset: &Dataset) -> Option<PathBuf> {
    let path = local(root, filepath(dataset)?)?;
    if dataset.versioned { versions(&path).pop() } else { Some(path) }
}

/// The path of a dataset as configured. Partitioned and incremental datasets have `path` instead of `filepath`.
pub fn filepath(dataset: &Dataset) -> Option<&str> {
    let path = || dataset.definition.value.get("path").and_then(|path| path.value.as_str());
    dataset.filepath.as_deref().or_else(path)
}

/// A versioned dataset restricted to one version; `None` if it is not versioned or has no file.
pub fn at_version(dataset: &Dataset, version: &str) -> Option<Dataset> {
    let path = Path::new(filepath(dataset).filter(|_| dataset.versioned)?);
    let filepath = path.join(version).join(path.file_name()?).display().to_string();
    Some(Dataset { filepath: Some(filepath), versioned: false, ..dataset.clone() })
}

/// The local path, unless the path has a protocol. Kedro resolves relative paths against the project's
/// folder.
pub fn local(root: &Path, filepath: &str) -> Option<PathBuf> {
    let local = filepath.strip_prefix("file://").unwrap_or(filepath);
    (!local.contains("://") && !local.contains("${")).then(|| root.join(local))
}

/// The files of a versioned dataset, oldest first. Kedro keeps versions as
/// `<filepath>/<version>/<name>`; the newest is the last by name
/// (`AbstractVersionedDataset._fetch_latest_load_version`).
fn versions(path: &Path) -> Vec<PathBuf> {
    let Some(name) = path.file_name() else { return Vec::new() };
    let mut versions: Vec<_> = fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join(name))
        .filter(|path| path.exists())
        .collect();
    versions.sort();
    versions
}

fn measure(path: &Path) -> Option<(u64, f64)> {
    let metadata = fs::metadata(path).ok()?;
    let mut modified = seconds(&metadata);
    if !metadata.is_dir() {
        return Some((metadata.len(), modified));
    }
    let mut bytes = 0;
    for entry in ignore::WalkBuilder::new(path)
        .standard_filters(false)
        .build()
        .flatten()
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .take(FOLDER_FILES)
    {
        if let Ok(metadata) = entry.metadata() {
            bytes += metadata.len();
            modified = modified.max(seconds(&metadata));
        }
    }
    Some((bytes, modified))
}

fn seconds(metadata: &fs::Metadata) -> f64 {
    metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map_or(0.0, |since| since.as_secs_f64())
}

/// The status of each dataset in a snapshot, by name.
pub fn statuses(snapshot: &Snapshot) -> HashMap<String, DatasetStatus> {
    snapshot
        .datasets
        .iter()
        .map(|(name, dataset)| (name.clone(), status(&snapshot.metadata.root, dataset)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(filepath: Option<&str>, versioned: bool) -> Dataset {
        Dataset { filepath: filepath.map(str::to_owned), versioned, ..Dataset::default() }
    }

    #[test]
    fn files_folders_versions_and_elsewhere_are_distinguished() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("data/parts")).unwrap();
        fs::write(root.join("data/a.csv"), "12345").unwrap();
        fs::write(root.join("data/parts/1"), "123").unwrap();
        fs::write(root.join("data/parts/2"), "45").unwrap();
        for version in ["2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"] {
            let path = root.join("data/model.pkl").join(version);
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("model.pkl"), version.split('-').next_back().unwrap()).unwrap();
        }
        let bytes = |dataset: &Dataset| match status(root, dataset) {
            DatasetStatus::Present { bytes, versions, .. } => Some((bytes, versions)),
            _ => None,
        };
        assert_eq!(bytes(&dataset(Some("data/a.csv"), false)), Some((5, None)));
        assert_eq!(bytes(&dataset(Some("data/parts"), false)), Some((5, None)));
        assert_eq!(bytes(&dataset(Some("data/model.pkl"), true)), Some((16, Some(2))));
        assert_eq!(status(root, &dataset(Some("data/b.csv"), false)), DatasetStatus::Missing);
        assert_eq!(status(root, &dataset(Some("data/a.csv"), true)), DatasetStatus::Missing);
        assert_eq!(
            status(root, &dataset(Some("s3://bucket/a.csv"), false)),
            DatasetStatus::Elsewhere
        );
        assert_eq!(status(root, &dataset(None, false)), DatasetStatus::NoFile);
    }
}
