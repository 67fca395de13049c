//! The log of a run, with the run's state in the rule above it.

use ratatui::layout::Rect;

use super::super::paint::Paint;
use super::super::theme::Role;
use crate::app::areas::Areas;
use crate::app::areas::Pane;
use crate::app::run::{Level, NodeState};
use crate::app::shared::Shared;
use crate::app::words::outcome_text;
use crate::app::words::seconds_text;
use crate::text::{sanitize, width};

/// The largest width of node names, in cells.
const NAMES: usize = 26;

/// Draws the rule and the log.
pub(in super::super) fn draw(paint: &mut Paint<'_>, areas: &Areas, shared: &Shared) {
    let Some(run) = &shared.run else { return };
    let rule = areas.log_rule;
    paint.rule(rule, Role::Border);
    paint.text(areas.border.x, rule.y, paint.glyphs.tees[1], Role::Border, 1);
    let (word, _) = outcome_text(run.record.outcome);
    let (sign, role) = paint.glyphs.of_outcome(run.record.outcome);
    let (done, all) = (run.nodes_done(), run.nodes.len());
    let title = if shared.focus == Pane::Log { Role::Focus } else { Role::Dim };
    let mut x = rule.x + 1;
    x += paint.text(x, rule.y, &format!(" {} ", run.record.name()), title, rule.width);
    let word = if run.cancelling && run.ended.is_none() { "cancelling" } else { word };
    let progress = if all == 0 && run.ended.is_none() {
        format!("{sign} starting Python {} ", seconds_text(run.seconds(shared.now)))
    } else {
        format!("{sign} {word} {done}/{all} {} ", seconds_text(run.seconds(shared.now)))
    };
    x += paint.text(x, rule.y, &progress, role, rule.right().saturating_sub(x));
    let busy = run.nodes.iter().filter_map(|(name, node)| match node {
        NodeState::Running(since) => Some((name, shared.now - since)),
        _ => None,
    });
    for (name, seconds) in busy.take(3) {
        let text = format!("{} {name} {} ", paint.glyphs.dot, seconds_text(seconds));
        x += paint.text(x, rule.y, &text, Role::Running, rule.right().saturating_sub(x));
    }

    let area = areas.log;
    let height = usize::from(area.height);
    let scrolled = run.scrolled.min(run.log.len().saturating_sub(height));
    let first = run.log.len().saturating_sub(height + scrolled);
    let names = run.log.iter().skip(first).take(height).filter_map(|line| line.node.as_deref());
    let names = names.map(crate::text::width).max().unwrap_or(0).min(NAMES);
    for (row, line) in run.log.iter().skip(first).take(height).enumerate() {
        let y = area.y + row as u16;
        let mut x = area.x + 1;
        let clock = clock(line.at);
        x += paint.text(x, y, &clock, Role::Comment, 9) + 1;
        if names > 0 {
            let node = line.node.as_deref().unwrap_or("");
            paint.name(x, y, node, Role::Dim, names as u16);
            x += names as u16 + 2;
        }
        let role = match line.level {
            Level::Error => Role::Bad,
            Level::Warning => Role::Warning,
            Level::Own | Level::Debug => Role::Dim,
            Level::Info => Role::Text,
        };
        let room = area.right().saturating_sub(x + 1);
        match line.parts.as_slice() {
            [] => drop(paint.text(x, y, &line.text, role, room)),
            parts => paint.parts(x, y, parts, role, 0, room),
        }
    }
    if scrolled > 0 {
        let text = format!(" {scrolled} lines below ");
        paint.right(rule.right() - 1, rule.y, &text, Role::Accent, 24);
    }
}

pub(super) fn clock(at: f64) -> String {
    jiff::Timestamp::from_second(at as i64)
        .map(|time| {
            let local = time.to_zoned_datetime(jiff::tz::TimeZone::system());
            local.strftime("%H:%M:%S").to_string()
        })
        .unwrap_or_default()
}

/// Highlights in a drawn line the first match of a search, which is in lower case. The first `column` cells of the line are
/// scrolled out.
pub(super) fn mark(paint: &mut Paint<'_>, area: Rect, line: &str, column: usize, found: &str) {
    if found.is_empty() {
        return;
    }
    let text: String = sanitize(line).chars().skip(column).collect();
    // If lower case changes the length of the text, positions do not match, so nothing is highlighted.
    let lower = text.to_lowercase();
    if lower.len() == text.len()
        && let Some(at) = lower.find(found)
    {
        let before = u16::try_from(width(&text[..at])).unwrap_or(u16::MAX);
        let cells = u16::try_from(width(&text[at..at + found.len()])).unwrap_or(0);
        if before < area.width {
            let marked = Rect { x: area.x + before, width: cells.min(area.width - before), ..area };
            paint.restyle(marked, Role::Selection);
        }
    }
}
