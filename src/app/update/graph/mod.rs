//! The pipeline screen: asking for drawings, taking them in, what part of one is seen.
//!
//! `go` moves about on the drawing, `view` changes what of the graph is displayed.

mod find;
mod go;
mod list;
mod view;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

pub(super) use find::{begin as find, found, next as find_next};
pub(super) use go::{follow, go};
pub(super) use list::follow_edge;
pub(in crate::app) use list::neighbours;
pub(super) use view::{act, leave, set_filter, set_zoom, toggle_fold};

use crate::app::areas::Areas;
use crate::app::graph::screen::Spot;
use crate::app::graph::{Plot, Zoom};
use crate::app::state::State;
use crate::dag::view::Fold;
use crate::dag::{Id, Kind};
use crate::text::sanitize;

/// Asks for a new drawing; with `anew` nothing has to stay where it is.
pub(super) fn redraw(state: &mut State, anew: bool) {
    let Some(pipeline) = state.shown_pipeline() else {
        state.pipeline.plot = Arc::default();
        return;
    };
    let (name, first) = (pipeline.name.clone(), pipeline.nodes.first());
    let first = first.map(|node| (Kind::Node, node.name.clone()));
    state.pipeline.name = name;
    // A key that is pressed before the drawing is there is about the first node.
    if state.pipeline.selected.is_none() {
        state.pipeline.selected = first;
    }
    state.pipeline.anew |= anew;
    state.generations.drawing += 1;
}

/// Asks for a new drawing where the filter is one of statuses, which have changed.
pub(super) fn redraw_by_status(state: &mut State) {
    if !state.pipeline.filter.states.is_empty() {
        redraw(state, false);
    }
}

/// Shows another pipeline.
pub(super) fn show_pipeline(state: &mut State, name: String) {
    let screen = &mut state.pipeline;
    screen.name = name;
    screen.selected = None;
    screen.slice = None;
    screen.choices.focus = None;
    screen.marked.clear();
    screen.scroll = (0, 0);
    redraw(state, true);
}

/// A drawing arrived. What is selected stays selected, and where it is on the screen.
pub(super) fn drawn(state: &mut State, plot: Arc<Plot>) {
    let screen = &mut state.pipeline;
    let before = std::mem::replace(&mut screen.plot, plot);
    let plot = screen.plot.clone();
    let anew = screen.anew && before.pipeline == plot.pipeline;
    screen.anew &= !plot.refined;
    let anchor = anchor(&before, &plot, screen.selected.as_ref());
    if !screen.selected.as_ref().is_some_and(|spot| plot.has(spot)) {
        let spot = |id: Id| {
            let vertex = &plot.view.graph.vertices[id];
            (vertex.kind, vertex.name.clone())
        };
        let selected = screen.selected.as_ref();
        let stands = selected.and_then(|(kind, name)| plot.stands_for(*kind, name));
        let inner = || selected.and_then(|(_, name)| first_within(&plot, name));
        let other = || selected.and_then(|spot| renamed(&before, &plot, spot));
        let is_node = |id: &Id| plot.view.graph.vertices[*id].kind != Kind::Dataset;
        let first = || {
            let count = plot.view.graph.vertices.len();
            (0..count).find(is_node).or((count > 0).then_some(0))
        };
        screen.selected = stands.or_else(inner).or_else(other).or_else(first).map(spot);
        state.side_offset = 0;
    }
    let whole = plot.whole.vertices.iter().filter(|it| it.kind == Kind::Node);
    let nodes: HashSet<&str> = whole.map(|it| it.name.as_str()).collect();
    state.pipeline.marked.retain(|name| nodes.contains(name.as_str()));
    state.refresh_states();
    find::refresh(state);
    match anchor {
        Some((from, to)) => {
            let (x, y) = state.pipeline.scroll;
            state.pipeline.scroll = (x + to.0 - from.0, y + to.1 - from.1);
        }
        None => state.pipeline.scroll = (0, 0),
    }
    // Where all has moved, the selection is what is looked for.
    if anew {
        centre(state)
    } else {
        keep_in_view(state)
    }
    if !plot.circle.is_empty() {
        let circle = sanitize(&plot.circle.join(", "));
        state.warn(format!("there are no bands: these layers depend on each other: {circle}"));
    }
    if plot.refined {
        go::seek(state);
    }
}

/// A place in the old drawing and the same one in the new: the selected box, or the frame that it is or was.
fn anchor(before: &Plot, plot: &Plot, selected: Option<&Spot>) -> Option<((i32, i32), (i32, i32))> {
    if before.pipeline != plot.pipeline {
        return None;
    }
    let (kind, name) = selected?;
    let place = |plot: &Plot| {
        let id = plot.stands_for(*kind, name);
        let of_box = id.and_then(|id| plot.layout.boxes.get(id)).copied();
        let of_frame = || {
            let group = plot.view.groups.iter().position(|group| group.name == *name)?;
            plot.layout.frames.get(group).copied().flatten().map(|frame| frame.area)
        };
        of_box.or_else(of_frame).map(|it| (it.x, it.y))
    };
    Some((place(before)?, place(plot)?))
}

/// The first vertex that lies in an expanded namespace.
fn first_within(plot: &Plot, name: &str) -> Option<Id> {
    let view = &plot.view;
    let within = |group: Option<usize>| {
        let inner = group.and_then(|group| view.groups[group].name.strip_prefix(name));
        inner.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let inside = |id: &Id| within(view.group_of[*id]);
    let all = || (0..view.graph.vertices.len()).filter(inside);
    all().find(|id| view.graph.vertices[*id].kind != Kind::Dataset).or_else(|| all().next())
}

/// The vertex that stands where the selected one stood, between the same others: it has another name now.
fn renamed(before: &Plot, plot: &Plot, (kind, name): &Spot) -> Option<Id> {
    let around = |plot: &Plot, id: Id| {
        let graph = &plot.view.graph;
        let names = |ids: &[Id]| -> BTreeSet<String> {
            ids.iter().map(|id| graph.vertices[*id].name.clone()).collect()
        };
        (names(&graph.parents[id]), names(&graph.children[id]))
    };
    let id = before.view.graph.find(*kind, name)?;
    let (old, graph) = (&before.view.graph, &plot.view.graph);
    let (parents, children) = (old.parents[id].len(), old.children[id].len());
    let around_before = around(before, id);
    (0..graph.vertices.len()).find(|id| {
        graph.vertices[*id].kind == *kind
            && (graph.parents[*id].len(), graph.children[*id].len()) == (parents, children)
            && around(plot, *id) == around_before
    })
}

/// Scrolls so that the selected vertex is seen; a drawing that fits is centred.
pub(super) fn keep_in_view(state: &mut State) {
    let area = Areas::of(state).main;
    let (width, height) = (i32::from(area.width), i32::from(area.height));
    let screen = &mut state.pipeline;
    if screen.lanes {
        list::keep_in_view(screen, usize::from(area.height));
    }
    let layout = &screen.plot.layout;
    let selected = screen.selected_id().and_then(|id| layout.boxes.get(id));
    let fit = |at: i32, start: i32, length: i32, view: i32, whole: i32, margin: i32| {
        if whole <= view {
            return -((view - whole) / 2);
        }
        let (low, high) = (start + length + margin - view, start - margin);
        let at = if low > high { start - (view - length).max(0) / 2 } else { at.clamp(low, high) };
        at.clamp(0, whole - view)
    };
    let (x, y, w, h) = selected.map_or((0, 0, 0, 0), |it| (it.x, it.y, it.width, it.height));
    screen.scroll = (
        fit(screen.scroll.0, x, w, width, layout.width, 4),
        fit(screen.scroll.1, y, h, height, layout.height, 2),
    );
}

/// Puts the selected vertex into the middle of the screen.
pub(super) fn centre(state: &mut State) {
    let area = Areas::of(state).main;
    let screen = &mut state.pipeline;
    let Some(it) = screen.selected_id().and_then(|id| screen.plot.layout.boxes.get(id)) else {
        return;
    };
    let middle = (it.x + it.width / 2, it.y + it.height / 2);
    screen.scroll = (middle.0 - i32::from(area.width) / 2, middle.1 - i32::from(area.height) / 2);
    keep_in_view(state);
}

/// Scrolls the drawing by cells, as far as it goes.
pub(super) fn scroll(state: &mut State, columns: i32, rows: i32) {
    if state.pipeline.lanes {
        let height = usize::from(Areas::of(state).main.height);
        return list::scroll(&mut state.pipeline, rows, height);
    }
    let (x, y) = state.pipeline.scroll;
    scroll_to(state, (x + columns, y + rows));
}

/// Scrolls so that this cell of the drawing is the first one, as far as the drawing goes.
pub(super) fn scroll_to(state: &mut State, (x, y): (i32, i32)) {
    let area = Areas::of(state).main;
    let screen = &mut state.pipeline;
    if screen.lanes {
        return;
    }
    let layout = &screen.plot.layout;
    let limit = |now: i32, wanted: i32, view: i32, whole: i32| {
        if whole <= view { now } else { wanted.clamp(0, whole - view) }
    };
    let now = screen.scroll;
    screen.scroll = (
        limit(now.0, x, i32::from(area.width), layout.width),
        limit(now.1, y, i32::from(area.height), layout.height),
    );
}

/// The mouse is pressed on a cell of the screen: what is there is selected, a selected namespace is expanded, the title of
/// an expanded one collapses it, and the drawing is held.
pub(super) fn press(state: &mut State, column: u16, row: u16) {
    let area = Areas::of(state).main;
    let screen = &state.pipeline;
    if let Some(id) = vertex_at(state, column, row) {
        let again = screen.selected_id() == Some(id);
        if again && screen.zoom() == Zoom::Overview && !screen.lanes {
            return set_zoom(state, Zoom::Chips);
        }
        if !again || !toggle_fold(state) {
            go::visit(state, id);
        }
        return;
    }
    if screen.lanes {
        return;
    }
    let at = (i32::from(column - area.x), i32::from(row - area.y));
    let title = screen.plot.title_at(at.0 + screen.scroll.0, at.1 + screen.scroll.1);
    match title.filter(|_| screen.zoom() != Zoom::Overview) {
        Some(group) => {
            let name = screen.plot.view.groups[group].name.clone();
            view::set_fold(state, name, Fold::Collapsed);
        }
        None => state.pipeline.held = Some(((column, row), screen.scroll)),
    }
}

/// The displayed vertex under a cell of the screen.
pub(super) fn vertex_at(state: &State, column: u16, row: u16) -> Option<Id> {
    let screen = &state.pipeline;
    let area = Areas::of(state).main;
    let (column, row) = (i32::from(column - area.x), i32::from(row - area.y));
    if screen.lanes {
        return list::row(screen, row as usize + screen.lanes_offset);
    }
    match screen.zoom() {
        Zoom::Overview => view::vertex_in_overview(screen, (area.width, area.height), column, row),
        _ => screen.plot.at(column + screen.scroll.0, row + screen.scroll.1),
    }
}
