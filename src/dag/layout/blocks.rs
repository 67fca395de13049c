//! Blocks of points that are joined by straight lines: their columns, and where to cut them if the drawing
//! gets too wide.
//!
//! Each block has at most one point in a layer, and lies in adjacent layers. A wide drawing has a chain of
//! blocks, each beside the next, that leads through many layers; it gets narrower if a line in one of these
//! blocks has a jog.

use super::layers::Point;
use super::place::Placer;

const NONE: usize = usize::MAX;

/// How often blocks are cut, each time at several places.
const CUTS: usize = 8;
/// Cuts are made together if they gain at least this part of the best one, in width.
const SHARE: i32 = 8;

/// Blocks, numbered by their topmost points.
pub(super) struct Blocks<'a, 'b> {
    placer: &'a Placer<'b>,
    /// The neighbours of each point in its layer, and the minimum distance from the left one.
    left: Vec<Point>,
    right: Vec<Point>,
    apart: Vec<i32>,
    /// The block of each point, its distance from the block's topmost point, and the next point below.
    root: Vec<Point>,
    shift: Vec<i32>,
    below: Vec<Point>,
    /// Number of points of each block that have a left neighbour.
    behind: Vec<u32>,
    /// Blocks from left to right.
    sorted: Vec<Point>,
    /// The leftmost and the rightmost column of each block.
    first: Vec<i32>,
    last: Vec<i32>,
    /// The leftmost and rightmost column of each point, were it not part of a block.
    own_first: Vec<i32>,
    own_last: Vec<i32>,
}

impl<'a, 'b> Blocks<'a, 'b> {
    /// Single points.
    pub(super) fn of(placer: &'a Placer<'b>) -> Self {
        let count = placer.layered.layer.len();
        let (mut left, mut right, mut apart) =
            (vec![NONE; count], vec![NONE; count], vec![0; count]);
        for pair in placer.layered.layers.iter().flat_map(|points| points.windows(2)) {
            right[pair[0]] = pair[1];
            left[pair[1]] = pair[0];
            apart[pair[1]] = placer.distance(pair[0], pair[1]);
        }
        Blocks {
            placer,
            left,
            right,
            apart,
            root: Vec::new(),
            shift: Vec::new(),
            below: vec![NONE; count],
            behind: vec![0; count],
            sorted: Vec::with_capacity(count),
            first: vec![0; count],
            last: vec![0; count],
            own_first: vec![0; count],
            own_last: vec![0; count],
        }
    }

    /// The least width of the widest layer.
    pub(super) fn least_width(&self) -> i32 {
        let layers = self.placer.layered.layers.iter();
        let width = |points: &Vec<Point>| {
            let apart: i32 = points.iter().map(|point| self.apart[*point]).sum();
            apart + points.last().map_or(0, |last| self.placer.width(*last))
        };
        layers.map(width).max().unwrap_or(0)
    }

    /// Joins points to blocks: `roots` is any point of the block, and `shifts` the distance from there.
    pub(super) fn join(&mut self, roots: &[Point], shifts: &[i32]) {
        let count = roots.len();
        let (mut top, mut bottom) = (vec![NONE; count], vec![NONE; count]);
        // Points that were merged into others lie in no layer, and stay alone.
        self.root = (0..count).collect();
        self.shift = vec![0; count];
        self.below.fill(NONE);
        for point in self.placer.layered.layers.iter().flatten().copied() {
            let root = roots[point];
            if top[root] == NONE {
                top[root] = point;
            } else {
                self.below[bottom[root]] = point;
            }
            bottom[root] = point;
            self.root[point] = top[root];
            self.shift[point] = shifts[point] - shifts[top[root]];
        }
    }

    /// Cuts blocks until the drawing is at most `limit` wide, or no cut helps. Returns the cut links.
    pub(super) fn narrow(&mut self, limit: i32) -> Vec<usize> {
        let mut links = Vec::new();
        for _ in 0..CUTS {
            self.find_first();
            self.find_last(limit);
            let mut cuts: Vec<(i32, Point)> = Vec::new();
            for block in &self.sorted {
                if self.first[*block] > self.last[*block] {
                    cuts.extend(self.best_cut(*block));
                }
            }
            let Some(most) = cuts.iter().map(|(gain, _)| *gain).max() else { break };
            for (gain, point) in cuts {
                if SHARE * gain >= most {
                    let lower = self.below[point];
                    let joins = |link: &usize| self.placer.layered.links[*link].lower == lower;
                    links.extend(self.placer.down.at(point).iter().copied().filter(joins));
                    self.cut(point);
                }
            }
        }
        links
    }

    /// The point below which to cut a block, and what that gains.
    fn best_cut(&self, block: Point) -> Option<(i32, Point)> {
        let excess = |first: i32, last: i32| first.saturating_sub(last);
        let whole = excess(self.first[block], self.last[block]);
        let after = |(first, last): (i32, i32), point: Point| {
            let shift = self.shift[point];
            (first.max(self.own_first[point] - shift), last.min(self.own_last[point] - shift))
        };
        let members: Vec<Point> = self.members(block).collect();
        let mut lower = vec![(i32::MIN / 2, i32::MAX / 2); members.len() + 1];
        for (at, point) in members.iter().enumerate().rev() {
            lower[at] = after(lower[at + 1], *point);
        }
        let mut upper = (i32::MIN / 2, i32::MAX / 2);
        let mut best = None;
        for (at, pair) in members.windows(2).enumerate() {
            upper = after(upper, pair[0]);
            let rest = excess(upper.0, upper.1).max(excess(lower[at + 1].0, lower[at + 1].1));
            let bends = pair.iter().filter(|point| self.placer.layered.is_bend(**point)).count();
            // Long lines should stay straight.
            let gain = (whole - rest.max(0)) >> bends;
            if gain > 0 && best.is_none_or(|(most, _)| gain > most) {
                best = Some((gain, pair[0]));
            }
        }
        best
    }

    fn cut(&mut self, point: Point) {
        let top = std::mem::replace(&mut self.below[point], NONE);
        let by = self.shift[top];
        let mut member = top;
        while member != NONE {
            self.root[member] = top;
            self.shift[member] -= by;
            member = self.below[member];
        }
    }

    fn members(&self, block: Point) -> impl Iterator<Item = Point> {
        let next = |point: &Point| Some(self.below[*point]).filter(|below| *below != NONE);
        std::iter::successors(Some(block), next)
    }

    /// Finds the leftmost columns, and the order of the blocks.
    fn find_first(&mut self) {
        self.behind.fill(0);
        for (point, root) in self.root.iter().enumerate() {
            self.behind[*root] += u32::from(self.left[point] != NONE);
            self.first[point] = i32::MIN;
        }
        for (point, root) in self.root.iter().enumerate() {
            if self.left[point] == NONE {
                self.own_first[point] = 0;
                self.first[*root] = self.first[*root].max(-self.shift[point]);
            }
        }
        self.sorted.clear();
        for (point, root) in self.root.iter().enumerate() {
            if *root == point && self.behind[point] == 0 {
                self.sorted.push(point);
            }
        }
        let mut at = 0;
        while let Some(block) = self.sorted.get(at).copied() {
            at += 1;
            let mut member = block;
            while member != NONE {
                let right = self.right[member];
                if right != NONE {
                    let column = self.first[block] + self.shift[member] + self.apart[right];
                    let root = self.root[right];
                    self.own_first[right] = column;
                    self.first[root] = self.first[root].max(column - self.shift[right]);
                    self.behind[root] -= 1;
                    if self.behind[root] == 0 {
                        self.sorted.push(root);
                    }
                }
                member = self.below[member];
            }
        }
    }

    /// Finds the rightmost columns in a drawing of a certain width.
    fn find_last(&mut self, width: i32) {
        for block in self.sorted.iter().rev() {
            let mut last = i32::MAX;
            let mut member = *block;
            while member != NONE {
                let right = self.right[member];
                self.own_last[member] = if right == NONE {
                    width - self.placer.width(member)
                } else {
                    self.last[self.root[right]] + self.shift[right] - self.apart[right]
                };
                last = last.min(self.own_last[member] - self.shift[member]);
                member = self.below[member];
            }
            self.last[*block] = last;
        }
    }

    /// The outermost column of each point, then the farthest in the opposite direction that does not push
    /// other blocks, so that blocks with free space move to their neighbours.
    pub(super) fn columns(&mut self, leftward: bool) -> Vec<i32> {
        self.find_first();
        let columns = if leftward {
            for block in self.sorted.iter().rev() {
                let rooms = self.members(*block).filter(|point| self.right[*point] != NONE);
                let most = rooms.map(|point| {
                    let right = self.right[point];
                    let column = self.first[self.root[right]] + self.shift[right];
                    column - self.apart[right] - self.shift[point]
                });
                let most = most.min().unwrap_or(self.first[*block]);
                self.first[*block] = most.max(self.first[*block]);
            }
            &self.first
        } else {
            self.find_last(0);
            for block in &self.sorted {
                let rooms = self.members(*block).filter(|point| self.left[*point] != NONE);
                let least = rooms.map(|point| {
                    let left = self.left[point];
                    let column = self.last[self.root[left]] + self.shift[left];
                    column + self.apart[point] - self.shift[point]
                });
                let least = least.max().unwrap_or(self.last[*block]);
                self.last[*block] = least.min(self.last[*block]);
            }
            &self.last
        };
        std::iter::zip(&self.root, &self.shift)
            .map(|(root, shift)| columns[*root] + shift)
            .collect()
    }
}
