//! The project's own store, `.mlops-tui/`: run history, and readings kept between starts.
//!
//! It keeps what others give it as rows and JSON text and knows nothing of pipelines or workers.
//! [`Store`] is the database in the project: [`Store::add_run`] and [`Store::record`] write a run,
//! [`Store::runs`], [`Store::nodes`] and [`Store::log`] read it, [`Store::prune`] makes room.
//! [`Trust`] is a file of the user's own that says which projects may be executed. Calls block for as
//! long as the disk does.

mod database;
mod list;
pub mod liveness;
mod log;
mod migrations;
mod nodes;
mod prune;
pub mod record;
mod runs;
mod texts;
mod trust;

pub use database::{Store, StoreError};
pub use list::RunFilter;
pub use log::{From, LogFilter};
pub use nodes::Timing;
pub use prune::{Pruned, Room};
pub use record::{
    CodeVersion, DatasetRecord, Direction, Entry, Level, Line, LogLine, NewRun, NodeOutcome,
    NodeRecord, Outcome, Progress, RunId, RunRecord, Source,
};
pub use trust::Trust;
