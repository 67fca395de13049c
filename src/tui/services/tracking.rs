//! The tracking store: loading it, and following the runs that train now.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::context::Context;
use crate::app::effect::Made;
use crate::app::event::Report;
use crate::app::screens::experiments::comparison::Comparison;
use crate::app::shared::TrackingReport;
use crate::project::Snapshot;
use crate::store::{StoreError, Trust};
use crate::text::UserError;
use crate::tracking::entities::{Point, Run};
use crate::tracking::follow::{Follower, News};
use crate::tracking::{Belongings, By, Choice, Location, Store, TrackingError};
use crate::tui::{export, folders};
use crate::ui::comparison;
use crate::{remote, tracking};

/// How long a store has to be quiet before it is read again.
const QUIET: Duration = Duration::from_secs(1);
/// The shortest time between two looks at a store: changes are to be seen within a quarter of a second.
const PAUSE: Duration = Duration::from_millis(150);
/// The pause after a look, in times of how long it took: an idle screen is to leave the machine alone.
const REST: u32 = 30;
/// How many curves are read before they are reported.
const CURVES_AT_ONCE: usize = 20;
/// Most changed runs that are read one by one; if there are more, the whole store is read.
const MOST_CHANGED: usize = 100;

/// Reports the tracking store and the engines.
pub(super) fn load(context: &Arc<Context>) {
    let (context, snapshot) = (context.clone(), context.snapshot());
    tokio::task::spawn_blocking(move || {
        let root = context.root.as_path();
        let report = match choose(root, snapshot.as_deref()) {
            Ok(choice) => overview(root, &choice),
            // The first run creates the store.
            Err(TrackingError::Missing { .. }) => TrackingReport::Absent,
            Err(error) => TrackingReport::Failed(error.to_string()),
        };
        context.send_blocking(Report::Tracking(report));
        if let Some(snapshot) = &snapshot {
            let conf = &snapshot.metadata.conf_source;
            let found = remote::found(root, conf, &snapshot.environments);
            context.send_blocking(Report::Backends(found));
        }
    });
}

/// Reports the pipeline runs that made tracked runs.
pub(super) fn find_pipeline_runs(context: &Arc<Context>, runs: Vec<Run>, then: Made) {
    let context = context.clone();
    tokio::task::spawn_blocking(move || {
        let found = runs.into_iter().map(|run| {
            let made = tracking::pipeline_runs(&context.root, &run)?;
            Ok((run.name, made.into_iter().next()))
        });
        let found: Result<Vec<_>, StoreError> = found.collect();
        let found = found.map_err(|error| error.to_string());
        context.send_blocking(Report::PipelineRuns(found, then));
    });
}

/// Reports all values of metrics.
pub(super) fn curves(context: &Arc<Context>, wanted: Vec<(String, String)>) {
    let (context, snapshot) = (context.clone(), context.snapshot());
    tokio::task::spawn_blocking(move || {
        // Some at a time, so that the first charts are drawn early.
        let mut some = Vec::new();
        let mut take = |index: usize, points: Result<Vec<Point>, String>| {
            some.push((wanted[index].clone(), points));
            if some.len() == CURVES_AT_ONCE {
                context.send_blocking(Report::Curves(std::mem::take(&mut some)));
            }
        };
        match open(&context.root, snapshot.as_deref()) {
            Ok((store, _)) => store.read_histories(&wanted, |index, points| {
                take(index, points.map_err(|error| error.to_string()));
            }),
            Err(why) => (0..wanted.len()).for_each(|index| take(index, Err(why.clone()))),
        }
        if !some.is_empty() {
            context.send_blocking(Report::Curves(some));
        }
    });
}

/// Reports the datasets and the logged models of a run.
pub(super) fn belongings(context: &Arc<Context>, run: String) {
    let (context, snapshot) = (context.clone(), context.snapshot());
    tokio::task::spawn_blocking(move || {
        let read = open(&context.root, snapshot.as_deref()).and_then(|(store, _)| {
            Belongings::read(&store, &run).map(Box::new).map_err(|error| error.to_string())
        });
        context.send_blocking(Report::Belongings(run, read));
    });
}

/// Reads the curves of a comparison, writes it to a new file, and reports that.
pub(super) fn write_comparison(context: &Arc<Context>, file: String, comparison: Comparison) {
    let (context, snapshot) = (context.clone(), context.snapshot());
    tokio::task::spawn_blocking(move || {
        let write = || -> Result<(), UserError> {
            let (store, _) = open(&context.root, snapshot.as_deref())?;
            let read = |key: &str| store.histories(&comparison.overview.runs, key);
            let html = comparison::html(&comparison, read).map_err(UserError::plain)?;
            export::write(&context.root.join(&file), &file, &html)
        };
        let excess = comparison.excess();
        context.send_blocking(match write() {
            Ok(()) if excess.is_empty() => Report::Notice(format!("Written: {file}")),
            Ok(()) => Report::Notice(format!("Written: {file}. {excess}")),
            Err(error) => Report::Failed(error.line()),
        });
    });
}

/// Opens the store that the screen shows; with its location. The choice is made anew, and the project may have changed
/// since the screen was read, so trust is asked for again.
pub(super) fn open(root: &Path, snapshot: Option<&Snapshot>) -> Result<(Store, Location), String> {
    let choice = choose(root, snapshot).map_err(|error| error.to_string())?;
    let location = location(root, &choice);
    let location =
        location.ok_or_else(|| format!("There is no tracking store. {}", choice.place))?;
    if let Some(why) = untrusted(root, &location, &choice) {
        return Err(why);
    }
    let store = Store::open(&location, tracking::workspace().as_deref());
    Ok((store.map_err(|error| error.to_string())?, location))
}

/// Why a server is not contacted: one that the project names receives the user's MLflow credentials.
fn untrusted(root: &Path, location: &Location, choice: &Choice) -> Option<String> {
    let Location::Server(uri) = location else { return None };
    if choice.by == By::Variable || Trust::new(&folders::state()).holds(root) {
        return None;
    }
    let place = choice.place.trim_end_matches('.');
    Some(format!(
        "{uri} is asked once you trust the project, for it gets your MLflow credentials. {place}."
    ))
}

fn choose(root: &Path, snapshot: Option<&Snapshot>) -> Result<Choice, TrackingError> {
    tracking::choose(root, snapshot.map(|snapshot| snapshot.env.as_str()), None)
}

/// The content of a store.
fn overview(root: &Path, choice: &Choice) -> TrackingReport {
    let Some(location) = &choice.location else { return TrackingReport::Absent };
    if let Some(why) = untrusted(root, location, choice) {
        return TrackingReport::Failed(why);
    }
    match tracking::read(root, location) {
        Ok(overview) if matches!(location, Location::Project(..)) && overview.runs.is_empty() => {
            TrackingReport::Absent
        }
        Ok(overview) => TrackingReport::Live(overview),
        Err(error) => TrackingReport::Failed(error.to_string()),
    }
}

/// The largest number of experiment folders that are checked for changes.
const MOST_EXPERIMENTS: usize = 1_000;

/// Follows the tracking store by polling: trainers write at any time, and a database in a folder that is not watched
/// causes no events. Runs that change are reported at once; what the store's follower does not see (models, tags,
/// params of a run that has begun) is read again when the store was quiet for a moment. A server is read only on request.
pub(super) fn follow(context: &Arc<Context>) {
    let mut chosen: Option<(Option<Arc<Snapshot>>, Choice)> = None;
    let mut followed: Option<Followed> = None;
    let mut loaded: Option<Stamp> = None;
    let mut looked: Option<Instant> = None;
    let mut first = true;
    while !context.reports.is_closed() {
        let now = context.snapshot();
        // Choosing a store reads configuration, so it is done once per reading of the project.
        let kept = chosen.take().filter(|(of, _)| match (of, &now) {
            (Some(of), Some(now)) => Arc::ptr_eq(of, now),
            (of, now) => of.is_none() && now.is_none(),
        });
        chosen = match kept {
            Some(kept) => Some(kept),
            // A named store that does not exist yet is looked for again.
            None => choose(&context.root, now.as_deref()).ok().map(|choice| (now, choice)),
        };
        let place = chosen.as_ref().and_then(|(_, choice)| place(&context.root, choice));
        if followed.as_ref().map(|followed| &followed.location) != place.as_ref() {
            followed = place.clone().and_then(Followed::open);
        }
        let news = followed.as_mut().map(Followed::poll).unwrap_or_default();
        let busy = news.is_some();
        if let Some(report) = news
            && context.reports.blocking_send(report.into()).is_err()
        {
            return;
        }
        if busy {
            looked = Some(Instant::now());
        } else if looked.is_none_or(|at| at.elapsed() >= QUIET) {
            looked = Some(Instant::now());
            let stamp = place.as_ref().and_then(stamp);
            if stamp != loaded && !first {
                let report = Report::Changed { files: Vec::new(), tracking: true };
                if context.reports.blocking_send(report.into()).is_err() {
                    return;
                }
            }
            (loaded, first) = (stamp, false);
        }
        std::thread::sleep(followed.as_ref().map_or(QUIET, Followed::pause));
    }
}

/// A store that is followed.
struct Followed {
    location: Location,
    store: Store,
    follower: Follower,
    /// How long the last look took.
    took: Duration,
}

impl Followed {
    /// Follows a store of MLflow's. The project's own runs would have to be read again at each look.
    fn open(location: Location) -> Option<Followed> {
        if matches!(location, Location::Project(..)) {
            return None;
        }
        let workspace = tracking::workspace();
        let open = || -> Result<Followed, TrackingError> {
            let store = Store::open(&location, workspace.as_deref())?;
            let follower = Follower::open(&location, workspace.as_deref())?;
            let took = Duration::ZERO;
            Ok(Followed { location: location.clone(), store, follower, took })
        };
        // A store that can't be read is reported when it is loaded.
        open().ok()
    }

    /// What has changed since the last time.
    fn poll(&mut self) -> Option<Report> {
        let again = || Some(Report::Changed { files: Vec::new(), tracking: true });
        // What can't be read now, because it is being written, is read at the next poll.
        let began = Instant::now();
        let news = self.follower.poll();
        self.took = began.elapsed();
        let news = news.ok()?;
        let mut changed: BTreeSet<String> = BTreeSet::new();
        let mut points = Vec::new();
        for one in news {
            match one {
                News::Run(state) => drop(changed.insert(state.id)),
                News::Metric { run_id, key, point } => {
                    changed.insert(run_id.clone());
                    points.push((run_id, key, point));
                }
                News::Problem(_) => {}
                News::Replaced => return again(),
            }
        }
        if changed.len() > MOST_CHANGED {
            return again();
        }
        let mut runs = Vec::new();
        for id in changed {
            match self.store.run(&id) {
                Ok(Some(mut run)) => {
                    tracking::hide_secrets(&mut run);
                    runs.push(run);
                }
                Ok(None) => {}
                Err(_) => return again(),
            }
        }
        (!runs.is_empty()).then_some(Report::TrackedRuns { runs, points })
    }

    fn pause(&self) -> Duration {
        self.follower.pause().max(PAUSE).max(self.took * REST)
    }
}

/// The store that a choice names; MLflow may have created one since.
fn location(root: &Path, choice: &Choice) -> Option<Location> {
    match choice.by {
        By::Folder => tracking::in_folder(root).or_else(|| choice.location.clone()),
        _ => choice.location.clone(),
    }
}

/// The store on this machine that a choice names.
fn place(root: &Path, choice: &Choice) -> Option<Location> {
    location(root, choice).filter(|location| !matches!(location, Location::Server(_)))
}

/// Modification time and size of a store, which change with its content.
type Stamp = (SystemTime, u64);

fn stamp(location: &Location) -> Option<Stamp> {
    let of_file = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    match location {
        Location::Sqlite(path) => of_file(path),
        // A new run changes the modification time of its experiment's folder.
        Location::Files(path) => {
            let entries = std::fs::read_dir(path).ok()?.flatten().take(MOST_EXPERIMENTS);
            let changed = entries.filter_map(|entry| entry.metadata().ok()?.modified().ok());
            let changed: Vec<SystemTime> = changed.collect();
            Some((changed.iter().max().copied()?, changed.len() as u64))
        }
        Location::Project(root, _) => of_file(&crate::store::Store::new(root).path()),
        Location::Server(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_the_project_names_is_not_opened_without_trust() {
        let folder = tempfile::tempdir().unwrap();
        let conf = folder.path().join("conf/base");
        std::fs::create_dir_all(&conf).unwrap();
        let text = "server:\n  mlflow_tracking_uri: http://127.0.0.1:9\n";
        std::fs::write(conf.join("mlflow.yml"), text).unwrap();
        let Err(why) = open(folder.path(), None) else { panic!("it is opened") };
        assert!(why.contains("is asked once you trust the project"), "{why}");
    }
}
