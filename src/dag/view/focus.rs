//! Focus: the display of a part of a graph.

use std::collections::VecDeque;

use super::super::{Graph, Id, VertexKind};
use super::namespaces::Namespaces;

/// A part of a graph that is displayed alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Focus {
    /// A vertex with its ancestors and descendants.
    Around {
        /// Kind of the vertex; a [`VertexKind::Namespace`] means everything inside the namespace.
        kind: VertexKind,
        /// Name of the vertex.
        name: String,
        /// Number of steps to ancestors, counted in displayed vertices; unlimited when `None`.
        ancestors: Option<usize>,
        /// Number of steps to descendants; unlimited when `None`.
        descendants: Option<usize>,
    },
    /// These nodes with all datasets and parameters that they use: the selection of a [`crate::dag::Slice`].
    Nodes(Vec<String>),
}

/// The vertices of a focus.
pub(super) struct Part {
    /// The start of the focus; displayed even if its kind is hidden.
    pub start: Vec<Id>,
    /// For each vertex of the graph, whether it belongs to the focus.
    pub inside: Vec<bool>,
}

impl Focus {
    /// The part of the graph; `None` if the graph has none of the names.
    pub(super) fn part(
        &self,
        graph: &Graph,
        spaces: &Namespaces<'_>,
        displayed: impl Fn(VertexKind) -> bool,
    ) -> Option<Part> {
        let mut inside = vec![false; graph.vertices.len()];
        match self {
            Focus::Nodes(names) => {
                for id in names.iter().filter_map(|name| graph.find(VertexKind::Node, name)) {
                    let used = graph.parents[id].iter().chain(&graph.children[id]);
                    used.chain([&id]).for_each(|id| inside[*id] = true);
                }
                inside.contains(&true).then_some(Part { start: Vec::new(), inside })
            }
            Focus::Around { kind, name, ancestors, descendants } => {
                let start: Vec<Id> = match kind {
                    VertexKind::Namespace => {
                        let outer = spaces.names.iter().position(|space| space == name)?;
                        let within = |id: &Id| {
                            spaces.home[*id].is_some_and(|space| spaces.within(space, outer))
                        };
                        (0..inside.len()).filter(within).collect()
                    }
                    kind => vec![graph.find(*kind, name)?],
                };
                let cost = |id: Id| usize::from(displayed(graph.vertices[id].kind));
                spread(&graph.parents, &start, *ancestors, cost, &mut inside);
                spread(&graph.children, &start, *descendants, cost, &mut inside);
                // A namespace's members are inside already; only a single vertex may be of a hidden kind.
                let start = if start.len() == 1 { start } else { Vec::new() };
                Some(Part { start, inside })
            }
        }
    }
}

/// Marks the vertices that are reachable from `start` in a limited number of steps. A step to a vertex costs
/// 0 or 1.
fn spread(
    next: &[Vec<Id>],
    start: &[Id],
    steps: Option<usize>,
    cost: impl Fn(Id) -> usize,
    inside: &mut [bool],
) {
    let most = steps.unwrap_or(usize::MAX - 1);
    let mut distance = vec![usize::MAX; next.len()];
    let mut queue: VecDeque<(Id, usize)> = start.iter().map(|id| (*id, 0)).collect();
    start.iter().for_each(|id| distance[*id] = 0);
    while let Some((id, at)) = queue.pop_front() {
        if at > distance[id] {
            continue;
        }
        inside[id] = true;
        for other in &next[id] {
            let there = at + cost(*other);
            if there <= most && there < distance[*other] {
                distance[*other] = there;
                match there == at {
                    true => queue.push_front((*other, there)),
                    false => queue.push_back((*other, there)),
                }
            }
        }
    }
}
