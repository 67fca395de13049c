//! The boxes: nodes, datasets, parameters, namespaces.

use ratatui::style::{Modifier, Style};

use super::super::super::paint::Paint;
use super::super::super::theme::Role;
use super::super::focused;
use super::canvas::Canvas;
use crate::app::run::NodeState;
use crate::app::screens::pipeline::PipelineScreen;
use crate::app::screens::pipeline::Plot;
use crate::app::shared::Shared;
use crate::app::words::{left_text, seconds_text};
use crate::dag::layout;
use crate::dag::view::{self, Sum};
use crate::dag::{Id, VertexKind};
use crate::text::{sanitize, width};

/// Draws the frames of expanded namespaces. Lines are drawn over them, titles over the lines.
pub(super) fn frames(paint: &mut Paint<'_>, canvas: &Canvas, plot: &Plot) {
    let signs = paint.glyphs.frame;
    for frame in plot.layout.frames.iter().flatten() {
        if frame.area.meets(&canvas.shown()) {
            canvas.outline(paint, &frame.area, signs, Role::Border);
        }
    }
}

/// Draws the titles of expanded namespaces.
pub(super) fn titles(paint: &mut Paint<'_>, canvas: &Canvas, plot: &Plot, selected: Option<Id>) {
    let around = selected.and_then(|id| plot.view.group_of[id]);
    for (index, group) in plot.view.groups.iter().enumerate() {
        let Some(frame) = plot.layout.frames.get(index).copied().flatten() else { continue };
        let title = format!(" {} {} ", paint.glyphs.open, sanitize(group.short_name()));
        let role = if around == Some(index) { Role::Title } else { Role::Dim };
        canvas.put(paint, frame.title.0, frame.title.1, &title, role);
    }
}

/// How a vertex looks.
pub(super) struct Look {
    /// The glyph before the name.
    pub sign: &'static str,
    /// The role of the glyph.
    pub role: Role,
    /// The role of the name.
    pub text: Role,
    /// The number of hidden inputs; empty if none are hidden.
    pub badge: String,
}

/// How a vertex looks.
pub(super) fn look(paint: &Paint<'_>, screen: &PipelineScreen, id: Id) -> Look {
    let plot = &screen.plot;
    let vertex = &plot.view.graph.vertices[id];
    let marked = vertex.kind == VertexKind::Node && screen.marked.contains(&vertex.name);
    let (sign, role) = match (vertex.kind, screen.state(id)) {
        _ if marked => (paint.glyphs.mark, Role::Mark),
        (VertexKind::Namespace, Some(view::NodeStatus::NeverRun) | None) => {
            (paint.glyphs.closed, Role::Title)
        }
        (VertexKind::Node | VertexKind::Namespace, Some(worst)) => paint.glyphs.of_state(worst),
        (VertexKind::Node, None) => (paint.glyphs.node, Role::Node),
        (VertexKind::Dataset, _) => (paint.glyphs.dataset, Role::Dataset),
        (VertexKind::Parameters, _) => (paint.glyphs.parameters, Role::Parameters),
    };
    let text = match vertex.kind {
        VertexKind::Node => Role::Node,
        VertexKind::Namespace => Role::Title,
        VertexKind::Dataset => Role::Dataset,
        VertexKind::Parameters => Role::Parameters,
    };
    let hidden = plot.view.hidden_inputs[id].len();
    let badge =
        if hidden > 0 { format!("{}{hidden}", paint.glyphs.parameters) } else { String::new() };
    Look { sign, role, text, badge }
}

/// Draws a vertex.
pub(super) fn vertex(
    paint: &mut Paint<'_>,
    canvas: &Canvas,
    screen: &PipelineScreen,
    shared: &Shared,
    id: Id,
    selected: bool,
) {
    let plot = &screen.plot;
    let (vertex, place) = (&plot.view.graph.vertices[id], &plot.layout.boxes[id]);
    let Some(seen) = canvas.rect(place) else { return };
    let boxed = plot.boxes && matches!(vertex.kind, VertexKind::Node | VertexKind::Namespace);
    let look = look(paint, screen, id);
    let (sign, role, text_role) = (look.sign, look.role, look.text);
    // The background of a band stays behind the vertex.
    if plot.bands.is_empty() {
        paint.fill(seen, Role::Background);
    }
    let (hidden, badge) = (!look.badge.is_empty(), look.badge);
    if boxed {
        let border = match role {
            _ if selected => Role::Focus,
            Role::Node | Role::Title => Role::Border,
            role => role,
        };
        canvas.outline(paint, place, paint.glyphs.lines, border);
        if hidden {
            let badge = format!(" {badge} ");
            let x = place.x + place.width - 1 - width(&badge) as i32;
            canvas.put(paint, x, place.y, &badge, Role::Parameters);
        }
        match vertex.kind {
            VertexKind::Node => time(paint, canvas, screen, shared, id),
            _ => counts(paint, canvas, screen, id),
        }
    }
    if !boxed && place.height > 1 {
        brackets(paint, canvas, place, if selected { Role::Focus } else { Role::Border });
    }
    let y = place.y + (place.height - 1) / 2;
    let mut x = place.x + if boxed { 2 } else { 1 };
    // A namespace shows the statuses of its nodes beside its glyph.
    if vertex.kind == VertexKind::Namespace && role != Role::Title {
        x += canvas.put(paint, x, y, paint.glyphs.closed, Role::Title);
    }
    x += canvas.put(paint, x, y, sign, role) + 1;
    x += canvas.put(paint, x, y, &plot.labels[id], text_role) + 1;
    if vertex.kind == VertexKind::Namespace {
        let nodes = Plot::nodes(&plot.whole, &plot.view, id).to_string();
        x += canvas.put(paint, x, y, &nodes, Role::Dim) + 1;
    }
    if !boxed && hidden {
        canvas.put(paint, x, y, &badge, Role::Parameters);
    }
    if selected {
        // A box shows its status by its border; only its inside shows the selection.
        let mut inside = *place;
        if boxed {
            inside = layout::Rect {
                x: place.x + 1,
                y: place.y + 1,
                width: place.width - 2,
                height: place.height - 2,
            };
        }
        let Some(inside) = canvas.rect(&inside) else { return };
        paint.restyle(inside, Role::Selection);
        if !focused(shared) {
            let style = Style::new().remove_modifier(Modifier::BOLD);
            paint.buffer.set_style(inside, style);
        }
    }
}

/// Draws the sides of a single-line vertex that is taller because of the lines at its side.
fn brackets(paint: &mut Paint<'_>, canvas: &Canvas, place: &layout::Rect, role: Role) {
    let [_, down, upper_left, upper_right, lower_left, lower_right] = paint.glyphs.lines;
    let (right, bottom) = (place.x + place.width - 1, place.y + place.height - 1);
    for y in place.y..=bottom {
        let (left_sign, right_sign) = match y {
            _ if y == place.y => (upper_left, upper_right),
            _ if y == bottom => (lower_left, lower_right),
            _ => (down, down),
        };
        canvas.put(paint, place.x, y, left_sign, role);
        canvas.put(paint, right, y, right_sign, role);
    }
}

/// The statuses of the nodes that a displayed vertex represents, counted.
pub(super) fn sum(screen: &PipelineScreen, id: Id) -> Sum {
    let members = screen.plot.view.members[id].iter();
    members.filter_map(|member| screen.states.get(*member).copied().flatten()).collect()
}

/// Draws the time of a running or finished node on the lower edge of its box.
fn time(paint: &mut Paint<'_>, canvas: &Canvas, screen: &PipelineScreen, shared: &Shared, id: Id) {
    let plot = &screen.plot;
    let (name, place) = (&plot.view.graph.vertices[id].name, &plot.layout.boxes[id]);
    let fits = |time: &String| width(time) as i32 + 2 < place.width;
    if let Some(time) =
        node_times(shared, name).into_iter().map(|time| format!(" {time} ")).find(fits)
    {
        let start = place.x + place.width - 2 - width(&time) as i32;
        canvas.put(paint, start, place.y + 2, &time, Role::Dim);
    }
}

/// The time of a running or finished node: in a long form, with the estimated time left, and in a short one.
pub(super) fn node_times(shared: &Shared, name: &str) -> Vec<String> {
    match shared.node_run(name).map(|(_, node)| node) {
        Some(NodeState::Done(seconds) | NodeState::Failed(seconds)) => vec![seconds_text(*seconds)],
        Some(NodeState::Running(since)) => {
            let seconds = seconds_text(shared.now - since);
            let left = shared.node_left(name, *since).map(left_text);
            let long = left.as_ref().map(|left| format!("{seconds}, {left}"));
            long.into_iter().chain(left).chain([seconds]).collect()
        }
        _ => Vec::new(),
    }
}

/// Draws the counts of a namespace's statuses, the worst first, on the lower edge of its box, as far as there is room.
fn counts(paint: &mut Paint<'_>, canvas: &Canvas, screen: &PipelineScreen, id: Id) {
    let sum = sum(screen, id);
    let place = &screen.plot.layout.boxes[id];
    let (mut x, right) = (place.x + 2, place.x + place.width - 2);
    let told = sum.counts().filter(|(state, _)| *state != view::NodeStatus::NeverRun);
    for (state, count) in told {
        let (sign, role) = paint.glyphs.of_state(state);
        let count = format!("{count} ");
        if x + 2 + width(&count) as i32 > right {
            break;
        }
        x += canvas.put(paint, x, place.y + 2, &format!(" {sign}"), role);
        x += canvas.put(paint, x, place.y + 2, &count, Role::Dim);
        x -= 1;
    }
}
