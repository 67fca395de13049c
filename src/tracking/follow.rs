//! Follows a store: reports changes since the last poll.

use std::time::{Duration, Instant};

use super::entities::Point;
use super::files::{FileStore, Follower as FileFollower};
use super::project::{Follower as ProjectFollower, ProjectStore};
use super::rest::{Follower as RestFollower, RestStore};
use super::sqlite::Follower as SqliteFollower;
use super::{Location, SqliteStore, TrackingError};

/// A change in a store.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A run is new, or its state has changed.
    Run(RunState),
    /// A metric has a new value.
    Metric {
        /// Id of the run.
        run_id: String,
        /// Name of the metric.
        key: String,
        /// The value.
        point: Point,
    },
    /// Something can't be read; the rest is still followed.
    Problem(String),
    /// Another file has replaced the store; changes in between are unknown.
    Replaced,
}

/// The state of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunState {
    /// Id of the run.
    pub id: String,
    /// Name of the run.
    pub name: String,
    /// Id of its experiment.
    pub experiment_id: String,
    /// `RUNNING`, `SCHEDULED`, `FINISHED`, `FAILED` or `KILLED`.
    pub status: String,
    /// `active` or `deleted`.
    pub lifecycle_stage: String,
    /// Start time, in milliseconds since the Unix epoch.
    pub start_time: Option<i64>,
    /// End time, in milliseconds since the Unix epoch.
    pub end_time: Option<i64>,
}

impl RunState {
    /// Whether the run has not ended.
    pub fn goes_on(&self) -> bool {
        matches!(self.status.as_str(), "RUNNING" | "SCHEDULED")
    }
}

/// The results of one poll.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Runs that were not known before.
    pub new: Vec<RunState>,
    /// Values of metrics: id of the run, name of the metric, value.
    pub points: Vec<(String, String, Point)>,
    /// Runs whose state has changed.
    pub changed: Vec<RunState>,
    /// Messages about what could not be read.
    pub problems: Vec<String>,
}

impl Batch {
    /// The news in order: a run comes before its values, and its end after them.
    pub fn news(self) -> Vec<News> {
        let metric = |(run_id, key, point)| News::Metric { run_id, key, point };
        let new = self.new.into_iter().map(News::Run);
        let changed = self.changed.into_iter().map(News::Run);
        let problems = self.problems.into_iter().map(News::Problem);
        new.chain(self.points.into_iter().map(metric)).chain(changed).chain(problems).collect()
    }

    /// The news. A read error is reported only if there are no news: the error occurs again at the next poll.
    pub fn unless(self, read: Result<(), TrackingError>) -> Result<Vec<News>, TrackingError> {
        match (self.news(), read) {
            (news, Err(error)) if news.is_empty() => Err(error),
            (news, _) => Ok(news),
        }
    }
}

/// Follows a store from the moment it was opened.
#[derive(Debug)]
pub struct Follower {
    kind: Kind,
    /// Duration of the last poll.
    took: Duration,
}

#[derive(Debug)]
enum Kind {
    Sqlite(SqliteFollower),
    Files(FileFollower),
    Rest(Box<RestFollower>),
    Project(ProjectFollower),
}

impl Kind {
    /// The minimum pause between two polls, and the pause as a multiple of a poll's duration. A poll of an
    /// unchanged database takes microseconds; a poll of a server is work for others.
    fn pause(&self) -> (Duration, u32) {
        match self {
            Kind::Sqlite(_) | Kind::Files(_) => (Duration::from_millis(50), 10),
            Kind::Rest(_) => (Duration::from_millis(100), 2),
            Kind::Project(_) => (Duration::from_millis(500), 10),
        }
    }
}

impl Follower {
    /// Starts to follow a store.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn open(location: &Location, workspace: Option<&str>) -> Result<Self, TrackingError> {
        let kind = match location {
            Location::Sqlite(path) => {
                Kind::Sqlite(SqliteFollower::new(SqliteStore::open(path, workspace)?)?)
            }
            Location::Files(path) => Kind::Files(FileFollower::new(FileStore::new(path))?),
            Location::Server(uri) => {
                Kind::Rest(Box::new(RestFollower::new(RestStore::open(uri, workspace)?)?))
            }
            Location::Project(root, env) => {
                let store = ProjectStore::new(root, env.as_deref());
                Kind::Project(ProjectFollower::new(store)?)
            }
        };
        Ok(Follower { kind, took: Duration::ZERO })
    }

    /// The news since the last poll: new runs, values of metrics, changed run states.
    ///
    /// # Errors
    /// When the store can't be read now; a later poll may succeed.
    pub fn poll(&mut self) -> Result<Vec<News>, TrackingError> {
        let begin = Instant::now();
        let news = match &mut self.kind {
            Kind::Sqlite(follower) => follower.poll(),
            Kind::Files(follower) => follower.poll(),
            Kind::Rest(follower) => follower.poll(),
            Kind::Project(follower) => follower.poll(),
        };
        self.took = begin.elapsed();
        news
    }

    /// The pause before the next poll.
    pub fn pause(&self) -> Duration {
        let (least, times) = self.kind.pause();
        least.max(self.took * times)
    }
}
