//! Dialogs: opening them, and their keys and clicks.

use crossterm::event::KeyEvent;
use ratatui::layout::Size;

use super::{overrides, reading, running};
use crate::app::command::{COMMANDS, Command};
use crate::app::control::{CONTROLS, Control, Scope};
use crate::app::dialog::{
    Choose, Confirmed, Dialog, Question, TextDialog, picker_area, picker_height, text_height,
};
use crate::app::disabled::disabled_because;
use crate::app::effect::Effect;
use crate::app::environment::Making;
use crate::app::key::Key;
use crate::app::list::Position;
use crate::app::options::{FIELDS, FieldKind, Form};
use crate::app::picker::{self, Choice, Picker};
use crate::app::screens::remote::asked::Ask;
use crate::app::screens::remote::submit::SubmitForm;
use crate::app::shared::{Exact, Shared};
use crate::app::state::State;
use crate::app::undo::Before;

/// The outcome of a key or a click on a dialog.
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

/// Lists the commands that apply here, and the keys inside dialogs.
pub(super) fn help(state: &mut State) {
    let mut choices = commands(state, true);
    choices.extend(CONTROLS.iter().map(|spec| Choice {
        name: format!("{}: {}", spec.scope.name(), spec.name),
        detail: spec.help.into(),
        keys: state.shared.keymap.control_keys(spec.scope, spec.control).join(", "),
        disabled: None,
    }));
    let picker = Picker::new(choices, 0, picker_height(state.shared.size));
    state.shared.dialogs.push(Dialog::Help(picker));
}

/// Opens the list that a command asks for.
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
            let names =
                snapshot.as_ref().map(|snapshot| snapshot.environments.clone()).unwrap_or_default();
            let now = snapshot.map(|snapshot| snapshot.env.clone()).unwrap_or_default();
            (Choose::Environment, plain(&names), now)
        }
        Command::ChooseTheme => {
            shared.theme_before = Some(shared.settings.theme.clone());
            (Choose::Theme, plain(&shared.available.themes), shared.settings.theme.clone())
        }
        _ => (Choose::Keymap, plain(&shared.available.keymaps), shared.settings.keymap.clone()),
    };
    let selected = choices.iter().position(|choice| choice.name == now).unwrap_or(0);
    let picker = Picker::new(choices, selected, picker_height(shared.size));
    shared.dialogs.push(Dialog::Choose(kind, picker));
}

/// A key while a dialog is open.
pub(super) fn key(state: &mut State, key: Key, event: KeyEvent) -> Outcome {
    let Some(mut dialog) = state.shared.dialogs.pop() else { return Outcome::Closed };
    let control = state.shared.keymap.control(scope(&dialog), key);
    let outcome = match &mut dialog {
        Dialog::Ask(question) => {
            let question = question.clone();
            ask(state, question, control)
        }
        Dialog::Help(_) | Dialog::Palette(_) | Dialog::Choose(..) => {
            choose_by_key(state, &mut dialog, key, event, control)
        }
        Dialog::Problems(position) => problems(state, position, control),
        Dialog::Text(text) => read(&mut state.shared, text, control),
        Dialog::Options(form) => options(&mut state.shared, form, event, control),
        Dialog::Submit(form) => submit(&mut state.shared, form, event, control),
        Dialog::Confirm(confirmed) => confirm(&state.shared, confirmed, control),
        Dialog::Environment => match control {
            Some(Control::Leave) if state.shared.is_making() => {
                Outcome::Ask(cancel_environment(&mut state.shared))
            }
            Some(Control::Leave | Control::Accept) => Outcome::Closed,
            _ => Outcome::Stay,
        },
    };
    keep(state, dialog, outcome)
}

/// Stops making the Python environment.
fn cancel_environment(shared: &mut Shared) -> Vec<Effect> {
    shared.making = None;
    shared.waiting_run = None;
    shared.tell("The Python environment is not complete; make-environment goes on with it.");
    vec![Effect::CancelEnvironment]
}

/// The scope of a dialog's keys.
fn scope(dialog: &Dialog) -> Scope {
    match dialog {
        Dialog::Help(_) | Dialog::Palette(_) | Dialog::Choose(..) => Scope::Line,
        Dialog::Problems(_) | Dialog::Text(_) | Dialog::Environment => Scope::List,
        Dialog::Ask(_) => Scope::Ask,
        Dialog::Confirm(_) => Scope::List,
        Dialog::Options(_) | Dialog::Submit(_) => Scope::Form,
    }
}

/// Puts the dialog back where it stays.
fn keep(state: &mut State, dialog: Dialog, outcome: Outcome) -> Outcome {
    if matches!(outcome, Outcome::Stay | Outcome::StayAndAsk(_)) {
        state.shared.dialogs.push(dialog);
    }
    outcome
}

fn ask(state: &mut State, question: Question, control: Option<Control>) -> Outcome {
    let yes = match control {
        Some(Control::Yes) => true,
        // A key that is pressed for other things must neither give trust nor end a run.
        Some(Control::Confirm) => {
            if !matches!(question, Question::Quit | Question::Environment(_)) {
                return Outcome::Stay;
            }
            true
        }
        Some(Control::No) => false,
        _ => return Outcome::Stay,
    };
    Outcome::Ask(answer(state, question, yes))
}

fn choose_by_key(
    state: &mut State,
    dialog: &mut Dialog,
    key: Key,
    event: KeyEvent,
    control: Option<Control>,
) -> Outcome {
    let height = picker_height(state.shared.size);
    let by_number = matches!(dialog, Dialog::Choose(Choose::Parent | Choose::Child, _));
    let of_views = matches!(dialog, Dialog::Choose(Choose::View, _));
    let (Dialog::Help(picker) | Dialog::Palette(picker) | Dialog::Choose(_, picker)) = dialog
    else {
        return Outcome::Stay;
    };
    match control {
        Some(Control::Leave) => {
            return Outcome::Ask(theme_of_settings(&mut state.shared, dialog));
        }
        Some(Control::Accept) => return chosen(state, dialog),
        Some(Control::Delete) if of_views => {
            let State { shared, experiments, .. } = state;
            experiments.delete_view(shared, picker);
        }
        Some(Control::Clear) => {
            picker::clear(&mut picker.query);
            picker.refresh();
        }
        Some(control) => move_by(&mut picker.position, control, picker.matches.len(), height),
        None => {
            let number = key.to_string().parse::<usize>().ok().filter(|_| by_number);
            let at = number.and_then(|number| number.checked_sub(1));
            // An edge is followed by its number.
            if let Some(at) = at.filter(|at| *at < picker.choices.len())
                && picker::text(&picker.query).is_empty()
            {
                picker.matches = (0..picker.choices.len()).collect();
                picker.position.selected = at;
                return chosen(state, dialog);
            }
            picker.query.input(event);
            picker.refresh();
        }
    }
    Outcome::StayAndAsk(preview(dialog))
}

fn problems(state: &mut State, position: &mut Position, control: Option<Control>) -> Outcome {
    let height = picker_height(state.shared.size) / 2;
    let problems = state.shared.problems();
    let len = problems.len();
    let place = problems.get(position.selected).and_then(|problem| problem.place.clone());
    match (control, place) {
        (Some(Control::Leave), _) => return Outcome::Closed,
        (Some(Control::Accept), Some(place)) => {
            return Outcome::StayAndAsk(vec![Effect::Edit(place)]);
        }
        (Some(Control::Accept), None) => {
            state.shared.warn("this problem has no place in a file");
        }
        (Some(control), _) => move_by(position, control, len, height),
        (None, _) => {}
    }
    Outcome::Stay
}

fn read(shared: &mut Shared, text: &mut TextDialog, control: Option<Control>) -> Outcome {
    match (control, text.place.clone()) {
        (Some(Control::Leave), _) => return Outcome::Closed,
        (Some(Control::Accept), Some(place)) => {
            return Outcome::StayAndAsk(vec![Effect::Edit(place)]);
        }
        (Some(Control::Accept), None) => shared.warn("the text names no line of the project"),
        (Some(Control::Fold), _) => text.fold(shared.size),
        (Some(control), _) => text.scroll(rows(control, text_height(shared.size)), shared.size),
        (None, _) => {}
    }
    Outcome::Stay
}

fn options(
    shared: &mut Shared,
    form: &mut Form,
    event: KeyEvent,
    control: Option<Control>,
) -> Outcome {
    let is_text = FIELDS[form.at].1 == FieldKind::Text;
    match control {
        Some(Control::Leave) => return Outcome::Closed,
        Some(Control::Accept) => {
            match form.chosen(shared.snapshot()).and_then(|_| form.request()) {
                Ok(request) => {
                    return Outcome::Ask(match form.text("detach") == "yes" {
                        true => running::start_detached(shared, request),
                        false => running::start(shared, request, Command::RunOptions),
                    });
                }
                Err(error) => shared.warn(error.line()),
            }
        }
        Some(Control::Down) => form.at = (form.at + 1) % FIELDS.len(),
        Some(Control::Up) => form.at = (form.at + FIELDS.len() - 1) % FIELDS.len(),
        Some(Control::Toggle) if !is_text => form.toggle(),
        Some(Control::Clear) => picker::clear(&mut form.fields[form.at]),
        _ if is_text => drop(form.fields[form.at].input(event)),
        _ => {}
    }
    Outcome::Stay
}

fn submit(
    shared: &mut Shared,
    form: &mut SubmitForm,
    event: KeyEvent,
    control: Option<Control>,
) -> Outcome {
    let len = form.fields.len();
    let is_text = !form.fields[form.at].is_switch();
    match control {
        Some(Control::Leave) => return Outcome::Closed,
        Some(Control::Accept) => match form.ask() {
            Ok(ask) => {
                shared.tell(format!("Submitting {} to {} ...", form.pipeline, form.profile));
                return Outcome::Ask(vec![Effect::Remote(Box::new(ask))]);
            }
            Err(error) => shared.warn(error.line()),
        },
        Some(Control::Down) => form.at = (form.at + 1) % len,
        Some(Control::Up) => form.at = (form.at + len - 1) % len,
        Some(Control::Toggle) if !is_text => form.toggle(),
        Some(Control::Clear) => picker::clear(&mut form.fields[form.at].text),
        _ if is_text => drop(form.fields[form.at].text.input(event)),
        _ => {}
    }
    Outcome::Stay
}

fn confirm(shared: &Shared, confirmed: &mut Confirmed, control: Option<Control>) -> Outcome {
    match control {
        Some(Control::Leave) => return Outcome::Closed,
        Some(Control::Accept) => {
            return Outcome::Ask(vec![Effect::Remote(Box::new(confirmed.ask.clone()))]);
        }
        Some(control) => {
            confirmed.text.scroll(rows(control, text_height(shared.size)), shared.size);
        }
        None => {}
    }
    Outcome::Stay
}

/// The rows that a control moves by, where a page has `height` of them.
fn rows(control: Control, height: usize) -> isize {
    let page = isize::try_from(height).unwrap_or(1);
    match control {
        Control::Up => -1,
        Control::Down => 1,
        Control::PageUp => -page,
        Control::PageDown => page,
        Control::First => isize::MIN / 2,
        Control::Last => isize::MAX / 2,
        _ => 0,
    }
}

fn move_by(position: &mut Position, control: Control, len: usize, height: usize) {
    position.move_by(rows(control, height), len, height);
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

/// Leaving the list of themes restores the previous theme.
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
        // The rows of keys inside dialogs are no commands.
        return Command::named(name).map_or(Outcome::Stay, Outcome::Do);
    };
    let name = name.clone();
    let State { shared, pipeline, experiments, .. } = &mut *state;
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
        Choose::View => {
            experiments.show_view(shared, index);
            Outcome::Closed
        }
        Choose::State => {
            let ask = state.remote.mark(index);
            Outcome::Ask(ask.map(|ask| Effect::Remote(Box::new(ask))).into_iter().collect())
        }
        Choose::Theme => Outcome::Ask(vec![Effect::ChooseTheme(name)]),
        Choose::Keymap => Outcome::Ask(vec![Effect::ChooseKeymap(name)]),
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
            shared.watch = None;
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
            shared.dialogs.push(Dialog::Environment);
            shared.making = Some(Making::default());
            // Nothing that is missing without it is to be read beside its progress.
            shared.notice = None;
            vec![Effect::CreateEnvironment]
        }
        Question::Environment(_) => {
            shared.waiting_run = None;
            Vec::new()
        }
        Question::OverrideType(path, text, _) if yes => overrides::set(shared, path, text),
        Question::DeleteRun(id) if yes => {
            runs.delete(shared, id);
            shared.edits.add(format!("deleting run {id}"), Before::DeletedRun(id));
            Vec::new()
        }
        Question::CancelElsewhere(id) if yes => {
            shared.tell(format!("Run {id} is being cancelled."));
            vec![Effect::CancelElsewhere(id)]
        }
        Question::StopRemote(profile, id) if yes => {
            vec![Effect::Remote(Box::new(Ask::Cancel(profile, id)))]
        }
        Question::Prune(room, _) if yes => {
            shared.tell("Deleting the old runs.");
            shared.edits.forget_deleted_runs();
            let mut effects = runs.delete_for_good();
            effects.push(Effect::Prune(room));
            effects
        }
        Question::DeleteRun(_)
        | Question::CancelElsewhere(_)
        | Question::OverrideType(..)
        | Question::StopRemote(..)
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
        Dialog::Confirm(confirmed) => confirmed.text.scroll(wheel, size),
        Dialog::Problems(position) => {
            let len = state.shared.problems().len();
            position.move_by(wheel.signum(), len, height / 2);
        }
        _ => {}
    }
    keep(state, dialog, outcome)
}

/// The match that is drawn at a cell of the screen.
fn row_at(size: Size, picker: &Picker, column: u16, row: u16) -> Option<usize> {
    let area = picker_area(size, picker);
    let inside = column > area.x && column + 1 < area.x + area.width;
    // The rows are below the border, the field and a rule.
    let first = area.y + 3;
    let index = usize::from(row.saturating_sub(first)) + picker.position.offset;
    let on_rows = row >= first && row + 1 < area.y + area.height;
    (inside && on_rows && index < picker.matches.len()).then_some(index)
}
