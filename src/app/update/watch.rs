//! Starts and ends watch mode, and runs what saves have made stale.

use super::running;
use super::trust::trusted;
use crate::app::command::Command;
use crate::app::effect::Effect;
use crate::app::queries;
use crate::app::shared::Shared;
use crate::app::state::State;
use crate::app::watch::Watch;
use crate::dag::Slice;
use crate::dag::staleness::Freshness;
use crate::runs::RunRequest;

/// Starts watch mode for the marked nodes, or ends it.
pub(super) fn toggle(state: &mut State) -> Vec<Effect> {
    if state.shared.watch.take().is_some() {
        state.shared.tell("Saves run nothing any more.");
        return Vec::new();
    }
    let from = match state.pipeline.marked.is_empty() {
        true => Vec::new(),
        false => queries::chosen(state),
    };
    let nodes = state.shared.shown_pipeline().into_iter().flat_map(|pipeline| &pipeline.nodes);
    let known = nodes.map(|node| node.name.clone()).collect();
    let of = match from.as_slice() {
        [] => "in the pipeline".to_owned(),
        [_] => "from the marked node on".to_owned(),
        _ => "from the marked nodes on".to_owned(),
    };
    state.shared.tell(format!("Each save runs what becomes stale {of}."));
    state.shared.watch = Some(Watch { from, known, saved: false });
    trusted(&mut state.shared, Vec::new())
}

/// Files of the project were saved.
pub(super) fn saved(shared: &mut Shared) {
    if let Some(watch) = &mut shared.watch {
        watch.saved = true;
    }
}

/// Runs what is stale, once after a save, when no other run goes on. After a failure the next save runs it again.
pub(super) fn look(shared: &mut Shared) -> Vec<Effect> {
    let busy = !shared.starting.is_empty() || shared.going_on().next().is_some();
    let ready = !busy && shared.project.trusted == Some(true) && shared.project.broken.is_none();
    let Some(watch) = shared.watch.as_ref().filter(|watch| ready && watch.saved) else {
        return Vec::new();
    };
    let due = due(watch, shared);
    if due.is_empty() {
        return Vec::new();
    }
    if let Some(watch) = &mut shared.watch {
        watch.saved = false;
    }
    let request = RunRequest { slice: Slice::nodes(due), ..shared.request() };
    running::start(shared, request, Command::Watch)
}

/// The nodes that a save has made stale, or that are new.
fn due(watch: &Watch, shared: &Shared) -> Vec<String> {
    let Some(pipeline) = shared.shown_pipeline() else { return Vec::new() };
    // A marked node that was renamed or removed has nothing below it.
    let from: Vec<String> = (watch.from.iter())
        .filter(|name| pipeline.nodes.iter().any(|node| node.name == **name))
        .cloned()
        .collect();
    if from.is_empty() && !watch.from.is_empty() {
        return Vec::new();
    }
    let slice = Slice { from_nodes: from, ..Slice::default() };
    let is_due = |name: &String| match shared.project.staleness.get(name) {
        Some(Freshness::Stale { .. } | Freshness::StaleThrough { .. }) => true,
        Some(Freshness::NeverRun) => !watch.known.contains(name),
        Some(Freshness::Fresh | Freshness::Unknown { .. }) | None => false,
    };
    slice.apply(pipeline).unwrap_or_default().into_iter().filter(is_due).collect()
}
