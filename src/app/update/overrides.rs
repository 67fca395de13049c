//! Overrides of parameters for the next runs, and grids of parameter values.

use super::reading::read_exact;
use super::trust::trusted;
use crate::app::dialog::Question;
use crate::app::effect::Effect;
use crate::app::queries;
use crate::app::screens::entry::find;
use crate::app::shared::{Exact, Shared};
use crate::app::state::State;
use crate::app::undo::Before;
use crate::project::{Value, config};
use crate::runs::grid;
use crate::text::secrets::redact;
use crate::text::{UserError, sanitize};

/// Overrides a parameter by a typed text; asks first if the type changes. A missing value and one that is not known
/// have no type.
///
/// # Errors
/// If the text is not valid YAML; Kedro would refuse it when the run starts.
pub(super) fn check(
    shared: &mut Shared,
    path: String,
    text: String,
) -> Result<Vec<Effect>, UserError> {
    let after = type_of(&config::parse(&text)?);
    let snapshot = shared.snapshot();
    let before = snapshot.and_then(|snapshot| find(&snapshot.parameters, &path));
    let before = before.and_then(|located| type_of(&located.value));
    match (before, after) {
        (Some(before), Some(after)) if before != after => {
            shared.ask(Question::OverrideType(path, text, [before, after]));
            Ok(Vec::new())
        }
        _ => Ok(set(shared, path, text)),
    }
}

/// The type of a value, with its article.
fn type_of(value: &Value) -> Option<&'static str> {
    match value {
        Value::Bool(_) => Some("true or false"),
        Value::Int(_) | Value::BigInt(_) | Value::Float(_) => Some("a number"),
        Value::Str(_) => Some("a text"),
        Value::List(_) => Some("a list"),
        Value::Map(_) => Some("a mapping"),
        Value::Null | Value::Secret(_) | Value::Unknown(_) => None,
    }
}

/// Overrides a parameter until the override is removed.
pub(super) fn set(shared: &mut Shared, path: String, text: String) -> Vec<Effect> {
    let shown = sanitize(&path);
    shared.tell(format!("{shown} is overridden for the next runs."));
    keep(shared, format!("override of {shown}"));
    shared.overrides.insert(path, text);
    read(shared)
}

/// Removes the override of the selected parameter.
pub(super) fn clear(state: &mut State) -> Vec<Effect> {
    let Some(row) = state.parameters.list.selected() else { return Vec::new() };
    let shared = &mut state.shared;
    keep(shared, format!("removing the override of {}", sanitize(&row.path)));
    shared.overrides.shift_remove(&row.path);
    shared.tell(format!("{} has its value from the files again.", sanitize(&row.path)));
    read(shared)
}

/// Removes all overrides.
pub(super) fn clear_all(shared: &mut Shared) -> Vec<Effect> {
    keep(shared, "removing all overrides".into());
    shared.overrides.clear();
    shared.tell("All parameters have their values from the files again.");
    read(shared)
}

/// Keeps the overrides as they are before an edit.
fn keep(shared: &mut Shared, text: String) {
    shared.edits.add(text, Before::Overrides(shared.overrides.clone()));
}

/// Requests the readings on the screen again, with the current overrides.
pub(super) fn read(shared: &mut Shared) -> Vec<Effect> {
    let mut effects = vec![shared.read_static()];
    if matches!(shared.project.exact, Exact::Shown(_)) {
        effects.extend(read_exact(shared));
    }
    effects
}

/// Runs the marked nodes, or the whole pipeline, once for each combination of a typed grid.
///
/// # Errors
/// If the text can't be parsed as a grid.
pub(super) fn grid(state: &mut State, text: &str) -> Result<Vec<Effect>, UserError> {
    let sets = grid::parse(text)?;
    let request = queries::request_of_marked(state);
    let shared = &mut state.shared;
    let requests = grid::requests(&request, sets, shared.now);
    shared.tell(format!("Starting {} runs; Runs shows them.", requests.len()));
    let why = format!("a grid: {}", redact(text.trim()));
    Ok(trusted(shared, vec![Effect::RunGrid { requests, why }]))
}
