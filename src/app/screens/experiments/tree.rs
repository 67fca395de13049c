//! The rows of the tree of a run's artifacts.

use crate::tracking::artifacts::Artifact;

/// A row of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Levels of indentation.
    pub depth: usize,
    /// What the row is.
    pub kind: Kind,
}

/// What a row of the tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder {
        /// The folder.
        artifact: Artifact,
        /// Whether its entries are shown.
        open: bool,
    },
    /// A file.
    File(Artifact),
    /// A remark about the folder above.
    Note(String),
}

impl Row {
    /// The folder or file of the row.
    pub fn artifact(&self) -> Option<&Artifact> {
        match &self.kind {
            Kind::Folder { artifact, .. } | Kind::File(artifact) => Some(artifact),
            Kind::Note(_) => None,
        }
    }
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
