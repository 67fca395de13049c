//! The form for a run on an engine, and the text after which something is done or not.

use ratatui::layout::Rect;

use super::{field, footer, keys, lines_of, open};
use crate::app::State;
use crate::app::areas;
use crate::app::control::{Control, Scope};
use crate::app::dialog::Confirmed;
use crate::app::picker::text;
use crate::app::screens::remote::submit::SubmitForm;
use crate::text::width;
use crate::ui::paint::Paint;
use crate::ui::theme::Role;

/// The widest labels, in cells.
const LABEL: u16 = 28;

pub(super) fn form(paint: &mut Paint<'_>, state: &State, form: &SubmitForm) {
    let count = u16::try_from(form.fields.len()).unwrap_or(u16::MAX);
    let area = areas::dialog(state.shared.size, 92, count.saturating_add(4));
    let title = format!("Submit {} to {}", form.pipeline, form.profile);
    let inner = open(paint, area, &title);
    let rows = inner.height.saturating_sub(2).min(count);
    let at = u16::try_from(form.at).unwrap_or(0);
    let first = (at + 1).saturating_sub(rows);
    let labels = form.fields.iter().map(|field| width(field.label())).max().unwrap_or(0);
    let labels = u16::try_from(labels).unwrap_or(LABEL).min(LABEL);
    for row in 0..rows {
        let index = usize::from(first + row);
        let Some(one) = form.fields.get(index) else { break };
        let y = inner.y + row;
        let active = index == form.at;
        if active {
            paint.restyle(Rect { y, height: 1, ..inner }, Role::Selection);
        }
        paint.name(inner.x, y, one.label(), if active { Role::Title } else { Role::Dim }, labels);
        let skip = labels + 2;
        let line =
            Rect { x: inner.x + skip, y, width: inner.width.saturating_sub(skip), height: 1 };
        let written = text(&one.text);
        if one.is_switch() {
            let sign = if written == "yes" { "[x] " } else { "[ ] " };
            let used = paint.text(line.x, y, sign, Role::Text, 4);
            paint.text(line.x + used, y, &one.hint, Role::Dim, line.width.saturating_sub(used));
            continue;
        }
        if written.is_empty() {
            paint.text(line.x, y, &one.hint, Role::Comment, line.width);
        }
        field(paint, line, &one.text, active);
    }
    let y = inner.bottom().saturating_sub(2);
    paint.rule(Rect { y, height: 1, ..inner }, Role::Border);
    match form.conf() {
        Ok(conf) if conf.as_object().is_some_and(serde_json::Map::is_empty) => {
            let text = "The parameters keep their defaults.";
            paint.text(inner.x, y + 1, text, Role::Dim, inner.width);
        }
        Ok(conf) => drop(paint.text(inner.x, y + 1, &conf.to_string(), Role::Good, inner.width)),
        Err(error) => {
            paint.text(inner.x, y + 1, &error.line(), Role::Warning, inner.width);
        }
    }
    let controls =
        [(Control::Accept, "submit"), (Control::Down, "next field"), (Control::Leave, "close")];
    footer(paint, area, &keys(state, Scope::Form, &controls));
}

pub(super) fn confirm(paint: &mut Paint<'_>, state: &State, confirmed: &Confirmed) {
    let (area, inner) = lines_of(paint, state, &confirmed.text);
    let seen = confirmed.text.lines.iter().enumerate().skip(confirmed.text.offset);
    for (row, (index, line)) in seen.take(usize::from(inner.height)).enumerate() {
        // The first line says what the text is; a difference is coloured as such.
        let role = match line.chars().next() {
            _ if index == 0 => Role::Title,
            Some('+') => Role::Good,
            Some('-') => Role::Bad,
            Some('@') => Role::Accent,
            _ => Role::Text,
        };
        paint.text(inner.x, inner.y + row as u16, line, role, inner.width);
    }
    let controls = [(Control::Accept, confirmed.does), (Control::Leave, "close")];
    footer(paint, area, &keys(state, Scope::List, &controls));
}
