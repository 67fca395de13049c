//! The exact snapshot: the project as Kedro itself loads it, and the fingerprint under which the answer is
//! cached.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::event::{Failure, RunEvent};
use super::packages;
use super::params::Params;
use super::protocol::Message;
use super::warm::Worker;
use crate::system::files;

/// Extensions of the files that can change Kedro's answer.
const ENDINGS: [&str; 6] = ["py", "yml", "yaml", "json", "toml", "txt"];
/// Files larger than this (in bytes) are fingerprinted by size and modification time instead of content.
const LARGE: u64 = 1 << 20;

/// [`Failure::kind`] when Python can't be started, or ended without an answer.
pub const WORKER_LOST: &str = "mlops_tui.WorkerLost";

/// Asks Kedro to load the project and describe it; [`crate::project::json::from_exact`] parses the answer.
/// `params` are runtime parameters, dotted keys to values. Executes the project's code.
///
/// # Errors
/// When Python can't be started, or the project does not load: the exception with its traceback.
pub async fn snapshot(
    worker: &Worker,
    env: Option<&str>,
    params: &Params,
) -> Result<Json, Failure> {
    let python = &worker.spec().python;
    let request = json!({"command": "snapshot", "env": env, "params": params});
    let mut process =
        worker.begin(request).map_err(|error| cannot_start(python, &error.to_string()))?;
    while let Some(message) = process.message().await {
        match message {
            Message::Answer(answer) => {
                // The child still sends the names of the modules that it has imported.
                tokio::spawn(async move { while process.message().await.is_some() {} });
                return Ok(answer);
            }
            Message::Last(stamped) => match stamped.event {
                RunEvent::RunFailed { failure } => return Err(failure),
                RunEvent::RunLost { reason } => return Err(cannot_start(python, &reason)),
                _ => {}
            },
            Message::Event(_) | Message::Modules(_) | Message::Tracked(_) => {}
        }
    }
    Err(cannot_start(python, "it gave no answer"))
}

/// The failure for an interpreter that can't be started.
pub fn cannot_start(python: &Path, reason: &str) -> Failure {
    Failure {
        kind: WORKER_LOST.into(),
        message: format!("Python ({}) did not work: {reason}", python.display()),
        ..Failure::default()
    }
}

/// The key under which the store caches the answer for an environment and an interpreter.
pub fn key(env: Option<&str>, python: &Path) -> String {
    format!("{}\n{}", env.unwrap_or_default(), python.display())
}

/// A fingerprint of everything that decides Kedro's answer: the contents of the project's Python,
/// configuration and dependency files, and when packages were last installed for `python`. A cached answer is
/// valid while the fingerprint is equal. Unreadable files count as absent.
pub fn fingerprint(root: &Path, conf_source: &Path, source_dir: &Path, python: &Path) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in [conf_source, source_dir] {
        let walk = ignore::WalkBuilder::new(folder)
            .standard_filters(false)
            .filter_entry(|entry| entry.depth() == 0 || !is_foreign(entry))
            .build();
        files.extend(walk.flatten().map(ignore::DirEntry::into_path).filter(|path| counts(path)));
    }
    files.extend(["pyproject.toml", "requirements.txt"].map(|name| root.join(name)));
    files.sort();
    files.dedup();
    for file in files {
        let Ok(metadata) = file.metadata() else { continue };
        if !metadata.is_file() {
            continue;
        }
        let name = file.strip_prefix(root).unwrap_or(&file);
        hasher.update(name.as_os_str().as_encoded_bytes()).update(&[0]);
        hasher.update(&metadata.len().to_le_bytes());
        match (metadata.len() <= LARGE).then(|| files::read(&file, LARGE)) {
            Some(Ok(bytes)) => hasher.update(&bytes),
            _ => hasher.update(modified(&file).as_bytes()),
        };
    }
    hasher.update(python.as_os_str().as_encoded_bytes());
    for packages in packages::folders(python) {
        hasher.update(modified(&packages).as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

fn counts(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending))
}

/// Whether to skip a folder: it holds nothing of the project's own. `source_dir` is the project's folder.
fn is_foreign(entry: &ignore::DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.file_type().is_some_and(|kind| kind.is_dir())
        && (name.starts_with('.')
            || matches!(
                &*name,
                "__pycache__" | "venv" | "site-packages" | "node_modules" | "mlruns"
            ))
}

fn modified(path: &Path) -> String {
    let time = path.metadata().and_then(|metadata| metadata.modified());
    format!("{:?}", time.ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_changes_with_the_files_that_decide_the_answer() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let (conf, source) = (root.join("conf"), root.join("src"));
        for (file, text) in
            [("conf/base/catalog.yml", "a: 1"), ("src/shop/p.py", "x = 1"), ("src/data.csv", "1")]
        {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let python = Path::new("/nowhere/bin/python");
        let print = || fingerprint(root, &conf, &source, python);
        let first = print();
        std::fs::write(root.join("src/data.csv"), "2").unwrap();
        std::fs::create_dir_all(root.join("src/__pycache__")).unwrap();
        std::fs::write(root.join("src/__pycache__/p.py"), "").unwrap();
        assert_eq!(print(), first, "data and caches do not count");
        std::fs::write(root.join("src/shop/p.py"), "x = 2").unwrap();
        let second = print();
        assert_ne!(second, first);
        std::fs::write(root.join("conf/base/new.yml"), "").unwrap();
        assert_ne!(print(), second);
    }
}
