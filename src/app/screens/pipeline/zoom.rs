//! How large the graph is drawn.

/// The size of the drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zoom {
    /// Nodes as boxes with name, status and time.
    #[default]
    Boxes,
    /// Each vertex on a single line.
    Chips,
    /// The whole graph at once, in dots.
    Overview,
}

impl Zoom {
    /// All sizes, the largest first.
    pub const ALL: [Zoom; 3] = [Zoom::Boxes, Zoom::Chips, Zoom::Overview];
}
