//! The hits of a search over the logs of a run, below the logs they are in.

use ratatui::layout::Rect;
use regex::Regex;

use super::super::super::paint::Paint;
use super::super::super::theme::Role;
use super::super::focused;
use crate::app::screens::remote::found::{Row, counted};
use crate::app::screens::remote::run::RunPage;
use crate::app::shared::Shared;
use crate::remote::search::Hit;
use crate::text::{ansi, width};

pub(super) fn draw(paint: &mut Paint<'_>, area: Rect, shared: &Shared, run: &RunPage) {
    let Some(found) = &run.found else { return };
    let room = area.width.saturating_sub(2);
    paint.text(area.x + 1, area.y, &found.summary(), Role::Dim, room);
    let rows = usize::from(area.height.saturating_sub(1));
    let seen = || found.rows.iter().enumerate().skip(found.position.offset).take(rows);
    let digits = |row: &Row| match row {
        Row::Hit(_, hit) => (hit.number + 1).to_string().len(),
        Row::Log(..) | Row::Unread(..) => 0,
    };
    let digits = seen().map(|(_, row)| digits(row)).max().unwrap_or(0) as u16;
    for (line, (index, row)) in seen().enumerate() {
        let y = area.y + 1 + line as u16;
        let selected = index == found.position.selected;
        paint.row(area, y, selected, focused(shared));
        match row {
            Row::Log(place, hits) => {
                let used = paint.name(area.x + 1, y, &found.title(*place), Role::Title, room);
                let count = format!(" {} {}", paint.glyphs.dot, counted(*hits, "hit"));
                paint.text(area.x + 1 + used, y, &count, Role::Dim, room.saturating_sub(used));
            }
            Row::Unread(place, why) => {
                let (sign, x) = (paint.glyphs.failed, area.x + 3);
                paint.text(area.x + 1, y, sign, Role::Bad, 1);
                let used = paint.name(x, y, &found.title(*place), Role::Title, room / 2);
                let why = format!(" {} {why}", paint.glyphs.dot);
                paint.text(x + used, y, &why, Role::Bad, room.saturating_sub(used + 2));
            }
            Row::Hit(_, hit) => {
                let x = area.x + 3 + digits;
                let number = (hit.number + 1).to_string();
                paint.right(x, y, &number, Role::Comment, digits);
                let x = x + 1;
                let row = Rect { x, y, width: area.right().saturating_sub(x + 1), height: 1 };
                line_of(paint, row, hit, &found.search.pattern, selected);
            }
        }
    }
}

/// Draws a line with what matches highlighted, from a place on from which the first match is seen.
fn line_of(paint: &mut Paint<'_>, area: Rect, hit: &Hit, pattern: &Regex, selected: bool) {
    let text = &hit.line.text;
    let cells = |text: &str| ansi::parts(text).iter().map(|part| width(&part.text)).sum::<usize>();
    let matches: Vec<(usize, &str)> = pattern
        .find_iter(text)
        .take(usize::from(area.width))
        .filter(|found| !found.is_empty())
        .map(|found| (cells(&text[..found.start()]), found.as_str()))
        .collect();
    let room = usize::from(area.width);
    let skip = match matches.first() {
        Some((at, found)) if at + cells(found) > room => at.saturating_sub(room / 3),
        _ => 0,
    };
    let role = match hit.line.level.as_deref() {
        Some("error" | "critical" | "fatal") => Role::Bad,
        Some("warning" | "warn") => Role::Warning,
        _ => Role::Text,
    };
    paint.parts(area.x, area.y, &ansi::parts(text), role, skip, area.width);
    if skip > 0 {
        paint.text(area.x, area.y, paint.glyphs.ellipsis, Role::Dim, 1);
    }
    for (at, found) in matches {
        let Some(at) = at.checked_sub(skip).filter(|at| *at < room) else { continue };
        let wide = cells(found).min(room - at) as u16;
        let marked = Rect { x: area.x + at as u16, width: wide, ..area };
        match selected {
            false => paint.restyle(marked, Role::Selection),
            // On the highlighted row a match is left out of the highlight.
            true => {
                paint.fill(marked, Role::Background);
                let parts = ansi::parts(found);
                paint.parts(marked.x, marked.y, &parts, role, 0, wide);
            }
        }
    }
}
