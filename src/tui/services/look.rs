//! Loading things that need no Python: the status of datasets, source files, the tracking store, the
//! engines. Each is a short job on a blocking thread.

use std::path::{Component, Path};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::context::Context;
use crate::app::effect::Generation;
use crate::app::event::Report;
use crate::app::log_view;
use crate::app::shared::TrackingReport;
use crate::project::Snapshot;
use crate::project::highlight::highlight;
use crate::project::python::highlight::Highlighted;
use crate::runs::history;
use crate::store::{LogCursor, LogFilter, RunId, RunPair, Store, StoreError, Trust};
use crate::system::files;
use crate::text::UserError;
use crate::tracking::{By, Choice, Location, TrackingError};
use crate::tui::folders;
use crate::{datasets, remote, tracking};

/// The largest source file that is shown, in bytes.
const LARGEST_SOURCE: u64 = 4 << 20;
/// How often the tracking store's modification time is checked.
const TRACKING: Duration = Duration::from_secs(1);

/// Reports the status of all datasets' files.
pub(super) fn datasets(context: &Arc<Context>) {
    let context = context.clone();
    let Some(snapshot) = context.snapshot() else { return };
    tokio::task::spawn_blocking(move || {
        context.send_blocking(Report::Datasets(datasets::statuses(&snapshot)));
    });
}

/// Reports a source file of the project.
pub(super) fn source(context: &Arc<Context>, file: String) {
    let context = context.clone();
    let inside = Path::new(&file).components().all(|part| matches!(part, Component::Normal(_)));
    tokio::task::spawn_blocking(move || {
        let path = context.root.join(&file);
        let result = if inside { read(&path) } else { Err("it is not in the project".into()) };
        context.send_blocking(Report::Source { file, result });
    });
}

fn read(path: &Path) -> Result<Arc<Highlighted>, UserError> {
    let told = |error: std::io::Error| error.to_string();
    let bytes = files::read(path, LARGEST_SOURCE).map_err(told)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Arc::new(highlight(path, &text)))
}

/// Reports lines of a run's log. A search through millions of lines must not block the store's own
/// thread, so it uses a connection of its own.
pub(super) fn log(
    context: &Arc<Context>,
    run: RunId,
    generation: Generation,
    filter: LogFilter,
    from: LogCursor,
) {
    let context = context.clone();
    tokio::task::spawn_blocking(move || {
        let mut store = Store::new(&context.root);
        let lines = store.log(run, &filter, from, log_view::PAGE).unwrap_or_else(|error| {
            context.send_blocking(Report::Notice(error.to_string()));
            Vec::new()
        });
        context.send_blocking(Report::Log { run, generation, lines });
    });
}

/// Reports the line of a run's log that a search finds.
pub(super) fn find_in_log(
    context: &Arc<Context>,
    run: RunId,
    generation: Generation,
    filter: LogFilter,
    from: LogCursor,
) {
    let context = context.clone();
    tokio::task::spawn_blocking(move || {
        let mut store = Store::new(&context.root);
        match log_view::find(&mut store, run, &filter, from) {
            Ok(line) => context.send_blocking(Report::LogFound { run, generation, line }),
            Err(error) => context.send_blocking(Report::Notice(error.to_string())),
        };
    });
}

/// Reports how two runs differ.
pub(super) fn compare(context: &Arc<Context>, runs: RunPair) {
    let (context, snapshot) = (context.clone(), context.snapshot());
    tokio::spawn(async move {
        let root = context.root.as_path();
        let mut store = Store::new(root);
        let read = tokio::task::spawn_blocking(move || {
            Ok::<_, StoreError>((
                history::whole(&mut store, runs.first)?,
                history::whole(&mut store, runs.second)?,
            ))
        });
        let result = match read.await {
            Ok(Ok((Some(first), Some(second)))) => {
                let compared = history::compare(root, snapshot.as_deref(), &first, &second).await;
                Ok(Box::new(compared))
            }
            Ok(Ok(_)) => Err("One of the runs is no longer in the history.".into()),
            Ok(Err(error)) => Err(UserError::plain(error)),
            Err(error) => Err(UserError::plain(error)),
        };
        context.send(Report::Compared { runs, result }).await;
    });
}

/// Reports the tracking store and the engines.
pub(super) fn tracking(context: &Arc<Context>) {
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

fn choose(root: &Path, snapshot: Option<&Snapshot>) -> Result<Choice, TrackingError> {
    tracking::choose(root, snapshot.map(|snapshot| snapshot.env.as_str()), None)
}

/// The content of a store. A server that the project names receives the user's MLflow credentials, so it is
/// contacted in a trusted project only.
fn overview(root: &Path, choice: &Choice) -> TrackingReport {
    let Some(location) = &choice.location else { return TrackingReport::Absent };
    if let Location::Server(uri) = location
        && choice.by != By::Variable
        && !Trust::new(&folders::state()).holds(root)
    {
        let place = choice.place.trim_end_matches('.');
        return TrackingReport::Failed(format!(
            "{uri} is asked once you trust the project, for it gets your MLflow credentials. {place}."
        ));
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

/// Reports changes of the tracking store by polling: trainers write at any time, and a database in a
/// folder that is not watched causes no events. A server is read only on request.
pub(super) async fn follow_tracking(context: Arc<Context>) {
    let mut chosen: Option<(Option<Arc<Snapshot>>, Choice)> = None;
    let mut last: Option<(SystemTime, u64)> = None;
    let mut first = true;
    loop {
        let (context_of, now) = (context.clone(), context.snapshot());
        // Choosing a store reads configuration, so it is done once per reading of the project.
        let kept = chosen.take().filter(|(of, _)| match (of, &now) {
            (Some(of), Some(now)) => Arc::ptr_eq(of, now),
            (of, now) => of.is_none() && now.is_none(),
        });
        let looked = tokio::task::spawn_blocking(move || {
            let choice = match kept {
                Some((_, choice)) => choice,
                None => choose(&context_of.root, now.as_deref()).ok()?,
            };
            let stamp = stamp(&context_of.root, &choice);
            Some(((now, choice), stamp))
        });
        let stamp = match looked.await.unwrap_or_default() {
            Some((choice, stamp)) => {
                chosen = Some(choice);
                stamp
            }
            // The named store does not exist yet; it is checked again.
            None => None,
        };
        if stamp != last && !first {
            let report = Report::Changed { files: Vec::new(), tracking: true };
            if context.reports.send(report.into()).await.is_err() {
                return;
            }
        }
        (last, first) = (stamp, false);
        tokio::time::sleep(TRACKING).await;
    }
}

/// Modification time and size of a store, which change with its content.
fn stamp(root: &Path, choice: &Choice) -> Option<(SystemTime, u64)> {
    // MLflow may have created a store meanwhile.
    let made = || tracking::in_folder(root);
    let location = match choice.by {
        By::Folder => made().or_else(|| choice.location.clone()),
        _ => choice.location.clone(),
    };
    let of_file = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    match location? {
        Location::Sqlite(path) => of_file(&path),
        // A new run changes the modification time of its experiment's folder.
        Location::Files(path) => {
            let entries = std::fs::read_dir(path).ok()?.flatten().take(MOST_EXPERIMENTS);
            let changed = entries.filter_map(|entry| entry.metadata().ok()?.modified().ok());
            let changed: Vec<SystemTime> = changed.collect();
            Some((changed.iter().max().copied()?, changed.len() as u64))
        }
        Location::Project(root, _) => of_file(&Store::new(&root).path()),
        Location::Server(_) => None,
    }
}
