//! Datasets as they are on disk: whether they exist, their size, time and versions.

use std::collections::HashMap;
use std::path::Path;

use crate::project::{Dataset, Snapshot};

/// What is on disk of a dataset.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Status {
    /// It is not there.
    #[default]
    Missing,
    /// A file or folder.
    Present {
        /// Bytes; of a folder, of all files in it (up to a limit).
        bytes: u64,
        /// Last modification, seconds since the Unix epoch.
        modified: f64,
        /// Number of versions, for a versioned dataset.
        versions: Option<usize>,
    },
    /// Elsewhere: the filepath has a protocol, or the dataset has no file.
    Elsewhere,
}

/// The status of one dataset of the project in `root`.
pub fn status(_root: &Path, _dataset: &Dataset) -> Status {
    Status::Missing
}

/// The status of all datasets of a snapshot, by name.
pub fn statuses(snapshot: &Snapshot) -> HashMap<String, Status> {
    snapshot
        .datasets
        .iter()
        .map(|(name, dataset)| (name.clone(), status(&snapshot.metadata.root, dataset)))
        .collect()
}
