//! Watching: the project's files through [`crate::project::watch`], and the user's settings.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};

use super::{Message, Reports};
use crate::app::event::Report;
use crate::project::Metadata;
use crate::project::watch::Watcher;
use crate::text::UserError;

/// How long settings must be quiet before they are read.
const CALM: Duration = Duration::from_millis(100);

/// Watches the project and reports changes until it is dropped.
pub(super) fn project(metadata: &Metadata, reports: &Reports) -> Option<Watcher> {
    let (root, to) = (metadata.root.clone(), reports.clone());
    let changed = move |paths: Vec<PathBuf>| {
        let files = paths.iter().map(|path| relative(&root, path)).collect();
        let _ = to.blocking_send(Report::Changed { files, tracking: false }.into());
        if paths.iter().any(|path| path.ends_with("pyproject.toml")) {
            let _ = to.blocking_send(Message::Settings);
        }
    };
    match Watcher::start(metadata, changed) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            let error = UserError::hinted(
                format!("The files can't be watched ({error})"),
                "ctrl-r reads them again.",
            );
            let _ = reports.blocking_send(Report::Watching(Err(error)).into());
            None
        }
    }
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Watches the user's settings until it is dropped.
pub(super) type SettingsWatcher = Debouncer<RecommendedWatcher, RecommendedCache>;

/// Watches the user's folder of settings, themes and keymaps, if it exists.
pub(super) fn settings(folder: &Path, reports: Reports) -> Option<SettingsWatcher> {
    if !folder.is_dir() {
        return None;
    }
    let report = move |result: DebounceEventResult| {
        let changed = |event: &notify_debouncer_full::DebouncedEvent| {
            !matches!(event.kind, notify::EventKind::Access(_))
        };
        if result.is_ok_and(|events| events.iter().any(changed)) {
            let _ = reports.blocking_send(Message::Settings);
        }
    };
    let mut watcher = new_debouncer(CALM, Some(CALM), report).ok()?;
    watcher.watch(folder, RecursiveMode::Recursive).ok()?;
    Some(watcher)
}
