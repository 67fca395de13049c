//! The graph of a pipeline: its nodes and datasets, slices of it, and where to draw it.
//!
//! [`Graph`] is built from a [`crate::project::Pipeline`]; [`Slice`] chooses nodes as `kedro run`
//! does; [`layout`] places boxes and routes edges in terminal cells. Nothing here draws or runs.

pub mod graph;
pub mod layout;
pub mod slice;

pub use graph::{Graph, Id, Kind, Vertex};
pub use layout::{Direction, Layout};
pub use slice::{Slice, SliceError};
