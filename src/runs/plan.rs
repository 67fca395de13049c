//! The plan of a run, made before it starts: which nodes run and why, and the source of each input.
//!
//! Kedro refuses a node whose input is in memory only. This module takes such an input from the store, where
//! an earlier run left it, and adds the nodes that make missing inputs.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::request::RunRequest;
use crate::dag::{Slice, SliceError};
use crate::datasets;
use crate::project::reader::runtime_params;
use crate::project::{
    Dataset, Node, Options, Pipeline, Problem, Reader, Severity, Snapshot, Value, is_parameter,
    makers, strip_transcoding, undefined_param,
};
use crate::store::{Kept, RunId, Store, StoreError, Target};

/// Largest dataset that is kept, in bytes: pickling it takes about a second.
const LARGEST: u64 = 1 << 30;
/// Most bytes that kept datasets may take in total.
pub const BUDGET: u64 = 4 << 30;

/// What a run will do.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plan {
    /// The nodes in the order in which they run.
    pub nodes: Vec<PlannedNode>,
    /// The source of each input that none of these nodes makes; parameters are left out.
    pub inputs: Vec<PlannedInput>,
}

/// A node that will run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedNode {
    /// Name of the node.
    pub name: String,
    /// The missing dataset for which this node was added; `None` for a node that was requested.
    pub makes: Option<String>,
}

/// An input of the nodes that will run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedInput {
    /// The dataset, transcoding stripped.
    pub dataset: String,
    /// The source of the dataset.
    #[serde(flatten)]
    pub from: InputSource,
}

/// The source of an input.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum InputSource {
    /// An existing file or folder.
    File {
        /// Its path as configured.
        path: String,
    },
    /// A dataset that an earlier run kept.
    Kept {
        /// Number of that run.
        run: RunId,
        /// Size of the file in bytes.
        bytes: u64,
        /// Name of the file in the store.
        file: String,
    },
    /// A table, a service or another machine: only loading shows whether the data exists.
    Elsewhere,
    /// No source: the run will fail.
    Missing,
}

/// A run that is ready to be started.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prepared {
    /// The request for the worker: as given, or with the nodes added that have to run before.
    pub request: RunRequest,
    /// The plan; `None` where too little of the project could be read.
    pub plan: Option<Plan>,
    /// Why Kedro will refuse the request, if known.
    pub refused: Option<SliceError>,
    /// Warnings about the request: runtime parameters that nothing defines.
    pub warnings: Vec<Problem>,
    /// Whether the reading found an error, or an input has no source.
    pub has_errors: bool,
    /// What the run writes in the project's data, as far as this is known.
    pub writes: Vec<Target>,
    memory: Json,
}

impl Prepared {
    /// A run exactly as `kedro run` does it: no nodes added, no kept datasets loaded or stored.
    pub fn as_asked(request: RunRequest) -> Self {
        Prepared { request, ..Prepared::default() }
    }

    /// The files of kept datasets that the run loads, by dataset.
    pub fn taken(&self) -> HashMap<String, String> {
        let inputs = self.plan.iter().flat_map(|plan| &plan.inputs);
        inputs
            .filter_map(|input| match &input.from {
                InputSource::Kept { file, .. } => Some((input.dataset.clone(), file.clone())),
                _ => None,
            })
            .collect()
    }

    /// The request in the worker's protocol.
    pub(super) fn to_json(&self) -> Json {
        let mut request = super::process::run(&self.request);
        if let Json::Object(memory) = &self.memory {
            for (key, value) in memory {
                request[key] = value.clone();
            }
        }
        request
    }
}

/// The options for reading the project for this run.
pub(super) fn options(request: &RunRequest) -> Options {
    Options {
        env: request.env.clone(),
        runtime_params: runtime_params(&request.params),
        conf_source: request.conf_source.as_ref().map(PathBuf::from),
        ..Options::default()
    }
}

/// Prepares a run of the project in `root`: reads the project, checks which inputs exist, and creates the
/// folders for kept datasets and for the run's own data. Blocks.
///
/// # Errors
/// When the run is to save to its own folder, and that folder can't be created.
pub fn prepare(root: &Path, request: RunRequest) -> Result<Prepared, StoreError> {
    let mut prepared = foresee(root, request);
    let mut store = Store::new(root);
    if let Some(folder) = &prepared.request.apart {
        store.make_apart(folder)?;
    }
    match store.keeping() {
        Ok(Some(place)) => {
            prepared.memory["keep"]["folder"] = json!(place.folder);
            prepared.memory["keep"]["line"] = json!(place.line);
        }
        Ok(None) => {}
        // Recording the run fails for the same reason and reports it to the user.
        Err(error) => tracing::warn!(%error, "nothing is kept of this run"),
    }
    Ok(prepared)
}

/// The plan of a run of the project in `root`; nothing is created. Blocks.
pub fn foresee(root: &Path, request: RunRequest) -> Prepared {
    let snapshot = Reader::new(root.to_owned()).read(&options(&request));
    let mut store = Store::new(root);
    // If the store can't be read, there are no kept datasets.
    let kept = store.kept(&snapshot.env).unwrap_or_default();
    let planned = plan(&snapshot, &request, &kept);
    let mut prepared = Prepared { request, ..Prepared::default() };
    let undefined = snapshot.undefined_params.iter();
    prepared.warnings = undefined.map(|name| undefined_param(&snapshot, name)).collect();
    prepared.has_errors =
        snapshot.problems.iter().any(|problem| problem.severity == Severity::Error);
    let planned = match planned {
        Some(Ok(plan)) => Some(plan),
        Some(Err(error)) => {
            prepared.refused = Some(error);
            None
        }
        None => None,
    };
    if let Some(plan) = planned {
        if plan.nodes.iter().any(|node| node.makes.is_some()) {
            prepared.request.slice = Slice::nodes(plan.nodes.iter().map(|node| &node.name));
        }
        prepared.writes = writes(&snapshot, &plan, &prepared.request);
        prepared.has_errors |= plan.inputs.iter().any(|input| input.from == InputSource::Missing);
        prepared.plan = Some(plan);
    }
    let never: Vec<&String> = snapshot
        .datasets
        .values()
        .filter(|dataset| !dataset.in_memory() || !to_keep(dataset))
        .map(|dataset| &dataset.name)
        .collect();
    prepared.memory = json!({
        "keep": {
            "most": LARGEST,
            "never": never,
            "only_take": prepared.request.apart.is_some(),
        },
        "kept": prepared.taken(),
        "group": true,
    });
    prepared
}

/// The plan of a run; `None` where the pipeline is not completely known. A slice that Kedro will refuse is an
/// error.
pub fn plan(
    snapshot: &Snapshot,
    request: &RunRequest,
    kept: &[Kept],
) -> Option<Result<Plan, SliceError>> {
    if request.only_missing_outputs || request.config.is_some() {
        return None;
    }
    let pipeline = pipeline(snapshot, request).filter(|pipeline| pipeline.complete)?;
    let pipeline = pipeline.as_ref();
    let asked = match request.slice.apply(pipeline) {
        Ok(asked) => asked,
        Err(error) => return Some(Err(error)),
    };
    let nodes: HashMap<&str, &Node> =
        pipeline.nodes.iter().map(|node| (node.name.as_str(), &**node)).collect();
    let makers: HashMap<&str, &str> = makers(pipeline.nodes.iter().map(|node| &**node))
        .map(|(dataset, node)| (dataset, node.name.as_str()))
        .collect();
    let kept: HashMap<&str, &Kept> = kept.iter().map(|one| (one.dataset.as_str(), one)).collect();

    let mut why: HashMap<&str, Option<&str>> =
        asked.iter().map(|name| (name.as_str(), None)).collect();
    let mut found: IndexMap<&str, InputSource> = IndexMap::new();
    let mut open: Vec<&str> = asked.iter().map(String::as_str).collect();
    while let Some(name) = open.pop() {
        for input in nodes.get(name).into_iter().flat_map(|node| &node.inputs) {
            let dataset = strip_transcoding(input);
            if is_parameter(input) || found.contains_key(dataset) {
                continue;
            }
            let from = match makers.get(dataset) {
                Some(maker) if why.contains_key(maker) => continue,
                Some(maker) => match look(snapshot, dataset, &kept) {
                    InputSource::Missing => {
                        why.insert(maker, Some(dataset));
                        open.push(maker);
                        continue;
                    }
                    from => from,
                },
                None => look(snapshot, dataset, &kept),
            };
            found.insert(dataset, from);
        }
    }
    let planned: Vec<PlannedNode> = pipeline
        .nodes
        .iter()
        .filter_map(|node| {
            let makes = why.get(node.name.as_str())?.map(str::to_owned);
            Some(PlannedNode { name: node.name.clone(), makes })
        })
        .collect();
    // An input that was resolved first may be made by a node that was added later.
    let made: HashSet<&str> = planned
        .iter()
        .flat_map(|node| &nodes[node.name.as_str()].outputs)
        .map(|output| strip_transcoding(output))
        .collect();
    let inputs = found
        .into_iter()
        .filter(|(dataset, _)| !made.contains(dataset))
        .map(|(dataset, from)| PlannedInput { dataset: dataset.to_owned(), from });
    Some(Ok(Plan { nodes: planned, inputs: inputs.collect() }))
}

/// The pipeline to slice: the requested one, or the sum of several. `None` where one of them does not exist.
pub fn pipeline<'a>(snapshot: &'a Snapshot, request: &RunRequest) -> Option<Cow<'a, Pipeline>> {
    let named = |name: &str| snapshot.pipeline(name);
    let [first, others @ ..] = request.pipelines.as_slice() else {
        return named(request.pipeline.as_deref().unwrap_or("__default__")).map(Cow::Borrowed);
    };
    let mut sum = named(first)?.clone();
    for other in others {
        let other = named(other)?;
        sum.complete &= other.complete;
        for node in &other.nodes {
            if !sum.nodes.iter().any(|known| known.name == node.name) {
                sum.nodes.push(node.clone());
            }
        }
    }
    Some(Cow::Owned(sum))
}

fn look(snapshot: &Snapshot, name: &str, kept: &HashMap<&str, &Kept>) -> InputSource {
    let dataset = snapshot.datasets.get(name).or_else(|| {
        snapshot.datasets.values().find(|dataset| strip_transcoding(&dataset.name) == name)
    });
    let Some(dataset) = dataset.filter(|dataset| !dataset.in_memory()) else {
        return match kept.get(name) {
            Some(one) => {
                InputSource::Kept { run: one.run, bytes: one.bytes, file: one.file.clone() }
            }
            None => InputSource::Missing,
        };
    };
    match datasets::status(&snapshot.metadata.root, dataset) {
        datasets::DatasetStatus::Present { .. } => {
            InputSource::File { path: datasets::filepath(dataset).unwrap_or_default().to_owned() }
        }
        datasets::DatasetStatus::Missing => InputSource::Missing,
        datasets::DatasetStatus::Elsewhere | datasets::DatasetStatus::NoFile => {
            InputSource::Elsewhere
        }
    }
}

/// What the nodes of a plan write: the absolute path of each dataset, or environment and name of one without a path.
/// Datasets in memory, versions of their own, and what is saved apart disturb no other run.
fn writes(snapshot: &Snapshot, plan: &Plan, request: &RunRequest) -> Vec<Target> {
    if request.apart.is_some() {
        return Vec::new();
    }
    let names: HashSet<&str> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
    let outputs = snapshot
        .nodes()
        .filter(|node| names.contains(node.name.as_str()))
        .flat_map(|node| &node.outputs);
    let target = |dataset: &Dataset| match datasets::filepath(dataset) {
        Some(path) => datasets::local(&snapshot.metadata.root, path)
            .map_or_else(|| path.to_owned(), |path| path.display().to_string()),
        None => format!("{}: {}", snapshot.env, strip_transcoding(&dataset.name)),
    };
    let saved = outputs.filter_map(|name| snapshot.datasets.get(name));
    let saved = saved.filter(|dataset| !dataset.in_memory() && !dataset.versioned);
    saved.map(target).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether the dataset may be kept: its `metadata` does not have `mlops-tui: {keep: false}`.
fn to_keep(dataset: &Dataset) -> bool {
    let metadata = dataset.definition.value.get("metadata");
    let own = metadata.and_then(|metadata| metadata.value.get("mlops-tui"));
    let keep = own.and_then(|own| own.value.get("keep"));
    !matches!(keep.map(|keep| &keep.value), Some(Value::Bool(false)))
}

impl Plan {
    /// The plan as lines of text: nodes, with the reason for those that were added, and the source of each
    /// input.
    pub fn lines(&self) -> Vec<String> {
        let s = if self.nodes.len() == 1 { "" } else { "s" };
        let mut lines = vec![format!("Runs {} node{s}:", self.nodes.len())];
        let widest = |names: &mut dyn Iterator<Item = &String>| {
            names.map(|name| crate::text::width(name)).max().unwrap_or(0)
        };
        let pad = |name: &str, width: usize| format!("  {}", crate::text::pad(name, width + 2));
        let width = widest(&mut self.nodes.iter().map(|node| &node.name));
        for node in &self.nodes {
            let why = match &node.makes {
                Some(dataset) => format!("makes {dataset}, which is missing"),
                None => "asked for".into(),
            };
            lines.push(pad(&node.name, width) + &why);
        }
        if !self.inputs.is_empty() {
            lines.push("Takes:".into());
        }
        let width = widest(&mut self.inputs.iter().map(|input| &input.dataset));
        for input in &self.inputs {
            lines.push(pad(&input.dataset, width) + &input.from.text());
        }
        lines
    }

    /// Notes for the user before the run: nodes that were added, inputs taken from an earlier run, and
    /// missing inputs. Empty when there is nothing to note.
    pub fn notes(&self) -> Vec<String> {
        let added = self.nodes.iter().filter_map(|node| {
            let dataset = node.makes.as_ref()?;
            Some(format!("{} runs too: {dataset} is missing", node.name))
        });
        let taken = self.inputs.iter().filter_map(|input| match &input.from {
            InputSource::Kept { .. } | InputSource::Missing => {
                Some(format!("{}: {}", input.dataset, input.from.text()))
            }
            InputSource::File { .. } | InputSource::Elsewhere => None,
        });
        added.chain(taken).collect()
    }
}

impl InputSource {
    fn text(&self) -> String {
        match self {
            InputSource::File { path } => path.clone(),
            InputSource::Kept { run, bytes, .. } => {
                format!("kept from run {run} ({})", crate::text::size_text(*bytes))
            }
            InputSource::Elsewhere => "known when it is loaded".into(),
            InputSource::Missing => "missing, and no node makes it".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Metadata;
    use crate::store::run_id;

    /// `a -> x -> b -> y -> c`, and `d` makes a file `z` from `y`; `files` are in the catalog.
    fn snapshot(root: &Path, files: &[&str]) -> Snapshot {
        let node = |name: &str, input: &str, output: &str| {
            let (inputs, outputs) = (vec![input.to_owned()], vec![output.to_owned()]);
            std::sync::Arc::new(Node { name: name.into(), inputs, outputs, ..Node::default() })
        };
        let nodes = vec![
            node("a", "params:p", "x"),
            node("b", "x", "y@one"),
            node("c", "y@two", "out"),
            node("d", "y@one", "z"),
        ];
        let dataset = |name: &&str| {
            let dataset = Dataset {
                name: (*name).to_owned(),
                type_name: "json.JSONDataset".into(),
                filepath: Some(format!("{name}.json")),
                ..Dataset::default()
            };
            ((*name).to_owned(), dataset)
        };
        Snapshot {
            metadata: Metadata { root: root.to_owned(), ..Metadata::default() },
            pipelines: vec![Pipeline {
                name: "__default__".into(),
                nodes,
                complete: true,
                ..Pipeline::default()
            }],
            datasets: files.iter().map(dataset).collect(),
            ..Snapshot::default()
        }
    }

    fn planned(snapshot: &Snapshot, slice: Slice, kept: &[&str]) -> Plan {
        let kept: Vec<Kept> = kept
            .iter()
            .map(|name| Kept {
                dataset: (*name).to_owned(),
                file: String::new(),
                bytes: 0,
                node: String::new(),
                run: run_id(7),
                made_at: 0.0,
            })
            .collect();
        plan(snapshot, &RunRequest { slice, ..RunRequest::default() }, &kept).unwrap().unwrap()
    }

    fn names(plan: &Plan) -> Vec<(&str, Option<&str>)> {
        plan.nodes.iter().map(|node| (node.name.as_str(), node.makes.as_deref())).collect()
    }

    #[test]
    fn missing_inputs_are_made_and_kept_inputs_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = snapshot(folder.path(), &[]);
        let alone = planned(&nothing, Slice::nodes(["c"]), &[]);
        assert_eq!(names(&alone), [("a", Some("x")), ("b", Some("y")), ("c", None)]);
        assert!(alone.inputs.is_empty());
        let half = planned(&nothing, Slice::nodes(["c"]), &["x"]);
        assert_eq!(names(&half), [("b", Some("y")), ("c", None)]);
        assert_eq!(half.notes()[1], "x: kept from run 7 (0 B)");
        let all = planned(&nothing, Slice::nodes(["c"]), &["x", "y"]);
        assert_eq!(names(&all), [("c", None)]);
        // An input that a node of the run makes is not taken from an older run.
        let chain = planned(&nothing, Slice::nodes(["a", "b", "c"]), &["x", "y"]);
        assert!(chain.inputs.is_empty() && chain.notes().is_empty(), "{chain:?}");
    }

    #[test]
    fn an_existing_file_is_taken_and_a_missing_one_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let project = snapshot(folder.path(), &["x", "y@one", "y@two"]);
        let missing = planned(&project, Slice::nodes(["d"]), &["x", "y"]);
        assert_eq!(missing.nodes.len(), 3, "what was kept of a dataset with a file is outdated");
        std::fs::write(folder.path().join("y@one.json"), "1").unwrap();
        let there = planned(&project, Slice::nodes(["d"]), &[]);
        assert_eq!(names(&there), [("d", None)]);
        assert_eq!(there.inputs[0].from, InputSource::File { path: "y@one.json".into() });
        let both = planned(&project, Slice::nodes(["b", "d"]), &[]);
        assert_eq!(names(&both), [("a", Some("x")), ("b", None), ("d", None)]);
        assert!(both.inputs.is_empty());
    }

    #[test]
    fn an_unknown_pipeline_has_no_plan() {
        let folder = tempfile::tempdir().unwrap();
        let mut project = snapshot(folder.path(), &[]);
        let request = RunRequest { slice: Slice::nodes(["gone"]), ..RunRequest::default() };
        assert!(plan(&project, &request, &[]).unwrap().is_err());
        project.pipelines[0].complete = false;
        assert!(plan(&project, &request, &[]).is_none());
    }
}
