//! The project's own store, `.mlops-tui/`: run history, and readings kept between starts.
//!
//! It keeps what others give it as rows and JSON text and knows nothing of pipelines or workers.

pub mod record;

pub use record::{NewRun, Outcome, RunId, RunRecord};
