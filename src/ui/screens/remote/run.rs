//! The page of a run on an engine: its tasks in time, the log of one, the grid, and what else is known.

use ratatui::layout::Rect;

use super::super::super::paint::Paint;
use super::super::super::theme::Role;
use super::super::{details, focused, log as log_pane};
use super::{found, grid, sign_of};
use crate::app::command::Command;
use crate::app::screens::Screen;
use crate::app::screens::remote::RemoteScreen;
use crate::app::screens::remote::log::TaskLog;
use crate::app::screens::remote::page::Page;
use crate::app::screens::remote::run::{HEAD, Part, RunPage};
use crate::app::screens::remote::runs::{began, took};
use crate::app::shared::Shared;
use crate::app::words::{seconds_text, when};
use crate::remote::model::{Phase, Run, Task};
use crate::text::{ansi, sanitize, width};

/// The width of durations, in cells.
const TIME: u16 = 12;
/// The smallest width of the chart, in cells.
const CHART: u16 = 12;

pub(super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &RemoteScreen,
    shared: &Shared,
    page: &Page,
    run: &RunPage,
) {
    let known = screen.shown_run();
    head(paint, Rect { height: 1, ..area }, shared, page, run, known);
    parts(paint, Rect { y: area.y + 1, height: 1, ..area }, shared, run);
    let body = Rect { y: area.y + HEAD, height: area.height.saturating_sub(HEAD), ..area };
    match run.part {
        Part::Tasks => tasks(paint, body, shared, run, known),
        Part::Log => log(paint, body, screen, shared, page, run),
        Part::Found => found::draw(paint, body, shared, run),
        Part::Grid => grid::draw(paint, body, shared, page, run),
        Part::About => details::draw(paint, body, &screen.details(shared), shared.side_offset),
    }
}

/// Draws the state of the run on one line.
fn head(
    paint: &mut Paint<'_>,
    area: Rect,
    shared: &Shared,
    page: &Page,
    shown: &RunPage,
    run: Option<&Run>,
) {
    let mut x = area.x + 1;
    let Some(run) = run else {
        let text = shown.error.as_deref().unwrap_or("Reading the run ...");
        paint.text(x, area.y, text, Role::Dim, area.width);
        return;
    };
    let (sign, role) = sign_of(paint.glyphs, run.state.phase);
    x += paint.text(x, area.y, sign, role, 1) + 1;
    let done = shown.tasks.iter().filter(|task| task.state.phase == Phase::Succeeded).count();
    let mut text = run.state.name.clone();
    if !shown.tasks.is_empty() {
        text.push_str(&format!(" {done}/{}", shown.tasks.len()));
    }
    if let Some(seconds) = took(run, shared.now) {
        text.push_str(&format!(" {}", seconds_text(seconds)));
    }
    x += paint.text(x, area.y, &text, role, area.width);
    let mut facts = Vec::new();
    facts.extend(shown.error.as_ref().map(|why| (why.clone(), Role::Bad)));
    facts.extend(run.error.as_ref().map(|error| (error.clone(), Role::Bad)));
    facts.extend(began(run).map(|at| (when(shared.now, at), Role::Dim)));
    facts.push((format!("{} on {}", run.id.pipeline, page.profile), Role::Dim));
    facts.extend(
        Some(run.kind.clone()).filter(|kind| !kind.is_empty()).map(|kind| (kind, Role::Dim)),
    );
    facts.extend(run.note.clone().map(|note| (note, Role::Dim)));
    for (fact, role) in facts {
        let text = format!(" {} {fact}", paint.glyphs.dot);
        x += paint.text(x, area.y, &text, role, area.right().saturating_sub(x + 1));
    }
}

/// Draws the titles of the parts, and at the right a summary of the shown part.
fn parts(paint: &mut Paint<'_>, area: Rect, shared: &Shared, run: &RunPage) {
    let mut x = area.x + 1;
    for part in run.parts() {
        let role = if part == run.part { Role::Tab } else { Role::Dim };
        x += paint.text(x, area.y, part.title(), role, area.width) + 2;
    }
    // The titles alone do not show which part is selected without colours.
    if let Some(key) = shared.keymap.keys(Command::NextPane).first() {
        x += paint.text(x, area.y, key, Role::Comment, area.width) + 2;
    }
    let room = area.right().saturating_sub(x + 1);
    let told = match (run.part, &run.log) {
        (Part::Log, Some(log)) => of_log(log),
        (Part::Grid, _) => grid::told(run),
        _ => String::new(),
    };
    paint.right(area.right().saturating_sub(1), area.y, &told, Role::Dim, room);
}

/// The task, the try, the filter, and whether the end is followed.
fn of_log(log: &TaskLog) -> String {
    let mut parts = vec![log.task.name()];
    if log.task.attempt > 1 {
        parts.push(format!("try {} of {}", log.attempt, log.task.attempt));
    }
    parts.extend(Some(&log.query).filter(|query| !query.is_empty()).cloned());
    let all = log.dropped + log.lines.len();
    parts.push(match log.query.is_empty() {
        true => format!("{all} lines"),
        false => format!("{} of {all} lines", log.matches.len()),
    });
    parts.extend((log.follow && !log.ended).then(|| "following".to_owned()));
    parts.join(", ")
}

/// Draws the tasks with their tries, durations and bars in time.
fn tasks(paint: &mut Paint<'_>, area: Rect, shared: &Shared, page: &RunPage, run: Option<&Run>) {
    if page.tasks.is_empty() {
        let text = match (&page.error, page.is_read) {
            (Some(why), _) => why.as_str(),
            (None, true) => "The engine lists no tasks of this run yet.",
            (None, false) => "Reading the tasks ...",
        };
        return paint.note(area, &[text]);
    }
    let rows = usize::from(area.height.saturating_sub(1));
    let seen = || page.tasks.iter().enumerate().skip(page.position.offset).take(rows);
    let cells = |text: &str| u16::try_from(width(&sanitize(text))).unwrap_or(u16::MAX);
    let states = seen().map(|(_, task)| cells(&state_text(task))).max().unwrap_or(0).clamp(5, 24);
    let names = seen().map(|(_, task)| cells(&task.name())).max().unwrap_or(0);
    let most = area.width.saturating_sub(states + TIME + CHART.max(area.width / 3) + 8).max(8);
    let names = names.clamp(4, most.max(4));
    let chart_at = area.x + 3 + names + 2 + states + TIME + 1;
    let chart = Rect { x: chart_at, width: area.right().saturating_sub(chart_at + 1), ..area };
    let (start, whole) = span(page, run, shared.now);
    paint.text(area.x + 3, area.y, "task", Role::Dim, names);
    paint.text(area.x + 5 + names, area.y, "state", Role::Dim, states);
    if chart.width >= CHART {
        paint.text(chart.x, area.y, "0", Role::Comment, 1);
        paint.right(chart.right(), area.y, &seconds_text(whole), Role::Comment, chart.width - 2);
    }
    for (row, (index, task)) in seen().enumerate() {
        let y = area.y + 1 + row as u16;
        paint.row(area, y, index == page.position.selected, focused(shared));
        let (sign, role) = sign_of(paint.glyphs, task.state.phase);
        paint.text(area.x + 1, y, sign, role, 1);
        paint.name(area.x + 3, y, &task.name(), Role::Text, names);
        paint.text(area.x + 5 + names, y, &state_text(task), role, states);
        if let Some(seconds) = task.took(shared.now).filter(|_| has_time(task)) {
            let right = area.x + 5 + names + states + TIME;
            paint.right(right, y, &seconds_text(seconds), Role::Text, TIME);
        }
        if chart.width >= CHART {
            bar(paint, Rect { y, height: 1, ..chart }, (start, whole), task, role, shared.now);
        }
    }
}

/// The state with the number of the try, if there was more than one.
fn state_text(task: &Task) -> String {
    match task.attempt {
        0 | 1 => task.state.name.clone(),
        attempt => format!("{}, try {attempt}", task.state.name),
    }
}

/// Whether the task's time grows or has ended: one that was stopped before its end has no time.
fn has_time(task: &Task) -> bool {
    task.ended.is_some() || !task.state.phase.is_over()
}

/// The start of the chart, and its length in seconds.
fn span(page: &RunPage, run: Option<&Run>, now: f64) -> (f64, f64) {
    let starts = page.tasks.iter().filter_map(|task| task.started);
    let starts = starts.chain(run.and_then(|run| run.started));
    let start = starts.fold(f64::INFINITY, f64::min);
    let end_of = |task: &Task| task.ended.or(task.started.map(|_| now)).filter(|_| has_time(task));
    let end = page.tasks.iter().filter_map(end_of).fold(start, f64::max);
    match start.is_finite() {
        true => (start, (end - start).max(1e-3)),
        false => (now, 1e-3),
    }
}

/// Draws the time of a task's latest try.
fn bar(
    paint: &mut Paint<'_>,
    row: Rect,
    (start, whole): (f64, f64),
    task: &Task,
    role: Role,
    now: f64,
) {
    let Some(begin) = task.started.filter(|_| has_time(task)) else { return };
    let room = f64::from(row.width);
    let cell = |at: f64| ((at - start) / whole * room).clamp(0.0, room);
    let first = (cell(begin) as u16).min(row.width.saturating_sub(1));
    let end = task.ended.unwrap_or(now);
    let last = (cell(end).round() as u16).clamp(first + 1, row.width.max(first + 1));
    let [full, light, _] = paint.glyphs.bars;
    let sign = if task.ended.is_some() { full } else { light };
    paint.text(row.x + first, row.y, &sign.repeat(usize::from(last - first)), role, last - first);
}

/// Draws the log of a try.
fn log(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &RemoteScreen,
    shared: &Shared,
    page: &Page,
    run: &RunPage,
) {
    let unable = screen.disabled(shared, Command::Log).filter(|_| run.log.is_none());
    let Some(log) = &run.log else {
        let text =
            unable.or_else(|| run.error.clone()).unwrap_or_else(|| "No task is selected.".into());
        return paint.note(area, &[&text]);
    };
    if log.matches.is_empty() {
        let unable = screen.profile(&page.profile).and_then(|profile| {
            let logs =
                profile.unable.iter().find(|(action, _)| *action == crate::remote::Action::Logs);
            logs.map(|(_, why)| (*why).to_owned())
        });
        let text = match (&run.error, unable) {
            (_, Some(why)) => why,
            (Some(why), _) => why.clone(),
            _ if log.task.attempt == 0 => "The task has not begun, so it has no log.".into(),
            _ if !log.is_read => "Reading the log ...".into(),
            _ if !log.query.is_empty() => "No line matches the filter; esc shows all again.".into(),
            _ => "The log is empty.".into(),
        };
        return paint.note(area, &[&text]);
    }
    let found = match log.found {
        Some(_) => shared.search.to_lowercase(),
        None => String::new(),
    };
    let seen = log.matches.iter().skip(log.offset).take(usize::from(area.height));
    for (row, index) in seen.enumerate() {
        let Some(line) = log.lines.get(*index) else { continue };
        let y = area.y + row as u16;
        paint.row(area, y, log.found == Some(*index), focused(shared));
        let mut x = area.x + 1;
        if let Some(at) = line.at {
            x += paint.text(x, y, &log_pane::clock(at), Role::Comment, 9) + 1;
        }
        let (sign, role) = match line.level.as_deref() {
            Some("error" | "critical" | "fatal") => (paint.glyphs.failed, Role::Bad),
            Some("warning" | "warn") => ("!", Role::Warning),
            Some("debug" | "trace") => ("", Role::Dim),
            _ => ("", Role::Text),
        };
        paint.text(x, y, sign, role, 1);
        x += 2;
        let room = area.right().saturating_sub(x + 1);
        paint.parts(x, y, &ansi::parts(&line.text), role, log.column, room);
        log_pane::mark(
            paint,
            Rect { x, y, width: room, height: 1 },
            &line.text,
            log.column,
            &found,
        );
    }
}
