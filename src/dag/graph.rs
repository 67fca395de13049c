//! Nodes and datasets as one directed graph.

use std::iter::{Copied, Rev};
use std::ops::Range;
use std::slice;
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use indexmap::{Equivalent, IndexMap};
use petgraph::Direction as Way;
use petgraph::algo::{kosaraju_scc, toposort};
use petgraph::visit::{
    Dfs, DfsPostOrder, GraphBase, IntoNeighbors, IntoNeighborsDirected, IntoNodeIdentifiers,
    Reversed, Visitable,
};
use serde::{Deserialize, Serialize};

use crate::project::{Node, Pipeline, is_parameter, strip_transcoding};

/// Index of a vertex in [`Graph::vertices`].
pub type Id = usize;

/// The kind of a vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VertexKind {
    /// A node: a function that runs.
    Node,
    /// A dataset, transcoding stripped.
    Dataset,
    /// `parameters` or `params:...`.
    Parameters,
    /// A collapsed namespace; only displayed graphs have it (see [`crate::dag::view`]).
    Namespace,
}

impl VertexKind {
    /// The name in JSON and in ids, such as `node`.
    pub fn as_str(self) -> &'static str {
        match self {
            VertexKind::Node => "node",
            VertexKind::Dataset => "dataset",
            VertexKind::Parameters => "parameters",
            VertexKind::Namespace => "namespace",
        }
    }
}

/// A vertex of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vertex {
    /// Kind of the vertex.
    pub kind: VertexKind,
    /// Node name, dataset name without transcoding, or namespace.
    pub name: String,
    /// The node itself, if the vertex is a [`VertexKind::Node`] of a pipeline.
    pub node: Option<Arc<Node>>,
}

impl Vertex {
    /// The namespace of a node.
    pub fn namespace(&self) -> Option<&str> {
        self.node.as_ref()?.namespace.as_deref()
    }
}

/// A pipeline as a bipartite graph: an edge leads from a dataset to each node that reads it, and from a node
/// to each dataset that it writes. Vertices are in the pipeline's topological order of nodes, so the same
/// pipeline always gives the same graph.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// All vertices.
    pub vertices: Vec<Vertex>,
    /// The sources of the edges into each vertex, in order of first use, without duplicates.
    pub parents: Vec<Vec<Id>>,
    /// The targets of the edges from each vertex, in order of first use, without duplicates.
    pub children: Vec<Vec<Id>>,
    index: IndexMap<(VertexKind, String), Id>,
}

/// A borrowed key of the index, for lookups without allocation.
#[derive(Hash)]
struct Key<'a>(VertexKind, &'a str);

impl Equivalent<(VertexKind, String)> for Key<'_> {
    fn equivalent(&self, key: &(VertexKind, String)) -> bool {
        self.0 == key.0 && self.1 == key.1
    }
}

impl Graph {
    /// The graph of a whole pipeline.
    pub fn of(pipeline: &Pipeline) -> Self {
        let mut graph = Graph::default();
        for node in &pipeline.nodes {
            let id = graph.insert(VertexKind::Node, &node.name, Some(node));
            for input in &node.inputs {
                let from = graph.insert_dataset(input);
                graph.connect(from, id);
            }
            for output in &node.outputs {
                let to = graph.insert_dataset(output);
                graph.connect(id, to);
            }
        }
        graph
    }

    /// The vertex of that kind and name.
    pub fn find(&self, kind: VertexKind, name: &str) -> Option<Id> {
        self.index.get(&Key(kind, name)).copied()
    }

    /// The same graph without the vertices that `keep` rejects. With `bridge`, the neighbours of a removed
    /// vertex are connected directly.
    pub fn retain(&self, bridge: bool, keep: impl Fn(Id, &Vertex) -> bool) -> Self {
        let mut graph = Graph::default();
        let kept: Vec<Option<Id>> = (0..self.vertices.len())
            .map(|id| {
                let vertex = &self.vertices[id];
                keep(id, vertex)
                    .then(|| graph.insert(vertex.kind, &vertex.name, vertex.node.as_ref()))
            })
            .collect();
        for (id, vertex) in kept.iter().enumerate() {
            match vertex {
                Some(from) => {
                    for child in &self.children[id] {
                        if let Some(to) = kept[*child] {
                            graph.connect(*from, to);
                        }
                    }
                }
                None if bridge => {
                    for from in self.parents[id].iter().filter_map(|parent| kept[*parent]) {
                        for to in self.children[id].iter().filter_map(|child| kept[*child]) {
                            graph.connect(from, to);
                        }
                    }
                }
                None => {}
            }
        }
        graph
    }

    /// All vertices reachable from `start`: descendants with `along`, else ancestors; without `start` itself,
    /// in increasing order of id.
    pub fn reach(&self, start: Id, along: bool) -> Vec<Id> {
        let mut seen = match along {
            true => reached(self, [start]),
            false => reached(Reversed(self), [start]),
        };
        seen.set(start, false);
        seen.ones().collect()
    }

    /// A topological order of all vertices; where a cycle prevents that, one of its edges is ignored. The
    /// same graph gives the same order.
    pub fn order(&self) -> Vec<Id> {
        self.order_from(0..self.vertices.len())
    }

    /// A topological order of some vertices, each preceded by all of its ancestors.
    pub fn order_from(&self, starts: impl IntoIterator<Item = Id>) -> Vec<Id> {
        let above = Reversed(self);
        let mut order = Vec::with_capacity(self.vertices.len());
        let mut walk = DfsPostOrder::empty(above);
        for start in starts {
            walk.move_to(start);
            while let Some(id) = walk.next(above) {
                order.push(id);
            }
        }
        order
    }

    /// For each vertex on a cycle, the number of its strongly connected component. An edge lies on a cycle if
    /// both of its ends have the same number.
    pub fn cycles(&self) -> Vec<Option<usize>> {
        let mut found = vec![None; self.vertices.len()];
        // Fast path: most graphs have no cycle.
        if toposort(self, None).is_ok() {
            return found;
        }
        // petgraph's `tarjan_scc` is recursive, and would overflow the stack for a long pipeline.
        let components = kosaraju_scc(self).into_iter().filter(|component| component.len() > 1);
        for (number, component) in components.enumerate() {
            component.into_iter().for_each(|id| found[id] = Some(number));
        }
        found
    }

    fn insert_dataset(&mut self, name: &str) -> Id {
        if is_parameter(name) {
            self.insert(VertexKind::Parameters, name, None)
        } else {
            self.insert(VertexKind::Dataset, strip_transcoding(name), None)
        }
    }

    /// The vertex of that kind and name; added if missing.
    pub(super) fn insert(&mut self, kind: VertexKind, name: &str, node: Option<&Arc<Node>>) -> Id {
        if let Some(id) = self.index.get(&Key(kind, name)) {
            return *id;
        }
        let id = self.vertices.len();
        self.index.insert((kind, name.to_owned()), id);
        self.vertices.push(Vertex { kind, name: name.to_owned(), node: node.cloned() });
        self.parents.push(Vec::new());
        self.children.push(Vec::new());
        id
    }

    /// Adds an edge unless it exists.
    pub(super) fn connect(&mut self, from: Id, to: Id) {
        // Search the shorter list: one of the two vertices may be a hub.
        let known = match self.children[from].len() <= self.parents[to].len() {
            true => self.children[from].contains(&to),
            false => self.parents[to].contains(&from),
        };
        if !known {
            self.children[from].push(to);
            self.parents[to].push(from);
        }
    }
}

/// All vertices reachable from `starts`, these included.
pub(super) fn reached<G>(graph: G, starts: impl IntoIterator<Item = G::NodeId>) -> G::Map
where
    G: IntoNeighbors + Visitable,
{
    let mut walk = Dfs::empty(graph);
    for start in starts {
        walk.move_to(start);
        while walk.next(graph).is_some() {}
    }
    walk.discovered
}

// The traits that petgraph's algorithms need.

impl GraphBase for Graph {
    type NodeId = Id;
    type EdgeId = (Id, Id);
}

impl Visitable for Graph {
    type Map = FixedBitSet;

    fn visit_map(&self) -> FixedBitSet {
        FixedBitSet::with_capacity(self.vertices.len())
    }

    fn reset_map(&self, map: &mut FixedBitSet) {
        map.clear();
        map.grow(self.vertices.len());
    }
}

impl IntoNodeIdentifiers for &Graph {
    type NodeIdentifiers = Range<Id>;

    fn node_identifiers(self) -> Range<Id> {
        0..self.vertices.len()
    }
}

/// Neighbours come in reverse order, as in petgraph's own graphs: its depth-first searches push neighbours on
/// a stack, and so visit the first edge first.
impl<'a> IntoNeighborsDirected for &'a Graph {
    type NeighborsDirected = Copied<Rev<slice::Iter<'a, Id>>>;

    fn neighbors_directed(self, id: Id, way: Way) -> Self::NeighborsDirected {
        let next = match way {
            Way::Outgoing => &self.children[id],
            Way::Incoming => &self.parents[id],
        };
        next.iter().rev().copied()
    }
}

impl<'a> IntoNeighbors for &'a Graph {
    type Neighbors = Copied<Rev<slice::Iter<'a, Id>>>;

    fn neighbors(self, id: Id) -> Self::Neighbors {
        self.neighbors_directed(id, Way::Outgoing)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::any_graph;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn two_vertices_share_a_cycle_when_each_leads_to_the_other(graph in any_graph()) {
            let cycles = graph.cycles();
            let reach: Vec<Vec<Id>> = (0..cycles.len()).map(|id| graph.reach(id, true)).collect();
            for (one, row) in reach.iter().enumerate() {
                for other in (0..cycles.len()).filter(|other| *other != one) {
                    let both = row.contains(&other) && reach[other].contains(&one);
                    prop_assert_eq!(cycles[one].is_some() && cycles[one] == cycles[other], both);
                }
            }
        }

        #[test]
        fn only_cycles_break_the_order(graph in any_graph()) {
            let (order, cycles) = (graph.order(), graph.cycles());
            let mut place = vec![usize::MAX; order.len()];
            for (at, id) in order.iter().enumerate() {
                place[*id] = at;
            }
            prop_assert!(place.iter().all(|at| *at < order.len()));
            for (from, children) in graph.children.iter().enumerate() {
                for to in children {
                    let cyclic = cycles[from].is_some() && cycles[from] == cycles[*to];
                    prop_assert!(from == *to || place[from] < place[*to] || cyclic);
                }
            }
        }
    }
}
