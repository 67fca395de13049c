//! Comparison of two runs: differences in the request, the code, the nodes and the data.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value as Json;

use super::code::{self, CodeChange, DefinitionChange, SettingChange};
use super::why::{Cause, causes};
use super::{from_rows, request};
use crate::project::{Snapshot, strip_transcoding};
use crate::runs::{Failure, RunEvent, params};
use crate::store::{
    DatasetRecord, Direction, NodeOutcome, NodeRecord, Outcome, RunId, RunPair, RunRecord, Store,
    StoreError,
};
use crate::text::secrets;

/// A run with all its data that is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole {
    /// The number of the run.
    pub id: RunId,
    /// The run's record.
    pub run: RunRecord,
    /// Its nodes, in the run's order.
    pub nodes: Vec<NodeRecord>,
    /// The datasets that it loaded and saved.
    pub datasets: Vec<DatasetRecord>,
    /// All its parameters, resolved.
    pub parameters: Option<Json>,
    /// The stored diff of its code to its commit.
    pub diff: Option<String>,
    /// Why it failed: the failed node's exception, else the run's.
    pub failure: Option<Failure>,
}

/// A value that differs between two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What the value is, such as a dotted parameter key.
    pub name: String,
    /// Value in the first run; null where it has none.
    pub first: Json,
    /// Value in the second run; null where it has none.
    pub second: Json,
}

/// A node in two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeChange {
    /// Name of the node.
    pub node: String,
    /// Its outcome in each run; `None` where the run did not include the node.
    pub outcomes: (Option<NodeOutcome>, Option<NodeOutcome>),
    /// Its duration in each run, in seconds.
    pub seconds: (Option<f64>, Option<f64>),
    /// The file of its function, when that file differs between the runs.
    pub file: Option<String>,
    /// The names of the changed definitions that it uses; see [`CodeChange::definitions`].
    pub code: Vec<String>,
}

/// A dataset in two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DatasetChange {
    /// Name of the dataset.
    pub dataset: String,
    /// Whether the dataset was loaded or saved.
    pub direction: Direction,
    /// Size in each run, in bytes.
    pub bytes: (Option<u64>, Option<u64>),
    /// Whether the content was the same; `None` when that is not known.
    pub same: Option<bool>,
    /// For metrics: the numbers in the file that differ.
    pub metrics: Vec<Change>,
}

/// Two runs compared. Lists of changes hold only differences; nodes and datasets are listed completely.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The two runs.
    pub runs: RunPair,
    /// Differences in the request and the versions: pipeline, slice, environment, Kedro and so on.
    pub facts: Vec<Change>,
    /// Differences in the parameters and configuration that the runs were given as overrides.
    pub overrides: Vec<Change>,
    /// Differences in the resolved parameters, by dotted keys; `None` when they were not stored for both.
    pub parameters: Option<Vec<Change>>,
    /// Differences in the metrics.
    pub metrics: Vec<Change>,
    /// Differences in the code.
    pub code: CodeChange,
    /// Differences in what the nodes of both runs ran with, other than code; `None` when it was not kept of both.
    pub settings: Option<Vec<SettingChange>>,
    /// What may have caused the different results, the most likely first.
    pub causes: Vec<Cause>,
    /// The nodes of both runs: in the second run's order, then those of the first run alone.
    pub nodes: Vec<NodeChange>,
    /// The datasets of both runs, by name: inputs and saved datasets.
    pub datasets: Vec<DatasetChange>,
}

/// Reads a run with all its data that is compared; `None` when there is no run with that number.
///
/// # Errors
/// When the store can't be read.
pub fn whole(store: &mut Store, id: RunId) -> Result<Option<Whole>, StoreError> {
    let Some(run) = store.run(id)? else { return Ok(None) };
    let mut text = |hash: Option<&String>| match hash {
        Some(hash) => store.text(hash),
        None => Ok(None),
    };
    let parameters = text(run.parameters.as_ref())?;
    let diff = text(run.code.as_ref().and_then(|code| code.diff.as_ref()))?;
    let nodes = store.nodes(id)?;
    let failure = failure(store, id, &run, &nodes)?;
    Ok(Some(Whole {
        id,
        nodes,
        failure,
        datasets: store.datasets(id)?,
        parameters: parameters.and_then(|text| serde_json::from_str(&text).ok()),
        diff,
        run,
    }))
}

fn failure(
    store: &mut Store,
    id: RunId,
    run: &RunRecord,
    nodes: &[NodeRecord],
) -> Result<Option<Failure>, StoreError> {
    let of_node = nodes.iter().find_map(|node| node.failure.as_deref());
    if let Some(failure) = of_node {
        return Ok(serde_json::from_str(failure).ok());
    }
    if run.outcome != Outcome::Failed {
        return Ok(None);
    }
    let events = from_rows(&store.events(id)?);
    Ok(events.into_iter().rev().find_map(|stamped| match stamped.event {
        RunEvent::RunFailed { failure } => Some(failure),
        _ => None,
    }))
}

/// Compares two runs of the project in `root`. Git lists the changed files when the commits differ;
/// `snapshot` provides the file of each node's function.
pub async fn compare(
    root: &Path,
    snapshot: Option<&Snapshot>,
    first: &Whole,
    second: &Whole,
) -> Comparison {
    let (code, settings) = code::compare(root, first, second).await;
    let parameters = match (&first.parameters, &second.parameters) {
        (Some(first), Some(second)) => Some(changes(&flat(first), &flat(second))),
        _ => None,
    };
    let mut compared = Comparison {
        runs: RunPair { first: first.id, second: second.id },
        facts: changes(&facts(&first.run), &facts(&second.run)),
        overrides: changes(&overrides(&first.run), &overrides(&second.run)),
        parameters,
        metrics: changes(&metrics(&first.run), &metrics(&second.run)),
        nodes: nodes(first, second, &files_of_nodes(snapshot), &code),
        datasets: datasets(first, second),
        code,
        settings,
        causes: Vec::new(),
    };
    compared.causes = causes(first, second, &compared);
    compared
}

/// Values by name, in display order.
type Values = IndexMap<String, Json>;

/// The values that differ between the two.
fn changes(first: &Values, second: &Values) -> Vec<Change> {
    let names = second.keys().chain(first.keys().filter(|name| !second.contains_key(*name)));
    let value = |of: &Values, name: &str| of.get(name).cloned().unwrap_or(Json::Null);
    names
        .map(|name| Change {
            name: name.clone(),
            first: value(first, name),
            second: value(second, name),
        })
        .filter(|change| change.first != change.second)
        .map(without_secrets)
        .collect()
}

/// The change as shown to the user: without the marks that replace secrets.
fn without_secrets(change: Change) -> Change {
    let (first, second) = (change.first.to_string(), change.second.to_string());
    let shown = secrets::changed(&first, &second);
    if (&shown.0, &shown.1) == (&first, &second) {
        return change;
    }
    let json = |text: &str| serde_json::from_str(text).unwrap_or_default();
    Change { first: json(&shown.0), second: json(&shown.1), ..change }
}

fn facts(run: &RunRecord) -> Values {
    let request = request(run);
    let slice = serde_json::to_value(&request.slice).unwrap_or_default();
    let mut facts: Values =
        [("pipeline", Json::from(run.new.pipeline.clone())), ("env", run.new.env.clone().into())]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
    if let Json::Object(slice) = slice {
        let chosen = slice.into_iter().filter(|(_, names)| *names != Json::Array(Vec::new()));
        facts.extend(chosen.map(|(name, names)| (name.replace('_', "-"), names)));
    }
    for (name, value) in [
        ("runner", Json::from(request.runner)),
        ("async", request.is_async.into()),
        ("only-missing-outputs", request.only_missing_outputs.into()),
        ("keep-going", request.keep_going.into()),
        ("Kedro", run.kedro_version.clone().into()),
        ("Python", run.python_version.clone().into()),
        ("interpreter", run.new.python.clone().into()),
        ("worker", run.new.worker.clone().into()),
        ("user", run.new.user.clone().into()),
        ("host", run.new.host.clone().into()),
    ] {
        facts.insert(name.to_owned(), value);
    }
    facts
}

fn overrides(run: &RunRecord) -> Values {
    let request = request(run);
    let versions = request.load_versions.into_iter();
    let versions = versions.map(|(name, version)| (format!("load-version {name}"), version.into()));
    let params = request.params.into_iter().map(|(key, text)| (key, params::typed(&text)));
    let conf = request.conf_source.map(|path| ("conf-source".to_owned(), path.into()));
    params.chain(versions).chain(conf).collect()
}

fn metrics(run: &RunRecord) -> Values {
    run.metrics.iter().map(|(name, value)| (name.clone(), Json::from(*value))).collect()
}

/// The leaves of a JSON object by dotted keys; lists are leaves.
fn flat(json: &Json) -> Values {
    fn walk(prefix: &str, json: &Json, found: &mut Values) {
        match json {
            Json::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    let name =
                        if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    walk(&name, value, found);
                }
            }
            _ => drop(found.insert(prefix.to_owned(), json.clone())),
        }
    }
    let mut found = Values::new();
    walk("", json, &mut found);
    found
}

/// The file of each node's function, by node name.
fn files_of_nodes(snapshot: Option<&Snapshot>) -> BTreeMap<String, String> {
    let pipelines = snapshot.into_iter().flat_map(|snapshot| &snapshot.pipelines);
    pipelines
        .flat_map(|pipeline| &pipeline.nodes)
        .filter_map(|node| Some((node.name.clone(), node.source.as_ref()?.filepath.clone())))
        .collect()
}

fn nodes(
    first: &Whole,
    second: &Whole,
    files: &BTreeMap<String, String>,
    code: &CodeChange,
) -> Vec<NodeChange> {
    let find = |of: &Whole, name: &str| of.nodes.iter().find(|node| node.node == name).cloned();
    let only_first =
        first.nodes.iter().filter(|node| !second.nodes.iter().any(|other| other.node == node.node));
    second
        .nodes
        .iter()
        .chain(only_first)
        .map(|node| {
            let (one, two) = (find(first, &node.node), find(second, &node.node));
            let file = files.get(&node.node).filter(|file| code.files.contains(file)).cloned();
            let changed = code.definitions.iter().flatten();
            let used = |one: &&DefinitionChange| one.nodes.contains(&node.node);
            NodeChange {
                node: node.node.clone(),
                outcomes: (
                    one.as_ref().map(|node| node.outcome),
                    two.as_ref().map(|node| node.outcome),
                ),
                seconds: (one.and_then(|node| node.seconds), two.and_then(|node| node.seconds)),
                file,
                code: changed.filter(used).map(|one| one.name.clone()).collect(),
            }
        })
        .collect()
}

fn datasets(first: &Whole, second: &Whole) -> Vec<DatasetChange> {
    // If a run loads or saves a dataset several times, the last time counts. Datasets that the run saved
    // itself are not listed again as loaded.
    let by_name = |of: &Whole| -> BTreeMap<(String, u8), DatasetRecord> {
        let saved: BTreeSet<&str> = of
            .datasets
            .iter()
            .filter(|dataset| dataset.direction == Direction::Save)
            .map(|dataset| strip_transcoding(&dataset.dataset))
            .collect();
        of.datasets
            .iter()
            .filter(|dataset| {
                dataset.direction == Direction::Save
                    || !saved.contains(strip_transcoding(&dataset.dataset))
            })
            .map(|dataset| ((dataset.dataset.clone(), dataset.direction as u8), dataset.clone()))
            .collect()
    };
    let (one, two) = (by_name(first), by_name(second));
    let keys: BTreeSet<&(String, u8)> = one.keys().chain(two.keys()).collect();
    keys.into_iter()
        .map(|key| {
            let (one, two) = (one.get(key), two.get(key));
            let stamps = (
                one.and_then(|dataset| dataset.stamp.as_ref()),
                two.and_then(|dataset| dataset.stamp.as_ref()),
            );
            let metrics = |of: Option<&DatasetRecord>| -> Values {
                let text = of.and_then(|dataset| dataset.metrics.as_deref());
                text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
            };
            DatasetChange {
                dataset: key.0.clone(),
                direction: one.or(two).map(|dataset| dataset.direction).unwrap_or_default(),
                bytes: (
                    one.and_then(|dataset| dataset.bytes),
                    two.and_then(|dataset| dataset.bytes),
                ),
                same: stamps.0.zip(stamps.1).map(|(one, two)| one == two),
                metrics: changes(&metrics(one), &metrics(two)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::project::{Node, Pipeline, SourceRange};
    use crate::runs::RunRequest;
    use crate::store::{CodeVersion, NewRun, run_id};

    fn whole_run(id: RunId, params: &str, mae: f64, diff: &str) -> Whole {
        let request = RunRequest {
            params: crate::runs::request::parse_params(params).unwrap(),
            ..RunRequest::default()
        };
        let new = NewRun {
            pipeline: "p".into(),
            request: serde_json::to_string(&request).unwrap(),
            ..NewRun::default()
        };
        let mut run = RunRecord::begun(Some(id), new);
        run.code = Some(CodeVersion { commit: Some("abcdef0".into()), ..CodeVersion::default() });
        let saved = |dataset: &str, stamp: String, metrics: Option<String>| DatasetRecord {
            dataset: dataset.into(),
            direction: Direction::Save,
            bytes: Some(10),
            stamp: Some(stamp),
            metrics,
            ..DatasetRecord::default()
        };
        let node = |name: &str, seconds: f64| NodeRecord {
            node: name.into(),
            outcome: NodeOutcome::Succeeded,
            seconds: Some(seconds),
            ..NodeRecord::default()
        };
        Whole {
            id,
            run,
            nodes: vec![node("train", mae), node(&format!("only_{id}"), 1.0)],
            datasets: vec![
                saved("metrics", mae.to_string(), Some(json!({"mae": mae, "n": 3}).to_string())),
                saved("model", "same".into(), None),
            ],
            parameters: Some(json!({"seed": 1, "model": {"depth": mae, "on": [1]}})),
            diff: Some(diff.into()),
            failure: None,
        }
    }

    #[tokio::test]
    async fn everything_that_differs_is_named() {
        let first = "diff --git a/src/a.py b/src/a.py\nindex 1..2\n+x = 1\n\
                     diff --git a/src/b.py b/src/b.py\nindex 1..3\n+y = 1\n";
        let second = "diff --git a/src/a.py b/src/a.py\nindex 1..9\n+x = 1\n\
                      diff --git a/src/b.py b/src/b.py\nindex 1..3\n+y = 2\n";
        let first = whole_run(run_id(1), "seed=1,pw=<secret 0123456789abcdef>,a=x", 2.0, first);
        let second = whole_run(run_id(2), "seed=2,pw=<secret 0123456789abcde0>,b=y", 3.0, second);
        let node = Node {
            name: "train".into(),
            source: Some(SourceRange { filepath: "src/b.py".into(), line_start: 1, line_end: 2 }),
            ..Node::default()
        };
        let pipeline = Pipeline { nodes: vec![node.into()], ..Pipeline::default() };
        let snapshot = Snapshot { pipelines: vec![pipeline], ..Snapshot::default() };
        let compared = compare(Path::new("/"), Some(&snapshot), &first, &second).await;
        let texts_of = |changes: &[Change]| -> Vec<String> {
            let texts = changes.iter();
            texts
                .map(|change| format!("{} {} {}", change.name, change.first, change.second))
                .collect()
        };
        assert_eq!(texts_of(&compared.facts), [] as [&str; 0]);
        let secrets = "pw \"<secret>\" \"<secret, changed>\"";
        assert_eq!(
            texts_of(&compared.overrides),
            ["seed 1 2", secrets, "b null \"y\"", "a \"x\" null"]
        );
        assert_eq!(texts_of(compared.parameters.as_ref().unwrap()), ["model.depth 2.0 3.0"]);
        assert_eq!(
            (compared.code.files.as_slice(), &compared.code.incomplete),
            (["src/b.py".to_owned()].as_slice(), &None)
        );
        let nodes: Vec<_> = compared
            .nodes
            .iter()
            .map(|node| (node.node.as_str(), node.seconds, node.file.as_deref()))
            .collect();
        assert_eq!(
            nodes,
            [
                ("train", (Some(2.0), Some(3.0)), Some("src/b.py")),
                ("only_2", (None, Some(1.0)), None),
                ("only_1", (Some(1.0), None), None),
            ]
        );
        let metrics = &compared.datasets[0];
        assert_eq!(
            (metrics.same, texts_of(&metrics.metrics)),
            (Some(false), vec!["mae 2.0 3.0".to_owned()])
        );
        assert_eq!(compared.datasets[1].same, Some(true));
    }

    #[tokio::test]
    async fn a_comparison_says_what_it_can_not_compare() {
        let mut first = whole_run(run_id(1), "", 1.0, "");
        let mut second = whole_run(run_id(2), "", 1.0, "");
        second.run.code.as_mut().unwrap().commit = Some("0123456".into());
        first.parameters = None;
        let folder = tempfile::tempdir().unwrap();
        let compared = compare(folder.path(), None, &first, &second).await;
        assert_eq!(compared.parameters, None);
        assert_eq!(
            compared.code.incomplete.as_deref(),
            Some("git does not have both commits here")
        );
        second.run.code = None;
        let compared = compare(folder.path(), None, &first, &second).await;
        assert!(compared.code.incomplete.unwrap().contains("not kept"));
    }
}
