//! An overview of any kind of store: the newest runs and the registered models.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use super::entities::{RunQuery, View};
use super::filter::Expr;
use super::{Location, Store, TrackingError, workspace};
use crate::text::secrets::{HIDDEN, names_secret, redact};

/// The contents of a tracking store, newest runs first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overview {
    /// Display name of the store, such as `mlflow.db`.
    pub source: String,
    /// Runs, newest first, at most 2,000.
    pub runs: Vec<Run>,
    /// Registered models by name.
    pub models: Vec<RegisteredModel>,
}

/// How many of the newest runs [`read`] returns.
const MOST_RUNS: usize = 2_000;

/// Time limit for a tracking server's answer; thousands of runs take the server seconds.
const ANSWER: Duration = Duration::from_secs(30);

/// A tracked run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// Id of the run.
    pub id: String,
    /// Name of the run.
    pub name: String,
    /// Name of its experiment.
    pub experiment: String,
    /// `RUNNING`, `FINISHED`, `FAILED`, `KILLED`, `SCHEDULED`.
    pub status: String,
    /// Start, in seconds since the Unix epoch.
    pub started_at: f64,
    /// End, in seconds since the Unix epoch.
    pub ended_at: Option<f64>,
    /// Latest metric values by key, sorted.
    pub metrics: Vec<(String, f64)>,
    /// Params by key, sorted.
    pub params: Vec<(String, String)>,
}

/// A registered model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RegisteredModel {
    /// Name of the model.
    pub name: String,
    /// Newest version number.
    pub latest_version: Option<i64>,
    /// Aliases with their version numbers.
    pub aliases: Vec<(String, i64)>,
    /// Last update, seconds since the Unix epoch.
    pub updated_at: f64,
}

/// Reads the newest runs and the registered models. Each query is short, so a training process that writes is
/// not blocked.
///
/// # Errors
/// When the store can't be read.
pub fn read(root: &Path, location: &Location) -> Result<Overview, TrackingError> {
    let source = match location {
        Location::Sqlite(path) | Location::Files(path) => {
            path.strip_prefix(root).unwrap_or(path).display().to_string()
        }
        Location::Project(..) => "own runs".to_owned(),
        Location::Server(uri) => uri.to_string(),
    };
    let store = Store::open(location, workspace().as_deref())?.hurried(ANSWER);
    let (all, now) = (Expr::default(), jiff::Timestamp::now().as_millisecond());
    let experiments = store.experiments(&all, &[], View::All, now)?.items.into_iter();
    let names: HashMap<String, String> =
        experiments.map(|experiment| (experiment.id, experiment.name)).collect();
    let query = RunQuery { limit: Some(MOST_RUNS), now, ..RunQuery::default() };
    let shown = |(key, value): (String, String)| {
        let value = if names_secret(&key) { HIDDEN.into() } else { redact(&value) };
        (key, value)
    };
    let runs = store.search_runs(&query)?.items.into_iter().map(|run| Run {
        experiment: names.get(&run.experiment_id).cloned().unwrap_or_default(),
        id: run.id,
        name: run.name,
        status: run.status,
        started_at: seconds(run.start_time).unwrap_or_default(),
        ended_at: seconds(run.end_time),
        metrics: run.metrics,
        params: run.params.into_iter().map(shown).collect(),
    });
    let mut newest: HashMap<String, i64> = HashMap::new();
    for version in store.versions(&all, &[], now)?.items {
        let newest = newest.entry(version.name).or_default();
        *newest = version.version.max(*newest);
    }
    let models = store.models(&all, &[], now)?.items.into_iter().map(|model| RegisteredModel {
        latest_version: newest.get(&model.name).copied(),
        name: model.name,
        aliases: model.aliases,
        updated_at: seconds(model.last_updated_timestamp).unwrap_or_default(),
    });
    Ok(Overview { source, runs: runs.collect(), models: models.collect() })
}

fn seconds(milliseconds: Option<i64>) -> Option<f64> {
    // Times in milliseconds are far below 2^53, so the conversion is exact.
    milliseconds.map(|milliseconds| milliseconds as f64 / 1000.0)
}
