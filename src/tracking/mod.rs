//! Experiments: MLflow's stores, read in place and read-only.
//!
//! [`choose`] says which store is read and why, and [`Store`] reads it, whatever its kind: [`SqliteStore`],
//! [`files::FileStore`], [`rest::RestStore`], or [`project::ProjectStore`]. [`filter`] is MLflow's filter language; [`table`], [`groups`] and
//! [`curve`] arrange what was read. MLflow itself is never asked: opening a store with it may migrate
//! the database.

pub mod artifacts;
mod choice;
pub mod curve;
pub mod entities;
pub mod files;
pub mod filter;
pub mod follow;
pub mod groups;
pub mod inputs;
mod link;
mod overview;
pub mod project;
pub mod reference;
pub mod rest;
mod searched;
pub mod signature;
mod sqlite;
mod store;
pub mod table;

pub use choice::{By, Choice, Location, PROJECT, ServerUri, choose, in_folder, workspace};
pub use link::{pipeline_runs, run_between};
pub use overview::{Overview, RegisteredModel, Run, read};
pub use sqlite::SqliteStore;
pub use store::Store;

/// Why a store can't be read.
#[derive(Debug, thiserror::Error)]
pub enum TrackingError {
    /// The store that is named is not there.
    #[error("There is no {uri}. {place}")]
    Missing {
        /// Its URI, without credentials.
        uri: String,
        /// What names it.
        place: String,
    },
    /// The database is not MLflow's.
    #[error("{0} is no store of MLflow's: it has no tables of experiments and runs.")]
    Foreign(String),
    /// SQLite refused.
    #[error("{path}: {source}.")]
    Sqlite {
        /// The database.
        path: String,
        /// Why.
        source: rusqlite::Error,
    },
    /// A tracking server can't be asked, or refuses.
    #[error("{server}: {reason}")]
    Server {
        /// Its URI, without credentials.
        server: String,
        /// What was asked, why it failed, and what helps.
        reason: String,
    },
    /// A file store, or a file in it, can't be read.
    #[error("{path}: {reason}.")]
    Files {
        /// The file or folder.
        path: String,
        /// Why.
        reason: String,
    },
}
