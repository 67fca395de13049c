//! The catalog: entries by layer or namespace, and whether their files are there.

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use super::focused;
use crate::app::screens::catalog::CatalogRow;
use crate::app::screens::catalog::CatalogScreen;
use crate::app::shared::Shared;
use crate::app::words::size_text;
use crate::datasets::DatasetStatus;
use crate::text::width;

/// Draws the visible rows.
pub(in super::super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &CatalogScreen,
    shared: &Shared,
) {
    let Some(snapshot) = shared.project.snapshot.as_deref() else {
        return paint.note(area, &["Reading the project ..."]);
    };
    let list = &screen.list;
    if list.rows.is_empty() && !screen.filtering.text.is_empty() {
        return paint.note(area, &["No dataset matches the filter.", "esc shows all again."]);
    }
    if list.rows.is_empty() {
        return paint.note(
            area,
            &["The catalog is empty.", "Datasets are defined in conf/base/catalog.yml."],
        );
    }
    let height = usize::from(area.height);
    // The types have a column of their own as long as the names leave room.
    let names = list.rows.iter().map(|row| width(row.name(snapshot))).max().unwrap_or(0) as u16;
    let names = names.min(area.width / 2);
    let seen = list.rows.iter().enumerate().skip(list.position.offset).take(height);
    for (row, (index, entry)) in seen.enumerate() {
        let y = area.y + row as u16;
        paint.row(area, y, index == list.position.selected, focused(shared));
        let right = area.right() - 1;
        let x = area.x + 1;
        match entry {
            CatalogRow::Group { name, count, open } => {
                let sign = if *open { paint.glyphs.open } else { paint.glyphs.closed };
                paint.text(x, y, sign, Role::Accent, 1);
                let used = paint.name(x + 2, y, name, Role::Title, right.saturating_sub(x + 6));
                paint.text(x + 3 + used, y, &count.to_string(), Role::Dim, 8);
            }
            CatalogRow::Dataset(name) => {
                let Some(dataset) = snapshot.datasets.get(name) else { continue };
                let (text, role) = match shared.project.datasets.get(name) {
                    None => (String::new(), Role::Dim),
                    Some(DatasetStatus::Missing) => ("missing".into(), Role::Warning),
                    Some(DatasetStatus::Elsewhere) => ("remote".into(), Role::Dim),
                    Some(DatasetStatus::NoFile) => ("no file".into(), Role::Dim),
                    Some(DatasetStatus::Present { bytes, versions, .. }) => {
                        let count = versions.map(|count| format!("{count}x ")).unwrap_or_default();
                        (format!("{count}{}", size_text(*bytes)), Role::Good)
                    }
                };
                let status = paint.right(right, y, &text, role, 14);
                paint.text(x + 2, y, paint.glyphs.dataset, Role::Dataset, 1);
                let limit = status.saturating_sub(1);
                let used = paint.name(x + 4, y, name, Role::Text, limit.saturating_sub(x + 4));
                let types = x + 4 + names.max(used) + 2;
                if types + 6 < limit {
                    paint.name(types, y, &dataset.type_name, Role::Dim, limit - types);
                }
            }
            CatalogRow::Memory(name) => {
                paint.text(x + 2, y, paint.glyphs.memory, Role::Dim, 1);
                paint.name(x + 4, y, name, Role::Text, right.saturating_sub(x + 4));
            }
            CatalogRow::Pattern(index) => {
                let Some(pattern) = snapshot.patterns.get(*index) else { continue };
                paint.text(x + 2, y, paint.glyphs.pattern, Role::Dim, 1);
                let made = snapshot.datasets.values();
                let count = made
                    .filter(|dataset| dataset.pattern.as_ref() == Some(&pattern.pattern))
                    .count();
                let count = paint.right(right, y, &format!("makes {count}"), Role::Dim, 14);
                let limit = count.saturating_sub(1);
                let room = limit.saturating_sub(x + 4);
                paint.name(x + 4, y, &pattern.pattern, Role::Text, room);
            }
        }
    }
}
