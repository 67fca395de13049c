//! How large the graph is drawn, and who decides that.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// The size of the drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, VariantArray, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Zoom {
    /// Nodes as boxes with name, status and time.
    #[default]
    Boxes,
    /// Each vertex on a single line.
    Chips,
    /// The whole graph at once, in dots.
    Overview,
}

/// Who decides how the graph is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sizing {
    /// The next drawing is chosen so that the whole graph fits the window.
    #[default]
    ToFit,
    /// The drawing was chosen to fit. It is chosen again when the window or the displayed part changes.
    Fitted,
    /// The user has chosen the size, the direction or the expanded namespaces.
    Chosen,
}
