//! The screens, one file each, and the panes that several of them have.

pub(super) mod catalog;
pub(super) mod details;
pub(super) mod experiments;
pub(super) mod log;
pub(super) mod models;
pub(super) mod parameters;
pub(super) mod pipeline;
pub(super) mod remote;
pub(super) mod runs;
mod table;

use ratatui::layout::Rect;

use super::paint::{Paint, wrap};
use super::theme::Role;
use crate::app::areas::Pane;
use crate::app::shared::Shared;
use crate::project::Problem;

/// A project that can't be opened at all.
pub(super) fn broken(paint: &mut Paint<'_>, area: Rect, problem: &Problem) {
    let place = problem.place.as_ref().map(|place| format!("{place}")).unwrap_or_default();
    let lines = [
        (place, Role::Dim),
        (problem.text.clone(), Role::Bad),
        (problem.remedy.clone(), Role::Text),
    ];
    let mut y = area.y + 1;
    for (text, role) in lines {
        for line in wrap(&text, usize::from(area.width.saturating_sub(4))) {
            paint.text(area.x + 2, y, &line, role, area.width);
            y += 1;
        }
    }
}

/// Whether the main pane has the focus, without a dialog over it.
fn focused(shared: &Shared) -> bool {
    shared.focus == Pane::Main && shared.dialogs.is_empty()
}
