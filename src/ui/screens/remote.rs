//! The engines that the project is set up for.

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use super::focused;
use super::table::{self, Align};
use crate::app::State;

/// Draws the engines found.
pub(in super::super) fn draw(paint: &mut Paint<'_>, area: Rect, state: &State) {
    let backends = &state.project.backends;
    if backends.is_empty() {
        return paint.note(
            area,
            &[
                "This project is set up for no engine.",
                "Engines are found by their Kedro plug-ins: kedro-airflow, kedro-snowflake, kedro-kubeflow, \
                 kedro-sagemaker, kedro-vertexai, kedro-azureml.",
                "Submitting to them is not built yet.",
            ],
        );
    }
    let titles =
        [("engine", Align::Left), ("plug-in", Align::Left), ("configuration", Align::Left)];
    let list = &state.remote;
    table::draw(paint, area, &titles, list.rows.len(), list.position, focused(state), |index| {
        let backend = &backends[index];
        let required = if backend.required { Role::Good } else { Role::Dim };
        vec![
            (backend.name.to_owned(), Role::Text),
            (backend.plugin.to_owned(), required),
            (backend.config.join(", "), Role::Dim),
        ]
    });
}
