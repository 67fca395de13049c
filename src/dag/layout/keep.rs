//! Keeps a drawing similar to the previous one: old layers, old order, old columns, as far as the edges
//! allow.

use std::collections::HashMap;

use super::layers::{Bound, Layered, Point, Wire};
use super::order::{self, Ports};
use super::place::Placer;
use super::{Stop, Stopped};

/// Positions from the previous drawing; new items and wires have none.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    /// The old layer and column of each item.
    pub(super) spots: Vec<Option<(usize, i32)>>,
    /// The old columns of each wire's bends, starting at its upper end.
    pub(super) bends: Vec<Option<Vec<i32>>>,
    /// The old top row of each layer; the new layers begin there or below.
    pub(super) tops: Vec<i32>,
}

/// Cost of moving an old point, relative to a new one.
const FIRMNESS: i64 = 8;

/// The old layers where the edges allow it; new items are placed directly below their parents.
pub(super) fn layers(bounds: &[Bound], wires: &[Wire], kept: &Kept) -> Vec<usize> {
    let count = bounds.len();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut waiting = vec![0; count];
    for wire in wires {
        below[wire.upper].push(wire.lower);
        waiting[wire.lower] += 1;
    }
    // If there are ports, layer 0 is reserved for them.
    let first_free = usize::from(bounds.iter().any(|bound| *bound != Bound::Free));
    let old = |item: usize| kept.spots[item].map(|(layer, _)| layer);
    let mut lowest = vec![first_free; count];
    let mut layer = vec![0; count];
    let mut ready: Vec<usize> = (0..count).rev().filter(|item| waiting[*item] == 0).collect();
    while let Some(item) = ready.pop() {
        layer[item] = match (bounds[item], old(item)) {
            (Bound::First, _) => 0,
            (_, Some(old)) => old.max(lowest[item]),
            (_, None) if lowest[item] > first_free => lowest[item],
            // An item without parents, or with parents only in the reserved layer, goes directly
            // above the topmost of its old children.
            (_, None) => {
                let first = below[item].iter().filter_map(|lower| old(*lower)).min();
                first.map_or(lowest[item], |first| first.saturating_sub(1).max(lowest[item]))
            }
        };
        for lower in &below[item] {
            lowest[*lower] = lowest[*lower].max(layer[item] + 1);
            waiting[*lower] -= 1;
            if waiting[*lower] == 0 {
                ready.push(*lower);
            }
        }
    }
    let last = (0..count).filter(|item| bounds[*item] == Bound::Last).map(|item| layer[item]).max();
    let free = (0..count).filter(|item| bounds[*item] == Bound::Free).map(|item| layer[item] + 1);
    let last = free.chain(last).max().unwrap_or(0);
    for item in 0..count {
        if bounds[item] == Bound::Last {
            layer[item] = last;
        }
    }
    layer
}

/// Sorts the points of each layer by their old columns, and inserts new points. Returns for each point its
/// preferred column, and the cost of moving it from there.
pub(super) fn order(
    layered: &mut Layered,
    ports: &Ports,
    kept: &Kept,
    stop: &Stop,
) -> Result<Vec<(i32, i64)>, Stopped> {
    let count = layered.layer.len();
    let mut preferred: Vec<Option<i32>> = vec![None; count];
    for (item, spot) in kept.spots.iter().enumerate() {
        if let Some((layer, column)) = spot
            && *layer == layered.layer[item]
        {
            preferred[item] = Some(*column);
        }
    }
    // A path is the upper item, the bends, and the lower item.
    for (index, path) in layered.paths.iter().enumerate() {
        if let Some(columns) = &kept.bends[index]
            && columns.len() + 2 == path.len()
        {
            for (point, column) in std::iter::zip(&path[1..], columns) {
                preferred[*point] = Some(*column);
            }
        }
    }
    let new: Vec<bool> = preferred.iter().map(Option::is_none).collect();
    // New points prefer the median column of their placed neighbours; points with no placed neighbour are
    // handled last.
    let mut neighbours: Vec<Vec<Point>> = vec![Vec::new(); count];
    for link in &layered.links {
        neighbours[link.upper].push(link.lower);
        neighbours[link.lower].push(link.upper);
    }
    for _ in 0..count {
        let mut placed = Vec::new();
        for point in (0..count).filter(|point| preferred[*point].is_none()) {
            let mut columns: Vec<i32> =
                neighbours[point].iter().filter_map(|other| preferred[*other]).collect();
            if !columns.is_empty() {
                columns.sort_unstable();
                placed.push((point, columns[columns.len() / 2]));
            }
        }
        if placed.is_empty() {
            break;
        }
        for (point, column) in placed {
            preferred[point] = Some(column);
        }
        stop.check()?;
    }
    for layer in &mut layered.layers {
        layer.sort_by_key(|point| (preferred[*point].unwrap_or(0), new[*point], *point));
    }
    order::settle(layered, ports, &new, stop)?;
    let cost = |new: bool| if new { 1 } else { FIRMNESS };
    Ok(std::iter::zip(preferred, new)
        .map(|(column, new)| (column.unwrap_or(0), cost(new)))
        .collect())
}

/// The columns that minimize the sum of distances to the preferred columns, weighted by cost, under the
/// minimum distances within a layer.
///
/// Subtracting the summed distances from the columns of a layer turns the minimum distances into "not decreasing".
/// What remains is isotonic regression, solved by pooling adjacent violators.
pub(super) fn columns(
    placer: &Placer<'_>,
    layered: &Layered,
    preferred: &[(i32, i64)],
) -> Vec<i32> {
    let mut columns = vec![0; layered.layer.len()];
    for layer in &layered.layers {
        let mut pools: Vec<Pool> = Vec::new();
        let mut offset = 0;
        let mut offsets = Vec::with_capacity(layer.len());
        for (index, point) in layer.iter().enumerate() {
            if index > 0 {
                offset += placer.distance(layer[index - 1], *point);
            }
            offsets.push(offset);
            let (column, cost) = preferred[*point];
            let mut pool =
                Pool { preferred: vec![(column - offset, cost)], column: column - offset };
            pool.column = pool.column.max(0);
            while let Some(last) = pools.pop_if(|last| last.column > pool.column) {
                pool = Pool::merged(last, pool);
            }
            pools.push(pool);
        }
        let mut at = 0;
        for pool in pools {
            for _ in 0..pool.preferred.len() {
                columns[layer[at]] = pool.column + offsets[at];
                at += 1;
            }
        }
    }
    columns
}

/// Adjacent points at minimum distance.
struct Pool {
    /// For each point, the preferred start of the pool and the cost of moving it, sorted.
    preferred: Vec<(i32, i64)>,
    /// The start of the pool.
    column: i32,
}

impl Pool {
    /// Merges two pools. The new one starts at the median of the preferred starts, weighted by cost, but not
    /// left of the drawing.
    fn merged(left: Pool, right: Pool) -> Pool {
        let mut preferred = left.preferred;
        preferred.extend(right.preferred);
        preferred.sort_unstable();
        let total: i64 = preferred.iter().map(|(_, cost)| cost).sum();
        let mut sum = 0;
        let median = preferred.iter().find(|(_, cost)| {
            sum += cost;
            2 * sum >= total
        });
        let column = median.map_or(0, |(column, _)| *column).max(0);
        Pool { preferred, column }
    }
}

/// Positions that a layout keeps, so that the next layout can be similar.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    pub(super) sheets: Vec<RememberedSheet>,
    /// Sheet, layer and column of each item.
    pub(super) spots: HashMap<Key, Spot>,
    /// The columns of bends, by upper end, lower end and source.
    pub(super) bends: HashMap<(Key, Key, usize), Vec<i32>>,
}

/// What is remembered of one sheet: a connected part of the outermost drawing, or the inside of a group.
#[derive(Debug, Clone, Default)]
pub(super) struct RememberedSheet {
    /// The top row of each layer.
    pub(super) tops: Vec<i32>,
    /// Left column and top row of the part in the outermost drawing; (0, 0) for a group.
    pub(super) origin: (i32, i32),
}

/// The position of an item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) sheet: usize,
    pub(super) layer: usize,
    pub(super) column: i32,
}

/// The identity of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    /// A vertex.
    Vertex(usize),
    /// A group.
    Group(usize),
    /// The cell where the lines of the vertex `owner` cross the frame of a group: on the side to which edges
    /// point (`bottom`), or on the opposite side.
    Port { group: usize, owner: usize, bottom: bool },
    /// The title in the frame of a group.
    Title(usize),
}
