//! Starting, following and cancelling a run.

use super::trust::trusted;
use crate::app::command::Command;
use crate::app::dialog::Question;
use crate::app::effect::{Effect, Generation, RunKey};
use crate::app::notice::Toast;
use crate::app::queries;
use crate::app::run::{ActiveRun, NodeState, headline};
use crate::app::shared::Shared;
use crate::app::state::State;
use crate::dag::Slice;
use crate::dag::staleness::Freshness;
use crate::runs::{Failure, RunEvent, RunRequest, Stamped, plan};
use crate::store::{NodeOutcome, RunId, RunRecord};
use crate::text::{UserError, sanitize};

/// Runs the stale nodes up to the selected node, or in the whole pipeline.
pub(super) fn run_stale(state: &mut State) -> Vec<Effect> {
    let (due, up_to) = queries::due(state);
    let shared = &mut state.shared;
    if due.is_empty() {
        let text = match up_to {
            Some(node) => format!("Everything up to {} is fresh.", sanitize(&node)),
            None => "Everything is fresh.".into(),
        };
        shared.tell(text);
        return Vec::new();
    }
    let request = RunRequest { slice: Slice::nodes(due), ..shared.request() };
    start(shared, request, Command::RunStale)
}

/// Runs the nodes that the shown run did not finish.
pub(super) fn retry(state: &mut State) -> Vec<Effect> {
    let Some(record) = queries::failed_run(state).cloned() else { return Vec::new() };
    // A request in the format of another version can't be parsed; a default request replaces it.
    let mut request: RunRequest =
        serde_json::from_str(&record.new.request).unwrap_or_else(|_| state.shared.request());
    let not_kept = request.not_kept().join(", ");
    if !not_kept.is_empty() {
        state.shared.warn(format!(
            "The secret {} of {} is not kept: start the run anew with its value.",
            sanitize(&not_kept),
            record.name()
        ));
        return Vec::new();
    }
    let live = state.shared.run.as_ref().filter(|run| run.record.is_same(&record));
    let left: Vec<String> = match (live, record.id.and_then(|id| state.runs.read(id))) {
        (Some(run), _) => {
            let left = run.nodes.iter().filter(|(_, state)| !matches!(state, NodeState::Done(_)));
            left.map(|(name, _)| name.clone()).collect()
        }
        (None, Some(read)) => {
            let nodes = read.whole.nodes.iter();
            let left = nodes.filter(|node| node.outcome != NodeOutcome::Succeeded);
            left.map(|node| node.node.clone()).collect()
        }
        (None, None) => Vec::new(),
    };
    // A run that failed before its first node is repeated as requested. So is a run that saves in a folder of
    // its own: the remaining nodes would read the project's data instead.
    if !left.is_empty() && request.apart.is_none() {
        request.slice = Slice::nodes(left);
    }
    request.params.extend(state.shared.overrides.clone());
    start(&mut state.shared, request, Command::Retry)
}

/// Requests a run for `command`, once the project is trusted. Concurrent runs must not
/// write the same data.
pub(super) fn start(shared: &mut Shared, request: RunRequest, command: Command) -> Vec<Effect> {
    if let Some(why) = at_work(shared, &request) {
        shared.warn(why);
        return Vec::new();
    }
    let generation = shared.generations.run.count();
    shared.starting.push((generation, request.clone()));
    shared.waiting_run = Some((request.clone(), command));
    shared.tell(format!("Starting: {}", sanitize(&request.to_command())));
    let why = format!("the screen's {}", command.spec().name);
    trusted(shared, vec![Effect::Run { generation, request: Box::new(request), why }])
}

/// Why the request has to wait: another run includes one of its nodes.
fn at_work(shared: &Shared, request: &RunRequest) -> Option<String> {
    if shared.starting.is_empty() {
        shared.going_on().next()?;
    }
    let snapshot = shared.project.snapshot.as_deref()?;
    let nodes_of = |request: &RunRequest| {
        request.slice.apply(plan::pipeline(snapshot, request)?.as_ref()).ok()
    };
    let nodes = nodes_of(request)?;
    let going_on = shared.going_on().filter(|run| !run.apart).find_map(|run| {
        let shared = match run.nodes.is_empty() {
            // The nodes of that run are not known yet.
            true => nodes.first(),
            false => nodes.iter().find(|node| run.nodes.contains_key(*node)),
        };
        Some(format!("{} is already running {}", run.record.name(), sanitize(shared?)))
    });
    let starting = || {
        shared.starting.iter().find_map(|(_, other)| {
            let others = nodes_of(other).unwrap_or_default();
            let shared = nodes.iter().find(|node| others.contains(node))?;
            Some(format!("a run of {} is already starting", sanitize(shared)))
        })
    };
    going_on.or_else(starting)
}

/// Requests a run that outlives this program, once the project is trusted.
pub(super) fn start_detached(shared: &mut Shared, request: RunRequest) -> Vec<Effect> {
    let generation = shared.generations.detached.count();
    shared.tell(format!("Starting in the background: {}", sanitize(&request.to_command())));
    trusted(shared, vec![Effect::RunDetached { generation, request: Box::new(request) }])
}

/// The detached run began, or could not begin.
pub(super) fn detached(
    state: &mut State,
    generation: Generation,
    result: Result<Option<RunId>, UserError>,
) -> Vec<Effect> {
    let State { shared, runs, .. } = state;
    match result {
        Err(error) => shared.warn(sanitize(&error.line())),
        Ok(_) if generation != shared.generations.detached => {}
        Ok(None) => {
            shared.tell("The run continues in the background. It is not kept in the history.");
        }
        Ok(Some(id)) => {
            runs.coming = Some(id);
            shared.tell(format!("Run {id} continues in the background; see the Runs tab."));
            return vec![runs.load(shared)];
        }
    }
    Vec::new()
}

/// Asks a run of this program to stop: the selected one, else the one that began last. A run of a grid
/// stops with the others of its grid.
pub(super) fn cancel(state: &mut State) -> Vec<Effect> {
    let selected = state.screen().selected_run();
    let own = |run: &&ActiveRun| selected.is_some_and(|selected| run.record.is_same(selected));
    let selected = state.shared.going_on().find(own).map(|run| run.key);
    let shared = &mut state.shared;
    let mut runs = shared.run.iter_mut().chain(shared.beside.iter_mut().rev());
    let run = runs.find(|run| {
        run.ended.is_none() && !run.cancelling && selected.is_none_or(|key| key == run.key)
    });
    let Some(run) = run else { return Vec::new() };
    run.cancelling = true;
    let (key, batch) = (run.key, run.record.new.batch.clone());
    if batch.is_some() {
        let grid = shared.beside.iter_mut().filter(|run| run.record.new.batch == batch);
        grid.for_each(|run| run.cancelling = true);
        shared.tell("All runs of the grid are cancelled.");
    }
    vec![Effect::Cancel(key)]
}

/// Asks all runs of this program to stop.
pub(super) fn cancel_all(shared: &mut Shared) -> Vec<Effect> {
    let runs = shared.run.iter_mut().chain(&mut shared.beside);
    let left = runs.filter(|run| run.ended.is_none() && !run.cancelling);
    let cancel = |run: &mut ActiveRun| {
        run.cancelling = true;
        Effect::Cancel(run.key)
    };
    left.map(cancel).collect()
}

/// Another process asks to cancel the run. Without a run, or the second time, it asks for
/// the end of this program.
pub(super) fn interrupted(state: &mut State) -> Vec<Effect> {
    let effects = cancel(state);
    if effects.is_empty() { vec![Effect::Quit] } else { effects }
}

/// The run was accepted.
pub(super) fn started(
    state: &mut State,
    generation: Option<Generation>,
    key: RunKey,
    record: RunRecord,
) {
    let State { shared, runs, pipeline, .. } = state;
    shared.starting.retain(|(asked, _)| Some(*asked) != generation);
    shared.beside.retain(|run| run.ended.is_none());
    shared.elsewhere.retain(|run| !run.record.is_same(&record));
    runs.put_row(record.clone());
    // A later request is shown on the screen instead.
    if generation != Some(shared.generations.run) {
        shared.beside.push(ActiveRun::new(key, record));
        return;
    }
    shared.notice = None;
    shared.waiting_run = None;
    let before = shared.run.replace(ActiveRun::new(key, record));
    shared.beside.extend(before.filter(|run| run.ended.is_none()));
    pipeline.refresh_states(shared);
    pipeline.keep_in_view(shared);
}

/// The run could not be started.
pub(super) fn refused(
    shared: &mut Shared,
    generation: Option<Generation>,
    failure: &Failure,
    needs_environment: bool,
) {
    shared.starting.retain(|(asked, _)| Some(*asked) != generation);
    let text = headline(failure);
    let (of_grid, last) = (generation.is_none(), generation == Some(shared.generations.run));
    if needs_environment && shared.is_making() {
        shared.tell("The run starts when the Python environment is made.");
    } else if needs_environment && (of_grid || last) {
        shared.ask(Question::Environment(text));
        shared.notice = None;
    } else if of_grid {
        shared.warn(format!("A run of the grid can't start: {text}"));
    } else {
        if last {
            shared.waiting_run = None;
        }
        shared.warn(text);
    }
}

/// Applies the events of a run.
pub(super) fn happened(state: &mut State, key: RunKey, events: &[Stamped]) -> Vec<Effect> {
    let State { shared, runs: history, pipeline, .. } = state;
    let mut effects = Vec::new();
    let mut runs = shared.run.iter_mut().chain(&mut shared.beside);
    let Some(run) = runs.find(|run| run.key == key) else { return effects };
    let before = run.ended.is_some();
    let saved = events.iter().any(|stamped| matches!(stamped.event, RunEvent::DatasetSaved { .. }));
    for event in events {
        run.apply(event);
        shared.now = shared.now.max(event.at);
        // Assume that the node is fresh until staleness is computed: a key pressed meanwhile must not run it again.
        if let RunEvent::NodeFinished { node, .. } = &event.event
            && !run.apart
            && let Some(status) = shared.project.staleness.get_mut(node)
        {
            *status = Freshness::Fresh;
        }
    }
    if saved {
        effects.push(Effect::StatDatasets);
    }
    let ended = run.ended.is_some();
    let record = run.record.clone();
    let toast = (ended && !before).then(|| {
        let shown = shared.run.as_ref().is_some_and(|run| run.key == key);
        let run = if shown {
            shared.run.as_ref()
        } else {
            shared.beside.iter().find(|run| run.key == key)
        };
        let (node, failure) =
            run.map_or((None, None), |run| (run.failed_node.as_deref(), run.failure.as_ref()));
        Toast::of(&record, node, failure, shown, shared.now)
    });
    if let Some(toast) = toast {
        // The tracking store now contains the metrics of the run.
        effects.push(Effect::LoadTracking);
        effects.extend(shared.show_end(toast));
    }
    history.replace_row(record);
    for stamped in events {
        match &stamped.event {
            RunEvent::NodeStarted { node } => {
                pipeline.refresh_state(shared, node);
                pipeline.follow(shared, node);
            }
            RunEvent::NodeFinished { node, .. } | RunEvent::NodeFailed { node, .. } => {
                pipeline.refresh_state(shared, node);
            }
            RunEvent::RunStarted { .. } => pipeline.refresh_states(shared),
            _ => {}
        }
    }
    if ended {
        pipeline.refresh_states(shared);
        pipeline.redraw_by_status(shared);
    }
    effects
}
