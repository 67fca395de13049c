//! The project's own store, `.mlops-tui/`: run history, and readings kept between starts.
//!
//! It keeps what others give it as rows and JSON text and knows nothing of pipelines or workers.
//! [`Store`] is the database in the project: [`Store::add_run`] and [`Store::record`] write a run,
//! [`Store::runs`], [`Store::nodes`] and [`Store::log`] read it, [`Store::prune`] makes room.
//! [`Trust`] is a file of the user's own that says which projects may be executed. Calls block for as
//! long as the disk does.

mod apart;
mod database;
mod kept;
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

use std::io;
use std::path::{Path, PathBuf};

pub use apart::APART;
pub use database::{Store, StoreError};
pub use kept::{Keeping, Kept, Print, kept_folder};
pub use list::RunFilter;
pub use log::{From, LogFilter};
pub use nodes::Timing;
pub use prune::{Pruned, Room};
pub use record::{
    CodeVersion, DatasetRecord, Direction, Entry, Level, Line, LogLine, NewRun, NodeOutcome,
    NodeRecord, Outcome, Progress, RunId, RunRecord, Source,
};
pub use runs::{Recording, now};
pub use trust::Trust;

/// Folder of the store in the project.
pub const FOLDER: &str = ".mlops-tui";

/// Makes the store's folder in the project; it ignores itself in git.
///
/// # Errors
/// When it can't be made.
pub fn make_folder(root: &Path) -> io::Result<PathBuf> {
    let folder = root.join(FOLDER);
    std::fs::create_dir_all(&folder)?;
    let ignore = folder.join(".gitignore");
    if !ignore.exists() {
        std::fs::write(ignore, "*\n")?;
    }
    Ok(folder)
}
