//! What a recorder records.

use std::collections::HashMap;
use std::path::PathBuf;

use super::history::Asked;
use super::request::RunRequest;

/// What is recorded.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The project's folder.
    pub root: PathBuf,
    /// What is run.
    pub request: RunRequest,
    /// How it came about.
    pub asked: Asked,
    /// The files of kept datasets that it takes, by dataset.
    pub taken: HashMap<String, String>,
}
