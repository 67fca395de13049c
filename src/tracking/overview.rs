//! An overview of any kind of store: the newest runs and the registered models.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use super::entities::{Run, RunQuery, View};
use super::filter::Expr;
use super::{Location, Store, TrackingError, workspace};
use crate::text::secrets::{HIDDEN, names_secret, redact};

/// The contents of a tracking store, newest runs first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overview {
    /// Display name of the store, such as `mlflow.db`.
    pub source: String,
    /// Runs, newest first, at most 10,000. Params and tags have no secrets.
    pub runs: Vec<Run>,
    /// Names of experiments by id.
    pub experiments: HashMap<String, String>,
    /// Registered models by name.
    pub models: Vec<RegisteredModel>,
}

impl Overview {
    /// The name of a run's experiment; its id if there is no name.
    pub fn experiment<'a>(&'a self, run: &'a Run) -> &'a str {
        self.experiments.get(&run.experiment_id).unwrap_or(&run.experiment_id)
    }

    /// The runs with these ids, in the order of the ids. Unknown ids are left out.
    pub fn of_ids(&self, ids: &[String]) -> Vec<&Run> {
        let places: HashMap<&str, usize> =
            ids.iter().enumerate().map(|(place, id)| (id.as_str(), place)).collect();
        let mut found = vec![None; ids.len()];
        for run in &self.runs {
            if let Some(place) = places.get(run.id.as_str()) {
                found[*place] = Some(run);
            }
        }
        found.into_iter().flatten().collect()
    }

    /// Puts runs as they are now in the place of those with the same ids; new ones go where their start belongs, and
    /// deleted ones are left out.
    pub fn update(&mut self, runs: Vec<Run>) {
        for run in runs {
            let known = self.runs.iter().position(|other| other.id == run.id);
            match (known, run.lifecycle_stage == "deleted") {
                (Some(at), true) => drop(self.runs.remove(at)),
                (None, true) => {}
                (Some(at), false) => self.runs[at] = run,
                (None, false) => {
                    let at = self.runs.partition_point(|other| other.start_time > run.start_time);
                    self.runs.insert(at, run);
                }
            }
        }
    }
}

/// How many of the newest runs [`read`] returns.
const MOST_RUNS: usize = 10_000;

/// Time limit for a tracking server's answer; thousands of runs take the server seconds.
const ANSWER: Duration = Duration::from_secs(30);

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
    let source = location.name(root);
    let store = Store::open(location, workspace().as_deref())?.hurried(ANSWER);
    let (all, now) = (Expr::default(), jiff::Timestamp::now().as_millisecond());
    let experiments = store.experiments(&all, &[], View::All, now)?.items.into_iter();
    let experiments = experiments.map(|experiment| (experiment.id, experiment.name)).collect();
    let query = RunQuery { limit: Some(MOST_RUNS), now, ..RunQuery::default() };
    let mut runs = store.search_runs(&query)?.items;
    runs.iter_mut().for_each(hide_secrets);
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
    Ok(Overview { source, runs, experiments, models: models.collect() })
}

/// Hides secrets in the params and tags of a run.
pub fn hide_secrets(run: &mut Run) {
    for (key, value) in run.params.iter_mut().chain(&mut run.tags) {
        *value = if names_secret(key) { HIDDEN.into() } else { redact(value) };
    }
}

fn seconds(milliseconds: Option<i64>) -> Option<f64> {
    // Times in milliseconds are far below 2^53, so the conversion is exact.
    milliseconds.map(|milliseconds| milliseconds as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, start: i64, status: &str) -> Run {
        let status = status.to_owned();
        Run { id: id.into(), start_time: Some(start), status, ..Run::default() }
    }

    #[test]
    fn changed_runs_take_the_place_of_the_old_ones() {
        let runs = vec![run("c", 3, "RUNNING"), run("a", 1, "RUNNING")];
        let mut overview = Overview { runs, ..Overview::default() };
        let deleted = Run { lifecycle_stage: "deleted".into(), ..run("c", 3, "FAILED") };
        let unknown = Run { lifecycle_stage: "deleted".into(), ..run("x", 9, "FAILED") };
        overview.update(vec![run("a", 1, "FINISHED"), run("b", 2, "RUNNING"), deleted, unknown]);
        let now: Vec<_> =
            overview.runs.iter().map(|run| (run.id.as_str(), run.status.as_str())).collect();
        assert_eq!(now, [("b", "RUNNING"), ("a", "FINISHED")]);
    }
}
