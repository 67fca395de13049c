//! Fitting: which of several drawings of a graph shows all of it in a window, with names if possible.

use ratatui::layout::Size;

use super::zoom::Zoom;
use crate::dag::Graph;
use crate::dag::layout::Sketch;
use crate::dag::view::{Choices, Detail, Limits};

/// A graph with more vertices than this fits no window as a drawing with names.
pub(super) const MOST_VERTICES: usize = 400;
/// A drawing downwards that uses a smaller part of the columns, in percent, is too narrow if one to the right is wider.
const NARROW: i32 = 35;

/// The drawings to try, the best one first: with expanded namespaces, with collapsed ones; as boxes, as single lines,
/// without datasets.
pub(super) fn candidates(choices: &Choices) -> [(Choices, Zoom); 8] {
    let with = |expanded: bool, detail: Detail| {
        let most = if expanded { usize::MAX } else { 0 };
        let limits = Limits { expanded: most, ..choices.limits };
        Choices { detail, limits, ..choices.clone() }
    };
    let detail = choices.detail;
    [
        (with(true, detail), Zoom::Boxes),
        (with(false, detail), Zoom::Boxes),
        (with(true, detail), Zoom::Chips),
        (with(false, detail), Zoom::Chips),
        (with(true, Detail::NodesAlone), Zoom::Boxes),
        (with(true, Detail::NodesAlone), Zoom::Chips),
        (with(false, Detail::NodesAlone), Zoom::Boxes),
        (with(false, Detail::NodesAlone), Zoom::Chips),
    ]
}

/// The lists with lanes to try if no drawing fits, the best one first: with datasets, without, with collapsed namespaces.
pub(super) fn lists(choices: &Choices) -> [Choices; 3] {
    let with = |expanded: usize, detail: Detail| {
        let limits = Limits { expanded, ..choices.limits };
        Choices { detail, limits, ..choices.clone() }
    };
    [
        with(usize::MAX, choices.detail),
        with(usize::MAX, Detail::NodesAlone),
        with(0, Detail::NodesAlone),
    ]
}

/// Whether a drawing could fit, without laying it out: the boxes have room, and so have the boxes of the longest path in the
/// direction of the edges.
pub(super) fn may_fit(sketch: &Sketch, graph: &Graph, sideways: bool, room: Size) -> bool {
    let count = graph.vertices.len();
    let (columns, rows) = (i32::from(room.width), i32::from(room.height));
    let area: i32 = sketch.sizes.iter().map(|(width, height)| width * height).sum();
    if count > MOST_VERTICES || area > columns * rows {
        return false;
    }
    let mut ends = vec![0; count];
    for id in graph.order() {
        let (width, height) = sketch.sizes[id];
        let before = graph.parents[id].iter().map(|parent| ends[*parent] + 1).max().unwrap_or(0);
        ends[id] = before + if sideways { width } else { height };
    }
    let longest = ends.into_iter().max().unwrap_or(0);
    longest <= if sideways { columns } else { rows }
}

/// Whether a drawing of this width and height fits.
pub(super) fn fits((width, height): (i32, i32), room: Size) -> bool {
    width <= i32::from(room.width) && height <= i32::from(room.height)
}

/// Whether a drawing uses so few columns that a wider one is better.
pub(super) fn is_narrow(width: i32, room: Size) -> bool {
    width * 100 < i32::from(room.width) * NARROW
}
