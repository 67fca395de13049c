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
struct Sorter {
    layers: Vec<Vec<Point>>,
    position: Vec<usize>,
    /// The links of each point, sorted by position when they are looked at.
    up: Vec<Vec<Point>>,
    down: Vec<Vec<Point>>,
}

impl Sorter {
    fn new(layered: &Layered, layers: Vec<Vec<Point>>) -> Self {
        let position = vec![0; layered.layer.len()];
        let (up, down) = (layered.up.clone(), layered.down.clone());
        let mut sorter = Sorter { layers, position, up, down };
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
            let links = if downward { &mut self.up } else { &mut self.down };
            let keys: Vec<Option<f64>> = self.layers[layer]
                .iter()
                .map(|point| {
                    let links = sorted(&mut links[*point], &self.position);
                    if by_median {
                        median(links, &self.position)
                    } else {
                        mean(links, &self.position)
                    }
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
        let position = &mut self.position;
        let points = &mut self.layers[layer];
        for point in points.iter() {
            sorted(&mut self.up[*point], position);
            sorted(&mut self.down[*point], position);
        }
        let mut gained = false;
        for left in 0..points.len().saturating_sub(1) {
            let (one, other) = (points[left], points[left + 1]);
            let between = |left: Point, right: Point| {
                crossings(&self.up[left], &self.up[right], position)
                    + crossings(&self.down[left], &self.down[right], position)
            };
            let kept = between(one, other);
            if kept > 0 && between(other, one) < kept {
                points.swap(left, left + 1);
                position[other] = left;
                position[one] = left + 1;
                gained = true;
            }
        }
        gained
    }

    /// How many links cross, by summing over a binary tree above the positions of the lower layer.
    fn crossings(&mut self) -> usize {
        let mut total = 0;
        for pair in self.layers.windows(2) {
            let leaves = pair[1].len().next_power_of_two();
            let mut tree = vec![0; 2 * leaves];
            for point in &pair[0] {
                for other in sorted(&mut self.down[*point], &self.position) {
                    // Links of the points before this one that end further right cross this link.
                    let mut index = self.position[*other] + leaves;
                    while index > 1 {
                        if index.is_multiple_of(2) {
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

fn sorted<'a>(points: &'a mut [Point], position: &[usize]) -> &'a [Point] {
    points.sort_unstable_by_key(|point| position[*point]);
    points
}

fn mean(points: &[Point], position: &[usize]) -> Option<f64> {
    let sum: usize = points.iter().map(|point| position[*point]).sum();
    (!points.is_empty()).then(|| sum as f64 / points.len() as f64)
}

/// The median; between two middle places the one weighs more whose side is denser.
fn median(points: &[Point], position: &[usize]) -> Option<f64> {
    let place = |index: usize| position[points[index]] as f64;
    let middle = points.len() / 2;
    match points.len() {
        0 => None,
        1 => Some(place(0)),
        2 => Some((place(0) + place(1)) / 2.0),
        count if count % 2 == 1 => Some(place(middle)),
        count => {
            let (below, above) = (place(middle - 1), place(middle));
            let (left, right) = (below - place(0), place(count - 1) - above);
            Some((below * right + above * left) / (left + right))
        }
    }
}

/// Crossings between the links of a point and those of its right neighbour, both sorted.
fn crossings(left: &[Point], right: &[Point], position: &[usize]) -> usize {
    let mut before = 0;
    left.iter()
        .map(|point| {
            while before < right.len() && position[right[before]] < position[*point] {
                before += 1;
            }
            before
        })
        .sum()
}
