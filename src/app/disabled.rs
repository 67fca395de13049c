//! Why a command can't act now.

use super::command::Command;
use super::queries;
use super::screens::experiments::ExperimentsScreen;
use super::shared::Exact;
use super::state::State;
use super::tab::Tab;
use crate::store::RunRecord;
use crate::text::sanitize;

fn is_remote(run: &RunRecord) -> bool {
    run.new.remote.is_some()
}

/// A run on an engine is cancelled and retried there, not here.
fn on_engine(run: &RunRecord) -> Option<String> {
    let remote = run.new.remote.as_ref()?;
    Some(format!("the run is on {}, see the Remote tab", sanitize(&remote.profile)))
}

/// Why `command` can't act now; `None` when it can.
pub fn disabled_because(state: &State, command: Command) -> Option<String> {
    let spec = command.spec();
    if !spec.on(state.tab) {
        return Some(format!("this is for {}", spec.scope()));
    }
    let shared = &state.shared;
    let project = &shared.project;
    match command {
        Command::Retry | Command::CancelRun if state.tab == Tab::Remote => {
            state.screen().disabled(shared, command)
        }
        Command::Retry => shared.no_run_now().or_else(|| match queries::failed_run(state) {
            Some(run) => on_engine(run),
            None => Some("the run that is shown did not fail".into()),
        }),
        Command::EditFailure => match queries::failure_shown(state) {
            None => Some("nothing has failed".into()),
            Some((_, failure)) if failure.project_frame().is_none() => {
                Some("the failure is not in the project's code; T shows the traceback".into())
            }
            Some(_) => None,
        },
        Command::Traceback => {
            queries::failure_shown(state).is_none().then(|| "nothing has failed".into())
        }
        Command::Debug | Command::PostMortem => {
            let node = queries::debugged(state).is_some();
            (!node).then(|| "no node is selected, and none has failed".into())
        }
        Command::ClearOverrides => {
            shared.overrides.is_empty().then(|| "no parameter is overridden".into())
        }
        Command::CancelRun if queries::running_elsewhere(state).is_some() => None,
        Command::CancelRun if state.screen().selected_run().is_some_and(is_remote) => {
            state.screen().selected_run().and_then(on_engine)
        }
        Command::CancelRun => match shared.going_on().next() {
            None => Some("nothing is running".into()),
            Some(_) => (shared.going_on().all(|run| run.cancelling))
                .then(|| "the run is being cancelled".into()),
        },
        Command::TrackedRun => match state.runs.shown_run() {
            Some(run) => ExperimentsScreen::missing(shared, run.mlflow_run.as_deref()),
            None => Some("no run is selected".into()),
        },
        Command::RunAgain | Command::PipelineRun => match state.experiments.shown(shared) {
            Some(_) => None,
            None if state.experiments.page.is_some() || state.experiments.groups.is_some() => {
                Some("several runs are shown".into())
            }
            None => Some("no run is selected".into()),
        },
        Command::WhyBetter => (state.experiments.pair(shared).is_none())
            .then(|| "mark two runs with space, or choose a baseline with B".into()),
        Command::ReadExact => match &project.exact {
            Exact::Reading(_) => Some("Kedro is already reading the project".into()),
            _ => None,
        },
        Command::Differences => match (&project.exact, project.differences.is_empty()) {
            (Exact::Shown(_), false) => None,
            (Exact::Shown(_), true) => Some("the two readings are the same".into()),
            _ => Some("Kedro itself has not read the project".into()),
        },
        Command::ChoosePipeline => {
            shared.shown_pipeline().is_none().then(|| "there is none".into())
        }
        Command::FindNext | Command::FindPrevious => {
            shared.search.is_empty().then(|| "there was no search yet".into())
        }
        Command::Filter => match state.screen().filter_text() {
            Err(why) => Some(why.into()),
            Ok(_) => state.screen().disabled(shared, command),
        },
        Command::CopyFilter => match state.screen().filter_text() {
            Err(why) => Some(why.into()),
            Ok(text) => text.is_empty().then(|| "there is no filter".into()),
        },
        Command::Undo => shared.edits.is_empty().then(|| "there is nothing to undo".into()),
        Command::Problems => shared.problems().is_empty().then(|| "there are no problems".into()),
        Command::Edit => {
            state.details().place.is_none().then(|| "the selection has no place in a file".into())
        }
        Command::CopyName => state.details().name.is_empty().then(|| "nothing is selected".into()),
        Command::RunSelected
        | Command::RunStale
        | Command::RunFromHere
        | Command::RunToHere
        | Command::RunPipeline
        | Command::RunOptions
        | Command::RunDetached
        | Command::RunGrid
        | Command::Watch
        | Command::CopyCommand
        | Command::CopyValue
        | Command::Override
        | Command::ClearOverride
        | Command::CompareRuns
        | Command::Timeline
        | Command::PinRun
        | Command::NoteRun
        | Command::DeleteRun
        | Command::PruneRuns
        | Command::LogLevel
        | Command::FollowLog
        | Command::Log
        | Command::Mark
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
        | Command::RunHere
        | Command::ShowStates
        | Command::InHistory
        | Command::SearchLogs => state.screen().disabled(shared, command),
        Command::Open
        | Command::Show(_)
        | Command::Back
        | Command::Up
        | Command::Down
        | Command::Left
        | Command::Right
        | Command::PageUp
        | Command::PageDown
        | Command::First
        | Command::Last
        | Command::NextPane
        | Command::PreviousPane
        | Command::Find
        | Command::ChooseEnvironment
        | Command::ChooseTheme
        | Command::ChooseKeymap
        | Command::Palette
        | Command::Help
        | Command::Messages
        | Command::MaximisePane
        | Command::GrowPane
        | Command::ShrinkPane
        | Command::Reload
        | Command::MakeEnvironment
        | Command::NextTab
        | Command::PreviousTab
        | Command::Suspend
        | Command::Redraw
        | Command::Quit => None,
    }
}
