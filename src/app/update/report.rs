//! What the services report.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{act, graph, history, navigate, running};
use crate::app::effect::Effect;
use crate::app::event::{Report, TrackingReport};
use crate::app::run::headline;
use crate::app::state::{Dialog, Exact, Question, Source, State, no_kedro};
use crate::project::{Pipeline, Snapshot};

/// Takes in a report.
pub(super) fn report(state: &mut State, report: Report) -> Vec<Effect> {
    match report {
        Report::Static { generation, result } => {
            if generation == state.generations.read {
                match result {
                    Ok(snapshot) => return read(state, Arc::new(*snapshot)),
                    Err(problem) => state.project.broken = Some(problem),
                }
            }
        }
        Report::ExactStarted { generation, python, reason } => {
            if generation == state.generations.exact {
                if state.project.python.is_none() {
                    state.tell(format!("Kedro reads the project with {python} ({reason})"));
                }
                state.project.exact = Exact::Reading(python.clone());
                state.project.python = Some((python, reason));
            }
        }
        Report::Exact { generation, result, stored } => {
            if generation == state.generations.exact {
                match result {
                    Ok(snapshot) => {
                        if let Some(read) = &state.project.read {
                            state.project.differences = differences(read, &snapshot);
                        }
                        state.project.exact = Exact::Shown(stored);
                        return show(state, Arc::new(*snapshot));
                    }
                    Err(failure) => {
                        let text = match no_kedro(&failure) {
                            true => "Kedro is not installed; the command make-environment makes the project's own Python".into(),
                            false => format!("Kedro can't read the project: {}", headline(&failure)),
                        };
                        state.warn(text);
                        state.project.exact = Exact::Failed(Box::new(failure));
                    }
                }
            }
        }
        Report::Trust(trusted) => state.project.trusted = Some(trusted),
        Report::Datasets(datasets) => state.project.datasets = datasets,
        Report::Staleness { pipeline, statuses } => {
            if state.shown_pipeline().is_some_and(|shown| shown.name == pipeline) {
                state.project.staleness = statuses;
                state.refresh_states();
                graph::redraw_by_status(state);
            }
        }
        Report::Drawn { generation, plot } => {
            if generation == state.generations.drawing {
                graph::drawn(state, plot);
            }
        }
        Report::Source { file, result } => {
            let source = match result {
                Ok(text) => Source::Text(text),
                Err(why) => Source::Failed(format!("{file}: {why}")),
            };
            state.project.sources.insert(file, source);
        }
        Report::Changed { files, tracking } => return changed(state, &files, tracking),
        Report::Watching(result) => {
            if let Err(why) = result {
                state.warn(why);
            }
        }
        Report::RunStarted { generation, run } => running::started(state, generation, *run),
        Report::RunRefused { generation, failure, needs_environment } => {
            running::refused(state, generation, &failure, needs_environment);
        }
        Report::Detached { generation, result } => {
            return running::detached(state, generation, result);
        }
        Report::Run { id, events } => return running::happened(state, id, &events),
        Report::RunStored => {
            let mut effects = history::changed(state);
            effects.push(Effect::LoadTimings);
            effects.extend(state.look_stale());
            return effects;
        }
        Report::HistoryChanged => return history::changed(state),
        Report::Runs { generation, runs } => {
            if generation == state.generations.runs {
                return history::listed(state, runs);
            }
        }
        Report::RunRead(whole) => history::read(state, *whole),
        Report::Log { run, generation, lines } => history::log(state, run, generation, lines),
        Report::Prunable(room, pruned) => {
            if pruned.runs.is_empty() {
                state.tell("There is room for all runs.");
            } else {
                state.dialogs.push(Dialog::Ask(Question::Prune(room, pruned)));
            }
        }
        Report::Timings(timings) => state.history.timings = timings,
        Report::Compared { runs, result } => history::was_compared(state, runs, result),
        Report::Tracking(tracking) => {
            let (runs, models) = match &tracking {
                TrackingReport::Live(overview) => (overview.runs.len(), overview.models.len()),
                _ => (0, 0),
            };
            state.experiments.rows = (0..runs).collect();
            state.models.rows = (0..models).collect();
            state.project.tracking = Some(tracking);
        }
        Report::Backends(backends) => {
            state.remote.rows = (0..backends.len()).collect();
            state.project.backends = backends;
        }
        Report::EnvironmentProgress(line) => {
            if let Some(Dialog::Environment(lines, _)) = state.dialogs.last_mut() {
                lines.push(crate::text::sanitize(&line));
            }
        }
        Report::EnvironmentDone(result) => return environment_made(state, result),
        Report::Settings { settings, keymap, themes, keymaps, problems } => {
            state.settings = *settings;
            state.keymap = *keymap;
            state.available = (themes, keymaps);
            state.settings_problems = problems;
            state.pending.clear();
        }
        Report::Worker(warmth) => state.project.worker = Some(warmth),
        Report::Notice(text) => state.tell(text),
        Report::Failed(why) => state.warn(why),
    }
    Vec::new()
}

/// The static reading arrived. It is shown unless an exact one of the same sources is on the screen.
fn read(state: &mut State, snapshot: Arc<Snapshot>) -> Vec<Effect> {
    let first = state.project.read.is_none();
    state.project.broken = None;
    state.project.read = Some(snapshot.clone());
    if !matches!(state.project.exact, Exact::None | Exact::Reading(_)) {
        state.project.exact = Exact::Outdated;
        state.project.differences.clear();
    }
    let mut effects = show(state, snapshot);
    if state.project.trusted == Some(true) && (first || state.project.exact == Exact::Outdated) {
        effects.extend(act::read_exact(state));
    }
    effects
}

fn show(state: &mut State, snapshot: Arc<Snapshot>) -> Vec<Effect> {
    if state.pipeline.name.is_empty() {
        let default = snapshot.pipeline("__default__").or_else(|| snapshot.pipelines.first());
        state.pipeline.name = default.map(|pipeline| pipeline.name.clone()).unwrap_or_default();
    }
    state.project.snapshot = Some(snapshot);
    graph::redraw(state, false);
    navigate::refresh_rows(state);
    std::iter::once(Effect::StatDatasets).chain(state.look_stale()).collect()
}

/// Files changed: what they hold is read again, and only that.
fn changed(state: &mut State, files: &[String], tracking: bool) -> Vec<Effect> {
    let mut effects = Vec::new();
    if tracking {
        effects.push(Effect::LoadTracking);
    }
    if files.is_empty() {
        return effects;
    }
    for file in files {
        // The old text stays on the screen until the new one is there.
        if state.project.sources.contains_key(file) {
            effects.push(Effect::ReadSource { file: file.clone() });
        }
    }
    effects.push(state.read_static());
    effects
}

fn environment_made(state: &mut State, result: Result<(), String>) -> Vec<Effect> {
    let ok = result.is_ok();
    if let Some(Dialog::Environment(_, end)) =
        state.dialogs.iter_mut().rfind(|it| matches!(it, Dialog::Environment(..)))
    {
        *end = Some(result);
    }
    if !ok {
        return Vec::new();
    }
    state.dialogs.retain(|it| !matches!(it, Dialog::Environment(..)));
    state.tell("The Python environment is made.");
    let mut effects = Vec::new();
    if let Some((request, command)) = state.waiting_run.take() {
        effects.extend(running::start(state, request, command));
    }
    if state.project.trusted == Some(true) {
        effects.extend(act::read_exact(state));
    }
    effects
}

/// Where the static and the exact reading differ, one sentence each.
fn differences(read: &Snapshot, exact: &Snapshot) -> Vec<String> {
    let mut found = Vec::new();
    let names = |snapshot: &Snapshot| -> BTreeSet<String> {
        snapshot.pipelines.iter().map(|pipeline| pipeline.name.clone()).collect()
    };
    compare(&mut found, "pipeline", &names(read), &names(exact));
    for pipeline in &exact.pipelines {
        let Some(other) = read.pipeline(&pipeline.name) else { continue };
        let nodes = |pipeline: &Pipeline| -> BTreeSet<String> {
            pipeline.nodes.iter().map(|node| node.name.clone()).collect()
        };
        let kind = format!("node of pipeline `{}`", pipeline.name);
        compare(&mut found, &kind, &nodes(other), &nodes(pipeline));
        for node in &pipeline.nodes {
            let Some(same) = other.nodes.iter().find(|it| it.name == node.name) else { continue };
            for (what, a, b) in [
                ("inputs", same.inputs.join(", "), node.inputs.join(", ")),
                ("outputs", same.outputs.join(", "), node.outputs.join(", ")),
                ("function", same.func_name.clone(), node.func_name.clone()),
            ] {
                if a != b {
                    let line =
                        format!("{what} of node `{}`: {a} in the files, {b} for Kedro", node.name);
                    if !found.contains(&line) {
                        found.push(line);
                    }
                }
            }
        }
    }
    let datasets =
        |snapshot: &Snapshot| -> BTreeSet<String> { snapshot.datasets.keys().cloned().collect() };
    compare(&mut found, "dataset", &datasets(read), &datasets(exact));
    for (name, dataset) in &exact.datasets {
        let Some(same) = read.datasets.get(name) else { continue };
        if same.type_name != dataset.type_name {
            found.push(format!(
                "type of dataset `{name}`: {} in the files, {} for Kedro",
                same.type_name, dataset.type_name
            ));
        }
    }
    found
}

fn compare(found: &mut Vec<String>, kind: &str, read: &BTreeSet<String>, exact: &BTreeSet<String>) {
    found
        .extend(exact.difference(read).map(|name| format!("{kind} `{name}`: only Kedro knows it")));
    found.extend(read.difference(exact).map(|name| format!("{kind} `{name}`: only in the files")));
}
