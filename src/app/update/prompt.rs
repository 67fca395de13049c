//! Handling the line that is typed on the bar.

use crossterm::event::KeyEvent;

use super::{overrides, search};
use crate::app::control::{Control, Scope};
use crate::app::effect::Effect;
use crate::app::key::Key;
use crate::app::picker::{clear, text};
use crate::app::prompt::{Prompt, PromptKind};
use crate::app::state::State;
use crate::app::undo::Before;
use crate::runs::history::{change, filter};
use crate::store::LogFilter;
use crate::text::UserError;

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
        _ => {
            prompt.field.input(event);
            typed(state, prompt)
        }
    }
}

/// Text was pasted.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let Some(mut prompt) = state.shared.prompt.take() else { return Vec::new() };
    prompt.field.insert_str(text);
    typed(state, prompt)
}

/// The line was left: the previous filter is restored.
fn leave(state: &mut State, kind: PromptKind) -> Vec<Effect> {
    let State { shared, runs, pipeline, .. } = state;
    match kind {
        PromptKind::Filter(before) => return runs.set_query(shared, before),
        // The previous filter was valid, so this can't fail.
        PromptKind::Graph(before) => drop(pipeline.set_filter(shared, &before)),
        PromptKind::Find
        | PromptKind::Note(_)
        | PromptKind::Log
        | PromptKind::Prune
        | PromptKind::Override(_)
        | PromptKind::Export
        | PromptKind::Grid => {}
    }
    Vec::new()
}

/// Handles the text typed or pasted so far. Searches and filters apply while they are typed; an error
/// in a filter is reported only once the line is accepted.
fn typed(state: &mut State, prompt: Prompt) -> Vec<Effect> {
    let written = text(&prompt.field);
    let kind = prompt.kind.clone();
    state.shared.prompt = Some(prompt);
    let State { shared, runs, pipeline, .. } = state;
    match kind {
        PromptKind::Find => {
            shared.search = written;
            search::go(state, 0);
        }
        PromptKind::Graph(_) => drop(pipeline.set_filter(shared, &written)),
        PromptKind::Filter(_) => {
            let query = filter::settled(&written);
            if filter::parse(query, shared.now).is_ok() {
                return runs.set_query(shared, query.to_owned());
            }
        }
        _ => {}
    }
    Vec::new()
}

/// Applies the line. A line with an error stays open, with the error beside it.
fn accept(state: &mut State, prompt: Prompt) -> Vec<Effect> {
    let written = text(&prompt.field);
    match act(state, &prompt.kind, written) {
        Ok(effects) => effects,
        Err(why) => {
            state.shared.warn(why.line());
            state.shared.prompt = Some(prompt);
            Vec::new()
        }
    }
}

fn act(state: &mut State, kind: &PromptKind, written: String) -> Result<Vec<Effect>, UserError> {
    let State { shared, runs, pipeline, .. } = state;
    match kind {
        PromptKind::Find => shared.search = written,
        PromptKind::Filter(before) => {
            filter::parse(&written, shared.now)?;
            if *before != written.trim() {
                shared.edits.add("filter of the runs", Before::RunsFilter(before.clone()));
            }
            return Ok(runs.set_query(shared, written.trim().to_owned()));
        }
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
        PromptKind::Graph(before) => {
            pipeline.set_filter(shared, &written)?;
            if *before != pipeline.filter_text {
                shared.edits.add("filter of the graph", Before::GraphFilter(before.clone()));
            }
        }
        PromptKind::Export => {
            let file = written.trim().to_owned();
            return Ok(Some(file)
                .filter(|file| !file.is_empty())
                .map(Effect::Export)
                .into_iter()
                .collect());
        }
        PromptKind::Override(path) => {
            return overrides::check(shared, path.clone(), written);
        }
        PromptKind::Grid => return overrides::grid(state, &written),
        PromptKind::Prune => {
            return Ok(vec![Effect::Prunable(change::parse_prune_limits(&written, shared.now)?)]);
        }
        PromptKind::Log => {
            let text = Some(written).filter(|text| !text.is_empty());
            if let Some(page) = runs.run_page_mut() {
                page.log.set_filter(LogFilter { text, ..page.log.filter.clone() });
            }
        }
    }
    Ok(Vec::new())
}
