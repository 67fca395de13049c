//! A table with titles, columns as wide as their visible cells, and a selected row.

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use crate::app::list::Position;
use crate::text::width;

/// A cell: text and role.
pub(super) type Cell = (String, Role);

/// The alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// Draws a table of `len` rows; `cells` makes the cells of a visible row. Columns that do
/// not fit are left out from the right.
pub(super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    titles: &[(&str, Align)],
    len: usize,
    position: Position,
    focus: bool,
    cells: impl Fn(usize) -> Vec<Cell>,
) {
    let height = usize::from(area.height.saturating_sub(1));
    let seen: Vec<(usize, Vec<Cell>)> = (position.offset..len.min(position.offset + height))
        .map(|index| (index, cells(index)))
        .collect();
    let mut widths: Vec<u16> = titles.iter().map(|(title, _)| width(title) as u16).collect();
    for (_, cells) in &seen {
        for (column, (text, _)) in cells.iter().enumerate() {
            if let Some(cells) = widths.get_mut(column) {
                // The last column takes the remaining width.
                let most = if column + 1 == titles.len() { area.width } else { 40 };
                *cells = (*cells).max(width(text) as u16).min(most);
            }
        }
    }
    let room = area.width.saturating_sub(2);
    let mut columns = Vec::new();
    let mut x = area.x + 1;
    for (column, cells) in widths.iter().enumerate() {
        let left = (area.x + 1 + room).saturating_sub(x);
        let cells = (*cells).min(left);
        if cells < 3 && column > 0 {
            break;
        }
        columns.push((column, x, cells));
        x += cells + 2;
    }
    for (column, x, cells) in &columns {
        let (title, align) = titles[*column];
        put(paint, *x, area.y, title, Role::Dim, *cells, align);
    }
    for (row, (index, cells)) in seen.iter().enumerate() {
        let y = area.y + 1 + row as u16;
        paint.row(area, y, *index == position.selected, focus);
        for (column, x, room) in &columns {
            if let Some((text, role)) = cells.get(*column) {
                put(paint, *x, y, text, *role, *room, titles[*column].1);
            }
        }
    }
}

fn put(paint: &mut Paint<'_>, x: u16, y: u16, text: &str, role: Role, cells: u16, align: Align) {
    match align {
        Align::Left => drop(paint.text(x, y, text, role, cells)),
        Align::Right => drop(paint.right(x + cells, y, text, role, cells)),
    }
}
