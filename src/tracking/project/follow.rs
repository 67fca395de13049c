//! Follows a project's own runs: all runs are read again and compared.

use std::collections::HashMap;

use super::{Measured, ProjectStore};
use crate::tracking::TrackingError;
use crate::tracking::entities::Point;
use crate::tracking::follow::{Batch, News, RunState};

/// Follows the runs of a project from the moment it was created.
#[derive(Debug)]
pub struct Follower {
    store: ProjectStore,
    /// Runs by id.
    runs: HashMap<String, Measured>,
}

impl Follower {
    /// Starts to follow a project.
    ///
    /// # Errors
    /// When its history can't be read.
    pub fn new(store: ProjectStore) -> Result<Self, TrackingError> {
        let runs = store.load()?.runs.into_iter();
        let runs = runs.map(|measured| (measured.run.id.clone(), measured)).collect();
        Ok(Follower { store, runs })
    }

    /// The news since the last poll: new runs, values of metrics, changed run states.
    ///
    /// # Errors
    /// When the history can't be read.
    pub fn poll(&mut self) -> Result<Vec<News>, TrackingError> {
        let mut batch = Batch::default();
        for (step, measured) in self.store.load()?.runs.into_iter().enumerate() {
            let before = self.runs.get(&measured.run.id);
            for (key, timestamp) in &measured.saved {
                let value = measured.run.metric(key).unwrap_or(f64::NAN);
                let is_known =
                    before.is_some_and(|before| before.saved.get(key) == Some(timestamp));
                if !is_known {
                    let point = Point { step: step as i64, timestamp: *timestamp, value };
                    batch.points.push((measured.run.id.clone(), key.clone(), point));
                }
            }
            match before.map(state) {
                None => batch.new.push(state(&measured)),
                Some(before) if before != state(&measured) => batch.changed.push(state(&measured)),
                Some(_) => {}
            }
            self.runs.insert(measured.run.id.clone(), measured);
        }
        Ok(batch.news())
    }
}

fn state(measured: &Measured) -> RunState {
    let run = &measured.run;
    RunState {
        id: run.id.clone(),
        name: run.name.clone(),
        experiment_id: run.experiment_id.clone(),
        status: run.status.clone(),
        lifecycle_stage: run.lifecycle_stage.clone(),
        start_time: run.start_time,
        end_time: run.end_time,
    }
}
