//! The history of runs as a table, or the page in its place.

mod comparison;
mod page;

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use super::focused;
use super::table::{self, Align};
use crate::app::screens::runs::RunsScreen;
use crate::app::screens::runs::columns::Column;
use crate::app::screens::runs::page::Page;
use crate::app::shared::Shared;
use crate::app::words::seconds_text;
use crate::app::words::{on_engine, outcome_text, when};
use crate::store::{Outcome, RunRecord};
use crate::text::{sanitize, width};

const TITLES: [(&str, Align); 6] = [
    ("", Align::Left),
    ("run", Align::Right),
    ("when", Align::Left),
    ("took", Align::Right),
    ("nodes", Align::Right),
    ("pipeline", Align::Name),
];
const NODES: usize = 4;
const PIPELINE: usize = 5;
/// The smallest widths of `what`: beside columns of what differs in a wide pane, and at all.
const WHAT: (u16, u16) = (24, 6);

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
    let differing = !screen.columns.ranked.is_empty();
    let cells = |run: &RunRecord| {
        let (sign, role) = match run.id.is_some_and(|id| screen.marked.contains(&id)) {
            true => (glyphs.mark, Role::Mark),
            false => glyphs.of_outcome(run.outcome),
        };
        [
            (sign.to_owned(), role),
            (number(run), Role::Text),
            (when(shared.now, run.new.started_at), Role::Dim),
            (seconds_text(run.seconds(shared.now)), Role::Text),
            (format!("{}/{}", run.nodes_done, run.nodes_total), Role::Text),
            (run.new.pipeline.clone(), Role::Text),
        ]
    };
    // What differs goes first. The details show the same facts as a column that is left out, and `what` has the
    // pipeline among the options.
    let one_pipeline = list.rows.windows(2).all(|two| two[0].new.pipeline == two[1].new.pipeline);
    let shown = |column: &usize| match *column {
        NODES => area.width >= if differing { 70 } else { 45 },
        PIPELINE => area.width >= 70 && !(differing && one_pipeline),
        _ => true,
    };
    let mut titles: Vec<(&str, Align)> =
        (0..TITLES.len()).filter(shown).map(|column| TITLES[column]).collect();
    let height = usize::from(area.height);
    let seen = list.rows.iter().skip(list.position.offset).take(height).map(cells);
    let mut widths = TITLES.map(|(title, _)| width(title));
    for cells in seen {
        for (most, (text, _)) in widths.iter_mut().zip(&cells) {
            *most = (*most).max(width(&sanitize(text)).min(40));
        }
    }
    let taken: usize = (0..TITLES.len()).filter(shown).map(|column| widths[column] + 2).sum();
    let wide = area.width >= 100;
    let what_room = if wide { usize::from(WHAT.0) } else { 0 };
    let room = usize::from(area.width).saturating_sub(taken + what_room);
    let columns = screen.columns.fitting(room);
    let align = |column: &Column| if column.numbers { Align::Right } else { Align::Left };
    titles.extend(columns.iter().map(|column| (column.title.as_str(), align(column))));
    let used: usize = columns.iter().map(|column| column.width + 2).sum();
    let has_what = usize::from(area.width).saturating_sub(taken + used + 2) >= usize::from(WHAT.1);
    titles.extend(has_what.then_some(("what", Align::Left)));
    table::draw(paint, area, &titles, list.rows.len(), list.position, focused(shared), |index| {
        let run = &list.rows[index];
        let own = cells(run).into_iter().enumerate().filter(|(column, _)| shown(column));
        let differing = columns.iter().map(|column| {
            let text = column.values.get(index).cloned().unwrap_or_default();
            (text, if column.metric { Role::Number } else { Role::Text })
        });
        let rest = || screen.columns.rest(run, &columns, shown(&PIPELINE));
        own.map(|(_, cell)| cell)
            .chain(differing)
            .chain(has_what.then(|| what(run, rest())))
            .collect()
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

/// The note, the failure or the other options of a run.
fn what(run: &RunRecord, options: String) -> table::Cell {
    let (word, _) = outcome_text(run.outcome);
    let (text, role) = match (&run.failed_node, &run.reason) {
        (Some(node), Some(reason)) => (format!("{word} at {node}: {reason}"), Role::Bad),
        (Some(node), None) => (format!("{word} at {node}"), Role::Bad),
        (None, Some(reason)) => (format!("{word}: {reason}"), Role::Bad),
        (None, None) => {
            let word = if run.outcome == Outcome::Succeeded { "" } else { word };
            let parts = [word, options.as_str()].into_iter().filter(|part| !part.is_empty());
            (parts.collect::<Vec<_>>().join(" "), Role::Dim)
        }
    };
    let parts = [on_engine(run).unwrap_or_default(), text];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let text = parts.collect::<Vec<_>>().join(" · ");
    match &run.note {
        Some(note) if text.is_empty() => (note.clone(), Role::Text),
        Some(note) => (format!("{note} · {text}"), role),
        None => (text, role),
    }
}
