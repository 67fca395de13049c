//! What each command does.

use super::reading::{read_exact, reload};
use super::trust::trusted;
use super::undo::{Filters, undo};
use super::{dialog, navigate, overrides, prompt, running, search, watch};
use crate::app::areas::Pane;
use crate::app::command::Command;
use crate::app::dialog::{Dialog, Question, TextDialog, text_width};
use crate::app::disabled::disabled_because;
use crate::app::effect::{Effect, Made};
use crate::app::notice::Notice;
use crate::app::options::Form;
use crate::app::prompt::PromptKind;
use crate::app::queries;
use crate::app::shared::Shared;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::traceback;
use crate::app::words::when;
use crate::dag::Slice;
use crate::project::{Place, highlight};
use crate::runs::RunRequest;
use crate::runs::debug::Prompt;
use crate::text::sanitize;

/// Does what was asked for, or says why it can't be done now.
pub(super) fn act(state: &mut State, command: Command) -> Vec<Effect> {
    if matches!(command, Command::Find | Command::Filter) {
        go_to_log(state);
    }
    if let Some(why) = disabled_because(state, command) {
        let name = command.spec().name;
        state.shared.warn(format!("{name}: {why}"));
        return Vec::new();
    }
    state.shared.notice = None;
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
        Command::Undo => return undo(state),
        Command::Messages => messages(state),
        Command::MaximisePane => state.shared.panes.maximised ^= true,
        Command::GrowPane | Command::ShrinkPane => {
            let Shared { panes, focus, .. } = &mut state.shared;
            panes.maximised = false;
            panes.resize(*focus, command == Command::GrowPane);
        }
        Command::NextPane | Command::PreviousPane => next_pane(state, command == Command::NextPane),
        Command::Mark
        | Command::Log
        | Command::Override
        | Command::CompareRuns
        | Command::PinRun
        | Command::NoteRun
        | Command::DeleteRun
        | Command::PruneRuns
        | Command::Timeline
        | Command::LogLevel
        | Command::FollowLog
        | Command::View
        | Command::Direction
        | Command::Zoom
        | Command::ZoomIn
        | Command::ZoomOut
        | Command::Fit
        | Command::Lanes
        | Command::Layers
        | Command::Fold
        | Command::FoldAll
        | Command::Focus
        | Command::FocusLess
        | Command::FocusMore
        | Command::Slice
        | Command::Parents
        | Command::Children
        | Command::JumpBack
        | Command::JumpForward
        | Command::FollowRun
        | Command::Tidy
        | Command::Export
        | Command::SortColumn
        | Command::SortColumnToo
        | Command::AllColumns
        | Command::HideColumn
        | Command::PinColumn
        | Command::ColumnLeft
        | Command::ColumnRight
        | Command::NarrowColumn
        | Command::WidenColumn
        | Command::Goal
        | Command::Nesting
        | Command::Baseline
        | Command::GroupRuns
        | Command::ChooseView
        | Command::SaveView
        | Command::FollowMetric
        | Command::Trend
        | Command::Artifacts
        | Command::ChartAxis
        | Command::ChartScale
        | Command::Smooth
        | Command::CrosshairLeft
        | Command::CrosshairRight
        | Command::Submit
        | Command::Deploy
        | Command::AllRuns
        | Command::CheckConnection
        | Command::PausePipeline
        | Command::MarkState
        | Command::EarlierTry
        | Command::LaterTry
        | Command::SearchLogs => {
            let (screen, shared) = state.screen_mut();
            return screen.act(shared, command);
        }
        Command::Retry | Command::CancelRun if state.tab == Tab::Remote => {
            let (screen, shared) = state.screen_mut();
            return screen.act(shared, command);
        }
        Command::RunSelected if queries::asks_first(state) => {
            state.shared.asked_fresh = true;
            let request = Box::new(queries::request(state, command));
            state.shared.ask(Question::Fresh(request, command));
        }
        Command::RunSelected | Command::RunFromHere | Command::RunToHere | Command::RunPipeline => {
            let request = queries::request(state, command);
            return running::start(&mut state.shared, request, command);
        }
        Command::RunStale => return running::run_stale(state),
        Command::Watch => return watch::toggle(state),
        Command::Retry => return running::retry(state),
        Command::RunHere => {
            let Some((node, request)) = queries::debugged(state) else { return Vec::new() };
            let request = RunRequest { slice: Slice::nodes([node]), ..request };
            state.shared.project.on_engine = None;
            navigate::show(state, Tab::Pipeline);
            return running::start(&mut state.shared, request, command);
        }
        Command::ShowStates => {
            let State { shared, remote, pipeline, .. } = &mut *state;
            let of = remote.run_page().and_then(|run| run.kept.as_ref());
            let name = of.map(|kept| kept.pipeline.clone());
            if let Some(name) = name.filter(|name| *name != shared.pipeline)
                && shared.snapshot().is_some_and(|snapshot| snapshot.pipeline(&name).is_some())
            {
                pipeline.show_pipeline(shared, name);
                shared.project.staleness.clear();
            }
            remote.show_states(shared);
            pipeline.refresh_states(shared);
            pipeline.redraw_by_status(shared);
            navigate::show(state, Tab::Pipeline);
            return state.shared.look_stale().into_iter().collect();
        }
        Command::InHistory => {
            let kept = state.remote.run_page().and_then(|run| run.kept.as_ref());
            if let Some(id) = kept.and_then(|kept| kept.id) {
                navigate::show(state, Tab::Runs);
                let State { shared, runs, .. } = state;
                runs.show(shared, id);
            }
        }
        Command::TrackedRun => {
            let run = state.runs.shown_run().and_then(|run| run.mlflow_run.clone());
            navigate::show(state, Tab::Experiments);
            let State { shared, experiments, .. } = state;
            run.iter().for_each(|id| experiments.show_run(shared, id));
        }
        Command::RunAgain | Command::PipelineRun => {
            let run = state.experiments.shown(&state.shared).cloned();
            let then = if command == Command::RunAgain { Made::Again } else { Made::Show };
            let found = run.map(|run| Effect::FindPipelineRuns(vec![run], then));
            return found.into_iter().collect();
        }
        Command::WhyBetter => {
            let pair = state.experiments.pair(&state.shared);
            let found = pair.map(|pair| Effect::FindPipelineRuns(pair.to_vec(), Made::Compare));
            return found.into_iter().collect();
        }
        Command::RunOptions => {
            let nodes = queries::chosen(state);
            let pipeline = state.shared.shown_pipeline().map_or("", |pipeline| &pipeline.name);
            let env = state.shared.env.as_deref().unwrap_or_default();
            let form = Box::new(Form::new(&nodes, pipeline, env));
            state.shared.dialogs.push(Dialog::Options(form));
        }
        Command::RunDetached => {
            let request = queries::request_of_marked(state);
            return running::start_detached(&mut state.shared, request);
        }
        Command::RunGrid => state.shared.begin(PromptKind::Grid, ""),
        Command::CancelRun => match queries::running_elsewhere(state) {
            Some(id) => state.shared.ask(Question::CancelElsewhere(id)),
            None => return running::cancel(state),
        },
        Command::EditFailure => {
            let failure = queries::failure_shown(state).map(|(_, failure)| failure);
            let frame = failure.as_ref().and_then(|failure| failure.project_frame());
            let place =
                frame.map(|frame| Place::line(std::path::Path::new(&frame.file), frame.line));
            return place.map(Effect::Edit).into_iter().collect();
        }
        Command::Debug | Command::PostMortem => {
            let Some((node, request)) = queries::debugged(state) else { return Vec::new() };
            let post_mortem = command == Command::PostMortem;
            let effect = Effect::Debug(Prompt { node, post_mortem }, Box::new(request));
            return trusted(&mut state.shared, vec![effect]);
        }
        Command::ClearOverride => return overrides::clear(state),
        Command::ClearOverrides => return overrides::clear_all(&mut state.shared),
        Command::Edit => return state.details().place.map(Effect::Edit).into_iter().collect(),
        Command::Find => search::begin(state),
        Command::Filter => prompt::filter(state),
        Command::FindNext => search::go(state, 1),
        Command::FindPrevious => search::go(state, -1),
        Command::ChoosePipeline
        | Command::ChooseEnvironment
        | Command::ChooseTheme
        | Command::ChooseKeymap => dialog::choose(&mut state.shared, command),
        Command::Traceback => show_traceback(state),
        Command::Problems => {
            state.shared.dialogs.push(Dialog::Problems(Default::default()));
        }
        Command::ReadExact => return read_exact(&mut state.shared),
        Command::Differences => {
            let lines = state.shared.project.differences.clone();
            let title = "Where the files and Kedro itself differ".into();
            let text = TextDialog { title, lines, ..TextDialog::default() };
            state.shared.dialogs.push(Dialog::Text(Box::new(text)));
        }
        Command::Reload => return reload(state),
        Command::MakeEnvironment if state.shared.is_making() => {
            state.shared.dialogs.push(Dialog::Environment);
        }
        Command::MakeEnvironment => {
            let text = "This makes the project's own environment in .venv".to_owned();
            state.shared.ask(Question::Environment(text));
        }
        Command::CopyName => return copy(state, state.details().name),
        Command::CopyCommand => {
            let command = queries::request(state, Command::RunSelected).to_command();
            return copy(state, command);
        }
        Command::CopyValue => {
            let value = state.experiments.copied_value(&state.shared);
            return value.map(|value| copy(state, value)).unwrap_or_default();
        }
        Command::CopyFilter => {
            let filter = state.screen().filter_text().map(str::to_owned);
            return filter.map(|filter| copy(state, filter)).unwrap_or_default();
        }
        Command::Show(tab) => navigate::show(state, tab),
        Command::NextTab | Command::PreviousTab => {
            navigate::cycle_tab(state, command == Command::NextTab);
        }
        Command::Palette => dialog::palette(state),
        Command::Help => dialog::help(state),
        Command::Suspend => return vec![Effect::Suspend],
        Command::Redraw => return vec![Effect::Redraw],
        Command::Quit if state.shared.going_on().next().is_some() => {
            state.shared.ask(Question::Quit);
        }
        Command::Quit => return vec![Effect::Quit],
    }
    Vec::new()
}

/// Opens the selected group or page; otherwise moves the focus to the details and back.
fn open(state: &mut State) {
    let (screen, shared) = state.screen_mut();
    if shared.focus != Pane::Main {
        shared.focus = Pane::Main;
    } else if !screen.open(shared) {
        shared.focus = Pane::Side;
    }
}

fn back(state: &mut State) -> Vec<Effect> {
    let before = Filters::of(state);
    let (screen, shared) = state.screen_mut();
    shared.toast = None;
    if !shared.pending.is_empty() {
        shared.pending.clear();
    } else if shared.focus != Pane::Main {
        shared.focus = Pane::Main;
    } else if let Some(effects) = screen.back(shared) {
        before.keep_changed(state);
        return effects;
    } else {
        shared.search.clear();
    }
    Vec::new()
}

/// Shows the next part of the page, or gives the focus to the next pane.
fn next_pane(state: &mut State, onward: bool) {
    let (screen, shared) = state.screen_mut();
    if !screen.turn(shared, onward) {
        navigate::cycle_pane(state, onward);
    }
}

/// Lists the last messages, the newest first.
fn messages(state: &mut State) {
    let shared = &mut state.shared;
    let line = |notice: &Notice| {
        let sign = if notice.error { "! " } else { "  " };
        format!("{sign}{}  ({})", notice.text, when(shared.now, notice.at))
    };
    let mut lines: Vec<String> = shared.notices.newest().map(line).collect();
    if lines.is_empty() {
        lines.push("There are none.".into());
    }
    let dialog = TextDialog { title: "Messages".into(), lines, ..TextDialog::default() };
    shared.dialogs.push(Dialog::Text(Box::new(dialog)));
}

fn copy(state: &mut State, text: String) -> Vec<Effect> {
    state.shared.tell(format!("Copied: {}", sanitize(&text)));
    vec![Effect::Copy(text)]
}

/// The pane below the graph shows the end of a run's log. Whoever searches or filters there means the whole log, which has
/// a page.
fn go_to_log(state: &mut State) {
    let State { shared, runs, tab, .. } = &mut *state;
    let id = shared.run.as_ref().and_then(|run| run.record.id);
    if let Some(id) = id.filter(|_| *tab == Tab::Pipeline && shared.focus == Pane::Log) {
        (*tab, shared.focus) = (Tab::Runs, Pane::Main);
        runs.show_log(shared, id);
    }
}

fn show_traceback(state: &mut State) {
    let Some((of, failure)) = queries::failure_shown(state) else { return };
    let place = failure
        .project_frame()
        .map(|frame| Place::line(std::path::Path::new(&frame.file), frame.line));
    let text = match failure.traceback.trim().is_empty() {
        true => format!("{}\n{}", failure.kind, failure.message),
        false => failure.traceback.clone(),
    };
    let root = state.shared.snapshot().map(|snapshot| snapshot.metadata.root.clone());
    let room = text_width(state.shared.size);
    let all = traceback::lines(&text, &root.unwrap_or_default(), room);
    let (lines, other) = match traceback::folded(&all) {
        Some(folded) => (folded, Some(all)),
        None => (all, None),
    };
    let title = format!("Traceback of {of}");
    let parts = highlight::traceback(&lines);
    let mut dialog = TextDialog { title, lines, parts, other, offset: 0, place };
    // The cause is at the end, so the end is shown first.
    dialog.scroll(isize::MAX, state.shared.size);
    state.shared.dialogs.push(Dialog::Text(Box::new(dialog)));
}
