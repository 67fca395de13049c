//! Configuration of the worker: which Python serves a project's requests.

use std::path::PathBuf;
use std::time::Duration;

/// The interpreter and the folder that it works in.
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
    /// A spec with a grace period of five seconds.
    pub fn new(python: impl Into<PathBuf>, root: impl Into<PathBuf>) -> Self {
        Spec { python: python.into(), root: root.into(), grace: Duration::from_secs(5) }
    }
}
