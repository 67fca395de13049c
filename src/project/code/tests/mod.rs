//! Every edit that can change a result must change the reach of the affected nodes, and no other
//! edit may change a reach.

mod edits;
mod formatting;
mod project;
mod reaches;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::project::{Options, Reader, Snapshot};

/// A project in its own temporary folder, read again after each edit.
struct Project {
    folder: tempfile::TempDir,
    reader: Reader,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pyproject = "[tool.kedro]\npackage_name = \"pkg\"\nproject_name = \"p\"\n\
                         kedro_init_version = \"1.0.0\"\n";
        fs::write(folder.path().join("pyproject.toml"), pyproject).unwrap();
        let project = Project { reader: Reader::new(folder.path()), folder };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// Writes the file `src/{path}`.
    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join("src").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&mut self) -> Snapshot {
        self.reader.read(&Options::default())
    }
}

/// The nodes whose reach differs, and the names of the definitions that differ.
fn changed(before: &Snapshot, after: &Snapshot) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut nodes, mut names) = (BTreeSet::new(), BTreeSet::new());
    for (old, new) in before.pipelines[0].nodes.iter().zip(&after.pipelines[0].nodes) {
        assert_eq!(old.name, new.name, "{:?}", after.problems);
        let (Some(was), Some(is)) = (&old.reach, &new.reach) else {
            panic!("{} has no reach", old.name)
        };
        let reached_hashes = |snapshot: &Snapshot, reach| -> BTreeSet<(String, u128)> {
            snapshot
                .code
                .reached(reach)
                .map(|definition| (definition.name.clone(), definition.hash))
                .collect()
        };
        let (old_parts, new_parts) = (reached_hashes(before, was), reached_hashes(after, is));
        let same = before.code.fingerprint(was) == after.code.fingerprint(is);
        assert_eq!(same, old_parts == new_parts, "{}", old.name);
        if !same {
            nodes.insert(old.name.clone());
        }
        names.extend(old_parts.symmetric_difference(&new_parts).map(|(name, _)| name.clone()));
    }
    (nodes, names)
}

/// The reaches of all nodes as text.
fn reaches_text(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    for node in snapshot.pipelines.first().into_iter().flat_map(|pipeline| &pipeline.nodes) {
        let _ = writeln!(out, "{}", node.name);
        let Some(reach) = &node.reach else {
            let _ = writeln!(out, "  not known");
            continue;
        };
        for definition in snapshot.code.reached(reach) {
            let _ =
                writeln!(out, "  {} {:?} {}", definition.name, definition.kind, definition.place);
        }
        for package in &reach.packages {
            let _ = writeln!(out, "  package {package}");
        }
        for unseen in &reach.unknown {
            let _ = writeln!(out, "  unknown {}: {}", unseen.place, unseen.reason);
        }
    }
    out
}

fn sample() -> Snapshot {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-project");
    Reader::new(root).read(&Options::default())
}
