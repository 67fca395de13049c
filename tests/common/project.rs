//! Projects for tests, in folders of their own.

use std::fs;
use std::path::{Path, PathBuf};

/// A copy of the sample project; it goes with the returned folder. What runs have made is left out.
pub fn copy_of_sample() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    // Canonical, for the system's own folder of temporary files may be a link.
    let root = folder.path().canonicalize().unwrap().join("harbour-bikes");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-project");
    copy(&sample, &root);
    (folder, root)
}

fn copy(from: &Path, to: &Path) {
    const MADE: [&str; 6] =
        [".mlops-tui", ".venv", "__pycache__", "mlflow.db", "mlruns", "mlartifacts"];
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if MADE.contains(&name.to_str().unwrap()) {
            continue;
        }
        let target = to.join(&name);
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
