//! The project itself as a store of runs, for projects without MLflow: the history of pipeline runs with
//! their parameters and the numbers in the metrics datasets that they saved, and the versions of such
//! datasets that other runs have left on disk.
//!
//! A metric is `DATASET.KEY`. Its history consists of its values in all runs so far: the step is the number
//! of earlier runs, and a run's history ends with the run's own value.

mod follow;
mod on_disk;
mod recorded;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use follow::Follower;

use super::TrackingError;
use super::entities::{Experiment, Point, Results, Run, RunQuery, View};
use super::filter::{Cell, DatasetField, Expr, Field, Matcher, Searched};

/// Id of the only experiment.
const EXPERIMENT: &str = "0";

/// A project as a store of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectStore {
    root: PathBuf,
    /// The run environment whose catalog is read; `None` for the project's default.
    env: Option<String>,
}

/// A run, and the time each of its metrics was saved, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq)]
struct Measured {
    run: Run,
    saved: BTreeMap<String, i64>,
}

/// All runs, oldest first.
#[derive(Debug, Default)]
struct Loaded {
    runs: Vec<Measured>,
    problems: Vec<String>,
}

impl Loaded {
    /// The values of a metric in all runs up to the one at an index.
    fn history(&self, index: usize, key: &str) -> Vec<Point> {
        let point = |(step, measured): (usize, &Measured)| {
            let timestamp = *measured.saved.get(key)?;
            Some(Point { step: step as i64, timestamp, value: measured.run.metric(key)? })
        };
        self.runs.iter().enumerate().take(index + 1).filter_map(point).collect()
    }
}

/// A run together with all others, as filters need them for histories.
struct Held<'a> {
    all: &'a Loaded,
    index: usize,
}

impl Held<'_> {
    fn run(&self) -> &Run {
        &self.all.runs[self.index].run
    }
}

impl Searched for Held<'_> {
    fn cell(&self, field: &Field) -> Option<Cell<'_>> {
        self.run().cell(field)
    }

    fn datasets(&self, field: DatasetField) -> Vec<&str> {
        self.run().datasets(field)
    }

    fn history(&self, metric: &str) -> Vec<f64> {
        self.all.history(self.index, metric).into_iter().map(|point| point.value).collect()
    }
}

impl ProjectStore {
    /// The store of the project in a folder.
    pub fn new(root: impl Into<PathBuf>, env: Option<&str>) -> Self {
        ProjectStore { root: root.into(), env: env.map(str::to_owned) }
    }

    /// The only experiment, named like the project's folder, if it matches the filter.
    pub fn experiments(&self, filter: &Expr, view: View) -> Results<Experiment> {
        let name = self.root.file_name().map(|name| name.to_string_lossy().into_owned());
        let experiment = Experiment {
            id: EXPERIMENT.to_owned(),
            name: name.unwrap_or_default(),
            lifecycle_stage: "active".to_owned(),
            ..Experiment::default()
        };
        let is_asked = view.shows("active") && Matcher::new(filter, 0).accepts(&experiment);
        Results::of(is_asked.then_some(experiment).into_iter().collect(), None)
    }

    /// The runs that match, in MLflow's order.
    ///
    /// # Errors
    /// When the history can't be read.
    pub fn search_runs(&self, query: &RunQuery) -> Result<Results<Run>, TrackingError> {
        let ids = query.experiments.as_deref();
        let is_asked = ids.is_none_or(|ids| ids.iter().any(|id| id == EXPERIMENT));
        if !is_asked || !query.view.shows("active") {
            return Ok(Results::default());
        }
        let loaded = self.load()?;
        let matcher = Matcher::new(&query.filter, query.now);
        let matches = |index: &usize| matcher.accepts(&Held { all: &loaded, index: *index });
        let found = (0..loaded.runs.len()).filter(matches);
        let mut found: Vec<Run> = found.map(|index| loaded.runs[index].run.clone()).collect();
        query.sort(&mut found);
        Ok(Results { problems: loaded.problems, ..Results::of(found, query.limit) })
    }

    /// The run with an id: the number of a pipeline run, or a version of a dataset.
    ///
    /// # Errors
    /// When the history can't be read.
    pub fn run(&self, id: &str) -> Result<Option<Run>, TrackingError> {
        let runs = self.load()?.runs.into_iter().map(|measured| measured.run);
        Ok(runs.into_iter().find(|run| run.id == id))
    }

    /// The values of a metric in all runs up to this one.
    ///
    /// # Errors
    /// When the history can't be read.
    pub fn history(&self, run_id: &str, key: &str) -> Result<Vec<Point>, TrackingError> {
        let loaded = self.load()?;
        let index = loaded.runs.iter().position(|measured| measured.run.id == run_id);
        Ok(index.map(|index| loaded.history(index, key)).unwrap_or_default())
    }

    fn load(&self) -> Result<Loaded, TrackingError> {
        let mut loaded = recorded::load(&self.root)?;
        let others = on_disk::load(&self.root, self.env.as_deref(), &loaded.runs);
        loaded.runs.extend(others);
        loaded
            .runs
            .sort_by(|a, b| (a.run.start_time, &a.run.id).cmp(&(b.run.start_time, &b.run.id)));
        Ok(loaded)
    }
}

/// Converts seconds to milliseconds.
fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1e3) as i64
}
