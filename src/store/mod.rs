//! The project's own store, `.mlops-tui/`: run history and cached exact readings.
//!
//! The store keeps rows and JSON text and knows nothing of pipelines or workers. [`Store`] is the
//! project's database: [`Store::add_run`] and [`Store::record`] write a run, [`Store::runs`],
//! [`Store::nodes`] and [`Store::log`] read it, [`Store::prune`] frees space. [`Trust`] is a file
//! of the user with the projects that may be executed. All calls block on the disk.

mod apart;
mod claims;
mod database;
mod folder;
mod full;
mod kept;
mod list;
pub mod liveness;
mod log;
mod migrations;
mod nodes;
mod prune;
pub mod record;
mod remote;
mod runs;
mod texts;
mod trust;

use std::io::{self, Write};
use std::path::Path;

pub use apart::{APART, Left};
pub use claims::{Claim, Taken, Target};
pub use database::{Store, StoreError};
use folder::Folder;
pub use folder::{FolderError, Mark};
pub use kept::{Keeping, Kept, Place, StoredFingerprint};
pub use list::{RunFilter, RunTerm, RunTest};
pub use log::{LOG_KEYS, LogCursor, LogFilter};
pub use nodes::Timing;
pub use prune::{PruneLimits, Pruned};
#[cfg(test)]
pub(crate) use record::run_id;
pub use record::{
    CodeVersion, DatasetRecord, Direction, Entry, Level, Line, LogLine, NewRun, NodeOutcome,
    NodeRecord, Outcome, Progress, Remote, RunId, RunPair, RunRecord, Source,
};
pub use runs::{Recording, now};
pub use texts::text_hash;
pub use trust::Trust;

/// The name of the store's folder in the project.
pub const FOLDER: &str = ".mlops-tui";

/// Writes a file in the store's folder atomically: readers see the old or the new file.
///
/// # Errors
/// If the folder is not safe to use, or the file can't be written.
pub fn write_file(root: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let folder = Folder::make(root).map_err(io::Error::other)?;
    let mut file = tempfile::NamedTempFile::new_in(folder.path())?;
    file.write_all(bytes)?;
    file.persist(folder.path().join(name))?;
    Ok(())
}
