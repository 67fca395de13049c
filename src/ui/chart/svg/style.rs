//! The colours and stroke patterns of charts in SVG and HTML.

use std::fmt::Write as _;

use super::super::{ROLES, colours};
use crate::ui::color::{Depth, web};
use crate::ui::theme::{Role, Theme};

/// The class that gives a series its colour.
pub(super) fn class(index: usize) -> String {
    format!("c{}", index % ROLES.len())
}

/// The classes of the line of a series.
pub(in crate::ui) fn line(index: usize) -> String {
    match index {
        0 => format!("line {}", class(index)),
        index => format!("line {} d{index}", class(index)),
    }
}

/// The stroke patterns of so many series, in tenths: the first line is solid; the others have a dash of one of four lengths,
/// followed by as many dots as make the pattern unique.
pub(in crate::ui) fn dashes(count: usize) -> String {
    const LENGTHS: [u32; 4] = [60, 20, 110, 35];
    let rule = |index: usize| {
        let dash = LENGTHS[(index - 1) % LENGTHS.len()];
        let dots = " 10 30".repeat((index - 1) / LENGTHS.len());
        format!(".d{index} {{ stroke-dasharray: {dash} 30{dots} }}\n")
    };
    (1..count).map(rule).collect()
}

/// The rules for charts in the colours of a built-in theme.
pub(in crate::ui) fn style(theme: &str) -> String {
    let theme = Theme::built_in(theme, Depth::True);
    let ink = |role: Role| web(theme.style(role).fg);
    let paper = web(theme.style(Role::Background).bg);
    let (text, dim, border) = (ink(Role::Text), ink(Role::Dim), ink(Role::Border));
    let mut style = format!(
        "svg text {{ font: 11.5px ui-monospace, Menlo, Consolas, \"DejaVu Sans Mono\", monospace; fill: {text}; white-space: pre }}\n\
         svg text.title {{ font-weight: bold; font-size: 13px }}\n\
         svg text.dim {{ fill: {dim} }}\n\
         svg text.sign {{ font-weight: bold; stroke: none }}\n\
         svg text.best {{ fill: {} }}\n\
         .paper {{ fill: {paper} }}\n\
         .grid {{ stroke: {border}; stroke-width: .5; opacity: .5 }}\n\
         .axis {{ fill: none; stroke: {border} }}\n\
         .line {{ fill: none; stroke-width: 16; stroke-linejoin: round }}\n\
         .raw {{ fill: none; stroke-width: 8; opacity: .35 }}\n\
         .cross {{ fill: none; stroke: {}; stroke-width: 8 }}\n",
        ink(Role::Mark),
        ink(Role::Accent),
    );
    for (index, colour) in colours(&theme, ROLES.len()).iter().enumerate() {
        let (class, colour) = (class(index), web(colour.fg));
        let _ = writeln!(
            style,
            ".{class} {{ stroke: {colour} }}\nsvg text.{class} {{ fill: {colour} }}"
        );
    }
    style
}
