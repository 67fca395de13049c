//! Artifacts of a run. Local artifacts are listed and opened only inside the run's own artifact folder; a
//! tracking server is asked for its own.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;

use super::entities::Run;
use super::{Store, TrackingError};
use crate::system::files;
use crate::text::secrets::remove;

/// Most entries of a folder that are listed.
pub(super) const MOST_ENTRIES: usize = 100_000;

/// A file or folder among artifacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Path relative to the run's artifact folder, separated by `/`.
    pub path: String,
    /// Whether this is a folder.
    pub is_dir: bool,
    /// Size of a file in bytes.
    pub size: Option<u64>,
}

/// The target of a path among artifacts.
pub enum Named {
    /// The entries of a folder, sorted by name, and whether there are more.
    Folder(Vec<Artifact>, bool),
    /// An open file.
    File(Box<dyn Read>),
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Named::Folder(entries, more) => {
                f.debug_tuple("Folder").field(entries).field(more).finish()
            }
            Named::File(_) => f.write_str("File"),
        }
    }
}

/// Why artifacts can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The artifacts are neither local nor on a tracking server.
    #[error("They lie at {0}; only artifacts on this machine or a tracking server are read.")]
    Elsewhere(String),
    /// The path leads out of the run's artifact folder.
    #[error("`{0}` leads out of the run's artifacts.")]
    Outside(String),
    /// The request to the server failed, or the server rejects it.
    #[error(transparent)]
    Server(#[from] TrackingError),
    /// The path does not exist, or can't be read.
    #[error("{path}: {source}.")]
    Io {
        /// The file or folder.
        path: String,
        /// The cause.
        source: io::Error,
    },
}

/// The target of a path among a run's artifacts; the empty path is the artifact folder itself. `near` is the
/// folder of the store.
///
/// # Errors
/// When the artifacts are elsewhere, the path leads out of the artifact folder or does not exist, or reading
/// fails.
pub fn named(store: &Store, near: &Path, run: &Run, path: &str) -> Result<Named, ArtifactError> {
    let Store::Rest(server) = store else {
        if run.artifact_uri.is_empty() {
            return Ok(Named::Folder(Vec::new(), false));
        }
        let folder = folder(run, near)?;
        return match open(&folder, path) {
            // MLflow makes the folder with the first artifact. One that lies elsewhere may have been left there.
            Err(ArtifactError::Io { source, .. })
                if path.is_empty()
                    && source.kind() == io::ErrorKind::NotFound
                    && folder.starts_with(near) =>
            {
                Ok(Named::Folder(Vec::new(), false))
            }
            found => found,
        };
    };
    let path = inside(path)?;
    let is_folder = match path.as_str() {
        "" => true,
        path => {
            // For a file, the server also returns an empty list.
            let above = path.rsplit_once('/').map_or("", |(above, _)| above);
            let (entries, _) = server.artifacts(&run.id, above)?;
            match entries.iter().find(|entry| entry.path == path) {
                Some(entry) => entry.is_dir,
                None => {
                    let source = io::Error::new(io::ErrorKind::NotFound, "it is not there");
                    return Err(ArtifactError::Io { path: path.to_owned(), source });
                }
            }
        }
    };
    if is_folder {
        let (entries, more) = server.artifacts(&run.id, &path)?;
        return Ok(Named::Folder(entries, more));
    }
    Ok(Named::File(server.artifact(&run.id, &path)?))
}

/// Normalizes a path (without `.`); an error if it leads out of the folder.
fn inside(path: &str) -> Result<String, ArtifactError> {
    let mut parts = Vec::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(part) => parts.push(part.to_string_lossy()),
            Component::CurDir => {}
            _ => return Err(ArtifactError::Outside(path.to_owned())),
        }
    }
    match path.contains('\0') {
        true => Err(ArtifactError::Outside(path.to_owned())),
        false => Ok(parts.join("/")),
    }
}

/// The artifact folder of a run. `near` is the folder of the store: if the store was copied together with its
/// artifacts, the run's URI still names the old place, and the folder beside the store is used.
///
/// # Errors
/// When the artifacts are not on this machine.
pub fn folder(run: &Run, near: &Path) -> Result<PathBuf, ArtifactError> {
    let uri = run.artifact_uri.as_str();
    let named = local(uri, near);
    if let Some(named) = named.as_ref().filter(|named| named.is_dir()) {
        return Ok(named.clone());
    }
    let own = Path::new(&run.experiment_id).join(&run.id).join("artifacts");
    let copies =
        [near.join(&own), near.join("mlruns").join(&own), near.join("mlartifacts").join(&own)];
    let is_copy = |folder: &PathBuf| folder.is_dir() && (named.is_some() || is_of_server(uri));
    match (copies.into_iter().find(is_copy), named) {
        (Some(copy), _) => Ok(copy),
        (None, Some(named)) => Ok(named),
        (None, None) => Err(elsewhere(uri)),
    }
}

/// The error for a URI that is not on this machine.
pub(super) fn elsewhere(uri: &str) -> ArtifactError {
    ArtifactError::Elsewhere(remove(uri))
}

/// The path on this machine that a URI names; relative paths start at `near`.
pub(super) fn local(uri: &str, near: &Path) -> Option<PathBuf> {
    match uri.strip_prefix("file://") {
        Some(path) => Some(PathBuf::from(percent_decode_str(path).decode_utf8_lossy().as_ref())),
        None if uri.contains(":/") => None,
        None => Some(near.join(uri)),
    }
}

/// Whether a tracking server stores the artifacts. If the server is on this machine, they are in its folder
/// `mlartifacts`.
fn is_of_server(uri: &str) -> bool {
    uri.starts_with("mlflow-artifacts:")
}

/// The target of a path in a local artifact folder; the empty path is the folder itself.
///
/// # Errors
/// When the path leads out of the folder, also through a link, or can't be read.
pub fn open(folder: &Path, path: &str) -> Result<Named, ArtifactError> {
    inside(path)?;
    let failed =
        |source| ArtifactError::Io { path: folder.join(path).display().to_string(), source };
    let root = folder.canonicalize().map_err(failed)?;
    let target = root.join(path).canonicalize().map_err(failed)?;
    if !target.starts_with(&root) {
        return Err(ArtifactError::Outside(path.to_owned()));
    }
    if !target.is_dir() {
        return files::open(&target).map(|file| Named::File(Box::new(file))).map_err(failed);
    }
    let mut found = Vec::new();
    let mut more = false;
    for entry in fs::read_dir(&target).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if found.len() == MOST_ENTRIES {
            more = true;
            break;
        }
        // Links are listed as links, neither as folders nor as files of the run.
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
            entries.iter().map(|entry| (entry.path.as_str(), entry.is_dir)).collect();
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
    fn a_run_without_a_folder_has_no_artifacts_unless_it_lies_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let near = folder.path();
        let store = Store::Files(crate::tracking::files::FileStore::new(near));
        let of = |artifact_uri: String| Run { id: "ab".into(), artifact_uri, ..Run::default() };
        let own = of(near.join("1/ab/artifacts").display().to_string());
        assert!(
            matches!(named(&store, near, &own, ""), Ok(Named::Folder(none, false)) if none.is_empty())
        );
        assert!(matches!(named(&store, near, &own, "plot.png"), Err(ArtifactError::Io { .. })));
        let moved = of("/gone/1/ab/artifacts".into());
        assert!(matches!(named(&store, near, &moved, ""), Err(ArtifactError::Io { .. })));
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
        assert_eq!(folder(&run("mlflow-artifacts:/1/ab/artifacts"), near).unwrap(), copied);
        fs::remove_dir_all(&copied).unwrap();
        assert!(folder(&run("mlflow-artifacts:/1/ab/artifacts"), near).is_err());
    }
}
