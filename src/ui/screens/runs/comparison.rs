//! Two runs beside each other.

use ratatui::layout::Rect;

use super::super::super::paint::Paint;
use super::super::super::theme::Role;
use super::super::details::role_of;
use crate::app::screens::runs::RunsScreen;
use crate::app::screens::runs::comparison::{Pair, Row, Section, rows};
use crate::app::screens::runs::page::{ComparisonPage, HEAD};
use crate::app::shared::Shared;
use crate::app::words::when;
use crate::store::RunId;
use crate::text::{sanitize, width};

/// Draws the comparison.
pub(super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &RunsScreen,
    shared: &Shared,
    page: &ComparisonPage,
) {
    let body = Rect { y: area.y + HEAD, height: area.height.saturating_sub(HEAD), ..area };
    for (row, id) in [(0, page.runs.first), (1, page.runs.second)] {
        head(paint, Rect { y: area.y + row, height: 1, ..area }, screen, shared, id, row == 0);
    }
    let sections = match &page.compared {
        None => return paint.note(body, &["Comparing ..."]),
        Some(Err(error)) => {
            return paint.note(body, &["The runs can't be compared.", &error.line()]);
        }
        Some(Ok(sections)) if sections.is_empty() => {
            return paint.note(body, &["Nothing differs."]);
        }
        Some(Ok(sections)) => sections,
    };
    let seen: Vec<Row<'_>> =
        rows(sections).skip(page.offset).take(usize::from(body.height)).collect();
    let widths = Widths::of(&seen, body.width);
    for (row, line) in seen.iter().enumerate() {
        let line_area =
            Rect { x: body.x + 1, y: body.y + row as u16, width: body.width - 2, height: 1 };
        match line {
            Row::Title(title) => {
                paint.text(line_area.x, line_area.y, title, Role::Title, line_area.width);
            }
            Row::Pair(section, pair) => draw_pair(paint, line_area, section, pair, &widths),
            Row::Text(text) => {
                let room = line_area.width.saturating_sub(2);
                paint.text(line_area.x + 2, line_area.y, text, Role::Text, room);
            }
            Row::Blank => {}
        }
    }
    if rows(sections).count() > page.offset + usize::from(body.height) {
        let arrow = if paint.glyphs.ascii() { "v" } else { "↓" };
        paint.text(area.right() - 1, area.bottom() - 1, arrow, Role::Accent, 1);
    }
}

/// Draws a compared run on one line; the first run has the colour of removed values.
fn head(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &RunsScreen,
    shared: &Shared,
    id: RunId,
    first: bool,
) {
    let role = if first { Role::Bad } else { Role::Good };
    let listed = screen.list.rows.iter().find(|run| run.id == Some(id));
    let run = listed.or_else(|| screen.read(id).map(|read| &read.whole.run));
    let mut x = area.x + 1;
    x += paint.text(x, area.y, &format!("run {id}"), role, area.width);
    let Some(run) = run else { return };
    let mut facts = vec![when(shared.now, run.new.started_at)];
    facts.extend(run.note.clone());
    facts.push(run.new.command.clone());
    for fact in facts {
        let text = format!(" {} {fact}", paint.glyphs.dot);
        x += paint.text(x, area.y, &text, Role::Dim, area.right().saturating_sub(x + 1));
    }
}

/// The widths of the columns, in cells.
struct Widths {
    name: u16,
    first: u16,
    second: u16,
}

impl Widths {
    /// As wide as the visible values, at most a third of the width.
    fn of(rows: &[Row<'_>], room: u16) -> Self {
        let most = usize::from(room / 3);
        let widest = |of: fn(&Pair) -> &str| {
            let cells = rows.iter().filter_map(|row| match row {
                Row::Pair(_, pair) => Some(width(&sanitize(of(pair)))),
                _ => None,
            });
            cells.max().unwrap_or(0).min(most) as u16
        };
        Widths {
            name: widest(|pair| &pair.name),
            first: widest(|pair| &pair.first),
            second: widest(|pair| &pair.second),
        }
    }
}

fn draw_pair(paint: &mut Paint<'_>, area: Rect, section: &Section, pair: &Pair, widths: &Widths) {
    let (first, second) = match pair.changed {
        true => (Role::Bad, Role::Good),
        false => (Role::Text, Role::Text),
    };
    // Measurements are aligned at their last digit.
    let measured = section.pairs.iter().all(|pair| !pair.changed);
    let end = area.right();
    let room = |x: u16, cells: u16| cells.min(end.saturating_sub(x));
    let mut x = area.x + 2;
    paint.text(x, area.y, &pair.name, role_of(pair.tone), room(x, widths.name));
    x += widths.name + 2;
    let value = |paint: &mut Paint<'_>, x: u16, text: &str, role: Role, cells: u16| {
        let cells = room(x, cells);
        match measured {
            true => drop(paint.right(x + cells, area.y, text, role, cells)),
            false => drop(paint.text(x, area.y, text, role, cells)),
        }
    };
    value(paint, x, &pair.first, first, widths.first);
    x += widths.first + 2;
    let arrow = if paint.glyphs.ascii() { ">" } else { "→" };
    paint.text(x, area.y, arrow, Role::Dim, room(x, 1));
    x += 3;
    value(paint, x, &pair.second, second, widths.second);
    x += widths.second + 2;
    paint.text(x, area.y, &pair.note, Role::Dim, room(x, area.width));
}
