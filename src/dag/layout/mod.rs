//! Where each vertex and edge of a graph is drawn, in terminal cells.

mod order;
mod place;
mod rank;
mod route;

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
///
/// The layers, their order and the places in them follow Sugiyama, Tagawa and Toda (1981), as
/// Gansner, Koutsofios, North and Vo (1993) refined it; edges run at right angles, those of one
/// source on one track. A graph with circles is drawn as if their closing edges pointed back.
pub fn layout(graph: &Graph, direction: Direction, size: impl Fn(usize) -> (i32, i32)) -> Layout {
    // Inside, layers lie one below the other; to the right is the same with the axes exchanged.
    let turned = direction == Direction::LeftRight;
    let sizes: Vec<(i32, i32)> = (0..graph.vertices.len())
        .map(|id| {
            let (width, height) = size(id);
            if turned { (height, width) } else { (width, height) }
        })
        .collect();
    let layers = rank::layers(graph);
    let mut mesh = order::Mesh::new(graph, &layers, &sizes);
    mesh.untangle();
    let spacing = if turned { SIDEWAYS } else { DOWNWARDS };
    let left = place::left_edges(&mesh, &spacing);
    let mut drawing = route::draw(&mesh, &left, &spacing);
    if turned {
        drawing.turn();
    }
    drawing
}

/// Distances in cells.
#[derive(Debug, Clone, Copy)]
struct Spacing {
    /// Between boxes of one layer.
    boxes: i32,
    /// Between lines that pass through a layer, and between them and boxes.
    lines: i32,
    /// Between a layer and its first track.
    before: i32,
    /// Between the last track and the next layer, arrow heads included.
    after: i32,
}

const DOWNWARDS: Spacing = Spacing { boxes: 3, lines: 2, before: 0, after: 1 };
const SIDEWAYS: Spacing = Spacing { boxes: 1, lines: 1, before: 1, after: 2 };

impl Layout {
    /// Exchanges the axes.
    fn turn(&mut self) {
        for it in &mut self.boxes {
            *it = Rect { x: it.y, y: it.x, width: it.height, height: it.width };
        }
        for cell in self.routes.iter_mut().flat_map(|route| &mut route.cells) {
            *cell = (cell.1, cell.0);
        }
        (self.width, self.height) = (self.height, self.width);
    }
}

#[cfg(test)]
mod tests;
