//! The list of neighbours, by which edges are followed.

use super::super::dialog::picker_height;
use super::go::{jump, select};
use crate::app::command::Command;
use crate::app::graph::PipelineScreen;
use crate::app::picker::{Choice, Picker};
use crate::app::state::{Choose, Dialog, State};
use crate::dag::Id;

/// The displayed vertices that lead into the selected one, or with `onward` those that it leads to.
pub(in crate::app) fn neighbours(state: &State, onward: bool) -> &[Id] {
    let graph = &state.pipeline.plot.view.graph;
    let next = if onward { &graph.children } else { &graph.parents };
    state.pipeline.selected_id().and_then(|id| next.get(id)).map_or(&[], Vec::as_slice)
}

/// Follows the only edge, or lets a person choose among several by number or name.
pub(super) fn choose(state: &mut State, onward: bool) {
    let ids = neighbours(state, onward);
    if let [only] = ids {
        return jump(state, *only);
    }
    let vertices = &state.pipeline.plot.view.graph.vertices;
    let choices = ids.iter().enumerate().map(|(number, id)| {
        let kind = vertices[*id].kind.as_str();
        let detail = match state.pipeline.state(*id) {
            Some(status) => format!("{kind}, {}", status.as_str()),
            None => kind.to_owned(),
        };
        let keys = if number < 9 { (number + 1).to_string() } else { String::new() };
        Choice { name: vertices[*id].name.clone(), detail, keys, disabled: None }
    });
    let picker = Picker::new(choices.collect(), 0, picker_height(state.size));
    let what = if onward { Choose::Child } else { Choose::Parent };
    state.dialogs.push(Dialog::Choose(what, picker));
}

/// Follows the edge of that number, from 0, if there is one.
pub(in super::super) fn follow_edge(state: &mut State, onward: bool, number: usize) {
    if let Some(id) = neighbours(state, onward).get(number).copied() {
        jump(state, id);
    }
}

/// Moves in the list: by rows, or with left and right along an edge.
pub(super) fn go(state: &mut State, command: Command, page: isize) {
    let (screen, Some(lanes)) = (&state.pipeline, &state.pipeline.plot.lanes) else { return };
    let Some(id) = screen.selected_id() else { return };
    let (at, last) = (lanes.row_of(id), lanes.rows.len() - 1);
    let next = match command {
        Command::Up => at.saturating_sub(1),
        Command::Down => (at + 1).min(last),
        Command::PageUp => at.saturating_add_signed(-page),
        Command::PageDown => at.saturating_add_signed(page).min(last),
        Command::First => 0,
        Command::Last => last,
        Command::Left | Command::Right => {
            let neighbours = neighbours(state, command == Command::Right);
            match neighbours.iter().map(|id| lanes.row_of(*id)).min_by_key(|row| row.abs_diff(at)) {
                Some(row) => row,
                None => return,
            }
        }
        _ => return,
    };
    select(state, lanes.rows[next].id);
}

/// Scrolls so that the selected row is seen.
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
