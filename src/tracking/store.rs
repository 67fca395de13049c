//! One face for all kinds of stores.

use std::path::Path;

use super::entities::{
    Experiment, Found, LoggedModel, Model, ModelVersion, Point, Run, RunQuery, View,
};
use super::filter::{Expr, Order};
use super::{Location, SqliteStore, TrackingError};

/// An open tracking store.
#[derive(Debug)]
pub enum Store {
    /// A SQLite database.
    Sqlite(SqliteStore),
}

impl Store {
    /// Opens a store to read it. `workspace` is the one to look at where the store has any.
    ///
    /// # Errors
    /// When it can't be read, or its kind is not supported.
    pub fn open(location: &Location, workspace: Option<&str>) -> Result<Self, TrackingError> {
        match location {
            Location::Sqlite(path) => SqliteStore::open(path, workspace).map(Store::Sqlite),
            Location::Files(path) => Err(unsupported("The file store", path)),
            Location::Uri(uri) => {
                Err(TrackingError::Unsupported(format!("The tracking server {uri}")))
            }
        }
    }

    /// Experiments that match, the newest first unless an order is given.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn experiments(
        &self,
        filter: &Expr,
        orders: &[Order],
        view: View,
        now: i64,
    ) -> Result<Vec<Experiment>, TrackingError> {
        match self {
            Store::Sqlite(store) => store.experiments(filter, orders, view, now),
        }
    }

    /// Runs that match, with params, metrics and tags; their datasets are left out.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn search_runs(&self, query: &RunQuery) -> Result<Found<Run>, TrackingError> {
        match self {
            Store::Sqlite(store) => store.search_runs(query),
        }
    }

    /// A run with all that belongs to it.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn run(&self, id: &str) -> Result<Option<Run>, TrackingError> {
        match self {
            Store::Sqlite(store) => store.run(id),
        }
    }

    /// All values of a metric of a run, in MLflow's order.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn history(&self, run_id: &str, key: &str) -> Result<Vec<Point>, TrackingError> {
        match self {
            Store::Sqlite(store) => store.history(run_id, key),
        }
    }

    /// Registered models that match, by name unless an order is given.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn models(
        &self,
        filter: &Expr,
        orders: &[Order],
        now: i64,
    ) -> Result<Vec<Model>, TrackingError> {
        match self {
            Store::Sqlite(store) => store.models(filter, orders, now),
        }
    }

    /// Versions of registered models that match, the last changed first unless an order is given.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn versions(
        &self,
        filter: &Expr,
        orders: &[Order],
        now: i64,
    ) -> Result<Vec<ModelVersion>, TrackingError> {
        match self {
            Store::Sqlite(store) => store.versions(filter, orders, now),
        }
    }

    /// Logged models of experiments that match, the newest first unless an order is given.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn logged_models(
        &self,
        experiments: Option<&[String]>,
        filter: &Expr,
        orders: &[Order],
        now: i64,
    ) -> Result<Vec<LoggedModel>, TrackingError> {
        match self {
            Store::Sqlite(store) => store.logged_models(experiments, filter, orders, now),
        }
    }
}

fn unsupported(what: &str, path: &Path) -> TrackingError {
    TrackingError::Unsupported(format!("{what} {}", path.display()))
}
