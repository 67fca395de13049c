//! Starting, following and cancelling a run.

use super::act::trusted;
use crate::app::command::Command;
use crate::app::effect::Effect;
use crate::app::event::{GRID, Generation};
use crate::app::run::{ActiveRun, NodeState, headline};
use crate::app::state::{Dialog, Question, State, Tab};
use crate::dag::staleness::Status;
use crate::dag::{Kind, Slice};
use crate::runs::{Failure, RunEvent, RunRequest, Stamped, plan};
use crate::store::{NodeOutcome, RunId, RunRecord};
use crate::text::sanitize;

/// The nodes that a run is asked for: the marked ones, else the selected one.
pub(super) fn chosen(state: &State) -> Vec<String> {
    let marked = &state.pipeline.marked;
    if !marked.is_empty() {
        // In the pipeline's order, as a person reads them.
        let nodes = state.shown_pipeline().into_iter().flat_map(|pipeline| &pipeline.nodes);
        return nodes.map(|node| node.name.clone()).filter(|name| marked.contains(name)).collect();
    }
    match &state.pipeline.selected {
        Some((Kind::Node, name)) => vec![name.clone()],
        _ => Vec::new(),
    }
}

/// The same as a slice: the one that the graph shows, while its nodes are those that are marked.
fn chosen_slice(state: &State) -> Slice {
    let nodes = chosen(state);
    if let (Some((from, to)), Some(pipeline)) = (&state.pipeline.slice, state.shown_pipeline()) {
        let slice = Slice { from_nodes: from.clone(), to_nodes: to.clone(), ..Slice::default() };
        if slice.apply(pipeline).is_ok_and(|between| between == nodes) {
            return slice;
        }
    }
    Slice::nodes(nodes)
}

/// What a command asks to run.
pub(super) fn request(state: &State, command: Command) -> RunRequest {
    let selected = match &state.pipeline.selected {
        Some((Kind::Node, name)) => vec![name.clone()],
        _ => Vec::new(),
    };
    let slice = match command {
        Command::RunSelected => chosen_slice(state),
        Command::RunFromHere => Slice { from_nodes: selected, ..Slice::default() },
        Command::RunToHere => Slice { to_nodes: selected, ..Slice::default() },
        _ => Slice::default(),
    };
    let pipeline = state.shown_pipeline().map(|pipeline| pipeline.name.clone());
    RunRequest {
        pipeline: pipeline.filter(|name| name != "__default__"),
        slice,
        env: state.env.clone(),
        params: state.overrides.clone(),
        ..RunRequest::default()
    }
}

/// Whether all nodes that a run is asked for are known to be fresh.
pub(super) fn is_fresh(state: &State) -> bool {
    let nodes = chosen(state);
    let fresh = |node: &String| state.project.staleness.get(node) == Some(&Status::Fresh);
    !nodes.is_empty() && nodes.iter().all(fresh)
}

/// Runs what is not fresh up to the selected node, or in the whole pipeline.
pub(super) fn run_stale(state: &mut State) -> Vec<Effect> {
    let up_to = match &state.pipeline.selected {
        Some((Kind::Node, name)) => Some(name.clone()),
        _ => None,
    };
    let slice = Slice { to_nodes: up_to.iter().cloned().collect(), ..Slice::default() };
    let Some(pipeline) = state.shown_pipeline() else { return Vec::new() };
    let nodes = slice.apply(pipeline).unwrap_or_default();
    let statuses = &state.project.staleness;
    let due = nodes.into_iter().filter(|node| statuses.get(node).is_none_or(Status::is_due));
    let due: Vec<String> = due.collect();
    if due.is_empty() {
        let text = match up_to {
            Some(node) => format!("Everything up to {} is fresh.", sanitize(&node)),
            None => "Everything is fresh.".into(),
        };
        state.tell(text);
        return Vec::new();
    }
    let request = request(state, Command::RunPipeline);
    start(state, RunRequest { slice: Slice::nodes(due), ..request }, Command::RunStale)
}

/// Runs again what the shown run did not do.
pub(super) fn retry(state: &mut State) -> Vec<Effect> {
    let Some(record) = state.failed_run().cloned() else { return Vec::new() };
    // A request that another version wrote otherwise is made anew.
    let mut request: RunRequest = serde_json::from_str(&record.new.request)
        .unwrap_or_else(|_| request(state, Command::RunPipeline));
    let not_kept = request.not_kept().join(", ");
    if !not_kept.is_empty() {
        state.warn(format!(
            "Run {} was given a secret {}, which is not kept: start it anew with its value.",
            record.id,
            sanitize(&not_kept)
        ));
        return Vec::new();
    }
    let live = state.run.as_ref().filter(|run| run.record.id == record.id);
    let left: Vec<String> = match (live, state.history.read(record.id)) {
        (Some(run), _) => {
            let left = run.nodes.iter().filter(|(_, it)| !matches!(it, NodeState::Done(_)));
            left.map(|(name, _)| name.clone()).collect()
        }
        (None, Some(read)) => {
            let nodes = read.whole.nodes.iter();
            let left = nodes.filter(|node| node.outcome != NodeOutcome::Succeeded);
            left.map(|node| node.node.clone()).collect()
        }
        (None, None) => Vec::new(),
    };
    // A run that failed before its first node is run as it was asked for, and so is one that saves
    // apart: the rest would begin with the project's data.
    if !left.is_empty() && request.apart.is_none() {
        request.slice = Slice::nodes(left);
    }
    request.params.extend(state.overrides.clone());
    start(state, request, Command::Retry)
}

/// Asks for a run that `command` stands for, once the project is trusted. Runs side by side must not
/// write the same data.
pub(super) fn start(state: &mut State, request: RunRequest, command: Command) -> Vec<Effect> {
    if let Some(why) = at_work(state, &request) {
        state.warn(why);
        return Vec::new();
    }
    state.generations.run += 1;
    let generation = state.generations.run;
    state.starting.push((generation, request.clone()));
    state.waiting_run = Some((request.clone(), command));
    state.tell(format!("Starting: {}", sanitize(&request.to_command())));
    let why = format!("the screen's {}", command.spec().name);
    trusted(state, vec![Effect::Run { generation, request: Box::new(request), why }])
}

/// Why the request has to wait: a run is at work on one of its nodes, or is about to be.
fn at_work(state: &State, request: &RunRequest) -> Option<String> {
    if state.starting.is_empty() {
        state.going_on().next()?;
    }
    let snapshot = state.project.snapshot.as_deref()?;
    let nodes_of = |request: &RunRequest| {
        request.slice.apply(plan::pipeline(snapshot, request)?.as_ref()).ok()
    };
    let nodes = nodes_of(request)?;
    let going_on = state.going_on().filter(|run| !run.apart).find_map(|run| {
        let shared = match run.nodes.is_empty() {
            // It has not said yet what it runs.
            true => nodes.first(),
            false => nodes.iter().find(|node| run.nodes.contains_key(*node)),
        };
        Some(format!("run {} is at work on {}", run.record.id, sanitize(shared?)))
    });
    let starting = || {
        state.starting.iter().find_map(|(_, other)| {
            let others = nodes_of(other).unwrap_or_default();
            let shared = nodes.iter().find(|node| others.contains(node))?;
            Some(format!("a run of {} is being started", sanitize(shared)))
        })
    };
    going_on.or_else(starting)
}

/// Asks for a run that outlives this screen, once the project is trusted.
pub(super) fn start_detached(state: &mut State, request: RunRequest) -> Vec<Effect> {
    state.generations.detached += 1;
    let generation = state.generations.detached;
    state.tell(format!("Starting by itself: {}", sanitize(&request.to_command())));
    trusted(state, vec![Effect::RunDetached { generation, request: Box::new(request) }])
}

/// The run that outlives this screen began, or could not.
pub(super) fn detached(
    state: &mut State,
    generation: Generation,
    result: Result<RunId, String>,
) -> Vec<Effect> {
    match result {
        Err(why) => state.warn(sanitize(&why)),
        Ok(_) if generation != state.generations.detached => {}
        Ok(id) => {
            state.history.coming = Some(id);
            state.tell(format!("Run {id} goes on by itself; Runs shows it."));
            return vec![state.load_runs()];
        }
    }
    Vec::new()
}

/// Asks the run that is going on to stop; of several, the one that Runs shows, else the one that began
/// last. A run of a grid stops with the others of its grid.
pub(super) fn cancel(state: &mut State) -> Vec<Effect> {
    let shown = state.shown_run().filter(|_| state.tab == Tab::Runs).map(|run| run.id);
    let shown = shown.filter(|id| state.going_on().any(|run| run.record.id == *id));
    let mut runs = state.run.iter_mut().chain(state.beside.iter_mut().rev());
    let run = runs.find(|run| {
        run.ended.is_none() && !run.cancelling && shown.is_none_or(|id| id == run.record.id)
    });
    let Some(run) = run else { return Vec::new() };
    run.cancelling = true;
    let (id, batch) = (run.record.id, run.record.new.batch.clone());
    if batch.is_some() {
        let grid = state.beside.iter_mut().filter(|run| run.record.new.batch == batch);
        grid.for_each(|run| run.cancelling = true);
        state.tell("All runs of the grid are cancelled.");
    }
    vec![Effect::Cancel(id)]
}

/// Asks all runs of this program to stop.
pub(super) fn cancel_all(state: &mut State) -> Vec<Effect> {
    let runs = state.run.iter_mut().chain(&mut state.beside);
    let left = runs.filter(|run| run.ended.is_none() && !run.cancelling);
    let cancel = |run: &mut ActiveRun| {
        run.cancelling = true;
        Effect::Cancel(run.record.id)
    };
    left.map(cancel).collect()
}

/// Another program asks for the end of the run that is going on; without one, or the second time, for
/// the end of this program.
pub(super) fn interrupted(state: &mut State) -> Vec<Effect> {
    let effects = cancel(state);
    if effects.is_empty() { vec![Effect::Quit] } else { effects }
}

/// The run was accepted.
pub(super) fn started(state: &mut State, generation: Generation, record: RunRecord) {
    state.starting.retain(|(asked, _)| *asked != generation);
    state.beside.retain(|run| run.ended.is_none());
    state.runs.rows.retain(|other| other.id != record.id);
    state.runs.rows.insert(0, record.clone());
    // A run that was asked for later has the screen.
    if generation != state.generations.run {
        state.beside.push(ActiveRun::new(record));
        return;
    }
    state.notice = None;
    state.waiting_run = None;
    let before = state.run.replace(ActiveRun::new(record));
    state.beside.extend(before.filter(|run| run.ended.is_none()));
    state.refresh_states();
    super::graph::keep_in_view(state);
}

/// The run could not be started.
pub(super) fn refused(
    state: &mut State,
    generation: Generation,
    failure: &Failure,
    needs_environment: bool,
) {
    state.starting.retain(|(asked, _)| *asked != generation);
    let text = headline(failure);
    if needs_environment && (generation == state.generations.run || generation == GRID) {
        state.dialogs.push(Dialog::Ask(Question::Environment(text)));
        state.notice = None;
    } else if generation == GRID {
        state.warn(format!("A run of the grid can't start: {text}"));
    } else {
        if generation == state.generations.run {
            state.waiting_run = None;
        }
        state.warn(text);
    }
}

/// Something happened in a run.
pub(super) fn happened(state: &mut State, id: RunId, events: &[Stamped]) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut runs = state.run.iter_mut().chain(&mut state.beside);
    let Some(run) = runs.find(|run| run.record.id == id) else { return effects };
    let before = run.ended.is_some();
    let saved = events.iter().any(|stamped| matches!(stamped.event, RunEvent::DatasetSaved { .. }));
    for event in events {
        run.apply(event);
        state.now = state.now.max(event.at);
        // Until it is looked at: a key that is pressed meanwhile must not run it again.
        if let RunEvent::NodeFinished { node, .. } = &event.event
            && !run.apart
            && let Some(status) = state.project.staleness.get_mut(node)
        {
            *status = Status::Fresh;
        }
    }
    if saved {
        effects.push(Effect::StatDatasets);
    }
    if run.ended.is_some() && !before {
        // Metrics that the run has logged are in the tracking store now.
        effects.push(Effect::LoadTracking);
    }
    let (record, ended) = (run.record.clone(), run.ended.is_some());
    if let Some(row) = state.runs.rows.iter_mut().find(|row| row.id == id) {
        *row = record;
    }
    for stamped in events {
        match &stamped.event {
            RunEvent::NodeStarted { node } => {
                state.refresh_state(node);
                super::graph::follow(state, node);
            }
            RunEvent::NodeFinished { node, .. } | RunEvent::NodeFailed { node, .. } => {
                state.refresh_state(node);
            }
            RunEvent::RunStarted { .. } => state.refresh_states(),
            _ => {}
        }
    }
    if ended {
        state.refresh_states();
        super::graph::redraw_by_status(state);
    }
    effects
}
