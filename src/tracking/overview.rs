//! The newest runs and the registered models at a glance, of any kind of store.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use super::entities::{RunQuery, View};
use super::filter::Expr;
use super::{Location, Store, TrackingError, workspace};
use crate::text::secrets::{HIDDEN, names_secret, redact};

/// What is in a tracking store, newest runs first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overview {
    /// The store as a person names it, such as `mlflow.db`.
    pub source: String,
    /// Runs, newest first, at most 2,000.
    pub runs: Vec<Run>,
    /// Registered models by name.
    pub models: Vec<RegisteredModel>,
}

/// How many runs [`read`] takes, the newest ones.
const MOST_RUNS: usize = 2_000;

/// Time that a tracking server has for an answer; thousands of runs take it seconds.
const ANSWER: Duration = Duration::from_secs(30);

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

/// Reads the newest runs and the registered models. Each question is short, so a training process that writes is
/// not held up.
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
    let names: HashMap<String, String> = experiments.map(|it| (it.id, it.name)).collect();
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
    // Times in milliseconds stay far below 2^53.
    milliseconds.map(|milliseconds| milliseconds as f64 / 1000.0)
}
