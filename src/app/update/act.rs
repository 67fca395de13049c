//! What each command does.

use super::{dialog, failure_shown, focus, graph, history, navigate, overrides, running, search};
use crate::app::command::Command;
use crate::app::details::details;
use crate::app::disabled::disabled_because;
use crate::app::effect::Effect;
use crate::app::graph::Zoom;
use crate::app::history::{Part, PromptKind};
use crate::app::options::Form;
use crate::app::state::{Dialog, Exact, Pane, Question, State, Tab, TextDialog};
use crate::dag::Kind;
use crate::project::Place;
use crate::text::sanitize;

/// Does what was asked for, or says why it can't be done now.
pub(super) fn act(state: &mut State, command: Command) -> Vec<Effect> {
    if let Some(why) = disabled_because(state, command) {
        let name = command.spec().name;
        state.warn(format!("{name}: {why}"));
        return Vec::new();
    }
    state.notice = None;
    match command {
        Command::Up
        | Command::Down
        | Command::Left
        | Command::Right
        | Command::PageUp
        | Command::PageDown
        | Command::First
        | Command::Last => navigate::go(state, command),
        Command::Open => open(state),
        Command::Back => return back(state),
        Command::Mark if state.tab == Tab::Pipeline => mark(state),
        Command::Log if state.tab == Tab::Runs => return history::act(state, command),
        Command::Mark
        | Command::CompareRuns
        | Command::FilterRuns
        | Command::PinRun
        | Command::NoteRun
        | Command::DeleteRun
        | Command::PruneRuns
        | Command::Timeline
        | Command::LogLevel
        | Command::FollowLog => return history::act(state, command),
        Command::NextPane if history::cycle_part(state, 1) => {}
        Command::NextPane => navigate::cycle_pane(state, 1),
        Command::PreviousPane if history::cycle_part(state, Part::ALL.len() - 1) => {}
        Command::PreviousPane => {
            let panes = 2 + usize::from(state.log_shown());
            navigate::cycle_pane(state, panes - 1);
        }
        Command::RunSelected if running::is_fresh(state) => {
            let request = Box::new(running::request(state, command));
            state.dialogs.push(Dialog::Ask(Question::Fresh(request, command)));
        }
        Command::RunStale => return running::run_stale(state),
        Command::Retry => return running::retry(state),
        Command::EditFailure => {
            let frame = super::failure_shown(state);
            let frame = frame.and_then(|(_, failure)| failure.project_frame().cloned());
            let place =
                frame.map(|frame| Place::line(std::path::Path::new(&frame.file), frame.line));
            return place.map(Effect::Edit).into_iter().collect();
        }
        Command::Debug | Command::PostMortem => {
            let Some((node, request)) = super::debugged(state) else { return Vec::new() };
            let post_mortem = command == Command::PostMortem;
            let request = Box::new(request);
            return trusted(state, vec![Effect::Debug { node, post_mortem, request }]);
        }
        Command::Override => overrides::begin(state),
        Command::ClearOverride | Command::ClearOverrides => {
            return overrides::clear(state, command);
        }
        Command::RunGrid => history::begin(state, PromptKind::Grid, ""),
        Command::RunSelected | Command::RunFromHere | Command::RunToHere | Command::RunPipeline => {
            return running::start(state, running::request(state, command), command);
        }
        Command::RunOptions => {
            let nodes = running::chosen(state);
            let form = Box::new(Form::new(state, &nodes));
            state.dialogs.push(Dialog::Options(form));
        }
        Command::RunDetached => {
            let nodes = match state.pipeline.marked.is_empty() {
                true => Command::RunPipeline,
                false => Command::RunSelected,
            };
            return running::start_detached(state, running::request(state, nodes));
        }
        Command::CancelRun if state.running_elsewhere().is_some() => {
            let question = state.running_elsewhere().map(Question::CancelElsewhere);
            state.dialogs.extend(question.map(Dialog::Ask));
        }
        Command::CancelRun => return running::cancel(state),
        Command::Edit => return details(state).place.map(Effect::Edit).into_iter().collect(),
        Command::Find if history::find(state) => {}
        Command::Find => search::begin(state),
        Command::FindNext => search::go(state, 1),
        Command::FindPrevious => search::go(state, -1),
        Command::ChoosePipeline
        | Command::ChooseEnvironment
        | Command::ChooseTheme
        | Command::ChooseKeymap => dialog::choose(state, command),
        Command::Log => {
            let shown = state.log.unwrap_or(true);
            state.log = Some(!shown);
            focus(state, if shown { Pane::Main } else { state.focus });
            graph::keep_in_view(state);
        }
        Command::Traceback => traceback(state),
        Command::Problems => state.dialogs.push(Dialog::Problems(Default::default())),
        Command::View
        | Command::Direction
        | Command::Zoom
        | Command::ZoomIn
        | Command::ZoomOut
        | Command::Lanes
        | Command::Layers
        | Command::Fold
        | Command::FoldAll
        | Command::Focus
        | Command::FocusLess
        | Command::FocusMore
        | Command::Slice
        | Command::FilterGraph
        | Command::Parents
        | Command::Children
        | Command::JumpBack
        | Command::JumpForward
        | Command::FollowRun
        | Command::Tidy => graph::act(state, command),
        Command::Export => {
            let name = format!("{}.svg", state.pipeline.name);
            history::begin(state, PromptKind::Export, &name);
        }
        Command::ReadExact => return read_exact(state),
        Command::Differences => {
            let lines = state.project.differences.clone();
            let title = "Where the files and Kedro itself differ".into();
            let text = TextDialog { title, lines, ..TextDialog::default() };
            state.dialogs.push(Dialog::Text(Box::new(text)));
        }
        Command::Reload => return reload(state),
        Command::MakeEnvironment => {
            let text = "This makes the project's own environment in .venv".to_owned();
            state.dialogs.push(Dialog::Ask(Question::Environment(text)));
        }
        Command::CopyName => {
            let name = details(state).name;
            state.tell(format!("Copied: {}", sanitize(&name)));
            return vec![Effect::Copy(name)];
        }
        Command::CopyCommand => {
            let command = running::request(state, Command::RunSelected).to_command();
            state.tell(format!("Copied: {}", sanitize(&command)));
            return vec![Effect::Copy(command)];
        }
        Command::Show(tab) => navigate::show(state, tab),
        Command::NextTab => navigate::cycle_tab(state, 1),
        Command::PreviousTab => navigate::cycle_tab(state, Tab::ALL.len() - 1),
        Command::Palette => dialog::palette(state),
        Command::Help => dialog::help(state),
        Command::Suspend => return vec![Effect::Suspend],
        Command::Redraw => return vec![Effect::Redraw],
        Command::Quit => {
            if state.going_on().next().is_some() {
                state.dialogs.push(Dialog::Ask(Question::Quit));
            } else {
                return vec![Effect::Quit];
            }
        }
    }
    Vec::new()
}

fn open(state: &mut State) {
    if state.focus == Pane::Main && history::open(state) {
        return;
    }
    if state.focus == Pane::Main && navigate::toggle_group(state) {
        return;
    }
    if state.focus == Pane::Main && state.tab == Tab::Pipeline {
        if state.pipeline.zoom() == Zoom::Overview && !state.pipeline.lanes {
            return graph::set_zoom(state, Zoom::Chips);
        }
        if graph::toggle_fold(state) {
            return;
        }
    }
    match state.focus {
        Pane::Main => state.focus = Pane::Side,
        Pane::Side | Pane::Log => state.focus = Pane::Main,
    }
}

fn back(state: &mut State) -> Vec<Effect> {
    if !state.pending.is_empty() {
        state.pending.clear();
    } else if state.focus != Pane::Main {
        state.focus = Pane::Main;
    } else if let Some(effects) = history::back(state) {
        return effects;
    } else if !state.search.text.is_empty() && state.tab != Tab::Pipeline {
        state.search.text.clear();
    } else if state.tab == Tab::Pipeline
        && (state.pipeline.slice.is_some() || state.pipeline.marked.is_empty())
    {
        graph::leave(state);
    } else if state.tab == Tab::Pipeline {
        state.pipeline.marked.clear();
    }
    Vec::new()
}

fn mark(state: &mut State) {
    if let Some((Kind::Node, name)) = &state.pipeline.selected
        && !state.pipeline.marked.remove(name)
    {
        state.pipeline.marked.insert(name.clone());
    }
}

fn traceback(state: &mut State) {
    let Some((of, failure)) = failure_shown(state) else { return };
    let place = failure
        .project_frame()
        .map(|frame| Place::line(std::path::Path::new(&frame.file), frame.line));
    let text = match failure.traceback.trim().is_empty() {
        true => format!("{}\n{}", failure.kind, failure.message),
        false => failure.traceback.clone(),
    };
    let lines: Vec<String> =
        text.trim_end().lines().map(|line| sanitize(&line.replace('\t', "    "))).collect();
    // The cause stands last, so that is what is seen first.
    let offset = lines.len();
    let title = format!("Traceback of {of}");
    let mut dialog = TextDialog { title, lines, offset, place };
    dialog::clamp(&mut dialog, state.size);
    state.dialogs.push(Dialog::Text(Box::new(dialog)));
}

/// Asks Kedro for the exact reading, once the project is trusted.
pub(super) fn read_exact(state: &mut State) -> Vec<Effect> {
    state.generations.exact += 1;
    state.project.exact = Exact::Reading("python".into());
    let effect = Effect::ReadExact {
        generation: state.generations.exact,
        env: state.env.clone(),
        params: state.overrides.clone(),
    };
    trusted(state, vec![effect])
}

/// Reads everything again.
pub(super) fn reload(state: &mut State) -> Vec<Effect> {
    state.project.sources.clear();
    vec![
        state.read_static(),
        state.load_runs(),
        Effect::LoadTimings,
        Effect::LoadTracking,
        Effect::StatDatasets,
        Effect::ReloadSettings,
    ]
}

/// The effects, or the question whether the project may be executed that stands before them.
pub(super) fn trusted(state: &mut State, effects: Vec<Effect>) -> Vec<Effect> {
    if state.project.trusted == Some(true) {
        return effects;
    }
    state.dialogs.push(Dialog::Ask(Question::Trust(effects)));
    Vec::new()
}
