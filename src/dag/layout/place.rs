//! Columns for the points of all layers, so that lines are straight and vertices stand in the middle of their neighbours.

use std::collections::HashSet;

use super::layers::{Layered, Point};
use super::{Size, Spacing};

/// The column of each point, at least as far from its neighbours in the layer as spacing asks, so that no box begins left
/// of column 0. A vertex's column is that of its [`port`].
pub(super) fn columns(layered: &Layered, sizes: &[Size], spacing: &Spacing) -> Vec<i32> {
    let placer = Placer {
        layered,
        sizes,
        spacing,
        position: layered.positions(),
        conflicts: conflicts(layered),
    };
    let extreme = [(true, true), (true, false), (false, true), (false, false)]
        .map(|(downward, leftward)| (leftward, placer.extreme(downward, leftward)));
    let bounds = |columns: &[i32]| {
        let left = (0..columns.len()).map(|point| columns[point] - placer.left(point)).min();
        let right = (0..columns.len()).map(|point| columns[point] + placer.right(point)).max();
        (left.unwrap_or(0), right.unwrap_or(0))
    };
    let (left, right) = extreme
        .iter()
        .map(|(_, columns)| bounds(columns))
        .min_by_key(|(left, right)| right - left)
        .unwrap_or_default();
    let shifts = extreme.each_ref().map(|(leftward, columns)| {
        let own = bounds(columns);
        if *leftward { left - own.0 } else { right - own.1 }
    });
    let mut columns: Vec<i32> = (0..layered.layer.len())
        .map(|point| {
            let mut candidates = [0; 4];
            for (candidate, ((_, columns), shift)) in
                candidates.iter_mut().zip(extreme.iter().zip(shifts))
            {
                *candidate = columns[point] + shift;
            }
            candidates.sort_unstable();
            (candidates[1] + candidates[2]).div_euclid(2)
        })
        .collect();
    Straightener::of(&placer, &mut columns).snap();
    let (left, _) = bounds(&columns);
    for column in &mut columns {
        *column -= left;
    }
    columns
}

/// Where in a box of that width the lines leave and enter.
pub(super) fn port(size: Size) -> i32 {
    (size.across - 1) / 2
}

/// Links of a vertex that cross a link between two bends, or share a bend with one: these give way, so that long lines
/// are straight.
fn conflicts(layered: &Layered) -> HashSet<(Point, Point)> {
    let position = layered.positions();
    let mut conflicts = HashSet::new();
    let inner = |lower: Point| {
        let mut uppers = layered.up[lower].iter().filter(|_| layered.is_bend(lower));
        uppers.find(|upper| layered.is_bend(**upper)).map(|upper| position[*upper])
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
            for lower in &layer[scanned..=place] {
                for upper in &layered.up[*lower] {
                    let at = position[*upper];
                    let both = layered.is_bend(*upper) && layered.is_bend(*lower);
                    if (at < first || at > last) && !both {
                        conflicts.insert((*upper, *lower));
                    }
                }
            }
            scanned = place + 1;
            first = last;
        }
    }
    for bend in layered.vertices..layered.layer.len() {
        let is_bend = |point: &&Point| layered.is_bend(**point);
        let (up, down) = (&layered.up[bend], &layered.down[bend]);
        if down.iter().any(|point| is_bend(&point)) {
            conflicts
                .extend(down.iter().filter(|point| !is_bend(point)).map(|point| (bend, *point)));
        }
        if up.iter().any(|point| is_bend(&point)) {
            conflicts.extend(up.iter().filter(|point| !is_bend(point)).map(|point| (*point, bend)));
        }
    }
    conflicts
}

struct Placer<'a> {
    layered: &'a Layered,
    sizes: &'a [Size],
    spacing: &'a Spacing,
    position: Vec<usize>,
    conflicts: HashSet<(Point, Point)>,
}

impl Placer<'_> {
    /// Cells of a point left of its column.
    fn left(&self, point: Point) -> i32 {
        self.sizes.get(point).map_or(0, |size| port(*size))
    }

    /// Cells of a point right of its column.
    fn right(&self, point: Point) -> i32 {
        self.sizes.get(point).map_or(0, |size| size.across - 1 - port(*size))
    }

    /// The least distance of the columns of two neighbours.
    fn distance(&self, left: Point, right: Point) -> i32 {
        let lines = self.layered.is_bend(left) || self.layered.is_bend(right);
        let gap = if lines { self.spacing.lines } else { self.spacing.boxes };
        self.right(left) + 1 + gap + self.left(right)
    }

    /// The position on the way of one of the four passes.
    fn place(&self, point: Point, leftward: bool) -> usize {
        let position = self.position[point];
        if leftward {
            position
        } else {
            self.layered.layers[self.layered.layer[point]].len() - 1 - position
        }
    }

    /// One of the four extreme placements: points aligned with their median neighbours above (`downward`) or below, and
    /// packed to the left or the right.
    fn extreme(&self, downward: bool, leftward: bool) -> Vec<i32> {
        let roots = self.align(downward, leftward);
        let columns = self.compact(&roots, leftward);
        let sign = if leftward { 1 } else { -1 };
        roots.iter().map(|root| sign * columns[*root]).collect()
    }

    /// Blocks of points in one column: the first point of the block that each point is in.
    fn align(&self, downward: bool, leftward: bool) -> Vec<Point> {
        let layered = self.layered;
        let count = layered.layer.len();
        let mut root: Vec<Point> = (0..count).collect();
        let mut taken = vec![false; count];
        let next = if downward { &layered.up } else { &layered.down };
        for step in 0..layered.layers.len() {
            let layer = if downward { step } else { layered.layers.len() - 1 - step };
            let mut points = layered.layers[layer].clone();
            if !leftward {
                points.reverse();
            }
            let mut free = 0;
            for point in points {
                let mut others = next[point].clone();
                others.sort_unstable_by_key(|other| self.place(*other, leftward));
                let Some(last) = others.len().checked_sub(1) else { continue };
                let mut medians = vec![last / 2];
                if last % 2 == 1 {
                    medians.push(last / 2 + 1);
                }
                for median in medians {
                    let other = others[median];
                    let link = if downward { (other, point) } else { (point, other) };
                    let place = self.place(other, leftward);
                    if place >= free && !taken[other] && !self.conflicts.contains(&link) {
                        taken[other] = true;
                        root[point] = root[other];
                        free = place + 1;
                        break;
                    }
                }
            }
        }
        root
    }

    /// The least column of each block, and then the greatest that does not push others away, so that blocks which hold
    /// nothing at their left move to what they lead to.
    fn compact(&self, roots: &[Point], leftward: bool) -> Vec<i32> {
        let count = roots.len();
        let mut before: Vec<Vec<(Point, i32)>> = vec![Vec::new(); count];
        let mut after: Vec<Vec<(Point, i32)>> = vec![Vec::new(); count];
        let mut waiting = vec![0; count];
        for pair in self.layered.layers.iter().flat_map(|points| points.windows(2)) {
            let distance = self.distance(pair[0], pair[1]);
            let (first, second) = if leftward { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
            before[roots[second]].push((roots[first], distance));
            after[roots[first]].push((roots[second], distance));
            waiting[roots[second]] += 1;
        }
        let mut sorted: Vec<Point> =
            (0..count).filter(|point| roots[*point] == *point && waiting[*point] == 0).collect();
        let mut next = 0;
        while let Some(block) = sorted.get(next).copied() {
            next += 1;
            for (other, _) in &after[block] {
                waiting[*other] -= 1;
                if waiting[*other] == 0 {
                    sorted.push(*other);
                }
            }
        }
        let mut columns = vec![0; count];
        for block in &sorted {
            let least = before[*block].iter().map(|(other, distance)| columns[*other] + distance);
            columns[*block] = least.max().unwrap_or(0);
        }
        for block in sorted.iter().rev() {
            let most = after[*block].iter().map(|(other, distance)| columns[*other] - distance);
            columns[*block] = most.min().map_or(columns[*block], |most| most.max(columns[*block]));
        }
        columns
    }
}

/// Jogs of at most so many cells are taken out where there is room.
const JOG: i32 = 3;

/// Takes small jogs out of lines: the average of four placements often misses a straight line by a few cells, which in
/// cells is more unsightly than a vertex slightly off the middle.
struct Straightener<'a> {
    placer: &'a Placer<'a>,
    columns: &'a mut [i32],
    /// Points that straight lines hold together, which move as one.
    blocks: Vec<Vec<Point>>,
    block_of: Vec<usize>,
}

impl<'a> Straightener<'a> {
    fn of(placer: &'a Placer<'a>, columns: &'a mut [i32]) -> Self {
        let blocks = (0..columns.len()).map(|point| vec![point]).collect();
        let block_of = (0..columns.len()).collect();
        let mut straightener = Straightener { placer, columns, blocks, block_of };
        for (upper, lower) in straightener.links() {
            if straightener.jog(upper, lower) == 0 {
                straightener.merge(upper, lower);
            }
        }
        straightener
    }

    fn links(&self) -> Vec<(Point, Point)> {
        let layered = self.placer.layered;
        let downs = layered.layers.iter().flatten().map(|upper| (upper, &layered.down[*upper]));
        downs.flat_map(|(upper, down)| down.iter().map(|lower| (*upper, *lower))).collect()
    }

    fn snap(&mut self) {
        let mut jogs: Vec<(Point, Point)> = self.links();
        jogs.retain(|(upper, lower)| self.is_snappable(*upper, *lower));
        jogs.sort_by_key(|(upper, lower)| self.jog(*upper, *lower).abs());
        for (upper, lower) in jogs {
            let jog = self.jog(upper, lower);
            if self.is_snappable(upper, lower)
                && (self.shift(lower, -jog) || self.shift(upper, jog))
            {
                self.merge(upper, lower);
            }
        }
    }

    /// How far a line runs to the right between two layers.
    fn jog(&self, upper: Point, lower: Point) -> i32 {
        self.columns[lower] - self.columns[upper]
    }

    /// Whether a link is to be straight: it is the only one at both ends, or its jog is small and straightening it does not
    /// move an end from between its neighbours. Where a long line passes only the very middle counts.
    fn is_snappable(&self, upper: Point, lower: Point) -> bool {
        let layered = self.placer.layered;
        let (down, up) = (&layered.down[upper], &layered.up[lower]);
        let jog = self.jog(upper, lower);
        let long = layered.is_bend(upper) || layered.is_bend(lower);
        let balanced = self.is_balanced(upper, down, long) || self.is_balanced(lower, up, long);
        jog != 0 && (down.len() == 1 && up.len() == 1 || jog.abs() <= JOG && !balanced)
    }

    fn is_balanced(&self, point: Point, others: &[Point], exactly: bool) -> bool {
        let columns = || others.iter().map(|other| self.columns[*other] - self.columns[point]);
        let (low, high) = (columns().min().unwrap_or(0), columns().max().unwrap_or(0));
        low < 0 && high > 0 && (!exactly || (low + high).abs() <= 2)
    }

    /// Moves the block of a point, if it has room and the lines get shorter in sum.
    fn shift(&mut self, point: Point, by: i32) -> bool {
        let placer = self.placer;
        let block = self.block_of[point];
        let mut longer = 0;
        for member in &self.blocks[block] {
            let layer = &placer.layered.layers[placer.layered.layer[*member]];
            let position = placer.position[*member];
            let room = if by > 0 {
                layer.get(position + 1).map(|right| {
                    let used = placer.distance(*member, *right);
                    (*right, self.columns[*right] - self.columns[*member] - used)
                })
            } else {
                position.checked_sub(1).map(|left| {
                    let used = placer.distance(layer[left], *member);
                    (layer[left], self.columns[*member] - self.columns[layer[left]] - used)
                })
            };
            if room.is_some_and(|(other, room)| self.block_of[other] != block && room < by.abs()) {
                return false;
            }
            let links = placer.layered.up[*member].iter().chain(&placer.layered.down[*member]);
            for other in links.filter(|other| self.block_of[**other] != block) {
                let distance = self.columns[*other] - self.columns[*member];
                longer += (distance - by).abs() - distance.abs();
            }
        }
        if longer >= 0 {
            return false;
        }
        for member in &self.blocks[block] {
            self.columns[*member] += by;
        }
        true
    }

    fn merge(&mut self, one: Point, other: Point) {
        let (mut from, mut into) = (self.block_of[one], self.block_of[other]);
        if from == into {
            return;
        }
        if self.blocks[from].len() > self.blocks[into].len() {
            std::mem::swap(&mut from, &mut into);
        }
        let members = std::mem::take(&mut self.blocks[from]);
        for member in &members {
            self.block_of[*member] = into;
        }
        self.blocks[into].extend(members);
    }
}
