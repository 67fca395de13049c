//! Two runs beside each other.

use ratatui::layout::Rect;

use super::super::super::paint::Paint;
use super::super::super::theme::Role;
use super::super::details::{draw_code, role_of};
use crate::app::screens::runs::RunsScreen;
use crate::app::screens::runs::comparison::{
    CauseLine, DefinitionDiff, Pair, Row, Section, WIDE, rows,
};
use crate::app::screens::runs::page::{ComparisonPage, HEAD};
use crate::app::shared::Shared;
use crate::app::words::{Tone, outcome_text, seconds_text, when};
use crate::project::python::highlight::Highlighted;
use crate::store::RunId;
use crate::text::diff::DiffRow;
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
    let wide = body.width >= WIDE;
    let seen: Vec<Row<'_>> =
        rows(sections, wide).skip(page.offset).take(usize::from(body.height)).collect();
    let widths = Widths::of(&seen, body.width);
    for (row, line) in seen.iter().enumerate() {
        let line_area =
            Rect { x: body.x + 1, y: body.y + row as u16, width: body.width - 2, height: 1 };
        match line {
            Row::Title(title) => {
                paint.text(line_area.x, line_area.y, title, Role::Title, line_area.width);
            }
            Row::Cause(cause) => draw_cause(paint, line_area, cause),
            Row::Because(cause) => {
                let x = line_area.x + VERDICT;
                paint.text(
                    x,
                    line_area.y,
                    &cause.because,
                    Role::Dim,
                    line_area.right().saturating_sub(x),
                );
            }
            Row::Pair(section, pair) => draw_pair(paint, line_area, section, pair, &widths),
            Row::Definition(one) => draw_definition(paint, line_area, one),
            Row::Diff(one, row) if one.has_columns(wide) => draw_wide(paint, line_area, one, *row),
            Row::Diff(one, row) => draw_narrow(paint, line_area, one, *row),
            Row::Text(text) => {
                let room = line_area.width.saturating_sub(2);
                paint.text(line_area.x + 2, line_area.y, text, Role::Text, room);
            }
            Row::Blank => {}
        }
    }
    if rows(sections, wide).count() > page.offset + usize::from(body.height) {
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
    let (word, _) = outcome_text(run.outcome);
    let took = seconds_text(run.seconds(shared.now));
    let mut facts = vec![when(shared.now, run.new.started_at), format!("{word}, {took}")];
    facts.extend(run.note.clone());
    for fact in facts {
        let text = format!(" {} {fact}", paint.glyphs.dot);
        x += paint.text(x, area.y, &text, Role::Dim, area.right().saturating_sub(x + 1));
    }
}

/// The width of a verdict on a cause and of the space around it, in cells.
const VERDICT: u16 = 13;

/// Draws what may have caused the different results.
fn draw_cause(paint: &mut Paint<'_>, area: Rect, cause: &CauseLine) {
    paint.text(area.x + 2, area.y, cause.verdict, role_of(cause.tone), VERDICT - 2);
    let role = if cause.tone == Tone::Dim { Role::Dim } else { Role::Text };
    let x = area.x + VERDICT;
    paint.text(x, area.y, &cause.what, role, area.right().saturating_sub(x));
}

/// Draws the name of a definition, the nodes that use it, and its place where there is room.
fn draw_definition(paint: &mut Paint<'_>, area: Rect, one: &DefinitionDiff) {
    // The arrow at the end of the pane must not touch the place.
    let end = area.right() - 1;
    let mut x = area.x + 2;
    x += paint.name(x, area.y, &one.title, Role::Node, end.saturating_sub(x));
    let place = u16::try_from(width(&sanitize(&one.place))).unwrap_or(u16::MAX);
    let nodes = format!("  used by {}", one.nodes);
    let needed = width(&sanitize(&nodes));
    let left = usize::from(end.saturating_sub(x));
    let placed = left >= needed + 2 + usize::from(place);
    let room = if placed { end - place - 2 } else { end };
    paint.text(x, area.y, &nodes, Role::Text, room.saturating_sub(x));
    if placed {
        paint.text(end - place, area.y, &one.place, Role::Comment, place);
    }
}

/// The width of line numbers, in cells.
const NUMBERS: u16 = 4;

/// Draws a line of a text: its number, its sign, and its code.
fn draw_line(
    paint: &mut Paint<'_>,
    area: Rect,
    start: usize,
    line: usize,
    sign: (&str, Role),
    text: &Highlighted,
) {
    paint.right(area.x + NUMBERS, area.y, &(start + line).to_string(), Role::Comment, NUMBERS);
    paint.text(area.x + NUMBERS + 1, area.y, sign.0, sign.1, 1);
    let x = area.x + NUMBERS + 3;
    let code = Rect { x, width: area.right().saturating_sub(x), ..area };
    draw_code(paint, code, text.lines.get(line).map_or(&[], Vec::as_slice));
}

const REMOVED: (&str, Role) = ("-", Role::Bad);
const ADDED: (&str, Role) = ("+", Role::Good);
const SAME: (&str, Role) = (" ", Role::Dim);

/// Draws a row of a difference in two columns.
fn draw_wide(paint: &mut Paint<'_>, area: Rect, one: &DefinitionDiff, row: DiffRow) {
    let area = Rect { x: area.x + 2, width: area.width.saturating_sub(2), ..area };
    let half = area.width.saturating_sub(3) / 2;
    let left = Rect { width: half, ..area };
    let right = Rect { x: left.right() + 3, width: half, ..area };
    let bar = Rect { x: left.right() + 1, width: 1, ..area };
    let ((old, new), texts) = (one.starts, &one.texts);
    match row {
        DiffRow::Skipped(count) => return draw_skipped(paint, area, count),
        DiffRow::Same(first, second) => {
            draw_line(paint, left, old, first, SAME, &texts.0);
            draw_line(paint, right, new, second, SAME, &texts.1);
        }
        DiffRow::Changed(first, second) => {
            if let Some(line) = first {
                draw_line(paint, left, old, line, REMOVED, &texts.0);
            }
            if let Some(line) = second {
                draw_line(paint, right, new, line, ADDED, &texts.1);
            }
        }
    }
    paint.upright(bar, Role::Dim);
}

/// Draws a row of a difference in one column.
fn draw_narrow(paint: &mut Paint<'_>, area: Rect, one: &DefinitionDiff, row: DiffRow) {
    let area = Rect { x: area.x + 2, width: area.width.saturating_sub(2), ..area };
    let ((old, new), texts) = (one.starts, &one.texts);
    match row {
        DiffRow::Skipped(count) => draw_skipped(paint, area, count),
        DiffRow::Same(_, line) => draw_line(paint, area, new, line, SAME, &texts.1),
        DiffRow::Changed(Some(line), _) => draw_line(paint, area, old, line, REMOVED, &texts.0),
        DiffRow::Changed(None, Some(line)) => draw_line(paint, area, new, line, ADDED, &texts.1),
        DiffRow::Changed(None, None) => {}
    }
}

fn draw_skipped(paint: &mut Paint<'_>, area: Rect, count: usize) {
    let text = match count {
        1 => "1 equal line".to_owned(),
        _ => format!("{count} equal lines"),
    };
    paint.text(area.x + NUMBERS + 3, area.y, &text, Role::Comment, area.width.saturating_sub(7));
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
    let cells = room(x, widths.name);
    paint.name(x, area.y, &pair.name, role_of(pair.tone), cells);
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
