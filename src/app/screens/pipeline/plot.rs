//! A drawing of a pipeline: positions of boxes and lines, and the neighbours of each box.

use std::sync::Arc;

use super::zoom::Zoom;
use crate::dag::lanes::Lanes;
use crate::dag::layout::{Layout, Lines, Rect, TooLarge};
use crate::dag::view::Choices;
use crate::dag::{Graph, Id, VertexKind, View};

/// The longest label, in cells; longer names are cut.
pub const LONGEST_NAME: usize = 40;

/// A drawing: a graph with its layout.
#[derive(Debug, Clone, Default)]
pub struct Plot {
    /// Name of the pipeline.
    pub pipeline: String,
    /// The whole graph of the pipeline.
    pub whole: Arc<Graph>,
    /// The part of the graph that is drawn.
    pub view: View,
    /// The label of each vertex in the drawing.
    pub labels: Vec<String>,
    /// The name of each vertex, if the graph is shown as a list.
    pub names: Vec<String>,
    /// The positions.
    pub layout: Layout,
    /// The index of lines and boxes by position.
    pub lines: Lines,
    /// The bands of the layers, if they were requested.
    pub bands: Vec<Band>,
    /// Layers that form a cycle, which makes bands impossible.
    pub circle: Vec<String>,
    /// The graph as a list with lanes, if it was requested.
    pub lanes: Option<Lanes>,
    /// The size that the drawing was made for.
    pub zoom: Zoom,
    /// Whether nodes are boxes instead of single lines.
    pub boxes: bool,
    /// Whether edges point to the right instead of downwards.
    pub sideways: bool,
    /// Set if the graph is too large to be drawn; nothing is drawn then.
    pub too_large: Option<TooLarge>,
    /// How the graph fits the window, if this was wanted; `None` for the overview.
    pub fitted: Option<Fitted>,
    /// Whether this is the final drawing; a quick first one is followed by another.
    pub refined: bool,
}

/// How a graph fits the window.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// What of the graph is displayed.
    pub choices: Choices,
    /// Whether the list with lanes fits, and the drawing does not.
    pub lanes: bool,
}

/// The band of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// The layer.
    pub name: String,
    /// The first row of the band, or with edges to the right its first column.
    pub from: i32,
    /// The row or column after the last of the band.
    pub to: i32,
}

/// A direction on the drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Way {
    Up,
    Down,
    Left,
    Right,
}

impl Plot {
    /// The displayed graph.
    pub fn graph(&self) -> &Graph {
        &self.view.graph
    }

    /// The number of nodes that a displayed vertex represents.
    pub fn nodes(whole: &Graph, view: &View, id: Id) -> usize {
        let members = view.members[id].iter();
        members.filter(|id| whole.vertices[**id].kind == VertexKind::Node).count()
    }

    /// The box at a cell of the drawing.
    pub fn at(&self, x: i32, y: i32) -> Option<Id> {
        self.lines.boxes(&self.layout, Rect { x, y, width: 1, height: 1 }).pop()
    }

    /// The expanded namespace whose title covers a cell, as an index of the view's groups.
    pub fn title_at(&self, x: i32, y: i32) -> Option<usize> {
        let on = |group: &usize| {
            let frame = self.layout.frames.get(*group).copied().flatten();
            frame.is_some_and(|frame| {
                let right = frame.area.x + frame.area.width - 1;
                frame.title.1 == y && frame.title.0 <= x && x < right
            })
        };
        (0..self.view.groups.len()).rev().find(on)
    }

    /// The displayed vertex that represents a vertex of the whole graph: itself, or a collapsed namespace.
    pub fn stands_for(&self, kind: VertexKind, name: &str) -> Option<Id> {
        let shown = || self.view.shown_by[self.whole.find(kind, name)?];
        self.view.graph.find(kind, name).or_else(shown)
    }

    /// Whether a vertex of this kind and name is displayed.
    pub fn has(&self, (kind, name): &(VertexKind, String)) -> bool {
        self.view.graph.find(*kind, name).is_some()
    }

    /// The next box from `from` in a direction: the nearest one along an edge, else the nearest one. A box straight
    /// ahead counts as nearer than one at the side.
    pub fn next(&self, from: Id, way: Way) -> Option<Id> {
        let graph = &self.view.graph;
        let along = match (self.sideways, way) {
            (false, Way::Down) | (true, Way::Right) => graph.children.get(from)?.as_slice(),
            (false, Way::Up) | (true, Way::Left) => graph.parents.get(from)?.as_slice(),
            _ => &[],
        };
        let nearest = |ids: &mut dyn Iterator<Item = Id>| {
            let others = ids.filter(|id| *id != from);
            let far = others.filter_map(|id| Some((self.distance(from, id, way)?, id)));
            far.min().map(|(_, id)| id)
        };
        nearest(&mut along.iter().copied()).or_else(|| nearest(&mut (0..graph.vertices.len())))
    }

    /// The distance of a box in a direction; `None` if the box does not lie there.
    fn distance(&self, from: Id, to: Id, way: Way) -> Option<i32> {
        let (start, other) = (self.layout.boxes.get(from)?, self.layout.boxes.get(to)?);
        let (ahead, aside) = match way {
            Way::Up => (start.y - (other.y + other.height - 1), gap_x(start, other)),
            Way::Down => (other.y - (start.y + start.height - 1), gap_x(start, other)),
            Way::Left => (start.x - (other.x + other.width - 1), gap_y(start, other)),
            Way::Right => (other.x - (start.x + start.width - 1), gap_y(start, other)),
        };
        // A cell is twice as high as it is wide.
        let (ahead, aside) = match way {
            Way::Up | Way::Down => (ahead * 2, aside),
            Way::Left | Way::Right => (ahead, aside * 6),
        };
        (ahead > 0).then_some(ahead + aside * 2)
    }
}

fn gap_x(a: &Rect, b: &Rect) -> i32 {
    apart(a.x + a.width / 2, b.x, b.x + b.width - 1)
}

fn gap_y(a: &Rect, b: &Rect) -> i32 {
    apart(a.y + a.height / 2, b.y, b.y + b.height - 1)
}

fn apart(at: i32, start: i32, end: i32) -> i32 {
    (start - at).max(at - end).max(0)
}
