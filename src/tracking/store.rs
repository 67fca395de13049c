//! A common interface for all kinds of stores.

use std::time::Duration;

use super::entities::{
    Experiment, LoggedModel, Model, ModelVersion, Point, Results, Run, RunQuery, View,
};
use super::files::FileStore;
use super::filter::{Expr, Order};
use super::project::ProjectStore;
use super::rest::RestStore;
use super::{Location, SqliteStore, TrackingError};

/// An open tracking store.
#[derive(Debug)]
pub enum Store {
    /// A SQLite database.
    Sqlite(Box<SqliteStore>),
    /// A folder of files.
    Files(FileStore),
    /// A tracking server.
    Rest(Box<RestStore>),
    /// The project's own runs.
    Project(ProjectStore),
}

impl Store {
    /// Opens a store read-only. `workspace` is the one to read, if the store has workspaces.
    ///
    /// # Errors
    /// When the store can't be read, or its kind is not supported.
    pub fn open(location: &Location, workspace: Option<&str>) -> Result<Self, TrackingError> {
        match location {
            Location::Sqlite(path) => {
                SqliteStore::open(path, workspace).map(Box::new).map(Store::Sqlite)
            }
            Location::Files(path) => Ok(Store::Files(FileStore::new(path))),
            Location::Server(uri) => RestStore::open(uri, workspace).map(Box::new).map(Store::Rest),
            Location::Project(root, env) => {
                Ok(Store::Project(ProjectStore::new(root, env.as_deref())))
            }
        }
    }

    /// The same store for background work: a server gets each request only once, with this time limit.
    pub fn hurried(self, most: Duration) -> Self {
        match self {
            Store::Rest(store) => Store::Rest(Box::new(store.hurried(most))),
            other => other,
        }
    }

    /// Experiments that match, newest first unless an order is given.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn experiments(
        &self,
        filter: &Expr,
        orders: &[Order],
        view: View,
        now: i64,
    ) -> Result<Results<Experiment>, TrackingError> {
        match self {
            Store::Sqlite(store) => store.experiments(filter, orders, view, now).map(Results::from),
            Store::Files(store) => store.search_experiments(filter, orders, view),
            Store::Rest(store) => store.experiments(filter, orders, view, now),
            Store::Project(store) => Ok(store.experiments(filter, view)),
        }
    }

    /// Runs that match, with params, metrics and tags; [`Store::add_datasets`] adds their datasets.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn search_runs(&self, query: &RunQuery) -> Result<Results<Run>, TrackingError> {
        match self {
            Store::Sqlite(store) => store.search_runs(query),
            Store::Files(store) => store.search_runs(query),
            Store::Rest(store) => store.search_runs(query),
            Store::Project(store) => store.search_runs(query),
        }
    }

    /// Adds the datasets that runs have read, if the search does not return them.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn add_datasets(&self, runs: &mut [Run]) -> Result<(), TrackingError> {
        match self {
            Store::Sqlite(store) => store.add_datasets(runs),
            // The search in a file store or on a server already returns them.
            Store::Files(_) | Store::Rest(_) | Store::Project(_) => Ok(()),
        }
    }

    /// A run with its params, metrics, tags and datasets.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn run(&self, id: &str) -> Result<Option<Run>, TrackingError> {
        match self {
            Store::Sqlite(store) => store.run(id),
            Store::Files(store) => store.run(id).map(|found| found.map(|(run, _)| run)),
            Store::Rest(store) => store.run(id),
            Store::Project(store) => store.run(id),
        }
    }

    /// All values of a metric of a run, in MLflow's order.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn history(&self, run_id: &str, key: &str) -> Result<Vec<Point>, TrackingError> {
        match self {
            Store::Sqlite(store) => store.history(run_id, key),
            Store::Files(store) => store.history(run_id, key),
            Store::Rest(store) => store.history(run_id, key),
            Store::Project(store) => store.history(run_id, key),
        }
    }

    /// All values of a metric of several runs. A run that has not logged it has none.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn histories(&self, runs: &[Run], key: &str) -> Result<Vec<Vec<Point>>, TrackingError> {
        let (mut found, mut failed) = (vec![Vec::new(); runs.len()], None);
        let logged: Vec<usize> =
            (0..runs.len()).filter(|index| runs[*index].metric(key).is_some()).collect();
        let ids: Vec<(String, String)> =
            logged.iter().map(|index| (runs[*index].id.clone(), key.to_owned())).collect();
        self.read_histories(&ids, |index, read| match read {
            Ok(points) => found[logged[index]] = points,
            Err(error) => failed = Some(error),
        });
        failed.map_or(Ok(found), Err)
    }

    /// Reads all values of metrics, each given by the id of its run and its name, and hands them over one by one with
    /// their index in `ids`, in any order. An error concerns its metric alone.
    pub fn read_histories(
        &self,
        ids: &[(String, String)],
        mut take: impl FnMut(usize, Result<Vec<Point>, TrackingError>),
    ) {
        match self {
            Store::Sqlite(store) => store.histories(ids, take),
            _ => ids
                .iter()
                .enumerate()
                .for_each(|(index, (run, key))| take(index, self.history(run, key))),
        }
    }

    /// Registered models that match, sorted by name unless an order is given.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn models(
        &self,
        filter: &Expr,
        orders: &[Order],
        now: i64,
    ) -> Result<Results<Model>, TrackingError> {
        match self {
            Store::Sqlite(store) => store.models(filter, orders, now).map(Results::from),
            Store::Files(store) => store.models(filter, orders),
            Store::Rest(store) => store.models(filter, orders, now),
            Store::Project(_) => Ok(Results::default()),
        }
    }

    /// Versions of registered models that match, most recently changed first unless an order is given.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn versions(
        &self,
        filter: &Expr,
        orders: &[Order],
        now: i64,
    ) -> Result<Results<ModelVersion>, TrackingError> {
        match self {
            Store::Sqlite(store) => store.versions(filter, orders, now).map(Results::from),
            Store::Files(store) => store.versions(filter, orders),
            Store::Rest(store) => store.versions(filter, orders, now),
            Store::Project(_) => Ok(Results::default()),
        }
    }

    /// Logged models that match, newest first unless an order is given; of some experiments or of all.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn logged_models(
        &self,
        experiments: Option<&[String]>,
        filter: &Expr,
        orders: &[Order],
        now: i64,
    ) -> Result<Results<LoggedModel>, TrackingError> {
        match self {
            Store::Sqlite(store) => {
                store.logged_models(experiments, filter, orders, now).map(Results::from)
            }
            Store::Files(store) => store.logged_models(experiments, filter, orders),
            Store::Rest(store) => store.logged_models(experiments, filter, orders, now),
            Store::Project(_) => Ok(Results::default()),
        }
    }

    /// The number of traces in experiments. From a server all of them are requested, page by page.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn traces(&self, experiments: &[String]) -> Result<u64, TrackingError> {
        match self {
            Store::Sqlite(store) => store.traces(experiments),
            Store::Files(store) => store.traces(experiments),
            Store::Rest(store) => store.traces(experiments),
            Store::Project(_) => Ok(0),
        }
    }
}
