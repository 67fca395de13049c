//! What the services report.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::reading::read_exact;
use super::{elsewhere, remember, running, watch};
use crate::app::dialog::{Dialog, Question};
use crate::app::effect::{Effect, Made};
use crate::app::event::Report;
use crate::app::options::Form;
use crate::app::run::headline;
use crate::app::screens::Screen;
use crate::app::screens::experiments::events;
use crate::app::shared::{Exact, Source, TrackingReport, no_kedro};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::project::{Pipeline, Place, Problem, Severity, Snapshot};
use crate::runs::{Failure, RunRequest};
use crate::store::{RunId, RunPair, RunRecord};
use crate::text::{UserError, sanitize};
use crate::tracking::entities::{Point, Run as TrackedRun};

/// Applies a report.
pub(super) fn report(state: &mut State, report: Report) -> Vec<Effect> {
    match report {
        Report::Static { generation, result } => {
            if generation == state.shared.generations.read {
                match result {
                    Ok(snapshot) => return read(state, snapshot),
                    Err(problem) => state.shared.project.broken = Some(problem),
                }
            }
        }
        Report::ExactStarted { generation, python, reason } => {
            if generation == state.shared.generations.exact {
                if state.shared.project.python.is_none() {
                    state.shared.tell(format!("Kedro reads the project with {python} ({reason})"));
                }
                state.shared.project.exact = Exact::Reading(python.clone());
                state.shared.project.python = Some(python);
            }
        }
        Report::Exact { generation, result, stored } => {
            if generation == state.shared.generations.exact {
                match result {
                    Ok(snapshot) => {
                        if let Some(read) = &state.shared.project.read {
                            state.shared.project.differences = differences(read, &snapshot);
                        }
                        state.shared.project.exact = Exact::Shown(stored);
                        state.shared.project.failures.exact = None;
                        return show(state, snapshot);
                    }
                    Err(failure) => {
                        let text = match no_kedro(&failure) {
                            true => "Kedro is not installed; the command make-environment makes the project's own Python".into(),
                            false => format!("Kedro can't read the project: {}", headline(&failure)),
                        };
                        state.shared.warn(text);
                        state.shared.project.failures.exact = Some(exact_problem(&failure));
                        state.shared.project.exact = Exact::Failed(Box::new(failure));
                    }
                }
            }
        }
        Report::Trust(trusted) => state.shared.project.trusted = Some(trusted),
        Report::Datasets(datasets) => {
            let State { shared, catalog, .. } = state;
            shared.project.datasets = datasets;
            if catalog.filtering.filter.asks(&["is"]) {
                catalog.refresh(shared);
            }
        }
        Report::Staleness { pipeline, statuses } => {
            let State { shared, pipeline: screen, .. } = state;
            if shared.shown_pipeline().is_some_and(|shown| shown.name == pipeline) {
                shared.project.staleness = statuses;
                screen.refresh_states(shared);
                screen.redraw_by_status(shared);
                return watch::look(shared);
            }
        }
        Report::Drawn { generation, plot } => {
            if generation == state.shared.generations.drawing {
                state.pipeline.drawn(&mut state.shared, plot);
            }
        }
        Report::Source { file, result } => {
            let source = match result {
                Ok(text) => Source::Text(text),
                Err(why) => Source::Failed(format!("{file}: {why}")),
            };
            state.shared.project.sources.insert(file, source);
        }
        Report::Changed { files, tracking } => return changed(state, &files, tracking),
        Report::Watching(result) => {
            if let Err(error) = result {
                state.shared.warn(error.line());
            }
        }
        Report::RunStarted { generation, key, run } => {
            running::started(state, generation, key, *run);
        }
        Report::RunRefused { generation, failure, needs_environment } => {
            running::refused(&mut state.shared, generation, &failure, needs_environment);
        }
        Report::Detached { generation, result } => {
            return running::detached(state, generation, result);
        }
        Report::Run { key, events } => return running::happened(state, key, &events),
        Report::RunStored => {
            let mut effects = history_changed(state);
            effects.push(Effect::LoadTimings);
            effects.extend(state.shared.look_stale());
            return effects;
        }
        Report::HistoryChanged => return history_changed(state),
        Report::Runs { generation, runs, total } => {
            if generation == state.shared.generations.runs {
                state.runs.total = total;
                return state.runs.listed(&state.shared, runs);
            }
        }
        Report::GoingOn(runs) => return elsewhere::going_on(state, runs),
        Report::RunRead(whole) => state.runs.take_run(&state.shared, *whole),
        Report::LogFound { run, generation, line } => {
            state.runs.log_found(&mut state.shared, run, generation, line);
        }
        Report::Log { run, generation, lines } => {
            state.runs.take_log(&state.shared, run, generation, lines);
        }
        Report::Prunable(room, pruned) => {
            if pruned.runs.is_empty() {
                state.shared.tell("There is nothing to delete.");
            } else {
                state.shared.ask(Question::Prune(room, pruned));
            }
        }
        Report::Timings(timings) => {
            state.shared.timings = timings;
            state.pipeline.redraw_by_status(&mut state.shared);
        }
        Report::Compared { runs, result } => state.runs.take_comparison(runs, result),
        Report::Tracking(tracking) => {
            let State { shared, experiments, models, tab, .. } = state;
            shared.project.failures.tracking = tracking_problem(&tracking);
            let selected = experiments.kept(shared, *tab == Tab::Experiments);
            shared.project.tracking = Some(tracking);
            experiments.reread();
            experiments.arrange_around(shared, selected.as_deref());
            models.select(shared, models.position.selected);
        }
        Report::PipelineRuns(found, then) => return pipeline_runs(state, found, then),
        Report::Belongings(run, read) => {
            state.experiments.take_belongings(&mut state.shared, run, read);
        }
        Report::Curves(curves) => state.experiments.take_curves(&mut state.shared, curves),
        Report::Artifacts { run, folder, listed } => {
            state.experiments.artifacts.take(&state.shared, &run, folder, listed);
        }
        Report::Preview(of, preview) => state.experiments.artifacts.take_preview(of, preview),
        Report::TrackedRuns { runs, points } => return tracked(state, runs, points),
        Report::Remote(answer) => {
            let State { shared, remote, pipeline, .. } = state;
            let effects = remote.take(shared, *answer);
            if shared.project.on_engine.is_some() {
                remote.show_states(shared);
                pipeline.refresh_states(shared);
                pipeline.redraw_by_status(shared);
            }
            return effects;
        }
        Report::Backends(backends) => {
            let State { shared, remote, .. } = state;
            shared.project.backends = backends;
            remote.select(shared, remote.position.selected);
        }
        Report::EnvironmentProgress(line) => {
            if let Some(making) = &mut state.shared.making {
                making.add(&line);
            }
        }
        Report::EnvironmentDone(result) => return environment_made(state, result),
        Report::Settings { settings, keymap, available, problems } => {
            state.shared.settings = *settings;
            state.shared.keymap = *keymap;
            state.shared.available = available;
            state.shared.settings_problems = problems;
            state.shared.pending.clear();
        }
        Report::Worker(warmth) => state.shared.project.worker = Some(warmth),
        Report::Notice(text) => state.shared.tell(text),
        Report::Failed(why) => state.shared.warn(why),
    }
    Vec::new()
}

/// The failure of the exact reading as a problem, at the project's line that failed.
fn exact_problem(failure: &Failure) -> Problem {
    let frame = failure.project_frame();
    let place = frame.map(|frame| Place::line(Path::new(&frame.file), frame.line));
    let (severity, remedy) = match no_kedro(failure) {
        true => (Severity::Info, "The command make-environment makes the project's own Python."),
        false => (
            Severity::Error,
            "The traceback says more (traceback); Kedro reads again after the next save.",
        ),
    };
    let text = format!("Kedro can't read the project: {}", headline(failure));
    Problem::new(severity, place, text, remedy)
}

fn tracking_problem(tracking: &TrackingReport) -> Option<Problem> {
    let TrackingReport::Failed(why) = tracking else { return None };
    let remedy = "`mlops-tui experiments where` shows which store is read, and why.";
    Some(Problem::new(
        Severity::Error,
        None,
        format!("The tracking store can't be read: {why}"),
        remedy,
    ))
}

/// The history was written to.
fn history_changed(state: &mut State) -> Vec<Effect> {
    let shown = state.tab == Tab::Runs;
    let mut effects = state.runs.changed(&mut state.shared, shown);
    effects.push(elsewhere::look(state));
    effects
}

/// Applies the static reading. An exact reading on the screen is outdated by it.
fn read(state: &mut State, snapshot: Arc<Snapshot>) -> Vec<Effect> {
    let first = state.shared.project.read.is_none();
    if remember::drop_missing_env(&mut state.shared, &snapshot) {
        return vec![state.shared.read_static()];
    }
    state.shared.project.broken = None;
    state.remote.reread();
    state.shared.project.read = Some(snapshot.clone());
    if !matches!(state.shared.project.exact, Exact::None | Exact::Reading(_)) {
        state.shared.project.exact = Exact::Outdated;
        state.shared.project.differences.clear();
        state.shared.project.failures.exact = None;
    }
    let mut effects = show(state, snapshot);
    if state.shared.project.trusted == Some(true)
        && (first || state.shared.project.exact == Exact::Outdated)
    {
        effects.extend(read_exact(&mut state.shared));
    }
    effects
}

fn show(state: &mut State, snapshot: Arc<Snapshot>) -> Vec<Effect> {
    let State { shared, pipeline, catalog, parameters, .. } = state;
    remember::settle_pipeline(shared, pipeline, &snapshot);
    shared.project.snapshot = Some(snapshot);
    pipeline.redraw(shared, false);
    catalog.refresh(shared);
    parameters.refresh(shared);
    remember::settle_rows(state);
    std::iter::once(Effect::StatDatasets).chain(state.shared.look_stale()).collect()
}

/// Shows the pipeline run that made a tracked run, compares two, or opens the form to run one again.
fn pipeline_runs(
    state: &mut State,
    found: Result<Vec<(String, Option<RunRecord>)>, String>,
    then: Made,
) -> Vec<Effect> {
    let State { shared, runs, tab, .. } = state;
    let found = match found {
        Ok(found) => found,
        Err(why) => {
            shared.warn(format!("The history can't be read: {why}"));
            return Vec::new();
        }
    };
    let mut records = Vec::new();
    for (tracked, record) in found {
        let Some(record) = record else {
            let name = sanitize(&tracked);
            shared.warn(format!("No pipeline run in the history has made {name}."));
            return Vec::new();
        };
        records.push(record);
    }
    let ids: Vec<RunId> = records.iter().filter_map(|record| record.id).collect();
    match (then, records.as_slice(), ids.as_slice()) {
        (Made::Show, _, [id, ..]) => {
            *tab = Tab::Runs;
            runs.show(shared, *id);
        }
        (Made::Again, [record, ..], _) => {
            match serde_json::from_str::<RunRequest>(&record.new.request) {
                Ok(request) => shared.dialogs.push(Dialog::Options(Box::new(Form::of(&request)))),
                Err(_) => shared.warn(format!(
                    "{} is from another version: it can't be run again.",
                    record.name()
                )),
            }
        }
        (Made::Compare, _, [one, other]) if one == other => {
            shared.warn(format!("Run {one} has made both."));
        }
        (Made::Compare, _, [one, other]) => {
            *tab = Tab::Runs;
            let pair = RunPair { first: *one.min(other), second: *one.max(other) };
            return runs.compare_pair(pair);
        }
        _ => {}
    }
    Vec::new()
}

/// Takes tracked runs that have changed, and shows a message about one that has ended or has no numbers any more.
fn tracked(
    state: &mut State,
    runs: Vec<TrackedRun>,
    points: Vec<(String, String, Point)>,
) -> Vec<Effect> {
    let State { shared, experiments, tab, .. } = state;
    let own = shared.run.as_ref().and_then(|run| run.record.mlflow_run.clone());
    let Some(overview) = shared.tracked() else { return Vec::new() };
    let mut toast = None;
    for run in &runs {
        let before = experiments.latest(overview, &run.id);
        // The end of the run that the Pipeline tab shows has a message of its own.
        if let Some(before) = before.filter(|_| own.as_ref() != Some(&run.id)) {
            toast = events::toast(before, run, shared.now).or(toast);
        }
    }
    let crossed = experiments.notice(overview, &runs, &points, shared.now);
    // The end of a run says more than the value that it ended with.
    let toast = toast.or(crossed);
    points.into_iter().for_each(|(run, key, point)| experiments.curves.add(run, key, point));
    experiments.change(shared, runs, *tab == Tab::Experiments);
    toast.and_then(|toast| shared.show_toast(toast)).into_iter().collect()
}

/// Requests what depends on the changed files, and only that.
fn changed(state: &mut State, files: &[String], tracking: bool) -> Vec<Effect> {
    let mut effects = Vec::new();
    if tracking {
        effects.push(Effect::LoadTracking);
    }
    if files.is_empty() {
        return effects;
    }
    for file in files {
        // The old text stays on the screen until the new one arrives.
        if state.shared.project.sources.contains_key(file) {
            effects.push(Effect::ReadSource { file: file.clone() });
        }
    }
    effects.push(state.shared.read_static());
    watch::saved(&mut state.shared);
    effects
}

fn environment_made(state: &mut State, result: Result<(), UserError>) -> Vec<Effect> {
    let shared = &mut state.shared;
    // One that was cancelled has no end.
    let Some(making) = &mut shared.making else { return Vec::new() };
    let ok = result.is_ok();
    making.end = Some(result);
    let is_shown = shared.dialogs.iter().any(|dialog| matches!(dialog, Dialog::Environment));
    if !ok {
        if !is_shown {
            shared.dialogs.push(Dialog::Environment);
        }
        return Vec::new();
    }
    shared.dialogs.retain(|dialog| !matches!(dialog, Dialog::Environment));
    state.shared.tell("The Python environment is made.");
    let mut effects = Vec::new();
    if let Some((request, command)) = state.shared.waiting_run.take() {
        effects.extend(running::start(&mut state.shared, request, command));
    }
    if state.shared.project.trusted == Some(true) {
        effects.extend(read_exact(&mut state.shared));
    }
    effects
}

/// The differences between the static and the exact reading, one sentence each.
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
            let Some(same) = other.nodes.iter().find(|one| one.name == node.name) else { continue };
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
