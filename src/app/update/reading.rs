//! Requests for readings of the project.

use super::trust::trusted;
use crate::app::effect::Effect;
use crate::app::shared::{Exact, Shared};
use crate::app::state::State;

/// Asks Kedro for the exact reading, once the project is trusted.
pub(super) fn read_exact(shared: &mut Shared) -> Vec<Effect> {
    shared.project.exact = Exact::Reading("python".into());
    let effect = Effect::ReadExact {
        generation: shared.generations.exact.count(),
        env: shared.env.clone(),
        params: shared.overrides.clone(),
    };
    trusted(shared, vec![effect])
}

/// Reads everything again.
pub(super) fn reload(state: &mut State) -> Vec<Effect> {
    let State { shared, runs, .. } = state;
    shared.project.sources.clear();
    vec![
        shared.read_static(),
        runs.load(shared),
        Effect::LoadTimings,
        Effect::LoadTracking,
        Effect::StatDatasets,
        Effect::ReloadSettings,
    ]
}

/// Reads the project in another run environment.
pub(super) fn show_environment(state: &mut State, env: String) -> Vec<Effect> {
    let shared = &mut state.shared;
    shared.project.staleness.clear();
    shared.memory.env = Some(env.clone());
    shared.env = Some(env);
    shared.project.exact = Exact::None;
    shared.project.read = None;
    reload(state)
}
