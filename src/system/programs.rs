//! Finds programs in `PATH`. Relative folders of `PATH` (`.`, or an empty name) are skipped: the
//! current folder is often a project's, and the project could contain its own `git`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// The path of the program `name` in `PATH`; `None` if there is none.
pub fn find(name: &str) -> Option<PathBuf> {
    find_in(&std::env::var_os("PATH")?, name)
}

/// Like [`find`], for any value of `PATH`.
pub fn find_in(path: &OsStr, name: &str) -> Option<PathBuf> {
    folders(path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// `PATH` without relative folders, for child processes that start other programs.
pub fn path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Joining can't fail: the folders were split at the same separator.
    std::env::join_paths(folders(&path)).unwrap_or_default()
}

fn folders(path: &OsStr) -> impl Iterator<Item = PathBuf> {
    std::env::split_paths(path).filter(|folder| folder.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_only_in_absolute_folders() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("program"), "").unwrap();
        let here = std::env::current_dir().unwrap();
        let here = here.strip_prefix("/").unwrap();
        let up = "../".repeat(here.components().count());
        let relative = format!("{up}{}", folder.path().strip_prefix("/").unwrap().display());
        assert!(PathBuf::from(&relative).join("program").is_file(), "it could be found");
        assert_eq!(find_in(format!("{relative}::.").as_ref(), "program"), None);
        let path = format!("{relative}::.:{}", folder.path().display());
        assert_eq!(find_in(path.as_ref(), "program"), Some(folder.path().join("program")));
    }
}
