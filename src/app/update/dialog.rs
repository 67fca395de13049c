//! Dialogs: opening them, and the keys that they take.

use crossterm::event::KeyEvent;

use super::{act, graph, history, running};
use crate::app::areas;
use crate::app::command::{COMMANDS, Command};
use crate::app::disabled::disabled_because;
use crate::app::effect::Effect;
use crate::app::key::Key;
use crate::app::options::{FIELDS, Kind};
use crate::app::picker::{self, Choice, Picker};
use crate::app::state::{Choose, Dialog, Question, State, TextDialog};

/// Rows of a picker that are seen on a screen of this size.
pub fn picker_height(size: (u16, u16)) -> usize {
    usize::from(size.1.saturating_sub(8)).clamp(3, 20)
}

/// Rows of a text dialog that are seen.
pub fn text_height(size: (u16, u16)) -> usize {
    usize::from(size.1.saturating_sub(6)).max(1)
}

/// Keeps a text from being scrolled past its end.
pub(super) fn clamp(text: &mut TextDialog, size: (u16, u16)) {
    text.offset = text.offset.min(text.lines.len().saturating_sub(text_height(size)));
}

fn commands(state: &State, here: bool) -> Vec<Choice> {
    let rows = COMMANDS.iter().filter(|spec| !here || spec.on(state.tab));
    rows.map(|spec| Choice {
        name: spec.name.into(),
        detail: spec.help.into(),
        keys: state.keymap.keys(spec.command).join(", "),
        disabled: disabled_because(state, spec.command),
    })
    .collect()
}

pub(super) fn palette(state: &mut State) {
    let picker = Picker::new(commands(state, false), 0, picker_height(state.size));
    state.dialogs.push(Dialog::Palette(picker));
}

pub(super) fn help(state: &mut State) {
    let picker = Picker::new(commands(state, true), 0, picker_height(state.size));
    state.dialogs.push(Dialog::Help(picker));
}

/// Opens the choice that a command asks for.
pub(super) fn choose(state: &mut State, command: Command) {
    let plain = |names: &[String]| -> Vec<Choice> {
        names.iter().map(|name| Choice { name: name.clone(), ..Choice::default() }).collect()
    };
    let snapshot = state.project.snapshot.clone();
    let (kind, choices, now) = match command {
        Command::ChoosePipeline => {
            let pipelines = snapshot.iter().flat_map(|snapshot| &snapshot.pipelines);
            let choices = pipelines.map(|pipeline| {
                let count = pipeline.nodes.len();
                let nodes = if count == 1 { "node" } else { "nodes" };
                let detail = format!("{count} {nodes}");
                Choice { name: pipeline.name.clone(), detail, ..Choice::default() }
            });
            (Choose::Pipeline, choices.collect(), state.pipeline.name.clone())
        }
        Command::ChooseEnvironment => {
            let names = snapshot.as_ref().map(|it| it.environments.clone()).unwrap_or_default();
            let now = snapshot.map(|it| it.env.clone()).unwrap_or_default();
            (Choose::Environment, plain(&names), now)
        }
        Command::ChooseTheme => {
            state.theme_before = Some(state.settings.theme.clone());
            (Choose::Theme, plain(&state.available.0), state.settings.theme.clone())
        }
        _ => (Choose::Keymap, plain(&state.available.1), state.settings.keymap.clone()),
    };
    let selected = choices.iter().position(|choice| choice.name == now).unwrap_or(0);
    let picker = Picker::new(choices, selected, picker_height(state.size));
    state.dialogs.push(Dialog::Choose(kind, picker));
}

/// A key while a dialog is open. The dialog is taken off and put back unless it is done.
pub(super) fn key(state: &mut State, key: Key, event: KeyEvent) -> Vec<Effect> {
    let Some(mut dialog) = state.dialogs.pop() else { return Vec::new() };
    let name = key.to_string();
    let close = matches!(name.as_str(), "esc" | "ctrl-c" | "ctrl-g");
    let height = picker_height(state.size);
    let numbered = matches!(
        &dialog,
        Dialog::Choose(Choose::Parent | Choose::Child, picker) if picker::text(&picker.query).is_empty()
    );
    match &mut dialog {
        Dialog::Ask(question) => {
            let yes = match name.as_str() {
                "y" | "Y" => true,
                // Neither is trust given nor a run ended by a key that is pressed for other things.
                "enter" if matches!(question, Question::Quit | Question::Environment(_)) => true,
                "n" | "N" | "q" => false,
                _ if close => false,
                _ => {
                    state.dialogs.push(dialog);
                    return Vec::new();
                }
            };
            let question = question.clone();
            return answer(state, question, yes);
        }
        Dialog::Help(picker) | Dialog::Palette(picker) | Dialog::Choose(_, picker) => {
            if close {
                return theme_of_settings(state, &dialog);
            }
            if name == "enter" {
                return chosen(state, dialog);
            }
            // An edge is followed by its number.
            let number = name.parse::<usize>().ok().filter(|_| numbered);
            let at = number.and_then(|number| number.checked_sub(1));
            if let Some(at) = at.filter(|at| *at < picker.choices.len()) {
                picker.matches = (0..picker.choices.len()).collect();
                picker.position.selected = at;
                return chosen(state, dialog);
            }
            if !in_list(&mut picker.position, &name, picker.matches.len(), height) {
                picker.query.input(event);
                picker.refresh();
            }
            let preview = preview(&dialog);
            state.dialogs.push(dialog);
            return preview;
        }
        Dialog::Problems(position) => {
            let len = state.problems().len();
            let place = state.problems().get(position.selected).and_then(|it| it.place.clone());
            match name.as_str() {
                "enter" | "e" => {
                    state.dialogs.push(dialog);
                    match place {
                        Some(place) => return vec![Effect::Edit(place)],
                        None => state.warn("this problem has no place in a file"),
                    }
                    return Vec::new();
                }
                "q" | "!" => return Vec::new(),
                _ if close => return Vec::new(),
                "j" => position.move_by(1, len, height / 2),
                "k" => position.move_by(-1, len, height / 2),
                name => drop(in_list(position, name, len, height / 2)),
            }
        }
        Dialog::Text(text) => {
            let page = isize::try_from(text_height(state.size)).unwrap_or(1);
            let by = match name.as_str() {
                "q" => return Vec::new(),
                _ if close => return Vec::new(),
                "e" | "enter" => {
                    let place = text.place.clone();
                    state.dialogs.push(dialog);
                    match place {
                        Some(place) => return vec![Effect::Edit(place)],
                        None => state.warn("there is no line of the project in it"),
                    }
                    return Vec::new();
                }
                "down" | "j" => 1,
                "up" | "k" => -1,
                "pagedown" | "ctrl-d" | "space" => page,
                "pageup" | "ctrl-u" => -page,
                "home" | "g" => isize::MIN / 2,
                "end" | "G" => isize::MAX / 2,
                _ => 0,
            };
            text.offset = text.offset.saturating_add_signed(by);
            clamp(text, state.size);
        }
        Dialog::Options(form) => match name.as_str() {
            _ if close => return Vec::new(),
            "enter" => match form.chosen(state) {
                Ok(_) => match form.request() {
                    Ok(request) if form.text("detach") == "yes" => {
                        return running::start_detached(state, request);
                    }
                    Ok(request) => return running::start(state, request, Command::RunOptions),
                    Err(text) => state.warn(text),
                },
                Err(text) => state.warn(text),
            },
            "down" | "tab" | "ctrl-n" => form.at = (form.at + 1) % FIELDS.len(),
            "up" | "shift-tab" | "ctrl-p" => form.at = (form.at + FIELDS.len() - 1) % FIELDS.len(),
            "space" if FIELDS[form.at].1 == Kind::Switch => form.toggle(),
            _ if FIELDS[form.at].1 == Kind::Text => drop(form.fields[form.at].input(event)),
            _ => {}
        },
        Dialog::Environment(_, end) => {
            if end.is_some() && (close || name == "enter" || name == "q") {
                return Vec::new();
            }
        }
    }
    state.dialogs.push(dialog);
    Vec::new()
}

/// Moves in a list; false for a key that is no move.
fn in_list(
    position: &mut crate::app::list::Position,
    name: &str,
    len: usize,
    height: usize,
) -> bool {
    let page = isize::try_from(height).unwrap_or(1);
    let by = match name {
        "down" | "ctrl-n" | "tab" => 1,
        "up" | "ctrl-p" | "shift-tab" => -1,
        "pagedown" | "ctrl-d" => page,
        "pageup" | "ctrl-u" => -page,
        _ => return false,
    };
    position.move_by(by, len, height);
    true
}

/// A theme is seen while it is chosen.
fn preview(dialog: &Dialog) -> Vec<Effect> {
    match dialog {
        Dialog::Choose(Choose::Theme, picker) => {
            let theme = picker.chosen().map(|index| picker.choices[index].name.clone());
            theme.map(Effect::SetTheme).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// Leaving the choice of themes brings the old one back.
fn theme_of_settings(state: &mut State, dialog: &Dialog) -> Vec<Effect> {
    match dialog {
        Dialog::Choose(Choose::Theme, _) => {
            state.theme_before.take().map(Effect::SetTheme).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn chosen(state: &mut State, dialog: Dialog) -> Vec<Effect> {
    match dialog {
        Dialog::Help(picker) | Dialog::Palette(picker) => {
            let choice = picker.chosen().map(|index| &picker.choices[index]);
            let command = choice.and_then(|choice| Command::named(&choice.name));
            command.map(|command| act::act(state, command)).unwrap_or_default()
        }
        Dialog::Choose(kind, picker) => {
            let Some(index) = picker.chosen() else { return Vec::new() };
            let name = picker.choices[index].name.clone();
            match kind {
                Choose::Pipeline => {
                    graph::show_pipeline(state, name);
                    state.project.staleness.clear();
                    state.look_stale().into_iter().collect()
                }
                Choose::Environment => {
                    state.project.staleness.clear();
                    state.env = Some(name);
                    state.project.exact = crate::app::state::Exact::None;
                    state.project.read = None;
                    act::reload(state)
                }
                Choose::Vertex => {
                    graph::found(state, &picker);
                    Vec::new()
                }
                Choose::Parent | Choose::Child => {
                    graph::follow_edge(state, kind == Choose::Child, index);
                    Vec::new()
                }
                Choose::Theme => vec![Effect::SetTheme(name)],
                Choose::Keymap => vec![Effect::SetKeymap(name)],
            }
        }
        _ => Vec::new(),
    }
}

fn answer(state: &mut State, question: Question, yes: bool) -> Vec<Effect> {
    match question {
        Question::Trust(effects) if yes => {
            state.project.trusted = Some(true);
            let mut all = vec![Effect::Trust];
            let reads = effects.iter().any(|effect| matches!(effect, Effect::ReadExact { .. }));
            all.extend(effects);
            if !reads {
                all.extend(act::read_exact(state));
            }
            all
        }
        Question::Trust(_) => {
            state.waiting_run = None;
            state.starting.clear();
            state.project.exact = crate::app::state::Exact::None;
            state.tell("Nothing of the project was executed.");
            Vec::new()
        }
        Question::Quit if yes => {
            let mut effects = running::cancel_all(state);
            effects.push(Effect::Quit);
            effects
        }
        Question::Fresh(request, command) if yes => running::start(state, *request, command),
        Question::Fresh(..) => Vec::new(),
        Question::Environment(_) if yes => {
            state.dialogs.push(Dialog::Environment(Vec::new(), None));
            vec![Effect::CreateEnvironment]
        }
        Question::Environment(_) => {
            state.waiting_run = None;
            Vec::new()
        }
        Question::DeleteRun(id) if yes => history::delete(state, id),
        Question::CancelElsewhere(id) if yes => {
            state.tell(format!("Run {id} is being cancelled."));
            vec![Effect::CancelElsewhere(id)]
        }
        Question::Prune(room, _) if yes => {
            state.tell("The old runs are deleted.");
            vec![Effect::Prune(room)]
        }
        Question::DeleteRun(_)
        | Question::CancelElsewhere(_)
        | Question::Prune(..)
        | Question::Quit => Vec::new(),
    }
}

/// A click or the wheel on a dialog.
pub(super) fn mouse(state: &mut State, column: u16, row: u16, wheel: isize) -> Vec<Effect> {
    let Some(mut dialog) = state.dialogs.pop() else { return Vec::new() };
    let height = picker_height(state.size);
    let mut click = false;
    match &mut dialog {
        Dialog::Help(picker) | Dialog::Palette(picker) | Dialog::Choose(_, picker) => {
            if wheel != 0 {
                picker.position.scroll(wheel, picker.matches.len(), height);
            } else {
                let area = picker_area(state.size, picker);
                let inside = column > area.x && column + 1 < area.x + area.width;
                // Border, field, line: then the rows.
                let first = area.y + 3;
                let index = usize::from(row.saturating_sub(first)) + picker.position.offset;
                if inside
                    && row >= first
                    && row + 1 < area.y + area.height
                    && index < picker.matches.len()
                {
                    picker.position.selected = index;
                    click = true;
                }
            }
        }
        Dialog::Text(text) => {
            text.offset = text.offset.saturating_add_signed(wheel);
            clamp(text, state.size);
        }
        Dialog::Problems(position) => {
            let len = state.problems().len();
            position.move_by(wheel.signum(), len, height / 2);
        }
        _ => {}
    }
    if click {
        return chosen(state, dialog);
    }
    state.dialogs.push(dialog);
    Vec::new()
}

/// Where a picker lies: as large as its choices need, all of them, so that it stays while one types.
pub fn picker_area(size: (u16, u16), picker: &Picker) -> ratatui::layout::Rect {
    let rows = picker.choices.len().clamp(1, picker_height(size));
    let height = u16::try_from(rows).unwrap_or(3) + 4;
    let plain = picker.choices.iter().all(|it| it.keys.is_empty());
    areas::dialog(size, if plain { 56 } else { 92 }, height)
}
