//! What lies on the plot: signs of values that are no dots, the best value, markers at the ends of curves, the lowest and
//! the highest value, and the crosshair.

use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use super::super::paint::Paint;
use super::super::theme::Role;
use super::curve::{Curve, Sign};
use super::plane::Plane;
use crate::app::words::number_text;
use crate::text::width;
use crate::tracking::curve::{Scale, Spot};

/// The largest distance of a text to its point, in cells.
const FARTHEST: u16 = 12;

/// Draws the line of the crosshair where the plot is empty.
pub(super) fn crosshair(paint: &mut Paint<'_>, plane: &Plane, x: f64) {
    let line = Rect { x: plane.x(x), width: 1, ..plane.area };
    for at in line.positions().filter(|at| is_empty(paint, *at)).collect::<Vec<_>>() {
        paint.text(at.x, at.y, paint.glyphs.lines[1], Role::Accent, 1);
    }
}

/// Draws all marks. Texts are left out where they would cover something.
pub(super) fn draw(
    paint: &mut Paint<'_>,
    plane: &Plane,
    scale: Scale,
    curves: &[Curve],
    markers: &[char],
    styles: &[Style],
) {
    for best in curves.iter().filter(|curve| curve.count > 1).filter_map(|curve| curve.best) {
        let at = plane.cell(best);
        paint.text(at.x, at.y, paint.glyphs.best, Role::Mark, 1);
    }
    signs(paint, plane, curves, styles);
    for ((curve, marker), style) in curves.iter().zip(markers).zip(styles) {
        if let Some(end) = curve.end {
            marker_at(paint, plane, plane.cell(end), &marker.to_string(), *style);
        }
    }
    values(paint, plane, scale, curves, styles);
}

fn is_empty(paint: &Paint<'_>, at: Position) -> bool {
    paint.buffer.cell(at).is_some_and(|cell| cell.symbol() == " ")
}

/// Draws signs at the edges of the columns in which values are no dots: infinities at theirs, and NaN at the lower edge,
/// or above the sign there.
fn signs(paint: &mut Paint<'_>, plane: &Plane, curves: &[Curve], styles: &[Style]) {
    let mut columns = vec![[None; 3]; usize::from(plane.area.width)];
    for (index, curve) in curves.iter().enumerate() {
        for (x, sign) in &curve.signs {
            columns[plane.column(*x) / 2][*sign as usize] = Some(index);
        }
    }
    let (up, down) = if paint.glyphs.ascii() { ("^", "v") } else { ("↑", "↓") };
    let (top, bottom) = (plane.area.top(), plane.area.bottom() - 1);
    for (column, x) in columns.iter().zip(plane.area.x..) {
        let above = if column[Sign::Below as usize].is_some() { 1 } else { 0 };
        for (sign, text, y) in [
            (Sign::Above, up, top),
            (Sign::Below, down, bottom),
            (Sign::Nan, "?", bottom.saturating_sub(above).max(top)),
        ] {
            if let Some(index) = column[sign as usize] {
                let style = styles[index].add_modifier(Modifier::BOLD);
                paint.styled(x, y, text, style, 1);
            }
        }
    }
}

/// Writes the marker of a curve beside its end, or in the nearest empty cell above or below.
fn marker_at(paint: &mut Paint<'_>, plane: &Plane, end: Position, marker: &str, style: Style) {
    let column = Rect { x: end.x + 1, width: 1, ..plane.area };
    let empty = column.positions().filter(|at| is_empty(paint, *at));
    if let Some(at) = empty.min_by_key(|at| at.y.abs_diff(end.y)) {
        paint.styled(at.x, at.y, marker, style.add_modifier(Modifier::BOLD), 1);
    }
}

/// Writes the lowest and the highest value of all curves, and the values of points that are alone.
fn values(paint: &mut Paint<'_>, plane: &Plane, scale: Scale, curves: &[Curve], styles: &[Style]) {
    let text = |spot: Spot| number_text(scale.value(spot.y));
    let mut longer = Vec::new();
    for (curve, style) in curves.iter().zip(styles) {
        match curve.extremes {
            Some((only, _)) if curve.count == 1 => {
                beside(paint, plane, plane.cell(only), &text(only), *style);
            }
            Some(extremes) => longer.push(extremes),
            None => {}
        }
    }
    let lowest = longer.iter().map(|(low, _)| *low).min_by(|a, b| a.y.total_cmp(&b.y));
    let highest = longer.iter().map(|(_, high)| *high).max_by(|a, b| a.y.total_cmp(&b.y));
    if let (Some(low), Some(high)) = (lowest, highest)
        && low.y < high.y
    {
        let style = paint.style(Role::Dim);
        beside(paint, plane, plane.cell(high), &format!("max {}", text(high)), style);
        beside(paint, plane, plane.cell(low), &format!("min {}", text(low)), style);
    }
}

/// Writes a text near a cell, with an empty cell around it, where it covers nothing: as near as possible in the same row,
/// else in the row above or below.
fn beside(paint: &mut Paint<'_>, plane: &Plane, at: Position, text: &str, style: Style) {
    let cells = width(text) as u16;
    let rows = [Some(at.y), at.y.checked_sub(1), Some(at.y + 1)];
    let places = rows.into_iter().flatten().flat_map(|y| {
        let sides = (2..=FARTHEST).flat_map(|gap| {
            [Some(at.x + gap), at.x.checked_sub(cells + gap - 1)].into_iter().flatten()
        });
        sides.map(move |x| Rect { x, y, width: cells, height: 1 })
    });
    let free = |place: &Rect| {
        // The cell before and the cell behind keep the text apart from dots and other texts.
        let around = Rect { x: place.x.saturating_sub(1), width: cells + 2, ..*place };
        let around = around.intersection(plane.area);
        plane.area.union(*place) == plane.area
            && around.positions().all(|near| near == at || is_empty(paint, near))
    };
    if let Some(place) = places.into_iter().find(free) {
        paint.styled(place.x, place.y, text, style, cells);
    }
}
