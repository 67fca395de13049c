//! Keys and the mouse.

use crossterm::event::{KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{act, dialog, focus, graph, history, navigate, search};
use crate::app::areas::{Areas, tab_titles};
use crate::app::command::Command;
use crate::app::effect::Effect;
use crate::app::key::{Key, show};
use crate::app::keymap::Match;
use crate::app::state::{Dialog, Drag, Pane, State, Tab};

/// A key: for the dialog on top, the search that is typed, else for the keymap.
pub(super) fn key(state: &mut State, key: Key, event: KeyEvent) -> Vec<Effect> {
    if !state.dialogs.is_empty() {
        return dialog::key(state, key, event);
    }
    if state.prompt.is_some() {
        return history::prompt_key(state, key, event);
    }
    if state.search.field.is_some() {
        search::key(state, key, event);
        return Vec::new();
    }
    state.pending.push(key);
    match state.keymap.lookup(state.tab, &state.pending) {
        Match::Begun => Vec::new(),
        Match::Command(command) => {
            state.pending.clear();
            act::act(state, command)
        }
        Match::Nothing => {
            let keys = std::mem::take(&mut state.pending);
            // The key that broke a sequence off may mean something by itself.
            if keys.len() > 1 {
                return self::key(state, key, event);
            }
            match state.keymap.elsewhere(state.tab, &keys) {
                Some(command) => return act::act(state, command),
                None => {
                    let help = state.keymap.keys(Command::Help);
                    let help = help.first().map_or("the help", String::as_str);
                    state.warn(format!(
                        "{} has no meaning here; {help} shows what has",
                        show(&keys)
                    ));
                }
            }
            Vec::new()
        }
    }
}

/// Pasted text goes to the field that is being typed into.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    let text: String = text.replace(['\n', '\r', '\t'], " ");
    if let Some(mut prompt) = state.prompt.take_if(|_| state.dialogs.is_empty()) {
        prompt.field.insert_str(&text);
        return history::typed(state, prompt);
    }
    if let Some(field) = &mut state.search.field {
        field.insert_str(&text);
        state.search.text = crate::app::picker::text(field);
        search::go(state, 0);
        return Vec::new();
    }
    match state.dialogs.last_mut() {
        Some(Dialog::Help(picker) | Dialog::Palette(picker) | Dialog::Choose(_, picker)) => {
            picker.query.insert_str(&text);
            picker.refresh();
        }
        Some(Dialog::Options(form)) => {
            let at = form.at;
            form.fields[at].insert_str(&text);
        }
        _ => {}
    }
    Vec::new()
}

/// Rows that one notch of the wheel moves.
const WHEEL: isize = 3;

/// The mouse.
pub(super) fn mouse(state: &mut State, event: MouseEvent) -> Vec<Effect> {
    let at = Position { x: event.column, y: event.row };
    let wheel = match event.kind {
        MouseEventKind::ScrollUp | MouseEventKind::ScrollLeft => -WHEEL,
        MouseEventKind::ScrollDown | MouseEventKind::ScrollRight => WHEEL,
        _ => 0,
    };
    let pressed = matches!(event.kind, MouseEventKind::Down(MouseButton::Left));
    if !state.dialogs.is_empty() {
        if wheel != 0 || pressed {
            return dialog::mouse(state, at.x, at.y, wheel);
        }
        return Vec::new();
    }
    let areas = Areas::of(state);
    match event.kind {
        MouseEventKind::Up(_) => {
            state.panes.dragging = None;
            state.pipeline.held = None;
        }
        _ if wheel != 0 && event.modifiers.contains(KeyModifiers::CONTROL) => {
            if state.tab == Tab::Pipeline && areas.main.contains(at) {
                let zoom = if wheel < 0 { Command::ZoomIn } else { Command::ZoomOut };
                return act::act(state, zoom);
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
    let (width, height) = state.size;
    match state.panes.dragging {
        Some(Drag::Side) => {
            let side = u32::from(width.saturating_sub(at.x)) * 100 / u32::from(width.max(1));
            state.panes.side = u16::try_from(side).unwrap_or(50).clamp(15, 85);
        }
        Some(Drag::Log) => state.panes.log = height.saturating_sub(at.y + 2).max(2),
        None => {
            if let Some((from, scroll)) = state.pipeline.held {
                let by = |from: u16, to: u16| i32::from(from) - i32::from(to);
                let to = (scroll.0 + by(from.0, at.x), scroll.1 + by(from.1, at.y));
                graph::scroll_to(state, to);
            }
            return;
        }
    }
    graph::keep_in_view(state);
}

fn scroll(state: &mut State, areas: &Areas, at: Position, by: isize, sideways: bool) {
    if areas.side.contains(at) {
        navigate::scroll_side(state, by);
    } else if areas.log.contains(at) {
        navigate::scroll_log(state, by);
    } else if areas.main.contains(at) {
        if state.tab == Tab::Pipeline {
            let by = i32::try_from(by).unwrap_or(0);
            let (columns, rows) = if sideways { (by * 2, 0) } else { (0, by) };
            graph::scroll(state, columns, rows);
        } else if state.tab != Tab::Runs || !history::go(state, Command::Down, by) {
            let (len, height) = (navigate::list_len(state), navigate::list_height(state));
            navigate::list_position(state).scroll(by, len, height);
        }
    }
}

fn press(state: &mut State, areas: &Areas, at: Position) -> Vec<Effect> {
    let row_of = |area: Rect| usize::from(at.y - area.y);
    if areas.tabs.contains(at) {
        let titles = tab_titles(areas.tabs.width);
        if let Some(it) = titles.iter().find(|it| (it.x..it.x + it.width).contains(&at.x)) {
            navigate::show(state, it.tab);
        }
    } else if areas.border.contains(at) {
        state.panes.dragging = Some(Drag::Side);
    } else if areas.log_rule.contains(at) {
        state.panes.dragging = Some(Drag::Log);
    } else if areas.side.contains(at) {
        focus(state, Pane::Side);
    } else if areas.log.contains(at) {
        focus(state, Pane::Log);
    } else if areas.main.contains(at) {
        focus(state, Pane::Main);
        if state.tab == Tab::Pipeline {
            graph::press(state, at.x, at.y);
        } else {
            let titles = usize::from(navigate::titles(state));
            let row = row_of(areas.main);
            let index = row.saturating_sub(titles) + navigate::list_position(state).offset;
            if row >= titles && index < navigate::list_len(state) {
                let again = navigate::list_position(state).selected == index;
                navigate::select_row(state, index);
                if again && !history::open(state) {
                    navigate::toggle_group(state);
                }
            }
        }
    }
    Vec::new()
}
