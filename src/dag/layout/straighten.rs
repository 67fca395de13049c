//! Improves the columns in small steps: removes jogs from lines, and moves blocks towards their neighbours.

use super::layers::Point;
use super::place::Placer;

/// Largest jog in cells that is removed.
const JOG: i32 = 3;

/// How often all blocks are moved towards their neighbours.
const PULLS: usize = 4;

/// Removes small jogs from lines. The average of four placements often misses a straight line by a few cells,
/// which looks worse than an item slightly off-centre.
pub(super) struct Straightener<'a, 'b> {
    placer: &'a Placer<'b>,
    columns: &'a mut [i32],
    /// Points that are joined by straight lines and move together.
    blocks: Vec<Vec<Point>>,
    block_of: Vec<usize>,
}

impl<'a, 'b> Straightener<'a, 'b> {
    pub(super) fn of(placer: &'a Placer<'b>, columns: &'a mut [i32]) -> Self {
        let blocks = (0..columns.len()).map(|point| vec![point]).collect();
        let block_of = (0..columns.len()).collect();
        let mut straightener = Straightener { placer, columns, blocks, block_of };
        for link in 0..placer.layered.links.len() {
            if straightener.jog(link) == 0 {
                straightener.merge(link);
            }
        }
        straightener
    }

    /// Straightens lines, smallest jogs first.
    pub(super) fn snap(&mut self) {
        let mut jogs: Vec<usize> = (0..self.placer.layered.links.len()).collect();
        jogs.retain(|link| self.is_snappable(*link));
        jogs.sort_by_key(|link| self.jog(*link).abs());
        for link in jogs {
            let jog = self.jog(link);
            let ends = self.placer.layered.links[link];
            if self.is_snappable(link)
                && (self.shift(ends.lower, -jog) || self.shift(ends.upper, jog))
            {
                self.merge(link);
            }
        }
    }

    /// Moves blocks towards their neighbours until none moves or [`PULLS`] is reached.
    pub(super) fn pull_all(&mut self) {
        for _ in 0..PULLS {
            let mut pulled = false;
            for block in 0..self.blocks.len() {
                pulled |= self.pull(block);
            }
            if !pulled {
                break;
            }
            for link in 0..self.placer.layered.links.len() {
                if self.jog(link) == 0 {
                    self.merge(link);
                }
            }
        }
    }

    /// Moves a block, as far as there is space, to the median of its neighbours: there the total length of
    /// its lines is smallest.
    fn pull(&mut self, block: usize) -> bool {
        let placer = self.placer;
        let mut ways = Vec::new();
        let (mut left, mut right) = (i32::MAX, i32::MAX);
        for member in &self.blocks[block] {
            let layer = &placer.layered.layers[placer.layered.layer[*member]];
            let position = placer.position[*member];
            let column = |point: &Point| self.columns[*point];
            let room = |one: &Point, other: &Point| {
                column(other) - column(one) - placer.distance(*one, *other)
            };
            let other = |point: &&Point| self.block_of[**point] != block;
            let before = position.checked_sub(1).map(|at| &layer[at]).filter(other);
            let after = layer.get(position + 1).filter(other);
            left = before.map_or(left, |before| left.min(room(before, member)));
            right = after.map_or(right, |after| right.min(room(member, after)));
            for (links, sign) in [(placer.up.at(*member), -1), (placer.down.at(*member), 1)] {
                ways.extend(
                    links.iter().map(|link| sign * self.jog(*link)).filter(|jog| *jog != 0),
                );
            }
        }
        ways.sort_unstable();
        let Some(last) = ways.len().checked_sub(1) else { return false };
        let by = 0.clamp(ways[last / 2], ways[last.div_ceil(2)]).clamp(-left, right);
        for member in &self.blocks[block] {
            self.columns[*member] += by;
        }
        by != 0
    }

    /// The horizontal distance between the two ends of a link.
    fn jog(&self, link: usize) -> i32 {
        let ends = self.placer.layered.links[link];
        self.columns[ends.lower] + self.placer.offsets.lower[link]
            - self.columns[ends.upper]
            - self.placer.offsets.upper[link]
    }

    /// Whether to straighten a link: it is the only one at both ends, or its jog is small and straightening
    /// leaves each end between its neighbours. If a long line passes, the end must be exactly in the middle.
    fn is_snappable(&self, link: usize) -> bool {
        let ends = self.placer.layered.links[link];
        let (down, up) = (self.placer.down.at(ends.upper), self.placer.up.at(ends.lower));
        let jog = self.jog(link);
        let layered = self.placer.layered;
        let long = layered.is_bend(ends.upper) || layered.is_bend(ends.lower);
        let balanced = self.is_balanced(down, 1, long) || self.is_balanced(up, -1, long);
        jog != 0 && (down.len() == 1 && up.len() == 1 || jog.abs() <= JOG && !balanced)
    }

    fn is_balanced(&self, links: &[usize], sign: i32, exactly: bool) -> bool {
        let jogs = || links.iter().map(|link| sign * self.jog(*link));
        let (low, high) = (jogs().min().unwrap_or(0), jogs().max().unwrap_or(0));
        low < 0 && high > 0 && (!exactly || (low + high).abs() <= 2)
    }

    /// Moves the block of a point if there is space and the total length of its lines decreases.
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
            let sides = [(placer.up.at(*member), -1), (placer.down.at(*member), 1)];
            for (links, sign) in sides {
                for link in links {
                    let ends = placer.layered.links[*link];
                    let other = if sign < 0 { ends.upper } else { ends.lower };
                    if self.block_of[other] != block {
                        let distance = sign * self.jog(*link);
                        longer += (distance - by).abs() - distance.abs();
                    }
                }
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

    fn merge(&mut self, link: usize) {
        let ends = self.placer.layered.links[link];
        let (mut from, mut into) = (self.block_of[ends.upper], self.block_of[ends.lower]);
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
