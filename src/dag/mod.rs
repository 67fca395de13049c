//! The graph of a pipeline: its nodes and datasets, slices of it, and where to draw it.
//!
//! [`Graph`] is built from a [`crate::project::Pipeline`]; [`Slice`] chooses nodes as `kedro run`
//! does; [`staleness`] tells which
//! nodes are out of date and why; [`layout`] places boxes and routes edges in terminal cells. Nothing here draws or runs.

pub mod graph;
pub mod layout;
pub mod slice;
pub mod staleness;

pub use graph::{Graph, Id, Kind, Vertex};
pub use layout::{Direction, Layout, Lines};
pub use slice::{Slice, SliceError};
