//! The rows of the layers and of the channels between them, and the path of each wire through the channels.
//!
//! A *net* consists of the lines of one source that leave one point through a channel to one side: one
//! horizontal segment that joins all columns of these lines above and below the channel. Nets to one side are
//! ordered such that the only crossings are those that the order of the points requires. Nets are placed on
//! tracks such that no two touch, and a line from above ends above a line that begins in the same column.

use std::collections::{HashMap, HashSet};

use super::layers::{Layered, Link};
use super::ports::Offsets;
use super::{Rect, Size, Spacing, Stop, Stopped};

/// Number of tracks from which a channel counts as crowded.
const CROWDED: i32 = 6;
/// From this track on, in percent of the nets side by side (and [`CROWDED`] more), nets go to the first free
/// track and cross others. Else a staircase of short nets, each below the one before, takes a track for each.
const MOST_TRACKS: i32 = 140;
/// How many tracks a net may move down to align with the net of the same point to the other side.
const NEAR: i32 = 3;
/// Number of overlapping pairs of nets in a channel up to which their order is optimized.
const MOST_PAIRS: usize = 200_000;

/// The boxes and lines of a drawing; `x` is across the layers, `y` along the edges.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    /// A box for each item.
    pub(super) boxes: Vec<Rect>,
    /// The corners of each wire from its upper to its lower end.
    pub(super) lines: Vec<Vec<(i32, i32)>>,
    /// The first row of each layer.
    pub(super) tops: Vec<i32>,
}

/// The boxes and lines of a drawing whose points have columns. `before` holds the first rows of the layers in
/// an earlier drawing: with it, no layer lies above its old row; without it, channels get spare rows.
pub(super) fn draw(
    layered: &Layered,
    sizes: &[Size],
    columns: &[i32],
    offsets: &Offsets,
    before: Option<&[i32]>,
    spacing: &Spacing,
    stop: &Stop,
) -> Result<Drawn, Stopped> {
    let mut ways = vec![Way::default(); layered.links.len()];
    let mut drawn = Drawn { boxes: vec![Rect::default(); sizes.len()], ..Drawn::default() };
    let mut channels = Vec::with_capacity(layered.layers.len());
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); layered.layers.len()];
    for (index, link) in layered.links.iter().enumerate() {
        below[layered.layer[link.upper]].push(index);
    }
    let mut top = 0;
    for (index, points) in layered.layers.iter().enumerate() {
        stop.check()?;
        top = before.and_then(|tops| tops.get(index)).map_or(top, |before| top.max(*before));
        drawn.tops.push(top);
        let items = || points.iter().copied().filter(|point| !layered.is_bend(*point));
        let band = items().map(|id| sizes[id].along).max().unwrap_or(0);
        for id in items() {
            let Size { across, along } = sizes[id];
            let y = if spacing.centred { top + (band - along) / 2 } else { top };
            drawn.boxes[id] = Rect { x: columns[id], y, width: across, height: along };
        }
        top += band;
        let channel_top = top;
        let lead = if index + 1 < layered.layers.len() {
            let channel = assign(layered, &below[index], columns, offsets, spacing, &mut ways);
            let lead = if channel.covered { spacing.lead.max(1) } else { spacing.lead };
            let spare = if before.is_some() { 0 } else { spare(channel.tracks) };
            top += (lead + channel.tracks + spare + spacing.tail).max(2);
            lead
        } else {
            0
        };
        channels.push(channel_top + lead);
    }
    drawn.lines = (layered.tracks.iter())
        .map(|links| {
            let (Some(first), Some(last)) = (links.first(), links.last()) else {
                return Vec::new();
            };
            let start = layered.links[*first].upper;
            let end = layered.links[*last].lower;
            let area = drawn.boxes[start];
            let mut pen = Pen::at(columns[start] + offsets.upper[*first], area.y + area.height);
            for index in links {
                let link = &layered.links[*index];
                let channel = channels[layered.layer[link.upper]];
                let column = columns[link.lower] + offsets.lower[*index];
                let way = ways[*index];
                if let Some((middle, second)) = way.dogleg {
                    pen.cross(channel + way.track, middle);
                    pen.cross(channel + second, column);
                } else {
                    pen.cross(channel + way.track, column);
                }
            }
            pen.corner((pen.column, drawn.boxes[end].y - 1));
            pen.corners
        })
        .collect();
    Ok(drawn)
}

/// Spare rows of a channel, so that an edit does not move everything below.
fn spare(tracks: i32) -> i32 {
    if tracks < CROWDED { 0 } else { 2 + tracks / CROWDED }
}

/// Collects the corners of a line.
struct Pen {
    corners: Vec<(i32, i32)>,
    column: i32,
}

impl Pen {
    fn at(column: i32, row: i32) -> Self {
        Pen { corners: vec![(column, row)], column }
    }

    fn corner(&mut self, to: (i32, i32)) {
        if self.corners.last() != Some(&to) {
            self.corners.push(to);
        }
    }

    /// Moves down to a row and along it to a column.
    fn cross(&mut self, row: i32, column: i32) {
        if self.column != column {
            self.corner((self.column, row));
            self.corner((column, row));
            self.column = column;
        }
    }
}

/// The path of a link through its channel.
#[derive(Debug, Clone, Copy, Default)]
struct Way {
    track: i32,
    /// The column and the second, lower track of a net that is split.
    dogleg: Option<(i32, i32)>,
}

/// A horizontal segment with the sorted columns of the lines above and below it.
#[derive(Debug)]
pub(super) struct Net {
    sources: Vec<i32>,
    targets: Vec<i32>,
    low: i32,
    high: i32,
    /// The line that the net is part of; the net of the same point to the other side has the same line.
    line: usize,
}

impl Net {
    pub(super) fn new(mut sources: Vec<i32>, mut targets: Vec<i32>) -> Self {
        for ends in [&mut sources, &mut targets] {
            ends.sort_unstable();
            ends.dedup();
        }
        let ends = || sources.iter().chain(&targets).copied();
        let (low, high) = (ends().min().unwrap_or(0), ends().max().unwrap_or(0));
        Net { sources, targets, low, high, line: usize::MAX }
    }

    /// Whether the two nets can't share a track.
    fn overlaps(&self, other: &Net, gap: i32) -> bool {
        !self.is_sibling(other) && self.low <= other.high + gap && other.low <= self.high + gap
    }

    fn is_sibling(&self, other: &Net) -> bool {
        self.line == other.line && self.line != usize::MAX
    }

    /// Number of crossings between the two nets when this one is above the other.
    fn crossings_above(&self, other: &Net) -> i32 {
        between(&self.targets, other.low, other.high) + between(&other.sources, self.low, self.high)
    }
}

/// The number of sorted columns strictly between two others.
fn between(columns: &[i32], low: i32, high: i32) -> i32 {
    if let [column] = columns {
        return i32::from(low < *column && *column < high);
    }
    let above = columns.partition_point(|column| *column < high);
    let below = columns.partition_point(|column| *column <= low);
    above.saturating_sub(below) as i32
}

/// The result of filling a channel.
struct Filled {
    tracks: i32,
    /// Whether the first track crosses above or below a line's end at a box, so that an extra row is needed
    /// above it.
    covered: bool,
}

/// Assigns the links of a channel to tracks.
fn assign(
    layered: &Layered,
    links: &[usize],
    columns: &[i32],
    offsets: &Offsets,
    spacing: &Spacing,
    ways: &mut [Way],
) -> Filled {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut group_of: HashMap<(usize, usize, bool, bool), usize> = HashMap::new();
    let mut nets_of: HashMap<(usize, usize, bool), usize> = HashMap::new();
    let mut taken = HashSet::new();
    let upper = |link: usize| columns[layered.links[link].upper] + offsets.upper[link];
    let lower = |link: usize| columns[layered.links[link].lower] + offsets.lower[link];
    let start = |link: &Link| if link.back { link.lower } else { link.upper };
    for index in links {
        let link = &layered.links[*index];
        let (from, to) = (upper(*index), lower(*index));
        let next = nets_of.len();
        nets_of.entry((start(link), link.owner, link.back)).or_insert(next);
        taken.extend([from, to]);
        if from != to {
            let key = (start(link), link.owner, link.back, from < to);
            let group = *group_of.entry(key).or_insert(groups.len());
            if group == groups.len() {
                groups.push(Vec::new());
            }
            groups[group].push(*index);
        }
    }
    let mut tops: Vec<i32> = links.iter().map(|link| upper(*link)).collect();
    tops.sort_unstable();
    let ends_above = links.iter().any(|index| {
        let link = &layered.links[*index];
        link.back && !layered.is_bend(link.upper)
    });
    let nets = groups.iter().map(|group| {
        let net = Net::new(
            group.iter().map(|link| upper(*link)).collect(),
            group.iter().map(|link| lower(*link)).collect(),
        );
        let link = &layered.links[group[0]];
        Net { line: nets_of[&(start(link), link.owner, link.back)], ..net }
    });
    let mut channel = Channel::new(nets.collect(), spacing.segments);
    let doglegs = channel.break_cycles(taken);
    let tracks = channel.stack();
    for (net, group) in groups.iter().enumerate() {
        let dogleg = doglegs.get(&net).map(|(second, column)| (*column, tracks[*second]));
        for link in group {
            ways[*link] = Way { track: tracks[net], dogleg };
        }
    }
    let over = |net: &Net| {
        let own = |column: &i32| net.sources.binary_search(column).is_ok();
        let from = tops.partition_point(|column| *column < net.low);
        tops[from..].iter().take_while(|column| **column <= net.high).any(|column| !own(column))
    };
    let first = (0..tracks.len()).filter(|net| tracks[*net] == 0);
    let covered = ends_above || first.clone().any(|net| over(&channel.nets[net]));
    Filled { tracks: tracks.iter().max().map_or(0, |last| last + 1), covered }
}

/// The nets between two layers, and the constraints on their vertical order.
pub(super) struct Channel {
    nets: Vec<Net>,
    gap: i32,
    /// For each net, the nets that must lie below it.
    lower: Vec<Vec<usize>>,
    /// For each net, the nets that must lie above it.
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

    /// Splits nets to break cycles of vertical constraints: the upper half keeps the number and leads to a
    /// free column; the returned lower half continues from that column.
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
            // Nothing must lie below the lower half, so it is on no cycle.
            waiting.push(self.upper[half].len());
            done.push(true);
        }
    }

    /// A net on a cycle above `net`, which still waits for another net.
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
        let line = self.nets[net].line;
        self.nets[net] = Net { line, ..Net::new(sources, vec![column]) };
        self.nets.push(Net { line, ..Net::new(vec![column], targets) });
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

    /// The track of each net: nets with the fewest crossings as the top net are placed first, each as high as
    /// possible.
    pub(super) fn stack(&self) -> Vec<i32> {
        let count = self.nets.len();
        let preferences = self.preferences();
        // For each net, the number of nets that should come first, and the total cost of coming before them.
        let mut score: Vec<(usize, i32)> = (preferences.iter())
            .map(|others| {
                let first = others.iter().filter(|(_, preference)| *preference > 0).count();
                (first, others.iter().map(|(_, preference)| preference).sum())
            })
            .collect();
        let mut waiting: Vec<usize> = self.upper.iter().map(Vec::len).collect();
        let mut ready: Vec<usize> = (0..count).filter(|net| waiting[*net] == 0).collect();
        let mut tracks: Vec<i32> = vec![-1; count];
        let mut rows: Vec<Vec<usize>> = Vec::new();
        let mut siblings: HashMap<usize, i32> = HashMap::new();
        let most = self.density() * MOST_TRACKS / 100 + CROWDED;
        while let Some(at) = (0..ready.len()).min_by_key(|at| (score[ready[*at]], ready[*at])) {
            let net = ready.swap_remove(at);
            let forced = self.upper[net].iter().map(|other| tracks[*other] + 1).max().unwrap_or(0);
            // Already placed nets that are better above this one.
            let rather = preferences[net]
                .iter()
                .filter(|(other, preference)| *preference > 0 && tracks[*other] >= forced)
                .map(|(other, _)| tracks[*other] + 1);
            let mut row = rather.max().unwrap_or(forced);
            let free = |row: &Vec<usize>| {
                row.iter().all(|other| !self.nets[net].overlaps(&self.nets[*other], self.gap))
            };
            while rows.get(row as usize).is_some_and(|row| !free(row)) {
                row += 1;
            }
            if row >= most {
                let free = |row: &i32| rows.get(*row as usize).is_none_or(&free);
                row = (forced..row).find(free).unwrap_or(row);
            }
            // Align with the sibling if that lies slightly lower.
            let beside = siblings.get(&self.nets[net].line).copied().unwrap_or(row);
            if row < beside && beside <= row + NEAR && rows.get(beside as usize).is_some_and(free) {
                row = beside;
            }
            siblings.insert(self.nets[net].line, row);
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
            for (other, preference) in &preferences[net] {
                score[*other].0 -= usize::from(*preference < 0);
                score[*other].1 += preference;
            }
        }
        tracks
    }

    /// The largest number of nets that pass one column.
    fn density(&self) -> i32 {
        let ends = self.nets.iter().flat_map(|net| [(net.low, false), (net.high + self.gap, true)]);
        let mut ends: Vec<(i32, bool)> = ends.collect();
        ends.sort_unstable();
        let (mut open, mut most) = (0, 0);
        for (_, end) in ends {
            open += if end { -1 } else { 1 };
            most = most.max(open);
        }
        most
    }

    /// For each net, the nets that it overlaps, with the difference in crossings between lying above and
    /// below.
    fn preferences(&self) -> Vec<Vec<(usize, i32)>> {
        let mut preferences = vec![Vec::new(); self.nets.len()];
        let mut by_low: Vec<usize> = (0..self.nets.len()).collect();
        by_low.sort_unstable_by_key(|net| (self.nets[*net].low, *net));
        let mut open: Vec<usize> = Vec::new();
        let mut pairs = 0;
        for net in by_low {
            let one = &self.nets[net];
            open.retain(|other| self.nets[*other].high >= one.low);
            pairs += open.len();
            if pairs > MOST_PAIRS {
                break;
            }
            for other in &open {
                let two = &self.nets[*other];
                if one.is_sibling(two) {
                    continue;
                }
                let preference = one.crossings_above(two) - two.crossings_above(one);
                if preference != 0 {
                    preferences[net].push((*other, preference));
                    preferences[*other].push((net, -preference));
                }
            }
            open.push(net);
        }
        preferences
    }
}
