//! Commands that change which part of the graph is displayed, and its size.

use ratatui::layout::Size;

use strum::VariantArray;

use super::drawing::{centre, redraw};
use super::go::{choose, through_jumps, toggle_follow};
use super::screen::{Between, PipelineScreen};
use super::zoom::{Sizing, Zoom};
use crate::app::command::Command;
use crate::app::shared::Shared;
use crate::dag::view::filter::KEYS;
use crate::dag::view::{Detail, Focus, Fold};
use crate::dag::{Id, Slice, VertexKind};
use crate::text::filter::{Filter, FilterError, parse};
use crate::text::sanitize;

/// The number of steps around the selection after the first narrowing of a focus.
const FIRST_DEPTH: usize = 3;
/// The largest number of steps; one more shows all ancestors and descendants.
const LAST_DEPTH: usize = 6;

/// Does what a command of the pipeline screen asks for.
pub(in crate::app) fn act(screen: &mut PipelineScreen, shared: &mut Shared, command: Command) {
    match command {
        Command::View => {
            let (detail, text) = match screen.choices.detail {
                Detail::NoParameters => (Detail::NodesAlone, "only nodes"),
                Detail::NodesAlone => (Detail::All, "nodes, datasets and parameters"),
                Detail::All => (Detail::NoParameters, "nodes and datasets"),
            };
            screen.choices.detail = detail;
            screen.wanted_detail = None;
            screen.refit();
            redraw(screen, shared, true);
            shared.tell(format!("The graph shows {text}."));
        }
        Command::Direction => {
            screen.sideways = Some(!screen.plot.sideways);
            screen.sizing = Sizing::Chosen;
            redraw(screen, shared, true);
        }
        Command::Zoom => {
            let at = Zoom::VARIANTS.iter().position(|zoom| *zoom == screen.zoom()).unwrap_or(0);
            set_zoom(screen, shared, Zoom::VARIANTS[(at + 1) % Zoom::VARIANTS.len()]);
        }
        Command::ZoomIn | Command::ZoomOut => zoom_by(screen, shared, command == Command::ZoomIn),
        Command::Lanes => {
            screen.lanes = !screen.lanes;
            screen.sizing = Sizing::Chosen;
            redraw(screen, shared, false);
        }
        Command::Layers => {
            screen.layers = !screen.layers;
            show_layers(screen);
            redraw(screen, shared, true);
        }
        Command::Fold => fold(screen, shared),
        Command::FoldAll => fold_all(screen, shared),
        Command::Focus => focus(screen, shared),
        Command::FocusLess => focus_depth(screen, shared, false),
        Command::FocusMore => focus_depth(screen, shared, true),
        Command::Slice => slice(screen, shared),
        Command::Parents => choose(screen, shared, false),
        Command::Children => choose(screen, shared, true),
        Command::JumpBack => through_jumps(screen, shared, false),
        Command::JumpForward => through_jumps(screen, shared, true),
        Command::FollowRun => toggle_follow(screen, shared),
        Command::Fit => {
            screen.sizing = Sizing::ToFit;
            screen.sideways = None;
            screen.lanes = false;
            screen.choices.folds.clear();
            redraw(screen, shared, true);
        }
        Command::Tidy => {
            redraw(screen, shared, true);
            shared.tell("The graph is laid out again.");
        }
        _ => {}
    }
}

/// Bands need the datasets, and more room than most windows have. Without bands the graph is to fit again.
fn show_layers(screen: &mut PipelineScreen) {
    if !screen.layers {
        screen.sizing = Sizing::ToFit;
        return;
    }
    if let Some(detail) = screen.wanted_detail.take() {
        screen.choices.detail = detail;
    }
    if screen.zoom() == Zoom::Overview {
        screen.zoom = Some(Zoom::Chips);
    }
    screen.lanes = false;
    screen.sizing = Sizing::Chosen;
}

/// Removes the focus, else the filter. Returns false if there is neither.
pub(in crate::app) fn leave(screen: &mut PipelineScreen, shared: &mut Shared) -> bool {
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
    screen.refit();
    redraw(screen, shared, true);
    true
}

/// Changes the size. Boxes and single lines need different drawings; the overview uses that of single lines.
pub(in crate::app) fn set_zoom(screen: &mut PipelineScreen, shared: &mut Shared, zoom: Zoom) {
    if screen.zoom() == zoom {
        return;
    }
    screen.zoom = Some(zoom);
    screen.sizing = Sizing::Chosen;
    screen.lanes = false;
    if (zoom == Zoom::Boxes) != screen.plot.boxes {
        redraw(screen, shared, true);
    } else {
        centre(screen, shared);
    }
}

/// One size larger or smaller.
fn zoom_by(screen: &mut PipelineScreen, shared: &mut Shared, larger: bool) {
    let at = Zoom::VARIANTS.iter().position(|zoom| *zoom == screen.zoom()).unwrap_or(0);
    let next = if larger { at.checked_sub(1) } else { Some(at + 1) };
    match next.and_then(|at| Zoom::VARIANTS.get(at)) {
        Some(zoom) => set_zoom(screen, shared, *zoom),
        None if larger => shared.tell("The graph can't be drawn larger."),
        None => shared.tell("The graph can't be drawn smaller."),
    }
}

/// The namespace that `fold` changes: the selected one, or the innermost expanded one around the selection.
fn space(screen: &PipelineScreen) -> Option<(String, Fold)> {
    let (plot, id) = (&screen.plot, screen.selected_id()?);
    let vertex = &plot.view.graph.vertices[id];
    match vertex.kind {
        VertexKind::Namespace => Some((vertex.name.clone(), Fold::Expanded)),
        _ => {
            let group = plot.view.group_of[id]?;
            Some((plot.view.groups[group].name.clone(), Fold::Collapsed))
        }
    }
}

/// Expands the selected namespace, or collapses the one around the selection.
fn fold(screen: &mut PipelineScreen, shared: &mut Shared) {
    if let Some((name, fold)) = space(screen) {
        set_fold(screen, shared, name, fold);
    }
}

/// Expands the selected namespace. Returns false if no namespace is selected.
pub(in crate::app) fn toggle_fold(screen: &mut PipelineScreen, shared: &mut Shared) -> bool {
    let space = space(screen).filter(|(_, fold)| *fold == Fold::Expanded);
    space.map(|(name, fold)| set_fold(screen, shared, name, fold)).is_some()
}

/// Expands or collapses a namespace.
pub(in crate::app) fn set_fold(
    screen: &mut PipelineScreen,
    shared: &mut Shared,
    name: String,
    fold: Fold,
) {
    let plot = &screen.plot;
    // Namespaces that are collapsed only because of the graph's size must not change when the number of boxes does.
    let shown =
        plot.view.graph.vertices.iter().filter(|vertex| vertex.kind == VertexKind::Namespace);
    let collapsed = shown.map(|vertex| (vertex.name.clone(), Fold::Collapsed));
    let expanded = plot.view.groups.iter().map(|group| (group.name.clone(), Fold::Expanded));
    for (name, fold) in collapsed.chain(expanded) {
        screen.choices.folds.entry(name).or_insert(fold);
    }
    if fold == Fold::Collapsed {
        screen.selected = Some((VertexKind::Namespace, name.clone()));
    }
    screen.choices.folds.insert(name, fold);
    screen.sizing = Sizing::Chosen;
    redraw(screen, shared, false);
}

/// Expands all namespaces, or collapses all if none is collapsed.
fn fold_all(screen: &mut PipelineScreen, shared: &mut Shared) {
    let graph = &screen.plot.view.graph;
    let collapsed = graph.vertices.iter().any(|vertex| vertex.kind == VertexKind::Namespace);
    let fold = if collapsed { Fold::Expanded } else { Fold::Collapsed };
    let whole = &screen.plot.whole;
    for vertex in &whole.vertices {
        let mut space = vertex.namespace();
        while let Some(name) = space {
            screen.choices.folds.insert(name.to_owned(), fold);
            space = name.rsplit_once('.').map(|(outer, _)| outer);
        }
    }
    screen.sizing = Sizing::Chosen;
    redraw(screen, shared, true);
    shared.tell(match fold {
        Fold::Expanded => "All namespaces are expanded.",
        Fold::Collapsed => "All namespaces are collapsed.",
    });
}

/// Shows only the selected vertex with its ancestors and descendants, or everything again.
fn focus(screen: &mut PipelineScreen, shared: &mut Shared) {
    let Some((kind, name)) = screen.selected.clone() else { return };
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
    screen.refit();
    redraw(screen, shared, true);
}

/// Shows fewer or more steps around the focus.
fn focus_depth(screen: &mut PipelineScreen, shared: &mut Shared, more: bool) {
    let Some(Focus::Around { name, ancestors, descendants, .. }) = &mut screen.choices.focus else {
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
        None => format!("All ancestors and descendants of {}.", sanitize(name)),
        Some(1) => format!("1 step around {}.", sanitize(name)),
        Some(steps) => format!("{steps} steps around {}.", sanitize(name)),
    };
    screen.refit();
    redraw(screen, shared, true);
    shared.tell(text);
}

/// Shows only the nodes between the marked ones and the selected one, and marks them, so that a run takes them.
fn slice(screen: &mut PipelineScreen, shared: &mut Shared) {
    let Some((VertexKind::Node, to)) = screen.selected.clone() else { return };
    let from: Vec<String> = screen.marked.iter().filter(|name| **name != to).cloned().collect();
    let Some(pipeline) = shared.shown_pipeline() else { return };
    let between = |from: &[String], to: &[String]| {
        let slice = Slice { from_nodes: from.into(), to_nodes: to.into(), ..Slice::default() };
        slice.apply(pipeline).ok().filter(|nodes| !nodes.is_empty())
    };
    let to = vec![to];
    let (nodes, slice) = match (between(&from, &to), between(&to, &from)) {
        (Some(nodes), _) => (nodes, Between { from, to }),
        (None, Some(nodes)) => (nodes, Between { from: to, to: from }),
        (None, None) => {
            let text = format!("no path connects {} and {}", from.join(", "), to.join(", "));
            return shared.warn(sanitize(&text));
        }
    };
    let count = nodes.len();
    screen.choices.focus = Some(Focus::Nodes(nodes.clone()));
    screen.slice = Some(slice);
    screen.marked = nodes.into_iter().collect();
    screen.refit();
    redraw(screen, shared, true);
    let s = if count == 1 { "" } else { "s" };
    shared.tell(format!("{count} node{s} in the slice; r runs them, esc leaves it."));
}

/// Sets the filter of the graph.
///
/// # Errors
/// If the text can't be parsed as a filter.
pub(in crate::app) fn set_filter(
    screen: &mut PipelineScreen,
    shared: &mut Shared,
    text: &str,
) -> Result<(), FilterError> {
    let filter = parse(text, KEYS)?;
    screen.filter_text = text.trim().to_owned();
    if screen.filter != filter {
        screen.filter = filter;
        screen.refit();
        redraw(screen, shared, true);
    }
    Ok(())
}

/// The vertex nearest to a cell of the overview.
pub(super) fn vertex_in_overview(
    screen: &PipelineScreen,
    room: Size,
    column: i32,
    row: i32,
) -> Option<Id> {
    let (x, y) = screen.overview(room).place(column as usize, row as usize)?;
    let boxes = screen.plot.layout.boxes.iter().enumerate();
    let far = |area: &crate::dag::layout::Rect| {
        let (dx, dy) = (area.x + area.width / 2 - x, (area.y - y) * 2);
        i64::from(dx).pow(2) + i64::from(dy).pow(2)
    };
    boxes.min_by_key(|(_, area)| far(area)).map(|(id, _)| id)
}
