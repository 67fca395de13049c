//! Layer assignment by network simplex (Gansner, Koutsofios, North and Vo 1993): minimizes the sum of the
//! layers that all links span, by weight.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Stop;

/// Number of tree links that are compared for each exchange.
const LOOKED_AT: usize = 30;

/// A link that must lead to a lower layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arc {
    pub(super) upper: usize,
    pub(super) lower: usize,
    pub(super) weight: i64,
}

/// The layer of each of `count` vertices, from 0; `arcs` must be acyclic. Makes at most `pivots` exchanges.
pub(super) fn layers(
    count: usize,
    arcs: &[Arc],
    pivots: usize,
    stop: &Stop,
) -> Result<Vec<usize>, super::Stopped> {
    let mut simplex = Simplex::new(count, arcs);
    simplex.span();
    simplex.weigh();
    let mut from = 0;
    for pivot in 0..pivots {
        if pivot % 16 == 0 {
            stop.check()?;
        }
        let Some(leaving) = simplex.leaving(&mut from) else { break };
        simplex.exchange(leaving);
    }
    Ok(simplex.normalised())
}

/// Marks a missing vertex or arc.
const NONE: usize = usize::MAX;

struct Simplex<'a> {
    arcs: &'a [Arc],
    /// Arcs at each vertex, in either direction: those of vertex `v` are `around[starts[v]..starts[v + 1]]`.
    starts: Vec<usize>,
    around: Vec<usize>,
    layer: Vec<i64>,
    /// The spanning tree, one for each connected part.
    children: Vec<Vec<usize>>,
    parent: Vec<usize>,
    /// The arc to the parent.
    stem: Vec<usize>,
    /// For each subtree: the weight of the arcs that leave it downwards, minus the weight of those that enter
    /// it from above.
    outflow: Vec<i64>,
    /// All vertices in the order in which the first tree grew: parents first.
    grown: Vec<usize>,
    roots: Vec<usize>,
    /// Whether each vertex lies in the subtree of the current exchange.
    inside: Vec<bool>,
    subtree: Vec<usize>,
}

impl<'a> Simplex<'a> {
    fn new(count: usize, arcs: &'a [Arc]) -> Self {
        let mut starts = vec![0; count + 1];
        for arc in arcs {
            starts[arc.upper + 1] += 1;
            starts[arc.lower + 1] += 1;
        }
        for vertex in 0..count {
            starts[vertex + 1] += starts[vertex];
        }
        let mut next = starts.clone();
        let mut around = vec![0; 2 * arcs.len()];
        for (index, arc) in arcs.iter().enumerate() {
            for end in [arc.upper, arc.lower] {
                around[next[end]] = index;
                next[end] += 1;
            }
        }
        let mut simplex = Simplex {
            arcs,
            starts,
            around,
            layer: vec![0; count],
            children: vec![Vec::new(); count],
            parent: vec![NONE; count],
            stem: vec![NONE; count],
            outflow: vec![0; count],
            grown: Vec::with_capacity(count),
            roots: Vec::new(),
            inside: vec![false; count],
            subtree: Vec::new(),
        };
        simplex.longest_paths();
        simplex
    }

    /// Initial layers: the longest path from above.
    fn longest_paths(&mut self) {
        let count = self.layer.len();
        let mut waiting = vec![0; count];
        for arc in self.arcs {
            waiting[arc.lower] += 1;
        }
        let mut ready: Vec<usize> = (0..count).filter(|vertex| waiting[*vertex] == 0).collect();
        while let Some(vertex) = ready.pop() {
            for at in self.starts[vertex]..self.starts[vertex + 1] {
                let arc = self.arcs[self.around[at]];
                if arc.upper == vertex {
                    self.layer[arc.lower] = self.layer[arc.lower].max(self.layer[vertex] + 1);
                    waiting[arc.lower] -= 1;
                    if waiting[arc.lower] == 0 {
                        ready.push(arc.lower);
                    }
                }
            }
        }
    }

    /// Grows a spanning tree of tight arcs from each unvisited vertex. If no tight arc is left, the whole
    /// tree moves to make its nearest arc tight.
    fn span(&mut self) {
        let count = self.layer.len();
        let mut grown = vec![false; count];
        for root in 0..count {
            if grown[root] {
                continue;
            }
            // Layers in the tree are offset by `moved`, so that moving the tree costs nothing.
            let mut moved = 0;
            let first = self.grown.len();
            self.roots.push(root);
            let mut onward: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
            let mut back: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
            let mut vertex = root;
            loop {
                grown[vertex] = true;
                self.grown.push(vertex);
                for at in self.starts[vertex]..self.starts[vertex + 1] {
                    let index = self.around[at];
                    let Arc { upper, lower, .. } = self.arcs[index];
                    if upper == vertex && !grown[lower] {
                        onward.push(Reverse((self.layer[lower] - self.layer[upper] - 1, index)));
                    } else if lower == vertex && !grown[upper] {
                        back.push(Reverse((self.layer[lower] - self.layer[upper] - 1, index)));
                    }
                }
                while onward.peek().is_some_and(|top| grown[self.arcs[top.0.1].lower]) {
                    onward.pop();
                }
                while back.peek().is_some_and(|top| grown[self.arcs[top.0.1].upper]) {
                    back.pop();
                }
                let down = onward.peek().map(|top| top.0.0 - moved);
                let up = back.peek().map(|top| top.0.0 + moved);
                let index = match (down, up) {
                    (None, None) => break,
                    (Some(slack), up) if up.is_none_or(|up| slack <= up) => {
                        moved += slack;
                        onward.pop().map(|top| top.0.1)
                    }
                    (_, slack) => {
                        moved -= slack.unwrap_or_default();
                        back.pop().map(|top| top.0.1)
                    }
                };
                let Some(index) = index else { break };
                let Arc { upper, lower, .. } = self.arcs[index];
                let inner = if grown[upper] { upper } else { lower };
                vertex = if grown[upper] { lower } else { upper };
                self.children[inner].push(vertex);
                self.parent[vertex] = inner;
                self.stem[vertex] = index;
                self.layer[vertex] -= moved;
            }
            for member in &self.grown[first..] {
                self.layer[*member] += moved;
            }
        }
    }

    /// Sums the outflow of the subtrees, from the leaves to the roots.
    fn weigh(&mut self) {
        for arc in self.arcs {
            self.outflow[arc.upper] += arc.weight;
            self.outflow[arc.lower] -= arc.weight;
        }
        for vertex in self.grown.iter().rev() {
            let parent = self.parent[*vertex];
            if parent != NONE {
                self.outflow[parent] += self.outflow[*vertex];
            }
        }
    }

    /// The change of the total span when the subtree of a vertex moves one layer away from its parent (the
    /// cut value).
    fn cut(&self, vertex: usize) -> i64 {
        match self.stem[vertex] {
            NONE => 0,
            stem if self.arcs[stem].upper == vertex => self.outflow[vertex],
            _ => -self.outflow[vertex],
        }
    }

    /// A vertex whose subtree should move away from its parent: the one with the largest gain among some
    /// candidates.
    fn leaving(&self, from: &mut usize) -> Option<usize> {
        let count = self.layer.len();
        let mut best: Option<(i64, usize)> = None;
        let mut looked = 0;
        for step in 0..count {
            let vertex = if *from + step < count { *from + step } else { *from + step - count };
            let cut = self.cut(vertex);
            if cut < 0 {
                if best.is_none_or(|(least, _)| cut < least) {
                    best = Some((cut, vertex));
                }
                looked += 1;
                if looked >= LOOKED_AT {
                    *from = (vertex + 1) % count;
                    break;
                }
            }
        }
        best.map(|(_, vertex)| vertex)
    }

    /// Moves the subtree of `top` away from its parent as far as the nearest arc allows, and attaches the
    /// subtree to that arc.
    fn exchange(&mut self, top: usize) {
        let mut subtree = std::mem::take(&mut self.subtree);
        subtree.clear();
        subtree.push(top);
        let mut next = 0;
        while let Some(vertex) = subtree.get(next) {
            self.inside[*vertex] = true;
            subtree.extend(&self.children[*vertex]);
            next += 1;
        }
        // A subtree below its parent moves down, otherwise up.
        let down = self.arcs[self.stem[top]].lower == top;
        let mut nearest: Option<(i64, usize)> = None;
        for vertex in &subtree {
            for index in &self.around[self.starts[*vertex]..self.starts[*vertex + 1]] {
                let Arc { upper, lower, .. } = self.arcs[*index];
                let (near, far) = if down { (upper, lower) } else { (lower, upper) };
                if near == *vertex && !self.inside[far] {
                    let slack = self.layer[lower] - self.layer[upper] - 1;
                    if nearest.is_none_or(|(least, _)| slack < least) {
                        nearest = Some((slack, *index));
                    }
                }
            }
        }
        // A negative cut value means that more weight leads in that direction than back, so such an arc
        // exists.
        if let Some((slack, index)) = nearest {
            let moved = if down { slack } else { -slack };
            for vertex in &subtree {
                self.layer[*vertex] += moved;
            }
            self.hang(top, index);
        }
        for vertex in subtree.drain(..) {
            self.inside[vertex] = false;
        }
        self.subtree = subtree;
    }

    /// Makes the inner end of `arc` the new top of the subtree of `top`, and the outer end its parent.
    fn hang(&mut self, top: usize, arc: usize) {
        let Arc { upper, lower, .. } = self.arcs[arc];
        let (inner, outer) = if self.inside[upper] { (upper, lower) } else { (lower, upper) };
        let whole = self.outflow[top];
        for (start, sign) in [(self.parent[top], -1), (outer, 1)] {
            let mut above = start;
            while above != NONE {
                self.outflow[above] += sign * whole;
                above = self.parent[above];
            }
        }
        // Reverse the parents on the path from the new top to the old one.
        let (mut vertex, mut parent, mut stem, mut flow) = (inner, outer, arc, 0);
        loop {
            let old = (self.parent[vertex], self.stem[vertex], self.outflow[vertex]);
            if old.0 != NONE {
                self.children[old.0].retain(|child| *child != vertex);
            }
            self.parent[vertex] = parent;
            self.stem[vertex] = stem;
            self.outflow[vertex] = whole - flow;
            self.children[parent].push(vertex);
            if vertex == top {
                break;
            }
            (parent, vertex, stem, flow) = (vertex, old.0, old.1, old.2);
        }
    }

    /// The layers, starting at 0 in each connected part.
    fn normalised(&self) -> Vec<usize> {
        let mut root_of = vec![NONE; self.layer.len()];
        let mut stack = Vec::new();
        for root in &self.roots {
            let mut root = *root;
            while self.parent[root] != NONE {
                root = self.parent[root];
            }
            stack.push(root);
            while let Some(vertex) = stack.pop() {
                root_of[vertex] = root;
                stack.extend(&self.children[vertex]);
            }
        }
        let mut least = vec![i64::MAX; self.layer.len()];
        for (vertex, root) in root_of.iter().enumerate() {
            least[*root] = least[*root].min(self.layer[vertex]);
        }
        std::iter::zip(&self.layer, root_of)
            .map(|(layer, root)| (layer - least[root]) as usize)
            .collect()
    }
}
