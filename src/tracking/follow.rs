//! Following a store: what is new since the last look.

use super::entities::Point;
use super::sqlite::Follower as SqliteFollower;
use super::{Location, SqliteStore, TrackingError};

/// Something new in a store.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A run is new, or has another state.
    Run(RunState),
    /// A metric has a further value.
    Metric {
        /// The run.
        run_id: String,
        /// The metric's name.
        key: String,
        /// The value.
        point: Point,
    },
    /// Another file has taken the store's place; what lies between is not known.
    Replaced,
}

/// How a run stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunState {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Id of its experiment.
    pub experiment_id: String,
    /// `RUNNING`, `SCHEDULED`, `FINISHED`, `FAILED` or `KILLED`.
    pub status: String,
    /// `active` or `deleted`.
    pub lifecycle_stage: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub start_time: Option<i64>,
    /// When it ended, in milliseconds since the Unix epoch.
    pub end_time: Option<i64>,
}

/// Follows a store from the moment it was opened.
#[derive(Debug)]
pub enum Follower {
    /// A SQLite database.
    Sqlite(SqliteFollower),
}

impl Follower {
    /// Follows a store from now on.
    ///
    /// # Errors
    /// When it can't be read, or its kind can't be followed.
    pub fn open(location: &Location, workspace: Option<&str>) -> Result<Self, TrackingError> {
        match location {
            Location::Sqlite(path) => {
                SqliteFollower::new(SqliteStore::open(path, workspace)?).map(Follower::Sqlite)
            }
            _ => Err(TrackingError::NotFollowed),
        }
    }

    /// What was added since the last time, in the order in which it was.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn poll(&mut self) -> Result<Vec<News>, TrackingError> {
        match self {
            Follower::Sqlite(follower) => follower.poll(),
        }
    }
}
