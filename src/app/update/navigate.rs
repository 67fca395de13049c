//! Moving: on the graph, in lists, between tabs and panes.

use std::collections::BTreeSet;

use super::history;
use crate::app::areas::Areas;
use crate::app::command::Command;
use crate::app::details::details;
use crate::app::history::{HEAD, Page, Part};
use crate::app::plot::{Plot, Way};
use crate::app::state::{Pane, PipelineScreen, State, Tab};
use crate::app::{catalog, parameters};
use crate::dag::Kind;

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
        (Pane::Main, Tab::Pipeline) => on_graph(state, command),
        (Pane::Main, _) => match command {
            Command::Left | Command::Right => fold(state, command == Command::Right),
            _ => in_list(state, by),
        },
    }
}

fn on_graph(state: &mut State, command: Command) {
    let plot = &state.pipeline.plot;
    let count = plot.graph.vertices.len();
    if count == 0 {
        return;
    }
    let selected = state.pipeline.selected.as_ref();
    let at = selected.and_then(|(kind, name)| plot.graph.find(*kind, name)).unwrap_or(0);
    let steps = |way: Way, count: usize| {
        Some((0..count).fold(at, |id, _| plot.next(id, way).unwrap_or(id)))
    };
    let order = |last: bool| {
        let by_place = |id: &usize| {
            let it = &plot.layout.boxes[*id];
            if plot.sideways { (it.x, it.y) } else { (it.y, it.x) }
        };
        if last { (0..count).max_by_key(by_place) } else { (0..count).min_by_key(by_place) }
    };
    let next = match command {
        Command::Up => steps(Way::Up, 1),
        Command::Down => steps(Way::Down, 1),
        Command::Left => steps(Way::Left, 1),
        Command::Right => steps(Way::Right, 1),
        Command::PageUp => steps(if plot.sideways { Way::Left } else { Way::Up }, 4),
        Command::PageDown => steps(if plot.sideways { Way::Right } else { Way::Down }, 4),
        Command::First => order(false),
        Command::Last => order(true),
        _ => None,
    };
    if let Some(id) = next {
        let vertex = &plot.graph.vertices[id];
        select_vertex(state, vertex.kind, vertex.name.clone());
    }
}

/// Selects a vertex of the graph and brings it into view.
pub(super) fn select_vertex(state: &mut State, kind: Kind, name: String) {
    let new = Some((kind, name));
    if state.pipeline.selected != new {
        state.pipeline.selected = new;
        state.side_offset = 0;
    }
    keep_in_view(state);
}

/// Scrolls the drawing so that the selected vertex is seen; a drawing that fits is centred.
pub(super) fn keep_in_view(state: &mut State) {
    let area = Areas::of(state).main;
    let (width, height) = (i32::from(area.width), i32::from(area.height));
    let pipeline = &mut state.pipeline;
    let layout = &pipeline.plot.layout;
    let selected = pipeline
        .selected
        .as_ref()
        .and_then(|(kind, name)| pipeline.plot.graph.find(*kind, name))
        .and_then(|id| layout.boxes.get(id));
    let fit = |at: i32, start: i32, length: i32, view: i32, whole: i32, margin: i32| {
        if whole <= view {
            return -((view - whole) / 2).min(margin.max((view - whole) / 2));
        }
        let (low, high) = (start + length + margin - view, start - margin);
        let at = if low > high { start - (view - length).max(0) / 2 } else { at.clamp(low, high) };
        at.clamp(0, whole - view)
    };
    let (x, y, w, h) = selected.map_or((0, 0, 0, 0), |it| (it.x, it.y, it.width, it.height));
    pipeline.scroll =
        (
            fit(pipeline.scroll.0, x, w, width, layout.width, 4),
            fit(pipeline.scroll.1, y, h, height, layout.height, 2)
                .min(if layout.height <= height { 0 } else { i32::MAX }),
        );
}

/// Scrolls the drawing by cells, however far it goes.
pub(super) fn scroll_graph(state: &mut State, columns: i32, rows: i32) {
    let area = Areas::of(state).main;
    let layout = &state.pipeline.plot.layout;
    let limit = |at: i32, by: i32, view: i32, whole: i32| {
        if whole <= view { at } else { (at + by).clamp(0, whole - view) }
    };
    let (x, y) = state.pipeline.scroll;
    state.pipeline.scroll = (
        limit(x, columns, i32::from(area.width), layout.width),
        limit(y, rows, i32::from(area.height), layout.height),
    );
}

/// Lays the shown pipeline out again; the selection stays where it can.
pub(super) fn redraw_plot(state: &mut State) {
    let boxes = state.boxes();
    let Some(pipeline) = state.shown_pipeline() else {
        state.pipeline.plot = Plot::default();
        return;
    };
    let plot = Plot::of(pipeline, state.pipeline.view, state.pipeline.sideways, boxes);
    let name = pipeline.name.clone();
    let first = pipeline.nodes.first().map(|node| (Kind::Node, node.name.clone()));
    state.pipeline.name = name;
    let there = |(kind, name): &(Kind, String)| plot.graph.find(*kind, name).is_some();
    if !state.pipeline.selected.as_ref().is_some_and(there) {
        let renamed = renamed(&state.pipeline, &plot);
        state.pipeline.selected = renamed.or_else(|| first.filter(there));
        state.side_offset = 0;
    }
    let nodes: std::collections::HashSet<&str> = pipeline_nodes(&plot).collect();
    let marked = std::mem::take(&mut state.pipeline.marked);
    state.pipeline.marked =
        marked.into_iter().filter(|name| nodes.contains(name.as_str())).collect();
    state.pipeline.plot = plot;
    keep_in_view(state);
}

/// The vertex that stands where the selected one stood, between the same others: it has another
/// name now.
fn renamed(screen: &PipelineScreen, plot: &Plot) -> Option<(Kind, String)> {
    let (kind, name) = screen.selected.as_ref()?;
    let around = |plot: &Plot, id: usize| {
        let graph = &plot.graph;
        let names = |ids: &[usize]| -> BTreeSet<String> {
            ids.iter().map(|id| graph.vertices[*id].name.clone()).collect()
        };
        (names(&graph.parents[id]), names(&graph.children[id]))
    };
    let before = around(&screen.plot, screen.plot.graph.find(*kind, name)?);
    let id = (0..plot.graph.vertices.len())
        .find(|id| plot.graph.vertices[*id].kind == *kind && around(plot, *id) == before)?;
    Some((*kind, plot.graph.vertices[id].name.clone()))
}

fn pipeline_nodes(plot: &Plot) -> impl Iterator<Item = &str> {
    let nodes = plot.graph.vertices.iter().filter(|it| it.kind == Kind::Node);
    nodes.map(|it| it.name.as_str())
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
