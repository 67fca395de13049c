//! The drawing of a pipeline: boxes, lines, and the way from one to the next.

use super::state::View;
use crate::dag::layout::{Direction, Layout, Lines, Rect, Sketch};
use crate::dag::{Graph, Id, Kind};
use crate::project::Pipeline;
use crate::text::width;

/// Longest name drawn, in cells; longer ones are cut.
pub const LONGEST_NAME: usize = 40;

/// A laid out graph.
#[derive(Debug, Clone, Default)]
pub struct Plot {
    /// What is drawn.
    pub graph: Graph,
    /// Where.
    pub layout: Layout,
    /// Where lines and boxes are seen.
    pub lines: Lines,
    /// Nodes as boxes instead of in one row.
    pub boxes: bool,
    /// To the right instead of downwards.
    pub sideways: bool,
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
    /// The drawing of a pipeline.
    pub fn of(pipeline: &Pipeline, view: View, sideways: bool, boxes: bool) -> Self {
        let whole = Graph::of(pipeline);
        let graph = match view {
            View::All => whole,
            View::NoParameters => whole.retain(false, |_, it| it.kind != Kind::Parameters),
            View::NodesAlone => {
                let data = whole.retain(false, |_, it| it.kind != Kind::Parameters);
                data.retain(true, |_, it| it.kind == Kind::Node)
            }
        };
        let direction = if sideways { Direction::LeftRight } else { Direction::TopBottom };
        let size = |id: Id| {
            let name = width(&graph.vertices[id].name).min(LONGEST_NAME) as i32;
            match graph.vertices[id].kind {
                Kind::Node if boxes => (name + 6, 3),
                _ => (name + 4, 1),
            }
        };
        let layout = Sketch::of(&graph, direction, size).layout();
        let lines = Lines::of(&layout);
        Plot { graph, layout, lines, boxes, sideways }
    }

    /// The box at a cell of the drawing.
    pub fn at(&self, x: i32, y: i32) -> Option<Id> {
        self.lines.boxes(&self.layout, Rect { x, y, width: 1, height: 1 }).pop()
    }

    /// The nearest box from `from` that way; what lies straight ahead is nearer than what lies aside.
    pub fn next(&self, from: Id, way: Way) -> Option<Id> {
        let start = self.layout.boxes.get(from)?;
        let far = |id: &Id| {
            let other = &self.layout.boxes[*id];
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
        };
        (0..self.layout.boxes.len())
            .filter(|id| *id != from)
            .filter_map(|id| Some((far(&id)?, id)))
            .min()
            .map(|(_, id)| id)
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
