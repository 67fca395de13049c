//! Which Python serves the requests of a project.

use std::path::PathBuf;
use std::time::Duration;

/// Which Python works, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The interpreter; see [`super::interpreter::choose`].
    pub python: PathBuf,
    /// The project's folder, absolute: the working directory.
    pub root: PathBuf,
    /// How long a cancelled run may take to end before it is killed.
    pub grace: Duration,
}

impl Spec {
    /// The interpreter in the project's folder, with five seconds of grace.
    pub fn new(python: impl Into<PathBuf>, root: impl Into<PathBuf>) -> Self {
        Spec { python: python.into(), root: root.into(), grace: Duration::from_secs(5) }
    }
}
