//! Dialogs: opening them, and their keys and clicks.

use crossterm::event::KeyEvent;

use super::{reading, running};
use crate::app::command::{COMMANDS, Command};
use crate::app::dialog::{Choose, Dialog, Question, picker_area, picker_height, text_height};
use crate::app::disabled::disabled_because;
use crate::app::effect::Effect;
use crate::app::key::Key;
use crate::app::list::Position;
use crate::app::options::{FIELDS, FieldKind};
use crate::app::picker::{self, Choice, Picker};
use crate::app::shared::{Exact, Shared};
use crate::app::state::State;

/// What a key or a click on a dialog comes to.
pub(super) enum Outcome {
    /// The dialog is closed.
    Closed,
    /// The dialog stays open.
    Stay,
    /// The dialog is closed, and a command was chosen in it.
    Do(Command),
    /// The dialog is closed, and asks the services for something.
    Ask(Vec<Effect>),
    /// The dialog stays open, and asks the services for something.
    StayAndAsk(Vec<Effect>),
}

fn commands(state: &State, here: bool) -> Vec<Choice> {
    let rows = COMMANDS.iter().filter(|spec| !here || spec.on(state.tab));
    rows.map(|spec| Choice {
        name: spec.name.into(),
        detail: spec.help.into(),
        keys: state.shared.keymap.keys(spec.command).join(", "),
        disabled: disabled_because(state, spec.command),
    })
    .collect()
}

pub(super) fn palette(state: &mut State) {
    let picker = Picker::new(commands(state, false), 0, picker_height(state.shared.size));
    state.shared.dialogs.push(Dialog::Palette(picker));
}

pub(super) fn help(state: &mut State) {
    let picker = Picker::new(commands(state, true), 0, picker_height(state.shared.size));
    state.shared.dialogs.push(Dialog::Help(picker));
}

/// Opens the choice that a command asks for.
pub(super) fn choose(shared: &mut Shared, command: Command) {
    let plain = |names: &[String]| -> Vec<Choice> {
        names.iter().map(|name| Choice { name: name.clone(), ..Choice::default() }).collect()
    };
    let snapshot = shared.project.snapshot.clone();
    let (kind, choices, now) = match command {
        Command::ChoosePipeline => {
            let pipelines = snapshot.iter().flat_map(|snapshot| &snapshot.pipelines);
            let choices = pipelines.map(|pipeline| {
                let count = pipeline.nodes.len();
                let nodes = if count == 1 { "node" } else { "nodes" };
                let detail = format!("{count} {nodes}");
                Choice { name: pipeline.name.clone(), detail, ..Choice::default() }
            });
            (Choose::Pipeline, choices.collect(), shared.pipeline.clone())
        }
        Command::ChooseEnvironment => {
            let names = snapshot.as_ref().map(|it| it.environments.clone()).unwrap_or_default();
            let now = snapshot.map(|it| it.env.clone()).unwrap_or_default();
            (Choose::Environment, plain(&names), now)
        }
        Command::ChooseTheme => {
            shared.theme_before = Some(shared.settings.theme.clone());
            (Choose::Theme, plain(&shared.available.0), shared.settings.theme.clone())
        }
        _ => (Choose::Keymap, plain(&shared.available.1), shared.settings.keymap.clone()),
    };
    let selected = choices.iter().position(|choice| choice.name == now).unwrap_or(0);
    let picker = Picker::new(choices, selected, picker_height(shared.size));
    shared.dialogs.push(Dialog::Choose(kind, picker));
}

/// A key while a dialog is open.
pub(super) fn key(state: &mut State, key: Key, event: KeyEvent) -> Outcome {
    let Some(mut dialog) = state.shared.dialogs.pop() else { return Outcome::Closed };
    let outcome = press(state, &mut dialog, &key.to_string(), event);
    keep(state, dialog, outcome)
}

/// Puts the dialog back where it stays. One that opened meanwhile lies over it.
fn keep(state: &mut State, dialog: Dialog, outcome: Outcome) -> Outcome {
    if matches!(outcome, Outcome::Stay | Outcome::StayAndAsk(_)) {
        state.shared.dialogs.push(dialog);
    }
    outcome
}

fn press(state: &mut State, dialog: &mut Dialog, name: &str, event: KeyEvent) -> Outcome {
    let close = matches!(name, "esc" | "ctrl-c" | "ctrl-g");
    let size = state.shared.size;
    let height = picker_height(size);
    match dialog {
        Dialog::Ask(question) => {
            let yes = match name {
                "y" | "Y" => true,
                // A key that is pressed for other things must neither give trust nor end a run.
                "enter" if matches!(question, Question::Quit | Question::Environment(_)) => true,
                "n" | "N" | "q" => false,
                _ if close => false,
                _ => return Outcome::Stay,
            };
            Outcome::Ask(answer(state, question.clone(), yes))
        }
        Dialog::Help(_) | Dialog::Palette(_) | Dialog::Choose(..) if close => {
            Outcome::Ask(theme_of_settings(&mut state.shared, dialog))
        }
        Dialog::Help(_) | Dialog::Palette(_) | Dialog::Choose(..) if name == "enter" => {
            chosen(state, dialog)
        }
        Dialog::Choose(Choose::Parent | Choose::Child, picker)
            if picker::text(&picker.query).is_empty()
                && nth(name).is_some_and(|at| at < picker.choices.len()) =>
        {
            // An edge is followed by its number.
            picker.matches = (0..picker.choices.len()).collect();
            picker.position.selected = nth(name).unwrap_or(0);
            chosen(state, dialog)
        }
        Dialog::Help(picker) | Dialog::Palette(picker) | Dialog::Choose(_, picker) => {
            if !in_list(&mut picker.position, name, picker.matches.len(), height) {
                picker.query.input(event);
                picker.refresh();
            }
            Outcome::StayAndAsk(preview(dialog))
        }
        Dialog::Problems(position) => {
            let problems = state.shared.problems();
            let len = problems.len();
            let place = problems.get(position.selected).and_then(|it| it.place.clone());
            match name {
                "enter" | "e" => match place {
                    Some(place) => return Outcome::StayAndAsk(vec![Effect::Edit(place)]),
                    None => state.shared.warn("this problem has no place in a file"),
                },
                "q" | "!" => return Outcome::Closed,
                _ if close => return Outcome::Closed,
                "j" => position.move_by(1, len, height / 2),
                "k" => position.move_by(-1, len, height / 2),
                name => drop(in_list(position, name, len, height / 2)),
            }
            Outcome::Stay
        }
        Dialog::Text(text) => {
            let page = isize::try_from(text_height(size)).unwrap_or(1);
            let by = match name {
                "q" => return Outcome::Closed,
                _ if close => return Outcome::Closed,
                "e" | "enter" => match text.place.clone() {
                    Some(place) => return Outcome::StayAndAsk(vec![Effect::Edit(place)]),
                    None => {
                        state.shared.warn("there is no line of the project in it");
                        0
                    }
                },
                "down" | "j" => 1,
                "up" | "k" => -1,
                "pagedown" | "ctrl-d" | "space" => page,
                "pageup" | "ctrl-u" => -page,
                "home" | "g" => isize::MIN / 2,
                "end" | "G" => isize::MAX / 2,
                _ => 0,
            };
            text.scroll(by, size);
            Outcome::Stay
        }
        Dialog::Options(form) => {
            let is_text = FIELDS[form.at].1 == FieldKind::Text;
            match name {
                _ if close => return Outcome::Closed,
                "enter" => {
                    match form.chosen(state.shared.snapshot()).and_then(|_| form.request()) {
                        Ok(request) => {
                            let shared = &mut state.shared;
                            return Outcome::Ask(match form.text("detach") == "yes" {
                                true => running::start_detached(shared, request),
                                false => running::start(shared, request, Command::RunOptions),
                            });
                        }
                        Err(text) => state.shared.warn(text),
                    }
                }
                "down" | "tab" | "ctrl-n" => form.at = (form.at + 1) % FIELDS.len(),
                "up" | "shift-tab" | "ctrl-p" => {
                    form.at = (form.at + FIELDS.len() - 1) % FIELDS.len();
                }
                "space" if !is_text => form.toggle(),
                _ if is_text => drop(form.fields[form.at].input(event)),
                _ => {}
            }
            Outcome::Stay
        }
        Dialog::Environment(_, end) => {
            match end.is_some() && (close || name == "enter" || name == "q") {
                true => Outcome::Closed,
                false => Outcome::Stay,
            }
        }
    }
}

/// The index that a number key stands for.
fn nth(name: &str) -> Option<usize> {
    name.parse::<usize>().ok()?.checked_sub(1)
}

/// Moves in a list; false for a key that is no move.
fn in_list(position: &mut Position, name: &str, len: usize, height: usize) -> bool {
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
fn theme_of_settings(shared: &mut Shared, dialog: &Dialog) -> Vec<Effect> {
    match dialog {
        Dialog::Choose(Choose::Theme, _) => {
            shared.theme_before.take().map(Effect::SetTheme).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn chosen(state: &mut State, dialog: &Dialog) -> Outcome {
    let (Dialog::Help(picker) | Dialog::Palette(picker) | Dialog::Choose(_, picker)) = dialog
    else {
        return Outcome::Closed;
    };
    let Some(index) = picker.chosen() else { return Outcome::Closed };
    let name = &picker.choices[index].name;
    let Dialog::Choose(kind, picker) = dialog else {
        return Command::named(name).map_or(Outcome::Closed, Outcome::Do);
    };
    let name = name.clone();
    let State { shared, pipeline, .. } = &mut *state;
    match kind {
        Choose::Pipeline => {
            pipeline.show_pipeline(shared, name);
            shared.project.staleness.clear();
            Outcome::Ask(shared.look_stale().into_iter().collect())
        }
        Choose::Environment => Outcome::Ask(reading::show_environment(state, name)),
        Choose::Vertex => {
            pipeline.found(shared, picker);
            Outcome::Closed
        }
        Choose::Parent | Choose::Child => {
            pipeline.follow_edge(shared, *kind == Choose::Child, index);
            Outcome::Closed
        }
        Choose::Theme => Outcome::Ask(vec![Effect::SetTheme(name)]),
        Choose::Keymap => Outcome::Ask(vec![Effect::SetKeymap(name)]),
    }
}

fn answer(state: &mut State, question: Question, yes: bool) -> Vec<Effect> {
    let State { shared, runs, .. } = state;
    match question {
        Question::Trust(effects) if yes => {
            shared.project.trusted = Some(true);
            let mut all = vec![Effect::Trust];
            let reads = effects.iter().any(|effect| matches!(effect, Effect::ReadExact { .. }));
            all.extend(effects);
            if !reads {
                all.extend(reading::read_exact(shared));
            }
            all
        }
        Question::Trust(_) => {
            shared.waiting_run = None;
            shared.starting.clear();
            shared.project.exact = Exact::None;
            shared.tell("Nothing of the project was executed.");
            Vec::new()
        }
        Question::Quit if yes => {
            let mut effects = running::cancel_all(shared);
            effects.push(Effect::Quit);
            effects
        }
        Question::Fresh(request, command) if yes => running::start(shared, *request, command),
        Question::Fresh(..) => Vec::new(),
        Question::Environment(_) if yes => {
            shared.dialogs.push(Dialog::Environment(Vec::new(), None));
            vec![Effect::CreateEnvironment]
        }
        Question::Environment(_) => {
            shared.waiting_run = None;
            Vec::new()
        }
        Question::DeleteRun(id) if yes => runs.delete(shared, id),
        Question::CancelElsewhere(id) if yes => {
            shared.tell(format!("Run {id} is being cancelled."));
            vec![Effect::CancelElsewhere(id)]
        }
        Question::Prune(room, _) if yes => {
            shared.tell("The old runs are deleted.");
            vec![Effect::Prune(room)]
        }
        Question::DeleteRun(_)
        | Question::CancelElsewhere(_)
        | Question::Prune(..)
        | Question::Quit => Vec::new(),
    }
}

/// A click or the wheel on a dialog.
pub(super) fn mouse(state: &mut State, column: u16, row: u16, wheel: isize) -> Outcome {
    let Some(mut dialog) = state.shared.dialogs.pop() else { return Outcome::Closed };
    let size = state.shared.size;
    let height = picker_height(size);
    let mut outcome = Outcome::Stay;
    match &mut dialog {
        Dialog::Help(picker) | Dialog::Palette(picker) | Dialog::Choose(_, picker) => {
            if wheel != 0 {
                picker.position.scroll(wheel, picker.matches.len(), height);
            } else if let Some(index) = row_at(size, picker, column, row) {
                picker.position.selected = index;
                outcome = chosen(state, &dialog);
            }
        }
        Dialog::Text(text) => text.scroll(wheel, size),
        Dialog::Problems(position) => {
            let len = state.shared.problems().len();
            position.move_by(wheel.signum(), len, height / 2);
        }
        _ => {}
    }
    keep(state, dialog, outcome)
}

/// The match that is drawn on a cell of the screen.
fn row_at(size: (u16, u16), picker: &Picker, column: u16, row: u16) -> Option<usize> {
    let area = picker_area(size, picker);
    let inside = column > area.x && column + 1 < area.x + area.width;
    // Border, field, line: then the rows.
    let first = area.y + 3;
    let index = usize::from(row.saturating_sub(first)) + picker.position.offset;
    let on_rows = row >= first && row + 1 < area.y + area.height;
    (inside && on_rows && index < picker.matches.len()).then_some(index)
}
