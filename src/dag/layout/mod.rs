//! Where each vertex and edge of a graph is drawn, in terminal cells.
//!
//! The method is the layered drawing of Sugiyama, Tagawa and Toda (1981), a file for each step:
//!
//! - `plan`, `nested`: each group is drawn on its own and then stands as one box in its parent's drawing.
//! - `sheet`: one drawing from first to last.
//! - `layers`, `rank`: cycles are broken, items get layers, edges that span layers get a bend in each.
//! - `bands`: layers are moved on so that bands keep apart.
//! - `order`, `ends`: the order within layers, so that few lines cross.
//! - `ports`: the cells of a box where its lines leave and enter.
//! - `place`: coordinates by Brandes and Koepf (2001), with the compaction over blocks that avoids the flaw which their
//!   erratum (arXiv 2008.01252) corrects.
//! - `straighten`: jogs taken out of lines, and boxes pulled to what they lead to.
//! - `route`: orthogonal lines in the channels between layers, as in channel routing with doglegs (Deutsch 1976).
//! - `pack`: connected parts beside one another.
//! - `keep`: what takes the place of these where a drawing is to stay like the one before.
//! - `cells`: the drawn lines cell by cell, and what is visible in a part of the drawing.
//!
//! All steps work from top to bottom, on rows (along the edges) and columns (across them); for the other direction the
//! sizes are turned before and the drawing after. Each connected part is laid out alone and the parts are packed.

mod bands;
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
mod sheet;
mod straighten;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};

pub use self::cells::{DOWN, HEAD, LEFT, LineCell, Lines, RIGHT, UP};
use self::keep::Memory;
use super::Graph;

/// Which way the edges point.
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
    /// A first picture: more lines cross, 10,000 vertices take less than 100 ms.
    Quick,
    /// The drawing that is meant to stay.
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
    /// Whether the two share a cell.
    pub fn meets(&self, other: &Rect) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    /// Which way it lies ([`UP`] and so on) from a cell that touches it.
    pub fn way_from(&self, (x, y): (i32, i32)) -> u8 {
        match () {
            () if y < self.y => DOWN,
            () if y >= self.y + self.height => UP,
            () if x < self.x => RIGHT,
            () => LEFT,
        }
    }
}

/// What is to be drawn. Vertices and groups are numbered from 0.
#[derive(Debug, Clone, Default)]
pub struct Sketch {
    /// Which way the edges point.
    pub direction: Direction,
    /// The size of each vertex's box (width, height) in cells. A box that more lines meet than have room at its side
    /// grows across the direction of the edges.
    pub sizes: Vec<(i32, i32)>,
    /// Source and target of each edge. Edges from a vertex to itself are not drawn, nor is an edge drawn twice.
    pub edges: Vec<(usize, usize)>,
    /// The innermost group of each vertex; may be shorter than `sizes`, then the rest has none.
    pub group_of: Vec<Option<usize>>,
    /// The band of each vertex, as far as it has one; may be shorter than `sizes`. In the direction of the edges, each band
    /// begins where all of those before it have ended. Only for sketches without groups.
    pub bands: Vec<Option<usize>>,
    /// Groups that are drawn as a frame around their vertices. One that holds nothing is not drawn.
    pub groups: Vec<Group>,
}

/// A group of vertices, such as an expanded namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Group {
    /// The group that this one lies in; a group must not lie in itself.
    pub parent: Option<usize>,
    /// Width of its title in cells.
    pub title: i32,
}

/// The frame of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frame {
    /// Its outer edge, one cell wide.
    pub area: Rect,
    /// The first cell of its title, on the upper edge, where no line crosses.
    pub title: (i32, i32),
}

/// A drawn edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Vertex it starts from.
    pub source: usize,
    /// Vertex it leads to.
    pub target: usize,
    /// Where it starts, turns, and ends; the first cell touches the source's box, the last the target's.
    pub corners: Vec<(i32, i32)>,
}

impl Route {
    /// The cells it runs through in order, neighbours sharing a side.
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
    /// Which way the edges point.
    pub direction: Direction,
    /// A box for each vertex, by id; all coordinates are at least zero.
    pub boxes: Vec<Rect>,
    /// The frame of each group that holds anything.
    pub frames: Vec<Option<Frame>>,
    /// Edges, by source and target.
    pub routes: Vec<Route>,
    /// Width of the whole drawing in cells.
    pub width: i32,
    /// Height of the whole drawing in cells.
    pub height: i32,
    memory: Memory,
}

/// The layout that the new one should stay like, and what was what in it.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// The earlier layout, of the same direction; one of the other direction is not looked at.
    pub layout: &'a Layout,
    /// For each vertex its id in the earlier layout, `None` for a new one.
    pub vertices: &'a [Option<usize>],
    /// For each group what stood in its place.
    pub groups: &'a [Option<Stand>],
}

/// What stood in the place of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// The same group, under this id.
    Group(usize),
    /// The vertex that stood for it while it was collapsed.
    Vertex(usize),
}

/// Vertices that a drawing may have. More take seconds and hundreds of megabytes, and show nothing.
const MOST_VERTICES: usize = 100_000;
/// Edges that a drawing may have.
const MOST_EDGES: usize = 1_000_000;

/// What is to be drawn has more vertices or edges than a drawing may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{vertices} vertices and {edges} edges are more than can be drawn, \
     {MOST_VERTICES} and {MOST_EDGES}"
)]
pub struct TooLarge {
    /// How many vertices there are.
    pub vertices: usize,
    /// How many edges there are.
    pub edges: usize,
}

/// The layout was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the layout was cancelled")]
pub struct Stopped;

/// Lays a sketch out.
///
/// The same input gives the same layout, whatever the machine. With `before`, what was there keeps its layer, its order and
/// its place as far as edges allow; without, everything is arranged anew. Each edge leaves its source on the side that faces
/// onward and enters its target on the side that faces back; only an edge that closes a cycle runs the other way. Lines
/// share cells only where they have the same source. The longest edges of a graph so tangled that its edges span a million
/// layers in sum are not drawn.
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
    /// A whole graph without groups; `size` gives each vertex's box size (width, height) in cells.
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

    /// Whether it is more than can be drawn in a few seconds.
    pub fn too_large(&self) -> Option<TooLarge> {
        let (vertices, edges) = (self.sizes.len(), self.edges.len());
        let too_large = vertices > MOST_VERTICES || edges > MOST_EDGES;
        too_large.then_some(TooLarge { vertices, edges })
    }

    /// Lays it out in full and anew.
    pub fn layout(&self) -> Layout {
        // Nothing sets the flag.
        layout(self, Effort::Full, None, &AtomicBool::new(false)).unwrap_or_default()
    }
}

impl Layout {
    /// How many cells the lines run through, one for each edge that does.
    pub fn line_cells(&self) -> u64 {
        let legs = self.routes.iter().flat_map(|route| route.corners.windows(2));
        let length = |leg: &[(i32, i32)]| leg[0].0.abs_diff(leg[1].0) + leg[0].1.abs_diff(leg[1].1);
        legs.map(|leg| u64::from(length(leg))).sum()
    }
}

/// Whether to go on.
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
    /// Whether the line runs against the direction.
    back: bool,
    /// At the side that faces onward, else at the one that faces back.
    bottom: bool,
    /// From the left edge of the frame.
    offset: i32,
}

/// The distances between things, in cells.
#[derive(Debug, Clone, Copy)]
struct Spacing {
    /// Between two boxes of a layer.
    boxes: i32,
    /// Between two boxes that are a single cell across.
    chips: i32,
    /// Between a line and its neighbour in a layer.
    lines: i32,
    /// Between two horizontal segments that share a track.
    segments: i32,
    /// Before the first track of a channel.
    lead: i32,
    /// After the last track of a channel, the arrow's cell included.
    tail: i32,
    /// Whether boxes stand in the middle of their layer's band, else at its start.
    centred: bool,
    /// Between a frame's edge and what lies within, across the edges.
    padding: i32,
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
            },
        }
    }
}
