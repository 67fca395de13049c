//! The graph as a list with lanes at its left.

use ratatui::layout::Rect;

use super::super::super::paint::Paint;
use super::super::super::theme::Role;
use super::super::focused;
use super::boxes::{look, node_times};
use crate::app::screens::pipeline::{PipelineScreen, Plot};
use crate::app::shared::Shared;
use crate::dag::lanes::{Lanes, Mark, Row};
use crate::dag::layout::{DOWN, RIGHT, UP};
use crate::dag::{Id, VertexKind};
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
        draw_lines(paint, area, y, screen, lanes, row);
        draw_label(paint, area, y, screen, shared, lanes, row);
    }
}

/// Whether the line of the vertex `line` is highlighted in `row`: the line leads on from the selected vertex to
/// a child, or down to the selected vertex from a parent.
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
fn draw_lines(
    paint: &mut Paint<'_>,
    area: Rect,
    y: u16,
    screen: &PipelineScreen,
    lanes: &Lanes,
    row: usize,
) {
    let selected = screen.selected_id();
    let is_selected = selected == Some(lanes.rows[row].id);
    let role = |lit: bool| if lit { Role::EdgeSelected } else { Role::Edge };
    for (column, cell) in lanes.cells(row).iter().enumerate() {
        let x = area.x + 1 + column as u16 * 2;
        if x + 1 >= area.right() {
            break;
        }
        // All horizontal lines of a row lead to its vertex. They are highlighted if the vertex is selected, or
        // if they come from the selection. `gap` stands for the cell between this lane and the next one.
        let across = |gap: bool| {
            is_selected || lanes.across(row, column, gap).any(|source| Some(source) == selected)
        };
        let down = cell.line.is_some_and(|line| is_lit(screen, lanes, selected, row, line));
        let (directions, lit) = match cell.mark {
            Mark::Vertex => (0, false),
            Mark::Crossing => (UP | DOWN, down),
            Mark::Branch => (cell.ways, down),
            Mark::Plain if cell.line.is_some() => (cell.ways, down),
            Mark::Plain => (cell.ways, across(false)),
        };
        paint.text(x, y, paint.glyphs.join(directions), role(lit), 1);
        if cell.ways & RIGHT != 0 {
            paint.text(x + 1, y, paint.glyphs.lines[0], role(across(true)), 1);
        }
    }
}

/// Draws the vertex's glyph in its lane, its name right of the row's last lane, and its time, ends without a line and
/// badge at the end of the row.
fn draw_label(
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
    let label = &plot.names[*id];
    let name_width = width(label) as u16;
    let room = usize::from(right.saturating_sub(x + name_width + 2));
    let mut right_texts = Vec::new();
    let time = node_times(shared, &vertex.name).into_iter().find(|time| width(time) <= room);
    right_texts.extend(time.map(|time| (time, Role::Dim)));
    if vertex.kind == VertexKind::Namespace {
        let nodes = Plot::nodes(&plot.whole, &plot.view, *id);
        right_texts
            .push((format!("{nodes} {}", if nodes == 1 { "node" } else { "nodes" }), Role::Dim));
    }
    // Edges without a line show the name of their other end, or their number.
    let glyphs = paint.glyphs;
    for (sign, others) in [(glyphs.onward, leads_to), (glyphs.backward, comes_from)] {
        let text = match others[..] {
            [] => continue,
            [other] => format!("{sign} {}", plot.names[other]),
            _ => format!("{sign} {}", others.len()),
        };
        right_texts.push((text, Role::Dim));
    }
    if !look.badge.is_empty() {
        right_texts.push((look.badge.clone(), Role::Parameters));
    }
    for (text, role) in right_texts {
        let room = right.saturating_sub(x + name_width + 2);
        if usize::from(room) >= width(&text) {
            right = paint.right(right, y, &text, role, room).saturating_sub(2);
        }
    }
    paint.name(x, y, label, look.text, right.saturating_sub(x));
}
