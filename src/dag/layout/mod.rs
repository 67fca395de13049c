//! The layout of a graph: where each vertex and edge is drawn, in terminal cells.
//!
//! The method is the layered drawing of Sugiyama, Tagawa and Toda (1981), with a file for each step:
//!
//! - `plan`, `nested`: each group is drawn separately and then treated as one box in its parent's drawing.
//! - `sheet`: runs all steps for a single drawing.
//! - `layers`, `rank`: break cycles, assign layers to items, and add bends where edges span several layers.
//! - `bands`: moves items to later layers so that bands are separate.
//! - `order`, `shake`, `ends`: order the points within layers to reduce crossings.
//! - `ports`: assigns the cells of a box where its lines leave and enter.
//! - `place`: assigns columns by Brandes and Koepf (2001). Its compaction over blocks does not have the flaw
//!   that their erratum (arXiv 2008.01252) corrects.
//! - `blocks`: the columns of points joined by straight lines; cuts lines that make a drawing wide.
//! - `straighten`: removes jogs from lines, and moves boxes towards their neighbours.
//! - `route`: orthogonal lines in the channels between layers, by channel routing with doglegs (Deutsch 1976).
//! - `pack`: places connected parts beside one another.
//! - `keep`: replaces some of these steps if a drawing must stay similar to the previous one.
//! - `cells`: the drawn lines cell by cell, for the visible part of the drawing.
//!
//! All steps work from top to bottom, on rows (along the edges) and columns (across them). For the other
//! direction the sizes are transposed before and the drawing after. Each connected part is laid out alone and
//! the parts are packed.

mod bands;
mod blocks;
mod cells;
mod ends;
mod keep;
mod layers;
mod nested;
mod order;
mod pack;
mod place;
mod plan;
mod ports;
mod rank;
mod route;
mod shake;
mod sheet;
mod straighten;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};

pub use self::cells::{DOWN, HEAD, LEFT, LineCell, Lines, RIGHT, UP};
use self::keep::Memory;
use super::Graph;

/// The direction in which edges point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// From top to bottom.
    #[default]
    TopBottom,
    /// From left to right.
    LeftRight,
}

/// How much work a layout may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effort {
    /// A quick first drawing with more crossings: 10,000 vertices take less than 100 ms.
    Quick,
    /// The final drawing, with as few crossings as the budget allows.
    #[default]
    Full,
}

/// A rectangle in cells; `x` and `y` are its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rect {
    /// Column of the left edge.
    pub x: i32,
    /// Row of the top edge.
    pub y: i32,
    /// Width in cells.
    pub width: i32,
    /// Height in cells.
    pub height: i32,
}

impl Rect {
    /// Whether the two rectangles overlap.
    pub fn meets(&self, other: &Rect) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    /// The direction ([`UP`] and so on) from a cell that touches the rectangle.
    pub fn way_from(&self, (x, y): (i32, i32)) -> u8 {
        match () {
            () if y < self.y => DOWN,
            () if y >= self.y + self.height => UP,
            () if x < self.x => RIGHT,
            () => LEFT,
        }
    }
}

/// The input of a layout. Vertices and groups are numbered from 0.
#[derive(Debug, Clone, Default)]
pub struct Sketch {
    /// The direction in which edges point.
    pub direction: Direction,
    /// The size of each vertex's box (width, height) in cells. A box grows across the direction of the edges
    /// if it is too small for the lines that meet it.
    pub sizes: Vec<(i32, i32)>,
    /// Source and target of each edge. Self-loops and duplicates are not drawn.
    pub edges: Vec<(usize, usize)>,
    /// The innermost group of each vertex; may be shorter than `sizes`, the other vertices have none.
    pub group_of: Vec<Option<usize>>,
    /// The band of each vertex, if any; may be shorter than `sizes`. In the direction of the edges, each band
    /// begins after all earlier bands have ended. Only for sketches without groups.
    pub bands: Vec<Option<usize>>,
    /// Groups, drawn as a frame around their vertices. Empty groups are not drawn.
    pub groups: Vec<Group>,
}

/// A group of vertices, such as an expanded namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Group {
    /// The group that contains this one; a group must not contain itself.
    pub parent: Option<usize>,
    /// Width of the title in cells.
    pub title: i32,
}

/// The frame of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frame {
    /// The rectangle of its border, which is one cell wide.
    pub area: Rect,
    /// The first cell of the title, on the upper border, where no line crosses.
    pub title: (i32, i32),
}

/// A drawn edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The vertex where the edge starts.
    pub source: usize,
    /// The vertex where the edge ends.
    pub target: usize,
    /// The first cell, the turns and the last cell; the first cell touches the source's box, the last one the
    /// target's.
    pub corners: Vec<(i32, i32)>,
}

impl Route {
    /// The cells of the edge in order; consecutive cells share a side.
    pub fn cells(&self) -> impl Iterator<Item = (i32, i32)> + '_ {
        let legs = self.corners.windows(2).flat_map(|pair| {
            let (from, to) = (pair[0], pair[1]);
            let (dx, dy) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
            let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs());
            (1..=steps).map(move |step| (from.0 + dx * step, from.1 + dy * step))
        });
        self.corners.first().copied().into_iter().chain(legs)
    }
}

/// A drawing of a graph.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// The direction in which edges point.
    pub direction: Direction,
    /// A box for each vertex, by id; all coordinates are at least zero.
    pub boxes: Vec<Rect>,
    /// The frame of each group; `None` for an empty group.
    pub frames: Vec<Option<Frame>>,
    /// The drawn edges, sorted by source and target.
    pub routes: Vec<Route>,
    /// Width of the whole drawing in cells.
    pub width: i32,
    /// Height of the whole drawing in cells.
    pub height: i32,
    memory: Memory,
}

/// The previous layout, which the new one should resemble, and the mapping of ids.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// The earlier layout; ignored if it has another direction.
    pub layout: &'a Layout,
    /// For each vertex, its id in the earlier layout; `None` for a new one.
    pub vertices: &'a [Option<usize>],
    /// For each group, its counterpart in the earlier layout.
    pub groups: &'a [Option<Stand>],
}

/// The counterpart of a group in the earlier layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// The same group, with this id.
    Group(usize),
    /// The vertex that represented the group while it was collapsed.
    Vertex(usize),
}

/// Most vertices of a drawing. More take seconds and hundreds of megabytes, and the result is unreadable.
const MOST_VERTICES: usize = 100_000;
/// Most edges of a drawing.
const MOST_EDGES: usize = 1_000_000;

/// A sketch has more vertices or edges than can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{vertices} vertices and {edges} edges are more than can be drawn, \
     {MOST_VERTICES} and {MOST_EDGES}"
)]
pub struct TooLarge {
    /// Number of vertices.
    pub vertices: usize,
    /// Number of edges.
    pub edges: usize,
}

/// The layout was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the layout was cancelled")]
pub struct Stopped;

/// Computes the layout of a sketch.
///
/// The result is deterministic and independent of the machine. With `before`, old vertices keep their layer,
/// order and place as far as the edges allow; without, everything is arranged from scratch. Each edge leaves
/// its source on the side in the direction of the edges, and enters its target on the opposite side; only an
/// edge that closes a cycle runs the other way. Lines share cells only if they have the same source. In a
/// graph so tangled that its edges span a million layers in total, the longest edges are not drawn.
///
/// # Errors
///
/// [`Stopped`] soon after `cancel` is set.
pub fn layout(
    sketch: &Sketch,
    effort: Effort,
    before: Option<Before<'_>>,
    cancel: &AtomicBool,
) -> Result<Layout, Stopped> {
    nested::draw(sketch, effort, before, &Stop(cancel))
}

impl Sketch {
    /// A sketch of a whole graph without groups; `size` gives each vertex's box size (width, height) in
    /// cells.
    pub fn of(graph: &Graph, direction: Direction, size: impl Fn(usize) -> (i32, i32)) -> Self {
        let edges = graph.children.iter().enumerate();
        let edges = edges.flat_map(|(from, children)| children.iter().map(move |to| (from, *to)));
        Sketch {
            direction,
            sizes: (0..graph.vertices.len()).map(size).collect(),
            edges: edges.collect(),
            ..Sketch::default()
        }
    }

    /// An error if the sketch is too large to be drawn in a few seconds.
    pub fn too_large(&self) -> Option<TooLarge> {
        let (vertices, edges) = (self.sizes.len(), self.edges.len());
        let too_large = vertices > MOST_VERTICES || edges > MOST_EDGES;
        too_large.then_some(TooLarge { vertices, edges })
    }

    /// A layout with full effort, from scratch.
    pub fn layout(&self) -> Layout {
        // The flag is never set.
        layout(self, Effort::Full, None, &AtomicBool::new(false)).unwrap_or_default()
    }
}

impl Layout {
    /// The number of cells of all edges; shared cells count once per edge.
    pub fn line_cells(&self) -> u64 {
        let legs = self.routes.iter().flat_map(|route| route.corners.windows(2));
        let length = |leg: &[(i32, i32)]| leg[0].0.abs_diff(leg[1].0) + leg[0].1.abs_diff(leg[1].1);
        legs.map(|leg| u64::from(length(leg))).sum()
    }
}

/// A check of the cancellation flag.
struct Stop<'a>(&'a AtomicBool);

impl Stop<'_> {
    fn check(&self) -> Result<(), Stopped> {
        if self.0.load(Ordering::Relaxed) { Err(Stopped) } else { Ok(()) }
    }
}

/// A box's size relative to the direction of the edges.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    across: i32,
    along: i32,
}

/// Where a line crosses the edge of a group's frame.
#[derive(Debug, Clone, Copy)]
struct Port {
    owner: usize,
    /// Whether the line runs against the direction of the edges.
    back: bool,
    /// Whether the port is on the side in the direction of the edges, else on the opposite side.
    bottom: bool,
    /// Distance from the left edge of the frame.
    offset: i32,
}

/// The minimum distances of a drawing, in cells.
#[derive(Debug, Clone, Copy)]
struct Spacing {
    /// Between two boxes of a layer.
    boxes: i32,
    /// Between two boxes that are one cell wide (across the edges).
    chips: i32,
    /// Between a line and its neighbour in a layer.
    lines: i32,
    /// Between two horizontal segments that share a track.
    segments: i32,
    /// Rows before the first track of a channel.
    lead: i32,
    /// Rows after the last track of a channel, including the arrow's cell.
    tail: i32,
    /// Whether boxes are centred in their layer, else at its start.
    centred: bool,
    /// Between a frame and its contents, across the edges.
    padding: i32,
    /// Width across the edges up to which a drawing has straight lines rather than little width: most of a
    /// screen.
    roomy: i32,
    /// Width up to which larger drawings have straight lines, in percent of the width of their widest layer.
    /// Chips have no gaps between them, so a drawing to the right is given more: with less, single edits moved many boxes
    /// in the test of stability.
    stretch: i32,
}

impl Spacing {
    fn of(direction: Direction) -> Self {
        match direction {
            Direction::TopBottom => Spacing {
                boxes: 2,
                chips: 2,
                lines: 1,
                segments: 1,
                lead: 0,
                tail: 1,
                centred: true,
                padding: 1,
                roomy: 100,
                stretch: 110,
            },
            Direction::LeftRight => Spacing {
                boxes: 1,
                chips: 0,
                lines: 0,
                segments: 0,
                lead: 1,
                tail: 2,
                centred: false,
                padding: 0,
                roomy: 30,
                stretch: 150,
            },
        }
    }
}
