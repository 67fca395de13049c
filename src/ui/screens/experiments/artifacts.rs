//! The tree of a run's artifacts.

use ratatui::layout::Rect;

use crate::app::screens::experiments::artifacts::ArtifactsPage;
use crate::app::screens::experiments::tree::{Kind, file_name};
use crate::app::shared::Shared;
use crate::text::{size_text, width};
use crate::ui::paint::Paint;
use crate::ui::screens::focused;
use crate::ui::theme::Role;

/// Cells by which a level is indented.
const LEVEL: u16 = 2;

/// Draws the visible rows.
pub(super) fn draw(paint: &mut Paint<'_>, area: Rect, page: &ArtifactsPage, shared: &Shared) {
    match page.top_folder() {
        None => return paint.note(area, &["Reading the artifacts ..."]),
        Some(Err(why)) => return paint.note(area, &["The artifacts can't be shown.", why]),
        Some(Ok((entries, _))) if entries.is_empty() => {
            return paint.note(area, &["The run has no artifacts.", "esc goes back."]);
        }
        Some(Ok(_)) => {}
    }
    let position = page.position;
    let rows = page.rows.iter().enumerate().skip(position.offset).take(area.height.into());
    for (y, (index, row)) in (area.y..).zip(rows) {
        paint.row(area, y, index == position.selected, focused(shared));
        let right = area.right().saturating_sub(1);
        let indent = u16::try_from(row.depth).unwrap_or(u16::MAX).saturating_mul(LEVEL);
        let x = area.x + 1 + indent.min(area.width / 2);
        let (glyph, name, role) = match &row.kind {
            Kind::Note(text) => {
                paint.text(x + 2, y, text, Role::Dim, right.saturating_sub(x + 2));
                continue;
            }
            Kind::Folder { artifact, open: true } => (paint.glyphs.open, artifact, Role::Node),
            Kind::Folder { artifact, open: false } => (paint.glyphs.closed, artifact, Role::Node),
            Kind::File(artifact) => (" ", artifact, Role::Text),
        };
        paint.text(x, y, glyph, Role::Dim, 1);
        let size = name.size.map(size_text).unwrap_or_default();
        paint.right(right, y, &size, Role::Dim, area.width / 3);
        let cells = u16::try_from(width(&size)).unwrap_or(0);
        paint.name(x + 2, y, file_name(&name.path), role, right.saturating_sub(x + cells + 3));
    }
}
