//! How large the graph is drawn.

/// How large the drawing is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zoom {
    /// Nodes as boxes with name, status and time.
    #[default]
    Boxes,
    /// Everything in one line.
    Chips,
    /// All of it at once, in dots.
    Overview,
}

impl Zoom {
    /// All of them, the largest first.
    pub const ALL: [Zoom; 3] = [Zoom::Boxes, Zoom::Chips, Zoom::Overview];
}
