//! Nothing outside the store's folder is deleted or written, whatever lies in that folder.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use crate::common::project::project;
use crate::common::python::python;
use mlops_tui::store::{NewRun, Store};

pub(crate) const NODES: &str = r#"
def first(size):
    return [size]


def second(rows):
    return sum(rows)


def make(node):
    return [
        node(first, "params:size", "rows", name="first"),
        node(second, "rows", "total", name="second"),
    ]
"#;

/// A folder of somebody's, with files of the names that runs leave.
pub(crate) fn foreign() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["thesis/chapter.txt", "0123.pickle", "writing-old", "run/data.csv"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "years of work").unwrap();
    }
    for name in ["thesis", "run", "0123.pickle", "writing-old"] {
        let old = SystemTime::now() - Duration::from_secs(100 * 24 * 60 * 60);
        fs::File::open(folder.path().join(name)).unwrap().set_modified(old).unwrap();
    }
    folder
}

/// All files below a folder with what they hold.
pub(crate) fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else {
                files.push((path.clone(), fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn mlops(words: &[&str], root: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-tui"));
    command.args(words);
    match words[0] {
        "runs" => command.arg("-C").arg(root),
        _ => command.arg(root),
    };
    command.output().unwrap()
}

#[test]
fn a_link_in_the_store_leads_no_verb_out_of_it() {
    let folder = project(NODES);
    let root = folder.path();
    let mut store = Store::new(root);
    store.add_run(&NewRun::default()).unwrap();
    drop(store);
    let own = root.join(".mlops-tui");
    for name in ["apart", "kept", "store.db-wal", ".gitignore", "anything", ""] {
        let theirs = foreign();
        let before = content(theirs.path());
        let link = own.join(name).components().as_path().to_owned();
        let hidden = root.join("hidden");
        if link.symlink_metadata().is_ok() {
            fs::rename(&link, &hidden).unwrap();
        }
        symlink(theirs.path(), &link).unwrap();
        for words in [
            &["runs", "prune", "--keep", "0"][..],
            &["runs", "prune", "--keep", "0", "--dry-run", "--json"],
            &["runs", "delete", "1"],
            &["runs", "list"],
        ] {
            let output = mlops(words, root);
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(name.is_empty() || !output.status.success(), "{name} {words:?}");
            let named = told.contains("is a symbolic link") && told.contains("Remove the link");
            assert!(name.is_empty() || named, "{told}");
        }
        assert_eq!(content(theirs.path()), before, "{name}");
        assert!(link.is_symlink(), "{name}");
        fs::remove_file(&link).unwrap();
        if hidden.symlink_metadata().is_ok() {
            fs::rename(&hidden, &link).unwrap();
        }
    }
    assert!(mlops(&["runs", "list"], root).status.success());
}

#[test]
fn a_run_keeps_nothing_behind_a_link_and_goes_on() {
    let python = python().to_str().unwrap();
    for name in ["kept", "apart", ""] {
        let folder = project(NODES);
        let root = folder.path();
        let theirs = foreign();
        let before = content(theirs.path());
        let link = root.join(".mlops-tui").join(name).components().as_path().to_owned();
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(theirs.path(), &link).unwrap();
        let output = mlops(&["run", "--python", python], root);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.contains("is a symbolic link"), "{told}");
        assert_eq!(content(theirs.path()), before, "{name}");
        let output = mlops(&["run", "--python", python, "--grid", "size=1,2"], root);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains("is a symbolic link"), "{told}");
        assert_eq!(content(theirs.path()), before, "{name}");
    }
}
