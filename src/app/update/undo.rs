//! Taking back the user's own edits.

use std::collections::BTreeSet;

use super::overrides;
use crate::app::effect::Effect;
use crate::app::screens::Screen;
use crate::app::state::State;
use crate::app::undo::Before;
use crate::store::RunId;

/// Takes the last edit back.
pub(super) fn undo(state: &mut State) -> Vec<Effect> {
    let State { shared, pipeline, catalog, parameters, runs, experiments, .. } = state;
    let Some(edit) = shared.edits.take_last() else { return Vec::new() };
    let effects = match edit.before {
        Before::Overrides(before) => {
            shared.overrides = before;
            overrides::read(shared)
        }
        Before::GraphFilter(before) => {
            // A filter that was valid before still is.
            pipeline.set_filter(shared, &before).unwrap_or_default()
        }
        Before::CatalogFilter(before) => catalog.set_filter(shared, &before).unwrap_or_default(),
        Before::ParametersFilter(before) => {
            parameters.set_filter(shared, &before).unwrap_or_default()
        }
        Before::ExperimentsFilter(before) => {
            drop(experiments.filter_runs(shared, &before));
            Vec::new()
        }
        Before::RunsFilter(before) => runs.set_query(shared, before),
        Before::MarkedNodes(before) => {
            let nodes = shared.shown_pipeline().into_iter().flat_map(|pipeline| &pipeline.nodes);
            let names: BTreeSet<&String> = nodes.map(|node| &node.name).collect();
            pipeline.marked = before.into_iter().filter(|name| names.contains(name)).collect();
            Vec::new()
        }
        Before::MarkedRuns(before) => {
            runs.marked = before;
            Vec::new()
        }
        Before::MarkedTracked(before) => {
            experiments.marked = before;
            Vec::new()
        }
        Before::SavedView(name, before) => {
            experiments.put_view(name, before);
            Vec::new()
        }
        Before::DeletedRun(id) => {
            runs.deleted.retain(|deleted| *deleted != id);
            runs.coming = Some(id);
            vec![runs.load(shared)]
        }
        Before::Note(id, before) => {
            let note = before.clone().unwrap_or_default();
            runs.change_row(id, |run| run.note = before);
            vec![Effect::Note(id, note)]
        }
    };
    shared.tell(format!("Undone: {}.", edit.text));
    effects
}

/// The filters and marks of the screens, which stepping back may remove.
pub(super) struct Filters {
    graph: String,
    catalog: String,
    parameters: String,
    runs: String,
    experiments: String,
    nodes: BTreeSet<String>,
    /// Whether the marks are those of a slice, which are removed together with it.
    is_sliced: bool,
    compared: Vec<RunId>,
    tracked: Vec<String>,
}

impl Filters {
    /// Those of now.
    pub(super) fn of(state: &State) -> Filters {
        let State { pipeline, catalog, parameters, runs, experiments, .. } = state;
        Filters {
            graph: pipeline.filter_text.clone(),
            catalog: catalog.filtering.text.clone(),
            parameters: parameters.filtering.text.clone(),
            runs: runs.query.clone(),
            experiments: experiments.query.clone(),
            nodes: pipeline.marked.clone(),
            is_sliced: pipeline.slice.is_some(),
            compared: runs.marked.clone(),
            tracked: experiments.marked.clone(),
        }
    }

    /// Keeps what has changed since.
    pub(super) fn keep_changed(self, state: &mut State) {
        let State { shared, pipeline, catalog, parameters, runs, experiments, .. } = state;
        let edits = &mut shared.edits;
        if self.graph != pipeline.filter_text {
            edits.add("filter of the graph", Before::GraphFilter(self.graph));
        }
        if self.catalog != catalog.filtering.text {
            edits.add("filter of the catalog", Before::CatalogFilter(self.catalog));
        }
        if self.parameters != parameters.filtering.text {
            edits.add("filter of the parameters", Before::ParametersFilter(self.parameters));
        }
        if self.runs != runs.query {
            edits.add("filter of the runs", Before::RunsFilter(self.runs));
        }
        if self.experiments != experiments.query {
            let before = Before::ExperimentsFilter(self.experiments);
            edits.add("filter of the experiments", before);
        }
        if self.nodes != pipeline.marked && !self.is_sliced {
            edits.add("marks of nodes", Before::MarkedNodes(self.nodes));
        }
        if self.compared != runs.marked {
            edits.add("marks of runs", Before::MarkedRuns(self.compared));
        }
        if self.tracked != experiments.marked {
            edits.add("marks of tracked runs", Before::MarkedTracked(self.tracked));
        }
    }
}
