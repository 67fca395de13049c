//! Background observations of a run: its code, its parameters, its Python, its datasets' files.
//!
//! The run does not need any of these to continue, so nothing waits for them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::definitions::Found;
use super::packages::{Installed, Looker};
use super::request::RunRequest;
use super::{code_version, plan, staleness};
use crate::dag::staleness::{Content, Fingerprint};
use crate::datasets;
use crate::project::json::kept_json;
use crate::project::{Dataset, Node, Reader, Snapshot, makers, strip_transcoding};
use crate::store::{CodeVersion, DatasetRecord, Direction, RunId, Store, StoreError};
use crate::text::secrets::{Key, SECRET, redact_diff};
use crate::tracking;

/// How long Python may take to print its version.
const LIMIT: Duration = Duration::from_secs(10);

/// Content of a dataset when it was loaded or saved.
pub(super) type Moved = ((String, Direction), Content);

/// The surroundings of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    /// The project as read from its files, for this run's environment and parameters.
    pub snapshot: Arc<Snapshot>,
    pub code: Option<CodeVersion>,
    /// Hash of the stored parameters.
    pub parameters: Option<String>,
    /// Hash of the stored definitions that the nodes use.
    pub definitions: Option<String>,
    pub python_version: Option<String>,
    /// The packages installed for the interpreter.
    pub installed: Installed,
    /// Contents of in-memory datasets that earlier runs made, by dataset.
    pub made: HashMap<String, Content>,
    /// Datasets that share a file with others, so the file says nothing about them.
    pub shared: HashSet<String>,
    /// The folder that the run saves to, if not the project's data folders.
    pub apart: Option<PathBuf>,
    /// The versions to load instead of the newest, by dataset.
    pub load_versions: IndexMap<String, String>,
    /// The key for the store's marks of secrets.
    pub key: Option<Key>,
}

impl Surroundings {
    /// The node of that name in the pipeline that is run, else in any other.
    pub fn node(&self, pipeline: &str, name: &str) -> Option<&Node> {
        let first = self.snapshot.pipeline(pipeline).into_iter();
        let all = first.chain(&self.snapshot.pipelines).flat_map(|pipeline| &pipeline.nodes);
        all.map(|node| &**node).find(|node| node.name == name)
    }

    /// The fingerprint of a node, without its datasets' contents.
    pub fn fingerprint(&self, node: &Node) -> Fingerprint {
        let (facts, unknown) =
            staleness::facts(&self.snapshot, node, &self.installed, self.key.as_ref());
        Fingerprint { facts, unknown, ..Fingerprint::default() }
    }
}

/// Reads the surroundings of a run.
pub(super) async fn find(root: PathBuf, request: RunRequest, python: String) -> Surroundings {
    let folder = root.clone();
    let apart = request.apart.as_ref().map(|folder| root.join(folder));
    let load_versions = request.load_versions.clone();
    let read = tokio::task::spawn_blocking(move || {
        let snapshot = Reader::new(folder).read(&plan::options(&request));
        let found = definitions(&snapshot, &request);
        (snapshot, found)
    });
    let code = async {
        let (snapshot, found) = read.await.unwrap_or_default();
        let metadata = &snapshot.metadata;
        let code = code_version::of(&root, &metadata.conf_source, &metadata.secret_patterns).await;
        (Arc::new(snapshot), code, found)
    };
    let ((snapshot, code, found), python_version) = tokio::join!(code, python_version(&python));
    let surroundings =
        Surroundings { snapshot, python_version, apart, load_versions, ..Surroundings::default() };
    let found =
        tokio::task::spawn_blocking(move || further(surroundings, &root, (code, found), &python))
            .await;
    found.unwrap_or_default()
}

/// The definitions that the run's nodes use.
fn definitions(snapshot: &Snapshot, request: &RunRequest) -> Found {
    let Some(pipeline) = plan::pipeline(snapshot, request) else { return Found::default() };
    let chosen = request.slice.apply(&pipeline).ok();
    let chosen: Option<HashSet<&str>> =
        chosen.as_ref().map(|names| names.iter().map(String::as_str).collect());
    // Without a slice that can be told, the run may have any of the nodes.
    let runs =
        |node: &&Arc<Node>| chosen.as_ref().is_none_or(|names| names.contains(node.name.as_str()));
    Found::of(snapshot, pipeline.nodes.iter().filter(runs))
}

/// Adds the data read from the disk and from the store.
fn further(
    mut surroundings: Surroundings,
    root: &Path,
    code: (Option<code_version::Code>, Found),
    python: &str,
) -> Surroundings {
    surroundings.shared = staleness::shared_paths(&surroundings.snapshot).into_iter().collect();
    surroundings.installed = Looker::default().look(Path::new(python)).clone();
    match keep(root, code, &surroundings) {
        Ok(kept) => {
            surroundings.code = kept.code;
            surroundings.parameters = Some(kept.parameters);
            surroundings.definitions = kept.definitions;
            surroundings.key = kept.key;
        }
        Err(error) => tracing::debug!(%error, "code and parameters are not kept"),
    }
    match Store::new(root).fingerprints(&surroundings.snapshot.env) {
        Ok(fingerprints) => surroundings.made = made(&surroundings.snapshot, fingerprints),
        Err(error) => tracing::debug!(%error, "what earlier runs made is not known"),
    }
    surroundings
}

/// Contents of datasets that no file shows, from the last fingerprint that lists them. Fingerprints of nodes
/// that were removed, or whose outputs changed, are ignored.
fn made(
    snapshot: &Snapshot,
    mut fingerprints: Vec<crate::store::StoredFingerprint>,
) -> HashMap<String, Content> {
    let makes: HashSet<(&str, &str)> =
        makers(snapshot.nodes()).map(|(dataset, node)| (&*node.name, dataset)).collect();
    fingerprints.sort_by_key(|fingerprint| fingerprint.run);
    let mut made: HashMap<String, Content> = HashMap::new();
    for stored in fingerprints {
        let Ok(fingerprint) = serde_json::from_str::<Fingerprint>(&stored.json) else { continue };
        made.extend(fingerprint.outputs.into_iter().filter(|(dataset, content)| {
            matches!(content, Content::Made(_) | Content::Kept(_))
                && makes.contains(&(stored.node.as_str(), dataset.as_str()))
        }));
    }
    made
}

/// The stored parts of a run's surroundings.
struct Kept {
    code: Option<CodeVersion>,
    /// Hash of the parameters' text.
    parameters: String,
    /// Hash of the definitions' text.
    definitions: Option<String>,
    key: Option<Key>,
}

/// Stores the texts of the diff, the definitions and the parameters; secrets are replaced by marks.
fn keep(
    root: &Path,
    (code, mut found): (Option<code_version::Code>, Found),
    surroundings: &Surroundings,
) -> Result<Kept, StoreError> {
    let mut store = Store::new(root);
    let key = store.new_key()?;
    let mask = |secret: &str| key.map_or(SECRET.into(), |key| key.mark_of(secret));
    let code = match code {
        Some(code_version::Code { mut version, diff }) => {
            let diff = diff.map(|diff| redact_diff(&diff, &mask));
            version.diff = diff.map(|diff| store.keep_text(&diff)).transpose()?;
            Some(version)
        }
        None => None,
    };
    let parameters = &surroundings.snapshot.parameters.value;
    let parameters = store.keep_text(&kept_json(parameters, key.as_ref()).to_string())?;
    for node in found.nodes.clone() {
        let (facts, _) =
            staleness::facts(&surroundings.snapshot, &node, &surroundings.installed, key.as_ref());
        found.add_facts(&node.name, facts);
    }
    let definitions = found.keep(&mut store, &mask)?;
    Ok(Kept { code, parameters, definitions, key })
}

/// The version that the interpreter prints; nothing of the project or its packages is imported.
async fn python_version(python: &str) -> Option<String> {
    let code = "import sys; print('%d.%d.%d' % sys.version_info[:3])";
    let output = tokio::process::Command::new(python)
        .args(["-I", "-S", "-c", code])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LIMIT, output).await.ok()?.ok()?;
    let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !version.is_empty()).then_some(version)
}

/// How long a tracking server may take to find the run.
const TRACKING: Duration = Duration::from_secs(2);

/// Most metrics that are kept of a run.
const METRICS: usize = 100;

/// The MLflow run that a run has logged to, if it is certain, and its metrics. `known` is its id, if the worker has
/// reported it.
pub(super) fn mlflow_run(
    snapshot: &Snapshot,
    known: Option<String>,
    begin: f64,
    end: f64,
) -> Option<(String, BTreeMap<String, f64>)> {
    let root = &snapshot.metadata.root;
    let location = tracking::choose(root, Some(&snapshot.env), None).ok()?.location?;
    if let tracking::Location::Project(..) = location {
        return None;
    }
    let store = tracking::Store::open(&location, tracking::workspace().as_deref()).ok()?;
    let store = store.hurried(TRACKING);
    let id = known.or_else(|| tracking::run_between(root, &store, begin, end).ok().flatten())?;
    let tracked = store.run(&id).ok().flatten().unwrap_or_default();
    // Metrics of the machine say nothing about the run's result.
    let metrics = tracked
        .metrics
        .into_iter()
        .filter(|(name, value)| value.is_finite() && !name.starts_with("system/"));
    Some((id, metrics.take(METRICS).collect()))
}

/// Examines the files of the datasets that the run `id` loaded and saved. Returns the records of datasets
/// that have a file, and the contents.
pub(super) fn look(
    surroundings: &Surroundings,
    id: RunId,
    moved: Vec<DatasetRecord>,
) -> (Vec<DatasetRecord>, Vec<Moved>) {
    let snapshot = &surroundings.snapshot;
    let root = &snapshot.metadata.root;
    // A dataset that several nodes load is examined once.
    let mut seen: HashMap<(String, bool), (Content, Option<String>)> = HashMap::new();
    let mut found = Vec::new();
    let mut contents = Vec::new();
    for mut record in moved {
        if record.stamp.is_some() {
            found.push(record);
            continue;
        }
        let base = strip_transcoding(&record.dataset).to_owned();
        let saved = record.direction == Direction::Save;
        let dataset = snapshot.datasets.get(&record.dataset).filter(|dataset| !dataset.in_memory());
        let Some(dataset) = dataset else {
            if saved {
                contents.push(((base, Direction::Save), Content::Made(id)));
            }
            continue;
        };
        let version = surroundings.load_versions.get(&record.dataset).filter(|_| !saved);
        let key = (record.dataset.clone(), version.is_some());
        if saved {
            seen.remove(&key);
        }
        let moved = surroundings.apart.as_ref().and_then(|folder| apart(root, folder, dataset));
        let dataset = moved.as_ref().unwrap_or(dataset);
        let pinned = version.and_then(|version| datasets::at_version(dataset, version));
        let dataset = pinned.as_ref().unwrap_or(dataset);
        let (content, metrics) = seen.entry(key).or_insert_with(|| {
            let metrics = datasets::metrics(root, dataset);
            let metrics = metrics.and_then(|metrics| serde_json::to_string(&metrics).ok());
            (staleness::content(root, dataset, |_, _| None), metrics)
        });
        if let Content::File { bytes, modified, hash } = content {
            let (bytes, modified, hash) = (*bytes, *modified, hash.clone());
            record.bytes = Some(bytes);
            record.stamp = Some(datasets::Stamp { bytes, modified, hash }.to_string());
            record.metrics.clone_from(metrics);
        }
        let direction = record.direction;
        if record.bytes.is_some() {
            found.push(record);
        }
        match content {
            Content::File { .. } | Content::Missing if !surroundings.shared.contains(&base) => {
                contents.push(((base, direction), content.clone()));
            }
            _ if saved => contents.push(((base, direction), Content::Made(id))),
            _ => {}
        }
    }
    (found, contents)
}

/// The dataset with its path moved to `folder`, where the run saves; `None` if the run did not save it.
fn apart(root: &Path, folder: &Path, dataset: &Dataset) -> Option<Dataset> {
    let path = root.join(dataset.filepath.as_ref()?);
    let moved = folder.join(path.strip_prefix(root).ok()?);
    let filepath = moved.exists().then(|| moved.display().to_string());
    Some(Dataset { filepath: Some(filepath?), ..dataset.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Pipeline;
    use crate::store::run_id;

    #[test]
    fn the_last_content_by_a_node_that_still_makes_it_counts() {
        let node = |name: &str, outputs: &[&str]| {
            let outputs = outputs.iter().map(|&output| output.to_owned()).collect();
            Arc::new(Node { name: name.into(), outputs, ..Node::default() })
        };
        let nodes = vec![node("new name", &["table@spark"]), node("other", &["row"])];
        let pipeline = Pipeline { nodes, ..Pipeline::default() };
        let snapshot = Snapshot { pipelines: vec![pipeline], ..Snapshot::default() };
        let fingerprint = |node: &str, run, outputs: &[&str]| {
            let run = run_id(run);
            let outputs = outputs.iter().map(|&output| (output.to_owned(), Content::Made(run)));
            let fingerprint = Fingerprint { outputs: outputs.collect(), ..Fingerprint::default() };
            let json = serde_json::to_string(&fingerprint).unwrap();
            crate::store::StoredFingerprint { node: node.into(), run, json }
        };
        let fingerprints = vec![
            fingerprint("new name", 3, &["table"]),
            fingerprint("new name", 2, &["table"]),
            fingerprint("old name", 4, &["table"]),
            fingerprint("other", 5, &["table", "row"]),
        ];
        let made = made(&snapshot, fingerprints);
        assert_eq!(made["table"], Content::Made(run_id(3)));
        assert_eq!(made["row"], Content::Made(run_id(5)));
    }
}
