//! Export of a whole drawing as text or SVG, with the glyphs and colours of the screen.
//!
//! The output does not depend on scrolling or selection. It is made band by band, so that large drawings fit
//! into memory.

mod svg;
mod text;

use super::glyphs::Glyphs;
use super::theme::Role;
use crate::app::State;
use crate::app::screens::pipeline::Plot;
use crate::dag::layout::{DOWN, LEFT, RIGHT, Rect, Route, UP};
use crate::dag::view;
use crate::dag::{Layout, Lines, VertexKind};
use crate::text::{sanitize, width};

/// Rows of a band.
const BAND: i32 = 64;

/// Makes a picture of the drawing on the screen, with statuses.
pub fn screen_picture<T>(state: &State, make: impl FnOnce(&Picture<'_>) -> T) -> T {
    let plot = &state.pipeline.plot;
    let vertices = plot.view.graph.vertices.iter().enumerate();
    let labels: Vec<Label> = vertices
        .map(|(id, vertex)| Label {
            kind: vertex.kind,
            text: match vertex.kind {
                VertexKind::Namespace => {
                    format!("{} {}", plot.labels[id], Plot::nodes(&plot.whole, &plot.view, id))
                }
                _ => plot.labels[id].clone(),
            },
            boxed: plot.boxes && matches!(vertex.kind, VertexKind::Node | VertexKind::Namespace),
            state: state.pipeline.state(id),
        })
        .collect();
    let titles: Vec<String> = plot
        .view
        .groups
        .iter()
        .map(|group| format!(" {} ", sanitize(group.short_name())))
        .collect();
    make(&Picture::of(&plot.layout, &labels, &titles))
}

/// The text of a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The kind of vertex.
    pub kind: VertexKind,
    /// The name without control characters.
    pub text: String,
    /// Whether the vertex has an outline of three rows instead of a single row.
    pub boxed: bool,
    /// The status, if one is shown.
    pub state: Option<view::NodeStatus>,
}

impl Label {
    /// Width and height of the box, in cells.
    pub fn size(&self) -> (i32, i32) {
        let text = width(&self.text) as i32;
        if self.boxed { (text + 6, 3) } else { (text + 4, 1) }
    }
}

/// A layout with its labels.
#[derive(Debug)]
pub struct Picture<'a> {
    layout: &'a Layout,
    lines: Lines,
    labels: &'a [Label],
    titles: &'a [String],
}

impl<'a> Picture<'a> {
    /// A picture of a layout with a label for each vertex and a title for each group. The layout must have been
    /// made for these widths.
    pub fn of(layout: &'a Layout, labels: &'a [Label], titles: &'a [String]) -> Self {
        Picture { layout, lines: Lines::of(layout), labels, titles }
    }

    /// The bands of the picture from top to bottom.
    fn bands(&self) -> impl Iterator<Item = Rect> + use<> {
        let (width, height) = (self.layout.width, self.layout.height);
        let starts = (0..height).step_by(BAND as usize);
        starts.map(move |y| Rect { x: 0, y, width, height: BAND.min(height - y) })
    }

    /// The labelled boxes in a band, each with the start of its text.
    fn boxes(&self, band: Rect) -> impl Iterator<Item = (&'a Label, Rect, (i32, i32))> {
        self.lines.boxes(self.layout, band).into_iter().filter_map(|id| {
            let (label, area) = (self.labels.get(id)?, self.layout.boxes[id]);
            let inset = if label.boxed { 2 } else { 1 };
            Some((label, area, (area.x + inset, area.y + (area.height - 1) / 2)))
        })
    }

    /// The frames in a band, each with its title and the start of the title.
    fn frames(&self, band: Rect) -> impl Iterator<Item = (Rect, &'a str, (i32, i32))> {
        let frames = std::iter::zip(&self.layout.frames, self.titles);
        frames.filter_map(move |(frame, title)| {
            let frame = frame.filter(|frame| frame.area.meets(&band))?;
            Some((frame.area, title.as_str(), frame.title))
        })
    }

    /// The cells in a band where routes leave outlines, with the direction.
    fn exits(&self, band: Rect) -> impl Iterator<Item = ((i32, i32), u8)> {
        let routes = self.layout.routes.iter();
        let routes =
            routes.filter(|route| self.labels.get(route.source).is_some_and(|label| label.boxed));
        routes.filter_map(move |route| {
            let start = *route.corners.first()?;
            let way = opposite(self.layout.boxes[route.source].way_from(start));
            let cell = step(start, opposite(way));
            within(&band, cell).then_some((cell, way))
        })
    }

    /// The arrow heads in a band, with their directions.
    fn heads(&self, band: Rect) -> impl Iterator<Item = ((i32, i32), u8)> {
        self.layout.routes.iter().filter_map(move |Route { target, corners, .. }| {
            let end = *corners.last()?;
            within(&band, end).then(|| (end, self.layout.boxes[*target].way_from(end)))
        })
    }
}

fn within(area: &Rect, (x, y): (i32, i32)) -> bool {
    area.meets(&Rect { x, y, width: 1, height: 1 })
}

fn step((x, y): (i32, i32), way: u8) -> (i32, i32) {
    match way {
        UP => (x, y - 1),
        DOWN => (x, y + 1),
        LEFT => (x - 1, y),
        _ => (x + 1, y),
    }
}

fn opposite(way: u8) -> u8 {
    match way {
        UP => DOWN,
        DOWN => UP,
        LEFT => RIGHT,
        _ => LEFT,
    }
}

impl Label {
    /// The glyph of the label, and the glyph's role.
    fn look(&self, glyphs: &'static Glyphs) -> (&'static str, Role) {
        let told = self.state.filter(|state| *state != view::NodeStatus::NeverRun);
        match (self.kind, told) {
            (_, Some(state)) => glyphs.of_state(state),
            (VertexKind::Node, None) => (glyphs.node, Role::Node),
            (VertexKind::Namespace, None) => (glyphs.closed, Role::Node),
            (VertexKind::Dataset, None) => (glyphs.dataset, Role::Dataset),
            (VertexKind::Parameters, None) => (glyphs.parameters, Role::Parameters),
        }
    }
}
