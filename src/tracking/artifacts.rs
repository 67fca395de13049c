//! Artifacts of a run that lie on this machine: listed and opened below the run's own folder, and nowhere else.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;

use super::entities::Run;
use crate::system::files;
use crate::text::secrets::remove;

/// Most entries of a folder that are listed.
const MOST_ENTRIES: usize = 100_000;

/// A file or folder among artifacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Path below the run's artifacts, parted by `/`.
    pub path: String,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// Bytes of a file.
    pub size: Option<u64>,
}

/// What a path among artifacts names.
#[derive(Debug)]
pub enum Named {
    /// A folder's entries by name, and whether there are more.
    Folder(Vec<Artifact>, bool),
    /// An open file.
    File(fs::File),
}

/// Why artifacts can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// They lie elsewhere.
    #[error("Artifacts of this run lie at {0}; only those on this machine are read.")]
    Elsewhere(String),
    /// The path leads out of the run's folder.
    #[error("`{0}` leads out of the run's artifacts.")]
    Outside(String),
    /// The path is not there, or can't be read.
    #[error("{path}: {source}.")]
    Io {
        /// The file or folder.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// The folder of a run's artifacts. `near` is the folder of the store: where a store was copied with its
/// artifacts, the run's own folder names the old place, and the one beside the store is taken.
///
/// # Errors
/// When they do not lie on this machine.
pub fn folder(run: &Run, near: &Path) -> Result<PathBuf, ArtifactError> {
    let uri = run.artifact_uri.as_str();
    let named = match uri.strip_prefix("file://") {
        Some(path) => PathBuf::from(percent_decode_str(path).decode_utf8_lossy().as_ref()),
        None if uri.contains(":/") => return Err(ArtifactError::Elsewhere(remove(uri))),
        None => near.join(uri),
    };
    if named.is_dir() {
        return Ok(named);
    }
    let own = Path::new(&run.experiment_id).join(&run.id).join("artifacts");
    let copies =
        [near.join(&own), near.join("mlruns").join(&own), near.join("mlartifacts").join(&own)];
    Ok(copies.into_iter().find(|folder| folder.is_dir()).unwrap_or(named))
}

/// What a path below a run's artifacts names; the empty path is their folder.
///
/// # Errors
/// When it leads out of the folder, also over a link, or can't be read.
pub fn open(folder: &Path, path: &str) -> Result<Named, ArtifactError> {
    let outside = || ArtifactError::Outside(path.to_owned());
    let is_below = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !is_below || path.contains('\0') {
        return Err(outside());
    }
    let failed =
        |source| ArtifactError::Io { path: folder.join(path).display().to_string(), source };
    let root = folder.canonicalize().map_err(failed)?;
    let target = root.join(path).canonicalize().map_err(failed)?;
    if !target.starts_with(&root) {
        return Err(outside());
    }
    if !target.is_dir() {
        return files::open(&target).map(Named::File).map_err(failed);
    }
    let mut found = Vec::new();
    let mut more = false;
    for entry in fs::read_dir(&target).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if found.len() == MOST_ENTRIES {
            more = true;
            break;
        }
        // A link is shown as what it is: neither a folder nor a file of the run.
        let Ok(metadata) = entry.path().symlink_metadata() else { continue };
        let path = Path::new(path).join(entry.file_name());
        found.push(Artifact {
            path: path.to_string_lossy().trim_start_matches("./").to_owned(),
            is_dir: metadata.is_dir(),
            size: metadata.is_file().then_some(metadata.len()),
        });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Named::Folder(found, more))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    #[test]
    fn nothing_outside_of_the_folder_is_listed_or_opened() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("artifacts");
        fs::create_dir_all(folder.join("plots")).unwrap();
        fs::write(folder.join("plots/a b.txt"), "text").unwrap();
        fs::write(parent.path().join("secret"), "secret").unwrap();
        symlink(parent.path().join("secret"), folder.join("link")).unwrap();
        symlink("/", folder.join("disk")).unwrap();
        symlink("plots", folder.join("inner")).unwrap();
        let absolute = parent.path().join("secret").display().to_string();
        for path in
            ["../secret", "plots/../../secret", &absolute, "link", "disk", "disk/etc/passwd"]
        {
            assert!(matches!(open(&folder, path), Err(ArtifactError::Outside(_))), "{path}");
        }
        let Named::Folder(entries, more) = open(&folder, "").unwrap() else { panic!("a folder") };
        let paths: Vec<(&str, bool)> =
            entries.iter().map(|it| (it.path.as_str(), it.is_dir)).collect();
        assert_eq!(paths, [("disk", false), ("inner", false), ("link", false), ("plots", true)]);
        assert!(!more);
        for path in ["plots/a b.txt", "./plots/a b.txt", "inner/a b.txt"] {
            let Named::File(mut file) = open(&folder, path).unwrap() else { panic!("{path}") };
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, "text");
        }
        let pipe = folder.join("pipe");
        let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, mode, 0).unwrap();
        assert!(matches!(open(&folder, "pipe"), Err(ArtifactError::Io { .. })));
        assert!(matches!(open(&folder, "none"), Err(ArtifactError::Io { .. })));
    }

    #[test]
    fn the_folder_is_found_by_its_uri_or_beside_the_store() {
        let store = tempfile::tempdir().unwrap();
        let near = store.path();
        let run = |artifact_uri: &str| Run {
            id: "ab".into(),
            experiment_id: "1".into(),
            artifact_uri: artifact_uri.into(),
            ..Run::default()
        };
        fs::create_dir_all(near.join("odd one")).unwrap();
        let uri = format!("file://{}/odd%20one", near.display());
        assert_eq!(folder(&run(&uri), near).unwrap(), near.join("odd one"));
        assert_eq!(folder(&run("odd one"), near).unwrap(), near.join("odd one"));
        let copied = near.join("mlruns/1/ab/artifacts");
        fs::create_dir_all(&copied).unwrap();
        assert_eq!(folder(&run("/gone/1/ab/artifacts"), near).unwrap(), copied);
        let elsewhere = folder(&run("s3://key:secret@bucket/x"), near).unwrap_err().to_string();
        assert!(elsewhere.contains("s3://<redacted>@bucket/x"), "{elsewhere}");
        assert!(folder(&run("mlflow-artifacts:/1/ab"), near).is_err());
    }
}
