//! Ports: where lines leave and enter the sides of an item. Each source has its own cell, so that no line
//! joins another's.

use std::collections::HashMap;

use super::layers::Layered;
use super::{Port, Size};

/// Largest distance between two adjacent lines of a box.
const FARTHEST: i32 = 4;

/// The cells where each link begins and ends, relative to the left edges of its ends.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    pub(super) upper: Vec<i32>,
    pub(super) lower: Vec<i32>,
    /// For each item, the link from above that should be straight, because the line below continues it.
    pub(super) trunk: Vec<Option<usize>>,
}

/// The lines of one source at one side of a point: the source, whether they run backward, the links, and the
/// position of the other ends.
struct Side {
    owner: usize,
    back: bool,
    links: Vec<usize>,
    place: f64,
}

/// Assigns ports to the ordered points, and widens items that are too small for their ports.
pub(super) fn assign(
    layered: &Layered,
    sizes: &mut [Size],
    fixed: &HashMap<usize, Vec<Port>>,
) -> Offsets {
    let positions = layered.positions();
    let mut sides: [Vec<Vec<Side>>; 2] =
        [(); 2].map(|()| (0..layered.items).map(|_| Vec::new()).collect());
    for (index, link) in layered.links.iter().enumerate() {
        for (bottom, point, other) in [(0, link.lower, link.upper), (1, link.upper, link.lower)] {
            if layered.is_bend(point) {
                continue;
            }
            let all = &mut sides[bottom][point];
            let place = positions[other] as f64;
            match all.iter_mut().find(|side| (side.owner, side.back) == (link.owner, link.back)) {
                Some(side) => {
                    side.links.push(index);
                    side.place += place;
                }
                None => {
                    let (owner, back) = (link.owner, link.back);
                    all.push(Side { owner, back, links: vec![index], place });
                }
            }
        }
    }
    for (item, size) in sizes.iter_mut().enumerate() {
        if !fixed.contains_key(&item) {
            let most = sides[0][item].len().max(sides[1][item].len()) as i32;
            let corners = if size.across >= 3 { 2 } else { 0 };
            size.across = size.across.max(most + corners);
        }
    }
    let count = layered.links.len();
    let mut offsets =
        Offsets { upper: vec![0; count], lower: vec![0; count], trunk: vec![None; layered.items] };
    let [above, below] = &mut sides;
    for item in 0..layered.items {
        let across = sizes[item].across;
        if let Some(ports) = fixed.get(&item) {
            place_fixed(&above[item], ports, false, &mut offsets.lower);
            place_fixed(&below[item], ports, true, &mut offsets.upper);
            continue;
        }
        let middle = (across - 1) / 2;
        let trunk = sort(&mut above[item], layered);
        let at = spread(&above[item], trunk, middle, across, &mut offsets.lower);
        offsets.trunk[item] = above[item].get(trunk).and_then(|side| side.links.first().copied());
        let trunk = sort(&mut below[item], layered);
        spread(&below[item], trunk, at, across, &mut offsets.upper);
    }
    offsets
}

fn place_fixed(sides: &[Side], ports: &[Port], bottom: bool, offsets: &mut [i32]) {
    for side in sides {
        let port = ports
            .iter()
            .find(|port| (port.bottom, port.owner, port.back) == (bottom, side.owner, side.back));
        for link in &side.links {
            offsets[*link] = port.map_or(0, |port| port.offset);
        }
    }
}

/// Sorts the lines at a side by their other ends and returns the index of the middle one; of two middle ones
/// the one to an item, not a bend.
fn sort(sides: &mut [Side], layered: &Layered) -> usize {
    let mean = |side: &Side| side.place / side.links.len() as f64;
    sides.sort_by(|one, other| mean(one).total_cmp(&mean(other)));
    let count = sides.len();
    let bend = |side: &Side| {
        side.links.iter().all(|link| {
            let link = layered.links[*link];
            layered.is_bend(link.upper) || layered.is_bend(link.lower)
        })
    };
    let (low, high) = (count.saturating_sub(1) / 2, count / 2);
    if high < count && bend(&sides[low]) && !bend(&sides[high]) { high } else { low }
}

/// Places the lines at a side around the trunk, preferably `at`; returns the position of the trunk.
fn spread(sides: &[Side], trunk: usize, at: i32, across: i32, offsets: &mut [i32]) -> i32 {
    let count = sides.len() as i32;
    if count == 0 {
        return at;
    }
    let step = ((across - 2) / count).clamp(1, FARTHEST);
    let corner = i32::from(across >= count + 2);
    let last = across - 1 - corner - step * (count - 1);
    let first = (at - step * trunk as i32).min(last).max(corner.min(last));
    for (index, side) in sides.iter().enumerate() {
        for link in &side.links {
            offsets[*link] = first + step * index as i32;
        }
    }
    first + step * trunk as i32
}
