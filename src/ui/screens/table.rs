//! A table with titles, columns as wide as their visible cells, and a selected row.

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use crate::app::list::Position;
use crate::text::{truncate_middle, width};

/// A cell: text and role.
pub(super) type Cell = (String, Role);

/// The alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    /// At the left; a text that is too long loses its middle.
    Name,
    Right,
}

/// Between columns, in cells.
const GAP: u16 = 2;
/// The smallest width to which a column is narrowed.
const NARROWEST: u16 = 6;
/// What a title of numbers and a column keep where not all columns fit.
const TITLE: u16 = 16;
const WIDEST: u16 = 40;

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
    let room = area.width.saturating_sub(2);
    let mut widths = of_cells(titles, &seen, room, room);
    // Titles of numbers are shortened first, then what is very long. The last column takes the remaining width.
    let too_wide =
        |widths: &[u16]| widths.iter().map(|cells| cells + GAP).sum::<u16>() > room + GAP;
    if too_wide(&widths) {
        widths = of_cells(titles, &seen, room, TITLE);
    }
    if too_wide(&widths) {
        let last = titles.len().saturating_sub(1);
        widths.iter_mut().take(last).for_each(|cells| *cells = (*cells).min(WIDEST));
    }
    let mut columns = Vec::new();
    let mut x = area.x + 1;
    for (column, cells) in widths.iter().enumerate() {
        let left = (area.x + 1 + room).saturating_sub(x);
        // A number that has lost digits would be misread.
        let least = match titles[column].1 {
            Align::Right => *cells,
            Align::Left | Align::Name => (*cells).min(NARROWEST),
        };
        if left < least && column > 0 {
            break;
        }
        let cells = (*cells).min(left);
        columns.push((column, x, cells));
        x += cells + GAP;
    }
    for (column, x, cells) in &columns {
        let (title, align) = titles[*column];
        // Titles are names, too.
        let title = truncate_middle(title, usize::from(*cells));
        put(paint, *x, area.y, &title, Role::Dim, *cells, align);
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

/// The widths of the columns by their cells and titles; the titles of numbers count as at most `title` cells.
fn of_cells(
    titles: &[(&str, Align)],
    seen: &[(usize, Vec<Cell>)],
    room: u16,
    title: u16,
) -> Vec<u16> {
    let cells = |text: &str| u16::try_from(width(text)).unwrap_or(room).min(room);
    let column = |(column, (text, align)): (usize, &(&str, Align))| {
        let most = if *align == Align::Right { title } else { room };
        let texts = seen.iter().filter_map(|(_, row)| row.get(column)).map(|(text, _)| cells(text));
        texts.max().unwrap_or(0).max(cells(text).min(most))
    };
    titles.iter().enumerate().map(column).collect()
}

fn put(paint: &mut Paint<'_>, x: u16, y: u16, text: &str, role: Role, cells: u16, align: Align) {
    match align {
        Align::Left => drop(paint.text(x, y, text, role, cells)),
        Align::Name => drop(paint.name(x, y, text, role, cells)),
        Align::Right => drop(paint.right(x + cells, y, text, role, cells)),
    }
}
