//! The graph as a list with lanes: moving and scrolling.

use super::screen::PipelineScreen;
use crate::app::command::Command;
use crate::dag::Id;

/// The vertex that a key selects: up and down by rows, left and right along an edge.
pub(super) fn next(screen: &PipelineScreen, command: Command, page: isize) -> Option<Id> {
    let (lanes, id) = (screen.plot.lanes.as_ref()?, screen.selected_id()?);
    let (at, last) = (lanes.row_of(id), lanes.rows.len() - 1);
    let next = match command {
        Command::Up => at.saturating_sub(1),
        Command::Down => (at + 1).min(last),
        Command::PageUp => at.saturating_add_signed(-page),
        Command::PageDown => at.saturating_add_signed(page).min(last),
        Command::First => 0,
        Command::Last => last,
        Command::Left | Command::Right => {
            let neighbours = screen.neighbours(command == Command::Right).iter();
            neighbours.map(|id| lanes.row_of(*id)).min_by_key(|row| row.abs_diff(at))?
        }
        _ => return None,
    };
    Some(lanes.rows[next].id)
}

/// Scrolls so that the selected row is visible.
pub(super) fn keep_in_view(screen: &mut PipelineScreen, height: usize) {
    let (Some(lanes), Some(id)) = (&screen.plot.lanes, screen.selected_id()) else { return };
    let row = lanes.row_of(id);
    let first = (row + 1).saturating_sub(height);
    screen.lanes_offset = screen.lanes_offset.clamp(first, row.max(first));
    screen.lanes_offset = screen.lanes_offset.min(lanes.rows.len().saturating_sub(height));
}

/// Scrolls by rows.
pub(super) fn scroll(screen: &mut PipelineScreen, by: i32, height: usize) {
    let rows = screen.plot.lanes.as_ref().map_or(0, |lanes| lanes.rows.len());
    let offset = screen.lanes_offset.saturating_add_signed(by as isize);
    screen.lanes_offset = offset.min(rows.saturating_sub(height));
}

/// The vertex of a row.
pub(super) fn row(screen: &PipelineScreen, row: usize) -> Option<Id> {
    screen.plot.lanes.as_ref()?.rows.get(row).map(|row| row.id)
}
