//! Presses and drags of the mouse on the drawing.

use super::drawing::scroll_to;
use super::screen::{Held, PipelineScreen};
use super::zoom::Zoom;
use super::{go, list, view};
use crate::app::screens::Screen;
use crate::app::shared::Shared;
use crate::dag::Id;
use crate::dag::view::Fold;

/// Handles a press on a cell of the screen. It selects a vertex, expands a namespace that is already selected,
/// collapses an expanded namespace by its title, and elsewhere begins to drag the drawing.
pub(super) fn press(screen: &mut PipelineScreen, shared: &mut Shared, column: u16, row: u16) {
    let area = screen.areas(shared).main;
    if let Some(id) = vertex_at(screen, shared, column, row) {
        let again = screen.selected_id() == Some(id);
        if again && screen.zoom() == Zoom::Overview && !screen.lanes {
            return view::set_zoom(screen, shared, Zoom::Chips);
        }
        if !again || !view::toggle_fold(screen, shared) {
            go::visit(screen, shared, id);
        }
        return;
    }
    if screen.lanes {
        return;
    }
    let at = (i32::from(column - area.x), i32::from(row - area.y));
    let title = screen.plot.title_at(at.0 + screen.scroll.0, at.1 + screen.scroll.1);
    match title.filter(|_| screen.zoom() != Zoom::Overview) {
        Some(group) => {
            let name = screen.plot.view.groups[group].name.clone();
            view::set_fold(screen, shared, name, Fold::Collapsed);
        }
        None => screen.held = Some(Held { cell: (column, row), scroll: screen.scroll }),
    }
}

/// The displayed vertex under a cell of the screen.
pub(super) fn vertex_at(
    screen: &PipelineScreen,
    shared: &Shared,
    column: u16,
    row: u16,
) -> Option<Id> {
    let area = screen.areas(shared).main;
    let (column, row) = (i32::from(column - area.x), i32::from(row - area.y));
    if screen.lanes {
        return list::row(screen, row as usize + screen.lanes_offset);
    }
    match screen.zoom() {
        Zoom::Overview => view::vertex_in_overview(screen, area.as_size(), column, row),
        _ => screen.plot.at(column + screen.scroll.0, row + screen.scroll.1),
    }
}

/// Handles a move to a cell of the screen: a dragged drawing moves along.
pub(super) fn drag(screen: &mut PipelineScreen, shared: &Shared, column: u16, row: u16) {
    if let Some(Held { cell, scroll }) = screen.held {
        let by = |from: u16, to: u16| i32::from(from) - i32::from(to);
        scroll_to(screen, shared, (scroll.0 + by(cell.0, column), scroll.1 + by(cell.1, row)));
    }
}
