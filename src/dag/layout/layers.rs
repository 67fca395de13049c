//! Which layer each vertex lies in, and the bends of edges that span layers.

use std::collections::{BTreeSet, HashMap};

use super::Graph;

/// Layers that all edges together may span, or a hundred for each vertex if that is more. Pipelines stay far below; a graph
/// that is one tangle of cycles would fill the memory with lines nobody can follow.
const MOST_SPANNED: usize = 1_000_000;

/// A vertex of the part, or a bend of the edges that leave a vertex: bends are numbered after the vertices.
pub(super) type Point = usize;

/// A connected part of a graph in layers; every link leads from a layer to the next.
#[derive(Debug, Default)]
pub(super) struct Layered {
    /// How many points are vertices.
    pub(super) vertices: usize,
    /// The layer of each point.
    pub(super) layer: Vec<usize>,
    /// The points of each layer from left to right.
    pub(super) layers: Vec<Vec<Point>>,
    /// Points above that each point is linked with.
    pub(super) up: Vec<Vec<Point>>,
    /// Points below that each point is linked with.
    pub(super) down: Vec<Vec<Point>>,
    /// The edges of the graph.
    pub(super) edges: Vec<Edge>,
}

/// An edge of the graph as the points it passes.
#[derive(Debug)]
pub(super) struct Edge {
    /// From the upper end to the lower end, one in each layer.
    pub(super) points: Vec<Point>,
    /// Whether it runs from the lower end to the upper one, closing a cycle.
    pub(super) reversed: bool,
}

impl Layered {
    /// The vertices `members` of the graph, renumbered from 0 in their order, which must be increasing.
    pub(super) fn of(graph: &Graph, members: &[usize]) -> Self {
        let children: Vec<Vec<usize>> = members
            .iter()
            .map(|id| {
                let local = graph.children[*id].iter().filter(|child| *child != id);
                local.filter_map(|child| members.binary_search(child).ok()).collect()
            })
            .collect();
        let mut arcs = Arcs::acyclic(&children);
        let layer = arcs.layers();
        arcs.drop_longest(&layer, MOST_SPANNED.max(100 * members.len()));
        let mut layered = Layered {
            vertices: members.len(),
            layers: vec![Vec::new(); layer.iter().max().map_or(0, |last| last + 1)],
            layer: Vec::new(),
            ..Layered::default()
        };
        for place in &layer {
            layered.add(*place);
        }
        layered.connect(&arcs);
        layered
    }

    /// Whether the point is a bend and not a vertex.
    pub(super) fn is_bend(&self, point: Point) -> bool {
        point >= self.vertices
    }

    /// The place of each point within its layer.
    pub(super) fn positions(&self) -> Vec<usize> {
        let mut positions = vec![0; self.layer.len()];
        for points in &self.layers {
            for (position, point) in points.iter().enumerate() {
                positions[*point] = position;
            }
        }
        positions
    }

    fn add(&mut self, layer: usize) -> Point {
        let point = self.layer.len();
        self.layer.push(layer);
        self.layers[layer].push(point);
        self.up.push(Vec::new());
        self.down.push(Vec::new());
        point
    }

    /// Links the ends of all edges, through bends where they span layers. A long edge takes the bends of that one of its
    /// ends which has more long edges, so that there are few lines.
    fn connect(&mut self, arcs: &Arcs) {
        let long = |upper: usize, lower: usize| self.layer[lower] - self.layer[upper] > 1;
        let count = |ends: &[usize], long: &dyn Fn(usize) -> bool| {
            ends.iter().filter(|end| long(**end)).count()
        };
        let into: Vec<usize> = (0..self.vertices)
            .map(|lower| count(&arcs.up[lower], &|upper| long(upper, lower)))
            .collect();
        let mut joining: Vec<Vec<(usize, bool)>> = vec![Vec::new(); self.vertices];
        let parting: Vec<Vec<Arc>> = (0..self.vertices)
            .map(|upper| {
                let out = arcs.down[upper].iter().filter(|arc| long(upper, arc.to)).count();
                let (joins, parts): (Vec<Arc>, Vec<Arc>) = (arcs.down[upper].iter())
                    .partition(|arc| long(upper, arc.to) && into[arc.to] > out);
                for arc in joins {
                    joining[arc.to].push((upper, arc.reversed));
                }
                parts
            })
            .collect();
        for (upper, arcs) in parting.iter().enumerate() {
            self.part(upper, arcs);
        }
        for (lower, uppers) in joining.iter().enumerate() {
            self.join(uppers, lower);
        }
    }

    /// Links a vertex with those below it through one chain of bends, which each edge leaves above its target.
    fn part(&mut self, upper: usize, lowers: &[Arc]) {
        let mut chain = vec![upper];
        let last = lowers.iter().map(|arc| self.layer[arc.to]).max().unwrap_or(0);
        for layer in self.layer[upper] + 1..last {
            let bend = self.add(layer);
            self.link(chain[chain.len() - 1], bend);
            chain.push(bend);
        }
        for arc in lowers {
            let mut points = chain[..self.layer[arc.to] - self.layer[upper]].to_vec();
            self.link(points[points.len() - 1], arc.to);
            points.push(arc.to);
            self.edges.push(Edge { points, reversed: arc.reversed });
        }
    }

    /// Links vertices with one below them through one chain of bends, which each edge enters below its source.
    fn join(&mut self, uppers: &[(usize, bool)], lower: usize) {
        let Some(first) = uppers.iter().map(|(upper, _)| self.layer[*upper] + 1).min() else {
            return;
        };
        let mut chain: Vec<Point> =
            (first..self.layer[lower]).map(|layer| self.add(layer)).collect();
        chain.push(lower);
        for pair in chain.windows(2) {
            self.link(pair[0], pair[1]);
        }
        for (upper, reversed) in uppers {
            let rest = &chain[self.layer[*upper] + 1 - first..];
            self.link(*upper, rest[0]);
            let points = std::iter::once(*upper).chain(rest.iter().copied()).collect();
            self.edges.push(Edge { points, reversed: *reversed });
        }
    }

    fn link(&mut self, upper: Point, lower: Point) {
        if !self.down[upper].contains(&lower) {
            self.down[upper].push(lower);
            self.up[lower].push(upper);
        }
    }
}

/// An edge seen from one of its ends.
#[derive(Debug, Clone, Copy)]
struct Arc {
    to: usize,
    reversed: bool,
}

/// The edges of a graph, some reversed so that they have no cycle.
struct Arcs {
    down: Vec<Vec<Arc>>,
    up: Vec<Vec<usize>>,
    /// All vertices, each after those above it.
    sorted: Vec<usize>,
}

impl Arcs {
    /// Reverses the edges that lead back to a vertex which a depth-first search is still below.
    fn acyclic(children: &[Vec<usize>]) -> Self {
        #[derive(Clone, Copy, PartialEq)]
        enum Visit {
            Not,
            Open,
            Done,
        }
        let count = children.len();
        let mut arcs =
            Arcs { down: vec![Vec::new(); count], up: vec![Vec::new(); count], sorted: Vec::new() };
        let mut entered = vec![0; count];
        for child in children.iter().flatten() {
            entered[*child] += 1;
        }
        let mut visits = vec![Visit::Not; count];
        let roots = (0..count).filter(|id| entered[*id] == 0).chain(0..count);
        for root in roots {
            let mut stack = Vec::new();
            if visits[root] == Visit::Not {
                visits[root] = Visit::Open;
                stack.push((root, 0));
            }
            while let Some((id, next)) = stack.last_mut() {
                let id = *id;
                let Some(child) = children[id].get(*next).copied() else {
                    visits[id] = Visit::Done;
                    arcs.sorted.push(id);
                    stack.pop();
                    continue;
                };
                *next += 1;
                let reversed = visits[child] == Visit::Open;
                let (upper, lower) = if reversed { (child, id) } else { (id, child) };
                arcs.down[upper].push(Arc { to: lower, reversed });
                arcs.up[lower].push(upper);
                if visits[child] == Visit::Not {
                    visits[child] = Visit::Open;
                    stack.push((child, 0));
                }
            }
        }
        arcs.sorted.reverse();
        arcs
    }

    /// The longest path from above gives each vertex its layer; then groups whose edges to the rest get shorter by it are
    /// pulled down, such as a file that only a late node reads together with all that prepares it.
    fn layers(&self) -> Vec<usize> {
        let mut layers = vec![0; self.down.len()];
        for id in &self.sorted {
            for arc in &self.down[*id] {
                layers[arc.to] = layers[arc.to].max(layers[*id] + 1);
            }
        }
        let mut group = Group::new(layers.len());
        for id in self.sorted.iter().rev() {
            if self.slack(*id, &layers) > 0 {
                self.pull(*id, &mut layers, &mut group);
            }
        }
        // Pulling may have emptied layers.
        let used: BTreeSet<usize> = layers.iter().copied().collect();
        let number: HashMap<usize, usize> = std::iter::zip(used, 0..).collect();
        layers.iter().map(|layer| number[layer]).collect()
    }

    /// Drops the longest edges where all together span more layers than `most`.
    fn drop_longest(&mut self, layers: &[usize], most: usize) {
        let spans =
            self.down.iter().enumerate().flat_map(|(upper, arcs)| {
                arcs.iter().map(move |arc| layers[arc.to] - layers[upper])
            });
        let mut spans: Vec<usize> = spans.collect();
        spans.sort_unstable();
        let mut sum = 0;
        let longest = spans.into_iter().find(|span| {
            sum += span;
            sum > most
        });
        if let Some(longest) = longest {
            for (upper, arcs) in self.down.iter_mut().enumerate() {
                arcs.retain(|arc| layers[arc.to] - layers[upper] < longest);
            }
            for (lower, uppers) in self.up.iter_mut().enumerate() {
                uppers.retain(|upper| layers[lower] - layers[*upper] < longest);
            }
        }
    }

    /// By how much a vertex could move down.
    fn slack(&self, id: usize, layers: &[usize]) -> usize {
        let below = self.down[id].iter().map(|arc| layers[arc.to]).min();
        below.map_or(0, |below| below - layers[id] - 1)
    }

    /// Moves a vertex down together with those above that lead to nothing else, if that makes no edge longer in sum.
    fn pull(&self, id: usize, layers: &mut [usize], group: &mut Group) {
        group.clear();
        group.add(id);
        let mut next = 0;
        while let Some(member) = group.members.get(next).copied() {
            next += 1;
            for parent in &self.up[member] {
                if !group.has[*parent] && self.down[*parent].iter().all(|arc| group.has[arc.to]) {
                    group.add(*parent);
                }
            }
        }
        let entering: usize = (group.members.iter())
            .map(|member| self.up[*member].iter().filter(|parent| !group.has[**parent]).count())
            .sum();
        if entering == 0 || entering < self.down[id].len() {
            let slack = self.slack(id, layers);
            for member in &group.members {
                layers[*member] += slack;
            }
        }
    }
}

/// A set of vertices that remembers its order and is cheap to empty.
struct Group {
    members: Vec<usize>,
    has: Vec<bool>,
}

impl Group {
    fn new(count: usize) -> Self {
        Group { members: Vec::new(), has: vec![false; count] }
    }

    fn add(&mut self, id: usize) {
        self.has[id] = true;
        self.members.push(id);
    }

    fn clear(&mut self) {
        for id in self.members.drain(..) {
            self.has[id] = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layers of vertices with these children.
    fn layers(children: &[&[usize]]) -> Vec<usize> {
        let children: Vec<Vec<usize>> = children.iter().map(|list| list.to_vec()).collect();
        Arcs::acyclic(&children).layers()
    }

    #[test]
    fn a_source_lies_right_above_the_first_that_reads_it() {
        // 0 -> 1 -> 2 -> 3, and 4 is read by 3 alone.
        assert_eq!(layers(&[&[1], &[2], &[3], &[], &[3]]), [0, 1, 2, 3, 2]);
    }

    #[test]
    fn what_prepares_a_late_source_moves_down_with_it() {
        // 0 -> 1 -> 2 -> 3 -> 4, and 5, 6 -> 7 -> 4.
        let layers = layers(&[&[1], &[2], &[3], &[4], &[], &[7], &[7], &[4]]);
        assert_eq!(layers, [0, 1, 2, 3, 4, 2, 2, 3]);
    }

    #[test]
    fn a_side_branch_stays_below_where_it_parts() {
        // 0 -> 1 -> 2 -> 3, and 0 -> 4 -> 5.
        assert_eq!(layers(&[&[1, 4], &[2], &[3], &[], &[5], &[]]), [0, 1, 2, 3, 1, 2]);
    }

    #[test]
    fn one_edge_of_a_cycle_is_reversed() {
        let arcs = Arcs::acyclic(&[vec![1], vec![2], vec![0]]);
        let reversed = arcs.down.iter().flatten().filter(|arc| arc.reversed).count();
        assert_eq!((reversed, arcs.layers()), (1, vec![0, 1, 2]));
    }

    #[test]
    fn in_a_tangle_the_longest_edges_go_first() {
        let mut arcs = Arcs::acyclic(&[vec![1, 3], vec![2, 3], vec![3], vec![]]);
        let layers = arcs.layers();
        arcs.drop_longest(&layers, 5);
        let kept: Vec<usize> = arcs.down.iter().map(Vec::len).collect();
        assert_eq!((kept, arcs.up[3].as_slice()), (vec![1, 2, 1, 0], [2, 1].as_slice()));
    }
}
