//! Crossing reduction: the order of points within layers.
//!
//! A first order comes from smoothing: each point moves repeatedly to the mean of its neighbours, while each
//! layer keeps its centre and the whole its spread. This approximates the slowest mode of the graph (Hall
//! 1970; Koren 2005) and places related points side by side in all layers at once. Exchanges of neighbours
//! and sifting (Matuszewski, Schönfeld and Molitor 1999) follow. Then the best order is perturbed by a little
//! smoothing and sifted again, as often as the effort allows; in a small drawing, small changes follow
//! (`shake`). Work is measured in visited links, never in time, so that the same graph gives the same order.

use std::collections::HashMap;

use super::ends::{End, Ends, exchanged};
use super::layers::{Layered, Link, Point};
use super::{Effort, Port, Stop, Stopped};

/// How many positions a point is sifted to each side.
const WINDOW: usize = 15;
/// How often all points are sifted per iteration.
const PASSES: usize = 3;

/// Points and links up to which the order is improved by small changes, after a quarter of the budget.
const SMALL: usize = 1_500;

/// The fixed ports of items.
pub(super) type Ports = HashMap<usize, Vec<Port>>;

/// Sorts the points of each layer such that few links cross.
pub(super) fn reduce_crossings(
    layered: &mut Layered,
    ports: &Ports,
    effort: Effort,
    stop: &Stop,
) -> Result<(), Stopped> {
    let size = layered.layer.len() + layered.links.len();
    // The budget of smoothing and sifting in visited links, and the rounds of smoothing for a first order.
    let (budget, rounds) = match effort {
        Effort::Quick => (size * 40, 40),
        Effort::Full => {
            ((size * 1_400).min(400_000 + size * 400), (4 * isqrt(size)).clamp(30, 400))
        }
    };
    let mut sorter = Sorter::new(layered, ports);
    let mut best: Option<(u64, Vec<Vec<Point>>)> = None;
    let mut turn = 0;
    // Small changes pay off most, but in a large drawing there is no time for one at each crossing.
    let smoothed = if size < SMALL { budget / 4 } else { budget };
    while sorter.work < smoothed {
        // Small graphs have time for several first orders.
        let fresh = turn % 4 == 0 && (turn == 0 || size < 400);
        match &best {
            Some((least, _)) if *least == 0 => break,
            Some((_, layers)) if !fresh => {
                sorter.restore(layers);
                let spread = if size > 8_000 { 40 } else { 8 };
                sorter.loosen(spread << (turn % 2), stop)?;
            }
            // Use fewer and fewer rounds: with many rounds all random starts lead to the same order, which
            // may not be the best.
            _ => sorter.spread(rounds >> (turn / 4 % 6), turn as u32, stop)?,
        }
        for _ in 0..PASSES {
            sorter.transpose(stop)?;
            if effort == Effort::Quick || sorter.crossings() == 0 || !sorter.sift(stop)? {
                break;
            }
        }
        let crossings = sorter.crossings();
        if best.as_ref().is_none_or(|(least, _)| crossings < *least) {
            best = Some((crossings, sorter.layers.clone()));
        }
        if effort == Effort::Quick {
            break;
        }
        turn += 1;
    }
    if let Some((least, layers)) = best {
        layered.layers = layers;
        if effort == Effort::Full && size < SMALL {
            sorter.restore(&layered.layers);
            sorter.shake(budget, stop)?;
            // Another order that is no better would only make the drawing less predictable.
            if sorter.crossings() < least {
                layered.layers = sorter.layers;
            }
        }
    }
    Ok(())
}

/// Exchanges neighbours, at least one of them `new`, as long as that saves crossings; old points keep their
/// relative order.
pub(super) fn settle(
    layered: &mut Layered,
    ports: &Ports,
    new: &[bool],
    stop: &Stop,
) -> Result<(), Stopped> {
    let mut sorter = Sorter::new(layered, ports);
    for _ in 0..8 {
        let mut gained = false;
        for layer in 0..sorter.layers.len() {
            gained |= sorter.transpose_layer(layer, |one, other| new[one] || new[other]);
        }
        stop.check()?;
        if !gained {
            break;
        }
    }
    layered.layers = sorter.layers;
    Ok(())
}

fn isqrt(number: usize) -> usize {
    (number as f64).sqrt() as usize
}

/// An order that is being improved.
pub(super) struct Sorter {
    pub(super) layer: Vec<usize>,
    pub(super) layers: Vec<Vec<Point>>,
    pub(super) position: Vec<u32>,
    pub(super) up: Ends,
    pub(super) down: Ends,
    /// Number of fixed ports of each point on the side where lines enter; empty if there are none.
    slots: Vec<u32>,
    /// Links visited so far.
    pub(super) work: usize,
    /// Crossings between each layer and the next, if known.
    counts: Vec<Option<u64>>,
    tree: Vec<u64>,
}

impl Sorter {
    fn new(layered: &Layered, ports: &Ports) -> Self {
        let count = layered.layer.len();
        let port = |point: Point, link: &Link, bottom: bool| {
            let Some(ports) = ports.get(&point) else { return 0 };
            let same = |port: &&Port| (port.owner, port.back) == (link.owner, link.back);
            let own = ports.iter().filter(|port| port.bottom == bottom).find(same);
            let before = |own: &Port| {
                ports
                    .iter()
                    .filter(|other| other.bottom == bottom && other.offset < own.offset)
                    .count()
            };
            own.map_or(0, before) as u32
        };
        let ends: Vec<(End, End)> = (layered.links.iter())
            .map(|link| {
                let (upper, lower) = (port(link.upper, link, true), port(link.lower, link, false));
                let (point, weight) = (link.upper as u32, link.weight);
                let up = End { point, weight, near: lower, far: upper };
                (up, End { point: link.lower as u32, weight, near: upper, far: lower })
            })
            .collect();
        let links = || std::iter::zip(&layered.links, &ends);
        let mut slots = Vec::new();
        if !ports.is_empty() {
            slots = vec![1; count];
            for (item, ports) in ports {
                slots[*item] = ports.iter().filter(|port| !port.bottom).count().max(1) as u32;
            }
        }
        let mut sorter = Sorter {
            layer: layered.layer.clone(),
            layers: layered.layers.clone(),
            position: vec![0; count],
            up: Ends::of(count, links().map(|(link, (up, _))| (link.lower, *up))),
            down: Ends::of(count, links().map(|(link, (_, down))| (link.upper, *down))),
            slots,
            work: 0,
            counts: vec![None; layered.layers.len()],
            tree: Vec::new(),
        };
        sorter.number_all();
        sorter
    }

    fn number_all(&mut self) {
        for layer in 0..self.layers.len() {
            for (position, point) in self.layers[layer].iter().enumerate() {
                self.position[*point] = position as u32;
            }
            self.changed(layer);
        }
    }

    pub(super) fn changed(&mut self, layer: usize) {
        self.counts[layer] = None;
        if layer > 0 {
            self.counts[layer - 1] = None;
        }
    }

    fn restore(&mut self, layers: &[Vec<Point>]) {
        self.layers.clone_from_slice(layers);
        self.number_all();
    }

    /// Computes a first order by smoothing, from the current order for seed 0, else from random positions.
    fn spread(&mut self, rounds: usize, seed: u32, stop: &Stop) -> Result<(), Stopped> {
        if seed == 0 {
            return self.loosen(rounds, stop);
        }
        let places = (0..self.layer.len() as u32).map(|point| {
            let mixed = (point ^ (seed << 20)).wrapping_mul(0x9E37_79B9) ^ 0x5BD1_E995;
            let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x85EB_CA6B);
            ((mixed >> 8) & 0xFFFF) as f32 - 32_768.0
        });
        let places = places.collect();
        self.smooth(places, rounds, 0.5, stop)
    }

    /// Perturbs the current order by smoothing.
    fn loosen(&mut self, rounds: usize, stop: &Stop) -> Result<(), Stopped> {
        let centre = |layer: usize| self.layers[layer].len() as f32 / 2.0;
        let places = std::iter::zip(&self.position, &self.layer)
            .map(|(position, layer)| *position as f32 - centre(*layer));
        let places = places.collect();
        self.smooth(places, rounds, 0.2, stop)
    }

    /// Repeatedly moves each point to the mean of its neighbours and itself (with weight `own`); then sorts
    /// the layers.
    fn smooth(
        &mut self,
        mut places: Vec<f32>,
        rounds: usize,
        own: f32,
        stop: &Stop,
    ) -> Result<(), Stopped> {
        let count = places.len();
        for round in 0..rounds {
            let mut visit = |point: usize| {
                let (mut sum, mut weight) = (places[point] * own, own);
                for ends in [&self.up, &self.down] {
                    for end in ends.at(point) {
                        sum += places[end.point as usize];
                        weight += 1.0;
                    }
                }
                places[point] = sum / weight;
            };
            if round % 2 == 0 {
                (0..count).for_each(&mut visit)
            } else {
                (0..count).rev().for_each(&mut visit)
            }
            let mut square = 0.0;
            for layer in &self.layers {
                let sum: f32 = layer.iter().map(|point| places[*point]).sum();
                let mean = sum / layer.len().max(1) as f32;
                for point in layer {
                    places[*point] -= mean;
                    square += places[*point] * places[*point];
                }
            }
            // Rescale, so that the numbers do not vanish.
            let scale = (count as f32 / square.max(f32::MIN_POSITIVE)).sqrt();
            if !(0.01..100.0).contains(&scale) {
                for place in &mut places {
                    *place *= scale;
                }
            }
            self.work += 2 * count;
            if round % 8 == 0 {
                stop.check()?;
            }
        }
        for layer in &mut self.layers {
            layer.sort_by(|one, other| places[*one].total_cmp(&places[*other]));
        }
        self.number_all();
        Ok(())
    }

    /// The crossings that are saved by exchanging two neighbours.
    pub(super) fn gain(&self, left: Point, right: Point) -> i64 {
        exchanged(self.up.at(left), self.up.at(right), &self.position)
            + exchanged(self.down.at(left), self.down.at(right), &self.position)
    }

    /// Exchanges neighbours as long as that saves crossings.
    fn transpose(&mut self, stop: &Stop) -> Result<(), Stopped> {
        let count = self.layers.len();
        let mut dirty = vec![true; count];
        for _ in 0..8 {
            let mut gained = false;
            for layer in 0..count {
                if std::mem::replace(&mut dirty[layer], false)
                    && self.transpose_layer(layer, |_, _| true)
                {
                    gained = true;
                    dirty[layer.saturating_sub(1)..(layer + 2).min(count)].fill(true);
                }
            }
            stop.check()?;
            if !gained {
                break;
            }
        }
        Ok(())
    }

    fn transpose_layer(&mut self, layer: usize, may: impl Fn(Point, Point) -> bool) -> bool {
        self.sort_links(layer);
        let mut gained = false;
        for left in 0..self.layers[layer].len().saturating_sub(1) {
            let (one, other) = (self.layers[layer][left], self.layers[layer][left + 1]);
            if may(one, other) && self.gain(one, other) > 0 {
                self.layers[layer].swap(left, left + 1);
                self.position[other] = left as u32;
                self.position[one] = left as u32 + 1;
                gained = true;
            }
        }
        self.work += 2 * self.layers[layer].len();
        if gained {
            self.changed(layer);
        }
        gained
    }

    pub(super) fn sort_links(&mut self, layer: usize) {
        for point in &self.layers[layer] {
            self.up.sort(*point, &self.position);
            self.down.sort(*point, &self.position);
        }
    }

    /// Moves each point in turn to the position with the fewest crossings.
    fn sift(&mut self, stop: &Stop) -> Result<bool, Stopped> {
        let mut gained = false;
        for layer in 0..self.layers.len() {
            stop.check()?;
            self.sort_links(layer);
            let count = self.layers[layer].len();
            let crossed = self.crossed(layer);
            self.work += 2 * count + 4 * crossed.len() * WINDOW.min(count);
            let mut changed = false;
            for point in crossed {
                let at = self.position[point] as usize;
                let points = &self.layers[layer];
                let (mut best, mut to, mut sum) = (0, at, 0);
                for place in (at.saturating_sub(WINDOW)..at).rev() {
                    sum += self.gain(points[place], point);
                    // Moves without a gain, to one side only, prevent getting stuck in a local optimum.
                    if sum >= best {
                        (best, to) = (sum, place);
                    }
                }
                sum = 0;
                let after = points.iter().enumerate().take(at + WINDOW + 1).skip(at + 1);
                for (place, other) in after {
                    sum += self.gain(point, *other);
                    if sum > best {
                        (best, to) = (sum, place);
                    }
                }
                if to != at {
                    self.rotate(point, to);
                    gained |= best > 0;
                    changed = true;
                }
            }
            if changed {
                self.changed(layer);
            }
        }
        Ok(gained)
    }

    /// Moves a point to a position in its layer.
    pub(super) fn rotate(&mut self, point: Point, to: usize) {
        let at = self.position[point] as usize;
        let points = &mut self.layers[self.layer[point]];
        let (low, high) = (at.min(to), at.max(to));
        if to < at {
            points[low..=high].rotate_right(1);
        } else {
            points[low..=high].rotate_left(1);
        }
        for (place, point) in points.iter().enumerate().take(high + 1).skip(low) {
            self.position[*point] = place as u32;
        }
    }

    /// The points of a layer whose links cross others; moving any other point can't help. Expects sorted
    /// links.
    pub(super) fn crossed(&self, layer: usize) -> Vec<Point> {
        let points = &self.layers[layer];
        let mut crossed = vec![false; points.len()];
        for ends in [&self.up, &self.down] {
            let place = |end: &End| end.place(&self.position);
            let mut most = 0;
            for (point, crossed) in std::iter::zip(points, &mut crossed) {
                if let [first, ..] = ends.at(*point) {
                    *crossed |= place(first) < most;
                }
                most = ends.at(*point).last().map_or(most, |last| most.max(place(last)));
            }
            let mut least = u64::MAX;
            for (point, crossed) in std::iter::zip(points, &mut crossed).rev() {
                if let [.., last] = ends.at(*point) {
                    *crossed |= place(last) > least;
                }
                least = ends.at(*point).first().map_or(least, |first| least.min(place(first)));
            }
        }
        let crossed = std::iter::zip(points, crossed).filter(|(_, crossed)| *crossed);
        crossed.map(|(point, _)| *point).collect()
    }

    /// Total number of crossings, counted with a binary tree above the positions of the lower layer (Barth,
    /// Jünger and Mutzel 2004).
    fn crossings(&mut self) -> u64 {
        let mut total = 0;
        for upper in 0..self.layers.len().saturating_sub(1) {
            let count = match self.counts[upper] {
                Some(count) => count,
                None => self.crossings_below(upper),
            };
            self.counts[upper] = Some(count);
            total += count;
        }
        total
    }

    fn crossings_below(&mut self, upper: usize) -> u64 {
        // The first leaf of each lower point; a point has one leaf for each port.
        let mut first: Vec<usize> = Vec::new();
        let mut leaves = self.layers[upper + 1].len();
        if !self.slots.is_empty() {
            leaves = 0;
            for point in &self.layers[upper + 1] {
                first.push(leaves);
                leaves += self.slots[*point] as usize;
            }
        }
        let leaves = leaves.next_power_of_two();
        self.tree.clear();
        self.tree.resize(2 * leaves, 0);
        let mut total = 0;
        for point in &self.layers[upper] {
            let ends = self.down.sort(*point, &self.position);
            let mut sorted = Vec::new();
            if !first.is_empty() && ends.iter().any(|end| end.near > 0) {
                sorted.extend_from_slice(ends);
                sorted.sort_by_key(|end| end.near);
            }
            for end in if sorted.is_empty() { ends } else { &sorted } {
                // Links of earlier points that end further right cross this link.
                let position = self.position[end.point as usize] as usize;
                let place = first.get(position).map_or(position, |leaf| leaf + end.far as usize);
                let mut index = place + leaves;
                let mut right = 0;
                while index > 1 {
                    if index.is_multiple_of(2) {
                        right += self.tree[index + 1];
                    }
                    self.tree[index] += u64::from(end.weight);
                    index /= 2;
                }
                total += right * u64::from(end.weight);
            }
        }
        total
    }
}
