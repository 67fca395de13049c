//! Computes what each piece of code reaches, transitively.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Reach, Unseen};

/// The dependency graph of the code, with cycles contracted to components.
///
/// Vertices are definitions first, then modules, and packages last. Components that reach no
/// definition, no package and nothing unresolved are left out, so that a walk visits little more
/// than its result.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// The number of definitions, which are the first vertices.
    units: u32,
    /// The vertex of the first package.
    package_at: u32,
    packages: Vec<Arc<str>>,
    unseen: HashMap<u32, Vec<Unseen>>,
    /// The component of each vertex.
    component: Vec<u32>,
    /// The vertices of each component that appear in a reach.
    members: Rows,
    /// The components that each component leads to.
    next: Rows,
}

/// Lists of numbers, stored one after the other.
#[derive(Debug, Default)]
struct Rows {
    /// The start of each list, and the end of the last one.
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Rows {
    /// One list for each number below `count`: the second members of its pairs.
    fn new(count: usize, pairs: &[(u32, u32)]) -> Rows {
        let mut starts = vec![0_u32; count + 1];
        for (from, _) in pairs {
            starts[*from as usize + 1] += 1;
        }
        for index in 0..count {
            starts[index + 1] += starts[index];
        }
        let mut free = starts.clone();
        let mut items = vec![0; pairs.len()];
        for (from, to) in pairs {
            let slot = &mut free[*from as usize];
            items[*slot as usize] = *to;
            *slot += 1;
        }
        Rows { starts, items }
    }

    fn row(&self, index: u32) -> &[u32] {
        let at = index as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(start), Some(end)) => &self.items[*start as usize..*end as usize],
            _ => &[],
        }
    }
}

/// The components that a walk has visited; reused by later walks.
#[derive(Debug, Default)]
pub(super) struct Marks {
    walk: u32,
    last: Vec<u32>,
}

impl Graph {
    pub(super) fn new(
        units: u32,
        package_at: u32,
        packages: Vec<Arc<str>>,
        edges: &[(u32, u32)],
        unseen: HashMap<u32, Vec<Unseen>>,
    ) -> Graph {
        let count = package_at as usize + packages.len();
        let out = Rows::new(count, edges);
        let (component, components) = components(count, &out);
        let reported =
            |vertex: u32| vertex < units || vertex >= package_at || unseen.contains_key(&vertex);
        let vertices = || (0_u32..).zip(&component).map(|(vertex, component)| (*component, vertex));
        let members: Vec<_> = vertices().filter(|(_, vertex)| reported(*vertex)).collect();
        let members = Rows::new(components, &members);
        // A component's number is larger than those of its successors, so successors are known
        // first.
        let all: Vec<_> = vertices().collect();
        let all = Rows::new(components, &all);
        let mut found = vec![false; components];
        let mut pairs = Vec::with_capacity(edges.len());
        let mut last = vec![u32::MAX; components];
        for from in 0..u32::try_from(components).unwrap_or(u32::MAX) {
            found[from as usize] = !members.row(from).is_empty();
            for to in all.row(from).iter().flat_map(|vertex| out.row(*vertex)) {
                let to = component[*to as usize];
                let new = to != from && last[to as usize] != from;
                if new && found[to as usize] {
                    last[to as usize] = from;
                    found[from as usize] = true;
                    pairs.push((from, to));
                }
            }
        }
        let next = Rows::new(components, &pairs);
        Graph { units, package_at, packages, unseen, component, members, next }
    }

    /// Everything reachable from the vertices `starts`.
    pub(super) fn reach(&self, starts: &[u32], marks: &mut Marks) -> Reach {
        marks.last.resize(self.next.starts.len(), 0);
        marks.walk += 1;
        let mut reach = Reach::default();
        let mut open: Vec<u32> = starts
            .iter()
            .filter_map(|start| self.component.get(*start as usize))
            .copied()
            .collect();
        while let Some(component) = open.pop() {
            if std::mem::replace(&mut marks.last[component as usize], marks.walk) == marks.walk {
                continue;
            }
            for vertex in self.members.row(component) {
                if *vertex < self.units {
                    reach.definitions.push(*vertex);
                } else if let Some(index) = vertex.checked_sub(self.package_at) {
                    reach.packages.push(self.packages[index as usize].clone());
                }
                if let Some(unseen) = self.unseen.get(vertex) {
                    reach.unknown.extend(unseen.iter().cloned());
                }
            }
            open.extend_from_slice(self.next.row(component));
        }
        reach.definitions.sort_unstable();
        reach.packages.sort_unstable();
        reach.unknown.sort_unstable();
        reach.unknown.dedup();
        reach
    }
}

/// The strongly connected component of each vertex, by Tarjan's algorithm, and their number. A
/// component's number is larger than those of all components that it leads to.
///
/// petgraph's `kosaraju_scc` takes four times as long, and its `tarjan_scc` recurses along paths.
fn components(count: usize, out: &Rows) -> (Vec<u32>, usize) {
    const NONE: u32 = u32::MAX;
    let mut component = vec![NONE; count];
    let mut order = vec![NONE; count];
    let mut low = vec![NONE; count];
    let mut stack = Vec::new();
    let mut walk: Vec<(u32, usize)> = Vec::new();
    let (mut next, mut components) = (0_u32, 0_u32);
    for start in 0..u32::try_from(count).unwrap_or(u32::MAX) {
        if order[start as usize] != NONE {
            continue;
        }
        walk.push((start, 0));
        while let Some((vertex, edge)) = walk.last_mut() {
            let at = *vertex as usize;
            if *edge == 0 && order[at] == NONE {
                order[at] = next;
                low[at] = next;
                next += 1;
                stack.push(*vertex);
            }
            if let Some(&to) = out.row(*vertex).get(*edge) {
                *edge += 1;
                if order[to as usize] == NONE {
                    walk.push((to, 0));
                } else if component[to as usize] == NONE {
                    low[at] = low[at].min(order[to as usize]);
                }
                continue;
            }
            walk.pop();
            if let Some((parent, _)) = walk.last() {
                let parent = *parent as usize;
                low[parent] = low[parent].min(low[at]);
            }
            if low[at] == order[at] {
                while let Some(member) = stack.pop() {
                    component[member as usize] = components;
                    if member as usize == at {
                        break;
                    }
                }
                components += 1;
            }
        }
    }
    (component, components as usize)
}
