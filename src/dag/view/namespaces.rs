//! Namespaces and their members.

use std::collections::HashMap;

use super::super::{Graph, VertexKind};
use super::Fold;

/// The namespaces of a graph, outer ones before inner ones.
pub(super) struct Namespaces<'a> {
    /// Full name of each namespace.
    pub names: Vec<&'a str>,
    /// For each namespace, the one directly around it.
    pub parents: Vec<Option<usize>>,
    /// For each vertex of the graph, the innermost namespace that contains it.
    pub home: Vec<Option<usize>>,
    /// The same if the namespace is expanded: a dataset belongs to the innermost namespace with all of its
    /// writers and at least one reader. Outside it would have to be drawn both before and after the
    /// namespace.
    pub home_expanded: Vec<Option<usize>>,
    depths: Vec<usize>,
}

impl<'a> Namespaces<'a> {
    /// The namespaces of a whole graph. A node belongs to its own namespace. A dataset belongs to the
    /// innermost namespace with all of its writers and readers, if it has both. Free inputs and outputs of
    /// the pipeline, and parameters, belong to none. Kedro-Viz uses the same rule
    /// (`ModularPipelinesRepository`). Dataset names are ignored, because datasets need not be prefixed with
    /// their namespace.
    pub fn of(graph: &'a Graph) -> Self {
        let count = graph.vertices.len();
        let (names, parents, depths) = (Vec::new(), Vec::new(), Vec::new());
        let home = vec![None; count];
        let mut spaces =
            Namespaces { names, parents, home: home.clone(), home_expanded: home, depths };
        let mut index = HashMap::new();
        for (id, vertex) in graph.vertices.iter().enumerate() {
            spaces.home[id] = vertex.namespace().map(|name| spaces.intern(&mut index, name));
        }
        for (id, vertex) in graph.vertices.iter().enumerate() {
            let (writers, readers) = (&graph.parents[id], &graph.children[id]);
            if vertex.kind == VertexKind::Dataset && !writers.is_empty() && !readers.is_empty() {
                let mut homes = writers.iter().chain(readers).map(|user| spaces.home[*user]);
                let first = homes.next().flatten();
                spaces.home[id] = homes.fold(first, |one, other| spaces.common(one, other));
            }
        }
        spaces.home_expanded = spaces.home.clone();
        for (id, vertex) in graph.vertices.iter().enumerate() {
            let mut writers = graph.parents[id].iter().map(|writer| spaces.home[*writer]);
            if vertex.kind == VertexKind::Dataset
                && let Some(first) = writers.next()
            {
                let made = writers.fold(first, |one, other| spaces.common(one, other));
                let read = graph.children[id].iter();
                let mut homes = read.map(|reader| spaces.common(made, spaces.home[*reader]));
                let inner = made.filter(|_| homes.any(|home| home == made));
                spaces.home_expanded[id] = inner.or(spaces.home[id]);
            }
        }
        spaces
    }

    fn intern(&mut self, index: &mut HashMap<&'a str, usize>, name: &'a str) -> usize {
        if let Some(space) = index.get(name) {
            return *space;
        }
        let parent = name.rsplit_once('.').map(|(outer, _)| self.intern(index, outer));
        self.names.push(name);
        self.parents.push(parent);
        self.depths.push(parent.map_or(0, |parent| self.depths[parent] + 1));
        index.insert(name, self.names.len() - 1);
        self.names.len() - 1
    }

    /// The innermost namespace that contains both.
    fn common(&self, one: Option<usize>, other: Option<usize>) -> Option<usize> {
        let (mut one, mut other) = (one?, other?);
        while one != other {
            let deeper = if self.depths[one] >= self.depths[other] { &mut one } else { &mut other };
            *deeper = self.parents[*deeper]?;
        }
        Some(one)
    }

    /// For each namespace, the outermost collapsed one that contains it or equals it.
    pub fn stands(&self, fold: impl Fn(&str) -> Fold) -> Vec<Option<usize>> {
        let mut stands: Vec<Option<usize>> = Vec::with_capacity(self.names.len());
        for (space, name) in self.names.iter().enumerate() {
            let outer = self.parents[space].and_then(|parent| stands[parent]);
            stands.push(outer.or_else(|| (fold(name) == Fold::Collapsed).then_some(space)));
        }
        stands
    }

    /// Whether a namespace is `outer` or is inside it.
    pub fn within(&self, space: usize, outer: usize) -> bool {
        self.common(Some(space), Some(outer)) == Some(outer)
    }
}
