//! What each piece of code reaches in the end.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Reach, Unseen};

/// Who uses whom, with circles drawn together.
///
/// Vertices are definitions first, then modules, and packages last. Whatever leads to none of the
/// first or last, and to nothing unseen, is left out, so that a walk visits little more than what it finds.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// The number of definitions.
    units: u32,
    /// The vertex of the first package.
    package_at: u32,
    packages: Vec<Arc<str>>,
    unseen: HashMap<u32, Vec<Unseen>>,
    /// The circle that each vertex is in.
    circle: Vec<u32>,
    /// The vertices of each circle that are reported.
    members: Rows,
    /// The circles that each leads to.
    next: Rows,
}

/// Lists of numbers, one after the other.
#[derive(Debug, Default)]
struct Rows {
    /// Where each list begins, and where the last one ends.
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Rows {
    /// One list for each of `count` numbers: what is paired with it.
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

    fn of(&self, index: u32) -> &[u32] {
        let at = index as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(start), Some(end)) => &self.items[*start as usize..*end as usize],
            _ => &[],
        }
    }
}

/// Which circles a walk has been to; kept between walks.
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
        let (circle, circles) = circles(count, &out);
        let reported =
            |vertex: u32| vertex < units || vertex >= package_at || unseen.contains_key(&vertex);
        let vertices = || (0_u32..).zip(&circle).map(|(vertex, circle)| (*circle, vertex));
        let members: Vec<_> = vertices().filter(|(_, vertex)| reported(*vertex)).collect();
        let members = Rows::new(circles, &members);
        // Circles are numbered from the end of the arrows: what one leads to is known before it.
        let all: Vec<_> = vertices().collect();
        let all = Rows::new(circles, &all);
        let mut found = vec![false; circles];
        let mut pairs = Vec::with_capacity(edges.len());
        let mut last = vec![u32::MAX; circles];
        for from in 0..u32::try_from(circles).unwrap_or(u32::MAX) {
            found[from as usize] = !members.of(from).is_empty();
            for to in all.of(from).iter().flat_map(|vertex| out.of(*vertex)) {
                let to = circle[*to as usize];
                let new = to != from && last[to as usize] != from;
                if new && found[to as usize] {
                    last[to as usize] = from;
                    found[from as usize] = true;
                    pairs.push((from, to));
                }
            }
        }
        let next = Rows::new(circles, &pairs);
        Graph { units, package_at, packages, unseen, circle, members, next }
    }

    /// All that is reached from the vertices `starts`.
    pub(super) fn reach(&self, starts: &[u32], marks: &mut Marks) -> Reach {
        marks.last.resize(self.next.starts.len(), 0);
        marks.walk += 1;
        let mut reach = Reach::default();
        let mut open: Vec<u32> =
            starts.iter().filter_map(|start| self.circle.get(*start as usize)).copied().collect();
        while let Some(circle) = open.pop() {
            if std::mem::replace(&mut marks.last[circle as usize], marks.walk) == marks.walk {
                continue;
            }
            for vertex in self.members.of(circle) {
                if *vertex < self.units {
                    reach.definitions.push(*vertex);
                } else if let Some(index) = vertex.checked_sub(self.package_at) {
                    reach.packages.push(self.packages[index as usize].clone());
                }
                if let Some(unseen) = self.unseen.get(vertex) {
                    reach.unknown.extend(unseen.iter().cloned());
                }
            }
            open.extend_from_slice(self.next.of(circle));
        }
        reach.definitions.sort_unstable();
        reach.packages.sort_unstable();
        reach.unknown.sort_unstable();
        reach.unknown.dedup();
        reach
    }
}

/// The strongly connected component of each vertex, by Tarjan's algorithm, and how many there are.
/// A component's number is larger than those of all that it leads to.
///
/// petgraph's `kosaraju_scc` takes four times as long, and its `tarjan_scc` overflows the stack on a long path.
fn circles(count: usize, out: &Rows) -> (Vec<u32>, usize) {
    const NONE: u32 = u32::MAX;
    let mut circle = vec![NONE; count];
    let mut order = vec![NONE; count];
    let mut low = vec![NONE; count];
    let mut stack = Vec::new();
    let mut walk: Vec<(u32, usize)> = Vec::new();
    let (mut next, mut circles) = (0_u32, 0_u32);
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
            if let Some(&to) = out.of(*vertex).get(*edge) {
                *edge += 1;
                if order[to as usize] == NONE {
                    walk.push((to, 0));
                } else if circle[to as usize] == NONE {
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
                    circle[member as usize] = circles;
                    if member as usize == at {
                        break;
                    }
                }
                circles += 1;
            }
        }
    }
    (circle, circles as usize)
}
