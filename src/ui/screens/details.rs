//! The details pane.

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::pixels;
use super::super::theme::Role;
use crate::app::words::{Details, Line, Tone};
use crate::project::python::highlight::Token;
use crate::text::width;

/// The width of labels, in cells.
const LABELS: u16 = 8;
/// What a long key leaves to its value, with the sign between them, in cells.
const VALUE: u16 = 12;
/// The labels of names and places; a label that is left out is that of the line above.
const NAMES: [&str; 7] = ["", "batch", "factory", "func", "in", "out", "type"];

/// Draws the visible lines, from line `offset` on.
pub(in super::super) fn draw(paint: &mut Paint<'_>, area: Rect, details: &Details, offset: usize) {
    let height = usize::from(area.height);
    let offset = offset.min(details.lines.len().saturating_sub(height));
    // Origins are aligned if there is room.
    let values = details.lines.iter().map(config_width).max().unwrap_or(0);
    for (row, line) in details.lines.iter().skip(offset).take(height).enumerate() {
        let y = area.y + u16::try_from(row).unwrap_or(0);
        draw_line(
            paint,
            Rect { x: area.x + 1, y, width: area.width.saturating_sub(2), height: 1 },
            line,
            values,
        );
    }
    if details.lines.len() > height + offset {
        let arrow = if paint.glyphs.ascii() { "v" } else { "↓" };
        paint.text(area.right().saturating_sub(1), area.bottom() - 1, arrow, Role::Accent, 1);
    }
}

pub(super) fn role_of(tone: Tone) -> Role {
    match tone {
        Tone::Plain => Role::Text,
        Tone::Dim => Role::Dim,
        Tone::Name => Role::Node,
        Tone::Good => Role::Good,
        Tone::Bad => Role::Bad,
        Tone::Warning => Role::Warning,
        Tone::Busy => Role::Running,
    }
}

fn config_width(line: &Line) -> usize {
    match line {
        Line::Config { depth, key, value, .. } => depth * 2 + width(key) + 2 + width(value),
        _ => 0,
    }
}

fn draw_line(paint: &mut Paint<'_>, area: Rect, line: &Line, values: usize) {
    let (x, y, max) = (area.x, area.y, area.width);
    match line {
        Line::Title(text) => drop(paint.name(x, y, text, Role::Title, max)),
        Line::Field(label, text, tone) => {
            paint.text(x, y, label, Role::Dim, LABELS - 1);
            let (x, max) = (x + LABELS, max.saturating_sub(LABELS));
            match (*label, tone) {
                (label, tone) if NAMES.contains(&label) || *tone == Tone::Name => {
                    // A dataset's type follows its name, and goes first where both have no room.
                    let (name, rest) = text.split_once("  ").unwrap_or((text, ""));
                    let used = paint.name(x, y, name, role_of(*tone), max);
                    let left = max.saturating_sub(used + 2);
                    if usize::from(left) >= width(rest).min(VALUE.into()) {
                        paint.name(x + used + 2, y, rest, role_of(*tone), left);
                    }
                    used
                }
                _ => paint.text(x, y, text, role_of(*tone), max),
            };
        }
        Line::Link(label, text, target, tone) => {
            paint.text(x, y, label, Role::Dim, LABELS - 1);
            let x = x + LABELS;
            let used = paint.name(x, y, text, role_of(*tone), max.saturating_sub(LABELS));
            paint.link(x, y, used, target);
        }
        Line::Text(text, Tone::Name) => drop(paint.name(x, y, text, Role::Node, max)),
        Line::Text(text, tone) => drop(paint.text(x, y, text, role_of(*tone), max)),
        Line::Config { depth, key, value, token, origin } => {
            let right = x + max;
            let mut at = x + u16::try_from(depth * 2).unwrap_or(0);
            let (key, colon) = if key == "-" { ("-", " ") } else { (key.as_str(), ": ") };
            let all = right.saturating_sub(at);
            let room = all.saturating_sub(VALUE.min(width(value) as u16 + 2)).max(all / 2);
            at += paint.name(at, y, key, Role::Keyword, room);
            at += paint.text(at, y, colon, Role::Dim, right.saturating_sub(at));
            at += paint.text(at, y, value, token_role(*token), right.saturating_sub(at));
            let Some(origin) = origin else { return };
            let (file, origin) = (origin.place.file.to_string_lossy(), origin.to_string());
            let column = x + u16::try_from(values + 2).unwrap_or(u16::MAX / 2);
            let from = if usize::from(right.saturating_sub(column)) >= width(&origin) {
                column
            } else {
                at + 2
            };
            if right.saturating_sub(from) >= 12 {
                let used = paint.name(from, y, &origin, Role::Comment, right - from);
                paint.link(from, y, used, &file);
            }
        }
        Line::Code(number, code, index) => {
            let at = x + paint.text(x, y, &format!("{number:>4} "), Role::Comment, max);
            let area = Rect { x: at, width: area.right().saturating_sub(at), ..area };
            draw_code(paint, area, code.lines.get(*index).map_or(&[], Vec::as_slice));
        }
        Line::Picture(picture, row) => pixels::draw(paint, x, y, picture, *row, max),
        Line::Blank => {}
    }
}

/// Draws a line of source text.
pub(in super::super) fn draw_code(paint: &mut Paint<'_>, area: Rect, parts: &[(Token, String)]) {
    let (mut at, y, right) = (area.x, area.y, area.right());
    for (token, text) in parts {
        if at >= right {
            paint.text(right - 1, y, paint.glyphs.ellipsis, Role::Comment, 1);
            break;
        }
        at += paint.text(at, y, text, token_role(*token), right - at);
    }
}

fn token_role(token: Token) -> Role {
    match token {
        Token::Plain => Role::Text,
        Token::Keyword | Token::Decorator => Role::Keyword,
        Token::String => Role::String,
        Token::Number => Role::Number,
        Token::Comment => Role::Comment,
        Token::Function => Role::Function,
        Token::Operator => Role::Operator,
    }
}
