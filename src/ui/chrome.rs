//! The frame around every screen: header, tabs, rule and bar.

use ratatui::layout::Rect;

use super::paint::{Paint, wrap};
use super::theme::Role;
use crate::app::areas::Pane;
use crate::app::areas::{self, Areas, tab_titles};
use crate::app::bar;
use crate::app::command::Command;
use crate::app::filter::Help;
use crate::app::prompt::{Prompt, PromptKind};
use crate::app::shared::Exact;
use crate::app::shared::TrackingReport;
use crate::app::shared::no_kedro;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::words::left_text;
use crate::project::Severity;
use crate::runs::Warmth;
use crate::text::width;

/// Draws project, pipeline and environment, and at the right the state of readings, runs and stores.
pub(super) fn header(paint: &mut Paint<'_>, area: Rect, state: &State) {
    paint.restyle(area, Role::Header);
    let mut right = area.right() - 1;
    for (text, role) in facts(state, paint).into_iter().rev() {
        let room = right.saturating_sub(area.x + 24);
        if usize::from(room) < width(&text) + 2 {
            continue;
        }
        right = paint.right(right, area.y, &text, role, room).saturating_sub(2);
    }
    let project = &state.shared.project;
    let name = match &project.snapshot {
        Some(snapshot) if !snapshot.metadata.project_name.is_empty() => {
            snapshot.metadata.project_name.clone()
        }
        _ => "mlops-tui".into(),
    };
    let mut x = area.x + 1;
    let room = |x: u16| right.saturating_sub(x);
    x += paint.name(x, area.y, &name, Role::Title, room(x).min(40));
    let env = project.snapshot.as_ref().map(|snapshot| format!("env {}", snapshot.env));
    for part in [Some(state.shared.pipeline.clone()).filter(|name| !name.is_empty()), env] {
        let Some(part) = part else { continue };
        let text = format!(" {} {part}", paint.glyphs.dot);
        if usize::from(room(x)) >= width(&text) {
            x += paint.text(x, area.y, &text, Role::Dim, room(x));
        }
    }
}

fn facts(state: &State, paint: &Paint<'_>) -> Vec<(String, Role)> {
    let project = &state.shared.project;
    let glyphs = paint.glyphs;
    let mut facts = Vec::new();
    let problems = state.shared.problems();
    let worst = problems.iter().map(|problem| problem.severity).min();
    if let Some(worst) = worst.filter(|worst| *worst != Severity::Info) {
        let count = problems.iter().filter(|problem| problem.severity != Severity::Info).count();
        let (sign, role) = match worst {
            Severity::Error => (glyphs.error, Role::Bad),
            _ => (glyphs.warning, Role::Warning),
        };
        let s = if count == 1 { "" } else { "s" };
        facts.push((format!("{sign} {count} problem{s}"), role));
    }
    if let Some(making) = state.shared.making.as_ref().filter(|making| making.goes_on()) {
        facts.push((format!("{} .venv: {}", glyphs.running, making.progress()), Role::Running));
    }
    let own = state.shared.running().map(|run| (run, ""));
    let others = state.shared.elsewhere.iter().map(|run| {
        (run, if run.record.new.detached { " in the background" } else { " elsewhere" })
    });
    for (run, place) in own.into_iter().chain(others) {
        let (done, all) = (run.nodes_done(), run.nodes.len());
        let progress = if all == 0 { "starting".into() } else { format!("{done}/{all}") };
        let left = state.shared.run_left(run).map(|left| format!(" {}", left_text(left)));
        let (name, left) = (run.record.name(), left.unwrap_or_default());
        facts.push((format!("{} {name} {progress}{left}{place}", glyphs.running), Role::Running));
    }
    let beside = state.shared.going_on().count() - usize::from(state.shared.running().is_some());
    if beside > 0 {
        facts.push((format!("{beside} more"), Role::Running));
    }
    if let Some(best) = state.experiments.best_so_far(&state.shared) {
        facts.push((format!("{} {best}", glyphs.best), Role::Good));
    }
    if let Some(watch) = &state.shared.watch {
        let of = match watch.from.len() {
            0 => String::new(),
            1 => " 1 node".into(),
            count => format!(" {count} nodes"),
        };
        facts.push((format!("saves run{of}"), Role::Running));
    }
    if !state.shared.overrides.is_empty() {
        let s = if state.shared.overrides.len() == 1 { "" } else { "s" };
        facts.push((format!("{} override{s}", state.shared.overrides.len()), Role::Warning));
    }
    let complete = project.snapshot.as_ref().is_none_or(|snapshot| snapshot.complete());
    facts.push(match &project.exact {
        Exact::Shown(_) if project.differences.is_empty() => {
            (format!("exact {}", glyphs.done), Role::Good)
        }
        Exact::Shown(_) => {
            (format!("exact, differs in {}", project.differences.len()), Role::Warning)
        }
        Exact::Reading(_) => ("static, Kedro is reading".into(), Role::Running),
        Exact::Failed(failure) if no_kedro(failure) => ("static, no Kedro here".into(), Role::Dim),
        Exact::Failed(_) => ("static, Kedro failed".into(), Role::Bad),
        Exact::None | Exact::Outdated if project.snapshot.is_none() => {
            ("reading".into(), Role::Dim)
        }
        Exact::None | Exact::Outdated if !complete => ("static, incomplete".into(), Role::Warning),
        Exact::None | Exact::Outdated => ("static".into(), Role::Dim),
    });
    match &project.worker {
        Some(Warmth::Warm { .. }) => facts.push(("worker warm".into(), Role::Good)),
        Some(Warmth::Warming) => facts.push(("worker warming".into(), Role::Running)),
        Some(Warmth::Cold) => facts.push(("worker cold".into(), Role::Dim)),
        Some(Warmth::Fresh(_)) | None => {}
    }
    if project.trusted == Some(false) {
        facts.push(("not trusted".into(), Role::Dim));
    }
    match &project.tracking {
        Some(TrackingReport::Live(overview)) => {
            facts.push((format!("{} {}", overview.source, glyphs.live), Role::Good));
        }
        Some(TrackingReport::Failed(_)) => {
            facts.push((format!("tracking {}", glyphs.failed), Role::Bad));
        }
        Some(TrackingReport::Absent) | None => {}
    }
    facts
}

/// Draws how a run ended, with the keys that help, in the upper right corner.
pub(super) fn toast(paint: &mut Paint<'_>, state: &State) {
    let Some(toast) = &state.shared.toast else { return };
    let (sign, role) = paint.glyphs.of_outcome(toast.outcome);
    let keys: Vec<(String, &str)> = toast
        .commands
        .iter()
        .filter_map(|command| {
            let spec = command.spec();
            let word = match command {
                Command::Show(tab) => tab.short_title(),
                _ => spec.bar.unwrap_or(spec.name),
            };
            Some((state.shared.keymap.keys(*command).into_iter().next()?, word))
        })
        .collect();
    let room = usize::from(state.shared.size.width.saturating_sub(6)).min(56);
    let mut lines = wrap(&format!("{sign} {}", toast.title), room);
    let titles = lines.len();
    // The whole message is in the log; the first lines say what it is about.
    lines.extend(toast.lines.iter().flat_map(|line| wrap(line, room)).take(3));
    let of_keys = keys.iter().map(|(key, word)| width(key) + width(word) + 3).sum::<usize>();
    let widest = lines.iter().map(|line| width(line)).chain([of_keys]).max().unwrap_or(0);
    let height = u16::try_from(lines.len() + 1).unwrap_or(u16::MAX);
    let area = areas::toast(state.shared.size, widest as u16, height);
    paint.fill(area, Role::Background);
    let inner = paint.frame(area, "", role);
    let (x, cells) = (inner.x + 1, inner.width.saturating_sub(2));
    for (row, line) in lines.iter().enumerate() {
        let role = if row < titles { role } else { Role::Text };
        paint.text(x, inner.y + row as u16, line, role, cells);
    }
    let (mut x, y) = (x, inner.bottom().saturating_sub(1));
    for (key, word) in keys {
        x += paint.text(x, y, &key, Role::Key, cells) + 1;
        x += paint.text(x, y, word, Role::Dim, cells) + 2;
    }
}

/// The line of tabs. A glyph after Runs says that runs have ended since that tab was shown, and how.
pub(super) fn tabs(paint: &mut Paint<'_>, area: Rect, state: &State) {
    for (index, title) in tab_titles(area.width).into_iter().enumerate() {
        let unseen = state.shared.unseen.filter(|_| title.tab == Tab::Runs);
        if let Some((sign, role)) = unseen.map(|outcome| paint.glyphs.of_outcome(outcome)) {
            paint.text(area.x + title.x + title.width, area.y, sign, role, 1);
        }
        let number = (index + 1).to_string();
        paint.text(area.x + title.x, area.y, &number, Role::Key, 1);
        let cells = title.title.len() as u16;
        let role = if title.tab == state.tab { Role::Tab } else { Role::Dim };
        paint.text(area.x + title.x + title.width - cells, area.y, title.title, role, cells);
    }
}

/// The rule over the panes with their titles, and the border between them.
pub(super) fn rule(paint: &mut Paint<'_>, areas: &Areas, state: &State) {
    paint.rule(areas.rule, Role::Border);
    paint.upright(areas.border, Role::Border);
    if areas.border.width > 0 {
        let tee = paint.glyphs.tees[0];
        paint.text(areas.border.x, areas.rule.y, tee, Role::Border, 1);
    }
    let screen = state.screen();
    let (title, side) = (screen.title(&state.shared), screen.side_title().to_owned());
    for (pane, area, title) in [(Pane::Main, areas.main, title), (Pane::Side, areas.side, side)] {
        if title.is_empty() || area.width == 0 {
            continue;
        }
        let role = if state.shared.focus == pane { Role::Focus } else { Role::Dim };
        let text = format!(" {title} ");
        paint.text(area.x + 1, areas.rule.y, &text, role, area.width.saturating_sub(2));
    }
}

/// The rows of a typed filter: the line, the candidates or the mark of an error, and what they mean.
const FILTER_ROWS: u16 = 3;

/// Draws a filter that is being typed, over the last rows.
fn filter(paint: &mut Paint<'_>, bar: Rect, prompt: &Prompt) {
    let top = bar.bottom().saturating_sub(FILTER_ROWS);
    let area = Rect { y: top, height: FILTER_ROWS, ..bar };
    paint.fill(area, Role::Background);
    let label = prompt.kind.label();
    let x = area.x + 1 + paint.text(area.x + 1, top, label, Role::Key, area.width);
    let line = Rect { x, y: top, width: area.right().saturating_sub(x + 1), height: 1 };
    let skipped = super::dialogs::field(paint, line, &prompt.field, true);
    let Help { completion, chosen, error } = &prompt.help;
    if let Some(error) = error {
        let written = crate::app::picker::text(&prompt.field);
        let before: String = written.chars().take(error.at).skip(skipped).collect();
        let caret = x + (width(&before) as u16).min(line.width.saturating_sub(1));
        paint.text(caret, top + 1, "^", Role::Bad, 1);
        let room = area.width.saturating_sub(2);
        // The message begins under the caret as long as it fits.
        let length = u16::try_from(width(&error.text)).unwrap_or(u16::MAX);
        let start = caret.min((area.right() - 1).saturating_sub(length)).max(area.x + 1);
        paint.text(start, top + 2, &error.text, Role::Bad, room);
        return;
    }
    let mut help = completion.hint.as_ref();
    let candidates = &completion.candidates;
    let (mut at, right) = (x, area.right() - 1);
    // The chosen candidate stays visible.
    let shown = chosen.unwrap_or(0);
    let cells: Vec<u16> = candidates.iter().map(|one| width(&one.text) as u16 + 2).collect();
    let mut first = 0;
    while first < shown && cells[first..=shown].iter().sum::<u16>() > line.width {
        first += 1;
    }
    for (index, candidate) in candidates.iter().enumerate().skip(first) {
        if at >= right {
            break;
        }
        let is_chosen = *chosen == Some(index);
        let role = if is_chosen { Role::Selection } else { Role::Text };
        let room = right - at;
        // The sign that there are more needs room after all but the last one.
        let more = if index + 1 < candidates.len() { 1 } else { 0 };
        if room + 2 < cells[index] + 3 * more {
            paint.text(at, top + 1, "…", Role::Dim, 1);
            break;
        }
        at += paint.text(at, top + 1, &candidate.text, role, room) + 2;
        if is_chosen || candidates.len() == 1 {
            help = candidate.help;
        }
    }
    let help = match (help.is_empty(), candidates.is_empty()) {
        (false, _) => help,
        (true, false) => "tab completes; blanks add terms; a,b means or; -term leaves out",
        (true, true) => "",
    };
    paint.text(x, top + 2, help, Role::Comment, line.width);
}

/// Draws the bar: the typed line, else the message, else the useful keys.
pub(super) fn bar(paint: &mut Paint<'_>, area: Rect, state: &State) {
    if let Some(prompt) = &state.shared.prompt {
        if matches!(prompt.kind, PromptKind::Filter(_)) {
            return filter(paint, area, prompt);
        }
        let label = prompt.kind.label();
        let x = area.x + 1 + paint.text(area.x + 1, area.y, label, Role::Key, area.width);
        let line = Rect { x, width: area.right().saturating_sub(x + 1), ..area };
        if crate::app::picker::text(&prompt.field).is_empty() {
            paint.text(line.x, line.y, prompt.kind.hint(), Role::Comment, line.width);
        }
        // An error in the line is shown beside it.
        let told = state.shared.notice.as_ref().map_or("", |notice| notice.text.as_str());
        let typed = width(&crate::app::picker::text(&prompt.field)) as u16 + 3;
        let room = line.width.saturating_sub(typed.min(line.width / 3));
        let start = paint.right(area.right() - 1, area.y, told, Role::Bad, room);
        let line =
            Rect { width: start.saturating_sub(line.x + u16::from(!told.is_empty())), ..line };
        super::dialogs::field(paint, line, &prompt.field, true);
        return;
    }
    if let Some(notice) = &state.shared.notice {
        let role = if notice.error { Role::Warning } else { Role::Text };
        let sign = if notice.error { paint.glyphs.warning } else { paint.glyphs.dot };
        let x = area.x + 1;
        paint.text(x, area.y, sign, role, 1);
        paint.text(x + 2, area.y, &notice.text, role, area.width.saturating_sub(4));
        return;
    }
    let pending = bar::pending(state);
    paint.right(area.right() - 1, area.y, &pending, Role::Key, 12);
    for hint in bar::hints(state) {
        let x = area.x + hint.x;
        let at = x + paint.text(x, area.y, &hint.key, Role::Key, area.width) + 1;
        paint.text(at, area.y, hint.word, Role::Dim, area.width);
    }
}
