//! The graph as a list with lanes at its left.

use ratatui::layout::Rect;

use super::super::super::paint::Paint;
use super::super::super::theme::Role;
use super::super::focused;
use super::boxes::look;
use crate::app::run::NodeState;
use crate::app::screens::pipeline::PipelineScreen;
use crate::app::shared::Shared;
use crate::app::words::seconds_text;
use crate::dag::Id;
use crate::dag::lanes::{Lanes, Mark, Row};
use crate::dag::layout::{DOWN, RIGHT, UP};
use crate::text::width;

/// Draws the visible rows.
pub(super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &PipelineScreen,
    shared: &Shared,
    lanes: &Lanes,
) {
    let selected = screen.selected_id();
    let rows = screen.lanes_offset..lanes.rows.len();
    for (row, y) in rows.zip(area.y..area.bottom()) {
        let id = lanes.rows[row].id;
        paint.row(area, y, selected == Some(id), focused(shared));
        cells(paint, area, y, screen, lanes, row);
        label(paint, area, y, screen, shared, lanes, row);
    }
}

/// Whether the line of a vertex on a row leads into or out of the selection.
fn is_lit(
    screen: &PipelineScreen,
    lanes: &Lanes,
    selected: Option<Id>,
    row: usize,
    line: Id,
) -> bool {
    let Some(selected) = selected else { return false };
    let graph = &screen.plot.view.graph;
    match line == selected {
        true => graph.children[selected].iter().any(|child| lanes.row_of(*child) >= row),
        false => graph.parents[selected].contains(&line) && row <= lanes.row_of(selected),
    }
}

/// Draws the lines of a row.
fn cells(
    paint: &mut Paint<'_>,
    area: Rect,
    y: u16,
    screen: &PipelineScreen,
    lanes: &Lanes,
    row: usize,
) {
    let selected = screen.selected_id();
    let own = selected == Some(lanes.rows[row].id);
    let role = |lit: bool| if lit { Role::EdgeSelected } else { Role::Edge };
    for (column, cell) in lanes.cells(row).iter().enumerate() {
        let x = area.x + 1 + column as u16 * 2;
        if x + 1 >= area.right() {
            break;
        }
        // A horizontal line leads to the vertex of the row.
        let across = |gap: bool| {
            own || lanes.across(row, column, gap).any(|source| Some(source) == selected)
        };
        let down = cell.line.is_some_and(|line| is_lit(screen, lanes, selected, row, line));
        let (ways, lit) = match cell.mark {
            Mark::Vertex => (0, false),
            Mark::Crossing => (UP | DOWN, down),
            Mark::Branch => (cell.ways, down),
            Mark::Plain if cell.line.is_some() => (cell.ways, down),
            Mark::Plain => (cell.ways, across(false)),
        };
        paint.text(x, y, paint.glyphs.join(ways), role(lit), 1);
        if cell.ways & RIGHT != 0 {
            paint.text(x + 1, y, paint.glyphs.lines[0], role(across(true)), 1);
        }
    }
}

/// Draws the glyph in its lane, the name right of all lanes, and the time at the end of the row.
fn label(
    paint: &mut Paint<'_>,
    area: Rect,
    y: u16,
    screen: &PipelineScreen,
    shared: &Shared,
    lanes: &Lanes,
    row: usize,
) {
    let plot = &screen.plot;
    let Row { id, column, leads_to, comes_from, .. } = &lanes.rows[row];
    let vertex = &plot.view.graph.vertices[*id];
    let look = look(paint, screen, *id);
    paint.text(area.x + 1 + *column as u16 * 2, y, look.sign, look.role, 1);
    let x = area.x + 2 + lanes.cells(row).len() as u16 * 2;
    let mut right = area.right().saturating_sub(1);
    let seconds = match shared.node_run(&vertex.name).map(|(_, node)| *node) {
        Some(NodeState::Done(seconds) | NodeState::Failed(seconds)) => Some(seconds),
        Some(NodeState::Running(since)) => Some(shared.now - since),
        _ => None,
    };
    let mut ends = Vec::new();
    ends.extend(seconds.map(|seconds| (seconds_text(seconds), Role::Dim)));
    // Edges without a line show the name of their other end, or their number.
    let glyphs = paint.glyphs;
    for (sign, others) in [(glyphs.onward, leads_to), (glyphs.backward, comes_from)] {
        let text = match others[..] {
            [] => continue,
            [other] => format!("{sign} {}", plot.view.graph.vertices[other].name),
            _ => format!("{sign} {}", others.len()),
        };
        ends.push((text, Role::Dim));
    }
    if !look.badge.is_empty() {
        ends.push((look.badge.clone(), Role::Parameters));
    }
    let name = width(&vertex.name) as u16;
    for (text, role) in ends {
        let room = right.saturating_sub(x + name + 2);
        if usize::from(room) >= width(&text) {
            right = paint.right(right, y, &text, role, room).saturating_sub(2);
        }
    }
    paint.text(x, y, &vertex.name, look.text, right.saturating_sub(x));
}
