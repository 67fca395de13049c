//! Assigns columns to the points of all layers, so that lines are straight and items are centred between
//! their neighbours.

use super::blocks::Blocks;
use super::layers::{Layered, Point};
use super::ports::Offsets;
use super::straighten::Straightener;
use super::{Effort, Size, Spacing, Stop, Stopped};

/// The links at each point, from left to right.
pub(super) struct Around {
    starts: Vec<usize>,
    links: Vec<usize>,
}

impl Around {
    /// Groups links by the point that `end` returns; `key` sorts the links of a point.
    fn of(
        layered: &Layered,
        end: impl Fn(usize) -> Point,
        key: impl Fn(usize) -> (usize, i32),
    ) -> Self {
        let mut starts = vec![0; layered.layer.len() + 1];
        for link in 0..layered.links.len() {
            starts[end(link) + 1] += 1;
        }
        for point in 0..layered.layer.len() {
            starts[point + 1] += starts[point];
        }
        let mut next = starts.clone();
        let mut links = vec![0; layered.links.len()];
        for link in 0..layered.links.len() {
            let at = &mut next[end(link)];
            links[*at] = link;
            *at += 1;
        }
        for point in 0..layered.layer.len() {
            links[starts[point]..starts[point + 1]].sort_by_key(|link| key(*link));
        }
        Around { starts, links }
    }

    pub(super) fn at(&self, point: Point) -> &[usize] {
        &self.links[self.starts[point]..self.starts[point + 1]]
    }
}

/// The input of the placement.
pub(super) struct Placer<'a> {
    pub(super) layered: &'a Layered,
    sizes: &'a [Size],
    pub(super) offsets: &'a Offsets,
    spacing: &'a Spacing,
    pub(super) position: Vec<usize>,
    pub(super) up: Around,
    pub(super) down: Around,
}

impl<'a> Placer<'a> {
    pub(super) fn new(
        layered: &'a Layered,
        sizes: &'a [Size],
        offsets: &'a Offsets,
        spacing: &'a Spacing,
    ) -> Self {
        let position = layered.positions();
        let links = &layered.links;
        let up = Around::of(
            layered,
            |link| links[link].lower,
            |link| (position[links[link].upper], offsets.upper[link]),
        );
        let down = Around::of(
            layered,
            |link| links[link].upper,
            |link| (position[links[link].lower], offsets.lower[link]),
        );
        Placer { layered, sizes, offsets, spacing, position, up, down }
    }

    /// The column of the left edge of each point, at the minimum distances of `spacing` within a layer; the
    /// smallest column is 0.
    pub(super) fn columns(&self, effort: Effort, stop: &Stop) -> Result<Vec<i32>, Stopped> {
        let mut yields = self.yielding();
        let mut extreme = Vec::with_capacity(4);
        let mut blocks = Blocks::of(self);
        let limit = (blocks.least_width() * self.spacing.stretch / 100).max(self.spacing.roomy);
        for (downward, leftward) in [(true, true), (true, false), (false, true), (false, false)] {
            stop.check()?;
            let ways = (downward, leftward);
            extreme.push((leftward, self.extreme(ways, &mut yields, &mut blocks, limit)));
        }
        let bounds = |columns: &[i32]| {
            let left = columns.iter().copied().min();
            let right = (0..columns.len()).map(|point| columns[point] + self.width(point)).max();
            (left.unwrap_or(0), right.unwrap_or(0))
        };
        let (left, right) = extreme
            .iter()
            .map(|(_, columns)| bounds(columns))
            .min_by_key(|(left, right)| right - left)
            .unwrap_or_default();
        let shifts: Vec<i32> = extreme
            .iter()
            .map(|(leftward, columns)| {
                let own = bounds(columns);
                if *leftward { left - own.0 } else { right - own.1 }
            })
            .collect();
        let mut columns: Vec<i32> = (0..self.layered.layer.len())
            .map(|point| {
                let mut candidates = [0; 4];
                for (candidate, ((_, columns), shift)) in
                    candidates.iter_mut().zip(extreme.iter().zip(&shifts))
                {
                    *candidate = columns[point] + shift;
                }
                candidates.sort_unstable();
                (candidates[1] + candidates[2]).div_euclid(2)
            })
            .collect();
        stop.check()?;
        let mut straightener = Straightener::of(self, &mut columns);
        straightener.snap();
        if effort == Effort::Full {
            straightener.pull_all();
        }
        let (left, _) = bounds(&columns);
        for column in &mut columns {
            *column -= left;
        }
        Ok(columns)
    }

    pub(super) fn width(&self, point: Point) -> i32 {
        self.sizes.get(point).map_or(1, |size| size.across)
    }

    /// The minimum distance between the columns of two neighbours.
    pub(super) fn distance(&self, left: Point, right: Point) -> i32 {
        let (one, other) = (self.width(left), self.width(right));
        let gap = if self.layered.is_bend(left) || self.layered.is_bend(right) {
            self.spacing.lines
        } else if one > 1 || other > 1 {
            self.spacing.boxes
        } else {
            self.spacing.chips
        };
        one + gap
    }

    /// The links of items that cross a link between two bends, or share a bend with one. These links are not
    /// aligned, so that long lines are straight.
    fn yielding(&self) -> Vec<bool> {
        let layered = self.layered;
        let mut yields = vec![false; layered.links.len()];
        let upper = |link: usize| layered.links[link].upper;
        let lower = |link: usize| layered.links[link].lower;
        let inner = |point: Point| {
            if !layered.is_bend(point) {
                return None;
            }
            let mut uppers = self.up.at(point).iter().map(|link| upper(*link));
            uppers.find(|upper| layered.is_bend(*upper)).map(|upper| self.position[upper])
        };
        for (above, layer) in std::iter::zip(&layered.layers, layered.layers.iter().skip(1)) {
            let mut first = 0;
            let mut scanned = 0;
            for (place, point) in layer.iter().enumerate() {
                let bound = inner(*point);
                if bound.is_none() && place + 1 < layer.len() {
                    continue;
                }
                let last = bound.unwrap_or(above.len());
                for point in &layer[scanned..=place] {
                    for link in self.up.at(*point) {
                        let at = self.position[upper(*link)];
                        let both = layered.is_bend(upper(*link)) && layered.is_bend(*point);
                        yields[*link] |= (at < first || at > last) && !both;
                    }
                }
                scanned = place + 1;
                first = last;
            }
        }
        for bend in layered.items..layered.layer.len() {
            for (links, far) in [
                (self.up.at(bend), &upper as &dyn Fn(usize) -> Point),
                (self.down.at(bend), &lower),
            ] {
                if links.iter().any(|link| layered.is_bend(far(*link))) {
                    for link in links.iter().filter(|link| !layered.is_bend(far(**link))) {
                        yields[*link] = true;
                    }
                }
            }
        }
        yields
    }

    /// The position in the scan direction of one of the four passes.
    fn place(&self, point: Point, leftward: bool) -> usize {
        let position = self.position[point];
        if leftward {
            position
        } else {
            self.layered.layers[self.layered.layer[point]].len() - 1 - position
        }
    }

    /// One of the four extreme placements: points are aligned with their median neighbours above (`downward`)
    /// or below, and packed to the left or the right.
    fn extreme(
        &self,
        (downward, leftward): (bool, bool),
        yields: &mut [bool],
        blocks: &mut Blocks<'_, '_>,
        limit: i32,
    ) -> Vec<i32> {
        let (roots, shifts) = self.align(downward, leftward, yields);
        blocks.join(&roots, &shifts);
        // A line that is cut once has its jog there in all four placements.
        for link in blocks.narrow(limit) {
            yields[link] = true;
        }
        blocks.columns(leftward)
    }

    /// Blocks of points that are joined by straight lines: for each point, the first point of its block, and
    /// its offset to the right from there.
    fn align(&self, downward: bool, leftward: bool, yields: &[bool]) -> (Vec<Point>, Vec<i32>) {
        let layered = self.layered;
        let count = layered.layer.len();
        let mut root: Vec<Point> = (0..count).collect();
        let mut shift = vec![0; count];
        let mut taken = vec![false; count];
        let next = if downward { &self.up } else { &self.down };
        for step in 0..layered.layers.len() {
            let layer = if downward { step } else { layered.layers.len() - 1 - step };
            let points = &layered.layers[layer];
            let mut free = 0;
            for step in 0..points.len() {
                let point = points[if leftward { step } else { points.len() - 1 - step }];
                let links = next.at(point);
                let Some(last) = links.len().checked_sub(1) else { continue };
                let (low, high) = (last / 2, last.div_ceil(2));
                let trunk = if downward && !layered.is_bend(point) {
                    self.offsets.trunk[point]
                } else {
                    None
                };
                let first = if trunk == Some(links[low]) {
                    true
                } else if trunk == Some(links[high]) {
                    false
                } else {
                    leftward
                };
                let medians = if first { [low, high] } else { [high, low] };
                for median in &medians[..if low == high { 1 } else { 2 }] {
                    let link = links[*median];
                    let ends = layered.links[link];
                    let other = if downward { ends.upper } else { ends.lower };
                    let place = self.place(other, leftward);
                    if place >= free && !taken[other] && !yields[link] {
                        taken[other] = true;
                        root[point] = root[other];
                        let right = self.offsets.upper[link] - self.offsets.lower[link];
                        shift[point] = shift[other] + if downward { right } else { -right };
                        free = place + 1;
                        break;
                    }
                }
            }
        }
        (root, shift)
    }
}
