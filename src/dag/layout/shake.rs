//! Crossing reduction by small changes: a few connected points move aside together, and the points around them are
//! sifted. The change stays if no more links cross than before.
//!
//! Sifting alone can't move a branch past another one, as the first of its points to move would cross more links. The cost
//! of a change does not depend on the size of the drawing, so in a small drawing there is time for hundreds.

use super::layers::Point;
use super::order::Sorter;
use super::{Stop, Stopped};

/// Most points that move aside together.
const BRANCH: usize = 12;
/// How many positions they move at most.
const ASIDE: usize = 3;
/// How many positions a point is then sifted to each side. Wider windows cost more than they gain.
const NEAR: usize = 4;
/// Most points that are sifted after a change, including those that moved aside.
const SIFTED: usize = 30;
/// What an exchange of neighbours costs, in visited links.
const EXCHANGE: usize = 10;

/// Numbers that look random, always the same ones (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((z ^ (z >> 31)) >> 32) as usize * end) >> 32
    }
}

/// A point that moved within its layer, and its position before.
struct Move {
    point: Point,
    from: usize,
}

impl Sorter {
    /// Makes small changes around crossed links until none is left or the work reaches `budget`.
    pub(super) fn shake(&mut self, budget: usize, stop: &Stop) -> Result<(), Stopped> {
        let mut numbers = Numbers(1);
        while self.work < budget {
            let mut crossed = Vec::new();
            for layer in 0..self.layers.len() {
                self.sort_links(layer);
                self.work += 2 * self.layers[layer].len();
                crossed.extend(self.crossed(layer));
            }
            if crossed.is_empty() {
                break;
            }
            for point in crossed {
                stop.check()?;
                if self.work < budget {
                    self.change(point, &mut numbers);
                }
            }
        }
        (0..self.layers.len()).for_each(|layer| self.changed(layer));
        Ok(())
    }

    /// Moves a random branch at a point aside and sifts around it; undoes that if more links cross than before.
    fn change(&mut self, point: Point, numbers: &mut Numbers) {
        let mut points = self.branch(point, 1 + numbers.below(BRANCH), numbers);
        let by = 1 + numbers.below(ASIDE);
        let right = numbers.below(2) == 0;
        let mut moves = Vec::new();
        let mut gain = 0;
        let count = points.len();
        for point in &points {
            let position = self.position[*point] as usize;
            let last = self.layers[self.layer[*point]].len() - 1;
            let to = if right { (position + by).min(last) } else { position.saturating_sub(by) };
            gain += self.carry(*point, to, &mut moves);
        }
        for at in 0..count {
            self.add_linked(points[at], &mut points);
        }
        let mut next = 0;
        while let Some(point) = points.get(next).copied() {
            next += 1;
            let (to, gained) = self.best_near(point);
            if to != self.position[point] as usize {
                gain += self.carry(point, to, &mut moves);
            }
            if gained > 0 {
                self.add_linked(point, &mut points);
            }
        }
        if gain < 0 {
            while let Some(Move { point, from }) = moves.pop() {
                self.rotate(point, from);
            }
        }
    }

    /// Up to `most` points that are connected by links, from a point on.
    fn branch(&self, point: Point, most: usize, numbers: &mut Numbers) -> Vec<Point> {
        let mut points = vec![point];
        for _ in 0..2 * most {
            let from = points[numbers.below(points.len())];
            let (up, down) = (self.up.at(from), self.down.at(from));
            let at = numbers.below(up.len() + down.len());
            let end = up.get(at).or_else(|| down.get(at.checked_sub(up.len())?));
            if let Some(end) = end.filter(|end| !points.contains(&(end.point as usize)))
                && points.len() < most
            {
                points.push(end.point as usize);
            }
        }
        points
    }

    /// Adds the other ends of a point's links, up to [`SIFTED`] in total.
    fn add_linked(&self, point: Point, points: &mut Vec<Point>) {
        let ends = self.up.at(point).iter().chain(self.down.at(point));
        for other in ends.map(|end| end.point as usize) {
            if points.len() < SIFTED && !points.contains(&other) {
                points.push(other);
            }
        }
    }

    /// Moves a point to a position in its layer; returns the crossings that saves.
    fn carry(&mut self, point: Point, to: usize, moves: &mut Vec<Move>) -> i64 {
        let from = self.position[point] as usize;
        let gain = if to < from {
            (to..from).map(|place| self.passed(point, place)).sum()
        } else {
            (from + 1..=to).map(|place| self.passed(point, place)).sum()
        };
        self.rotate(point, to);
        moves.push(Move { point, from });
        gain
    }

    /// The position near a point with the fewest crossings, and how many crossings that saves.
    fn best_near(&mut self, point: Point) -> (usize, i64) {
        let at = self.position[point] as usize;
        let (mut best, mut to) = (0, at);
        let mut sum = 0;
        for place in (at.saturating_sub(NEAR)..at).rev() {
            sum += self.passed(point, place);
            // As in sifting, moves without a gain are made to one side only.
            if sum >= best {
                (best, to) = (sum, place);
            }
        }
        sum = 0;
        for place in at + 1..(at + NEAR + 1).min(self.layers[self.layer[point]].len()) {
            sum += self.passed(point, place);
            if sum > best {
                (best, to) = (sum, place);
            }
        }
        (to, best)
    }

    /// The crossings that are saved when a point passes the one at `place` in its layer.
    fn passed(&mut self, point: Point, place: usize) -> i64 {
        let other = self.layers[self.layer[point]][place];
        for point in [point, other] {
            self.up.sort(point, &self.position);
            self.down.sort(point, &self.position);
        }
        self.work += EXCHANGE;
        if place < self.position[point] as usize {
            self.gain(other, point)
        } else {
            self.gain(point, other)
        }
    }
}
