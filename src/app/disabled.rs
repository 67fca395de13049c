//! Why a command can't act now.

use super::command::Command;
use super::history::Part;
use super::state::{Exact, State, Tab};
use crate::dag::Kind;
use crate::dag::view::Focus;
use crate::store::Outcome;

/// How many runs of the screen go on side by side.
const MOST_RUNS: usize = 4;

/// Why `command` can't act now; `None` when it can.
pub fn disabled_because(state: &State, command: Command) -> Option<String> {
    let spec = command.spec();
    if !spec.on(state.tab) {
        return Some(format!("this is for {}", spec.scope()));
    }
    let project = &state.project;
    let no_node = || match &state.pipeline.selected {
        Some((Kind::Node, _)) => None,
        _ if !state.pipeline.marked.is_empty() => None,
        Some(_) => Some("a dataset is selected; runs begin at nodes".to_owned()),
        None => Some("no node is selected".to_owned()),
    };
    let no_run_now = || match state.going_on().filter(|run| !run.apart).count() {
        MOST_RUNS.. => Some(format!("{MOST_RUNS} runs are going on")),
        _ if state.shown_pipeline().is_none() => Some("there is no pipeline".into()),
        _ => None,
    };
    let no_run = || match state.shown_run() {
        None => Some("no run is selected".to_owned()),
        Some(run) if run.id == 0 => Some("this run is not in the history".into()),
        Some(_) if state.page_shown() && state.shown_part().is_none() => {
            Some("two runs are shown".into())
        }
        Some(_) => None,
    };
    match command {
        Command::RunSelected => no_run_now().or_else(no_node),
        Command::RunFromHere | Command::RunToHere => no_run_now().or_else(|| {
            let node = matches!(&state.pipeline.selected, Some((Kind::Node, _)));
            (!node).then(|| "no node is selected".to_owned())
        }),
        Command::RunPipeline | Command::RunOptions | Command::RunStale | Command::RunGrid => {
            no_run_now()
        }
        Command::Retry => no_run_now().or_else(|| match state.failed_run() {
            Some(_) => None,
            None => Some("the run that is shown did not fail".into()),
        }),
        Command::EditFailure => match super::update::failure_shown(state) {
            None => Some("nothing has failed".into()),
            Some((_, failure)) if failure.project_frame().is_none() => {
                Some("the failure is in none of the project's lines; T shows the traceback".into())
            }
            Some(_) => None,
        },
        Command::Debug | Command::PostMortem => {
            let node = super::update::debugged(state).is_some();
            (!node).then(|| "no node is selected, and none has failed".into())
        }
        Command::Override => match state.parameters.selected() {
            Some(row) if row.group.is_some() => Some("it is a group; choose a value in it".into()),
            Some(_) => None,
            None => Some("no parameter is selected".into()),
        },
        Command::ClearOverride => {
            let row = state.parameters.selected();
            let overridden = row.is_some_and(|row| state.overrides.contains_key(&row.path));
            (!overridden).then(|| "it is not overridden".into())
        }
        Command::ClearOverrides => {
            state.overrides.is_empty().then(|| "no parameter is overridden".into())
        }
        Command::RunDetached => {
            state.shown_pipeline().is_none().then(|| "there is no pipeline".into())
        }
        Command::CancelRun if state.running_elsewhere().is_some() => None,
        Command::CancelRun => match state.going_on().next() {
            None => Some("no run is going on".into()),
            Some(_) => (state.going_on().all(|run| run.cancelling))
                .then(|| "the run is being cancelled".into()),
        },
        Command::Log if state.tab == Tab::Runs => no_run(),
        Command::Timeline => no_run().or_else(|| {
            let shown = state.shown_part() == Some(Part::Timeline);
            shown.then(|| "it is shown already".into())
        }),
        Command::PinRun | Command::NoteRun => no_run(),
        Command::FilterRuns if state.page_shown() => Some("runs are filtered in the list".into()),
        Command::PruneRuns | Command::FilterRuns => {
            let none = state.runs.rows.is_empty() && state.history.query.is_empty();
            none.then(|| "nothing was run from here yet".into())
        }
        Command::DeleteRun => no_run().or_else(|| {
            let running = state.shown_run().is_some_and(|run| run.outcome == Outcome::Running);
            running.then(|| "the run is going on".into())
        }),
        Command::CompareRuns if state.page_shown() && state.shown_part().is_none() => {
            Some("they are compared already".into())
        }
        Command::CompareRuns => {
            let shown = state.shown_run().map(|run| run.id);
            let two = super::update::history::compared(state, shown).is_some();
            (!two).then(|| "mark a run with space, then select another one".into())
        }
        Command::LogLevel | Command::FollowLog => {
            (state.shown_part() != Some(Part::Log)).then(|| "no log is shown".into())
        }
        Command::Mark if state.tab == Tab::Runs && state.page_shown() => {
            Some("runs are marked in the list".into())
        }
        Command::Mark if state.tab == Tab::Runs => no_run(),
        Command::Log => state.run.is_none().then(|| "there was no run yet".into()),
        Command::Traceback => {
            let failed = super::update::failure_shown(state).is_some();
            (!failed).then(|| "nothing has failed".into())
        }
        Command::CopyCommand => no_node(),
        Command::Fold => {
            let plot = &state.pipeline.plot;
            let space = state.pipeline.selected_id().is_some_and(|id| {
                let namespace = plot.view.graph.vertices[id].kind == Kind::Namespace;
                namespace || plot.view.group_of[id].is_some()
            });
            (!space).then(|| "the selection is in no namespace".into())
        }
        Command::FoldAll => {
            let plot = &state.pipeline.plot;
            let any = plot.whole.vertices.iter().any(|vertex| vertex.namespace().is_some());
            (!any).then(|| "the pipeline has no namespaces".into())
        }
        Command::Focus => state.pipeline.selected.is_none().then(|| "nothing is selected".into()),
        Command::FocusLess | Command::FocusMore => {
            let focus = matches!(state.pipeline.choices.focus, Some(Focus::Around { .. }));
            (!focus).then(|| "nothing is in the focus; i puts the selection there".into())
        }
        Command::Slice => {
            let selected = match &state.pipeline.selected {
                Some((Kind::Node, name)) => Some(name),
                _ => None,
            };
            match selected {
                None => Some("no node is selected".into()),
                Some(to) if state.pipeline.marked.iter().all(|from| from == to) => {
                    Some("mark a node with space, then select another one".into())
                }
                Some(_) => None,
            }
        }
        Command::Parents | Command::Children => {
            let onward = command == Command::Children;
            let none = super::update::neighbours(state, onward).is_empty();
            none.then(|| match onward {
                true => "the selection leads to nothing that is displayed".into(),
                false => "nothing that is displayed leads to the selection".into(),
            })
        }
        Command::JumpBack | Command::JumpForward => {
            let onward = command == Command::JumpForward;
            (!state.pipeline.jumps.any(onward)).then(|| match onward {
                true => "there is no way forward".into(),
                false => "there is no way back".into(),
            })
        }
        Command::Layers => {
            let snapshot = project.snapshot.iter();
            let any = snapshot.flat_map(|it| it.datasets.values()).any(|it| it.layer.is_some());
            (!any).then(|| {
                "no dataset of the catalog has a layer (metadata: kedro-viz: layer)".into()
            })
        }
        Command::View
        | Command::Direction
        | Command::Zoom
        | Command::ZoomIn
        | Command::ZoomOut
        | Command::Lanes
        | Command::FilterGraph
        | Command::Tidy
        | Command::Export => {
            state.shown_pipeline().is_none().then(|| "there is no pipeline".into())
        }
        Command::ReadExact => match &project.exact {
            Exact::Reading(_) => Some("Kedro is reading already".into()),
            _ => None,
        },
        Command::Differences => match (&project.exact, project.differences.is_empty()) {
            (Exact::Shown(_), false) => None,
            (Exact::Shown(_), true) => Some("the two readings are the same".into()),
            _ => Some("Kedro itself has not read the project".into()),
        },
        Command::ChoosePipeline => state.shown_pipeline().is_none().then(|| "there is none".into()),
        Command::FindNext | Command::FindPrevious => {
            state.search.text.is_empty().then(|| "nothing was searched for".into())
        }
        Command::Problems => state.problems().is_empty().then(|| "there are no problems".into()),
        Command::Edit => {
            let place = super::details::details(state).place;
            place.is_none().then(|| "it has no place in a file".into())
        }
        Command::CopyName => {
            let name = super::details::details(state).name;
            name.is_empty().then(|| "nothing is selected".into())
        }
        Command::Show(tab) => (state.tab == tab).then(|| "it is shown already".into()),
        Command::Mark => match (&state.pipeline.selected, state.tab) {
            (Some((Kind::Node, _)), Tab::Pipeline) => None,
            _ => Some("no node is selected".into()),
        },
        _ => None,
    }
}
