//! Runs of other programs: detached ones, those of other screens and of the command line. They are read from the store
//! while they go on.

use crate::app::effect::Effect;
use crate::app::notice::Toast;
use crate::app::run::ActiveRun;
use crate::app::state::State;
use crate::runs::Failure;
use crate::store::{NodeRecord, Outcome, RunRecord};

/// Asks for the runs of other programs that go on, and for those that did.
pub(super) fn look(state: &State) -> Effect {
    let known = state.shared.elsewhere.iter().filter_map(|run| run.record.id);
    Effect::LoadGoingOn(known.collect())
}

/// Takes over the runs that go on, and those of other programs that have ended meanwhile.
pub(super) fn going_on(state: &mut State, runs: Vec<(RunRecord, Vec<NodeRecord>)>) -> Vec<Effect> {
    let State { shared, pipeline, .. } = state;
    let before = std::mem::take(&mut shared.elsewhere);
    let mut effects = Vec::new();
    let mut started = None;
    for (record, nodes) in runs {
        let mut own = shared.run.iter().chain(&shared.beside);
        if own.any(|run| run.record.is_same(&record)) {
            continue;
        }
        let known = before.iter().find(|run| run.record.is_same(&record));
        if record.outcome == Outcome::Running {
            let run = ActiveRun::recorded(record, &nodes);
            let current = run.current().map(str::to_owned);
            if known.is_none_or(|known| known.current() != current.as_deref()) {
                started = current.or(started);
            }
            shared.elsewhere.push(run);
        } else if known.is_some() {
            let failed = nodes.iter().find(|node| node.failure.is_some());
            let failure: Option<Failure> =
                failed.and_then(|node| serde_json::from_str(node.failure.as_deref()?).ok());
            let node = record.failed_node.as_deref();
            let toast = Toast::of(&record, node, failure.as_ref(), false, shared.now);
            effects.extend(shared.show_end(toast));
            effects.extend([Effect::LoadTracking, Effect::LoadTimings, Effect::StatDatasets]);
            effects.extend(shared.look_stale());
        }
    }
    if before.is_empty() && shared.elsewhere.is_empty() {
        return effects;
    }
    pipeline.refresh_states(shared);
    pipeline.redraw_by_status(shared);
    if let Some(node) = started.filter(|_| shared.running().is_none()) {
        pipeline.follow(shared, &node);
    }
    effects
}
