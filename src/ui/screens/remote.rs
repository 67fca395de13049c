//! The engines that the project is set up for.

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use super::focused;
use super::table::{self, Align};
use crate::app::screens::remote::RemoteScreen;
use crate::app::shared::Shared;

/// Draws the engines found.
pub(in super::super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &RemoteScreen,
    shared: &Shared,
) {
    let backends = &shared.project.backends;
    if backends.is_empty() {
        return paint.note(
            area,
            &[
                "This project is set up for no engine.",
                "Engines are found by their Kedro plug-ins: kedro-airflow, kedro-snowflake, kedro-kubeflow, \
                 kedro-sagemaker, kedro-vertexai, kedro-azureml.",
                "`mlops-tui remote` submits to Airflow and Kedro servers that remote.yml names.",
            ],
        );
    }
    let titles =
        [("engine", Align::Left), ("plug-in", Align::Name), ("configuration", Align::Name)];
    table::draw(paint, area, &titles, backends.len(), screen.position, focused(shared), |index| {
        let backend = &backends[index];
        let required = if backend.required { Role::Good } else { Role::Dim };
        vec![
            (backend.name.to_owned(), Role::Text),
            (backend.plugin.to_owned(), required),
            (backend.config.join(", "), Role::Dim),
        ]
    });
}
