//! The drawing of a pipeline: boxes, lines, and the way from one to the next.

use std::sync::Arc;

use super::zoom::Zoom;
use crate::dag::lanes::Lanes;
use crate::dag::layout::{Layout, Lines, Rect, TooLarge};
use crate::dag::{Graph, Id, VertexKind, View};

/// Longest name drawn, in cells; longer ones are cut.
pub const LONGEST_NAME: usize = 40;

/// A laid out graph.
#[derive(Debug, Clone, Default)]
pub struct Plot {
    /// Name of the pipeline.
    pub pipeline: String,
    /// The whole graph of the pipeline.
    pub whole: Arc<Graph>,
    /// What of it is drawn.
    pub view: View,
    /// What stands on each vertex.
    pub labels: Vec<String>,
    /// Where.
    pub layout: Layout,
    /// Where lines and boxes are seen.
    pub lines: Lines,
    /// The layers' bands, where they were asked for.
    pub bands: Vec<Band>,
    /// Layers that depend on each other in a circle, so that there can be no bands.
    pub circle: Vec<String>,
    /// The same as a list, where that was asked for.
    pub lanes: Option<Lanes>,
    /// How large it was meant to be seen when it was made.
    pub zoom: Zoom,
    /// Nodes as boxes instead of in one row.
    pub boxes: bool,
    /// To the right instead of downwards.
    pub sideways: bool,
    /// Why nothing is drawn, where it is more than can be.
    pub too_large: Option<TooLarge>,
    /// Whether it is the picture that stays; a first one is made in haste.
    pub refined: bool,
}

/// The band of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// The layer.
    pub name: String,
    /// The first row of it, or with edges to the right the first column.
    pub from: i32,
    /// The row or column after its last.
    pub to: i32,
}

/// A way to go on the drawing.
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

    /// How many nodes a displayed vertex stands for.
    pub fn nodes(whole: &Graph, view: &View, id: Id) -> usize {
        let members = view.members[id].iter();
        members.filter(|id| whole.vertices[**id].kind == VertexKind::Node).count()
    }

    /// The box at a cell of the drawing.
    pub fn at(&self, x: i32, y: i32) -> Option<Id> {
        self.lines.boxes(&self.layout, Rect { x, y, width: 1, height: 1 }).pop()
    }

    /// The expanded namespace on whose title a cell lies, as an index of the view's groups.
    pub fn title_at(&self, x: i32, y: i32) -> Option<usize> {
        let on = |group: &usize| {
            let frame = self.layout.frames.get(*group).copied().flatten();
            frame.is_some_and(|it| {
                let right = it.area.x + it.area.width - 1;
                it.title.1 == y && it.title.0 <= x && x < right
            })
        };
        (0..self.view.groups.len()).rev().find(on)
    }

    /// The displayed vertex that stands for a vertex of the whole graph.
    pub fn stands_for(&self, kind: VertexKind, name: &str) -> Option<Id> {
        let shown = || self.view.shown_by[self.whole.find(kind, name)?];
        self.view.graph.find(kind, name).or_else(shown)
    }

    /// Whether it shows a vertex of that kind and name.
    pub fn has(&self, (kind, name): &(VertexKind, String)) -> bool {
        self.view.graph.find(*kind, name).is_some()
    }

    /// The next box from `from` that way: at the end of an edge if one leads there, else the nearest. What lies straight
    /// ahead is nearer than what lies aside.
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

    /// How far a box lies that way; `None` for what lies elsewhere.
    fn distance(&self, from: Id, to: Id, way: Way) -> Option<i32> {
        let (start, other) = (self.layout.boxes.get(from)?, self.layout.boxes.get(to)?);
        let (ahead, aside) = match way {
            Way::Up => (start.y - (other.y + other.height - 1), gap_x(start, other)),
            Way::Down => (other.y - (start.y + start.height - 1), gap_x(start, other)),
            Way::Left => (start.x - (other.x + other.width - 1), gap_y(start, other)),
            Way::Right => (other.x - (start.x + start.width - 1), gap_y(start, other)),
        };
        // Cells are twice as high as wide.
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
