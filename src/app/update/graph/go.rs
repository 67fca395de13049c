//! Moving about on the graph: by arrows, along edges, back and forward.

use super::{centre, keep_in_view, list};
use crate::app::command::Command;
use crate::app::graph::Way;
use crate::app::graph::screen::Spot;
use crate::app::state::State;
use crate::dag::view::{Detail, Filter, Focus, Fold};
use crate::dag::{Id, Kind};
use crate::text::sanitize;

/// Boxes that a page goes over.
const PAGE: usize = 4;

/// Moves the selection.
pub(in super::super) fn go(state: &mut State, command: Command, page: isize) {
    let screen = &state.pipeline;
    let plot = &screen.plot;
    let count = plot.view.graph.vertices.len();
    if count == 0 {
        return;
    }
    let at = screen.selected_id().unwrap_or(0);
    if screen.lanes {
        return list::go(state, command, page);
    }
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
        Command::PageUp => steps(if plot.sideways { Way::Left } else { Way::Up }, PAGE),
        Command::PageDown => steps(if plot.sideways { Way::Right } else { Way::Down }, PAGE),
        Command::First => order(false),
        Command::Last => order(true),
        _ => None,
    };
    let Some(id) = next else { return };
    match command {
        Command::First | Command::Last => jump(state, id),
        _ => select(state, id),
    }
}

/// Selects a displayed vertex and brings it into view.
pub(super) fn select(state: &mut State, id: Id) {
    let Some(vertex) = state.pipeline.plot.view.graph.vertices.get(id) else { return };
    let new = Some((vertex.kind, vertex.name.clone()));
    if state.pipeline.selected != new {
        state.pipeline.selected = new;
        state.side_offset = 0;
    }
    keep_in_view(state);
}

/// Selects a displayed vertex that is in sight; there is a way back.
pub(super) fn visit(state: &mut State, id: Id) {
    let before = state.pipeline.selected.clone();
    select(state, id);
    if let Some(before) = before.filter(|before| state.pipeline.selected.as_ref() != Some(before)) {
        state.pipeline.jumps.leave(before);
    }
}

/// Selects a displayed vertex that may be far away; there is a way back.
pub(in super::super) fn jump(state: &mut State, id: Id) {
    let scroll = state.pipeline.scroll;
    visit(state, id);
    // What comes into view at the edge of the screen is hard to find.
    if scroll != state.pipeline.scroll {
        centre(state);
    }
}

/// Most drawings that finding a hidden vertex may take: one for each namespace around it, and what else hides it.
const MOST_STEPS: u8 = 16;

/// Jumps to a vertex of the whole graph. What hides it makes way: a collapsed namespace is expanded, a focus and a filter
/// are left.
pub(in super::super) fn jump_to(state: &mut State, spot: Spot) {
    let plot = state.pipeline.plot.clone();
    if let Some(id) = plot.view.graph.find(spot.0, &spot.1) {
        return jump(state, id);
    }
    if let Some(before) = state.pipeline.selected.clone() {
        state.pipeline.jumps.leave(before);
    }
    state.pipeline.sought = Some((spot, MOST_STEPS));
    seek(state);
}

/// Selects the vertex that is sought, or asks for a drawing that shows more of what is around it.
pub(super) fn seek(state: &mut State) {
    let Some((spot, steps)) = state.pipeline.sought.take() else { return };
    let plot = state.pipeline.plot.clone();
    if let Some(id) = plot.view.graph.find(spot.0, &spot.1) {
        select(state, id);
        return centre(state);
    }
    let Some(whole) = plot.whole.find(spot.0, &spot.1).filter(|_| steps > 0) else { return };
    let screen = &mut state.pipeline;
    let choices = &mut screen.choices;
    let hidden = match spot.0 {
        Kind::Parameters => choices.detail != Detail::All,
        Kind::Dataset => choices.detail == Detail::NodesAlone,
        Kind::Node | Kind::Namespace => false,
    };
    match plot.view.shown_by[whole] {
        Some(id) => {
            let space = plot.view.graph.vertices[id].name.clone();
            choices.folds.insert(space, Fold::Expanded);
        }
        None if choices.focus.is_some() || !screen.filter.is_empty() => {
            choices.focus = None;
            screen.slice = None;
            screen.filter = Filter::default();
            screen.filter_text.clear();
        }
        None if hidden => choices.detail = Detail::All,
        // It has so many readers that only a focus displays it.
        None => {
            let (kind, name) = spot.clone();
            let (ancestors, descendants) = (Some(1), Some(1));
            choices.focus = Some(Focus::Around { kind, name, ancestors, descendants });
        }
    }
    screen.sought = Some((spot, steps - 1));
    super::redraw(state, false);
}

/// Goes the way back through the jumps, or on.
pub(in super::super) fn through_jumps(state: &mut State, onward: bool) {
    let plot = state.pipeline.plot.clone();
    let Some(here) = state.pipeline.selected.clone() else { return };
    let there = |spot: &Spot| plot.stands_for(spot.0, &spot.1).is_some();
    match state.pipeline.jumps.go(here, onward, there) {
        Some((kind, name)) => {
            if let Some(id) = plot.stands_for(kind, &name) {
                let scroll = state.pipeline.scroll;
                select(state, id);
                if scroll != state.pipeline.scroll {
                    centre(state);
                }
            }
        }
        None => state.tell("What was there is not displayed any more."),
    }
}

/// Selects a node by its name, or the namespace that it is hidden in.
pub(in super::super) fn select_node(state: &mut State, node: &str) {
    if let Some(id) = state.pipeline.plot.stands_for(Kind::Node, node) {
        select(state, id);
    }
}

/// A node of a run has begun: the selection goes there, where that was asked for.
pub(in super::super) fn follow(state: &mut State, node: &str) {
    if state.pipeline.follow {
        select_node(state, node);
    }
}

/// Turns following the run on or off.
pub(super) fn toggle_follow(state: &mut State) {
    let follow = !state.pipeline.follow;
    state.pipeline.follow = follow;
    let running = state.running().and_then(|run| run.current().map(str::to_owned));
    match (follow, running) {
        (true, Some(node)) => {
            state.tell(format!("The selection goes with the run: {}.", sanitize(&node)));
            select_node(state, &node);
        }
        (true, None) => state.tell("The selection goes with the next run."),
        (false, _) => state.tell("The selection stays where it is."),
    }
}
