//! Boxes and the lines between them, in cells. Between two layers, lines run down from the source,
//! across on a track, and down to the target.

use std::collections::BTreeMap;

use super::order::Mesh;
use super::place::column;
use super::{Layout, Rect, Route, Spacing};

/// What leaves one vertex or point towards the next layer.
struct Net {
    from: usize,
    start: i32,
    ends: Vec<i32>,
    track: Option<i32>,
}

impl Net {
    fn span(&self) -> (i32, i32) {
        let low = self.ends.iter().copied().min().unwrap_or(self.start).min(self.start);
        let high = self.ends.iter().copied().max().unwrap_or(self.start).max(self.start);
        (low, high)
    }
}

pub(super) fn draw(mesh: &Mesh, left: &[i32], spacing: &Spacing) -> Layout {
    let centre = |id: usize| column(mesh, left, id);
    let mut top = vec![0i32; mesh.rows.len()];
    let mut height = vec![0i32; mesh.rows.len()];
    let mut track: BTreeMap<usize, i32> = BTreeMap::new();
    let mut y = 0;
    for (index, row) in mesh.rows.iter().enumerate() {
        top[index] = y;
        height[index] = row.iter().map(|id| mesh.size[*id].1).max().unwrap_or(1);
        y += height[index];
        let mut nets: Vec<Net> = row
            .iter()
            .filter(|id| !mesh.below[**id].is_empty())
            .map(|id| Net {
                from: *id,
                start: centre(*id),
                ends: mesh.below[*id].iter().map(|other| centre(*other)).collect(),
                track: None,
            })
            .collect();
        let tracks = assign(&mut nets);
        for net in &nets {
            if let Some(place) = net.track {
                track.insert(net.from, y + spacing.before + place);
            }
        }
        if index + 1 < mesh.rows.len() {
            y += spacing.before + tracks + spacing.after;
        }
    }
    let boxes: Vec<Rect> = (0..mesh.vertices)
        .map(|id| {
            let (width, own) = mesh.size[id];
            let layer = mesh.layer[id];
            // Lower boxes of a layer stand in the middle of it.
            let y = top[layer] + (height[layer] - own) / 2;
            Rect { x: left[id], y, width, height: own }
        })
        .collect();
    let routes = mesh
        .chains
        .iter()
        .map(|chain| {
            let mut cells: Vec<(i32, i32)> = Vec::new();
            for pair in chain.over.windows(2) {
                let (upper, lower) = (pair[0], pair[1]);
                let (from, to) = (centre(upper), centre(lower));
                let start = match upper < mesh.vertices {
                    true => boxes[upper].y + boxes[upper].height,
                    false => top[mesh.layer[upper]],
                };
                let end = match lower < mesh.vertices {
                    true => boxes[lower].y - 1,
                    false => top[mesh.layer[lower]] - 1,
                };
                let turn = track.get(&upper).copied().filter(|_| from != to).unwrap_or(end);
                cells.extend((start..=turn).map(|y| (from, y)));
                let across: Vec<(i32, i32)> = if from < to {
                    (from + 1..=to).map(|x| (x, turn)).collect()
                } else {
                    (to..from).rev().map(|x| (x, turn)).collect()
                };
                cells.extend(across);
                cells.extend((turn + 1..=end).map(|y| (to, y)));
            }
            if chain.over.first() != Some(&chain.source) {
                cells.reverse();
            }
            Route { source: chain.source, target: chain.target, cells }
        })
        .collect();
    let width = (0..mesh.layer.len()).map(|id| left[id] + mesh.size[id].0).max().unwrap_or(0);
    let height = boxes.iter().map(|it| it.y + it.height).max().unwrap_or(0);
    Layout { boxes, routes, width, height }
}

/// Gives each net that turns a track, so that no two lie on each other; gives the number of tracks.
///
/// Where one net comes down in the column in which another one starts, the one that starts there
/// has to turn first: its track is the upper one.
fn assign(nets: &mut [Net]) -> i32 {
    let mut starts: BTreeMap<i32, usize> = BTreeMap::new();
    for (index, net) in nets.iter().enumerate() {
        starts.insert(net.start, index);
    }
    let turns = |net: &Net| net.ends.iter().any(|end| *end != net.start);
    let first: Vec<Vec<usize>> = nets
        .iter()
        .enumerate()
        .map(|(index, net)| {
            let others = net.ends.iter().filter_map(|end| starts.get(end).copied());
            others.filter(|other| *other != index && turns(&nets[*other])).collect()
        })
        .collect();
    let mut order = Vec::new();
    let mut seen = vec![0u8; nets.len()];
    for start in 0..nets.len() {
        let mut stack = vec![(start, false)];
        while let Some((index, done)) = stack.pop() {
            if done {
                order.push(index);
                continue;
            }
            if seen[index] > 0 {
                continue;
            }
            seen[index] = 1;
            stack.push((index, true));
            stack.extend(first[index].iter().map(|other| (*other, false)));
        }
    }
    // The last column that each track is taken up to, in all spans so far.
    let mut taken: Vec<Vec<(i32, i32)>> = Vec::new();
    for index in order {
        if !turns(&nets[index]) {
            continue;
        }
        let (low, high) = nets[index].span();
        let least =
            first[index].iter().filter_map(|other| nets[*other].track).max().map_or(0, |it| it + 1);
        let mut track = usize::try_from(least).unwrap_or(0);
        loop {
            if taken.len() <= track {
                taken.resize(track + 1, Vec::new());
            }
            let free = taken[track].iter().all(|(from, to)| high + 1 < *from || *to + 1 < low);
            if free {
                break;
            }
            track += 1;
        }
        taken[track].push((low, high));
        nets[index].track = i32::try_from(track).ok();
    }
    i32::try_from(taken.len()).unwrap_or(i32::MAX)
}
