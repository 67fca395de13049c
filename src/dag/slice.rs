//! Selection of a pipeline's nodes as `kedro run` does.
//!
//! Every filter is applied to the whole pipeline and the results are intersected, as `Pipeline.filter` does.
//! A dataset name without transcoding matches all of its transcoded forms; a name with transcoding matches
//! only itself.

use std::collections::HashMap;

use petgraph::Direction as Way;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Reversed;
use serde::{Deserialize, Serialize};

use super::graph::reached;
use super::{Graph, Id, VertexKind};
use crate::project::{Node, Pipeline, strip_transcoding};
use crate::text::{closest, is_within};

/// The filters of Kedro's `Pipeline.filter`. An empty list does not filter; several filters select the nodes
/// that pass all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slice {
    /// `--from-nodes`: these nodes and their descendants.
    pub from_nodes: Vec<String>,
    /// `--to-nodes`: these nodes and their ancestors.
    pub to_nodes: Vec<String>,
    /// `--nodes`: exactly these nodes.
    pub nodes: Vec<String>,
    /// `--from-inputs`: the nodes that depend on these datasets.
    pub from_inputs: Vec<String>,
    /// `--to-outputs`: the nodes that these datasets depend on.
    pub to_outputs: Vec<String>,
    /// `--tags`: nodes with any of these tags.
    pub tags: Vec<String>,
    /// `--namespaces`: nodes in any of these namespaces.
    pub namespaces: Vec<String>,
}

/// A slice names something that the pipeline does not have, or selects no node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SliceError {
    /// A node, dataset, tag or namespace is not in the pipeline.
    #[error("pipeline `{pipeline}` has no {kind} `{name}`{}", hint.as_ref().map(|hint| format!("; did you mean `{hint}`?")).unwrap_or_default())]
    Missing {
        /// `node`, `dataset`, `tag` or `namespace`.
        kind: &'static str,
        /// The requested name.
        name: String,
        /// Name of the pipeline.
        pipeline: String,
        /// The closest name that exists.
        hint: Option<String>,
    },
    /// No node passes all filters.
    #[error("no node of pipeline `{0}` passes all of the filters; loosen one of them")]
    Empty(String),
}

impl Slice {
    /// A slice of exactly these nodes.
    pub fn nodes(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Slice { nodes: names.into_iter().map(Into::into).collect(), ..Slice::default() }
    }

    /// The slice between two sets of vertices of a whole graph: from and to the nodes themselves; for
    /// datasets, from their readers and to their writers. An empty set is no bound.
    pub fn between(graph: &Graph, from: &[Id], to: &[Id]) -> Self {
        let names = |ids: &[Id], next: &[Vec<Id>]| {
            let is_node = |id: &Id| graph.vertices[*id].kind == VertexKind::Node;
            // Kedro intersects node and dataset filters: a set with both kinds is written as nodes only.
            let mut ids = ids.to_vec();
            let of_nodes = ids.iter().any(is_node);
            if of_nodes {
                let data: Vec<Id> = ids.extract_if(.., |id| !is_node(id)).collect();
                ids.extend(data.iter().flat_map(|id| &next[*id]));
            }
            ids.sort_unstable();
            ids.dedup();
            let names = ids.iter().map(|id| graph.vertices[*id].name.clone()).collect();
            if of_nodes { (names, Vec::new()) } else { (Vec::new(), names) }
        };
        let (from_nodes, from_inputs) = names(from, &graph.children);
        let (to_nodes, to_outputs) = names(to, &graph.parents);
        Slice { from_nodes, to_nodes, from_inputs, to_outputs, ..Slice::default() }
    }

    /// Whether the slice selects the whole pipeline.
    pub fn is_empty(&self) -> bool {
        *self == Slice::default()
    }

    /// The names of the selected nodes in the pipeline's order.
    ///
    /// Duplicate names count once. Unknown tags are ignored if at least one of the tags exists, as in Kedro.
    ///
    /// # Errors
    /// When a name does not exist, or no node is left.
    pub fn apply(&self, pipeline: &Pipeline) -> Result<Vec<String>, SliceError> {
        let links = Links::of(pipeline);
        let mut chosen = vec![true; pipeline.nodes.len()];
        let mut keep = |taken: Vec<bool>| {
            for (chosen, taken) in chosen.iter_mut().zip(taken) {
                *chosen &= taken;
            }
        };
        if !self.tags.is_empty() {
            keep(links.tagged(&self.tags)?);
        }
        if !self.from_nodes.is_empty() {
            keep(links.spread(links.named(&self.from_nodes)?, Way::Outgoing));
        }
        if !self.to_nodes.is_empty() {
            keep(links.spread(links.named(&self.to_nodes)?, Way::Incoming));
        }
        if !self.nodes.is_empty() {
            keep(links.named(&self.nodes)?);
        }
        if !self.from_inputs.is_empty() {
            let readers = links.touching(&self.from_inputs, Way::Outgoing)?;
            keep(links.spread(readers, Way::Outgoing));
        }
        if !self.to_outputs.is_empty() {
            let writers = links.touching(&self.to_outputs, Way::Incoming)?;
            keep(links.spread(writers, Way::Incoming));
        }
        if !self.namespaces.is_empty() {
            keep(links.within(&self.namespaces)?);
        }
        let names: Vec<String> = std::iter::zip(&pipeline.nodes, chosen)
            .filter(|(_, chosen)| *chosen)
            .map(|(node, _)| node.name.clone())
            .collect();
        if names.is_empty() { Err(SliceError::Empty(pipeline.name.clone())) } else { Ok(names) }
    }
}

/// Nodes and datasets without transcoding as a graph. Unlike [`Graph`] it stores no names, so it is faster to
/// build.
struct Links<'a> {
    pipeline: &'a Pipeline,
    /// Node `i` of the pipeline is vertex `i`; datasets follow.
    graph: DiGraph<(), ()>,
    datasets: HashMap<&'a str, NodeIndex>,
}

impl<'a> Links<'a> {
    fn of(pipeline: &'a Pipeline) -> Self {
        let mut graph = DiGraph::new();
        let mut datasets = HashMap::new();
        for _ in &pipeline.nodes {
            graph.add_node(());
        }
        for (node, index) in pipeline.nodes.iter().zip(graph.node_indices()) {
            let mut vertex = |graph: &mut DiGraph<(), ()>, name: &'a String| {
                *datasets.entry(strip_transcoding(name)).or_insert_with(|| graph.add_node(()))
            };
            for input in &node.inputs {
                let dataset = vertex(&mut graph, input);
                graph.add_edge(dataset, index, ());
            }
            for output in &node.outputs {
                let dataset = vertex(&mut graph, output);
                graph.add_edge(index, dataset, ());
            }
        }
        Links { pipeline, graph, datasets }
    }

    /// `start` and all nodes reachable from it in the given direction.
    fn spread(&self, start: Vec<bool>, way: Way) -> Vec<bool> {
        let nodes = start.len();
        let start = (0..nodes).filter(|node| start[*node]).map(NodeIndex::new);
        let reached = match way {
            Way::Outgoing => reached(&self.graph, start),
            Way::Incoming => reached(Reversed(&self.graph), start),
        };
        (0..nodes).map(|node| reached.contains(node)).collect()
    }

    fn named(&self, names: &[String]) -> Result<Vec<bool>, SliceError> {
        let nodes = &self.pipeline.nodes;
        let mut taken = vec![false; nodes.len()];
        for name in names {
            let Some(index) = nodes.iter().position(|node| node.name == *name) else {
                let suffix = format!(".{name}");
                let namespaced = nodes.iter().find(|node| node.name.ends_with(&suffix));
                let existing = || nodes.iter().map(|node| node.name.as_str());
                let hint = namespaced.map(|node| node.name.as_str());
                return Err(self.missing("node", name, hint.or_else(|| closest(name, existing()))));
            };
            taken[index] = true;
        }
        Ok(taken)
    }

    /// The nodes that read one of the datasets (outgoing), or that write one.
    fn touching(&self, names: &[String], way: Way) -> Result<Vec<bool>, SliceError> {
        let side = |node: &'a Node| match way {
            Way::Outgoing => &node.inputs,
            Way::Incoming => &node.outputs,
        };
        let mut taken = vec![false; self.pipeline.nodes.len()];
        for name in names {
            let base = strip_transcoding(name);
            let plain = base == name;
            let found = self.datasets.get(base).copied();
            let found = found.filter(|_| plain || self.names().any(|dataset| dataset == name));
            let Some(dataset) = found else {
                let bases = self.names().map(strip_transcoding).filter(|_| plain);
                let hint = closest(name, self.names().chain(bases));
                return Err(self.missing("dataset", name, hint));
            };
            for node in self.graph.neighbors_directed(dataset, way).map(NodeIndex::index) {
                taken[node] |= plain || side(&self.pipeline.nodes[node]).contains(name);
            }
        }
        Ok(taken)
    }

    fn tagged(&self, tags: &[String]) -> Result<Vec<bool>, SliceError> {
        let nodes = &self.pipeline.nodes;
        let taken: Vec<bool> =
            nodes.iter().map(|node| tags.iter().any(|tag| node.tags.contains(tag))).collect();
        if taken.contains(&true) {
            return Ok(taken);
        }
        let existing = nodes.iter().flat_map(|node| &node.tags).map(String::as_str);
        Err(self.missing("tag", &tags[0], closest(&tags[0], existing)))
    }

    fn within(&self, namespaces: &[String]) -> Result<Vec<bool>, SliceError> {
        let nodes = &self.pipeline.nodes;
        let mut taken = vec![false; nodes.len()];
        for name in namespaces {
            let mut matched = false;
            for (taken, node) in taken.iter_mut().zip(nodes) {
                if node.namespace.as_deref().is_some_and(|namespace| is_within(namespace, name)) {
                    *taken = true;
                    matched = true;
                }
            }
            if !matched {
                let existing =
                    nodes.iter().filter_map(|node| node.namespace.as_deref()).flat_map(prefixes);
                return Err(self.missing("namespace", name, closest(name, existing)));
            }
        }
        Ok(taken)
    }

    /// All dataset names as written in the nodes.
    fn names(&self) -> impl Iterator<Item = &'a str> {
        let nodes = self.pipeline.nodes.iter();
        nodes.flat_map(|node| node.inputs.iter().chain(&node.outputs)).map(String::as_str)
    }

    fn missing(&self, kind: &'static str, name: &str, hint: Option<&str>) -> SliceError {
        SliceError::Missing {
            kind,
            name: name.to_owned(),
            pipeline: self.pipeline.name.clone(),
            hint: hint.map(str::to_owned),
        }
    }
}

/// The namespaces around one: `a.b.c` gives `a`, `a.b` and `a.b.c`.
fn prefixes(namespace: &str) -> impl Iterator<Item = &str> {
    let dots = namespace.match_indices('.').map(|(at, _)| &namespace[..at]);
    dots.chain(std::iter::once(namespace))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn node(name: &str, inputs: &[&str], outputs: &[&str], tags: &[&str]) -> Arc<Node> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Arc::new(Node {
            name: name.to_owned(),
            namespace: name.rsplit_once('.').map(|(namespace, _)| namespace.to_owned()),
            inputs: owned(inputs),
            outputs: owned(outputs),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..Node::default()
        })
    }

    /// `raw` is cleaned and split in two; one half is used for training with Spark; both are joined in a
    /// report. `audit` is separate.
    fn pipeline() -> Pipeline {
        Pipeline {
            name: "demo".to_owned(),
            nodes: vec![
                node("audit", &["log"], &[], &["ops"]),
                node("clean", &["raw", "params:clean"], &["tidy@pandas"], &["prep"]),
                node("split", &["tidy@pandas"], &["left", "right"], &["prep"]),
                node("train.fit", &["tidy@spark", "left"], &["model"], &["ml", "slow"]),
                node("train.deep.tune", &["model"], &["tuned"], &["ml"]),
                node("trainer.score", &["right", "tuned"], &["report"], &[]),
            ],
            complete: true,
            ..Pipeline::default()
        }
    }

    fn list(names: &str) -> Vec<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    fn taken(slice: &Slice) -> String {
        slice.apply(&pipeline()).expect("the slice takes something").join(" ")
    }

    fn refused(slice: &Slice) -> String {
        slice.apply(&pipeline()).expect_err("the slice is refused").to_string()
    }

    #[test]
    fn no_filter_takes_everything_in_pipeline_order() {
        let all = "audit clean split train.fit train.deep.tune trainer.score";
        assert_eq!(taken(&Slice::default()), all);
    }

    #[test]
    fn each_filter_takes_what_kedro_takes() {
        let cases: [(&str, &str, &str); 19] = [
            ("nodes", "split clean", "clean split"),
            ("nodes", "split split", "split"),
            ("from_nodes", "split", "split train.fit train.deep.tune trainer.score"),
            ("from_nodes", "clean", "clean split train.fit train.deep.tune trainer.score"),
            ("from_nodes", "audit", "audit"),
            ("to_nodes", "split", "clean split"),
            ("to_nodes", "train.deep.tune", "clean split train.fit train.deep.tune"),
            ("from_inputs", "raw", "clean split train.fit train.deep.tune trainer.score"),
            ("from_inputs", "params:clean", "clean split train.fit train.deep.tune trainer.score"),
            ("from_inputs", "tidy", "split train.fit train.deep.tune trainer.score"),
            ("from_inputs", "tidy@spark", "train.fit train.deep.tune trainer.score"),
            ("from_inputs", "right log", "audit trainer.score"),
            ("to_outputs", "tidy", "clean"),
            ("to_outputs", "tidy@pandas", "clean"),
            ("to_outputs", "model left", "clean split train.fit"),
            ("tags", "prep slow", "clean split train.fit"),
            ("tags", "prep unknown", "clean split"),
            ("namespaces", "train", "train.fit train.deep.tune"),
            ("namespaces", "train.deep trainer", "train.deep.tune trainer.score"),
        ];
        for (filter, names, expected) in cases {
            let mut slice = Slice::default();
            *field(&mut slice, filter) = list(names);
            assert_eq!(taken(&slice), expected, "{filter}: {names}");
        }
    }

    fn field<'a>(slice: &'a mut Slice, name: &str) -> &'a mut Vec<String> {
        match name {
            "nodes" => &mut slice.nodes,
            "from_nodes" => &mut slice.from_nodes,
            "to_nodes" => &mut slice.to_nodes,
            "from_inputs" => &mut slice.from_inputs,
            "to_outputs" => &mut slice.to_outputs,
            "tags" => &mut slice.tags,
            _ => &mut slice.namespaces,
        }
    }

    #[test]
    fn several_filters_take_what_all_of_them_take() {
        let between = Slice {
            from_nodes: list("split"),
            to_nodes: list("train.deep.tune"),
            ..Slice::default()
        };
        assert_eq!(taken(&between), "split train.fit train.deep.tune");
        assert_eq!(taken(&Slice { tags: list("slow"), ..between }), "train.fit");
    }

    #[test]
    fn filters_apply_to_the_whole_pipeline_and_not_to_each_other() {
        let slice = Slice {
            nodes: list("clean trainer.score"),
            from_inputs: list("raw"),
            ..Slice::default()
        };
        assert_eq!(taken(&slice), "clean trainer.score");
    }

    #[test]
    fn a_missing_name_is_refused_with_the_closest_one() {
        let cases = [
            ("nodes", "cleen", "node `cleen`; did you mean `clean`?"),
            ("from_nodes", "fit", "node `fit`; did you mean `train.fit`?"),
            ("to_nodes", "tune", "node `tune`; did you mean `train.deep.tune`?"),
            ("nodes", "zzzzzzzz", "node `zzzzzzzz`"),
            ("from_inputs", "rav", "dataset `rav`; did you mean `raw`?"),
            ("from_inputs", "tidi", "dataset `tidi`; did you mean `tidy`?"),
            ("from_inputs", "tidy@polars", "dataset `tidy@polars`; did you mean `tidy@pandas`?"),
            ("from_inputs", "raw@pandas", "dataset `raw@pandas`"),
            ("to_outputs", "modell", "dataset `modell`; did you mean `model`?"),
            ("tags", "perp", "tag `perp`; did you mean `prep`?"),
            ("namespaces", "tran", "namespace `tran`; did you mean `train`?"),
            ("namespaces", "train.deeep", "namespace `train.deeep`; did you mean `train.deep`?"),
            ("namespaces", "train.fit", "namespace `train.fit`"),
        ];
        for (filter, names, expected) in cases {
            let mut slice = Slice::default();
            *field(&mut slice, filter) = list(names);
            assert!(
                refused(&slice).starts_with(&format!("pipeline `demo` has no {expected}")),
                "{filter} {names}: {}",
                refused(&slice)
            );
        }
    }

    #[test]
    fn a_slice_that_leaves_nothing_is_refused() {
        let empty = SliceError::Empty("demo".to_owned());
        let cases = [
            Slice { from_inputs: list("report"), ..Slice::default() },
            Slice { to_outputs: list("raw"), ..Slice::default() },
            Slice { to_outputs: list("tidy@spark"), ..Slice::default() },
            Slice { nodes: list("clean"), tags: list("ml"), ..Slice::default() },
        ];
        for slice in cases {
            assert_eq!(slice.apply(&pipeline()), Err(empty.clone()), "{slice:?}");
        }
        assert_eq!(
            Slice::default().apply(&Pipeline::default()),
            Err(SliceError::Empty(String::new()))
        );
    }

    #[test]
    fn a_cycle_of_a_broken_project_is_followed_once() {
        let pipeline = Pipeline {
            nodes: vec![node("a", &["x"], &["y"], &[]), node("b", &["y"], &["x"], &[])],
            ..Pipeline::default()
        };
        let slice = Slice { from_nodes: list("b"), ..Slice::default() };
        assert_eq!(slice.apply(&pipeline), Ok(list("a b")));
    }
}
