//! Choosing nodes of a pipeline as `kedro run` does.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Graph, Kind};
use crate::project::{Node, Pipeline, strip_transcoding};

/// Which nodes of a pipeline to take: the filters of `Pipeline.filter` in Kedro. An empty list
/// filters nothing; several filters take the nodes that all of them take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slice {
    /// `--from-nodes`: these and all that follow from them.
    pub from_nodes: Vec<String>,
    /// `--to-nodes`: these and all that they need.
    pub to_nodes: Vec<String>,
    /// `--nodes`: these alone.
    pub nodes: Vec<String>,
    /// `--from-inputs`: all that follows from these datasets.
    pub from_inputs: Vec<String>,
    /// `--to-outputs`: all that these datasets need.
    pub to_outputs: Vec<String>,
    /// `--tags`: nodes with any of these tags.
    pub tags: Vec<String>,
    /// `--namespaces`: nodes in any of these namespaces.
    pub namespaces: Vec<String>,
}

/// A slice that names what the pipeline does not have, or that leaves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SliceError {
    /// A node, dataset, tag or namespace is not in the pipeline.
    #[error("pipeline `{pipeline}` has no {kind} `{name}`{}", hint.as_ref().map(|hint| format!("; did you mean `{hint}`?")).unwrap_or_default())]
    Missing {
        /// `node`, `dataset`, `tag` or `namespace`.
        kind: &'static str,
        /// The name that was asked for.
        name: String,
        /// The pipeline.
        pipeline: String,
        /// The closest name that exists.
        hint: Option<String>,
    },
    /// No node passes all filters.
    #[error("no node of pipeline `{0}` passes all of the filters; loosen one of them")]
    Empty(String),
}

impl Slice {
    /// These nodes alone.
    pub fn nodes(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Slice { nodes: names.into_iter().map(Into::into).collect(), ..Slice::default() }
    }

    /// Whether it takes the whole pipeline.
    pub fn is_empty(&self) -> bool {
        *self == Slice::default()
    }

    /// The names of the chosen nodes in the pipeline's order: `Pipeline.filter` of Kedro.
    ///
    /// # Errors
    /// When a name does not exist, or nothing is left.
    pub fn apply(&self, pipeline: &Pipeline) -> Result<Vec<String>, SliceError> {
        let nodes = &pipeline.nodes;
        let graph = Graph::of(pipeline);
        let mut kept = vec![true; nodes.len()];
        let mut keep = |chosen: &dyn Fn(usize) -> bool| {
            kept.iter_mut().enumerate().for_each(|(index, kept)| *kept &= chosen(index));
        };
        let missing = |kind: &'static str, name: &str, known: Vec<&str>| SliceError::Missing {
            kind,
            name: name.to_owned(),
            pipeline: pipeline.name.clone(),
            hint: closest(name, &known),
        };
        if !self.tags.is_empty() {
            keep(&|index| self.tags.iter().any(|tag| nodes[index].tags.contains(tag)));
        }
        for (names, way) in
            [(&self.from_nodes, Some(true)), (&self.to_nodes, Some(false)), (&self.nodes, None)]
        {
            if names.is_empty() {
                continue;
            }
            let mut start = HashSet::new();
            for name in names {
                let found = nodes.iter().position(|node| node.name == *name);
                start.insert(found.ok_or_else(|| {
                    missing("node", name, nodes.iter().map(|node| node.name.as_str()).collect())
                })?);
            }
            let chosen = reach(&graph, nodes, start, way);
            keep(&|index| chosen.contains(&index));
        }
        for (names, along) in [(&self.from_inputs, true), (&self.to_outputs, false)] {
            if names.is_empty() {
                continue;
            }
            let mut start = HashSet::new();
            for name in names {
                let known =
                    |node: &&Arc<Node>| touches(&node.inputs, name) || touches(&node.outputs, name);
                if !nodes.iter().any(|node| known(&node)) {
                    let all = nodes.iter().flat_map(|node| node.inputs.iter().chain(&node.outputs));
                    return Err(missing("dataset", name, all.map(String::as_str).collect()));
                }
                let side =
                    |node: &Node| touches(if along { &node.inputs } else { &node.outputs }, name);
                start.extend((0..nodes.len()).filter(|index| side(&nodes[*index])));
            }
            let chosen = reach(&graph, nodes, start, Some(along));
            keep(&|index| chosen.contains(&index));
        }
        if !self.namespaces.is_empty() {
            let within = |node: &Node, name: &str| {
                node.namespace.as_deref().is_some_and(|namespace| {
                    namespace == name
                        || namespace.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
                })
            };
            for name in &self.namespaces {
                if !nodes.iter().any(|node| within(node, name)) {
                    let known = nodes.iter().filter_map(|node| node.namespace.as_deref()).collect();
                    return Err(missing("namespace", name, known));
                }
            }
            keep(&|index| self.namespaces.iter().any(|name| within(&nodes[index], name)));
        }
        let names: Vec<String> = nodes
            .iter()
            .zip(kept)
            .filter(|(_, kept)| *kept)
            .map(|(node, _)| node.name.clone())
            .collect();
        if names.is_empty() { Err(SliceError::Empty(pipeline.name.clone())) } else { Ok(names) }
    }
}

/// Whether `name` is among the datasets; asked for without transcoding it is every transcoding.
fn touches(datasets: &[String], name: &str) -> bool {
    datasets.iter().any(|dataset| dataset == name || strip_transcoding(dataset) == name)
}

/// These nodes, and all that depend on them (`Some(true)`) or that they need (`Some(false)`).
fn reach(
    graph: &Graph,
    nodes: &[Arc<Node>],
    start: HashSet<usize>,
    along: Option<bool>,
) -> HashSet<usize> {
    let Some(along) = along else { return start };
    let names: HashMap<&str, usize> =
        nodes.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect();
    let mut reached = start.clone();
    for index in start {
        let Some(id) = graph.find(Kind::Node, &nodes[index].name) else { continue };
        let vertices = graph.reach(id, along).into_iter().map(|id| &graph.vertices[id]);
        let others = vertices.filter(|vertex| vertex.kind == Kind::Node);
        reached.extend(others.filter_map(|vertex| names.get(vertex.name.as_str())));
    }
    reached
}

/// The known name that is most like `name`, where one is like it.
fn closest(name: &str, known: &[&str]) -> Option<String> {
    let near = |other: &str| {
        let longest = name.chars().count().max(other.chars().count());
        let apart = distance(name, other);
        (apart * 3 <= longest).then_some(apart)
    };
    // A last part that is the same is a namespace that was forgotten.
    let tail = known.iter().find(|other| other.rsplit('.').next() == Some(name));
    let best = known.iter().filter_map(|other| Some((near(other)?, *other))).min();
    tail.copied().or(best.map(|(_, other)| other)).map(ToOwned::to_owned)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, c) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in b.iter().enumerate() {
            let change = diagonal + usize::from(c != *other);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a -> one -> b -> two -> c@x`, `c@y -> three -> d`, and `ns.four` aside.
    fn pipeline() -> Pipeline {
        let node = |name: &str, inputs: &[&str], outputs: &[&str], tags: &[&str]| {
            let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
            Arc::new(Node {
                name: name.into(),
                namespace: name.rsplit_once('.').map(|(namespace, _)| namespace.into()),
                inputs: owned(inputs),
                outputs: owned(outputs),
                tags: tags.iter().map(ToString::to_string).collect(),
                ..Node::default()
            })
        };
        Pipeline {
            name: "__default__".into(),
            nodes: vec![
                node("one", &["a", "params:p"], &["b"], &["fast"]),
                node("ns.sub.four", &["a"], &["e"], &[]),
                node("two", &["b"], &["c@x"], &["slow"]),
                node("three", &["c@y"], &["d"], &["fast"]),
            ],
            ..Pipeline::default()
        }
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_filter_chooses_as_kedro_does() {
        let none = Slice::default;
        for (slice, expected) in [
            (none(), vec!["one", "ns.sub.four", "two", "three"]),
            (Slice { tags: names(&["fast"]), ..none() }, vec!["one", "three"]),
            (Slice { from_nodes: names(&["two"]), ..none() }, vec!["two", "three"]),
            (Slice { to_nodes: names(&["two"]), ..none() }, vec!["one", "two"]),
            (Slice { from_inputs: names(&["b"]), ..none() }, vec!["two", "three"]),
            (Slice { from_inputs: names(&["c"]), ..none() }, vec!["three"]),
            (Slice { from_inputs: names(&["c@y"]), ..none() }, vec!["three"]),
            (Slice { to_outputs: names(&["c"]), ..none() }, vec!["one", "two"]),
            (Slice { namespaces: names(&["ns"]), ..none() }, vec!["ns.sub.four"]),
            (Slice::nodes(["three", "one"]), vec!["one", "three"]),
            (
                Slice { from_nodes: names(&["one"]), to_nodes: names(&["two"]), ..none() },
                vec!["one", "two"],
            ),
            (
                Slice { from_inputs: names(&["params:p"]), tags: names(&["slow"]), ..none() },
                vec!["two"],
            ),
        ] {
            assert_eq!(slice.apply(&pipeline()).unwrap(), expected, "{slice:?}");
        }
    }

    #[test]
    fn what_does_not_exist_is_named_with_what_is_like_it() {
        let fault = |slice: Slice| slice.apply(&pipeline()).unwrap_err().to_string();
        assert_eq!(
            fault(Slice::nodes(["thre"])),
            "pipeline `__default__` has no node `thre`; did you mean `three`?"
        );
        assert!(fault(Slice::nodes(["four"])).ends_with("did you mean `ns.sub.four`?"));
        assert!(
            fault(Slice { from_inputs: names(&["zzzz"]), ..Slice::default() })
                .ends_with("dataset `zzzz`")
        );
        assert!(
            fault(Slice { namespaces: names(&["n"]), ..Slice::default() })
                .contains("namespace `n`")
        );
        assert!(
            fault(Slice { tags: names(&["nothing"]), ..Slice::default() })
                .contains("no node of pipeline")
        );
    }
}
