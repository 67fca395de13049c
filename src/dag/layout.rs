//! Where each vertex and edge of a graph is drawn, in terminal cells.

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

/// A box in cells; `x` and `y` are its upper left corner.
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

/// A routed edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Vertex it starts from.
    pub source: usize,
    /// Vertex it leads to.
    pub target: usize,
    /// The cells it runs through in order, neighbours sharing a side; the first touches the source's box, the
    /// last touches the target's.
    pub cells: Vec<(i32, i32)>,
}

/// A drawing of a graph.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// A box for each vertex, by id; all coordinates are at least zero.
    pub boxes: Vec<Rect>,
    /// Edges.
    pub routes: Vec<Route>,
    /// Width of the whole drawing in cells.
    pub width: i32,
    /// Height of the whole drawing in cells.
    pub height: i32,
}

/// Lays a graph out; `size` gives each vertex's box size (width, height) in cells.
pub fn layout(
    _graph: &Graph,
    _direction: Direction,
    _size: impl Fn(usize) -> (i32, i32),
) -> Layout {
    Layout::default()
}
