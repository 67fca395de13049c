//! Nodes and datasets as one directed graph.

use indexmap::IndexMap;

use crate::project::{Pipeline, is_parameter, strip_transcoding};

/// Index of a vertex in [`Graph::vertices`].
pub type Id = usize;

/// What a vertex stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A node: a function that runs.
    Node,
    /// A dataset, transcoding stripped.
    Dataset,
    /// `parameters` or `params:...`.
    Parameters,
}

/// A vertex of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vertex {
    /// What it stands for.
    pub kind: Kind,
    /// Node name, or dataset name without transcoding.
    pub name: String,
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
    index: IndexMap<(Kind, String), Id>,
}

impl Graph {
    /// The graph of a whole pipeline.
    pub fn of(pipeline: &Pipeline) -> Self {
        let mut graph = Graph::default();
        for node in &pipeline.nodes {
            let id = graph.intern(Kind::Node, &node.name);
            for input in &node.inputs {
                let from = graph.intern_dataset(input);
                graph.connect(from, id);
            }
            for output in &node.outputs {
                let to = graph.intern_dataset(output);
                graph.connect(id, to);
            }
        }
        graph
    }

    /// The vertex of that kind and name.
    pub fn find(&self, kind: Kind, name: &str) -> Option<Id> {
        self.index.get(&(kind, name.to_owned())).copied()
    }

    /// The same graph without the vertices that `keep` refuses. With `bridge`, vertices that were
    /// linked through a refused one are linked directly.
    pub fn retain(&self, bridge: bool, keep: impl Fn(Id, &Vertex) -> bool) -> Self {
        let mut graph = Graph::default();
        let kept: Vec<Option<Id>> = (0..self.vertices.len())
            .map(|id| {
                let vertex = &self.vertices[id];
                keep(id, vertex).then(|| graph.intern(vertex.kind, &vertex.name))
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

    fn intern_dataset(&mut self, name: &str) -> Id {
        if is_parameter(name) {
            self.intern(Kind::Parameters, name)
        } else {
            self.intern(Kind::Dataset, strip_transcoding(name))
        }
    }

    fn intern(&mut self, kind: Kind, name: &str) -> Id {
        let next = self.vertices.len();
        let id = *self.index.entry((kind, name.to_owned())).or_insert(next);
        if id == next {
            self.vertices.push(Vertex { kind, name: name.to_owned() });
            self.parents.push(Vec::new());
            self.children.push(Vec::new());
        }
        id
    }

    fn connect(&mut self, from: Id, to: Id) {
        if !self.children[from].contains(&to) {
            self.children[from].push(to);
            self.parents[to].push(from);
        }
    }
}
