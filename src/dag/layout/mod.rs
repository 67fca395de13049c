//! Where each vertex and edge of a graph is drawn, in terminal cells.
//!
//! The method is the layered drawing of Sugiyama, Tagawa and Toda (1981), a file for each step:
//!
//! - `layers`: cycles are broken, vertices get layers, edges that span layers get a bend in each. Long edges of one
//!   source, or into one target, share their bends: one line that parts, or joins, where it must.
//! - `order`: the order within layers, by median and transposition as in Gansner, Koutsofios, North and Vo (1993), with
//!   crossings counted as in Barth, Juenger and Mutzel (2004).
//! - `place`: coordinates by Brandes and Koepf (2001), with the compaction over blocks that avoids the flaw which their
//!   erratum (arXiv 2008.01252) corrects.
//! - `route`: orthogonal lines in the channels between layers, as in channel routing with doglegs (Deutsch 1976).
//!
//! All steps work from top to bottom, on rows (along the edges) and columns (across them); for the other direction the
//! sizes are turned before and the drawing after. Each connected part is laid out alone and the parts are packed.

mod layers;
mod order;
mod place;
mod route;
#[cfg(test)]
mod tests;

use self::layers::Layered;
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
/// An edge leaves its source in the middle of the side that faces onward and enters its target in the middle of the side
/// that faces back; only an edge that closes a cycle runs the other way. An edge from a vertex to itself is not drawn,
/// nor are the longest edges of a graph so tangled that its edges span a million layers in sum.
pub fn layout(graph: &Graph, direction: Direction, size: impl Fn(usize) -> (i32, i32)) -> Layout {
    let sizes: Vec<Size> = (0..graph.vertices.len())
        .map(|id| {
            let (width, height) = size(id);
            let (width, height) = (width.max(1), height.max(1));
            match direction {
                Direction::TopBottom => Size { across: width, along: height },
                Direction::LeftRight => Size { across: height, along: width },
            }
        })
        .collect();
    let spacing = Spacing::of(direction, &sizes);
    let mut parts: Vec<Part> = components(graph)
        .into_iter()
        .map(|members| part(graph, members, &sizes, &spacing))
        .collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.members.len()));
    pack(&mut parts, direction);
    assemble(graph.vertices.len(), parts, direction)
}

/// A box's size relative to the direction of the edges.
#[derive(Debug, Clone, Copy)]
struct Size {
    across: i32,
    along: i32,
}

/// The distances between things, in cells.
#[derive(Debug, Clone, Copy)]
struct Spacing {
    /// Between two boxes of a layer.
    boxes: i32,
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
}

impl Spacing {
    fn of(direction: Direction, sizes: &[Size]) -> Self {
        match direction {
            Direction::TopBottom => {
                Spacing { boxes: 2, lines: 1, segments: 1, lead: 0, tail: 1, centred: true }
            }
            Direction::LeftRight => {
                let tall = sizes.iter().any(|size| size.across > 1);
                let boxes = i32::from(tall);
                Spacing { boxes, lines: 0, segments: 0, lead: 1, tail: 2, centred: false }
            }
        }
    }
}

/// A connected part of the graph, drawn on its own; `x` is across the edges, `y` along them.
struct Part {
    /// Ids in the whole graph by id in the part.
    members: Vec<usize>,
    boxes: Vec<Rect>,
    routes: Vec<Route>,
    width: i32,
    height: i32,
}

fn part(graph: &Graph, members: Vec<usize>, sizes: &[Size], spacing: &Spacing) -> Part {
    let mut layered = Layered::of(graph, &members);
    let sizes: Vec<Size> = members.iter().map(|id| sizes[*id]).collect();
    order::reduce_crossings(&mut layered);
    let ports = place::columns(&layered, &sizes, spacing);
    let (boxes, mut routes) = route::draw(&layered, &sizes, ports, spacing);
    for route in &mut routes {
        route.source = members[route.source];
        route.target = members[route.target];
    }
    let cells = routes.iter().flat_map(|route| &route.cells);
    let width = boxes.iter().map(|area| area.x + area.width).chain(cells.map(|cell| cell.0 + 1));
    let width = width.max().unwrap_or(0);
    let height = boxes.iter().map(|area| area.y + area.height).max().unwrap_or(0);
    Part { members, boxes, routes, width, height }
}

/// The connected parts, each in increasing order of id, by their first vertices.
fn components(graph: &Graph) -> Vec<Vec<usize>> {
    let mut part_of = vec![usize::MAX; graph.vertices.len()];
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for start in 0..part_of.len() {
        if part_of[start] == usize::MAX {
            let mut stack = vec![start];
            part_of[start] = parts.len();
            while let Some(id) = stack.pop() {
                for other in graph.parents[id].iter().chain(&graph.children[id]) {
                    if part_of[*other] == usize::MAX {
                        part_of[*other] = parts.len();
                        stack.push(*other);
                    }
                }
            }
            parts.push(Vec::new());
        }
        parts[part_of[start]].push(start);
    }
    parts
}

/// Moves the parts beside one another; low ones share a stack as long as it stays lower than the tallest part, or than a
/// drawing about three times as wide as high in cells would be.
fn pack(parts: &mut [Part], direction: Direction) {
    let gap = match direction {
        Direction::TopBottom => (3, 1),
        Direction::LeftRight => (1, 3),
    };
    let area: f64 = parts
        .iter()
        .map(|part| f64::from(part.width + gap.0) * f64::from(part.height + gap.1))
        .sum();
    let balanced = match direction {
        Direction::TopBottom => (area / 3.0).sqrt(),
        Direction::LeftRight => (area * 3.0).sqrt(),
    };
    let tallest = parts.iter().map(|part| part.height).max().unwrap_or(0);
    let limit = tallest.max(balanced as i32);
    let (mut left, mut top, mut stack_width) = (0, 0, 0);
    for part in parts {
        if top > 0 && top + part.height > limit {
            left += stack_width + gap.0;
            (top, stack_width) = (0, 0);
        }
        for area in &mut part.boxes {
            area.x += left;
            area.y += top;
        }
        for cell in part.routes.iter_mut().flat_map(|route| &mut route.cells) {
            cell.0 += left;
            cell.1 += top;
        }
        top += part.height + gap.1;
        stack_width = stack_width.max(part.width);
    }
}

fn assemble(count: usize, parts: Vec<Part>, direction: Direction) -> Layout {
    let mut layout = Layout { boxes: vec![Rect::default(); count], ..Layout::default() };
    for part in parts {
        for (id, area) in std::iter::zip(part.members, part.boxes) {
            layout.boxes[id] = match direction {
                Direction::TopBottom => area,
                Direction::LeftRight => {
                    Rect { x: area.y, y: area.x, width: area.height, height: area.width }
                }
            };
        }
        layout.routes.extend(part.routes);
    }
    if direction == Direction::LeftRight {
        for cell in layout.routes.iter_mut().flat_map(|route| &mut route.cells) {
            *cell = (cell.1, cell.0);
        }
    }
    layout.routes.sort_by_key(|route| (route.source, route.target));
    let cells = || layout.routes.iter().flat_map(|route| &route.cells);
    let right = layout.boxes.iter().map(|area| area.x + area.width);
    let bottom = layout.boxes.iter().map(|area| area.y + area.height);
    layout.width = right.chain(cells().map(|cell| cell.0 + 1)).max().unwrap_or(0);
    layout.height = bottom.chain(cells().map(|cell| cell.1 + 1)).max().unwrap_or(0);
    layout
}
