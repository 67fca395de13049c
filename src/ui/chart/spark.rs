//! A curve on one line, for cells of tables and areas without room for axes.

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use super::Series;
use crate::app::sparkline::sparkline;
use crate::app::words::number_text;
use crate::text::width;
use crate::tracking::curve::{Axis, ordered};

/// Draws the first series on one line, with its last value if that has room.
pub(super) fn draw(paint: &mut Paint<'_>, area: Rect, series: &[Series<'_>]) {
    let Some(first) = series.iter().find(|series| !series.points.is_empty()) else {
        paint.text(area.x, area.y, "no values yet", Role::Dim, area.width);
        return;
    };
    let last = ordered(first.points, Axis::Step).last().map(|point| number_text(point.value));
    let value = last.unwrap_or_default();
    let room = usize::from(area.width);
    let cells = match room.checked_sub(width(&value) + 1) {
        Some(cells) if cells > 0 => cells,
        _ => room,
    };
    let line = sparkline(first.points, cells, paint.glyphs.ascii());
    let used = paint.text(area.x, area.y, &line, Role::Accent, area.width);
    if cells < room {
        paint.text(area.x + used + 1, area.y, &value, Role::Text, area.width - used - 1);
    }
}
