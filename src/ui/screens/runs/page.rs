//! The page of a run: its timeline, its log, and everything else that is known about it.

use ratatui::layout::Rect;

use strum::VariantArray;

use super::super::super::paint::Paint;
use super::super::super::theme::Role;
use super::super::{details, focused};
use crate::app::command::Command;
use crate::app::screens::Screen;
use crate::app::screens::runs::RunsScreen;
use crate::app::screens::runs::page::{HEAD, Part, RunPage};
use crate::app::shared::Shared;
use crate::app::words::seconds_text;
use crate::app::words::{outcome_text, when};
use crate::runs::history::{Bar, Timeline};
use crate::store::{Level, LogLine, NodeOutcome, Outcome};
use crate::text::ansi;
use crate::text::{sanitize, width};

/// The width of node durations, in cells.
const TIME: u16 = 12;
/// The smallest width of the chart, in cells.
const CHART: u16 = 16;
/// The largest width of node names beside log lines, in cells.
const NAMES: usize = 26;

/// Draws the page.
pub(super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &RunsScreen,
    shared: &Shared,
    page: &RunPage,
) {
    head(paint, Rect { height: 1, ..area }, screen, shared);
    parts(paint, Rect { y: area.y + 1, height: 1, ..area }, screen, shared, page);
    let body = Rect { y: area.y + HEAD, height: area.height.saturating_sub(HEAD), ..area };
    match page.part {
        Part::Timeline => timeline(paint, body, screen, shared, page),
        Part::Log => log(paint, body, page, shared),
        Part::About => details::draw(paint, body, &screen.details(shared), shared.side_offset),
    }
}

/// Draws the state of the run on one line.
fn head(paint: &mut Paint<'_>, area: Rect, screen: &RunsScreen, shared: &Shared) {
    let Some(run) = screen.shown_run() else { return };
    let (sign, role) = paint.glyphs.of_outcome(run.outcome);
    let (word, _) = outcome_text(run.outcome);
    let mut x = area.x + 1;
    x += paint.text(x, area.y, sign, role, 1) + 1;
    let time = seconds_text(run.seconds(shared.now));
    let text = format!("{word} {}/{} {time}", run.nodes_done, run.nodes_total);
    x += paint.text(x, area.y, &text, role, area.width);
    let mut facts = vec![when(shared.now, run.new.started_at)];
    facts.extend(run.new.env.as_ref().map(|env| format!("env {env}")));
    facts.extend(run.pinned.then(|| "pinned".to_owned()));
    facts.extend(run.note.clone());
    facts.extend(run.failed_node.as_ref().map(|node| match &run.reason {
        Some(reason) => format!("{node}: {reason}"),
        None => node.clone(),
    }));
    for fact in facts {
        let text = format!(" {} {fact}", paint.glyphs.dot);
        x += paint.text(x, area.y, &text, Role::Dim, area.right().saturating_sub(x + 1));
    }
}

/// Draws the titles of the parts, and at the right a summary of the shown part.
fn parts(paint: &mut Paint<'_>, area: Rect, screen: &RunsScreen, shared: &Shared, page: &RunPage) {
    let mut x = area.x + 1;
    for part in Part::VARIANTS.iter().copied() {
        let role = if part == page.part { Role::Tab } else { Role::Dim };
        x += paint.text(x, area.y, part.title(), role, area.width) + 2;
    }
    // The titles alone do not show which part is selected without colours.
    if let Some(key) = shared.keymap.keys(Command::NextPane).first() {
        x += paint.text(x, area.y, key, Role::Comment, area.width) + 2;
    }
    let room = area.right().saturating_sub(x + 1);
    let told = match page.part {
        Part::Timeline => screen.shown_timeline().map(critical),
        Part::Log => Some(log_state(screen, page)),
        Part::About => None,
    };
    paint.right(area.right() - 1, area.y, &told.unwrap_or_default(), Role::Dim, room);
}

fn critical(timeline: &Timeline) -> String {
    if timeline.bars.is_empty() {
        return String::new();
    }
    format!(
        "critical path {} of {}, {} to start",
        seconds_text(timeline.critical_seconds),
        seconds_text(timeline.end - timeline.begun),
        seconds_text(timeline.begun - timeline.start),
    )
}

fn timeline(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &RunsScreen,
    shared: &Shared,
    page: &RunPage,
) {
    let Some(timeline) = screen.shown_timeline() else {
        return paint.note(area, &["Reading the run ..."]);
    };
    if timeline.bars.is_empty() {
        let why = match screen.shown_run().map(|run| run.outcome) {
            Some(Outcome::Running) => "The project is loading; its nodes are not known yet.",
            _ => "The run ended before its nodes were known.",
        };
        return paint.note(area, &[why, "The log (tab) shows what happened."]);
    }
    let rows = usize::from(area.height.saturating_sub(1));
    let seen = || timeline.bars.iter().enumerate().skip(page.nodes.offset).take(rows);
    let names = seen().map(|(_, bar)| width(&sanitize(&bar.node))).max().unwrap_or(0);
    let most = area.width.saturating_sub(TIME + CHART + 7);
    let names = u16::try_from(names).unwrap_or(most).min(most);
    let chart = Rect {
        x: area.x + 4 + names + 1 + TIME + 1,
        width: area.width.saturating_sub(4 + names + 1 + TIME + 2),
        ..area
    };
    let whole = whole(shared, timeline);
    axis(paint, chart, whole);
    for (row, (index, bar)) in seen().enumerate() {
        let y = area.y + 1 + row as u16;
        paint.row(area, y, index == page.nodes.selected, focused(shared));
        let (sign, role) = sign_of(paint, bar.outcome);
        paint.text(area.x + 1, y, sign, role, 1);
        let name = if bar.critical { Role::Title } else { Role::Text };
        paint.name(area.x + 3, y, &bar.node, name, names);
        let time = match (bar.seconds(), bar.outcome) {
            (Some(seconds), _) => seconds_text(seconds),
            (None, NodeOutcome::Waiting) => "waiting".to_owned(),
            (None, _) => "not reached".to_owned(),
        };
        let dim = if bar.start.is_some() { Role::Text } else { Role::Dim };
        paint.right(chart.x - 1, y, &time, dim, TIME);
        let expected = expected(shared, bar);
        draw_bar(
            paint,
            Rect { y, height: 1, ..chart },
            (timeline.begun, whole),
            bar,
            role,
            expected,
        );
    }
}

/// The expected end of a running node.
fn expected(shared: &Shared, bar: &Bar) -> Option<f64> {
    let timing = shared.timings.get(&bar.node)?;
    (bar.outcome == NodeOutcome::Running).then_some(bar.start? + timing.median)
}

/// The length of the chart in seconds: the time of all nodes, including the expected time of running ones.
fn whole(shared: &Shared, timeline: &Timeline) -> f64 {
    let expected = timeline.bars.iter().filter_map(|bar| expected(shared, bar));
    (expected.fold(timeline.end, f64::max) - timeline.begun).max(1e-3)
}

/// Draws the time axis above the chart.
fn axis(paint: &mut Paint<'_>, chart: Rect, whole: f64) {
    paint.text(chart.x, chart.y, "0", Role::Comment, 1);
    let whole = seconds_text(whole);
    paint.right(chart.right(), chart.y, &whole, Role::Comment, chart.width.saturating_sub(2));
}

/// Draws a node's bar in a chart; `scale` is the chart's start and length in seconds. The
/// expected remaining time of a running node follows its bar.
fn draw_bar(
    paint: &mut Paint<'_>,
    row: Rect,
    scale: (f64, f64),
    bar: &Bar,
    role: Role,
    expected: Option<f64>,
) {
    let (Some(begin), Some(end)) = (bar.start, bar.end) else { return };
    let room = f64::from(row.width);
    let cell = |at: f64| ((at - scale.0) / scale.1 * room).clamp(0.0, room);
    let first = (cell(begin) as u16).min(row.width.saturating_sub(1));
    let last = (cell(end).round() as u16).clamp(first + 1, row.width.max(first + 1));
    let [critical, other, dots] = paint.glyphs.bars;
    let sign = if bar.critical { critical } else { other };
    paint.text(row.x + first, row.y, &sign.repeat(usize::from(last - first)), role, last - first);
    if let Some(expected) = expected {
        let until = (cell(expected).round() as u16).max(last);
        let text = dots.repeat(usize::from(until - last));
        paint.text(row.x + last, row.y, &text, Role::Dim, until - last);
    }
}

fn sign_of(paint: &Paint<'_>, outcome: NodeOutcome) -> (&'static str, Role) {
    match outcome {
        NodeOutcome::Waiting => (paint.glyphs.waiting, Role::Dim),
        NodeOutcome::Running => (paint.glyphs.running, Role::Running),
        NodeOutcome::Succeeded => (paint.glyphs.done, Role::Good),
        NodeOutcome::Failed => (paint.glyphs.failed, Role::Bad),
        NodeOutcome::Stopped => (paint.glyphs.stopped, Role::Warning),
    }
}

/// The position and the filter of the log, and whether its end is followed.
fn log_state(screen: &RunsScreen, page: &RunPage) -> String {
    let filter = &page.log.filter;
    let mut parts: Vec<String> = Vec::new();
    parts.extend(filter.node.as_ref().map(|node| format!("node {node}")));
    parts.extend(filter.level.map(|level| match level {
        Level::Error => "errors".to_owned(),
        _ => "warnings and errors".to_owned(),
    }));
    parts.extend(Some(&page.log.query).filter(|query| !query.is_empty()).cloned());
    let lines = screen.shown_run().map_or(0, |run| run.log_lines);
    match page.log.lines.get(page.log.offset) {
        Some(first) if lines > 0 => parts.push(format!("line {} of {lines}", first.number)),
        _ => {}
    }
    parts.extend(page.log.follow.then(|| "following".to_owned()));
    parts.join(", ")
}

fn log(paint: &mut Paint<'_>, area: Rect, page: &RunPage, shared: &Shared) {
    let view = &page.log;
    if view.lines.is_empty() {
        let text = match view.is_loading() {
            true => "Reading the log ...",
            false if view.filter == Default::default() => "The log is empty.",
            false => {
                let lines = ["No log line matches the filter.", "esc shows all again."];
                return paint.note(area, &lines);
            }
        };
        return paint.note(area, &[text]);
    }
    let seen = || view.lines.iter().skip(view.offset).take(usize::from(area.height));
    let names = seen().filter_map(|line| line.node.as_deref());
    // The log of one node does not repeat the node's name.
    let names = match view.filter.node {
        Some(_) => 0,
        None => names.map(|name| width(&sanitize(name))).max().unwrap_or(0).min(NAMES),
    };
    let found = match view.found {
        Some(_) => shared.search.to_lowercase(),
        None => String::new(),
    };
    for (row, line) in seen().enumerate() {
        let line_area = Rect { y: area.y + row as u16, height: 1, ..area };
        paint.row(area, line_area.y, view.found == Some(line.number), focused(shared));
        log_line(paint, line_area, line, names as u16, view.column, &found);
    }
}

/// Draws time, level, node and text; matches of the search are highlighted.
fn log_line(
    paint: &mut Paint<'_>,
    area: Rect,
    line: &LogLine,
    names: u16,
    column: usize,
    found: &str,
) {
    let mut x = area.x + 1;
    x += paint.text(x, area.y, &super::super::log::clock(line.at), Role::Comment, 9) + 1;
    let (sign, role) = match line.level {
        Level::Error => (paint.glyphs.failed, Role::Bad),
        Level::Warning => ("!", Role::Warning),
        Level::Debug => ("", Role::Dim),
        Level::Info => ("", Role::Text),
    };
    paint.text(x, area.y, sign, role, 1);
    x += 2;
    if names > 0 {
        paint.name(x, area.y, line.node.as_deref().unwrap_or_default(), Role::Dim, names);
        x += names + 2;
    }
    let room = area.right().saturating_sub(x + 1);
    paint.parts(x, area.y, &ansi::parts(&line.text), role, column, room);
    let rest = Rect { x, width: room, height: 1, ..area };
    super::super::log::mark(paint, rest, &line.text, column, found);
}
