//! What of the graph is displayed, and how large.

use super::go::{through_jumps, toggle_follow};
use super::{centre, list, redraw};
use crate::app::command::Command;
use crate::app::graph::{PipelineScreen, Zoom};
use crate::app::history::PromptKind;
use crate::app::state::State;
use crate::dag::view::{Detail, Filter, Focus, Fold};
use crate::dag::{Id, Kind, Slice};
use crate::text::sanitize;

/// Steps to ancestors and descendants that a focus is narrowed to first.
const FIRST_DEPTH: usize = 3;
/// Steps beyond which a focus takes all of them.
const LAST_DEPTH: usize = 6;

/// Does what was asked for on the pipeline screen. The command applies.
pub(in super::super) fn act(state: &mut State, command: Command) {
    match command {
        Command::View => {
            let (detail, text) = match state.pipeline.choices.detail {
                Detail::NoParameters => (Detail::NodesAlone, "nodes alone"),
                Detail::NodesAlone => (Detail::All, "nodes, datasets and parameters"),
                Detail::All => (Detail::NoParameters, "nodes and datasets"),
            };
            state.pipeline.choices.detail = detail;
            redraw(state, true);
            state.tell(format!("The graph shows {text}."));
        }
        Command::Direction => {
            state.pipeline.sideways = Some(!state.pipeline.plot.sideways);
            redraw(state, true);
        }
        Command::Zoom => {
            let at = Zoom::ALL.iter().position(|zoom| *zoom == state.pipeline.zoom()).unwrap_or(0);
            set_zoom(state, Zoom::ALL[(at + 1) % Zoom::ALL.len()]);
        }
        Command::ZoomIn | Command::ZoomOut => zoom_by(state, command == Command::ZoomIn),
        Command::Lanes => {
            state.pipeline.lanes = !state.pipeline.lanes;
            redraw(state, false);
        }
        Command::Layers => {
            state.pipeline.layers = !state.pipeline.layers;
            redraw(state, true);
        }
        Command::Fold => fold(state),
        Command::FoldAll => fold_all(state),
        Command::Focus => focus(state),
        Command::FocusLess => focus_depth(state, false),
        Command::FocusMore => focus_depth(state, true),
        Command::Slice => slice(state),
        Command::FilterGraph => {
            let before = state.pipeline.filter_text.clone();
            super::super::history::begin(state, PromptKind::Graph(before.clone()), &before);
        }
        Command::Parents => list::choose(state, false),
        Command::Children => list::choose(state, true),
        Command::JumpBack => through_jumps(state, false),
        Command::JumpForward => through_jumps(state, true),
        Command::FollowRun => toggle_follow(state),
        Command::Tidy => {
            redraw(state, true);
            state.tell("The drawing is arranged anew.");
        }
        _ => {}
    }
}

/// Steps back from what narrows the graph; false where nothing does.
pub(in super::super) fn leave(state: &mut State) -> bool {
    let screen = &mut state.pipeline;
    if screen.choices.focus.take().is_some() {
        if screen.slice.take().is_some() {
            screen.marked.clear();
        }
    } else if !screen.filter_text.is_empty() {
        screen.filter_text.clear();
        screen.filter = Filter::default();
    } else {
        return false;
    }
    redraw(state, true);
    true
}

/// Shows the graph in another size. Boxes and lines are drawings of their own; the overview is one of lines.
pub(in super::super) fn set_zoom(state: &mut State, zoom: Zoom) {
    if state.pipeline.zoom() == zoom {
        return;
    }
    state.pipeline.zoom = Some(zoom);
    state.pipeline.lanes = false;
    if (zoom == Zoom::Boxes) != state.pipeline.plot.boxes {
        redraw(state, true);
    } else {
        centre(state);
    }
}

/// One size larger or smaller.
fn zoom_by(state: &mut State, larger: bool) {
    let at = Zoom::ALL.iter().position(|zoom| *zoom == state.pipeline.zoom()).unwrap_or(0);
    let next = if larger { at.checked_sub(1) } else { Some(at + 1) };
    match next.and_then(|at| Zoom::ALL.get(at)) {
        Some(zoom) => set_zoom(state, *zoom),
        None if larger => state.tell("It can't be drawn larger."),
        None => state.tell("It can't be drawn smaller."),
    }
}

/// The namespace that `fold` is about: the selected one, or the innermost expanded one around the selection.
fn space(state: &State) -> Option<(String, Fold)> {
    let (plot, id) = (&state.pipeline.plot, state.pipeline.selected_id()?);
    let vertex = &plot.view.graph.vertices[id];
    match vertex.kind {
        Kind::Namespace => Some((vertex.name.clone(), Fold::Expanded)),
        _ => {
            let group = plot.view.group_of[id]?;
            Some((plot.view.groups[group].name.clone(), Fold::Collapsed))
        }
    }
}

/// Expands the selected namespace, or collapses the one around the selection.
fn fold(state: &mut State) {
    if let Some((name, fold)) = space(state) {
        set_fold(state, name, fold);
    }
}

/// Expands the selected namespace; false where another thing is selected.
pub(in super::super) fn toggle_fold(state: &mut State) -> bool {
    let space = space(state).filter(|(_, fold)| *fold == Fold::Expanded);
    space.map(|(name, fold)| set_fold(state, name, fold)).is_some()
}

/// Expands or collapses a namespace.
pub(in super::super) fn set_fold(state: &mut State, name: String, fold: Fold) {
    let screen = &mut state.pipeline;
    let plot = &screen.plot;
    // Which ones are collapsed for size alone must not change with the number of boxes.
    let shown = plot.view.graph.vertices.iter().filter(|it| it.kind == Kind::Namespace);
    let collapsed = shown.map(|it| (it.name.clone(), Fold::Collapsed));
    let expanded = plot.view.groups.iter().map(|group| (group.name.clone(), Fold::Expanded));
    for (name, fold) in collapsed.chain(expanded) {
        screen.choices.folds.entry(name).or_insert(fold);
    }
    if fold == Fold::Collapsed {
        screen.selected = Some((Kind::Namespace, name.clone()));
    }
    screen.choices.folds.insert(name, fold);
    redraw(state, false);
}

/// Expands all namespaces, or collapses them where all are expanded.
fn fold_all(state: &mut State) {
    let screen = &mut state.pipeline;
    let graph = &screen.plot.view.graph;
    let collapsed = graph.vertices.iter().any(|it| it.kind == Kind::Namespace);
    let fold = if collapsed { Fold::Expanded } else { Fold::Collapsed };
    let whole = &screen.plot.whole;
    for vertex in &whole.vertices {
        let mut space = vertex.namespace();
        while let Some(name) = space {
            screen.choices.folds.insert(name.to_owned(), fold);
            space = name.rsplit_once('.').map(|(outer, _)| outer);
        }
    }
    redraw(state, true);
    state.tell(match fold {
        Fold::Expanded => "All namespaces are expanded.",
        Fold::Collapsed => "All namespaces are collapsed.",
    });
}

/// Shows the selected vertex with its ancestors and descendants alone, or all again.
fn focus(state: &mut State) {
    let Some((kind, name)) = state.pipeline.selected.clone() else { return };
    let screen = &mut state.pipeline;
    let around = |focus: &Focus| match focus {
        Focus::Around { kind: of, name: around, .. } => *of == kind && *around == name,
        Focus::Nodes(_) => false,
    };
    if screen.choices.focus.as_ref().is_some_and(around) {
        screen.choices.focus = None;
    } else {
        if screen.slice.take().is_some() {
            screen.marked.clear();
        }
        let (ancestors, descendants) = (None, None);
        screen.choices.focus = Some(Focus::Around { kind, name, ancestors, descendants });
    }
    redraw(state, true);
}

/// Fewer or more steps from what is in the focus.
fn focus_depth(state: &mut State, more: bool) {
    let Some(Focus::Around { name, ancestors, descendants, .. }) =
        &mut state.pipeline.choices.focus
    else {
        return;
    };
    let depth = match (*ancestors, more) {
        (None, true) => None,
        (None, false) => Some(FIRST_DEPTH),
        (Some(steps), true) => Some(steps + 1).filter(|steps| *steps <= LAST_DEPTH),
        (Some(steps), false) => Some(steps.saturating_sub(1).max(1)),
    };
    (*ancestors, *descendants) = (depth, depth);
    let text = match depth {
        None => format!("All that {} follows from and leads to.", sanitize(name)),
        Some(1) => format!("1 step around {}.", sanitize(name)),
        Some(steps) => format!("{steps} steps around {}.", sanitize(name)),
    };
    redraw(state, true);
    state.tell(text);
}

/// Shows what lies between the marked nodes and the selected one alone, and marks it: it is what a run takes.
fn slice(state: &mut State) {
    let Some((Kind::Node, to)) = state.pipeline.selected.clone() else { return };
    let from: Vec<String> = state.pipeline.marked.iter().filter(|it| **it != to).cloned().collect();
    let Some(pipeline) = state.shown_pipeline() else { return };
    let between = |from: &[String], to: &[String]| {
        let slice = Slice { from_nodes: from.into(), to_nodes: to.into(), ..Slice::default() };
        slice.apply(pipeline).ok().filter(|nodes| !nodes.is_empty())
    };
    let to = vec![to];
    let (nodes, slice) = match (between(&from, &to), between(&to, &from)) {
        (Some(nodes), _) => (nodes, (from, to)),
        (None, Some(nodes)) => (nodes, (to, from)),
        (None, None) => {
            let text = format!("no way leads between {} and {}", from.join(", "), to.join(", "));
            return state.warn(sanitize(&text));
        }
    };
    let count = nodes.len();
    let screen = &mut state.pipeline;
    screen.choices.focus = Some(Focus::Nodes(nodes.clone()));
    screen.slice = Some(slice);
    screen.marked = nodes.into_iter().collect();
    redraw(state, true);
    let s = if count == 1 { "" } else { "s" };
    state.tell(format!("{count} node{s} from here to there; r runs them, esc leaves."));
}

/// Takes a filter as it was written.
///
/// # Errors
/// What is wrong with it.
pub(in super::super) fn set_filter(state: &mut State, text: &str) -> Result<(), String> {
    let filter = Filter::parse(text).map_err(|error| error.to_string())?;
    state.pipeline.filter_text = text.trim().to_owned();
    if state.pipeline.filter != filter {
        state.pipeline.filter = filter;
        redraw(state, true);
    }
    Ok(())
}

/// The vertex nearest to what a cell of the overview shows.
pub(super) fn vertex_in_overview(
    screen: &PipelineScreen,
    room: (u16, u16),
    column: i32,
    row: i32,
) -> Option<Id> {
    let (x, y) = screen.overview(room).place(column as usize, row as usize)?;
    let boxes = screen.plot.layout.boxes.iter().enumerate();
    let far = |it: &crate::dag::layout::Rect| {
        let (dx, dy) = (it.x + it.width / 2 - x, (it.y - y) * 2);
        i64::from(dx).pow(2) + i64::from(dy).pow(2)
    };
    boxes.min_by_key(|(_, it)| far(it)).map(|(id, _)| id)
}
