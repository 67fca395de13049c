//! Following a store: what is new since the last look.

use std::time::{Duration, Instant};

use super::entities::Point;
use super::files::{FileStore, Follower as FileFollower};
use super::project::{Follower as ProjectFollower, ProjectStore};
use super::rest::{Follower as RestFollower, RestStore};
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
    /// What can't be read, and why; the rest is followed.
    Problem(String),
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

impl RunState {
    /// Whether the run has not ended.
    pub fn goes_on(&self) -> bool {
        matches!(self.status.as_str(), "RUNNING" | "SCHEDULED")
    }
}

/// What one look at a store has found.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Runs that were not known.
    pub new: Vec<RunState>,
    /// Values of metrics: the run's id, the metric's name, the value.
    pub points: Vec<(String, String, Point)>,
    /// Runs that have another state.
    pub changed: Vec<RunState>,
    /// What could not be read.
    pub problems: Vec<String>,
}

impl Batch {
    /// The news in their order: a run comes before its values, and its end behind them.
    pub fn news(self) -> Vec<News> {
        let metric = |(run_id, key, point)| News::Metric { run_id, key, point };
        let new = self.new.into_iter().map(News::Run);
        let changed = self.changed.into_iter().map(News::Run);
        let problems = self.problems.into_iter().map(News::Problem);
        new.chain(self.points.into_iter().map(metric)).chain(changed).chain(problems).collect()
    }

    /// The news. Reading that failed is reported only where there are none: it fails again at the next look.
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
    /// How long the last look took.
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
    /// How long to wait between two looks at least, and how many times as long as a look takes. A look at a
    /// database that has not changed takes microseconds; that at a server is work for others.
    fn pause(&self) -> (Duration, u32) {
        match self {
            Kind::Sqlite(_) | Kind::Files(_) => (Duration::from_millis(50), 10),
            Kind::Rest(_) => (Duration::from_millis(100), 2),
            Kind::Project(_) => (Duration::from_millis(500), 10),
        }
    }
}

impl Follower {
    /// Follows a store from now on.
    ///
    /// # Errors
    /// When it can't be read.
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

    /// What was added since the last time: new runs, values of metrics, other states of runs.
    ///
    /// # Errors
    /// When the store can't be read now; it may be later.
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

    /// How long to wait before the next look.
    pub fn pause(&self) -> Duration {
        let (least, times) = self.kind.pause();
        least.max(self.took * times)
    }
}
