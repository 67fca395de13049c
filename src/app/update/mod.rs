//! The update: from an event to the next state, and to the effects.
//!
//! No I/O, no waiting, no clock: whole sessions are tested by feeding events and reading the state.

mod act;
mod dialog;
mod elsewhere;
mod input;
mod navigate;
mod overrides;
mod prompt;
mod reading;
pub mod remember;
mod report;
mod running;
mod search;
mod trust;
mod undo;
mod watch;

use ratatui::layout::Size;

use super::effect::Effect;
use super::event::Event;
use super::state::State;
use super::tab::Tab;

/// Applies an event and returns the effects.
pub fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let (drawing, main) = (state.shared.generations.drawing, state.areas().main);
    let mut effects = match event {
        Event::Key(key) => input::key(state, key.into(), key),
        Event::Mouse(mouse) => input::mouse(state, mouse),
        Event::Paste(text) => input::paste(state, &text),
        Event::Resize(columns, rows) => {
            resize(state, columns, rows);
            Vec::new()
        }
        Event::Interrupt => running::interrupted(state),
        Event::Focus(focused) => {
            state.shared.focused = Some(focused);
            Vec::new()
        }
        Event::Tick(now) => {
            state.shared.now = now;
            if state.shared.toast.as_ref().is_some_and(|toast| toast.until < now) {
                state.shared.toast = None;
            }
            state.runs.tick(now);
            let shown = state.tab == Tab::Experiments;
            state.experiments.tick(&mut state.shared, shown);
            remember::tick(state).into_iter().collect()
        }
        Event::Report(report) => report::report(state, report),
    };
    if state.tab == Tab::Runs {
        state.shared.unseen = None;
    }
    if state.areas().main != main {
        state.pipeline.keep_in_view(&state.shared);
    }
    if state.shared.generations.drawing != drawing {
        effects.push(Effect::Draw(state.shared.generations.drawing));
    }
    let (screen, shared) = state.screen_mut();
    effects.extend(screen.wanted(shared));
    let visible = state.tab == Tab::Remote || state.shared.project.on_engine.is_some();
    effects.extend(state.remote.follow(&state.shared, visible));
    effects
}

/// Applies a new size of the terminal.
fn resize(state: &mut State, columns: u16, rows: u16) {
    let State { shared, pipeline, .. } = state;
    shared.size = Size::new(columns, rows);
    pipeline.resized(shared);
}
