//! What keeps a drawing like the one before: old layers, old order, old columns, as far as the edges allow.

use std::collections::HashMap;

use super::layers::{Bound, Layered, Point, Wire};
use super::order::{self, Ports};
use super::place::Placer;
use super::{Stop, Stopped};

/// What is known of a drawing from before; items and wires that are new have none.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    /// The layer and the column of each item.
    pub(super) spots: Vec<Option<(usize, i32)>>,
    /// The columns of each wire's bends, from its upper end.
    pub(super) bends: Vec<Option<Vec<i32>>>,
    /// The first row of each layer.
    pub(super) tops: Vec<i32>,
}

/// How much more it costs to move what was there than what is new.
const FIRMNESS: i64 = 8;

/// The old layers, where edges allow; what is new lies as near below what leads to it as can be.
pub(super) fn layers(bounds: &[Bound], wires: &[Wire], kept: &Kept) -> Vec<usize> {
    let count = bounds.len();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut waiting = vec![0; count];
    for wire in wires {
        below[wire.upper].push(wire.lower);
        waiting[wire.lower] += 1;
    }
    let bound = bounds.iter().any(|bound| *bound != Bound::Free);
    let old = |item: usize| kept.spots[item].map(|(layer, _)| layer);
    let mut least = vec![usize::from(bound); count];
    let mut layer = vec![0; count];
    let mut ready: Vec<usize> = (0..count).rev().filter(|item| waiting[*item] == 0).collect();
    while let Some(item) = ready.pop() {
        layer[item] = match (bounds[item], old(item)) {
            (Bound::First, _) => 0,
            (_, Some(old)) => old.max(least[item]),
            (_, None) if least[item] > usize::from(bound) => least[item],
            // Nothing leads to it: right above the first that it leads to.
            (_, None) => {
                let first = below[item].iter().filter_map(|lower| old(*lower)).min();
                first.map_or(least[item], |first| first.saturating_sub(1).max(least[item]))
            }
        };
        for lower in &below[item] {
            least[*lower] = least[*lower].max(layer[item] + 1);
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

/// Puts the points in their old order with what is new between them, and gives the column that each should have, with
/// how firmly.
pub(super) fn order(
    layered: &mut Layered,
    wires: &[Wire],
    ports: &Ports,
    kept: &Kept,
    stop: &Stop,
) -> Result<Vec<(i32, i64)>, Stopped> {
    let count = layered.layer.len();
    let mut wishes: Vec<Option<i32>> = vec![None; count];
    for (item, spot) in kept.spots.iter().enumerate() {
        if let Some((layer, column)) = spot
            && *layer == layered.layer[item]
        {
            wishes[item] = Some(*column);
        }
    }
    for ((index, path), _) in layered.paths.iter().enumerate().zip(wires) {
        if let Some(columns) = &kept.bends[index]
            && columns.len() + 2 == path.len()
        {
            for (point, column) in std::iter::zip(&path[1..], columns) {
                wishes[*point] = Some(*column);
            }
        }
    }
    let new: Vec<bool> = wishes.iter().map(Option::is_none).collect();
    // What is new wishes to lie at the median of its neighbours; what has none of them known, after those that have.
    let mut near: Vec<Vec<Point>> = vec![Vec::new(); count];
    for link in &layered.links {
        near[link.upper].push(link.lower);
        near[link.lower].push(link.upper);
    }
    for _ in 0..count {
        let mut known = Vec::new();
        for point in (0..count).filter(|point| wishes[*point].is_none()) {
            let mut columns: Vec<i32> =
                near[point].iter().filter_map(|other| wishes[*other]).collect();
            if !columns.is_empty() {
                columns.sort_unstable();
                known.push((point, columns[columns.len() / 2]));
            }
        }
        if known.is_empty() {
            break;
        }
        for (point, column) in known {
            wishes[point] = Some(column);
        }
        stop.check()?;
    }
    for layer in &mut layered.layers {
        layer.sort_by_key(|point| (wishes[*point].unwrap_or(0), new[*point], *point));
    }
    order::settle(layered, ports, &new, stop)?;
    let firm = |new: bool| if new { 1 } else { FIRMNESS };
    Ok(std::iter::zip(wishes, new).map(|(wish, new)| (wish.unwrap_or(0), firm(new))).collect())
}

/// Columns as near to the wished ones as the distances allow, layer by layer: the sum of the ways moved, each as often as
/// it is firm, is the least (isotonic regression by pooling adjacent violators).
pub(super) fn columns(placer: &Placer<'_>, layered: &Layered, wishes: &[(i32, i64)]) -> Vec<i32> {
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
            let (wish, firm) = wishes[*point];
            let mut pool = Pool { wishes: vec![(wish - offset, firm)], column: wish - offset };
            pool.column = pool.column.max(0);
            while let Some(last) = pools.pop_if(|last| last.column > pool.column) {
                pool = Pool::merged(last, pool);
            }
            pools.push(pool);
        }
        let mut at = 0;
        for pool in pools {
            for _ in 0..pool.wishes.len() {
                columns[layer[at]] = pool.column + offsets[at];
                at += 1;
            }
        }
    }
    columns
}

/// Points that lie as close as they may.
struct Pool {
    /// Where each wishes the pool to begin, sorted, and how firmly.
    wishes: Vec<(i32, i64)>,
    column: i32,
}

impl Pool {
    fn merged(one: Pool, other: Pool) -> Pool {
        let mut wishes = one.wishes;
        wishes.extend(other.wishes);
        wishes.sort_unstable();
        let total: i64 = wishes.iter().map(|(_, firm)| firm).sum();
        let mut sum = 0;
        let median = wishes.iter().find(|(_, firm)| {
            sum += firm;
            2 * sum >= total
        });
        let column = median.map_or(0, |(wish, _)| *wish).max(0);
        Pool { wishes, column }
    }
}

/// What a layout remembers of its drawings, so that the next can stay like it.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    pub(super) sheets: Vec<Remembered>,
    /// The drawing, layer and column of each item.
    pub(super) spots: HashMap<Key, Spot>,
    /// The columns of bends by upper end, lower end, and source.
    pub(super) bends: HashMap<(Key, Key, usize), Vec<i32>>,
}

/// A drawing on its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Remembered {
    /// The first row of each layer.
    pub(super) tops: Vec<i32>,
    /// Where it lay among the drawings beside it.
    pub(super) origin: (i32, i32),
}

/// Where an item lay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) sheet: usize,
    pub(super) layer: usize,
    pub(super) column: i32,
}

/// What an item stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    Vertex(usize),
    Group(usize),
    /// Where the lines of a source cross the frame of a group, at the side that faces onward or back.
    Port {
        group: usize,
        owner: usize,
        bottom: bool,
    },
    Title(usize),
}
