//! Handling the line that is typed on the bar.

use crossterm::event::KeyEvent;
use ratatui_textarea::CursorMove;

use super::{overrides, search};
use crate::app::control::{Control, Scope};
use crate::app::effect::Effect;
use crate::app::filter::Help;
use crate::app::key::Key;
use crate::app::picker::{clear, line, text};
use crate::app::prompt::{Prompt, PromptKind};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::undo::Before;
use crate::runs::history::change;
use crate::text::{UserError, filter, sanitize};

/// Begins to type the filter of the screen.
pub(super) fn filter(state: &mut State) {
    let (screen, shared) = state.screen_mut();
    let Ok(before) = screen.filter_text().map(str::to_owned) else { return };
    shared.begin(PromptKind::Filter(before.clone()), &before);
    help(state);
}

/// A key while a line is being typed.
pub(super) fn key(state: &mut State, key: Key, event: KeyEvent) -> Vec<Effect> {
    let Some(mut prompt) = state.shared.prompt.take() else { return Vec::new() };
    state.shared.notice = None;
    match state.shared.keymap.control(Scope::Line, key) {
        Some(Control::Leave) => leave(state, prompt.kind),
        Some(Control::Accept) => accept(state, prompt),
        Some(Control::Clear) => {
            clear(&mut prompt.field);
            typed(state, prompt)
        }
        Some(control @ (Control::Down | Control::Up)) if prompt.kind == PromptKind::Find => {
            search::go(state, if control == Control::Down { 1 } else { -1 });
            state.shared.prompt = Some(prompt);
            Vec::new()
        }
        Some(control @ (Control::Down | Control::Up))
            if matches!(prompt.kind, PromptKind::Filter(_)) =>
        {
            complete(state, prompt, control == Control::Down)
        }
        _ => {
            prompt.field.input(event);
            typed(state, prompt)
        }
    }
}

/// Inserts the next candidate, or the previous one, in place of the one before or of what was typed.
fn complete(state: &mut State, mut prompt: Prompt, onward: bool) -> Vec<Effect> {
    let cursor = prompt.field.cursor().1;
    let Some((from, candidate)) = prompt.help.next(onward) else {
        state.shared.prompt = Some(prompt);
        return Vec::new();
    };
    let written = text(&prompt.field);
    let before = written.chars().take(from).chain(candidate.text.chars());
    let before: String = before.collect();
    let after: String = written.chars().skip(cursor).collect();
    prompt.field = line(&format!("{before}{after}"));
    let column = u16::try_from(before.chars().count()).unwrap_or(u16::MAX);
    prompt.field.move_cursor(CursorMove::Jump(0, column));
    let kept = std::mem::take(&mut prompt.help);
    let effects = typed(state, prompt);
    // The candidates stay, so that the next key goes on among them.
    if let Some(prompt) = &mut state.shared.prompt {
        prompt.help = Help { error: prompt.help.error.take(), ..kept };
    }
    effects
}

/// Updates the candidates for the filter that is typed.
fn help(state: &mut State) {
    let Some(mut prompt) = state.shared.prompt.take() else { return };
    let (screen, shared) = state.screen_mut();
    let before: String = text(&prompt.field).chars().take(prompt.field.cursor().1).collect();
    let completion = screen.complete_filter(shared, &before);
    prompt.help = Help { completion, ..Help::default() };
    shared.prompt = Some(prompt);
}

/// Text was pasted.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let Some(mut prompt) = state.shared.prompt.take() else { return Vec::new() };
    prompt.field.insert_str(text);
    typed(state, prompt)
}

/// The line was left: the previous filter is restored.
fn leave(state: &mut State, kind: PromptKind) -> Vec<Effect> {
    let PromptKind::Filter(before) = kind else { return Vec::new() };
    let (screen, shared) = state.screen_mut();
    // The previous filter was valid, so this can't fail.
    screen.set_filter(shared, &before).unwrap_or_default()
}

/// Handles the text typed or pasted so far. Searches and filters apply while they are typed. While a filter has an
/// error, the last valid one stays.
fn typed(state: &mut State, prompt: Prompt) -> Vec<Effect> {
    let written = text(&prompt.field);
    let kind = prompt.kind.clone();
    state.shared.prompt = Some(prompt);
    match kind {
        PromptKind::Find => {
            state.shared.search = written;
            search::go(state, 0);
        }
        PromptKind::Filter(_) => {
            help(state);
            let (screen, shared) = state.screen_mut();
            let settled = screen.settled_filter(shared, &written);
            match screen.set_filter(shared, settled) {
                Ok(effects) => return effects,
                Err(error) => {
                    // A last term that began as a word was applied as one.
                    let valid = filter::before_last(&written, error.at);
                    if let Some(prompt) = &mut shared.prompt {
                        prompt.help.error = Some(error);
                    }
                    return valid
                        .and_then(|valid| screen.set_filter(shared, valid).ok())
                        .unwrap_or_default();
                }
            }
        }
        _ => {}
    }
    Vec::new()
}

/// Applies the line. A line with an error stays open, with the error beside it.
fn accept(state: &mut State, prompt: Prompt) -> Vec<Effect> {
    let written = text(&prompt.field);
    if let PromptKind::Filter(before) = &prompt.kind {
        let before = before.clone();
        return accept_filter(state, prompt, &written, before);
    }
    match act(state, &prompt.kind, written) {
        Ok(effects) => effects,
        Err(why) => {
            state.shared.warn(why.line());
            state.shared.prompt = Some(prompt);
            Vec::new()
        }
    }
}

fn accept_filter(
    state: &mut State,
    mut prompt: Prompt,
    written: &str,
    before: String,
) -> Vec<Effect> {
    let (screen, shared) = state.screen_mut();
    match screen.set_filter(shared, written) {
        Ok(effects) => {
            if before != written.trim()
                && let Some((name, before)) = screen.filter_edit(before)
            {
                shared.edits.add(name, before);
            }
            effects
        }
        Err(error) => {
            prompt.help.error = Some(error);
            shared.prompt = Some(prompt);
            Vec::new()
        }
    }
}

fn act(state: &mut State, kind: &PromptKind, written: String) -> Result<Vec<Effect>, UserError> {
    let State { shared, runs, experiments, remote, .. } = state;
    match kind {
        PromptKind::SaveView => experiments.save_view(shared, &written)?,
        PromptKind::Follow(metric) => experiments.follow(metric, &written)?,
        PromptKind::SearchLogs => remote.search_logs(&written)?,
        PromptKind::Find => shared.search = written,
        PromptKind::Filter(_) => {}
        PromptKind::Note(id) => {
            let note = written.trim().to_owned();
            let kept = Some(note.clone()).filter(|note| !note.is_empty());
            let before = runs.shown_run().filter(|run| run.id == Some(*id));
            if let Some(before) = before.map(|run| run.note.clone())
                && before != kept
            {
                shared.edits.add(format!("note of run {id}"), Before::Note(*id, before));
            }
            runs.change_row(*id, |run| run.note = kept);
            return Ok(vec![Effect::Note(*id, note)]);
        }
        PromptKind::Export => {
            let file = written.trim().to_owned();
            if file.is_empty() {
                return Ok(Vec::new());
            }
            let is_comparison = state.tab == Tab::Experiments && file.ends_with(".html");
            let comparison = state.experiments.comparison(&state.shared).filter(|_| is_comparison);
            let Some(comparison) = comparison else { return Ok(vec![Effect::Export(file)]) };
            state.shared.tell(format!("Writing {} ...", sanitize(&file)));
            return Ok(vec![Effect::WriteComparison(file, Box::new(comparison))]);
        }
        PromptKind::Override(path) => {
            return overrides::check(shared, path.clone(), written);
        }
        PromptKind::Grid => return overrides::grid(state, &written),
        PromptKind::Prune => {
            return Ok(vec![Effect::Prunable(change::parse_prune_limits(&written, shared.now)?)]);
        }
    }
    Ok(Vec::new())
}
