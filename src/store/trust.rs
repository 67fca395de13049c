//! The projects that the user allows the program to execute.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The trusted projects: a file in the user's state folder with one JSON string per line, the
/// canonical path of a project. Unreadable lines are ignored.
#[derive(Debug, Clone)]
pub struct Trust {
    file: PathBuf,
}

impl Trust {
    /// The trust file `trusted-projects` in the user's state folder.
    pub fn new(state_folder: &Path) -> Self {
        Trust { file: state_folder.join("trusted-projects") }
    }

    /// Whether the project in `root` is trusted.
    pub fn holds(&self, root: &Path) -> bool {
        canonical(root).is_ok_and(|path| self.load().contains(&path))
    }

    /// Adds the project in `root` to the trusted ones.
    ///
    /// # Errors
    /// If the folder does not exist or the file can't be written.
    pub fn add(&self, root: &Path) -> io::Result<()> {
        let path = canonical(root)?;
        let mut trusted = self.load();
        if trusted.insert(path) { self.save(&trusted) } else { Ok(()) }
    }

    /// Removes the project in `root` from the trusted ones.
    ///
    /// # Errors
    /// If the folder does not exist or the file can't be written.
    pub fn remove(&self, root: &Path) -> io::Result<()> {
        let path = canonical(root)?;
        let mut trusted = self.load();
        if trusted.remove(&path) { self.save(&trusted) } else { Ok(()) }
    }

    fn load(&self) -> BTreeSet<String> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn save(&self, trusted: &BTreeSet<String>) -> io::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        for path in trusted {
            writeln!(file, "{}", serde_json::to_string(path)?)?;
        }
        file.persist(&self.file)?;
        Ok(())
    }
}

/// A path that is not UTF-8 is refused, because a lossy conversion could make two paths equal.
fn canonical(root: &Path) -> io::Result<String> {
    root.canonicalize()?
        .into_os_string()
        .into_string()
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the path is not valid text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_is_remembered_by_canonical_path() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("a\nproject");
        std::fs::create_dir_all(project.join("src")).unwrap();
        let state = folder.path().join("state/mlops-tui");
        let trust = Trust::new(&state);
        assert!(!trust.holds(&project));
        trust.add(&project).unwrap();
        assert!(Trust::new(&state).holds(&project.join("src/..")));
        assert!(!trust.holds(&project.join("src")));
        assert!(!trust.holds(folder.path()));
        trust.remove(&project).unwrap();
        assert!(!trust.holds(&project));
        assert!(trust.add(&folder.path().join("gone")).is_err());
    }
}
