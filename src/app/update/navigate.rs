//! Moving: on the graph, in lists, between tabs and panes.

use super::{graph, history};
use crate::app::areas::Areas;
use crate::app::command::Command;
use crate::app::details::details;
use crate::app::history::{HEAD, Page, Part};
use crate::app::state::{Pane, State, Tab};
use crate::app::{catalog, parameters};

/// Moves in the pane that has the focus.
pub(super) fn go(state: &mut State, command: Command) {
    let page = isize::try_from(Areas::of(state).pane(state.focus).height).unwrap_or(1).max(2) - 1;
    let by = match command {
        Command::Up => -1,
        Command::Down => 1,
        Command::PageUp => -page,
        Command::PageDown => page,
        Command::First => isize::MIN / 2,
        Command::Last => isize::MAX / 2,
        _ => 0,
    };
    match (state.focus, state.tab) {
        (Pane::Main, Tab::Runs) if history::go(state, command, by) => {}
        (Pane::Side, _) => scroll_side(state, by),
        (Pane::Log, _) => scroll_log(state, by),
        (Pane::Main, Tab::Pipeline) => graph::go(state, command, page),
        (Pane::Main, _) => match command {
            Command::Left | Command::Right => fold(state, command == Command::Right),
            _ => in_list(state, by),
        },
    }
}

/// The rows of the list on the shown tab: how many there are.
pub(super) fn list_len(state: &State) -> usize {
    match state.tab {
        Tab::Pipeline => 0,
        Tab::Catalog => state.catalog.rows.len(),
        Tab::Parameters => state.parameters.rows.len(),
        Tab::Runs if state.page_shown() => match (state.shown_part(), state.shown_timeline()) {
            (Some(Part::Timeline), Some(timeline)) => timeline.bars.len(),
            _ => 0,
        },
        Tab::Runs => state.runs.rows.len(),
        Tab::Experiments => state.experiments.rows.len(),
        Tab::Models => state.models.rows.len(),
        Tab::Remote => state.remote.rows.len(),
    }
}

/// The position of the list on the shown tab.
pub(super) fn list_position(state: &mut State) -> &mut crate::app::list::Position {
    match state.tab {
        Tab::Pipeline | Tab::Catalog => &mut state.catalog.position,
        Tab::Parameters => &mut state.parameters.position,
        Tab::Runs => match &mut state.history.page {
            Some(Page::Run(page)) => &mut page.nodes,
            _ => &mut state.runs.position,
        },
        Tab::Experiments => &mut state.experiments.position,
        Tab::Models => &mut state.models.position,
        Tab::Remote => &mut state.remote.position,
    }
}

fn in_list(state: &mut State, by: isize) {
    let (len, height) = (list_len(state), list_height(state));
    let before = list_position(state).selected;
    list_position(state).move_by(by, len, height);
    if list_position(state).selected != before {
        state.side_offset = 0;
    }
}

/// Selects row `index` of the list on the shown tab.
pub(super) fn select_row(state: &mut State, index: usize) {
    let (len, height) = (list_len(state), list_height(state));
    if list_position(state).selected != index {
        state.side_offset = 0;
    }
    list_position(state).select(index, len, height);
}

/// How many rows of the list are seen; tables have a line of titles.
pub(super) fn list_height(state: &State) -> usize {
    usize::from(Areas::of(state).main.height.saturating_sub(titles(state)))
}

/// Lines of titles over the list of the shown tab.
pub(super) fn titles(state: &State) -> u16 {
    match state.tab {
        // The timeline has a line for the time, too.
        Tab::Runs if state.page_shown() => HEAD + 1,
        Tab::Runs | Tab::Experiments | Tab::Models | Tab::Remote => 1,
        Tab::Pipeline | Tab::Catalog | Tab::Parameters => 0,
    }
}

/// Opens or closes the selected group; a row inside a group that is closed leads to the group.
fn fold(state: &mut State, open: bool) {
    match state.tab {
        Tab::Catalog => {
            let index = state.catalog.position.selected;
            let group = state
                .catalog
                .rows
                .iter()
                .take(index + 1)
                .rposition(|row| matches!(row, catalog::CatalogRow::Group { .. }));
            let Some(group) = group else { return };
            if let Some(catalog::CatalogRow::Group { name, .. }) = state.catalog.rows.get(group) {
                let name = name.clone();
                set_closed(&mut state.catalog.closed, name, !open);
                if !open {
                    state.catalog.position.selected = group;
                }
            }
        }
        Tab::Parameters => {
            let index = state.parameters.position.selected;
            let Some(row) = state.parameters.rows.get(index) else { return };
            let (depth, group) = (row.depth, row.group);
            let target = match (group, open) {
                (Some(true), false) | (Some(false), true) => Some(index),
                (_, false) => {
                    state.parameters.rows[..index].iter().rposition(|it| it.depth < depth)
                }
                _ => None,
            };
            let Some(target) = target else { return };
            let path = state.parameters.rows[target].path.clone();
            set_closed(&mut state.parameters.closed, path, !open);
            state.parameters.position.selected = target;
        }
        _ => return,
    }
    refresh_rows(state);
}

fn set_closed(closed: &mut std::collections::HashSet<String>, name: String, close: bool) {
    if close {
        closed.insert(name);
    } else {
        closed.remove(&name);
    }
}

/// Opens a closed group, closes an open one; elsewhere goes to the details.
pub(super) fn toggle_group(state: &mut State) -> bool {
    let open = match state.tab {
        Tab::Catalog => match state.catalog.selected() {
            Some(catalog::CatalogRow::Group { open, .. }) => Some(*open),
            _ => None,
        },
        Tab::Parameters => state.parameters.selected().and_then(|row| row.group),
        _ => None,
    };
    match open {
        Some(open) => {
            fold(state, !open);
            true
        }
        None => false,
    }
}

/// Makes the rows of catalog and parameters anew; what was selected stays selected.
pub(super) fn refresh_rows(state: &mut State) {
    let Some(snapshot) = state.project.snapshot.clone() else { return };
    let height = usize::from(Areas::of(state).main.height);
    let listing = &mut state.catalog;
    let rows = catalog::rows(&snapshot, &listing.closed);
    let kept = listing.selected().and_then(|row| rows.iter().position(|other| same(row, other)));
    listing.rows = rows;
    let index = kept.unwrap_or(listing.position.selected);
    listing.position.select(index, listing.rows.len(), height);

    let listing = &mut state.parameters;
    let rows = parameters::rows(&snapshot, &listing.closed);
    let kept = listing.selected().and_then(|row| rows.iter().position(|it| it.path == row.path));
    listing.rows = rows;
    let index = kept.unwrap_or(listing.position.selected);
    listing.position.select(index, listing.rows.len(), height);
}

fn same(a: &catalog::CatalogRow, b: &catalog::CatalogRow) -> bool {
    use catalog::CatalogRow::Group;
    match (a, b) {
        (Group { name: a, .. }, Group { name: b, .. }) => a == b,
        _ => a == b,
    }
}

pub(super) fn scroll_side(state: &mut State, by: isize) {
    let height = usize::from(Areas::of(state).side.height);
    let last = details(state).lines.len().saturating_sub(height);
    state.side_offset = state.side_offset.min(last).saturating_add_signed(by).min(last);
}

pub(super) fn scroll_log(state: &mut State, by: isize) {
    let height = usize::from(Areas::of(state).log.height);
    if let Some(run) = &mut state.run {
        let last = run.log.len().saturating_sub(height);
        run.scrolled = run.scrolled.saturating_add_signed(-by).min(last);
    }
}

/// Shows a tab.
pub(super) fn show(state: &mut State, tab: Tab) {
    if state.tab != tab {
        state.tab = tab;
        state.focus = Pane::Main;
        state.side_offset = 0;
        state.search.field = None;
    }
}

/// Shows the tab that is `by` further.
pub(super) fn cycle_tab(state: &mut State, by: usize) {
    let index = Tab::ALL.iter().position(|tab| *tab == state.tab).unwrap_or(0);
    show(state, Tab::ALL[(index + by) % Tab::ALL.len()]);
}

/// Gives the focus to the pane that is `by` further.
pub(super) fn cycle_pane(state: &mut State, by: usize) {
    let mut panes = vec![Pane::Main, Pane::Side];
    if state.log_shown() {
        panes.push(Pane::Log);
    }
    let index = panes.iter().position(|pane| *pane == state.focus).unwrap_or(0);
    state.focus = panes[(index + by) % panes.len()];
}
