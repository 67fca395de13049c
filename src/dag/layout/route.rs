//! The rows of the layers and of the channels between them, and the way of each edge through the channels.
//!
//! What leaves one point through a channel is a *net*: one horizontal segment that all its lines go down to and up from.
//! Points that lead to one and the same vertex only share a net. Nets lie on tracks so that no two touch, and so that a
//! line which comes from above ends above one that begins in the same column.

use std::collections::{HashMap, HashSet};

use super::layers::{Layered, Point};
use super::place::port;
use super::{Rect, Route, Size, Spacing};

/// Nets in a channel up to which their order is chosen for few crossings.
const SORTED_NETS: usize = 400;

/// The boxes and routes of a part whose points have columns.
pub(super) fn draw(
    layered: &Layered,
    sizes: &[Size],
    columns: Vec<i32>,
    spacing: &Spacing,
) -> (Vec<Rect>, Vec<Route>) {
    let mut ways = vec![Way::Straight; columns.len()];
    let mut boxes = vec![Rect::default(); sizes.len()];
    let mut channels = Vec::with_capacity(layered.layers.len());
    let mut top = 0;
    for (index, points) in layered.layers.iter().enumerate() {
        let vertices = || points.iter().copied().filter(|point| !layered.is_bend(*point));
        let band = vertices().map(|id| sizes[id].along).max().unwrap_or(0);
        for id in vertices() {
            let Size { across, along } = sizes[id];
            let y = if spacing.centred { top + (band - along) / 2 } else { top };
            boxes[id] = Rect { x: columns[id] - port(sizes[id]), y, width: across, height: along };
        }
        top += band;
        channels.push(top + spacing.lead);
        if let Some(below) = layered.layers.get(index + 1) {
            let tracks = assign(layered, points, below, &columns, spacing, &mut ways);
            top += (spacing.lead + tracks + spacing.tail).max(2);
        }
    }
    let routes = layered
        .edges
        .iter()
        .map(|edge| {
            let (upper, lower) = (edge.points[0], edge.points[edge.points.len() - 1]);
            let mut pen = Pen::at(columns[upper], boxes[upper].y + boxes[upper].height);
            for pair in edge.points.windows(2) {
                let channel = channels[layered.layer[pair[0]]];
                match ways[pair[0]] {
                    Way::Straight => {}
                    Way::Track(track) => pen.cross(channel + track, columns[pair[1]]),
                    Way::Dogleg { first, column, second } => {
                        pen.cross(channel + first, column);
                        pen.cross(channel + second, columns[pair[1]]);
                    }
                }
            }
            pen.down(boxes[lower].y - 1);
            let mut cells = pen.cells;
            if edge.reversed {
                cells.reverse();
                Route { source: lower, target: upper, cells }
            } else {
                Route { source: upper, target: lower, cells }
            }
        })
        .collect();
    (boxes, routes)
}

/// Writes the cells of a route.
struct Pen {
    cells: Vec<(i32, i32)>,
    column: i32,
    row: i32,
}

impl Pen {
    fn at(column: i32, row: i32) -> Self {
        Pen { cells: vec![(column, row)], column, row }
    }

    fn down(&mut self, row: i32) {
        while self.row < row {
            self.row += 1;
            self.cells.push((self.column, self.row));
        }
    }

    /// Down to a row and along it to a column.
    fn cross(&mut self, row: i32, column: i32) {
        self.down(row);
        while self.column != column {
            self.column += (column - self.column).signum();
            self.cells.push((self.column, self.row));
        }
    }
}

/// How the lines that leave a point get through the channel below it.
#[derive(Debug, Clone, Copy)]
enum Way {
    Straight,
    Track(i32),
    /// By a first track to a column of its own, and by a lower track on to the targets.
    Dogleg {
        first: i32,
        column: i32,
        second: i32,
    },
}

/// A horizontal segment with the columns of the lines that come from above and of those that go on below.
#[derive(Debug)]
pub(super) struct Net {
    sources: Vec<i32>,
    targets: Vec<i32>,
    low: i32,
    high: i32,
}

impl Net {
    pub(super) fn new(mut sources: Vec<i32>, mut targets: Vec<i32>) -> Self {
        sources.sort_unstable();
        targets.sort_unstable();
        let ends = || sources.iter().chain(&targets).copied();
        let (low, high) = (ends().min().unwrap_or(0), ends().max().unwrap_or(0));
        Net { sources, targets, low, high }
    }

    fn overlaps(&self, other: &Net, gap: i32) -> bool {
        self.low <= other.high + gap && other.low <= self.high + gap
    }

    /// How many lines of the two cross when this one lies above the other.
    fn crossings_above(&self, other: &Net) -> i32 {
        between(&self.targets, other.low, other.high) + between(&other.sources, self.low, self.high)
    }
}

/// How many sorted columns lie strictly between two others.
fn between(columns: &[i32], low: i32, high: i32) -> i32 {
    let above = columns.partition_point(|column| *column < high);
    let below = columns.partition_point(|column| *column <= low);
    above.saturating_sub(below) as i32
}

/// Lays the links between two layers on tracks and gives the number of tracks.
fn assign(
    layered: &Layered,
    above: &[Point],
    below: &[Point],
    columns: &[i32],
    spacing: &Spacing,
    ways: &mut [Way],
) -> i32 {
    let groups = groups(layered, above, columns);
    let nets: Vec<Net> = groups
        .iter()
        .map(|group| {
            let targets = layered.down[group[0]].iter().map(|point| columns[*point]).collect();
            Net::new(group.iter().map(|point| columns[*point]).collect(), targets)
        })
        .collect();
    let taken = above.iter().chain(below).map(|point| columns[*point]).collect();
    let mut channel = Channel::new(nets, spacing.segments);
    let doglegs = channel.break_cycles(taken);
    let tracks = channel.stack();
    for (net, group) in groups.iter().enumerate() {
        let way = match doglegs.get(&net) {
            Some((second, column)) => {
                Way::Dogleg { first: tracks[net], column: *column, second: tracks[*second] }
            }
            None => Way::Track(tracks[net]),
        };
        for point in group {
            ways[*point] = way;
        }
    }
    tracks.iter().max().map_or(0, |last| last + 1)
}

/// The points above a channel by the net that they belong to; those with nothing but a straight line have none.
fn groups(layered: &Layered, above: &[Point], columns: &[i32]) -> Vec<Vec<Point>> {
    let mut groups: Vec<Vec<Point>> = Vec::new();
    let mut shared: HashMap<Point, usize> = HashMap::new();
    for point in above {
        match layered.down[*point].as_slice() {
            [] => {}
            [only] if columns[*only] == columns[*point] => {}
            [only] => {
                let group = *shared.entry(*only).or_insert(groups.len());
                if group == groups.len() {
                    groups.push(Vec::new());
                }
                groups[group].push(*point);
            }
            _ => groups.push(vec![*point]),
        }
    }
    groups
}

/// The nets between two layers, and which must lie above which.
pub(super) struct Channel {
    nets: Vec<Net>,
    gap: i32,
    /// Nets that must lie below each net.
    lower: Vec<Vec<usize>>,
    /// Nets that must lie above each net.
    upper: Vec<Vec<usize>>,
}

impl Channel {
    pub(super) fn new(nets: Vec<Net>, gap: i32) -> Self {
        let mut into: HashMap<i32, Vec<usize>> = HashMap::new();
        for (index, net) in nets.iter().enumerate() {
            for column in &net.targets {
                into.entry(*column).or_default().push(index);
            }
        }
        let (lower, upper) = (vec![Vec::new(); nets.len()], vec![Vec::new(); nets.len()]);
        let mut channel = Channel { nets, gap, lower, upper };
        for index in 0..channel.nets.len() {
            for column in &channel.nets[index].sources {
                for other in into.get(column).into_iter().flatten().filter(|other| **other != index)
                {
                    channel.lower[index].push(*other);
                    channel.upper[*other].push(index);
                }
            }
        }
        channel
    }

    /// Splits nets where nets must lie above one another in a circle: the upper half keeps the number and leads to a free
    /// column, the lower half, given with that column, goes on from there.
    pub(super) fn break_cycles(&mut self, mut taken: HashSet<i32>) -> HashMap<usize, (usize, i32)> {
        let mut doglegs = HashMap::new();
        let mut waiting: Vec<usize> = self.upper.iter().map(Vec::len).collect();
        let mut done = vec![false; self.nets.len()];
        let mut ready: Vec<usize> = (0..done.len()).filter(|net| waiting[*net] == 0).collect();
        let mut next = 0;
        loop {
            while let Some(net) = ready.pop() {
                done[net] = true;
                for other in &self.lower[net] {
                    waiting[*other] -= 1;
                    if waiting[*other] == 0 && !done[*other] {
                        ready.push(*other);
                    }
                }
            }
            while next < done.len() && done[next] {
                next += 1;
            }
            if next == done.len() {
                return doglegs;
            }
            let net = self.on_a_circle(next, &done);
            let (half, column) = self.split(net, &mut taken);
            doglegs.insert(net, (half, column));
            ready.push(net);
            // Nothing must lie below the lower half, so it is on no circle.
            waiting.push(self.upper[half].len());
            done.push(true);
        }
    }

    /// A net of a circle that must lie above `net`, which waits for one.
    fn on_a_circle(&self, net: usize, done: &[bool]) -> usize {
        let mut seen = HashSet::new();
        let mut net = net;
        while seen.insert(net) {
            let above = self.upper[net].iter().copied().find(|other| !done[*other]);
            net = above.unwrap_or(net);
        }
        net
    }

    fn split(&mut self, net: usize, taken: &mut HashSet<i32>) -> (usize, i32) {
        let (low, high) = (self.nets[net].low, self.nets[net].high);
        let middle = low.midpoint(high);
        let column = (0..)
            .flat_map(|distance| [middle + distance, middle - distance])
            .find(|column| *column >= 0 && !taken.contains(column))
            .unwrap_or(high);
        taken.insert(column);
        let half = self.nets.len();
        let targets = std::mem::take(&mut self.nets[net].targets);
        let sources = std::mem::take(&mut self.nets[net].sources);
        self.nets[net] = Net::new(sources, vec![column]);
        self.nets.push(Net::new(vec![column], targets));
        let mut above = std::mem::take(&mut self.upper[net]);
        for other in &above {
            for lower in &mut self.lower[*other] {
                if *lower == net {
                    *lower = half;
                }
            }
        }
        above.push(net);
        self.lower[net].push(half);
        self.upper.push(above);
        self.lower.push(Vec::new());
        (half, column)
    }

    /// The track of each net: those that cross least from above are placed first, each as high as it may lie.
    pub(super) fn stack(&self) -> Vec<i32> {
        let count = self.nets.len();
        let choose = count <= SORTED_NETS;
        let mut score: Vec<i32> = (0..count)
            .map(|net| {
                let others = if choose { 0..count } else { 0..0 };
                others.map(|other| self.preference(net, other)).sum()
            })
            .collect();
        let mut waiting: Vec<usize> = self.upper.iter().map(Vec::len).collect();
        let mut ready: Vec<usize> = (0..count).filter(|net| waiting[*net] == 0).collect();
        let mut tracks: Vec<i32> = vec![-1; count];
        let mut rows: Vec<Vec<usize>> = Vec::new();
        while let Some(at) = (0..ready.len()).min_by_key(|at| (score[ready[*at]], ready[*at])) {
            let net = ready.swap_remove(at);
            let forced = self.upper[net].iter().map(|other| tracks[*other] + 1).max().unwrap_or(0);
            let rather = (0..count)
                .filter(|other| choose && tracks[*other] >= forced)
                .filter(|other| self.preference(*other, net) < 0)
                .map(|other| tracks[other] + 1);
            let mut row = rather.max().unwrap_or(forced);
            let free = |row: &Vec<usize>| {
                row.iter().all(|other| !self.nets[net].overlaps(&self.nets[*other], self.gap))
            };
            while rows.get(row as usize).is_some_and(|row| !free(row)) {
                row += 1;
            }
            if rows.len() <= row as usize {
                rows.resize(row as usize + 1, Vec::new());
            }
            rows[row as usize].push(net);
            tracks[net] = row;
            for other in &self.lower[net] {
                waiting[*other] -= 1;
                if waiting[*other] == 0 {
                    ready.push(*other);
                }
            }
            if choose {
                for (other, score) in score.iter_mut().enumerate() {
                    *score -= self.preference(other, net);
                }
            }
        }
        tracks
    }

    /// How many more crossings there are with `net` above `other` than below it.
    fn preference(&self, net: usize, other: usize) -> i32 {
        let (one, two) = (&self.nets[net], &self.nets[other]);
        if net == other || !one.overlaps(two, 0) {
            return 0;
        }
        one.crossings_above(two) - two.crossings_above(one)
    }
}
