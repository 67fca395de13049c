//! Nodes and datasets as one directed graph.

use std::sync::Arc;

use indexmap::{Equivalent, IndexMap};

use crate::project::{Node, Pipeline, is_parameter, strip_transcoding};

/// Index of a vertex in [`Graph::vertices`].
pub type Id = usize;

/// What a vertex stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// Its word.
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
    /// What it stands for.
    pub kind: VertexKind,
    /// Node name, dataset name without transcoding, or namespace.
    pub name: String,
    /// The node itself, of a pipeline's [`VertexKind::Node`].
    pub node: Option<Arc<Node>>,
}

impl Vertex {
    /// The namespace of a node.
    pub fn namespace(&self) -> Option<&str> {
        self.node.as_ref()?.namespace.as_deref()
    }
}

/// A pipeline as a bipartite graph: dataset to node where it is read, node to dataset where it is
/// written. Vertices keep the pipeline's topological order of nodes, so the same pipeline always
/// gives the same graph.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// All vertices.
    pub vertices: Vec<Vertex>,
    /// Vertices that lead into each vertex, in order of first use, each once.
    pub parents: Vec<Vec<Id>>,
    /// Vertices that each vertex leads to, in order of first use, each once.
    pub children: Vec<Vec<Id>>,
    index: IndexMap<(VertexKind, String), Id>,
}

/// A key of the index that owns nothing.
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

    /// The same graph without the vertices that `keep` refuses. With `bridge`, vertices that were
    /// linked through a refused one are linked directly.
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

    /// All vertices reached from `start` against (`ancestors`) or along (`descendants`) the edges,
    /// `start` excluded, in increasing order of id.
    pub fn reach(&self, start: Id, along: bool) -> Vec<Id> {
        let next = if along { &self.children } else { &self.parents };
        let mut seen = vec![false; self.vertices.len()];
        let mut stack = vec![start];
        while let Some(id) = stack.pop() {
            for other in &next[id] {
                if !std::mem::replace(&mut seen[*other], true) {
                    stack.push(*other);
                }
            }
        }
        seen[start] = false;
        (0..seen.len()).filter(|id| seen[*id]).collect()
    }

    /// All vertices, each after those that lead into it; where a cycle forbids that, one of its edges is passed over.
    /// The same graph gives the same order.
    pub fn order(&self) -> Vec<Id> {
        self.order_from(0..self.vertices.len())
    }

    /// The same for some vertices, one after the other, each with all that it follows from.
    pub fn order_from(&self, starts: impl IntoIterator<Item = Id>) -> Vec<Id> {
        let mut order = Vec::with_capacity(self.vertices.len());
        let mut entered = vec![false; self.vertices.len()];
        let mut path: Vec<(Id, usize)> = Vec::new();
        for start in starts {
            if !std::mem::replace(&mut entered[start], true) {
                path.push((start, 0));
            }
            while let Some((id, next)) = path.last_mut() {
                match self.parents[*id].get(*next) {
                    None => {
                        order.push(*id);
                        path.pop();
                    }
                    Some(parent) => {
                        *next += 1;
                        if !std::mem::replace(&mut entered[*parent], true) {
                            path.push((*parent, 0));
                        }
                    }
                }
            }
        }
        order
    }

    /// For each vertex that lies on a cycle, the number of its strongly connected component (Tarjan 1972). An edge lies on
    /// a cycle where both of its ends have the same number.
    pub fn cycles(&self) -> Vec<Option<usize>> {
        let count = self.vertices.len();
        let mut found = vec![None; count];
        let mut components = 0;
        // Numbers from 1 in the order of entering; 0 is not yet entered, `count + 1` is done with.
        let (mut low, mut entered) = (vec![0; count], 0);
        let (mut stack, mut path): (Vec<Id>, Vec<(Id, usize, usize)>) = Default::default();
        for start in 0..count {
            if low[start] == 0 {
                path.push((start, 0, entered + 1));
            }
            while let Some((id, next, number)) = path.last_mut() {
                let (id, number) = (*id, *number);
                if *next == 0 && low[id] == 0 {
                    entered += 1;
                    low[id] = number;
                    stack.push(id);
                }
                if let Some(child) = self.children[id].get(*next) {
                    *next += 1;
                    match low[*child] {
                        0 => path.push((*child, 0, entered + 1)),
                        other => low[id] = low[id].min(other),
                    }
                    continue;
                }
                path.pop();
                if let Some((parent, ..)) = path.last() {
                    low[*parent] = low[*parent].min(low[id]);
                }
                if low[id] == number {
                    let at = stack.iter().rposition(|other| *other == id).unwrap_or(0);
                    let members = stack.split_off(at);
                    for member in &members {
                        low[*member] = count + 1;
                        found[*member] = (members.len() > 1).then_some(components);
                    }
                    components += usize::from(members.len() > 1);
                }
            }
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

    /// The vertex of that kind and name, made if there is none.
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

    /// An edge, unless there is one.
    pub(super) fn connect(&mut self, from: Id, to: Id) {
        // One of the two may be a hub.
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
