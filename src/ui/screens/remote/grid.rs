//! The tasks of the last runs of a pipeline: a row for each task, a column for each run.

use ratatui::layout::Rect;

use super::super::super::paint::Paint;
use super::super::super::theme::Role;
use super::super::focused;
use super::sign_of;
use crate::app::screens::remote::page::Page;
use crate::app::screens::remote::run::RunPage;
use crate::app::screens::remote::runs::began;
use crate::app::shared::Shared;
use crate::app::words::when;
use crate::text::{sanitize, width};

/// Cells of a run.
const RUN: u16 = 2;
/// Cells of the share of failures.
const FAILED: u16 = 8;

/// The run that is selected, on the line over the grid.
pub(super) fn told(page: &RunPage) -> String {
    let run = page.grid.runs.get(page.grid.column);
    run.map(|run| run.run.clone()).unwrap_or_default()
}

pub(super) fn draw(paint: &mut Paint<'_>, area: Rect, shared: &Shared, page: &Page, run: &RunPage) {
    let grid = &run.grid;
    if grid.tasks.is_empty() {
        return paint.note(area, &[run.error.as_deref().unwrap_or("Reading the runs ...")]);
    }
    let rows = usize::from(area.height.saturating_sub(1));
    let seen = || grid.tasks.iter().enumerate().skip(grid.position.offset).take(rows);
    let names = seen().map(|(_, name)| width(&sanitize(name))).max().unwrap_or(0);
    // The newest runs are seen first; names give way to six of them.
    let least = RUN * 6.min(u16::try_from(grid.runs.len()).unwrap_or(6)) + FAILED + 4;
    let names =
        u16::try_from(names).unwrap_or(u16::MAX).min(area.width.saturating_sub(least).max(8));
    let from = area.x + 2 + names + 1;
    let room = area.right().saturating_sub(from + FAILED) / RUN;
    let columns = usize::from(room).min(grid.runs.len());
    let first = window(grid.column, columns, grid.runs.len());
    let shown = &grid.runs[first..first + columns];
    let at = |column: usize| from + u16::try_from(column).unwrap_or(0) * RUN;
    // The ages of the oldest and the newest run that are seen.
    let age = |id: &crate::remote::model::RunId| {
        let run = page.runs.iter().find(|run| run.id == *id);
        run.and_then(began).map(|at| when(shared.now, at)).unwrap_or_default()
    };
    let end = at(columns);
    if let (Some(oldest), Some(newest)) = (shown.first(), shown.last()) {
        let newest = age(newest);
        let cells = u16::try_from(width(&newest)).unwrap_or(0);
        if shown.len() > 1 && u16::try_from(columns).unwrap_or(0) * RUN > 2 * cells + 2 {
            paint.text(from, area.y, &age(oldest), Role::Comment, end - from);
        }
        let right = end.max(from + cells).min(area.right());
        paint.right(right, area.y, &newest, Role::Comment, cells);
        if grid.has_failures && right + FAILED <= area.right() {
            paint.text(right + 1, area.y, "failed", Role::Dim, FAILED);
        }
    }
    for (row, (index, name)) in seen().enumerate() {
        let y = area.y + 1 + row as u16;
        let selected = index == grid.position.selected;
        paint.row(area, y, selected, focused(shared));
        paint.name(area.x + 2, y, name, Role::Text, names);
        for (column, id) in shown.iter().enumerate() {
            let cell = grid.cell(index, id);
            let (sign, role) = match cell {
                Some(cell) => sign_of(paint.glyphs, cell.phase),
                None if grid.cells.contains_key(id) => (" ", Role::Dim),
                None => (paint.glyphs.ellipsis, Role::Comment),
            };
            // More than one try is worth a mark.
            let again = cell.is_some_and(|cell| cell.attempt > 1);
            if selected && first + column == grid.column {
                // The cell under the cursor is left out of the highlighted row.
                paint.fill(Rect { x: at(column), y, width: 1, height: 1 }, Role::Background);
            }
            paint.text(at(column), y, sign, role, 1);
            if again {
                paint.text(at(column) + 1, y, "'", Role::Warning, 1);
            }
        }
        let (failed, ended) = grid.failures(index);
        if failed > 0 {
            let text = format!("{failed}/{ended}");
            paint.text(end + 1, y, &text, Role::Bad, FAILED);
        }
    }
}

/// The first of `shown` columns out of `all`, so that the selected one is seen and the newest ones are, if they can be.
fn window(selected: usize, shown: usize, all: usize) -> usize {
    let last = all.saturating_sub(shown);
    selected.min(last)
}
