//! The parameters: a tree of values with their origins.

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use super::focused;
use crate::app::screens::entry::find;
use crate::app::screens::parameters::ParametersScreen;
use crate::app::shared::Shared;
use crate::text::width;

/// What a long key leaves to its value, with the gap between them, in cells.
const VALUE: u16 = 10;

/// Draws the visible rows.
pub(in super::super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &ParametersScreen,
    shared: &Shared,
) {
    let Some(snapshot) = shared.project.snapshot.as_deref() else {
        return paint.note(area, &["Reading the project ..."]);
    };
    let list = &screen.list;
    if list.rows.is_empty() && !screen.filtering.text.is_empty() {
        return paint.note(area, &["No parameter matches the filter.", "esc shows all again."]);
    }
    if list.rows.is_empty() {
        return paint.note(
            area,
            &["There are no parameters.", "They are defined in conf/base/parameters.yml."],
        );
    }
    let keys = list.rows.iter().map(|row| row.depth * 2 + width(&row.key)).max().unwrap_or(0);
    let values = (keys as u16 + 4).min(area.width / 2);
    let height = usize::from(area.height);
    let seen = list.rows.iter().enumerate().skip(list.position.offset).take(height);
    for (row, (index, entry)) in seen.enumerate() {
        let y = area.y + row as u16;
        paint.row(area, y, index == list.position.selected, focused(shared));
        let x = area.x + 1 + (entry.depth * 2) as u16;
        let right = area.right() - 1;
        let sign = match entry.group {
            Some(true) => paint.glyphs.open,
            Some(false) => paint.glyphs.closed,
            None => " ",
        };
        paint.text(x, y, sign, Role::Accent, 1);
        let role = if entry.group.is_some() { Role::Title } else { Role::Keyword };
        let start = area.x + 1 + values;
        let room = right.saturating_sub(x + 2 + VALUE.min(width(&entry.value) as u16 + 1));
        let key = paint.name(x + 2, y, &entry.key, role, room);
        let start = start.max(x + 2 + key + 1);
        let overridden = shared.overrides.contains_key(&entry.path);
        let role = match (entry.group, overridden) {
            (_, true) => Role::Warning,
            (Some(_), _) => Role::Dim,
            (None, _) => Role::Text,
        };
        let used = paint.text(start, y, &entry.value, role, right.saturating_sub(start));
        let origin = find(&snapshot.parameters, &entry.path)
            .filter(|_| entry.group.is_none())
            .and_then(|located| located.origin.as_ref());
        let origin = match overridden {
            true => Some(("overridden".to_owned(), Role::Warning)),
            false => origin.map(|origin| (origin.env.to_string(), Role::Comment)),
        };
        if let Some((text, role)) = origin {
            let room = right.saturating_sub(start + used + 2);
            if usize::from(room) >= width(&text) {
                paint.right(right, y, &text, role, room);
            }
        }
    }
}
