//! Showing a new drawing: the selection is kept, and stays at its place on the screen.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::drawing::{centre, keep_in_view};
use super::plot::Plot;
use super::screen::{PipelineScreen, Spot};
use super::zoom::Sizing;
use super::{find, go};
use crate::app::shared::Shared;
use crate::dag::{Id, VertexKind};
use crate::text::{is_within, sanitize};

/// Shows a new drawing. The selection is kept, and stays at its place on the screen.
pub(super) fn drawn(screen: &mut PipelineScreen, shared: &mut Shared, plot: Arc<Plot>) {
    let before = std::mem::replace(&mut screen.plot, plot);
    let plot = screen.plot.clone();
    let anew = screen.anew && before.pipeline == plot.pipeline;
    screen.anew &= !plot.refined;
    if screen.sizing == Sizing::ToFit && plot.refined && plot.too_large.is_none() {
        screen.adopt_fit();
    }
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
        let is_node = |id: &Id| plot.view.graph.vertices[*id].kind != VertexKind::Dataset;
        let first = || {
            let count = plot.view.graph.vertices.len();
            (0..count).find(is_node).or((count > 0).then_some(0))
        };
        screen.selected = stands.or_else(inner).or_else(other).or_else(first).map(spot);
        shared.side_offset = 0;
    }
    let whole = plot.whole.vertices.iter().filter(|vertex| vertex.kind == VertexKind::Node);
    let nodes: HashSet<&str> = whole.map(|vertex| vertex.name.as_str()).collect();
    screen.marked.retain(|name| nodes.contains(name.as_str()));
    let is_node = |id: &&Id| plot.whole.vertices[**id].kind == VertexKind::Node;
    screen.shown_nodes = plot.view.members.iter().flatten().filter(is_node).count();
    screen.refresh_states(shared);
    find::refresh(screen, shared);
    match anchor {
        Some((from, to)) => {
            let (x, y) = screen.scroll;
            screen.scroll = (x + to.0 - from.0, y + to.1 - from.1);
        }
        None => screen.scroll = (0, 0),
    }
    // After a new layout everything has moved, so the selection is brought to the middle.
    if anew {
        centre(screen, shared)
    } else {
        keep_in_view(screen, shared)
    }
    if !plot.circle.is_empty() {
        let circle = sanitize(&plot.circle.join(", "));
        shared.warn(format!("there are no bands: these layers depend on each other: {circle}"));
    }
    if plot.refined {
        go::seek(screen, shared);
    }
}

/// The position of the selected box, or of its namespace's frame, in the old and in the new drawing.
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
        of_box.or_else(of_frame).map(|area| (area.x, area.y))
    };
    Some((place(before)?, place(plot)?))
}

/// The first vertex inside an expanded namespace.
fn first_within(plot: &Plot, name: &str) -> Option<Id> {
    let view = &plot.view;
    let within =
        |group: Option<usize>| group.is_some_and(|group| is_within(&view.groups[group].name, name));
    let inside = |id: &Id| within(view.group_of[*id]);
    let all = || (0..view.graph.vertices.len()).filter(inside);
    all().find(|id| view.graph.vertices[*id].kind != VertexKind::Dataset).or_else(|| all().next())
}

/// The new vertex between the same parents and children as the selected one had: probably the same vertex under a new
/// name.
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
            && old.find(*kind, &graph.vertices[*id].name).is_none()
            && (graph.parents[*id].len(), graph.children[*id].len()) == (parents, children)
            && around(plot, *id) == around_before
    })
}
