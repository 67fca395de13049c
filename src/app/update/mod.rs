//! From what happened to the next state, and what to ask the services for.
//!
//! No I/O, no waiting, no clock: whole sessions are tested by feeding events and reading the state.

mod act;
mod dialog;
mod graph;
pub(super) mod history;
mod input;
mod navigate;
mod overrides;
mod report;
mod running;
mod search;

pub use dialog::{picker_area, picker_height, text_height};
pub(in crate::app) use graph::neighbours;

use super::effect::Effect;
use super::event::Event;
use super::graph::picture::ROWS_FOR_BOXES;
use super::state::{Pane, Source, State, Tab};
use crate::dag::Kind;
use crate::runs::{Failure, RunRequest};

/// Takes in what happened and returns what to ask for.
pub fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let drawing = state.generations.drawing;
    let mut effects = match event {
        Event::Key(key) => input::key(state, key.into(), key),
        Event::Mouse(mouse) => input::mouse(state, mouse),
        Event::Paste(text) => input::paste(state, &text),
        Event::Resize(columns, rows) => {
            state.resize(columns, rows);
            Vec::new()
        }
        Event::Interrupt => running::interrupted(state),
        Event::Focus(_) => Vec::new(),
        Event::Tick(now) => {
            state.now = now;
            state.history.tick(now);
            Vec::new()
        }
        Event::Report(report) => report::report(state, report),
    };
    if state.generations.drawing != drawing {
        effects.push(Effect::Draw(state.generations.drawing));
    }
    effects.extend(wanted(state));
    effects
}

impl State {
    /// The terminal has this size now.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        let before = std::mem::replace(&mut self.size, (columns, rows));
        // Whether there are boxes depends on the height, where nobody said.
        let tall = |rows: u16| rows >= ROWS_FOR_BOXES;
        if self.pipeline.zoom.is_none() && tall(before.1) != tall(rows) {
            graph::redraw(self, false);
        }
        graph::keep_in_view(self);
    }
}

/// What the screen needs and does not have: the source of the selected node, a run's events.
fn wanted(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    if state.tab == Tab::Pipeline
        && let Some((Kind::Node, name)) = &state.pipeline.selected
        && let Some(range) = state.node(name).and_then(|node| node.source.clone())
        && !state.project.sources.contains_key(&range.filepath)
    {
        state.project.sources.insert(range.filepath.clone(), Source::Loading);
        effects.push(Effect::ReadSource { file: range.filepath });
    }
    effects.extend(history::wanted(state));
    effects
}

/// The failure that `traceback` shows: of the selected run, else of the last one, else of the exact
/// reading.
pub fn failure_shown(state: &State) -> Option<(String, Failure)> {
    if state.tab == Tab::Runs
        && let Some(record) = state.shown_run()
        && state.run.as_ref().is_none_or(|run| run.record.id != record.id)
        && let Some(read) = state.history.read(record.id)
    {
        let failure = read.whole.failure.clone();
        return failure.map(|failure| (format!("run {}", record.id), failure));
    }
    if let Some(run) = &state.run
        && let Some(failure) = &run.failure
    {
        let of = match &run.failed_node {
            Some(node) => format!("{node}, run {}", run.record.id),
            None => format!("run {}", run.record.id),
        };
        return Some((of, failure.clone()));
    }
    match &state.project.exact {
        super::state::Exact::Failed(failure) => {
            Some(("Kedro's reading of the project".into(), (**failure).clone()))
        }
        _ => None,
    }
}

/// The node that a prompt is opened for, with its pipeline, environment and parameters: the selected one,
/// on the Runs screen the one that failed.
pub fn debugged(state: &State) -> Option<(String, RunRequest)> {
    if state.tab == Tab::Runs {
        let record = state.failed_run()?;
        let request = serde_json::from_str(&record.new.request).unwrap_or_default();
        return Some((record.failed_node.clone()?, request));
    }
    let failed = || state.run.as_ref().and_then(|run| run.failed_node.clone());
    let node = match &state.pipeline.selected {
        Some((Kind::Node, name)) => Some(name.clone()),
        _ => failed(),
    };
    Some((node?, running::request(state, super::command::Command::RunPipeline)))
}

/// Gives the focus to a pane that is there.
fn focus(state: &mut State, pane: Pane) {
    state.focus = if pane == Pane::Log && !state.log_shown() { Pane::Main } else { pane };
}
