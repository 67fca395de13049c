//! The history of runs.

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use super::focused;
use super::table::{self, Align};
use crate::app::State;
use crate::app::details::{outcome_text, when};
use crate::app::run::seconds_text;
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

/// Draws the table.
pub(in super::super) fn draw(paint: &mut Paint<'_>, area: Rect, state: &State) {
    let list = &state.runs;
    if list.rows.is_empty() {
        return paint.note(
            area,
            &[
                "Nothing was run from here yet.",
                "On the pipeline, r runs the selected node and a all of it.",
            ],
        );
    }
    let glyphs = paint.glyphs;
    table::draw(paint, area, &TITLES, list.rows.len(), list.position, focused(state), |index| {
        let run = &list.rows[index];
        let (sign, role) = match run.outcome {
            Outcome::Running => (glyphs.running, Role::Running),
            Outcome::Succeeded => (glyphs.done, Role::Good),
            Outcome::Failed | Outcome::Lost => (glyphs.failed, Role::Bad),
            Outcome::Cancelled => (glyphs.stopped, Role::Warning),
        };
        let seconds = run.ended_at.unwrap_or(state.now) - run.new.started_at;
        vec![
            (sign.to_owned(), role),
            (run.id.to_string(), Role::Text),
            (when(state.now, run.new.started_at), Role::Dim),
            (seconds_text(seconds), Role::Text),
            (format!("{}/{}", run.nodes_done, run.nodes_total), Role::Text),
            (run.new.pipeline.clone(), Role::Text),
            what(run),
        ]
    });
}

/// What was run, and why it failed.
fn what(run: &RunRecord) -> table::Cell {
    let (word, _) = outcome_text(run.outcome);
    match (&run.failed_node, &run.reason) {
        (Some(node), _) => (format!("{word} at {node}"), Role::Bad),
        (None, Some(reason)) => (format!("{word}: {reason}"), Role::Bad),
        (None, None) => {
            let options = run.new.command.strip_prefix("kedro run").unwrap_or(&run.new.command);
            (options.trim().to_owned(), Role::Dim)
        }
    }
}
