//! Where programs are found. A project's folder is often the current one, so folders of `PATH` that are
//! named relative to it (`.`, or an empty name) are passed over: a project could put its own `git` there.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// The program `name` in the folders of `PATH`; `None` where there is none.
pub fn find(name: &str) -> Option<PathBuf> {
    find_in(&std::env::var_os("PATH")?, name)
}

/// The same for any value of `PATH`.
pub fn find_in(path: &OsStr, name: &str) -> Option<PathBuf> {
    folders(path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// `PATH` without the folders that are passed over, for programs that start others.
pub fn path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Its parts held no separator before.
    std::env::join_paths(folders(&path)).unwrap_or_default()
}

fn folders(path: &OsStr) -> impl Iterator<Item = PathBuf> {
    std::env::split_paths(path).filter(|folder| folder.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_absolute_folders_alone() {
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
