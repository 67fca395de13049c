//! The layer of each item, and the bends of wires that span layers.

use std::collections::HashMap;

use super::rank::{self, Arc};
use super::{Effort, Stop, Stopped};

/// Most layers that all wires together may span, or a hundred for each item if that is more. Pipelines stay
/// far below. A tangle of cycles would fill the memory with lines that nobody can follow.
const MOST_SPANNED: usize = 1_000_000;
/// Sources with at most this many long wires get separate bends for each wire until the order is known.
const APART: usize = 3;

/// An item of a drawing, or a bend of wires: bends are numbered after the items.
pub(super) type Point = usize;

/// An edge of a drawing from one item to another. Its line belongs to a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wire {
    pub(super) upper: usize,
    pub(super) lower: usize,
    pub(super) owner: usize,
    /// Whether the edge leads from the lower end to the upper one, closing a cycle.
    pub(super) back: bool,
}

/// A link between points of adjacent layers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) upper: Point,
    pub(super) lower: Point,
    pub(super) owner: usize,
    pub(super) back: bool,
    /// Number of wires that share the link.
    pub(super) weight: u32,
}

/// A layered drawing; every link leads from a layer to the next.
#[derive(Debug, Default)]
pub(super) struct Layered {
    /// Number of points that are items.
    pub(super) items: usize,
    /// The layer of each point.
    pub(super) layer: Vec<usize>,
    /// The points of each layer from left to right.
    pub(super) layers: Vec<Vec<Point>>,
    pub(super) links: Vec<Link>,
    /// The points on each wire's path, from its upper to its lower end; empty if the wire is not drawn.
    pub(super) paths: Vec<Vec<Point>>,
    /// The links on each wire's path, in the same order; filled when bends are merged.
    pub(super) tracks: Vec<Vec<usize>>,
}

/// Constraints on the layer of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Bound {
    #[default]
    Free,
    /// In the first layer, before all free items.
    First,
    /// In the last layer, after all free items.
    Last,
}

/// The layer of each item.
pub(super) fn layers(
    bounds: &[Bound],
    wires: &[Wire],
    effort: Effort,
    stop: &Stop,
) -> Result<Vec<usize>, Stopped> {
    let bound = bounds.iter().any(|bound| *bound != Bound::Free);
    let free = |item: usize| bounds[item] == Bound::Free;
    let mut weights: HashMap<(usize, usize), i64> = HashMap::new();
    for wire in wires.iter().filter(|wire| free(wire.upper) && free(wire.lower)) {
        *weights.entry((wire.upper, wire.lower)).or_default() += 1;
    }
    let mut arcs: Vec<Arc> =
        weights.into_iter().map(|((upper, lower), weight)| Arc { upper, lower, weight }).collect();
    arcs.sort_unstable_by_key(|arc| (arc.upper, arc.lower));
    let pivots = match effort {
        Effort::Quick => bounds.len() / 8,
        Effort::Full => 4 * bounds.len(),
    };
    let mut layer = rank::layers(bounds.len(), &arcs, pivots, stop)?;
    if bound {
        let last = (0..layer.len()).filter(|item| free(*item)).map(|item| layer[item] + 1).max();
        for (layer, bound) in std::iter::zip(&mut layer, bounds) {
            *layer = match bound {
                Bound::First => 0,
                Bound::Free => *layer + 1,
                Bound::Last => last.unwrap_or(0) + 1,
            };
        }
    }
    Ok(layer)
}

impl Layered {
    /// Items in the given layers, with bends for wires that span more than one.
    pub(super) fn new(layer: Vec<usize>, wires: &[Wire]) -> Self {
        let count = layer.iter().max().map_or(0, |last| last + 1);
        let mut layered = Layered {
            items: layer.len(),
            layers: vec![Vec::new(); count],
            paths: vec![Vec::new(); wires.len()],
            ..Layered::default()
        };
        for layer in layer {
            layered.add(layer);
        }
        let span = |wire: &Wire| layered.layer[wire.lower] - layered.layer[wire.upper];
        let mut spans: Vec<usize> = wires.iter().map(span).collect();
        spans.sort_unstable();
        let mut sum = 0;
        let too_long = spans.into_iter().find(|span| {
            sum += span;
            sum > MOST_SPANNED.max(100 * layered.items)
        });
        // The wires of one source that leave the same item, longest first.
        let mut nets: HashMap<(usize, usize, bool), Vec<usize>> = HashMap::new();
        let mut keys = Vec::new();
        for (index, wire) in wires.iter().enumerate() {
            if too_long.is_some_and(|too_long| span(wire) >= too_long) {
                continue;
            }
            let start = if wire.back { wire.lower } else { wire.upper };
            let key = (start, wire.owner, wire.back);
            nets.entry(key)
                .or_insert_with(|| {
                    keys.push(key);
                    Vec::new()
                })
                .push(index);
        }
        for key in keys {
            let long = nets[&key].iter().filter(|index| {
                layered.layer[wires[**index].lower] - layered.layer[wires[**index].upper] > 1
            });
            if long.count() > APART {
                layered.connect_together(wires, &nets[&key]);
            } else {
                for index in &nets[&key] {
                    layered.connect(wires, *index);
                }
            }
        }
        layered
    }

    /// Whether the point is a bend and not an item.
    pub(super) fn is_bend(&self, point: Point) -> bool {
        point >= self.items
    }

    /// The position of each point within its layer.
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
        point
    }

    fn link(&mut self, upper: Point, lower: Point, wire: &Wire) {
        let Wire { owner, back, .. } = *wire;
        self.links.push(Link { upper, lower, owner, back, weight: 1 });
    }

    /// Adds a wire with its own bends.
    fn connect(&mut self, wires: &[Wire], index: usize) {
        let wire = wires[index];
        let mut path = vec![wire.upper];
        for layer in self.layer[wire.upper] + 1..self.layer[wire.lower] {
            path.push(self.add(layer));
        }
        path.push(wire.lower);
        for pair in path.windows(2) {
            self.link(pair[0], pair[1], &wire);
        }
        self.paths[index] = path;
    }

    /// Adds wires of one source that share a chain of bends; each wire leaves the chain in the layer before
    /// its end.
    fn connect_together(&mut self, wires: &[Wire], indices: &[usize]) {
        let Some(first) = indices.first().map(|index| wires[*index]) else { return };
        let ends = |index: usize| {
            let Wire { upper, lower, .. } = wires[index];
            if first.back { (lower, upper) } else { (upper, lower) }
        };
        let (start, _) = ends(indices[0]);
        let far = |layered: &Self, index: usize| {
            layered.layer[ends(index).1].abs_diff(layered.layer[start])
        };
        let farthest = indices.iter().map(|index| far(self, *index)).max().unwrap_or(1);
        let mut chain = vec![start];
        for step in 1..farthest {
            let layer = self.layer[start];
            let bend = self.add(if first.back { layer - step } else { layer + step });
            let pair = (chain[step - 1], bend);
            let (upper, lower) = if first.back { (pair.1, pair.0) } else { pair };
            self.link(upper, lower, &first);
            let weight = indices.iter().filter(|index| far(self, **index) > step).count();
            if let Some(link) = self.links.last_mut() {
                link.weight = weight as u32;
            }
            chain.push(bend);
        }
        for index in indices {
            let end = ends(*index).1;
            let mut path = chain[..far(self, *index)].to_vec();
            let last = path[path.len() - 1];
            let (upper, lower) = if first.back { (end, last) } else { (last, end) };
            self.link(upper, lower, &first);
            path.push(end);
            if first.back {
                path.reverse();
            }
            self.paths[*index] = path;
        }
    }

    /// Merges adjacent bends of a source that come from the same point.
    pub(super) fn merge_bends(&mut self, wires: &[Wire]) {
        let mut into: Vec<Point> = (0..self.layer.len()).collect();
        for back in [false, true] {
            let mut before: Vec<Option<(Point, usize)>> = vec![None; self.layer.len()];
            for link in self.links.iter().filter(|link| link.back == back) {
                let (near, far) =
                    if back { (link.lower, link.upper) } else { (link.upper, link.lower) };
                if self.is_bend(far) {
                    before[far] = Some((near, link.owner));
                }
            }
            let count = self.layers.len();
            for step in 0..count {
                let layer = if back { count - 1 - step } else { step };
                for pair in self.layers[layer].windows(2) {
                    if let (Some(one), Some(other)) = (before[pair[0]], before[pair[1]])
                        && (into[one.0], one.1) == (into[other.0], other.1)
                    {
                        into[pair[1]] = into[pair[0]];
                    }
                }
            }
        }
        for layer in &mut self.layers {
            layer.retain(|point| into[*point] == *point);
        }
        for path in &mut self.paths {
            for point in path {
                *point = into[*point];
            }
        }
        // Rebuild the links without duplicates.
        self.links.clear();
        let mut seen: HashMap<(Point, Point, usize, bool), usize> = HashMap::new();
        self.tracks = vec![Vec::new(); wires.len()];
        for ((path, wire), track) in std::iter::zip(&self.paths, wires).zip(&mut self.tracks) {
            for pair in path.windows(2) {
                let key = (pair[0], pair[1], wire.owner, wire.back);
                let index = *seen.entry(key).or_insert(self.links.len());
                if index == self.links.len() {
                    let Wire { owner, back, .. } = *wire;
                    let (upper, lower) = (pair[0], pair[1]);
                    self.links.push(Link { upper, lower, owner, back, weight: 0 });
                }
                self.links[index].weight += 1;
                track.push(index);
            }
        }
    }
}

/// The edges to reverse so that no cycle remains: those that lead back to an item on the current path of a
/// depth-first search.
pub(super) fn backward(count: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    let mut children: Vec<Vec<(usize, usize)>> = vec![Vec::new(); count];
    let mut entered = vec![false; count];
    for (index, (from, to)) in edges.iter().enumerate() {
        children[*from].push((*to, index));
        entered[*to] = true;
    }
    let mut back = vec![false; edges.len()];
    // 0: not visited, 1: on the current path, 2: finished.
    let mut visit = vec![0_u8; count];
    let roots = (0..count).filter(|item| !entered[*item]).chain(0..count);
    for root in roots {
        if visit[root] != 0 {
            continue;
        }
        visit[root] = 1;
        let mut stack = vec![(root, 0)];
        while let Some((item, next)) = stack.last_mut() {
            let Some((child, edge)) = children[*item].get(*next).copied() else {
                visit[*item] = 2;
                stack.pop();
                continue;
            };
            *next += 1;
            match visit[child] {
                0 => {
                    visit[child] = 1;
                    stack.push((child, 0));
                }
                1 => back[edge] = true,
                _ => {}
            }
        }
    }
    back
}
