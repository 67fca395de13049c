//! Watches the files that a snapshot is read from: sources, configuration, `pyproject.toml`.
//!
//! Owns the operating system's watches and a debouncer, and reports changed files once they have
//! been quiet for [`QUIET`]. Data, environments, `.git` and editors' temporary files are ignored.
//! Where the system delivers no events (NFS, a full watch table), it polls instead.

use std::any::Any;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, EventKind};
use notify::{PollWatcher, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, RecommendedCache, new_debouncer_opt};

use super::Metadata;

/// How long files must be quiet before a change is reported: longer than the steps of an atomic
/// save (write, rename), short enough to show a save immediately.
pub const QUIET: Duration = Duration::from_millis(16);

/// How often the debouncer wakes up, even when idle.
const TICK: Duration = QUIET;

const POLL: Duration = Duration::from_secs(1);

/// How changes are detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// Events from the operating system.
    Events,
    /// Polling once a second.
    Polling,
}

/// Watches the project's files until it is dropped.
pub struct Watcher {
    means: Means,
    _debouncer: Box<dyn Any + Send>,
}

impl Watcher {
    /// Watches the project's files and calls `changed` with the changed ones on a separate thread.
    ///
    /// # Errors
    /// If neither events nor polling can be set up.
    pub fn start(
        metadata: &Metadata,
        changed: impl Fn(Vec<PathBuf>) + Send + Clone + 'static,
    ) -> Result<Self, notify::Error> {
        let targets = targets(metadata);
        if !on_network(&metadata.root) {
            let report = reporter(metadata.root.clone(), changed.clone());
            // A symbolic link may lead to a whole disk.
            let config = notify::Config::default().with_follow_symlinks(false);
            let cache = RecommendedCache::new();
            let events = new_debouncer_opt::<_, RecommendedWatcher, _>(
                QUIET,
                Some(TICK),
                report,
                cache,
                config,
            )
            .and_then(|mut debouncer| {
                targets.iter().try_for_each(|(path, mode)| debouncer.watch(path, *mode))?;
                Ok(debouncer)
            });
            match events {
                Ok(debouncer) => {
                    return Ok(Watcher { means: Means::Events, _debouncer: Box::new(debouncer) });
                }
                Err(error) => tracing::warn!(%error, "no file events; polling instead"),
            }
        }
        let config = notify::Config::default()
            .with_poll_interval(POLL)
            .with_compare_contents(true)
            .with_follow_symlinks(false);
        let mut debouncer = new_debouncer_opt::<_, PollWatcher, _>(
            QUIET,
            Some(POLL / 4),
            reporter(metadata.root.clone(), changed),
            RecommendedCache::new(),
            config,
        )?;
        targets.iter().try_for_each(|(path, mode)| debouncer.watch(path, *mode))?;
        Ok(Watcher { means: Means::Polling, _debouncer: Box::new(debouncer) })
    }

    /// How changes are detected.
    pub fn means(&self) -> Means {
        self.means
    }
}

fn reporter(
    root: PathBuf,
    changed: impl Fn(Vec<PathBuf>) + Send,
) -> impl FnMut(DebounceEventResult) + Send {
    move |result| {
        let Ok(events) = result else { return };
        let mut paths: Vec<PathBuf> = events
            .into_iter()
            .filter(|event| match event.kind {
                EventKind::Access(AccessKind::Close(_)) => true,
                EventKind::Access(_) => false,
                _ => true,
            })
            .flat_map(|event| event.event.paths)
            .filter(|path| is_relevant(&root, path))
            .collect();
        paths.sort();
        paths.dedup();
        if !paths.is_empty() {
            changed(paths);
        }
    }
}

/// The paths to watch: the project's folder without its subfolders (they may hold gigabytes of
/// data), and the source and configuration folders recursively. If one of these is the project's
/// folder itself, the package or the environments' folders are watched instead.
fn targets(metadata: &Metadata) -> Vec<(PathBuf, RecursiveMode)> {
    let root = &metadata.root;
    let mut targets = vec![(root.clone(), RecursiveMode::NonRecursive)];
    let package = metadata.source_dir.join(&metadata.package_name);
    let source = if metadata.source_dir == *root { &package } else { &metadata.source_dir };
    for folder in [source, &metadata.conf_source] {
        if folder.is_dir() && folder != root {
            targets.push((folder.clone(), RecursiveMode::Recursive));
        }
    }
    targets
}

/// Whether a change of `path` can change the snapshot.
pub fn is_relevant(root: &Path, path: &Path) -> bool {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let excluded = inside.components().any(|component| match component {
        Component::Normal(name) => {
            let name = name.to_string_lossy();
            matches!(&*name, "__pycache__" | "node_modules" | "site-packages" | "venv")
                || (name.starts_with('.') && name != "." && name != ".env")
                || name.ends_with('~')
                || name.ends_with(".egg-info")
        }
        _ => false,
    });
    if excluded {
        return false;
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("py" | "yml" | "yaml" | "json" | "toml" | "lock" | "txt") => true,
        Some(_) => false,
        // A folder that was added, removed or renamed affects the files in it.
        None => {
            inside.components().count() > 1 && path.file_name().is_some_and(|name| name != "4913")
        }
    }
}

#[cfg(target_os = "linux")]
fn on_network(root: &Path) -> bool {
    // NFS, SMB, CIFS, FUSE (sshfs) and 9p (WSL) magic numbers, from statfs(2).
    const NETWORK: [u64; 6] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x6573_5546, 0x0102_1997];
    rustix::fs::statfs(root).is_ok_and(|stat| NETWORK.contains(&(stat.f_type as u64)))
}

#[cfg(not(target_os = "linux"))]
fn on_network(_root: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::mpsc;

    #[test]
    fn only_sources_and_configuration_are_relevant() {
        let root = Path::new("/p");
        for (path, relevant) in [
            ("/p/pyproject.toml", true),
            ("/p/src/shop/pipelines/a/nodes.py", true),
            ("/p/conf/base/catalog.yml", true),
            ("/p/conf/local/parameters.yaml", true),
            ("/p/src/shop/pipelines/new", true),
            ("/p/requirements.txt", true),
            ("/p/mlflow.db", false),
            ("/p/src/shop/pipelines/a/.nodes.py.swp", false),
            ("/p/src/shop/pipelines/a/nodes.py~", false),
            ("/p/src/shop/pipelines/a/4913", false),
            ("/p/src/shop/__pycache__/a.py", false),
            ("/p/.git/index.lock", false),
            ("/p/.venv/lib/a.py", false),
            ("/p/.mlops-tui/store.db", false),
            ("/p/data/01_raw/a.parquet", false),
            ("/p/mlflow.db-journal", false),
        ] {
            assert_eq!(is_relevant(root, Path::new(path)), relevant, "{path}");
        }
    }

    fn project() -> (tempfile::TempDir, Metadata) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for dir in ["src/shop", "conf/base", "data", ".venv"] {
            fs::create_dir_all(root.join(dir)).unwrap();
        }
        let metadata = Metadata {
            source_dir: root.join("src"),
            conf_source: root.join("conf"),
            package_name: "shop".into(),
            root,
            ..Metadata::default()
        };
        (folder, metadata)
    }

    #[test]
    fn a_save_an_atomic_rename_and_a_new_folder_are_reported_and_data_is_not() {
        let (_folder, metadata) = project();
        let (sender, receiver) = mpsc::channel();
        let watcher = Watcher::start(&metadata, move |paths| drop(sender.send(paths))).unwrap();
        let wait = |path: &Path| {
            let mut reported = Vec::new();
            loop {
                let paths: Vec<PathBuf> =
                    receiver.recv_timeout(Duration::from_secs(10)).unwrap_or_else(|_| {
                        panic!(
                            "no report of {} by {:?}; reported {reported:?}",
                            path.display(),
                            watcher.means()
                        )
                    });
                if paths.iter().any(|changed| changed == path) {
                    return;
                }
                reported.extend(paths);
            }
        };
        let catalog = metadata.conf_source.join("base/catalog.yml");
        fs::write(&catalog, "a: 1").unwrap();
        wait(&catalog);

        let temporary = metadata.conf_source.join("base/catalog.yml~");
        fs::write(&temporary, "a: 2").unwrap();
        fs::rename(&temporary, &catalog).unwrap();
        wait(&catalog);

        fs::write(metadata.root.join("data/a.yml"), "not watched").unwrap();
        let nodes = metadata.source_dir.join("shop/pipelines/nodes.py");
        fs::create_dir_all(nodes.parent().unwrap()).unwrap();
        fs::write(&nodes, "x = 1").unwrap();
        std::thread::sleep(Duration::from_millis(100));
        fs::write(&nodes, "x = 2").unwrap();
        wait(&nodes);
    }
}
