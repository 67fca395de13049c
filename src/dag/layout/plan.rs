//! The drawings of a sketch, one for each group and one for the whole, and the contents of each: items and
//! wires, which are the pieces of the edges.

use std::collections::{HashMap, HashSet};

use super::keep::Key;
use super::layers::{self, Wire};
use super::{Direction, Sketch};

/// A piece of an edge: a wire in one drawing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) drawing: usize,
    pub(super) wire: usize,
}

/// The items and wires of every drawing; drawing 0 is the whole, drawing `group + 1` is a group's.
pub(super) struct Plan {
    pub(super) items: Vec<Vec<Key>>,
    pub(super) index: Vec<HashMap<Key, usize>>,
    pub(super) wires: Vec<Vec<Wire>>,
    /// The edges without duplicates: ends, whether the edge runs backward, and its pieces from source to
    /// target.
    pub(super) edges: Vec<((usize, usize), bool, Vec<Piece>)>,
    /// Non-empty groups, inner ones before outer ones.
    pub(super) groups: Vec<usize>,
}

impl Plan {
    pub(super) fn of(sketch: &Sketch) -> Self {
        let count = sketch.sizes.len();
        let group_of = |vertex: usize| {
            sketch
                .group_of
                .get(vertex)
                .copied()
                .flatten()
                .filter(|group| *group < sketch.groups.len())
        };
        let parent = |group: usize| sketch.groups[group].parent;
        // The groups around a vertex, innermost first; a cycle of groups ends where it closes.
        let chain = |vertex: usize| {
            let mut chain = Vec::new();
            let mut group = group_of(vertex);
            while let Some(at) = group.filter(|at| !chain.contains(at)) {
                chain.push(at);
                group = parent(at).filter(|group| *group < sketch.groups.len());
            }
            chain
        };
        let chains: Vec<Vec<usize>> = (0..count).map(chain).collect();
        let drawings = sketch.groups.len() + 1;
        let mut plan = Plan {
            items: vec![Vec::new(); drawings],
            index: vec![HashMap::new(); drawings],
            wires: vec![Vec::new(); drawings],
            edges: Vec::new(),
            groups: Vec::new(),
        };
        let mut depth = vec![0; sketch.groups.len()];
        for (vertex, chain) in chains.iter().enumerate() {
            let mut key = Key::Vertex(vertex);
            for (up, group) in chain.iter().enumerate() {
                plan.item(group + 1, key);
                key = Key::Group(*group);
                depth[*group] = chain.len() - up;
            }
            plan.item(0, key);
        }
        plan.groups = (0..depth.len()).filter(|group| depth[*group] > 0).collect();
        plan.groups.sort_by_key(|group| (std::cmp::Reverse(depth[*group]), *group));
        plan.connect(sketch, &chains);
        for group in plan.groups.clone() {
            if sketch.direction == Direction::TopBottom {
                plan.item(group + 1, Key::Title(group));
            }
        }
        plan
    }

    fn item(&mut self, drawing: usize, key: Key) -> usize {
        let next = self.items[drawing].len();
        let item = *self.index[drawing].entry(key).or_insert(next);
        if item == next {
            self.items[drawing].push(key);
        }
        item
    }

    /// Finds the pieces of all edges, and decides which edges run backward from the edges between the items
    /// of one drawing.
    fn connect(&mut self, sketch: &Sketch, chains: &[Vec<usize>]) {
        let count = sketch.sizes.len();
        let mut edges: Vec<(usize, usize)> = sketch
            .edges
            .iter()
            .copied()
            .filter(|(from, to)| from != to && *from < count && *to < count)
            .collect();
        let mut seen = HashSet::new();
        edges.retain(|edge| seen.insert(*edge));
        // The number of outer groups that both ends share, and the items of the ends in that drawing.
        let meeting = |from: usize, to: usize| {
            let (one, other) = (&chains[from], &chains[to]);
            let shared = std::iter::zip(one.iter().rev(), other.iter().rev());
            let shared = shared.take_while(|(one, other)| one == other).count();
            let end = |vertex: usize, chain: &[usize]| match chain.len() - shared {
                0 => Key::Vertex(vertex),
                inner => Key::Group(chain[inner - 1]),
            };
            let drawing = shared.checked_sub(1).map_or(0, |_| one[one.len() - shared] + 1);
            (drawing, end(from, one), end(to, other), shared)
        };
        let mut lifted: Vec<Vec<(usize, usize)>> = vec![Vec::new(); self.items.len()];
        let mut number: HashMap<(usize, usize, usize), usize> = HashMap::new();
        let ends: Vec<(usize, usize, usize, usize)> = edges
            .iter()
            .map(|(from, to)| {
                let (drawing, one, other, shared) = meeting(*from, *to);
                let one = self.index[drawing][&one];
                let other = self.index[drawing][&other];
                number.entry((drawing, one, other)).or_insert_with(|| {
                    lifted[drawing].push((one, other));
                    lifted[drawing].len() - 1
                });
                (drawing, one, other, shared)
            })
            .collect();
        let back: Vec<Vec<bool>> = std::iter::zip(&self.items, &lifted)
            .map(|(items, lifted)| layers::backward(items.len(), lifted))
            .collect();
        let mut wires: Vec<HashMap<(usize, usize, usize), usize>> =
            vec![HashMap::new(); self.items.len()];
        for ((from, to), (drawing, one, other, shared)) in std::iter::zip(edges, ends) {
            let back = back[drawing][number[&(drawing, one, other)]];
            let mut pieces = Vec::new();
            let mut add = |plan: &mut Plan, drawing: usize, start: usize, end: usize| {
                let (upper, lower) = if back { (end, start) } else { (start, end) };
                let next = plan.wires[drawing].len();
                let wire = *wires[drawing].entry((start, end, from)).or_insert(next);
                if wire == next {
                    plan.wires[drawing].push(Wire { upper, lower, owner: from, back });
                }
                pieces.push(Piece { drawing, wire });
            };
            let (outward, inward) = (&chains[from], &chains[to]);
            let mut key = Key::Vertex(from);
            for group in &outward[..outward.len() - shared] {
                let start = self.item(group + 1, key);
                let port = Key::Port { group: *group, owner: from, bottom: !back };
                let end = self.item(group + 1, port);
                add(self, group + 1, start, end);
                key = Key::Group(*group);
            }
            add(self, drawing, one, other);
            let inner = &inward[..inward.len() - shared];
            for (up, group) in inner.iter().enumerate().rev() {
                let port = Key::Port { group: *group, owner: from, bottom: back };
                let start = self.item(group + 1, port);
                let key = match up.checked_sub(1) {
                    Some(below) => Key::Group(inner[below]),
                    None => Key::Vertex(to),
                };
                let end = self.item(group + 1, key);
                add(self, group + 1, start, end);
            }
            self.edges.push(((from, to), back, pieces));
        }
    }
}
