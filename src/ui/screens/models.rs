//! The registered models of the project's store.

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use super::experiments::overview;
use super::focused;
use super::table::{self, Align};
use crate::app::screens::models::ModelsScreen;
use crate::app::shared::Shared;
use crate::app::words::when;

/// Draws the registered models.
pub(in super::super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &ModelsScreen,
    shared: &Shared,
) {
    let Some(overview) = overview(paint, area, shared) else { return };
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
        ("model", Align::Name),
        ("version", Align::Right),
        ("updated", Align::Left),
        ("aliases", Align::Left),
    ];
    table::draw(
        paint,
        area,
        &titles,
        overview.models.len(),
        screen.position,
        focused(shared),
        |index| {
            let Some(model) = overview.models.get(index) else { return Vec::new() };
            let aliases = model.aliases.iter().map(|(name, version)| format!("{name}={version}"));
            vec![
                (model.name.clone(), Role::Text),
                (
                    model.latest_version.map(|version| version.to_string()).unwrap_or_default(),
                    Role::Text,
                ),
                (when(shared.now, model.updated_at), Role::Dim),
                (aliases.collect::<Vec<_>>().join(", "), Role::Text),
            ]
        },
    );
}
