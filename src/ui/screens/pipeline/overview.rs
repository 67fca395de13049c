//! The overview: the whole drawing in dots.

use ratatui::layout::Rect;

use super::super::super::paint::Paint;
use super::super::super::theme::Role;
use crate::app::screens::pipeline::PipelineScreen;
use crate::dag::layout;
use crate::dag::view;

/// Draws the overview, with a frame around the part that the larger drawing shows, and the selection.
pub(super) fn draw(paint: &mut Paint<'_>, area: Rect, screen: &PipelineScreen) {
    let overview = screen.overview(area.as_size());
    let left = area.x + area.width.saturating_sub(overview.width as u16) / 2;
    let top = area.y + area.height.saturating_sub(overview.height as u16) / 2;
    let selected = screen.selected_id().map(|id| screen.plot.layout.boxes[id]);
    let selected = selected.and_then(|place| overview.area(&place));
    let at_selection = |x: i32, y: i32| {
        selected.is_some_and(|place| place.meets(&layout::Rect { x, y, width: 1, height: 1 }))
    };
    for row in 0..overview.height {
        for (column, cell) in overview.row(row).iter().enumerate() {
            let (x, y) = (left + column as u16, top + row as u16);
            let here = at_selection(column as i32, row as i32);
            if cell.dots == 0 {
                continue;
            }
            let role = match view::NodeStatus::of_rank(cell.rank) {
                _ if here => Role::Accent,
                Some(
                    view::NodeStatus::NeverRun | view::NodeStatus::Fresh | view::NodeStatus::Done,
                )
                | None => Role::Edge,
                Some(state) => paint.glyphs.of_state(state).1,
            };
            let mut bytes = [0; 4];
            let sign = match (paint.glyphs.ascii(), here) {
                (true, true) => "@",
                (true, false) => plain(cell.dots),
                (false, _) => &*cell.sign().encode_utf8(&mut bytes),
            };
            paint.text(x, y, sign, role, 1);
        }
    }
    let (x, y) = screen.scroll;
    let (width, height) = (i32::from(area.width), i32::from(area.height));
    let seen = overview.area(&layout::Rect { x, y, width, height });
    let all = (overview.width as i32, overview.height as i32);
    if let Some(seen) = seen.filter(|seen| (seen.width, seen.height) != all) {
        let seen = Rect {
            x: left + seen.x as u16,
            y: top + seen.y as u16,
            width: seen.width as u16,
            height: seen.height as u16,
        };
        paint.restyle(seen, Role::Selection);
    }
}

/// The ASCII character that is about as dark as the dots.
fn plain(dots: u8) -> &'static str {
    match dots.count_ones() {
        0..=2 => ".",
        3..=5 => "o",
        _ => "#",
    }
}
