//! Moving on the graph: by arrow keys, along edges, and through the jump history.

use super::drawing::{centre, keep_in_view, redraw};
use super::list;
use super::plot::Way;
use super::screen::{PipelineScreen, Spot};
use crate::app::command::Command;
use crate::app::dialog::{Choose, Dialog, picker_height};
use crate::app::picker::{Choice, Picker};
use crate::app::shared::Shared;
use crate::dag::view::{Detail, Focus, Fold};
use crate::dag::{Id, VertexKind};
use crate::text::filter::Filter;
use crate::text::sanitize;

/// Boxes that a page key moves by.
const PAGE: usize = 4;

/// Moves the selection.
pub(in crate::app) fn go(
    screen: &mut PipelineScreen,
    shared: &mut Shared,
    command: Command,
    page: isize,
) {
    let plot = &screen.plot;
    let count = plot.view.graph.vertices.len();
    if count == 0 {
        return;
    }
    let at = screen.selected_id().unwrap_or(0);
    if screen.lanes {
        if let Some(id) = list::next(screen, command, page) {
            select(screen, shared, id);
        }
        return;
    }
    let steps = |way: Way, count: usize| {
        Some((0..count).fold(at, |id, _| plot.next(id, way).unwrap_or(id)))
    };
    let order = |last: bool| {
        let by_place = |id: &usize| {
            let area = &plot.layout.boxes[*id];
            if plot.sideways { (area.x, area.y) } else { (area.y, area.x) }
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
        Command::First | Command::Last => jump(screen, shared, id),
        _ => select(screen, shared, id),
    }
}

/// Selects a displayed vertex and brings it into view.
pub(super) fn select(screen: &mut PipelineScreen, shared: &mut Shared, id: Id) {
    let Some(vertex) = screen.plot.view.graph.vertices.get(id) else { return };
    let new = Some((vertex.kind, vertex.name.clone()));
    if screen.selected != new {
        screen.selected = new;
        shared.side_offset = 0;
    }
    keep_in_view(screen, shared);
}

/// Selects a displayed vertex, and adds the previous selection to the jump history.
pub(super) fn visit(screen: &mut PipelineScreen, shared: &mut Shared, id: Id) {
    let before = screen.selected.clone();
    select(screen, shared, id);
    if let Some(before) = before.filter(|before| screen.selected.as_ref() != Some(before)) {
        screen.jumps.leave(before);
    }
}

/// Selects a displayed vertex that may be far away, as [`visit`] does, and centres it.
pub(in crate::app) fn jump(screen: &mut PipelineScreen, shared: &mut Shared, id: Id) {
    let scroll = screen.scroll;
    visit(screen, shared, id);
    // A vertex that scrolls into view at the edge of the screen is hard to find.
    if scroll != screen.scroll {
        centre(screen, shared);
    }
}

/// The largest number of drawings until a hidden vertex is displayed: one for each collapsed namespace around
/// it, and one for a focus or filter.
const MOST_STEPS: u8 = 16;

/// Jumps to a vertex of the whole graph. If it is hidden, its collapsed namespaces are expanded, and a focus or
/// filter is removed.
pub(in crate::app) fn jump_to(screen: &mut PipelineScreen, shared: &mut Shared, spot: Spot) {
    let plot = screen.plot.clone();
    if let Some(id) = plot.view.graph.find(spot.0, &spot.1) {
        return jump(screen, shared, id);
    }
    if let Some(before) = screen.selected.clone() {
        screen.jumps.leave(before);
    }
    screen.sought = Some((spot, MOST_STEPS));
    seek(screen, shared);
}

/// Selects the sought vertex, or requests a drawing that shows more of its surroundings.
pub(super) fn seek(screen: &mut PipelineScreen, shared: &mut Shared) {
    let Some((spot, steps)) = screen.sought.take() else { return };
    let plot = screen.plot.clone();
    if let Some(id) = plot.view.graph.find(spot.0, &spot.1) {
        select(screen, shared, id);
        return centre(screen, shared);
    }
    let Some(whole) = plot.whole.find(spot.0, &spot.1).filter(|_| steps > 0) else { return };
    let choices = &mut screen.choices;
    let hidden = match spot.0 {
        VertexKind::Parameters => choices.detail != Detail::All,
        VertexKind::Dataset => choices.detail == Detail::NodesAlone,
        VertexKind::Node | VertexKind::Namespace => false,
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
        // A parameter with very many readers is displayed only in a focus.
        None => {
            let (kind, name) = spot.clone();
            let (ancestors, descendants) = (Some(1), Some(1));
            choices.focus = Some(Focus::Around { kind, name, ancestors, descendants });
        }
    }
    screen.sought = Some((spot, steps - 1));
    redraw(screen, shared, false);
}

/// Goes back, or with `onward` forward, in the jump history.
pub(in crate::app) fn through_jumps(
    screen: &mut PipelineScreen,
    shared: &mut Shared,
    onward: bool,
) {
    let plot = screen.plot.clone();
    let Some(here) = screen.selected.clone() else { return };
    let there = |spot: &Spot| plot.stands_for(spot.0, &spot.1).is_some();
    match screen.jumps.go(here, onward, there) {
        Some((kind, name)) => {
            if let Some(id) = plot.stands_for(kind, &name) {
                let scroll = screen.scroll;
                select(screen, shared, id);
                if scroll != screen.scroll {
                    centre(screen, shared);
                }
            }
        }
        None => shared.tell("The vertex that the jump left is no longer displayed."),
    }
}

/// Selects a node by its name, or the collapsed namespace that contains it.
pub(in crate::app) fn select_node(screen: &mut PipelineScreen, shared: &mut Shared, node: &str) {
    if let Some(id) = screen.plot.stands_for(VertexKind::Node, node) {
        select(screen, shared, id);
    }
}

/// A node of a run has begun: the selection goes there if it follows the run.
pub(in crate::app) fn follow(screen: &mut PipelineScreen, shared: &mut Shared, node: &str) {
    if screen.follow {
        select_node(screen, shared, node);
    }
}

/// Turns following the run on or off.
pub(super) fn toggle_follow(screen: &mut PipelineScreen, shared: &mut Shared) {
    let follow = !screen.follow;
    screen.follow = follow;
    let running = shared.progressing().and_then(|run| run.current().map(str::to_owned));
    match (follow, running) {
        (true, Some(node)) => {
            shared.tell(format!("The selection follows the run: {}.", sanitize(&node)));
            select_node(screen, shared, &node);
        }
        (true, None) => shared.tell("The selection will follow the next run."),
        (false, _) => shared.tell("The selection no longer follows the run."),
    }
}

/// Follows the only edge, or opens a list of several to choose from by number or name.
pub(super) fn choose(screen: &mut PipelineScreen, shared: &mut Shared, onward: bool) {
    let ids = screen.neighbours(onward);
    if let [only] = ids {
        return jump(screen, shared, *only);
    }
    let vertices = &screen.plot.view.graph.vertices;
    let choices = ids.iter().enumerate().map(|(number, id)| {
        let kind = vertices[*id].kind.as_str();
        let detail = match screen.state(*id) {
            Some(status) => format!("{kind}, {}", status.as_str()),
            None => kind.to_owned(),
        };
        let keys = if number < 9 { (number + 1).to_string() } else { String::new() };
        Choice { name: vertices[*id].name.clone(), detail, keys, disabled: None }
    });
    let picker = Picker::new(choices.collect(), 0, picker_height(shared.size));
    let what = if onward { Choose::Child } else { Choose::Parent };
    shared.dialogs.push(Dialog::Choose(what, picker));
}

/// Follows the edge with this number, from 0, if there is one.
pub(in crate::app) fn follow_edge(
    screen: &mut PipelineScreen,
    shared: &mut Shared,
    onward: bool,
    number: usize,
) {
    if let Some(id) = screen.neighbours(onward).get(number).copied() {
        jump(screen, shared, id);
    }
}
