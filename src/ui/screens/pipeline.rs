//! The pipeline: nodes, datasets and the lines between them.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::super::paint::Paint;
use super::super::theme::Role;
use super::focused;
use crate::app::State;
use crate::app::plot::LONGEST_NAME;
use crate::app::run::{NodeState, seconds_text};
use crate::dag::layout::{DOWN, HEAD, RIGHT};
use crate::dag::staleness::Status;
use crate::dag::{Id, Kind};
use crate::text::{truncate, width};

/// Draws the part of the drawing that is seen.
pub(in super::super) fn draw(paint: &mut Paint<'_>, area: Rect, state: &State) {
    let plot = &state.pipeline.plot;
    if plot.graph.vertices.is_empty() {
        return empty(paint, area, state);
    }
    let canvas = Canvas { area, scroll: state.pipeline.scroll };
    let selected =
        state.pipeline.selected.as_ref().and_then(|(kind, name)| plot.graph.find(*kind, name));
    lines(paint, &canvas, state);
    if let Some(id) = selected {
        own_lines(paint, &canvas, state, id);
    }
    for id in plot.lines.boxes(&plot.layout, canvas.shown()) {
        let place = &plot.layout.boxes[id];
        let seen = canvas.rect(place.x, place.y, place.width, place.height);
        if let Some(seen) = seen {
            vertex(paint, &canvas, state, id, seen, selected == Some(id));
        }
    }
    hints(paint, &canvas, state);
}

fn empty(paint: &mut Paint<'_>, area: Rect, state: &State) {
    match &state.project.snapshot {
        None => paint.note(area, &["Reading the project ..."]),
        Some(snapshot) if snapshot.pipelines.is_empty() => paint.note(
            area,
            &[
                "No pipeline could be read.",
                "The problems (!) say why. Kedro itself may know more: press E to let it read the project.",
            ],
        ),
        Some(_) => paint.note(
            area,
            &["This pipeline has no nodes.", "Press p to choose another one."],
        ),
    }
}

/// The part of the drawing that an area shows.
struct Canvas {
    area: Rect,
    scroll: (i32, i32),
}

impl Canvas {
    /// The screen's cell of a cell of the drawing, where it is seen.
    fn cell(&self, x: i32, y: i32) -> Option<(u16, u16)> {
        let (x, y) = (x - self.scroll.0, y - self.scroll.1);
        let inside = (0..i32::from(self.area.width)).contains(&x)
            && (0..i32::from(self.area.height)).contains(&y);
        inside.then(|| (self.area.x + x as u16, self.area.y + y as u16))
    }

    /// The part of the drawing that is seen.
    fn shown(&self) -> crate::dag::layout::Rect {
        let (x, y) = self.scroll;
        let (width, height) = (i32::from(self.area.width), i32::from(self.area.height));
        crate::dag::layout::Rect { x, y, width, height }
    }

    /// The part of a box that is seen.
    fn rect(&self, x: i32, y: i32, width: i32, height: i32) -> Option<Rect> {
        let left = (x - self.scroll.0).max(0);
        let top = (y - self.scroll.1).max(0);
        let right = (x + width - self.scroll.0).min(i32::from(self.area.width));
        let bottom = (y + height - self.scroll.1).min(i32::from(self.area.height));
        (left < right && top < bottom).then(|| Rect {
            x: self.area.x + left as u16,
            y: self.area.y + top as u16,
            width: (right - left) as u16,
            height: (bottom - top) as u16,
        })
    }
}

fn sign(paint: &Paint<'_>, ways: u8) -> &'static str {
    if ways & HEAD == 0 {
        paint.glyphs.join(ways)
    } else if ways & DOWN != 0 {
        paint.glyphs.head_down
    } else if ways & RIGHT != 0 {
        paint.glyphs.head_right
    } else {
        paint.glyphs.join(ways)
    }
}

fn lines(paint: &mut Paint<'_>, canvas: &Canvas, state: &State) {
    for line in state.pipeline.plot.lines.visible(canvas.shown()) {
        if let Some((x, y)) = canvas.cell(line.x, line.y) {
            let sign = sign(paint, line.ways);
            paint.text(x, y, sign, Role::Edge, 1);
        }
    }
}

/// The lines of the selected box stand out.
fn own_lines(paint: &mut Paint<'_>, canvas: &Canvas, state: &State, id: Id) {
    let plot = &state.pipeline.plot;
    for route in &plot.layout.routes {
        if route.source != id && route.target != id {
            continue;
        }
        for at in route.cells() {
            if let (Some((x, y)), Some(line)) = (canvas.cell(at.0, at.1), plot.lines.at(at.0, at.1))
            {
                let sign = sign(paint, line.ways_of(route.source));
                paint.text(x, y, sign, Role::EdgeSelected, 1);
            }
        }
    }
}

fn vertex(
    paint: &mut Paint<'_>,
    canvas: &Canvas,
    state: &State,
    id: Id,
    seen: Rect,
    selected: bool,
) {
    let plot = &state.pipeline.plot;
    let (vertex, place) = (&plot.graph.vertices[id], &plot.layout.boxes[id]);
    let run = state.node_run(&vertex.name).map(|(_, node)| node);
    let status = state.project.staleness.get(&vertex.name);
    let marked = vertex.kind == Kind::Node && state.pipeline.marked.contains(&vertex.name);
    let (glyph, role) = match (vertex.kind, run) {
        (Kind::Node, Some(NodeState::Done(_)) | None) => {
            status_sign(paint, status).unwrap_or_else(|| match run {
                Some(node) => node_sign(paint, node),
                None => (paint.glyphs.node, Role::Node),
            })
        }
        (Kind::Node, Some(node)) => node_sign(paint, node),
        (Kind::Namespace, _) => (paint.glyphs.node, Role::Node),
        (Kind::Dataset, _) => (paint.glyphs.dataset, Role::Dataset),
        (Kind::Parameters, _) => (paint.glyphs.parameters, Role::Parameters),
    };
    let (glyph, role) = if marked { (paint.glyphs.mark, Role::Mark) } else { (glyph, role) };
    let text_role = match vertex.kind {
        Kind::Node | Kind::Namespace => Role::Node,
        Kind::Dataset => Role::Dataset,
        Kind::Parameters => Role::Parameters,
    };
    paint.fill(seen, Role::Background);
    let boxed = plot.boxes && vertex.kind == Kind::Node;
    if boxed {
        outline(paint, canvas, place, if selected { Role::Focus } else { role_of_box(role) });
        let seconds = match run {
            Some(NodeState::Done(seconds) | NodeState::Failed(seconds)) => Some(*seconds),
            Some(NodeState::Running(since)) => Some(state.now - since),
            _ => None,
        };
        if let Some(seconds) = seconds {
            let time = format!(" {} ", seconds_text(seconds));
            // How long it usually takes, where there is room to say so.
            let usual = state.history.timings.get(&vertex.name);
            let usual = usual.filter(|_| matches!(run, Some(NodeState::Running(_))));
            let long = usual
                .map(|it| format!(" {} of {} ", seconds_text(seconds), seconds_text(it.median)));
            let fits = |time: &String| width(time) as i32 + 2 < place.width;
            if let Some(time) = long.into_iter().chain([time]).find(fits) {
                let start = place.x + place.width - 2 - width(&time) as i32;
                put(paint, canvas, start, place.y + 2, &time, Role::Dim);
            }
        }
    }
    let y = place.y + place.height / 2;
    let x = place.x + if boxed { 2 } else { 1 };
    put(paint, canvas, x, y, glyph, role);
    let name = truncate(&crate::text::sanitize(&vertex.name), LONGEST_NAME);
    put(paint, canvas, x + 2, y, &name, text_role);
    if selected {
        // The border says it for boxes; their inside is what is selected.
        let inside = match boxed {
            true => canvas.rect(place.x + 1, place.y + 1, place.width - 2, place.height - 2),
            false => Some(seen),
        };
        let Some(inside) = inside else { return };
        paint.restyle(inside, Role::Selection);
        if !focused(state) {
            let style = Style::new().remove_modifier(Modifier::BOLD);
            paint.buffer.set_style(inside, style);
        }
    }
}

fn role_of_box(role: Role) -> Role {
    match role {
        Role::Node => Role::Border,
        role => role,
    }
}

/// The sign of a node that no run is at work on; `None` where nothing is known that a run does not say.
fn status_sign(paint: &Paint<'_>, status: Option<&Status>) -> Option<(&'static str, Role)> {
    match status? {
        Status::Fresh => Some((paint.glyphs.done, Role::Good)),
        Status::Stale { .. } => Some((paint.glyphs.stale, Role::Stale)),
        Status::StaleThrough { .. } => Some((paint.glyphs.stale, Role::Dim)),
        Status::Unknown { .. } => Some((paint.glyphs.unknown, Role::Dim)),
        Status::NeverRun => None,
    }
}

pub(super) fn node_sign(paint: &Paint<'_>, node: &NodeState) -> (&'static str, Role) {
    match node {
        NodeState::Waiting => (paint.glyphs.waiting, Role::Dim),
        NodeState::Running(_) => (paint.glyphs.running, Role::Running),
        NodeState::Done(_) => (paint.glyphs.done, Role::Good),
        NodeState::Failed(_) => (paint.glyphs.failed, Role::Bad),
        NodeState::Stopped => (paint.glyphs.stopped, Role::Warning),
    }
}

/// Writes cell by cell, so that what is not seen is left out.
fn put(paint: &mut Paint<'_>, canvas: &Canvas, x: i32, y: i32, text: &str, role: Role) {
    let mut at = x;
    for part in unicode_segmentation::UnicodeSegmentation::graphemes(text, true) {
        let cells = width(part) as i32;
        if let Some((column, row)) = canvas.cell(at, y)
            && (cells < 2 || canvas.cell(at + 1, y).is_some())
        {
            paint.text(column, row, part, role, cells.max(1) as u16);
        }
        at += cells;
    }
}

fn outline(paint: &mut Paint<'_>, canvas: &Canvas, it: &crate::dag::layout::Rect, role: Role) {
    let [across, down, upper_left, upper_right, lower_left, lower_right] = paint.glyphs.lines;
    let (right, bottom) = (it.x + it.width - 1, it.y + it.height - 1);
    for x in it.x + 1..right {
        put(paint, canvas, x, it.y, across, role);
        put(paint, canvas, x, bottom, across, role);
    }
    for y in it.y + 1..bottom {
        put(paint, canvas, it.x, y, down, role);
        put(paint, canvas, right, y, down, role);
    }
    put(paint, canvas, it.x, it.y, upper_left, role);
    put(paint, canvas, right, it.y, upper_right, role);
    put(paint, canvas, it.x, bottom, lower_left, role);
    put(paint, canvas, right, bottom, lower_right, role);
}

/// Where the drawing goes on beyond the pane.
fn hints(paint: &mut Paint<'_>, canvas: &Canvas, state: &State) {
    let layout = &state.pipeline.plot.layout;
    let area = canvas.area;
    let (x, y) = canvas.scroll;
    let arrows =
        if paint.glyphs.ascii() { ["^", "v", "<", ">"] } else { ["↑", "↓", "←", "→"] };
    let (right, middle_y) = (area.right() - 1, area.y + area.height / 2);
    for (beyond, column, row, arrow) in [
        (y > 0, right, area.y, arrows[0]),
        (layout.height - y > i32::from(area.height), right, area.bottom() - 1, arrows[1]),
        (x > 0, area.x, middle_y, arrows[2]),
        (layout.width - x > i32::from(area.width), right, middle_y, arrows[3]),
    ] {
        if beyond {
            paint.text(column, row, arrow, Role::Accent, 1);
        }
    }
}
