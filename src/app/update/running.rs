//! Starting, following and cancelling a run.

use super::act::trusted;
use crate::app::command::Command;
use crate::app::effect::Effect;
use crate::app::event::Generation;
use crate::app::run::{ActiveRun, headline};
use crate::app::state::{Dialog, Question, State};
use crate::dag::{Kind, Slice};
use crate::runs::{Failure, RunRequest, Stamped};
use crate::store::{RunId, RunRecord};

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

/// What a command asks to run.
pub(super) fn request(state: &State, command: Command) -> RunRequest {
    let selected = match &state.pipeline.selected {
        Some((Kind::Node, name)) => vec![name.clone()],
        _ => Vec::new(),
    };
    let slice = match command {
        Command::RunSelected => Slice::nodes(chosen(state)),
        Command::RunFromHere => Slice { from_nodes: selected, ..Slice::default() },
        Command::RunToHere => Slice { to_nodes: selected, ..Slice::default() },
        _ => Slice::default(),
    };
    let pipeline = state.shown_pipeline().map(|pipeline| pipeline.name.clone());
    RunRequest {
        pipeline: pipeline.filter(|name| name != "__default__"),
        slice,
        env: state.env.clone(),
        ..RunRequest::default()
    }
}

/// Asks for a run that `command` stands for, once the project is trusted.
pub(super) fn start(state: &mut State, request: RunRequest, command: Command) -> Vec<Effect> {
    state.generations.run += 1;
    let generation = state.generations.run;
    state.waiting_run = Some((request.clone(), command));
    state.tell(format!("Starting: {}", crate::text::sanitize(&request.to_command())));
    let why = format!("the screen's {}", command.spec().name);
    trusted(state, vec![Effect::Run { generation, request: Box::new(request), why }])
}

/// Asks for a run that outlives this screen, once the project is trusted.
pub(super) fn start_detached(state: &mut State, request: RunRequest) -> Vec<Effect> {
    state.generations.detached += 1;
    let generation = state.generations.detached;
    state.tell(format!("Starting by itself: {}", crate::text::sanitize(&request.to_command())));
    trusted(state, vec![Effect::RunDetached { generation, request: Box::new(request) }])
}

/// The run that outlives this screen began, or could not.
pub(super) fn detached(
    state: &mut State,
    generation: Generation,
    result: Result<RunId, String>,
) -> Vec<Effect> {
    match result {
        Err(why) => state.warn(crate::text::sanitize(&why)),
        Ok(_) if generation != state.generations.detached => {}
        Ok(id) => {
            state.history.coming = Some(id);
            state.tell(format!("Run {id} goes on by itself; Runs shows it."));
            return vec![state.load_runs()];
        }
    }
    Vec::new()
}

/// Asks the run that is going on to stop.
pub(super) fn cancel(state: &mut State) -> Vec<Effect> {
    match &mut state.run {
        Some(run) if run.ended.is_none() => {
            run.cancelling = true;
            vec![Effect::Cancel(run.record.id)]
        }
        _ => Vec::new(),
    }
}

/// Another program asks for the end of the run that is going on; without one, or the second time, for
/// the end of this program.
pub(super) fn interrupted(state: &mut State) -> Vec<Effect> {
    match state.running().is_some_and(|run| !run.cancelling) {
        true => cancel(state),
        false => vec![Effect::Quit],
    }
}

/// The run was accepted.
pub(super) fn started(state: &mut State, generation: Generation, record: RunRecord) {
    if generation != state.generations.run {
        return;
    }
    state.notice = None;
    state.waiting_run = None;
    state.runs.rows.retain(|other| other.id != record.id);
    state.runs.rows.insert(0, record.clone());
    state.run = Some(ActiveRun::new(record));
    super::navigate::keep_in_view(state);
}

/// The run could not be started.
pub(super) fn refused(
    state: &mut State,
    generation: Generation,
    failure: &Failure,
    needs_environment: bool,
) {
    if generation != state.generations.run {
        return;
    }
    let text = headline(failure);
    if needs_environment {
        state.dialogs.push(Dialog::Ask(Question::Environment(text)));
        state.notice = None;
    } else {
        state.waiting_run = None;
        state.warn(text);
    }
}

/// Something happened in a run.
pub(super) fn happened(state: &mut State, id: RunId, events: &[Stamped]) -> Vec<Effect> {
    let mut effects = Vec::new();
    let Some(run) = state.run.as_mut().filter(|run| run.record.id == id) else { return effects };
    let before = run.ended.is_some();
    let saved = events
        .iter()
        .any(|stamped| matches!(stamped.event, crate::runs::RunEvent::DatasetSaved { .. }));
    for event in events {
        run.apply(event);
        state.now = state.now.max(event.at);
    }
    if saved {
        effects.push(Effect::StatDatasets);
    }
    if run.ended.is_some() && !before {
        // Metrics that the run has logged are in the tracking store now.
        effects.push(Effect::LoadTracking);
    }
    let record = run.record.clone();
    if let Some(row) = state.runs.rows.iter_mut().find(|row| row.id == id) {
        *row = record;
    }
    effects
}
