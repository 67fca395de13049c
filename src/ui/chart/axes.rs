//! The axes: labels at the left and below, and the lines between them and the plot.

use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use super::clock;
use super::curve::Curve;
use super::plane::{Plane, heights};
use super::ticks::{self, Tick};
use crate::app::chart::ChartView;
use crate::dag::layout::{DOWN, LEFT, RIGHT, UP};
use crate::text::width;
use crate::tracking::curve::Axis;

/// The largest number of labels on the vertical axis.
const MOST: usize = 5;
/// Labels on the vertical axis may have this many cells, or a third of the width.
const LABEL: u16 = 7;

/// Draws the axes of a plot in `area`, whose labels of positions lie below it, and returns the plane of the plot.
pub(super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    curves: &[Curve],
    view: &ChartView,
    window: (f64, f64),
    rule: bool,
) -> Plane {
    let range = range(curves);
    let most = usize::from(area.height / 2).clamp(2, MOST);
    let room = usize::from(LABEL.max(area.width / 3));
    let ticks =
        range.map(|range| ticks::heights(view.scale, range, most, room)).unwrap_or_default();
    let margin = ticks.iter().map(|tick| width(&tick.label)).max().unwrap_or(0) as u16;
    // One cell for the line, and one at the right for the markers at the ends of curves.
    let plot = Rect { x: area.x + margin + 1, width: area.width - margin - 2, ..area };
    let plane = Plane { area: plot, window, heights: range.unwrap_or((0.0, 1.0)) };
    paint.upright(Rect { x: plot.x - 1, width: 1, ..area }, Role::Border);
    let mut taken = Vec::new();
    for tick in ends_first(&ticks) {
        let y = plane.y(tick.at);
        if !taken.contains(&y) {
            taken.push(y);
            paint.right(plot.x - 1, y, &tick.label, Role::Dim, margin);
            paint.text(plot.x - 1, y, paint.glyphs.join(UP | DOWN | LEFT), Role::Border, 1);
        }
    }
    below(paint, &plane, area, view.axis, rule);
    plane
}

/// The heights that the curves need; `None` if nothing is drawn.
pub(super) fn range(curves: &[Curve]) -> Option<(f64, f64)> {
    let all = curves.iter().filter_map(|curve| curve.heights);
    let range = all.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    range.map(|(low, high)| heights(low, high))
}

/// The labelled positions of a window.
pub(super) fn positions(axis: Axis, window: (f64, f64), most: usize, zone: &TimeZone) -> Vec<Tick> {
    match axis {
        Axis::Step => ticks::steps(window, most),
        Axis::Relative => clock::durations(window, most),
        Axis::Time => clock::times(window, most, zone),
    }
}

/// The first and the last tick, then those between: they give way where there is no room.
fn ends_first(ticks: &[Tick]) -> impl Iterator<Item = &Tick> {
    let inner = ticks.get(1..ticks.len().saturating_sub(1)).unwrap_or_default();
    let last = if ticks.len() > 1 { ticks.last() } else { None };
    ticks.first().into_iter().chain(last).chain(inner)
}

/// Draws the labels of positions, and a line above them if `rule`.
fn below(paint: &mut Paint<'_>, plane: &Plane, area: Rect, axis: Axis, rule: bool) {
    let line =
        Rect { x: plane.area.x - 1, y: area.bottom(), width: plane.area.width + 1, height: 1 };
    if rule {
        paint.rule(line, Role::Border);
        paint.text(line.x, line.y, paint.glyphs.join(UP | RIGHT), Role::Border, 1);
    }
    let y = if rule { line.y + 1 } else { line.y };
    for (x, start, label) in placed(plane, area, axis) {
        paint.text(start, y, &label, Role::Dim, area.right() - start);
        if rule {
            paint.text(x, line.y, paint.glyphs.join(DOWN | LEFT | RIGHT), Role::Border, 1);
        }
    }
}

/// The labels of positions, each with its column and its own first column: as many as fit with a gap.
fn placed(plane: &Plane, area: Rect, axis: Axis) -> Vec<(u16, u16, String)> {
    let zone = TimeZone::system();
    let ticks = |most| positions(axis, plane.window, most, &zone);
    let place = |tick: Tick| {
        let x = plane.x(tick.at);
        let cells = width(&tick.label) as u16;
        let start = x.saturating_sub(cells / 2).min(area.right().saturating_sub(cells)).max(area.x);
        (x, start, tick.label)
    };
    let touch = |list: &[(u16, u16, String)]| {
        let overlaps =
            list.windows(2).any(|pair| pair[0].1 + width(&pair[0].2) as u16 + 2 > pair[1].1);
        overlaps || list.last().is_some_and(|last| last.1 + width(&last.2) as u16 > area.right())
    };
    let most = usize::from(area.width / 8).max(2);
    for most in (1..=most).rev() {
        let list: Vec<_> = ticks(most).into_iter().map(place).collect();
        if !touch(&list) {
            return list;
        }
    }
    // Not even the widest step keeps the labels apart: the first one has to do.
    let first = ticks(1).into_iter().take(1).map(place);
    first.filter(|list| !touch(std::slice::from_ref(list))).collect()
}
