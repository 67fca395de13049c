//! Keys and the mouse.

use crossterm::event::{KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect, Size};

use super::act::act;
use super::dialog::{self, Outcome};
use super::navigate::{self, focus};
use super::prompt;
use crate::app::areas::{Areas, Drag, Pane, tab_titles};
use crate::app::bar;
use crate::app::command::Command;
use crate::app::dialog::Dialog;
use crate::app::effect::Effect;
use crate::app::key::{Key, show};
use crate::app::keymap::Match;
use crate::app::state::State;

/// Handles a key: by the top dialog, by the typed line, else by the keymap.
pub(super) fn key(state: &mut State, key: Key, event: KeyEvent) -> Vec<Effect> {
    if !state.shared.dialogs.is_empty() {
        let outcome = dialog::key(state, key, event);
        return follow(state, outcome);
    }
    if state.shared.prompt.is_some() {
        return prompt::key(state, key, event);
    }
    let shared = &mut state.shared;
    shared.pending.push(key);
    match shared.keymap.lookup(state.tab, &shared.pending) {
        Match::Begun => Vec::new(),
        Match::Command(command) => {
            shared.pending.clear();
            act(state, command)
        }
        Match::Nothing => {
            let keys = std::mem::take(&mut shared.pending);
            // The key that broke a sequence off may be bound by itself.
            if keys.len() > 1 {
                return self::key(state, key, event);
            }
            if let Some(command) = shared.keymap.elsewhere(state.tab, &keys) {
                return act(state, command);
            }
            let help = shared.keymap.keys(Command::Help);
            let help = help.first().map_or("the help", String::as_str);
            shared.warn(format!("{} does nothing here; {help} lists the keys", show(&keys)));
            Vec::new()
        }
    }
}

/// Acts on the outcome of a dialog.
fn follow(state: &mut State, outcome: Outcome) -> Vec<Effect> {
    match outcome {
        Outcome::Closed | Outcome::Stay => Vec::new(),
        Outcome::Do(command) => act(state, command),
        Outcome::Ask(effects) | Outcome::StayAndAsk(effects) => effects,
    }
}

/// Inserts pasted text into the field that is being typed into.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let text: String = text.replace(['\n', '\r', '\t'], " ");
    match state.shared.dialogs.last_mut() {
        None => return prompt::paste(state, &text),
        Some(Dialog::Help(picker) | Dialog::Palette(picker) | Dialog::Choose(_, picker)) => {
            picker.query.insert_str(&text);
            picker.refresh();
        }
        Some(Dialog::Options(form)) => {
            let at = form.at;
            form.fields[at].insert_str(&text);
        }
        Some(_) => {}
    }
    Vec::new()
}

/// Rows per notch of the wheel.
const WHEEL: isize = 3;

/// Handles a mouse event.
pub(super) fn mouse(state: &mut State, event: MouseEvent) -> Vec<Effect> {
    let at = Position { x: event.column, y: event.row };
    let wheel = match event.kind {
        MouseEventKind::ScrollUp | MouseEventKind::ScrollLeft => -WHEEL,
        MouseEventKind::ScrollDown | MouseEventKind::ScrollRight => WHEEL,
        _ => 0,
    };
    let pressed = matches!(event.kind, MouseEventKind::Down(MouseButton::Left));
    if !state.shared.dialogs.is_empty() {
        if wheel != 0 || pressed {
            let outcome = dialog::mouse(state, at.x, at.y, wheel);
            return follow(state, outcome);
        }
        return Vec::new();
    }
    let areas = state.areas();
    match event.kind {
        MouseEventKind::Up(_) => {
            state.shared.panes.dragging = None;
            state.pipeline.held = None;
        }
        _ if wheel != 0 && event.modifiers.contains(KeyModifiers::CONTROL) => {
            let zoom = if wheel < 0 { Command::ZoomIn } else { Command::ZoomOut };
            if zoom.spec().on(state.tab) && areas.main.contains(at) {
                return act(state, zoom);
            }
        }
        MouseEventKind::Drag(MouseButton::Left) => drag(state, at),
        _ if wheel != 0 => {
            let sideways =
                matches!(event.kind, MouseEventKind::ScrollLeft | MouseEventKind::ScrollRight)
                    || event.modifiers.contains(KeyModifiers::SHIFT);
            scroll(state, &areas, at, wheel, sideways);
        }
        _ if pressed => return press(state, &areas, at),
        _ => {}
    }
    Vec::new()
}

fn drag(state: &mut State, at: Position) {
    let State { shared, pipeline, .. } = state;
    let Size { width, height } = shared.size;
    match shared.panes.dragging {
        Some(Drag::Side) => {
            let side = u32::from(width.saturating_sub(at.x)) * 100 / u32::from(width.max(1));
            shared.panes.set_side(u16::try_from(side).unwrap_or(50));
        }
        Some(Drag::Log) => shared.panes.set_log(height.saturating_sub(at.y + 2)),
        None => return pipeline.drag(shared, at),
    }
    pipeline.keep_in_view(shared);
}

fn scroll(state: &mut State, areas: &Areas, at: Position, by: isize, sideways: bool) {
    if areas.side.contains(at) {
        navigate::scroll_side(state, by);
    } else if areas.log.contains(at) {
        navigate::scroll_log(state, by);
    } else if areas.main.contains(at) {
        let (screen, shared) = state.screen_mut();
        if !screen.scroll(shared, by, sideways) {
            let (len, height) = (screen.len(shared), screen.list_height(shared));
            if let Some(position) = screen.position() {
                position.scroll(by, len, height);
            }
        }
    }
}

fn press(state: &mut State, areas: &Areas, at: Position) -> Vec<Effect> {
    if areas.tabs.contains(at) {
        let titles = tab_titles(areas.tabs.width);
        if let Some(title) =
            titles.iter().find(|title| (title.x..title.x + title.width).contains(&at.x))
        {
            navigate::show(state, title.tab);
        }
    } else if areas.bar.contains(at) {
        let hint = bar::hints(state).into_iter().find(|hint| {
            let from = areas.bar.x + hint.x;
            (from..from + hint.width()).contains(&at.x)
        });
        return hint.map(|hint| act(state, hint.command)).unwrap_or_default();
    } else if areas.border.contains(at) {
        state.shared.panes.dragging = Some(Drag::Side);
    } else if areas.log_rule.contains(at) {
        state.shared.panes.dragging = Some(Drag::Log);
    } else if areas.side.contains(at) {
        focus(state, Pane::Side);
    } else if areas.log.contains(at) {
        focus(state, Pane::Log);
    } else if areas.main.contains(at) {
        focus(state, Pane::Main);
        press_main(state, areas.main, at);
    }
    Vec::new()
}

/// Handles a press on the main pane. On a list it selects a row, or opens the row that is already selected.
fn press_main(state: &mut State, area: Rect, at: Position) {
    let (screen, shared) = state.screen_mut();
    if screen.press(shared, at) {
        return;
    }
    let (head, len) = (usize::from(screen.head_rows()), screen.len(shared));
    let Some(position) = screen.position().copied() else { return };
    let row = usize::from(at.y - area.y);
    let index = row.saturating_sub(head) + position.offset;
    if row >= head && index < len {
        screen.select(shared, index);
        if position.selected == index {
            screen.open(shared);
        }
    }
}
