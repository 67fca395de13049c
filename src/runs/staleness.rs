//! Staleness of a project's nodes: collects the data that [`crate::dag::staleness`] compares from the
//! project's files, the interpreter and the store.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::packages::{Installed, Looker};
use super::plan;
use super::request::RunRequest;
use crate::dag::SliceError;
use crate::dag::staleness::{self, Content, Facts, Fingerprint, Freshness, Now};
use crate::datasets;
use crate::project::{Node, Pipeline, Reader, Snapshot, strip_transcoding};
use crate::store::{Store, StoreError};
use crate::text::secrets::Key;

/// Repeated staleness checks of one project; only changed data is read again.
#[derive(Debug, Default)]
pub struct Staleness {
    env: Option<String>,
    fingerprints: HashMap<String, Fingerprint>,
    /// The JSON of the fingerprints as stored, to detect changes.
    texts: HashMap<String, String>,
    /// For each dataset: size, modification time and hash.
    hashes: HashMap<String, (u64, f64, Option<String>)>,
    packages: Looker,
    /// The key for the store's marks of secrets.
    key: Option<Key>,
}

impl Staleness {
    /// Reads the fingerprints of the nodes' last runs in an environment.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn load(&mut self, store: &mut Store, env: &str) -> Result<(), StoreError> {
        if self.env.as_deref() != Some(env) {
            self.fingerprints.clear();
            self.texts.clear();
            self.env = Some(env.to_owned());
        }
        self.key = store.key()?;
        for stored in store.fingerprints(env)? {
            if self.texts.get(&stored.node) == Some(&stored.json) {
                continue;
            }
            // A fingerprint that another version wrote in another format counts as never run.
            match serde_json::from_str(&stored.json) {
                Ok(fingerprint) => drop(self.fingerprints.insert(stored.node.clone(), fingerprint)),
                Err(_) => drop(self.fingerprints.remove(&stored.node)),
            }
            self.texts.insert(stored.node, stored.json);
        }
        Ok(())
    }

    /// The status of each node of the pipeline, by name. Reads the datasets that have changed; blocks.
    pub fn look(
        &mut self,
        snapshot: &Snapshot,
        pipeline: &Pipeline,
        python: Option<&Path>,
    ) -> HashMap<String, Freshness> {
        let contents = self.contents(snapshot, pipeline);
        let installed = match python {
            Some(python) => self.packages.look(python),
            None => &Installed::default(),
        };
        let key = self.key.as_ref();
        let nodes: HashMap<String, (Facts, Vec<String>)> = pipeline
            .nodes
            .iter()
            .filter(|node| self.fingerprints.contains_key(&node.name))
            .map(|node| (node.name.clone(), facts(snapshot, node, installed, key)))
            .collect();
        let now = Now { nodes: &nodes, contents: &contents, fingerprints: &self.fingerprints };
        staleness::statuses(pipeline.nodes.iter().map(|node| &**node), now)
    }

    /// The content of the pipeline's datasets on disk.
    fn contents(&mut self, snapshot: &Snapshot, pipeline: &Pipeline) -> HashMap<String, Content> {
        let mut known: HashMap<&str, Vec<&Content>> = HashMap::new();
        for fingerprint in self.fingerprints.values() {
            for (name, content) in fingerprint.inputs.iter().chain(&fingerprint.outputs) {
                known.entry(name).or_default().push(content);
            }
        }
        let mut found = HashMap::new();
        for name in pipeline.nodes.iter().flat_map(|node| node.inputs.iter().chain(&node.outputs)) {
            let base = strip_transcoding(name);
            // A dataset in no fingerprint is not compared with anything.
            let Some(before) = known.get(base) else { continue };
            if found.contains_key(base) {
                continue;
            }
            let Some(dataset) = snapshot.datasets.get(name.as_str()) else { continue };
            if dataset.in_memory() {
                continue;
            }
            let seen = self.hashes.get(base);
            let hash = |bytes: u64, modified: f64| {
                let of_fingerprint = before.iter().find_map(|content| match content {
                    Content::File { bytes: b, modified: m, hash }
                        if *b == bytes && *m == modified =>
                    {
                        hash.clone()
                    }
                    _ => None,
                });
                let of_look = || {
                    let (b, m, hash) = seen?;
                    hash.clone().filter(|_| *b == bytes && *m == modified)
                };
                of_fingerprint.or_else(of_look)
            };
            let content = content(&snapshot.metadata.root, dataset, hash);
            if let Content::File { bytes, modified, hash } = &content {
                self.hashes.insert(base.to_owned(), (*bytes, *modified, hash.clone()));
            }
            found.insert(base.to_owned(), content);
        }
        for shared in shared_paths(snapshot) {
            found.insert(shared, Content::Unseen);
        }
        found
    }
}

/// Why the stale nodes can't be determined.
#[derive(Debug, thiserror::Error)]
pub enum DueError {
    /// The slice names nodes or datasets that do not exist.
    #[error("{0}.")]
    Slice(#[from] SliceError),
    /// A requested pipeline does not exist, or could not be read.
    #[error("The pipeline can't be read without Python; `mlops-tui inspect` says why.")]
    Pipeline,
    /// The history can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The nodes of a request that are not fresh, in the pipeline's order. Reads the project; blocks.
///
/// # Errors
/// When the stale nodes can't be determined.
pub fn due(
    root: &Path,
    request: &RunRequest,
    python: Option<&Path>,
) -> Result<Vec<String>, DueError> {
    let snapshot = Reader::new(root).read(&plan::options(request));
    let pipeline = plan::pipeline(&snapshot, request).ok_or(DueError::Pipeline)?;
    let asked = request.slice.apply(&pipeline)?;
    let mut staleness = Staleness::default();
    staleness.load(&mut Store::new(root), &snapshot.env)?;
    let statuses = staleness.look(&snapshot, &pipeline, python);
    let due = |name: &String| statuses.get(name).is_none_or(Freshness::is_due);
    Ok(asked.into_iter().filter(due).collect())
}

/// The facts (code, parameters, packages) that a node would run with.
pub(super) fn facts(
    snapshot: &Snapshot,
    node: &Node,
    installed: &Installed,
    key: Option<&Key>,
) -> (Facts, Vec<String>) {
    staleness::facts(snapshot, node, installed.python.as_deref(), &installed.packages, key)
}

/// The content of a dataset's file.
pub(super) fn content(
    root: &Path,
    dataset: &crate::project::Dataset,
    known: impl Fn(u64, f64) -> Option<String>,
) -> Content {
    match datasets::stamp(root, dataset, known) {
        Some(datasets::Stamp { bytes, modified, hash }) => Content::File { bytes, modified, hash },
        None => match datasets::status(root, dataset) {
            datasets::DatasetStatus::Missing => Content::Missing,
            _ => Content::Unseen,
        },
    }
}

/// Datasets that share one file: saving one replaces the content of the others, so the file says nothing
/// about any of them.
pub(super) fn shared_paths(snapshot: &Snapshot) -> Vec<String> {
    let mut names: BTreeMap<PathBuf, Vec<&str>> = BTreeMap::new();
    for dataset in snapshot.datasets.values() {
        let Some(path) = &dataset.filepath else { continue };
        let base = strip_transcoding(&dataset.name);
        let sharing = names.entry(PathBuf::from(path)).or_default();
        if !sharing.contains(&base) {
            sharing.push(base);
        }
    }
    let several = names.into_values().filter(|names| names.len() > 1);
    several.flatten().map(str::to_owned).collect()
}
