//! The graph of a pipeline: its nodes and datasets, slices of it, what of it is displayed, and where to draw it.
//!
//! [`Graph`] is built from a [`crate::project::Pipeline`]; [`Slice`] chooses nodes as `kedro run` does; [`staleness`] tells
//! which nodes are out of date and why. [`View`] is the part of a graph that is displayed, namespaces expanded or
//! collapsed; [`layout`] places its boxes and routes its edges in terminal cells.
//! [`overview`] makes a small picture of a drawing, [`export`] writes it for other programs. Nothing here draws or runs.

pub mod export;
pub mod graph;
pub mod lanes;
pub mod layer;
pub mod layout;
pub mod overview;
#[cfg(test)]
mod samples;
pub mod slice;
pub mod staleness;
pub mod view;

pub use graph::{Graph, Id, Vertex, VertexKind};
pub use layout::{Direction, Layout, Lines};
pub use slice::{Slice, SliceError};
pub use view::View;
