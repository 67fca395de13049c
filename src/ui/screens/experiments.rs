//! The tracked runs of the project's store.

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use super::focused;
use super::table::{self, Align};
use crate::app::screens::experiments::ExperimentsScreen;
use crate::app::shared::Shared;
use crate::app::shared::TrackingReport;
use crate::app::words::{number_text, when};
use crate::tracking::Overview;

/// The largest number of metrics with a column of their own.
const METRICS: usize = 4;

/// The content of the store; without one, draws the reason.
pub(super) fn overview<'a>(
    paint: &mut Paint<'_>,
    area: Rect,
    shared: &'a Shared,
) -> Option<&'a Overview> {
    match &shared.project.tracking {
        Some(TrackingReport::Live(overview)) => return Some(overview),
        Some(TrackingReport::Failed(why)) => {
            paint.note(area, &["The tracking store can't be read.", why]);
        }
        Some(TrackingReport::Absent) => paint.note(
            area,
            &[
                "This project has no tracking store yet.",
                "A run that logs to MLflow makes mlflow.db; kedro-mlflow does so by itself.",
            ],
        ),
        None => paint.note(area, &["Looking for the tracking store ..."]),
    }
    None
}

/// Draws the tracked runs.
pub(in super::super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &ExperimentsScreen,
    shared: &Shared,
) {
    let Some(overview) = overview(paint, area, shared) else { return };
    if overview.runs.is_empty() {
        return paint.note(area, &["No run is tracked yet."]);
    }
    let metrics = columns(overview);
    let mut titles = vec![
        ("", Align::Left),
        ("run", Align::Name),
        ("when", Align::Left),
        ("experiment", Align::Name),
    ];
    titles.splice(3..3, metrics.iter().map(|name| (name.as_str(), Align::Right)));
    let glyphs = paint.glyphs;
    table::draw(
        paint,
        area,
        &titles,
        overview.runs.len(),
        screen.position,
        focused(shared),
        |index| {
            let Some(run) = overview.runs.get(index) else { return Vec::new() };
            let (sign, role) = match run.status.as_str() {
                "FINISHED" => (glyphs.done, Role::Good),
                "RUNNING" => (glyphs.running, Role::Running),
                "FAILED" => (glyphs.failed, Role::Bad),
                "KILLED" => (glyphs.stopped, Role::Warning),
                _ => (glyphs.waiting, Role::Dim),
            };
            let mut cells = vec![
                (sign.to_owned(), role),
                (run.name.clone(), Role::Text),
                (when(shared.now, run.started_at), Role::Dim),
            ];
            cells.extend(metrics.iter().map(|name| {
                let found = run.metrics.iter().find(|(key, _)| key == name);
                (found.map(|(_, value)| number_text(*value)).unwrap_or_default(), Role::Text)
            }));
            cells.push((run.experiment.clone(), Role::Dim));
            cells
        },
    );
}

/// The most frequent metrics, sorted by name.
fn columns(overview: &Overview) -> Vec<String> {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for run in overview.runs.iter().take(50) {
        for (name, _) in &run.metrics {
            *counts.entry(name).or_default() += 1;
        }
    }
    let mut names: Vec<(&str, usize)> = counts.into_iter().collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    names.truncate(METRICS);
    names.sort_unstable();
    names.into_iter().map(|(name, _)| name.to_owned()).collect()
}
