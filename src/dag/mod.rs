//! The graph of a pipeline: nodes and datasets, slices, the displayed part, and its layout.
//!
//! [`Graph`] is built from a [`crate::project::Pipeline`]. [`Slice`] selects nodes as `kedro run` does.
//! [`staleness`] determines which nodes are out of date and why. [`View`] is the displayed part of a graph,
//! with namespaces expanded or collapsed. [`layout`] places its boxes and routes its edges in terminal cells.
//! [`overview`] makes a small picture of a drawing, and [`export`] writes a graph for other programs. Nothing
//! here draws or runs.

pub mod export;
pub mod graph;
pub mod lanes;
pub mod layer;
pub mod layout;
pub mod overview;
#[cfg(test)]
pub(crate) mod samples;
pub mod slice;
pub mod staleness;
pub mod view;

pub use graph::{Graph, Id, Vertex, VertexKind};
pub use layout::{Direction, Layout, Lines};
pub use slice::{Slice, SliceError};
pub use view::View;
