//! The subject of a recording: the run and how it was started.

use std::collections::HashMap;
use std::path::PathBuf;

use super::history::Asked;
use super::request::RunRequest;

/// A run to record.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The project's folder.
    pub root: PathBuf,
    /// The request of the run.
    pub request: RunRequest,
    /// Who or what started the run, and how.
    pub asked: Asked,
    /// The files of kept datasets that the run loads, by dataset.
    pub taken: HashMap<String, String>,
}
