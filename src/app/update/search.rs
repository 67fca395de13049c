//! Finding by name on every screen: as one types, the next match is selected.

use crossterm::event::KeyEvent;

use super::{graph, navigate};
use crate::app::key::Key;
use crate::app::picker::{line, text};
use crate::app::state::{State, Tab};

/// Begins to type.
pub(super) fn begin(state: &mut State) {
    match state.tab {
        Tab::Pipeline => graph::find(state),
        _ => state.search.field = Some(line("")),
    }
}

/// A key while a search is being typed.
pub(super) fn key(state: &mut State, key: Key, event: KeyEvent) {
    let Some(field) = &mut state.search.field else { return };
    match key.to_string().as_str() {
        "esc" | "ctrl-c" | "ctrl-g" => state.search.field = None,
        "enter" => {
            state.search.text = text(field);
            state.search.field = None;
        }
        "down" | "ctrl-n" => go(state, 1),
        "up" | "ctrl-p" => go(state, -1),
        _ => {
            field.input(event);
            state.search.text = text(field);
            go(state, 0);
        }
    }
}

/// Selects the next (1), the previous (-1), or the nearest match from the selection on (0).
pub(super) fn go(state: &mut State, by: i32) {
    if state.tab == Tab::Pipeline {
        return graph::find_next(state, by);
    }
    let query = state.search.text.to_lowercase();
    if query.is_empty() {
        return;
    }
    let names = names(state);
    let matching: Vec<usize> =
        (0..names.len()).filter(|index| names[*index].to_lowercase().contains(&query)).collect();
    let at = navigate::list_position(state).selected;
    let next = match by {
        0 => matching.iter().find(|index| **index >= at).or(matching.first()),
        1 => matching.iter().find(|index| **index > at).or(matching.first()),
        _ => matching.iter().rfind(|index| **index < at).or(matching.last()),
    };
    match next {
        None => state.warn(format!("nothing here is named `{}`", state.search.text)),
        Some(index) => {
            state.notice = None;
            navigate::select_row(state, *index);
        }
    }
}

/// The names on the shown tab, in order.
fn names(state: &State) -> Vec<String> {
    let Some(snapshot) = state.project.snapshot.as_deref() else { return Vec::new() };
    match state.tab {
        // The graph is searched in a list of its own.
        Tab::Pipeline => Vec::new(),
        Tab::Catalog => {
            state.catalog.rows.iter().map(|row| row.name(snapshot).to_owned()).collect()
        }
        Tab::Parameters => {
            let rows = state.parameters.rows.iter();
            rows.map(|row| format!("{} {}", row.path, row.value)).collect()
        }
        Tab::Runs if state.page_shown() => {
            let bars = state.shown_timeline().map(|timeline| timeline.bars.as_slice());
            bars.unwrap_or_default().iter().map(|bar| bar.node.clone()).collect()
        }
        Tab::Runs => {
            let rows = state.runs.rows.iter();
            rows.map(|run| format!("{} {} {}", run.id, run.new.pipeline, run.new.command)).collect()
        }
        Tab::Experiments => match &state.project.tracking {
            Some(crate::app::event::TrackingReport::Live(overview)) => {
                overview.runs.iter().map(|run| format!("{} {}", run.name, run.experiment)).collect()
            }
            _ => Vec::new(),
        },
        Tab::Models => match &state.project.tracking {
            Some(crate::app::event::TrackingReport::Live(overview)) => {
                overview.models.iter().map(|model| model.name.clone()).collect()
            }
            _ => Vec::new(),
        },
        Tab::Remote => {
            state.project.backends.iter().map(|backend| backend.name.to_owned()).collect()
        }
    }
}
