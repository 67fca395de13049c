//! Requesting drawings, and scrolling.

use std::sync::Arc;

use super::list;
use super::screen::PipelineScreen;
use super::zoom::Sizing;
use crate::app::screens::Screen;
use crate::app::shared::Shared;
use crate::dag::VertexKind;
use crate::dag::view::filter::follows_runs;

/// Requests a new drawing. With `anew` the layout starts from scratch instead of keeping positions.
pub(super) fn redraw(screen: &mut PipelineScreen, shared: &mut Shared, anew: bool) {
    let Some(pipeline) = shared.shown_pipeline() else {
        screen.plot = Arc::default();
        return;
    };
    let (name, first) = (pipeline.name.clone(), pipeline.nodes.first());
    let first = first.map(|node| (VertexKind::Node, node.name.clone()));
    shared.pipeline = name;
    // Keys that are pressed before the drawing arrives act on the first node.
    if screen.selected.is_none() {
        screen.selected = first;
    }
    screen.anew |= anew;
    shared.generations.drawing.count();
}

/// Requests a new drawing if the filter depends on statuses, which have changed.
pub(super) fn redraw_by_status(screen: &mut PipelineScreen, shared: &mut Shared) {
    if follows_runs(&screen.filter) {
        redraw(screen, shared, false);
    }
}

/// Shows another pipeline.
pub(super) fn show_pipeline(screen: &mut PipelineScreen, shared: &mut Shared, name: String) {
    shared.memory.pipeline = None;
    shared.pipeline = name;
    screen.selected = None;
    screen.slice = None;
    screen.choices.focus = None;
    screen.marked.clear();
    screen.scroll = (0, 0);
    if !screen.lanes || screen.sizing != Sizing::Chosen {
        screen.sizing = Sizing::ToFit;
    }
    redraw(screen, shared, true);
}

/// Scrolls so that the selected vertex is visible. A drawing that fits is centred.
pub(super) fn keep_in_view(screen: &mut PipelineScreen, shared: &Shared) {
    let area = screen.areas(shared).main;
    let (width, height) = (i32::from(area.width), i32::from(area.height));
    if screen.lanes {
        list::keep_in_view(screen, usize::from(area.height));
    }
    let layout = &screen.plot.layout;
    let selected = screen.selected_id().and_then(|id| layout.boxes.get(id));
    let fit = |at: i32, start: i32, length: i32, view: i32, whole: i32, margin: i32| {
        if whole <= view {
            return -((view - whole) / 2);
        }
        let (low, high) = (start + length + margin - view, start - margin);
        let at = if low > high { start - (view - length).max(0) / 2 } else { at.clamp(low, high) };
        at.clamp(0, whole - view)
    };
    let (x, y, w, h) =
        selected.map_or((0, 0, 0, 0), |place| (place.x, place.y, place.width, place.height));
    screen.scroll = (
        fit(screen.scroll.0, x, w, width, layout.width, 4),
        fit(screen.scroll.1, y, h, height, layout.height, 2),
    );
}

/// Puts the selected vertex into the middle of the screen.
pub(super) fn centre(screen: &mut PipelineScreen, shared: &Shared) {
    let area = screen.areas(shared).main;
    let Some(place) = screen.selected_id().and_then(|id| screen.plot.layout.boxes.get(id)) else {
        return;
    };
    let middle = (place.x + place.width / 2, place.y + place.height / 2);
    screen.scroll = (middle.0 - i32::from(area.width) / 2, middle.1 - i32::from(area.height) / 2);
    keep_in_view(screen, shared);
}

/// Scrolls the drawing by cells, within its bounds.
pub(super) fn scroll(screen: &mut PipelineScreen, shared: &Shared, columns: i32, rows: i32) {
    if screen.lanes {
        let height = usize::from(screen.areas(shared).main.height);
        return list::scroll(screen, rows, height);
    }
    let (x, y) = screen.scroll;
    scroll_to(screen, shared, (x + columns, y + rows));
}

/// Scrolls so that this cell of the drawing is the upper left one, within the bounds of the drawing.
pub(super) fn scroll_to(screen: &mut PipelineScreen, shared: &Shared, (x, y): (i32, i32)) {
    let area = screen.areas(shared).main;
    if screen.lanes {
        return;
    }
    let layout = &screen.plot.layout;
    let limit = |now: i32, wanted: i32, view: i32, whole: i32| {
        if whole <= view { now } else { wanted.clamp(0, whole - view) }
    };
    let now = screen.scroll;
    screen.scroll = (
        limit(now.0, x, i32::from(area.width), layout.width),
        limit(now.1, y, i32::from(area.height), layout.height),
    );
}
