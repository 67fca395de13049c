//! The history of runs as a table, or the page in its place.

mod comparison;
mod page;

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use super::focused;
use super::table::{self, Align};
use crate::app::screens::runs::RunsScreen;
use crate::app::screens::runs::page::Page;
use crate::app::shared::Shared;
use crate::app::words::seconds_text;
use crate::app::words::{outcome_text, when};
use crate::store::{Outcome, RunRecord};

const TITLES: [(&str, Align); 7] = [
    ("", Align::Left),
    ("run", Align::Right),
    ("when", Align::Left),
    ("time", Align::Right),
    ("nodes", Align::Right),
    ("pipeline", Align::Left),
    ("what", Align::Left),
];

/// Columns that are left out on a narrow pane, with the width below which they are. The details
/// show the same facts, and `what` contains the pipeline among the options.
const LEFT_OUT: [(usize, u16); 2] = [(4, 45), (5, 70)];

/// Draws the table, or the page in its place.
pub(in super::super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &RunsScreen,
    shared: &Shared,
) {
    match &screen.page {
        None => table(paint, area, screen, shared),
        Some(Page::Run(page)) => page::draw(paint, area, screen, shared, page),
        Some(Page::Comparison(page)) => comparison::draw(paint, area, screen, shared, page),
    }
}

fn table(paint: &mut Paint<'_>, area: Rect, screen: &RunsScreen, shared: &Shared) {
    let list = &screen.list;
    if list.rows.is_empty() && !screen.query.is_empty() {
        return paint.note(area, &["No run matches the filter.", "esc shows all runs again."]);
    }
    if list.rows.is_empty() {
        return paint.note(
            area,
            &[
                "No run is recorded yet.",
                "On the pipeline, r runs the selected node and a all of it.",
            ],
        );
    }
    let glyphs = paint.glyphs;
    let too_wide =
        |column: usize| LEFT_OUT.iter().any(|rule| rule.0 == column && area.width < rule.1);
    let shown = |column: &usize| !too_wide(*column);
    let titles: Vec<_> = (0..TITLES.len()).filter(shown).map(|column| TITLES[column]).collect();
    table::draw(paint, area, &titles, list.rows.len(), list.position, focused(shared), |index| {
        let run = &list.rows[index];
        let (sign, role) = match run.id.is_some_and(|id| screen.marked.contains(&id)) {
            true => (glyphs.mark, Role::Mark),
            false => glyphs.of_outcome(run.outcome),
        };
        let cells = [
            (sign.to_owned(), role),
            (number(run), Role::Text),
            (when(shared.now, run.new.started_at), Role::Dim),
            (seconds_text(run.seconds(shared.now)), Role::Text),
            (format!("{}/{}", run.nodes_done, run.nodes_total), Role::Text),
            (run.new.pipeline.clone(), Role::Text),
            what(run),
        ];
        let cells = cells.into_iter().enumerate().filter(|(column, _)| shown(column));
        cells.map(|(_, cell)| cell).collect()
    });
}

/// The number of a run, with a star if it is pinned; empty if the run could not be recorded.
fn number(run: &RunRecord) -> String {
    match (run.id, run.pinned) {
        (None, _) => String::new(),
        (Some(id), true) => format!("*{id}"),
        (Some(id), false) => id.to_string(),
    }
}

/// The note, the options, and the failure of a run.
fn what(run: &RunRecord) -> table::Cell {
    let (word, _) = outcome_text(run.outcome);
    let (text, role) = match (&run.failed_node, &run.reason) {
        (Some(node), Some(reason)) => (format!("{word} at {node}: {reason}"), Role::Bad),
        (Some(node), None) => (format!("{word} at {node}"), Role::Bad),
        (None, Some(reason)) => (format!("{word}: {reason}"), Role::Bad),
        (None, None) => {
            let options = run.new.command.strip_prefix("kedro run").unwrap_or(&run.new.command);
            let word = if run.outcome == Outcome::Succeeded { "" } else { word };
            let parts = [word, options.trim()].into_iter().filter(|part| !part.is_empty());
            (parts.collect::<Vec<_>>().join(" "), Role::Dim)
        }
    };
    match &run.note {
        Some(note) if text.is_empty() => (note.clone(), Role::Text),
        Some(note) => (format!("{note} · {text}"), role),
        None => (text, role),
    }
}
