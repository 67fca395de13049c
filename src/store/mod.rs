//! The project's own store, `.mlops-tui/`: run history, and readings kept between starts.
//!
//! It keeps what others give it as rows and JSON text and knows nothing of pipelines or workers.
//! [`Store`] is the database in the project; [`Trust`] is a file of the user's own that says which
//! projects may be executed. Calls block for as long as the disk does.

mod database;
pub mod liveness;
pub mod record;
mod runs;
mod trust;

pub use database::{Store, StoreError};
pub use record::{NewRun, Outcome, RunId, RunRecord};
pub use trust::Trust;
