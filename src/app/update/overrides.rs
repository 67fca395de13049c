//! Parameters that stand in the place of the files' for the next runs, and grids of them.

use super::{act, running};
use crate::app::command::Command;
use crate::app::effect::Effect;
use crate::app::history::PromptKind;
use crate::app::parameters::{find, one_line};
use crate::app::state::{Exact, State};
use crate::project::Value;
use crate::runs::{grid, params};
use crate::text::sanitize;
use crate::text::secrets::redact;

/// Begins to type the value of the selected parameter.
pub(super) fn begin(state: &mut State) {
    let Some(row) = state.parameters.selected() else { return };
    let path = row.path.clone();
    let snapshot = state.project.snapshot.as_deref();
    let found = snapshot.and_then(|snapshot| find(&snapshot.parameters, &path));
    let before = state.overrides.get(&path);
    let is_secret = params::is_secret(&path, before.map_or("", String::as_str))
        || found.is_some_and(|located| matches!(located.value, Value::Secret(_)));
    let text = match (before, found) {
        // A secret is typed anew.
        _ if is_secret => String::new(),
        (Some(text), _) => text.clone(),
        (None, found) => found.map(|located| one_line(&located.value)).unwrap_or_default(),
    };
    super::history::begin(state, PromptKind::Override(path), &text);
    if let Some(prompt) = state.prompt.as_mut().filter(|_| is_secret) {
        prompt.field.set_mask_char('*');
    }
}

/// The value was typed: it holds until it is cleared.
pub(super) fn set(state: &mut State, path: String, text: String) -> Vec<Effect> {
    state.tell(format!("{} is overridden for the next runs.", sanitize(&path)));
    state.overrides.insert(path, text);
    read(state)
}

/// Takes back the override of the selected parameter, or all of them.
pub(super) fn clear(state: &mut State, command: Command) -> Vec<Effect> {
    match command {
        Command::ClearOverride => {
            let Some(path) = state.parameters.selected().map(|row| row.path.clone()) else {
                return Vec::new();
            };
            state.overrides.shift_remove(&path);
            state.tell(format!("{} is the files' again.", sanitize(&path)));
        }
        _ => {
            state.overrides.clear();
            state.tell("All parameters are the files' again.");
        }
    }
    read(state)
}

/// What is on the screen is read again with the parameters as they are now.
fn read(state: &mut State) -> Vec<Effect> {
    let mut effects = vec![state.read_static()];
    if matches!(state.project.exact, Exact::Shown(_)) {
        effects.extend(act::read_exact(state));
    }
    effects
}

/// A grid was typed: the marked nodes run, or the whole pipeline, once for each set of parameters.
///
/// # Errors
/// A sentence, when it can't be read.
pub(super) fn grid(state: &mut State, text: &str) -> Result<Vec<Effect>, String> {
    let sets = grid::parse(text)?;
    let nodes = match state.pipeline.marked.is_empty() {
        true => Command::RunPipeline,
        false => Command::RunSelected,
    };
    let request = running::request(state, nodes);
    let requests = grid::requests(&request, sets, state.now);
    state.tell(format!("Starting {} runs; Runs shows them.", requests.len()));
    let why = format!("a grid: {}", redact(text.trim()));
    Ok(act::trusted(state, vec![Effect::RunGrid { requests, why }]))
}
