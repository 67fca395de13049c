//! The order of points within layers, so that few links cross.

use super::layers::{Layered, Point};

/// Sweeps over all layers, at most, from each of the two first orders.
const SWEEPS: usize = 16;
/// Sweeps without a gain after which a first order is left.
const PATIENCE: usize = 4;
/// Points and links that all sweeps together may visit, about; beyond it there are fewer sweeps.
const BUDGET: usize = 400_000;

/// Puts the points of each layer in an order with few crossings.
///
/// Two first orders are tried, by depth-first search from the top and from the bottom, and the better outcome is kept.
pub(super) fn reduce_crossings(layered: &mut Layered) {
    let size = layered.layer.len() + layered.down.iter().map(Vec::len).sum::<usize>();
    let sweeps = (BUDGET / size.max(1)).clamp(2, SWEEPS);
    let mut best: Option<(usize, Vec<Vec<Point>>)> = None;
    for from_top in [true, false] {
        if best.as_ref().is_some_and(|(crossings, _)| *crossings == 0) {
            break;
        }
        let mut sorter = Sorter::new(layered, first_order(layered, from_top));
        let mut idle = 0;
        for sweep in 0..sweeps {
            let crossings = sorter.crossings();
            if best.as_ref().is_none_or(|(least, _)| crossings < *least) {
                best = Some((crossings, sorter.layers.clone()));
                idle = 0;
            } else {
                idle += 1;
            }
            if crossings == 0 || idle > PATIENCE {
                break;
            }
            sorter.sweep(sweep % 2 == usize::from(from_top), sweep % 4 < 2);
            sorter.transpose();
        }
        let crossings = sorter.crossings();
        if best.as_ref().is_none_or(|(least, _)| crossings < *least) {
            best = Some((crossings, sorter.layers));
        }
    }
    if let Some((_, layers)) = best {
        layered.layers = layers;
    }
}

/// The points of each layer in the order in which a depth-first search from one end meets them.
fn first_order(layered: &Layered, from_top: bool) -> Vec<Vec<Point>> {
    let next = if from_top { &layered.down } else { &layered.up };
    let mut layers = vec![Vec::new(); layered.layers.len()];
    let mut seen = vec![false; layered.layer.len()];
    let by_layer = layered.layers.iter().flatten().copied();
    let starts: Vec<Point> = if from_top { by_layer.collect() } else { by_layer.rev().collect() };
    for start in starts {
        let mut stack = vec![start];
        while let Some(point) = stack.pop() {
            if !std::mem::replace(&mut seen[point], true) {
                layers[layered.layer[point]].push(point);
                stack.extend(next[point].iter().rev().filter(|other| !seen[**other]));
            }
        }
    }
    layers
}

/// An order under work.
struct Sorter<'a> {
    layered: &'a Layered,
    layers: Vec<Vec<Point>>,
    position: Vec<usize>,
}

impl<'a> Sorter<'a> {
    fn new(layered: &'a Layered, layers: Vec<Vec<Point>>) -> Self {
        let mut sorter = Sorter { layered, layers, position: vec![0; layered.layer.len()] };
        for layer in 0..sorter.layers.len() {
            sorter.number(layer);
        }
        sorter
    }

    fn number(&mut self, layer: usize) {
        for (position, point) in self.layers[layer].iter().enumerate() {
            self.position[*point] = position;
        }
    }

    /// Sorts each layer by the medians, or the means, of its neighbours in the layer before it on the way.
    fn sweep(&mut self, downward: bool, by_median: bool) {
        let count = self.layers.len();
        for step in 1..count {
            let layer = if downward { step } else { count - 1 - step };
            let next = if downward { &self.layered.up } else { &self.layered.down };
            let keys: Vec<Option<f64>> = self.layers[layer]
                .iter()
                .map(|point| {
                    let places = sorted_positions(&next[*point], &self.position);
                    if by_median { median(&places) } else { mean(&places) }
                })
                .collect();
            self.rearrange(layer, &keys);
        }
    }

    /// Sorts the points that have a key and leaves the others where they are.
    fn rearrange(&mut self, layer: usize, keys: &[Option<f64>]) {
        let points = &mut self.layers[layer];
        let mut keyed: Vec<(f64, Point)> = std::iter::zip(keys, points.iter())
            .filter_map(|(key, point)| key.map(|key| (key, *point)))
            .collect();
        keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut sorted = keyed.into_iter();
        for (point, key) in std::iter::zip(points.iter_mut(), keys) {
            if key.is_some() {
                if let Some((_, other)) = sorted.next() {
                    *point = other;
                }
            }
        }
        self.number(layer);
    }

    /// Exchanges neighbours as long as that undoes crossings.
    fn transpose(&mut self) {
        for _ in 0..3 {
            let mut gained = false;
            for layer in 0..self.layers.len() {
                gained |= self.transpose_layer(layer);
            }
            if !gained {
                break;
            }
        }
    }

    fn transpose_layer(&mut self, layer: usize) -> bool {
        let layered = self.layered;
        let position = &mut self.position;
        let points = &mut self.layers[layer];
        let mut around: Vec<[Vec<usize>; 2]> = points
            .iter()
            .map(|point| {
                [&layered.up, &layered.down].map(|next| sorted_positions(&next[*point], position))
            })
            .collect();
        let mut gained = false;
        for left in 0..points.len().saturating_sub(1) {
            let (one, other) = (&around[left], &around[left + 1]);
            let kept = crossings(&one[0], &other[0]) + crossings(&one[1], &other[1]);
            let swapped = crossings(&other[0], &one[0]) + crossings(&other[1], &one[1]);
            if swapped < kept {
                points.swap(left, left + 1);
                around.swap(left, left + 1);
                position[points[left]] = left;
                position[points[left + 1]] = left + 1;
                gained = true;
            }
        }
        gained
    }

    /// How many links cross, by summing over a binary tree above the positions of the lower layer.
    fn crossings(&self) -> usize {
        let mut total = 0;
        for pair in self.layers.windows(2) {
            let leaves = pair[1].len().next_power_of_two();
            let mut tree = vec![0; 2 * leaves];
            for point in &pair[0] {
                for place in sorted_positions(&self.layered.down[*point], &self.position) {
                    // Links of the points before this one that end right of `place` cross this link.
                    let mut index = place + leaves;
                    while index > 1 {
                        if index % 2 == 0 {
                            total += tree[index + 1];
                        }
                        tree[index] += 1;
                        index /= 2;
                    }
                }
            }
        }
        total
    }
}

fn sorted_positions(points: &[Point], position: &[usize]) -> Vec<usize> {
    let mut places: Vec<usize> = points.iter().map(|point| position[*point]).collect();
    places.sort_unstable();
    places
}

fn mean(places: &[usize]) -> Option<f64> {
    let sum: usize = places.iter().sum();
    (!places.is_empty()).then(|| sum as f64 / places.len() as f64)
}

/// The median; between two middle places the one weighs more whose side is denser.
fn median(places: &[usize]) -> Option<f64> {
    let middle = places.len() / 2;
    let (first, last) = (places.first()?, places.last()?);
    if places.len() % 2 == 1 || first == last {
        return Some(places[middle] as f64);
    }
    let (below, above) = (places[middle - 1], places[middle]);
    let (left, right) = ((below - first) as f64, (last - above) as f64);
    Some(if places.len() == 2 || left + right == 0.0 {
        (below + above) as f64 / 2.0
    } else {
        (below as f64 * right + above as f64 * left) / (left + right)
    })
}

/// Crossings between the links of a point and those of its right neighbour, both sorted.
fn crossings(left: &[usize], right: &[usize]) -> usize {
    let mut before = 0;
    left.iter()
        .map(|place| {
            while before < right.len() && right[before] < *place {
                before += 1;
            }
            before
        })
        .sum()
}
