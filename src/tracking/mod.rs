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
pub mod project;
pub mod reference;
pub mod rest;
mod searched;
mod sqlite;
mod store;
pub mod table;

pub use choice::{By, Choice, Location, ServerUri, choose};
pub use link::{pipeline_runs, run_between};
pub use sqlite::SqliteStore;
pub use store::Store;

use std::path::Path;

use crate::system::files::read_text;
use crate::text::secrets::{HIDDEN, names_secret, redact};

/// What is in a tracking store, newest runs first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overview {
    /// The store as a person names it, such as `mlflow.db`.
    pub source: String,
    /// Runs, newest first, at most [`MOST_RUNS`].
    pub runs: Vec<Run>,
    /// Registered models by name.
    pub models: Vec<RegisteredModel>,
}

/// How many runs [`read`] takes, the newest ones.
pub const MOST_RUNS: usize = 2_000;

/// A tracked run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// Run id.
    pub id: String,
    /// Run name.
    pub name: String,
    /// Name of its experiment.
    pub experiment: String,
    /// `RUNNING`, `FINISHED`, `FAILED`, `KILLED`, `SCHEDULED`.
    pub status: String,
    /// Seconds since the Unix epoch.
    pub started_at: f64,
    /// Seconds since the Unix epoch.
    pub ended_at: Option<f64>,
    /// Latest metric values by key, sorted.
    pub metrics: Vec<(String, f64)>,
    /// Params by key, sorted.
    pub params: Vec<(String, String)>,
}

/// A registered model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RegisteredModel {
    /// Name.
    pub name: String,
    /// Newest version number.
    pub latest_version: Option<i64>,
    /// Aliases with their versions.
    pub aliases: Vec<(String, i64)>,
    /// Last update, seconds since the Unix epoch.
    pub updated_at: f64,
}

/// Why a store can't be read.
#[derive(Debug, thiserror::Error)]
pub enum TrackingError {
    /// The kind of store is not supported.
    #[error(
        "{0} is not read by this version; SQLite stores (sqlite:///mlflow.db) and file stores (mlruns/) are."
    )]
    Unsupported(String),
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

/// Where the project tracks to: `MLFLOW_TRACKING_URI`, else kedro-mlflow's
/// `server.mlflow_tracking_uri` in `mlflow.yml` of the run environment or of `base`, else
/// `mlflow.db` or `mlruns/` in the project's folder (MLflow's own default). `None` when there is
/// no sign of tracking, or its database is not made yet.
pub fn locate(
    root: &Path,
    conf_source: &Path,
    env: &str,
    tracking_uri: Option<&str>,
) -> Option<Location> {
    let configured = tracking_uri.map(str::to_owned).or_else(|| {
        [env, "base"].iter().find_map(|env| {
            let text = read_text(&conf_source.join(env).join("mlflow.yml")).ok()?;
            let config: serde_yaml::Value = serde_yaml::from_str(&text).ok()?;
            Some(config.get("server")?.get("mlflow_tracking_uri")?.as_str()?.to_owned())
        })
    });
    match configured {
        Some(uri) => choice::of_uri(root, &uri),
        None => choice::in_folder(root),
    }
}

/// Reads the newest runs and the registered models. Each query is a short read of its own, so a
/// training process that writes is not held up.
///
/// # Errors
/// When the store is of a kind that can't be read yet, or SQLite refuses.
pub fn read(root: &Path, location: &Location) -> Result<Overview, TrackingError> {
    match location {
        Location::Sqlite(path) => {
            let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
            sqlite::overview::read(path, name)
        }
        Location::Files(path) => {
            let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
            of_files(&files::FileStore::new(path), name)
        }
        Location::Project(..) => Ok(Overview::default()),
        Location::Server(uri) => {
            Err(TrackingError::Unsupported(format!("The tracking server {uri}")))
        }
    }
}

/// The newest runs and the models of a file store.
fn of_files(store: &files::FileStore, source: String) -> Result<Overview, TrackingError> {
    let seconds = |milliseconds: Option<i64>| milliseconds.map(|it| it as f64 / 1000.0);
    let experiments = store.experiments(entities::View::All)?;
    let name_of = |id: &str| {
        let found = experiments.iter().find(|it| it.id == id);
        found.map(|it| it.name.clone()).unwrap_or_default()
    };
    let query = entities::RunQuery { limit: Some(MOST_RUNS), ..entities::RunQuery::default() };
    let shown = |(key, value): (String, String)| {
        let value = if names_secret(&key) { HIDDEN.into() } else { redact(&value) };
        (key, value)
    };
    let runs = store.search_runs(&query)?.items.into_iter().map(|run| Run {
        experiment: name_of(&run.experiment_id),
        id: run.id,
        name: run.name,
        status: run.status,
        started_at: seconds(run.start_time).unwrap_or_default(),
        ended_at: seconds(run.end_time),
        metrics: run.metrics,
        params: run.params.into_iter().map(shown).collect(),
    });
    let versions = store.versions(&filter::Expr::default(), &[])?.items;
    let models = store.models(&filter::Expr::default(), &[])?.items.into_iter().map(|model| {
        let own = versions.iter().filter(|version| version.name == model.name);
        RegisteredModel {
            latest_version: own.map(|version| version.version).max(),
            name: model.name,
            aliases: model.aliases,
            updated_at: seconds(model.last_updated_timestamp).unwrap_or_default(),
        }
    });
    Ok(Overview { source, runs: runs.collect(), models: models.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_store_is_found_as_mlflow_and_kedro_mlflow_would() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let conf = root.join("conf");
        fs::create_dir_all(conf.join("base")).unwrap();
        assert_eq!(locate(root, &conf, "local", None), None);
        fs::create_dir(root.join("mlruns")).unwrap();
        assert_eq!(locate(root, &conf, "local", None), Some(Location::Files(root.join("mlruns"))));
        fs::write(root.join("mlflow.db"), "").unwrap();
        let database = Some(Location::Sqlite(root.join("mlflow.db")));
        assert_eq!(locate(root, &conf, "local", None), database);
        fs::write(
            root.join("conf/base/mlflow.yml"),
            "server: {mlflow_tracking_uri: https://me:pw@host/x?token=1}",
        )
        .unwrap();
        assert_eq!(
            locate(root, &conf, "local", None),
            Some(Location::Server(ServerUri::new("https://me:pw@host/x?token=1")))
        );
        assert_eq!(locate(root, &conf, "local", Some("sqlite:///mlflow.db")), database);
    }
}
