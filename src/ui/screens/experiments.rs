//! The tracked runs and the registered models of the project's MLflow store.

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use super::focused;
use super::table::{self, Align};
use crate::app::State;
use crate::app::details::{number_text, when};
use crate::app::event::TrackingReport;
use crate::tracking::Overview;

/// Most metrics that have a column of their own.
const METRICS: usize = 4;

/// What is shown where there is no store to show.
fn overview<'a>(paint: &mut Paint<'_>, area: Rect, state: &'a State) -> Option<&'a Overview> {
    match &state.project.tracking {
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
pub(in super::super) fn draw(paint: &mut Paint<'_>, area: Rect, state: &State) {
    let Some(overview) = overview(paint, area, state) else { return };
    if overview.runs.is_empty() {
        return paint.note(area, &["No run is tracked yet."]);
    }
    let metrics = columns(overview);
    let mut titles = vec![
        ("", Align::Left),
        ("run", Align::Left),
        ("when", Align::Left),
        ("experiment", Align::Left),
    ];
    titles.splice(3..3, metrics.iter().map(|name| (name.as_str(), Align::Right)));
    let glyphs = paint.glyphs;
    let list = &state.experiments;
    table::draw(paint, area, &titles, list.rows.len(), list.position, focused(state), |index| {
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
            (when(state.now, run.started_at), Role::Dim),
        ];
        cells.extend(metrics.iter().map(|name| {
            let found = run.metrics.iter().find(|(key, _)| key == name);
            (found.map(|(_, value)| number_text(*value)).unwrap_or_default(), Role::Text)
        }));
        cells.push((run.experiment.clone(), Role::Dim));
        cells
    });
}

/// The metrics that most runs have, in the order of their names.
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

/// Draws the registered models.
pub(in super::super) fn models(paint: &mut Paint<'_>, area: Rect, state: &State) {
    let Some(overview) = overview(paint, area, state) else { return };
    if overview.models.is_empty() {
        return paint.note(
            area,
            &[
                "No model is registered.",
                "mlflow.register_model, or registered_model_name on logging, registers one.",
            ],
        );
    }
    let titles = [
        ("model", Align::Left),
        ("version", Align::Right),
        ("updated", Align::Left),
        ("aliases", Align::Left),
    ];
    let list = &state.models;
    table::draw(paint, area, &titles, list.rows.len(), list.position, focused(state), |index| {
        let Some(model) = overview.models.get(index) else { return Vec::new() };
        let aliases = model.aliases.iter().map(|(name, version)| format!("{name}={version}"));
        vec![
            (model.name.clone(), Role::Text),
            (model.latest_version.map(|it| it.to_string()).unwrap_or_default(), Role::Text),
            (when(state.now, model.updated_at), Role::Dim),
            (aliases.collect::<Vec<_>>().join(", "), Role::Text),
        ]
    });
}
