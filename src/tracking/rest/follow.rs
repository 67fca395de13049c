//! Follows a tracking server: a search shows which metrics have a new latest value, and only the values after
//! the last known step are requested.
//!
//! A server has no list of changes, so some are missed: values below the latest step of their metric, and
//! changes of ended runs that are not among the [`NEWEST`].

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use super::transport::{Failure, Method};
use super::{RestStore, ask, get, shapes};
use crate::tracking::TrackingError;
use crate::tracking::entities::{Point, View};
use crate::tracking::filter::Expr;
use crate::tracking::follow::{Batch, News, RunState};

/// How often new experiments, and runs that are not active, are checked.
const SELDOM: Duration = Duration::from_secs(2);
/// How many of the most recently started runs are checked then.
const NEWEST: usize = 100;
/// Runs per page.
const RUNS: usize = 1_000;
/// Most values that a server returns for an interval of steps; it samples if there are more.
const MOST: usize = 2_500;
/// Tolerance between the clocks, in milliseconds.
const SKEW: i64 = 600_000;

/// Follows a server from the moment of the first request.
#[derive(Debug)]
pub struct Follower {
    store: RestStore,
    /// When following began, in milliseconds since the Unix epoch.
    began: i64,
    experiments: Vec<String>,
    /// Runs by id.
    runs: BTreeMap<String, Watched>,
    looked: Option<Instant>,
    /// Whether the server supports intervals of steps (MLflow 2.5 and later).
    has_intervals: bool,
}

#[derive(Debug)]
struct Watched {
    state: RunState,
    /// The latest values of each metric.
    latest: BTreeMap<String, Latest>,
}

/// The largest step and time of a metric, and all values with this step and time.
#[derive(Debug, Clone)]
struct Latest {
    step: i64,
    timestamp: i64,
    values: Vec<f64>,
}

impl Latest {
    fn of(points: &[Point]) -> Option<Self> {
        let at = |point: &Point| (point.step, point.timestamp);
        let (step, timestamp) = points.iter().map(at).max()?;
        let last = points.iter().filter(|point| at(point) == (step, timestamp));
        Some(Latest { step, timestamp, values: last.map(|point| point.value).collect() })
    }

    /// Whether a value is known, or was logged before the known ones.
    fn knows(&self, point: &Point) -> bool {
        let (at, last) = ((point.step, point.timestamp), (self.step, self.timestamp));
        at < last || at == last && self.values.iter().any(|value| is_same(*value, point.value))
    }
}

fn is_same(one: f64, other: f64) -> bool {
    one == other || one.is_nan() && other.is_nan()
}

impl Follower {
    /// Starts to follow a server.
    ///
    /// # Errors
    /// When the request to the server fails.
    pub fn new(store: RestStore) -> Result<Self, TrackingError> {
        let mut follower = Follower {
            // The caller polls again anyway, and reports errors.
            store: store.without_retries(),
            began: jiff::Timestamp::now().as_millisecond(),
            experiments: Vec::new(),
            runs: BTreeMap::new(),
            looked: None,
            has_intervals: true,
        };
        let runs = follower.observe(true).map_err(|failure| follower.store.failed(failure))?;
        for run in runs {
            let watched = Watched { latest: known(&run), state: run.state };
            follower.runs.insert(watched.state.id.clone(), watched);
        }
        Ok(follower)
    }

    /// The news since the last poll: new runs, values of metrics in order of time, changed run states.
    ///
    /// # Errors
    /// When the request to the server fails.
    pub fn poll(&mut self) -> Result<Vec<News>, TrackingError> {
        let mut batch = Batch::default();
        let read = self.read(&mut batch).map_err(|failure| self.store.failed(failure));
        batch.points.sort_by_key(|(_, _, point)| point.timestamp);
        batch.unless(read)
    }

    fn read(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        let seldom = self.looked.is_none_or(|looked| looked.elapsed() >= SELDOM);
        for run in self.observe(seldom)? {
            self.compare(run, batch)?;
        }
        Ok(())
    }

    /// The active runs, those that were active at the last poll and, if `seldom`, the newest runs.
    fn observe(&mut self, seldom: bool) -> Result<Vec<shapes::Observed>, Failure> {
        if seldom {
            let found = self.store.experiments(&Expr::default(), &[], View::Active, self.began);
            let found = found.map_err(|error| Failure::Other(error.to_string()))?;
            self.experiments = found.items.into_iter().map(|experiment| experiment.id).collect();
        }
        let mut runs = BTreeMap::new();
        if !self.experiments.is_empty() {
            let mut search = |filter: &str, view: &str, order: &str, most: usize| {
                let asked = json!({
                    "experiment_ids": self.experiments, "filter": filter, "run_view_type": view,
                    "order_by": [order],
                });
                let ask = ask(Method::Post, "/api/2.0/mlflow/runs/search", asked);
                let mut left = most;
                self.store.pages(&ask, "runs", RUNS.min(most), |run: shapes::Observed| {
                    runs.insert(run.state.id.clone(), run);
                    left -= 1;
                    left > 0
                })
            };
            if seldom {
                search("", "ALL", "attributes.start_time DESC", NEWEST)?;
            }
            let running = "attributes.status = 'RUNNING'";
            search(running, "ACTIVE_ONLY", "attributes.start_time DESC", usize::MAX)?;
        }
        let gone = self.runs.values().filter(|run| run.state.goes_on());
        let gone: Vec<_> = gone.filter(|run| !runs.contains_key(&run.state.id)).collect();
        for run in gone {
            if let Some(run) = self.one(&run.state.id)? {
                runs.insert(run.state.id.clone(), run);
            }
        }
        if seldom {
            self.looked = Some(Instant::now());
        }
        Ok(runs.into_values().collect())
    }

    fn one(&self, id: &str) -> Result<Option<shapes::Observed>, Failure> {
        #[derive(Deserialize)]
        struct Answer {
            run: shapes::Observed,
        }
        match self.store.read::<Answer>(&get("/api/2.0/mlflow/runs/get", json!({"run_id": id}))) {
            Ok(answer) => Ok(Some(answer.run)),
            Err(failure) if super::is_missing(&failure) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Adds the changes of a run. The state is updated last: if a request fails, the change is found again by
    /// the next poll.
    fn compare(&mut self, run: shapes::Observed, batch: &mut Batch) -> Result<(), Failure> {
        let id = run.state.id.clone();
        if !self.runs.contains_key(&id) {
            batch.new.push(run.state.clone());
            // A run that was started long ago has become active again: its earlier values are not new.
            let is_new = run.state.start_time.is_none_or(|start| start > self.began - SKEW);
            let latest = if is_new { BTreeMap::new() } else { known(&run) };
            self.runs.insert(id.clone(), Watched { state: run.state.clone(), latest });
        }
        for (key, point) in &run.metrics {
            let latest = self.runs[&id].latest.get(key).cloned();
            if latest.as_ref().is_some_and(|latest| latest.knows(point)) {
                continue;
            }
            let mut points = match &latest {
                None => self.store.points(&id, key)?,
                Some(latest) => self.interval(&id, key, latest.step, point.step)?,
            };
            let all = Latest::of(&points);
            points.retain(|point| latest.as_ref().is_none_or(|latest| !latest.knows(point)));
            let of_run = |point: Point| (id.clone(), key.clone(), point);
            batch.points.extend(points.into_iter().map(of_run));
            if let Some(run) = self.runs.get_mut(&id) {
                let latest = all.or_else(|| Latest::of(std::slice::from_ref(point)));
                latest.map(|latest| run.latest.insert(key.clone(), latest));
            }
        }
        if let Some(watched) = self.runs.get_mut(&id)
            && watched.state != run.state
        {
            watched.state = run.state.clone();
            batch.changed.push(run.state);
        }
        Ok(())
    }

    /// All values of a metric in an interval of steps.
    fn interval(&mut self, id: &str, key: &str, from: i64, to: i64) -> Result<Vec<Point>, Failure> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Answer {
            metrics: Vec<shapes::OfPoint>,
        }
        let inside = |point: &Point| (from..=to).contains(&point.step);
        if self.has_intervals && from <= to {
            let asked = json!({
                "run_ids": [id], "metric_key": key, "start_step": from, "end_step": to, "max_results": MOST,
            });
            let path = "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval";
            match self.store.read::<Answer>(&get(path, asked)) {
                Ok(answer) if answer.metrics.len() < MOST => {
                    let points = answer.metrics.into_iter().map(Point::from);
                    // The server adds the metric's first and last step even if they are outside of the
                    // interval.
                    return Ok(points.filter(inside).collect());
                }
                Ok(_) if from < to => {
                    let middle = from + (to - from) / 2;
                    let mut points = self.interval(id, key, from, middle)?;
                    points.extend(self.interval(id, key, middle + 1, to)?);
                    return Ok(points);
                }
                Ok(_) => {}
                Err(Failure::Refused { status: 404 | 405, .. }) => self.has_intervals = false,
                Err(failure) => return Err(failure),
            }
        }
        let points = self.store.points(id, key)?;
        Ok(points.into_iter().filter(|point| point.step >= from).collect())
    }
}

/// The known values of a run that is seen for the first time.
fn known(run: &shapes::Observed) -> BTreeMap<String, Latest> {
    let latest = |(key, point): &(String, Point)| {
        Latest::of(std::slice::from_ref(point)).map(|latest| (key.clone(), latest))
    };
    run.metrics.iter().filter_map(latest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_at_the_latest_step_and_time_are_distinguished() {
        let point = |step, timestamp, value| Point { step, timestamp, value };
        let latest = Latest::of(&[point(1, 9, 0.1), point(2, 5, 0.2), point(2, 5, f64::NAN)]);
        let latest = latest.unwrap();
        assert!(latest.knows(&point(1, 99, 0.3)));
        assert!(latest.knows(&point(2, 4, 0.3)));
        assert!(latest.knows(&point(2, 5, 0.2)) && latest.knows(&point(2, 5, f64::NAN)));
        assert!(!latest.knows(&point(2, 5, 0.3)));
        assert!(!latest.knows(&point(2, 6, 0.2)));
        assert!(!latest.knows(&point(3, 1, 0.2)));
        assert!(Latest::of(&[]).is_none());
    }
}
