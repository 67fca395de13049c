//! Packs the connected parts of a drawing beside one another.

use super::sheet::{Finished, Sheet};
use super::{Direction, Rect};

/// Cells between connected parts: (across the edges, along them).
fn gap(direction: Direction) -> (i32, i32) {
    match direction {
        Direction::TopBottom => (3, 1),
        Direction::LeftRight => (1, 3),
    }
}

/// A connected part of the outermost drawing.
pub(super) struct Part {
    pub(super) members: Vec<usize>,
    pub(super) numbers: Vec<usize>,
    pub(super) sheet: Sheet,
    pub(super) finished: Finished,
    pub(super) width: i32,
    pub(super) height: i32,
    /// The old position, if any; later the new one.
    pub(super) origin: Option<(i32, i32)>,
}

/// Keeps old parts in place, moved only if they have grown into one another, and packs new parts beside them.
/// Small parts share a stack as long as it is not higher than the tallest part, nor than a drawing about
/// three times as wide as high (in cells) would be. Beside a part that takes most of the room, stacks are not
/// much higher than that part.
pub(super) fn arrange(parts: &mut [Part], direction: Direction) {
    let gap = gap(direction);
    let area = |part: &Part| {
        part.origin.map(|(x, y)| Rect {
            x,
            y,
            width: part.width + gap.0,
            height: part.height + gap.1,
        })
    };
    let mut old: Vec<usize> = (0..parts.len()).filter(|at| parts[*at].origin.is_some()).collect();
    old.sort_by_key(|at| parts[*at].origin);
    let mut left = 0;
    for (index, at) in old.iter().enumerate() {
        while let Some(own) = area(&parts[*at]) {
            let mut others = old[..index].iter().filter_map(|other| area(&parts[*other]));
            let Some(other) = others.find(|other| other.meets(&own)) else {
                left = left.max(own.x + own.width);
                break;
            };
            let (right, down) = (other.x + other.width, other.y + other.height);
            let aside = right - own.x <= down - own.y;
            parts[*at].origin = Some(if aside { (right, own.y) } else { (own.x, down) });
        }
    }
    let new = || parts.iter().filter(|part| part.origin.is_none());
    let room = |part: &Part| f64::from(part.width + gap.0) * f64::from(part.height + gap.1);
    let sum: f64 = new().map(room).sum();
    let balanced = match direction {
        Direction::TopBottom => (sum / 3.0).sqrt(),
        Direction::LeftRight => (sum * 3.0).sqrt(),
    };
    let tallest = parts.iter().map(|part| part.height).max().unwrap_or(0);
    let largest = parts.iter().map(room).fold(0.0, f64::max);
    let beside = match direction {
        Direction::TopBottom => tallest + tallest / 2,
        Direction::LeftRight => tallest,
    };
    let most = if 2.0 * largest > sum { beside } else { i32::MAX };
    let limit = tallest.max(most.min(balanced as i32));
    let (mut top, mut stack_width) = (0, 0);
    for part in parts.iter_mut().filter(|part| part.origin.is_none()) {
        if top > 0 && top + part.height > limit {
            left += stack_width + gap.0;
            (top, stack_width) = (0, 0);
        }
        part.origin = Some((left, top));
        top += part.height + gap.1;
        stack_width = stack_width.max(part.width);
    }
}
