//! The tracked runs of the project's store: the table here, the charts in [`page`], and the artifacts
//! in [`artifacts`].

mod artifacts;
mod page;
mod plot;

pub(in crate::ui) use page::series;
use ratatui::layout::Rect;

use super::focused;
use crate::app::screens::experiments::ExperimentsScreen;
use crate::app::screens::experiments::columns::{Column, Source, What};
use crate::app::screens::experiments::curves::TREND;
use crate::app::screens::experiments::table::{LEVEL, Place, SIGN};
use crate::app::shared::Shared;
use crate::app::shared::TrackingReport;
use crate::text::{truncate_middle, width};
use crate::tracking::Overview;
use crate::tracking::entities::Run;
use crate::tracking::table::Row;
use crate::ui::paint::Paint;
use crate::ui::theme::Role;

/// The content of the store; without one, draws the reason.
pub(super) fn overview<'a>(
    paint: &mut Paint<'_>,
    area: Rect,
    shared: &'a Shared,
) -> Option<&'a Overview> {
    match &shared.project.tracking {
        Some(TrackingReport::Live(overview)) => return Some(overview),
        Some(TrackingReport::Failed(why)) => {
            paint.note(area, &["The tracking store can't be read.", why]);
        }
        Some(TrackingReport::Absent) => paint.note(
            area,
            &[
                "This project has no tracking store yet.",
                "A run that logs to MLflow makes mlflow.db; kedro-mlflow does so by itself.",
            ],
        ),
        None => paint.note(area, &["Looking for the tracking store ..."]),
    }
    None
}

/// Draws the tracked runs.
pub(in crate::ui) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &ExperimentsScreen,
    shared: &Shared,
) {
    let Some(overview) = overview(paint, area, shared) else { return };
    if overview.runs.is_empty() {
        return paint.note(area, &["No run is tracked yet."]);
    }
    if screen.artifacts.run().is_some() {
        return artifacts::draw(paint, area, &screen.artifacts, shared);
    }
    if screen.plot.is_shown() {
        return plot::draw(paint, area, &screen.plot, overview, shared);
    }
    if let Some(shown) = &screen.page {
        return page::draw(paint, area, screen, overview, shown);
    }
    let table = &screen.table;
    if table.rows.is_empty() {
        return paint.note(area, &["No run matches the filter.", "esc shows all runs again."]);
    }
    let Some(source) = screen.source(shared) else { return };
    let drawing = Drawing { source, screen, shared };
    let places = table.places(area.width);
    drawing.titles(paint, area, &places);
    let height = usize::from(area.height.saturating_sub(1));
    let rows = table.rows.iter().enumerate().skip(screen.position.offset).take(height);
    for (y, (index, row)) in (area.y + 1..).zip(rows) {
        let selected = index == screen.position.selected;
        paint.row(area, y, selected, focused(shared));
        drawing.row(paint, area, y, *row, &places);
    }
}

struct Drawing<'a> {
    source: Source<'a>,
    screen: &'a ExperimentsScreen,
    shared: &'a Shared,
}

impl Drawing<'_> {
    /// The titles, with arrows at the columns by which the rows are sorted, and at the edges if columns are out of view.
    fn titles(&self, paint: &mut Paint<'_>, area: Rect, places: &[Place]) {
        let glyphs = paint.glyphs;
        let table = &self.screen.table;
        let (before, after) = table.beyond(area.width);
        for place in places {
            let column = &table.columns[place.column];
            let sorts = &self.screen.choices.sorts;
            let at = sorts.iter().position(|sort| sort.column == column.key);
            let arrow = at.map(|at| {
                let way = if sorts[at].descending { glyphs.head_down } else { glyphs.head_up };
                let number = if sorts.len() > 1 { (at + 1).to_string() } else { String::new() };
                format!("{way}{number}")
            });
            let arrow = arrow.unwrap_or_default();
            let room = usize::from(place.width).saturating_sub(width(&arrow));
            let title = truncate_middle(&column.title, room) + &arrow;
            let is_cursor = place.column == table.cursor && focused(self.shared);
            let role = if is_cursor { Role::Accent } else { Role::Dim };
            match column.numbers {
                true => {
                    paint.right(area.x + place.x + place.width, area.y, &title, role, place.width)
                }
                false => paint.text(area.x + place.x, area.y, &title, role, place.width),
            };
        }
        if after > 0 {
            paint.text(area.right().saturating_sub(1), area.y, glyphs.onward, Role::Accent, 1);
        }
        if before > 0 {
            paint.text(area.x, area.y, glyphs.backward, Role::Accent, 1);
        }
    }

    fn row(&self, paint: &mut Paint<'_>, area: Rect, y: u16, row: Row, places: &[Place]) {
        let Some(run) = self.source.overview.runs.get(row.run) else { return };
        let (sign, role) = self.sign(paint, run);
        paint.text(area.x, y, sign, role, SIGN);
        for place in places {
            let column = &self.screen.table.columns[place.column];
            let (x, mut width) = (area.x + place.x, place.width);
            if column.what == What::Name {
                self.name(paint, x, y, width, row, run);
                continue;
            }
            let right = x + width;
            if column.trend && width > TREND {
                let line = column.metric().and_then(|key| self.screen.curves.trend(&run.id, key));
                paint.text(x, y, line.unwrap_or_default(), Role::Accent, TREND);
                width -= TREND + 1;
            }
            let (text, role) = self.cell(paint, column, row.run, run, usize::from(width));
            match column.numbers {
                true => drop(paint.right(right, y, &text, role, width)),
                false => drop(paint.name(x, y, &text, role, width)),
            }
        }
    }

    /// The sign of a mark, of the baseline, or of the state of a run.
    fn sign(&self, paint: &Paint<'_>, run: &Run) -> (&'static str, Role) {
        let glyphs = paint.glyphs;
        let marked = &self.screen.marked;
        let members = self.source.groups.map_or(&[] as &[String], |groups| groups.members(&run.id));
        let all = !members.is_empty() && members.iter().all(|id| marked.contains(id));
        if all || marked.contains(&run.id) {
            return (glyphs.mark, Role::Mark);
        }
        if self.source.baseline.is_some_and(|baseline| baseline.id == run.id) {
            return (glyphs.selected, Role::Accent);
        }
        match run.status.as_str() {
            "FINISHED" => (glyphs.done, Role::Good),
            "RUNNING" => (glyphs.running, Role::Running),
            "FAILED" => (glyphs.failed, Role::Bad),
            "KILLED" => (glyphs.stopped, Role::Warning),
            _ => (glyphs.waiting, Role::Dim),
        }
    }

    fn name(&self, paint: &mut Paint<'_>, x: u16, y: u16, width: u16, row: Row, run: &Run) {
        let table = &self.screen.table;
        let depth = u16::try_from(row.depth).unwrap_or(u16::MAX).saturating_mul(LEVEL);
        let mut indent = depth.min(width / 2);
        if table.parents.contains(&row.run) {
            let glyph = if self.screen.is_closed(&run.id) {
                paint.glyphs.closed
            } else {
                paint.glyphs.open
            };
            paint.text(x + indent, y, glyph, Role::Dim, 1);
            indent += 2;
        }
        let text = table.columns[0].text(&self.source, run);
        paint.name(x + indent, y, &text, Role::Text, width.saturating_sub(indent));
    }

    /// The text of a cell for this room, and its role. A number that has lost digits would be misread, so it loses its
    /// sign, its percentage, and then its precision.
    fn cell(
        &self,
        paint: &Paint<'_>,
        column: &Column,
        index: usize,
        run: &Run,
        room: usize,
    ) -> (String, Role) {
        let source = &self.source;
        let text = column.shown(source, run);
        let base = source.baseline.filter(|baseline| baseline.id != run.id);
        let Some((metric, value)) = column.metric().and_then(|key| Some((key, run.metric(key)?)))
        else {
            // Params that are those of the baseline stand back.
            let is_param = column.param().is_some();
            let same = base.is_some_and(|base| is_param && column.text(source, base) == text);
            return (text, if is_param && !same { Role::Text } else { Role::Dim });
        };
        if let Some(base) = base.and_then(|base| base.metric(metric)) {
            let role = match column.goal {
                Some(goal) if goal.prefers(value, base) => Role::Good,
                Some(goal) if goal.prefers(base, value) => Role::Bad,
                _ => Role::Number,
            };
            let short = text.split(" (").next().unwrap_or_default().to_owned();
            return (first_fitting([text, short, format!("{:+.0e}", value - base)], room), role);
        }
        let coarse = match text.contains('±') {
            true => column.number(value),
            false => format!("{value:.0e}"),
        };
        match column.best.contains(&index) {
            true => {
                let best = format!("{} {text}", paint.glyphs.best);
                (first_fitting([best, text, coarse], room), Role::Good)
            }
            false => (first_fitting([text.clone(), text, coarse], room), Role::Number),
        }
    }
}

/// The first text that fits, else the last one.
fn first_fitting(texts: [String; 3], room: usize) -> String {
    let [first, second, last] = texts;
    [first, second].into_iter().find(|text| width(text) <= room).unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_loses_precision_before_digits() {
        let texts = || ["* 0.1234".to_owned(), "0.1234".to_owned(), "1e-1".to_owned()];
        for (room, text) in
            [(9, "* 0.1234"), (8, "* 0.1234"), (7, "0.1234"), (5, "1e-1"), (1, "1e-1")]
        {
            assert_eq!(first_fitting(texts(), room), text);
        }
    }
}
