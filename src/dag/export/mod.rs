//! Exports of the displayed graph: DOT, Mermaid, and JSON with the coordinates of a drawing.
//!
//! The same view always gives the same text. Status colours are added for vertices whose status `state`
//! knows, by the id of the displayed vertex. Names are untrusted text, so each format escapes them.

mod dot;
mod drawn;
mod mermaid;
#[cfg(test)]
mod tests;

pub use self::dot::dot;
pub use self::drawn::{Drawn, Item, Space};
pub use self::mermaid::mermaid;
use super::view::{NodeStatus, View};
use super::{Graph, Id};

/// A step of a traversal of the groups and their vertices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A group begins.
    Open(usize),
    /// A vertex in the innermost open group.
    Vertex(Id),
    /// The innermost open group ends.
    Close,
}

/// A depth-first traversal of all groups and vertices.
fn steps(view: &View) -> Vec<Step> {
    let count = view.groups.len();
    // The steps inside each group; the last entry is for vertices and groups outside of all groups.
    let mut inside: Vec<Vec<Step>> = vec![Vec::new(); count + 1];
    for (index, group) in view.groups.iter().enumerate() {
        inside[group.parent.unwrap_or(count)].push(Step::Open(index));
    }
    for (id, group) in view.group_of.iter().enumerate() {
        inside[group.unwrap_or(count)].push(Step::Vertex(id));
    }
    let mut steps = Vec::new();
    let mut left: Vec<Step> = inside[count].iter().rev().copied().collect();
    while let Some(step) = left.pop() {
        steps.push(step);
        if let Step::Open(group) = step {
            left.push(Step::Close);
            left.extend(inside[group].iter().rev());
        }
    }
    steps
}

/// Source and target of each edge.
fn edges(graph: &Graph) -> impl Iterator<Item = (Id, Id)> + '_ {
    let sources = graph.children.iter().enumerate();
    sources.flat_map(|(source, children)| children.iter().map(move |target| (source, *target)))
}

/// The fill colour of a box, light enough for dark text.
fn fill(state: NodeStatus) -> &'static str {
    match state {
        NodeStatus::Fresh | NodeStatus::Done => "#d5f0d8",
        NodeStatus::NeverRun => "#eeeeee",
        NodeStatus::Unknown => "#e8e4f3",
        NodeStatus::StaleThrough => "#fdf1cf",
        NodeStatus::Stale => "#ffe08a",
        NodeStatus::Waiting => "#e3ecf7",
        NodeStatus::Stopped => "#e0d6cc",
        NodeStatus::Running => "#bcd9ff",
        NodeStatus::Failed => "#f7c6c5",
    }
}
