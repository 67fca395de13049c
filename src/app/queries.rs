//! Questions about the state whose answers depend on several screens.

use super::command::Command;
use super::screens::pipeline::PipelineScreen;
use super::screens::pipeline::screen::Between;
use super::settings::AskFresh;
use super::shared::Shared;
use super::state::State;
use crate::dag::staleness::Freshness;
use crate::dag::{Slice, VertexKind};
use crate::runs::{Failure, RunRequest};
use crate::store::{Outcome, RunId, RunRecord};

/// The failure that `traceback` shows, and what failed: that of the selected run, else of the last one,
/// else of Kedro's own reading.
pub fn failure_shown(state: &State) -> Option<(String, Failure)> {
    state.screen().failure(&state.shared)
}

/// The node that a Python prompt is opened for, with its pipeline, environment and parameters: the selected
/// one, on the Runs screen the one that failed.
pub fn debugged(state: &State) -> Option<(String, RunRequest)> {
    state.screen().debugged(&state.shared)
}

/// The run that `retry` is about: the selected one, else the last one, if it did not end well.
pub fn failed_run(state: &State) -> Option<&RunRecord> {
    let last = || state.shared.run.as_ref().map(|run| &run.record);
    let bad = [Outcome::Failed, Outcome::Cancelled, Outcome::Lost];
    state.screen().selected_run().or_else(last).filter(|record| bad.contains(&record.outcome))
}

/// The run of another program that `cancel-run` is about: the selected one; without a selected run and without one of this
/// program, the one whose progress is shown.
pub fn running_elsewhere(state: &State) -> Option<RunId> {
    let shared = &state.shared;
    let Some(run) = state.screen().selected_run() else {
        let other = shared.elsewhere.first().filter(|_| shared.going_on().next().is_none())?;
        return other.record.id;
    };
    let own = shared.going_on().any(|own| own.record.is_same(run));
    run.id.filter(|_| run.outcome == Outcome::Running && !own && run.new.remote.is_none())
}

/// The nodes that a run is asked for: the marked ones, else the selected one.
pub fn chosen(state: &State) -> Vec<String> {
    let marked = &state.pipeline.marked;
    if !marked.is_empty() {
        // In the pipeline's order, as a person reads them.
        let nodes = state.shared.shown_pipeline().into_iter().flat_map(|pipeline| &pipeline.nodes);
        return nodes.map(|node| node.name.clone()).filter(|name| marked.contains(name)).collect();
    }
    selected_node(&state.pipeline).into_iter().collect()
}

/// Whether all nodes that a run is asked for are known to be fresh.
pub fn is_fresh(state: &State) -> bool {
    let nodes = chosen(state);
    let fresh = |node: &String| state.shared.project.staleness.get(node) == Some(&Freshness::Fresh);
    !nodes.is_empty() && nodes.iter().all(fresh)
}

/// Whether a run of the chosen nodes is confirmed first, because they are fresh.
pub fn asks_first(state: &State) -> bool {
    let asks = match state.shared.settings.ask_fresh {
        AskFresh::Always => true,
        AskFresh::Once => !state.shared.asked_fresh,
        AskFresh::Never => false,
    };
    asks && is_fresh(state)
}

/// The request of a run command.
pub fn request(state: &State, command: Command) -> RunRequest {
    let selected = || selected_node(&state.pipeline).into_iter().collect();
    let slice = match command {
        Command::RunSelected => chosen_slice(state),
        Command::RunFromHere => Slice { from_nodes: selected(), ..Slice::default() },
        Command::RunToHere => Slice { to_nodes: selected(), ..Slice::default() },
        _ => Slice::default(),
    };
    RunRequest { slice, ..state.shared.request() }
}

/// The request for the marked nodes, or for the whole pipeline if none is marked.
pub fn request_of_marked(state: &State) -> RunRequest {
    match state.pipeline.marked.is_empty() {
        true => state.shared.request(),
        false => request(state, Command::RunSelected),
    }
}

/// The chosen nodes as a slice. While the marked nodes are those of the slice that the graph shows, that slice is used.
fn chosen_slice(state: &State) -> Slice {
    let nodes = chosen(state);
    let pipeline = state.shared.shown_pipeline();
    if let (Some(Between { from, to }), Some(pipeline)) = (&state.pipeline.slice, pipeline) {
        let slice = Slice { from_nodes: from.clone(), to_nodes: to.clone(), ..Slice::default() };
        if slice.apply(pipeline).is_ok_and(|between| between == nodes) {
            return slice;
        }
    }
    Slice::nodes(nodes)
}

fn selected_node(screen: &PipelineScreen) -> Option<String> {
    match &screen.selected {
        Some((VertexKind::Node, name)) => Some(name.clone()),
        _ => None,
    }
}

/// The nodes that are out of date up to the selected one, or in the whole pipeline, and the selected one.
pub fn due(state: &State) -> (Vec<String>, Option<String>) {
    let shared: &Shared = &state.shared;
    let up_to = selected_node(&state.pipeline);
    let slice = Slice { to_nodes: up_to.iter().cloned().collect(), ..Slice::default() };
    let nodes = shared.shown_pipeline().and_then(|pipeline| slice.apply(pipeline).ok());
    let statuses = &shared.project.staleness;
    let due = |node: &String| statuses.get(node).is_none_or(Freshness::is_due);
    (nodes.unwrap_or_default().into_iter().filter(due).collect(), up_to)
}
