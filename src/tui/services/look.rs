//! Loading things that need no Python: the status of datasets, source files, logs, comparisons. Each is a short job on a
//! blocking thread.

use std::path::{Component, Path};
use std::sync::Arc;

use super::context::Context;
use crate::app::effect::Generation;
use crate::app::event::Report;
use crate::app::log_view;
use crate::datasets;
use crate::project::highlight::highlight;
use crate::project::python::highlight::Highlighted;
use crate::runs::history;
use crate::store::{LogCursor, LogFilter, RunId, RunPair, Store, StoreError};
use crate::system::files;
use crate::text::UserError;

/// The largest source file that is shown, in bytes.
const LARGEST_SOURCE: u64 = 4 << 20;
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
