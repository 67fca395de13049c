//! A drawing as a picture to keep: the whole of it, as text or as SVG, with the signs and colours of the screen.
//!
//! Nothing of the screen's state is in it; it is made band by band, so that large drawings fit into memory.

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

/// Rows that are made at a time.
const BAND: i32 = 64;

/// Makes a picture of the drawing that is on the screen, with how everything stands.
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

/// What is written in a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// What the box stands for.
    pub kind: VertexKind,
    /// Its name, without control characters.
    pub text: String,
    /// Whether it has an outline of three rows, else it takes one row.
    pub boxed: bool,
    /// How it stands, if that is to be told.
    pub state: Option<view::NodeStatus>,
}

impl Label {
    /// Width and height of the box that it needs, in cells.
    pub fn size(&self) -> (i32, i32) {
        let text = width(&self.text) as i32;
        if self.boxed { (text + 6, 3) } else { (text + 4, 1) }
    }
}

/// A layout with what is written in it.
#[derive(Debug)]
pub struct Picture<'a> {
    layout: &'a Layout,
    lines: Lines,
    labels: &'a [Label],
    titles: &'a [String],
}

impl<'a> Picture<'a> {
    /// A picture of a layout with a label for each vertex and a title for each group, as wide as the layout was made for.
    pub fn of(layout: &'a Layout, labels: &'a [Label], titles: &'a [String]) -> Self {
        Picture { layout, lines: Lines::of(layout), labels, titles }
    }

    /// The areas from top to bottom that the picture is made of.
    fn bands(&self) -> impl Iterator<Item = Rect> + use<> {
        let (width, height) = (self.layout.width, self.layout.height);
        let starts = (0..height).step_by(BAND as usize);
        starts.map(move |y| Rect { x: 0, y, width, height: BAND.min(height - y) })
    }

    /// The labelled boxes that lie in a band, with where the text begins.
    fn boxes(&self, band: Rect) -> impl Iterator<Item = (&'a Label, Rect, (i32, i32))> {
        self.lines.boxes(self.layout, band).into_iter().filter_map(|id| {
            let (label, area) = (self.labels.get(id)?, self.layout.boxes[id]);
            let inset = if label.boxed { 2 } else { 1 };
            Some((label, area, (area.x + inset, area.y + (area.height - 1) / 2)))
        })
    }

    /// The frames that lie in a band, with their titles and where these begin.
    fn frames(&self, band: Rect) -> impl Iterator<Item = (Rect, &'a str, (i32, i32))> {
        let frames = std::iter::zip(&self.layout.frames, self.titles);
        frames.filter_map(move |(frame, title)| {
            let frame = frame.filter(|frame| frame.area.meets(&band))?;
            Some((frame.area, title.as_str(), frame.title))
        })
    }

    /// Where routes leave outlines in a band: a cell of the outline and the way that they leave it.
    fn exits(&self, band: Rect) -> impl Iterator<Item = ((i32, i32), u8)> {
        let routes = self.layout.routes.iter();
        let routes =
            routes.filter(|route| self.labels.get(route.source).is_some_and(|it| it.boxed));
        routes.filter_map(move |route| {
            let start = *route.corners.first()?;
            let way = opposite(self.layout.boxes[route.source].way_from(start));
            let cell = step(start, opposite(way));
            within(&band, cell).then_some((cell, way))
        })
    }

    /// The heads of routes in a band, with the way they point.
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
    /// Its sign, and the role of the sign.
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
