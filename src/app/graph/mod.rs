//! The pipeline screen: what of a graph is to be drawn, the drawing, and the way about on it.
//!
//! The state says what is wanted ([`State::picture`](super::State::picture)); a service draws it off the event loop and
//! the answer is a [`Plot`]. Statuses are no part of it, so they change without a new drawing.

pub mod picture;
pub mod plot;
pub mod screen;
pub mod status;

pub use picture::Picture;
pub use plot::{Plot, Way};
pub use screen::{PipelineScreen, Zoom};
