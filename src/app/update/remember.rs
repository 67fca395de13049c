//! Takes the look of the screen from the state, and restores it.

use std::sync::Arc;

use crate::app::areas::Panes;
use crate::app::effect::Effect;
use crate::app::remembered::{Drawing, Experiments, Graph, Remembered, Rows};
use crate::app::screens::pipeline::{PipelineScreen, Plot, Sizing, Spot};
use crate::app::screens::{Screen, catalog, parameters};
use crate::app::shared::{Exact, Shared};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::dag::VertexKind;
use crate::dag::view::Detail;
use crate::dag::view::filter::KEYS;
use crate::project::{Pipeline, Snapshot};
use crate::runs::history::filter;
use crate::text::filter::parse;

/// The shortest time between two writes while the program runs, in seconds.
const PAUSE: f64 = 15.0;

/// The look of the screen.
pub fn look(state: &State) -> Remembered {
    let State { shared, pipeline, catalog, parameters, runs, experiments, .. } = state;
    let fresh = Panes::default();
    let changed = |now: u16, first: u16| Some(now).filter(|now| *now != first);
    let (shown, sought) = match &shared.memory.pipeline {
        Some((name, selected)) => (Some(name.clone()), selected.clone()),
        None => (shown_pipeline(shared), None),
    };
    let graph = graph(pipeline, shared);
    Remembered {
        tab: Some(state.tab).filter(|tab| *tab != Tab::ALL[0]).map(|tab| tab.title().into()),
        env: shared.memory.env.clone(),
        pipeline: shown,
        side: changed(shared.panes.side, fresh.side),
        log_rows: changed(shared.panes.log, fresh.log),
        log: shared.log,
        graph: Graph { selected: sought.or(graph.selected), ..graph },
        catalog: Rows {
            closed: catalog.list.closed.iter().cloned().collect(),
            selected: name_of(catalog, shared, catalog.list.position.selected),
            filter: catalog.filtering.text.clone(),
        },
        parameters: Rows {
            closed: parameters.list.closed.iter().cloned().collect(),
            selected: parameters
                .list
                .selected()
                .filter(|_| parameters.list.position.selected > 0)
                .map(|row| row.path.clone()),
            filter: parameters.filtering.text.clone(),
        },
        runs_filter: runs.query.clone(),
        experiments: Experiments {
            filter: experiments.query.clone(),
            table: experiments.choices.clone(),
            views: experiments.views.clone(),
        },
    }
}

/// The name of a row of the catalog; none for the first one.
fn name_of(catalog: &catalog::CatalogScreen, shared: &Shared, index: usize) -> Option<String> {
    let snapshot = shared.snapshot()?;
    let row = catalog.list.rows.get(index).filter(|_| index > 0)?;
    Some(row.name(snapshot).to_owned())
}

/// The pipeline that is shown at the first start.
fn first_pipeline(snapshot: &Snapshot) -> Option<&Pipeline> {
    snapshot.pipeline("__default__").or_else(|| snapshot.pipelines.first())
}

fn shown_pipeline(shared: &Shared) -> Option<String> {
    let first = first_pipeline(shared.snapshot()?);
    Some(shared.pipeline.clone()).filter(|name| first.is_none_or(|first| first.name != *name))
}

fn graph(screen: &PipelineScreen, shared: &Shared) -> Graph {
    let wanted = screen.wanted_detail.unwrap_or(screen.choices.detail);
    let is_chosen = screen.sizing == Sizing::Chosen;
    let limits = screen.choices.limits;
    let drawing = || Drawing {
        zoom: screen.zoom(),
        sideways: screen.sideways.unwrap_or(screen.plot.sideways),
        turned: screen.sideways.is_some(),
        lanes: screen.lanes,
        expanded: match limits.expanded {
            0 => Some(false),
            usize::MAX => Some(true),
            _ => None,
        },
        shown: Some(screen.choices.detail).filter(|shown| *shown != wanted),
    };
    Graph {
        selected: screen.selected.clone().filter(|spot| !is_first(screen, shared, spot)),
        filter: screen.filter_text.clone(),
        detail: Some(wanted).filter(|detail| *detail != Detail::default()),
        folds: screen.choices.folds.clone(),
        layers: screen.layers,
        drawing: is_chosen.then(drawing),
    }
}

fn put_back_graph(graph: &Graph, screen: &mut PipelineScreen) {
    screen.selected.clone_from(&graph.selected);
    if let Ok(filter) = parse(&graph.filter, KEYS) {
        screen.filter = filter;
        screen.filter_text.clone_from(&graph.filter);
    }
    screen.choices.detail = graph.detail.unwrap_or_default();
    screen.choices.folds.clone_from(&graph.folds);
    screen.layers = graph.layers;
    let Some(drawing) = &graph.drawing else { return };
    if let Some(shown) = drawing.shown {
        screen.wanted_detail = Some(screen.choices.detail);
        screen.choices.detail = shown;
    }
    match drawing.expanded {
        Some(true) => screen.choices.limits.expanded = usize::MAX,
        Some(false) => screen.choices.limits.expanded = 0,
        None => {}
    }
    screen.zoom = Some(drawing.zoom);
    screen.sideways = drawing.turned.then_some(drawing.sideways);
    // A chosen drawing keeps the direction of the one before it.
    screen.plot = Arc::new(Plot { sideways: drawing.sideways, ..Plot::default() });
    screen.lanes = drawing.lanes;
    screen.sizing = Sizing::Chosen;
}

/// Whether a vertex is the one that is selected at the first start.
fn is_first(screen: &PipelineScreen, shared: &Shared, (kind, name): &Spot) -> bool {
    let first = shared.shown_pipeline().and_then(|pipeline| pipeline.nodes.first());
    let vertices = &screen.plot.view.graph.vertices;
    let first_box = vertices.iter().find(|vertex| vertex.kind != VertexKind::Dataset);
    let stands = first.and_then(|node| screen.plot.stands_for(VertexKind::Node, &node.name));
    let same = |other: VertexKind, called: &str| other == *kind && called == name;
    first.is_some_and(|node| same(VertexKind::Node, &node.name))
        || first_box.is_some_and(|vertex| same(vertex.kind, &vertex.name))
        || stands.is_some_and(|id| same(vertices[id].kind, &vertices[id].name))
}

/// Restores the look of the screen, before the first reading. The run environment that the user asked for wins.
pub fn put_back(state: &mut State, remembered: Remembered) {
    let State { shared, pipeline, catalog, parameters, runs, experiments, tab, .. } = state;
    let known = |title: &String| Tab::ALL.iter().find(|tab| tab.title() == title);
    *tab = remembered.tab.as_ref().and_then(known).copied().unwrap_or(*tab);
    let memory = &mut shared.memory;
    memory.env = remembered.env.clone().filter(|env| is_plain(env));
    if shared.env.is_none() && memory.env.is_some() {
        shared.env.clone_from(&memory.env);
        memory.env_is_unsure = true;
    }
    let selected = remembered.graph.selected.clone();
    memory.pipeline = remembered.pipeline.clone().map(|name| (name, selected));
    memory.catalog.clone_from(&remembered.catalog.selected);
    memory.parameters.clone_from(&remembered.parameters.selected);
    if let Some(side) = remembered.side {
        shared.panes.set_side(side);
    }
    if let Some(rows) = remembered.log_rows {
        shared.panes.set_log(rows);
    }
    shared.log = remembered.log;
    put_back_graph(&remembered.graph, pipeline);
    catalog.list.closed = remembered.catalog.closed.iter().cloned().collect();
    parameters.list.closed = remembered.parameters.closed.iter().cloned().collect();
    // A filter that another version wrote may be invalid; it is dropped.
    drop(catalog.filtering.set(&remembered.catalog.filter, catalog.filter_keys()));
    drop(parameters.filtering.set(&remembered.parameters.filter, parameters.filter_keys()));
    if filter::parse(&remembered.runs_filter, shared.now).is_ok() {
        runs.query.clone_from(&remembered.runs_filter);
    }
    experiments.choices.clone_from(&remembered.experiments.table);
    experiments.views.clone_from(&remembered.experiments.views);
    drop(experiments.filter_runs(shared, &remembered.experiments.filter));
    shared.memory.written = remembered;
}

/// Whether a name is that of a folder beside the others. The file may come with a project from elsewhere.
fn is_plain(env: &str) -> bool {
    !env.is_empty() && !env.starts_with('.') && !env.contains(['/', '\\'])
}

/// Whether the run environment of the file does not exist any more; it is dropped then.
pub(super) fn drop_missing_env(shared: &mut Shared, snapshot: &Snapshot) -> bool {
    let is_unsure = std::mem::take(&mut shared.memory.env_is_unsure);
    let is_there = |env: &String| snapshot.environments.contains(env);
    if !is_unsure || shared.env.as_ref().is_none_or(is_there) {
        return false;
    }
    shared.memory.env = None;
    shared.env = None;
    true
}

/// Shows the remembered pipeline once a reading contains it, else the first one. Called before the graph is drawn.
pub(super) fn settle_pipeline(shared: &mut Shared, screen: &mut PipelineScreen, of: &Snapshot) {
    if let Some((name, selected)) = shared.memory.pipeline.take() {
        if of.pipeline(&name).is_some() {
            shared.pipeline = name;
            screen.selected = selected;
        } else if !matches!(shared.project.exact, Exact::Shown(_)) {
            // Kedro may know it.
            shared.memory.pipeline = Some((name, selected));
        }
    }
    if shared.pipeline.is_empty() {
        let first = first_pipeline(of).map(|pipeline| pipeline.name.clone());
        shared.pipeline = first.unwrap_or_default();
    }
}

/// Selects the remembered rows of lists. Called once the lists are filled.
pub(super) fn settle_rows(state: &mut State) {
    let State { shared, catalog, parameters, .. } = state;
    if let (Some(name), Some(snapshot)) =
        (shared.memory.catalog.take(), shared.project.snapshot.clone())
    {
        let mut rows = catalog.list.rows.iter();
        if let Some(index) = rows.position(|row| row.name(&snapshot) == name) {
            catalog.select(shared, index);
        }
    }
    if let Some(path) = shared.memory.parameters.take() {
        let same = |row: &parameters::ParameterRow| row.path == path;
        if let Some(index) = parameters.list.rows.iter().position(same) {
            parameters.select(shared, index);
        }
    }
}

/// What is to be written, if the look of the screen has changed since the last write.
pub fn changed(state: &mut State) -> Option<Remembered> {
    // Without a reading, what was remembered is not on the screen yet.
    state.shared.snapshot()?;
    let now = look(state);
    let memory = &mut state.shared.memory;
    if memory.written == now {
        return None;
    }
    memory.written = now.clone();
    memory.written_at = state.shared.now;
    Some(now)
}

/// Writes a change now and then, so that a killed session is remembered, too.
pub(super) fn tick(state: &mut State) -> Option<Effect> {
    if state.shared.now - state.shared.memory.written_at < PAUSE {
        return None;
    }
    state.shared.memory.written_at = state.shared.now;
    changed(state).map(|remembered| Effect::Remember(Box::new(remembered)))
}
