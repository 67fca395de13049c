//! The curves of a chart as paths.

use std::fmt::Write as _;

use ratatui::layout::Rect;

use super::super::curve::Curve;
use super::super::plane::Plane;
use super::style::{class, line as classes};
use crate::tracking::curve::Spot;

/// Writes a curve, and behind it the raw values if it is smoothed.
pub(super) fn write(out: &mut String, curve: &Curve, plane: &Plane, columns: u16, index: usize) {
    let coarse = Plane { area: Rect { width: columns / 2, ..plane.area }, ..*plane };
    let path = |spots: &[Spot]| -> String {
        let pieces = curve.pieces(spots, |x| coarse.column(x));
        pieces.iter().map(|piece| piece_path(piece, plane)).collect()
    };
    let (raw, line) = (path(&curve.raw), path(&curve.line));
    if !raw.is_empty() {
        let _ = writeln!(out, "<path class=\"raw {}\" d=\"{raw}\"/>", class(index));
    }
    if !line.is_empty() {
        let _ = writeln!(out, "<path class=\"{}\" d=\"{line}\"/>", classes(index));
    }
}

/// A line from point to point, in steps from each to the next. A single point is a short line.
fn piece_path(piece: &[Spot], plane: &Plane) -> String {
    /// Half the length of a single point, in tenths.
    const HALF: i64 = 12;
    let at = |spot: &Spot| (plane.column(spot.x) as i64, plane.row(spot.y) as i64);
    let Some((first, rest)) = piece.split_first() else { return String::new() };
    let mut here = at(first);
    let (x, y) = here;
    let mut path = String::new();
    for next in rest.iter().map(at) {
        let (dx, dy) = (next.0 - here.0, next.1 - here.1);
        if (dx, dy) != (0, 0) {
            let space = if path.is_empty() || dx < 0 { "" } else { " " };
            let between = if dy < 0 { "" } else { " " };
            let _ = write!(path, "{space}{dx}{between}{dy}");
            here = next;
        }
    }
    match path.is_empty() {
        true => format!("M{} {y}h{}", x - HALF, 2 * HALF),
        false => format!("M{x} {y}l{path}"),
    }
}
