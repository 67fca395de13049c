//! Experiments: MLflow's stores, read in place and read-only.
//!
//! [`choose`] decides which store is read. [`Store`] reads any kind of store: [`SqliteStore`],
//! [`files::FileStore`], [`rest::RestStore`], or [`project::ProjectStore`]. [`filter`] is MLflow's filter
//! language; [`table`], [`groups`] and [`curve`] arrange the results. MLflow itself is never called, because
//! opening a store with it may migrate the database.

pub mod artifacts;
mod belongings;
mod choice;
pub mod curve;
pub mod entities;
pub mod files;
pub mod filter;
pub mod follow;
mod goal;
pub mod groups;
pub mod inputs;
mod link;
mod overview;
pub mod picture;
pub mod preview;
pub mod project;
pub mod reference;
pub mod relate;
pub mod rest;
mod searched;
pub mod signature;
mod sqlite;
mod store;
pub mod table;

pub use belongings::Belongings;
pub use choice::{By, Choice, Location, PROJECT, ServerUri, choose, in_folder, workspace};
pub use goal::Goal;
pub use link::{pipeline_runs, run_between, runs_of_airflow};
pub use overview::{Overview, RegisteredModel, hide_secrets, read};
pub use sqlite::SqliteStore;
pub use store::Store;

/// Why a store can't be read.
#[derive(Debug, thiserror::Error)]
pub enum TrackingError {
    /// The named store does not exist.
    #[error("There is no {uri}. {place}")]
    Missing {
        /// URI of the store, without credentials.
        uri: String,
        /// The place that names the store.
        place: String,
    },
    /// The database is not MLflow's.
    #[error("{0} is no store of MLflow's: it has no tables of experiments and runs.")]
    Foreign(String),
    /// SQLite returned an error.
    #[error("{path}: {source}.")]
    Sqlite {
        /// The database.
        path: String,
        /// The cause.
        source: rusqlite::Error,
    },
    /// The request to a tracking server failed, or was rejected.
    #[error("{server}: {reason}")]
    Server {
        /// URI of the server, without credentials.
        server: String,
        /// The request, why it failed, and what to do.
        reason: String,
    },
    /// A file store, or a file in it, can't be read.
    #[error("{path}: {reason}.")]
    Files {
        /// The file or folder.
        path: String,
        /// The cause.
        reason: String,
    },
}
