//! The charts of tracked runs: one for each metric, as many as fit beside and below each other.

use ratatui::layout::Rect;

use crate::app::screens::experiments::ExperimentsScreen;
use crate::app::screens::experiments::columns::name;
use crate::app::screens::experiments::page::CurvesPage;
use crate::tracking::Overview;
use crate::tracking::entities::Run;
use crate::ui::chart::{self, Series};
use crate::ui::paint::Paint;
use crate::ui::theme::Role;

/// Cells between charts.
const GAP: u16 = 1;

/// The curves of a metric, one for each run.
pub(in crate::ui) fn series<'a>(
    screen: &'a ExperimentsScreen,
    runs: &'a [(String, &Run)],
    key: &str,
) -> Vec<Series<'a>> {
    let series = runs.iter().map(|(name, run)| Series {
        name,
        points: screen.curves.get(&run.id, key).unwrap_or_default(),
        best: screen.choices.goal(key),
    });
    series.collect()
}

/// Draws the visible charts.
pub(super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &ExperimentsScreen,
    overview: &Overview,
    page: &CurvesPage,
) {
    let runs: Vec<(String, &Run)> = page.found(overview).map(|run| (name(run), run)).collect();
    if runs.is_empty() {
        return paint.note(
            area,
            &["These runs are no longer in the store.", "esc goes back to the table."],
        );
    }
    if page.charts.is_empty() && !page.filter.is_empty() {
        return paint.note(area, &["No metric matches.", "esc shows all metrics again."]);
    }
    if page.charts.is_empty() {
        return paint.note(area, &["No metric is logged yet."]);
    }
    let room = area.as_size();
    let (across, down) = page.grid(room);
    let (across, down) = (across as u16, down as u16);
    let (width, height) = (area.width / across, area.height / down);
    for (place, index) in (0..).zip(page.visible(room)) {
        let key = &page.charts[index];
        let series = series(screen, &runs, key);
        let (column, row) = (place % across, place / across);
        let rest = if column + 1 == across { 0 } else { GAP };
        let chart = Rect {
            x: area.x + column * width,
            y: area.y + row * height,
            width: width.saturating_sub(rest),
            height,
        };
        let selected = index == page.selected && !page.large;
        chart::draw(paint, chart, key, &series, &page.view);
        if selected {
            paint.restyle(Rect { height: 1, ..chart }, Role::Selection);
        }
    }
}
