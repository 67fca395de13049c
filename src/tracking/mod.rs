//! Experiments: MLflow's stores, read in place and read-only.
//!
//! [`locate`] says which store the project tracks to, [`read`] reads it. SQLite stores are read
//! here; file stores and tracking servers are named, and reading them says that it can't be done
//! yet. MLflow itself is never asked: opening a store with it may migrate the database.

pub mod entities;
pub mod filter;
mod link;
pub mod reference;
mod sqlite;
mod store;

pub use link::run_between;
pub use sqlite::SqliteStore;
pub use store::Store;

use std::path::{Path, PathBuf};

use crate::system::files;
use crate::text::secrets::remove;

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

/// Where a project tracks to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite database.
    Sqlite(PathBuf),
    /// A folder of files (`mlruns/`).
    Files(PathBuf),
    /// Anything that a URI names; credentials in it are removed.
    Uri(String),
}

/// Why a store can't be read.
#[derive(Debug, thiserror::Error)]
pub enum TrackingError {
    /// The kind of store is not supported.
    #[error("{0} is not read by this version; SQLite stores (sqlite:///mlflow.db) are.")]
    Unsupported(String),
    /// The store that is named is not there.
    #[error("{0} is not there.")]
    Missing(String),
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
}

/// Which store is read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The store; `None` when there is none.
    pub location: Option<Location>,
    /// What decided, in a sentence.
    pub reason: String,
}

/// Chooses the store to read: `uri` where one is given, else what [`locate`] finds for the environment.
///
/// # Errors
/// When the store that is named is not there.
pub fn choose(root: &Path, env: Option<&str>, uri: Option<&str>) -> Result<Choice, TrackingError> {
    let variable = std::env::var("MLFLOW_TRACKING_URI").ok().filter(|uri| !uri.is_empty());
    let named = uri.map(|uri| (uri.to_owned(), "--tracking-uri names it."));
    let named = named.or_else(|| variable.map(|uri| (uri, "MLFLOW_TRACKING_URI names it.")));
    if let Some((uri, reason)) = named {
        let location = of_uri(root, &uri).ok_or_else(|| TrackingError::Missing(remove(&uri)))?;
        return Ok(Choice { location: Some(location), reason: reason.to_owned() });
    }
    let location = locate(root, &root.join("conf"), env.unwrap_or("local"), None);
    let reason = match &location {
        Some(_) => "mlflow.yml names it, or it lies in the project's folder.",
        None => {
            "no --tracking-uri, MLFLOW_TRACKING_URI or mlflow.yml names one, and mlflow.db and mlruns/ are missing."
        }
    };
    Ok(Choice { location, reason: reason.to_owned() })
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
            let text = files::read_text(&conf_source.join(env).join("mlflow.yml")).ok()?;
            let config: serde_yaml::Value = serde_yaml::from_str(&text).ok()?;
            Some(config.get("server")?.get("mlflow_tracking_uri")?.as_str()?.to_owned())
        })
    });
    match configured {
        Some(uri) => of_uri(root, &uri),
        None => of_uri(root, "sqlite:///mlflow.db").or_else(|| of_uri(root, "mlruns")),
    }
}

fn of_uri(root: &Path, uri: &str) -> Option<Location> {
    if let Some(path) = uri.strip_prefix("sqlite:///") {
        let path = root.join(path.split('?').next().unwrap_or(path));
        return path.is_file().then_some(Location::Sqlite(path));
    }
    let local = uri.strip_prefix("file://").unwrap_or(uri);
    if !local.contains("://") {
        let path = root.join(local);
        return path.is_dir().then_some(Location::Files(path));
    }
    Some(Location::Uri(remove(uri)))
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
            let name = path.strip_prefix(root).unwrap_or(path).display();
            Err(TrackingError::Unsupported(format!("The file store {name}/")))
        }
        Location::Uri(uri) => Err(TrackingError::Unsupported(format!("The tracking server {uri}"))),
    }
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
            Some(Location::Uri("https://<redacted>@host/x?<redacted>".into()))
        );
        assert_eq!(locate(root, &conf, "local", Some("sqlite:///mlflow.db")), database);
    }
}
