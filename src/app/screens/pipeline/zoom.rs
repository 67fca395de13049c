//! How large the graph is drawn.

use strum::VariantArray;

/// The size of the drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, VariantArray)]
pub enum Zoom {
    /// Nodes as boxes with name, status and time.
    #[default]
    Boxes,
    /// Each vertex on a single line.
    Chips,
    /// The whole graph at once, in dots.
    Overview,
}
