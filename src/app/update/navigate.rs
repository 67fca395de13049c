//! Moving: in lists, in the details, in the log, between tabs and panes.

use crate::app::areas::Pane;
use crate::app::command::Command;
use crate::app::prompt::PromptKind;
use crate::app::screens::rows_of;
use crate::app::state::State;
use crate::app::tab::Tab;

/// Moves in the pane that has the focus.
pub(super) fn go(state: &mut State, command: Command) {
    let height = state.areas().pane(state.shared.focus).height;
    let page = isize::try_from(height).unwrap_or(1).max(2) - 1;
    let by = rows_of(command, page);
    match state.shared.focus {
        Pane::Side => scroll_side(state, by),
        Pane::Log => scroll_log(state, by),
        Pane::Main => {
            let (screen, shared) = state.screen_mut();
            if screen.go(shared, command, page) {
                return;
            }
            match command {
                Command::Left | Command::Right => screen.fold(shared, command == Command::Right),
                _ => {
                    let Some(position) = screen.position() else { return };
                    let index = position.selected.saturating_add_signed(by);
                    screen.select(shared, index);
                }
            }
        }
    }
}

pub(super) fn scroll_side(state: &mut State, by: isize) {
    let height = usize::from(state.areas().side.height);
    let last = state.details().lines.len().saturating_sub(height);
    let offset = &mut state.shared.side_offset;
    *offset = (*offset).min(last).saturating_add_signed(by).min(last);
}

pub(super) fn scroll_log(state: &mut State, by: isize) {
    let height = usize::from(state.areas().log.height);
    if let Some(run) = &mut state.shared.run {
        let last = run.log.len().saturating_sub(height);
        run.scrolled = run.scrolled.saturating_add_signed(-by).min(last);
    }
}

/// Shows a tab.
pub(super) fn show(state: &mut State, tab: Tab) {
    if state.tab != tab {
        state.tab = tab;
        let shared = &mut state.shared;
        shared.focus = Pane::Main;
        shared.side_offset = 0;
        shared.prompt.take_if(|prompt| prompt.kind == PromptKind::Find);
    }
}

/// Shows the next tab, or the previous one.
pub(super) fn cycle_tab(state: &mut State, onward: bool) {
    show(state, next(Tab::ALL, state.tab, onward));
}

/// Moves the focus to the next pane, or to the previous one.
pub(super) fn cycle_pane(state: &mut State, onward: bool) {
    let panes = [Pane::Main, Pane::Side, Pane::Log];
    let count = if state.screen().log_shown(&state.shared) { 3 } else { 2 };
    state.shared.focus = next(&panes[..count], state.shared.focus, onward);
}

fn next<T: Copy + PartialEq>(all: &[T], now: T, onward: bool) -> T {
    let index = all.iter().position(|other| *other == now).unwrap_or(0);
    let by = if onward { 1 } else { all.len() - 1 };
    all[(index + by) % all.len()]
}

/// Moves the focus to a pane, or to the main pane if that one is not shown.
pub(super) fn focus(state: &mut State, pane: Pane) {
    let there = pane != Pane::Log || state.screen().log_shown(&state.shared);
    state.shared.focus = if there { pane } else { Pane::Main };
}
