//! Showing one run, wherever the table is.

use super::ExperimentsScreen;
use super::artifacts::ArtifactsPage;
use super::plot::PlotPage;
use crate::app::effect::Effect;
use crate::app::screens::Screen;
use crate::app::shared::Shared;
use crate::app::undo::Before;
use crate::tracking::Belongings;
use crate::tracking::entities::Run;

impl ExperimentsScreen {
    /// Why the tracked run with this id can't be shown.
    pub fn missing(shared: &Shared, id: Option<&str>) -> Option<String> {
        let Some(id) = id else { return Some("the run has logged to no MLflow run".into()) };
        let Some(overview) = shared.tracked() else {
            return Some("no tracking store is read".into());
        };
        let is_there = overview.runs.iter().any(|run| run.id == id);
        (!is_there).then(|| format!("{} does not have the run's MLflow run", overview.source))
    }

    /// Selects a run in the table. A filter, groups or a closed parent that would hide it are removed.
    pub fn show_run(&mut self, shared: &mut Shared, id: &str) {
        self.page = None;
        self.artifacts = ArtifactsPage::default();
        self.plot = PlotPage::default();
        if self.row_of(shared, id).is_none() {
            self.closed.clear();
            self.choices.grouped = None;
            self.refresh(shared);
        }
        if self.row_of(shared, id).is_none() {
            self.choices.experiment = None;
            let before = Before::ExperimentsFilter(self.query.clone());
            shared.edits.add("filter of the experiments", before);
            drop(self.filter_runs(shared, ""));
        }
        if let Some(row) = self.row_of(shared, id) {
            self.select(shared, row);
        }
    }

    /// The row of a run. The row of a group is none.
    fn row_of(&self, shared: &Shared, id: &str) -> Option<usize> {
        let overview = self.listed(shared).filter(|_| self.groups.is_none())?;
        let is_it = |run: &Run| run.id == id;
        self.table.rows.iter().position(|row| overview.runs.get(row.run).is_some_and(is_it))
    }

    /// Asks for what belongs to the run of the page, unless that is known or being read.
    pub(super) fn ask_belongings(&mut self, shared: &Shared) -> Vec<Effect> {
        let run = self.page.as_ref().and(self.shown(shared)).map(|run| run.id.clone());
        let new = run.filter(|id| !self.belongings.contains_key(id));
        if let Some(id) = &new {
            self.belongings.insert(id.clone(), Belongings::default());
        }
        new.map(Effect::LoadBelongings).into_iter().collect()
    }

    /// Takes what belongs to a run.
    pub fn take_belongings(
        &mut self,
        shared: &mut Shared,
        run: String,
        read: Result<Box<Belongings>, String>,
    ) {
        match read {
            Ok(read) => drop(self.belongings.insert(run, *read)),
            Err(why) => shared.warn(format!("Datasets and models can't be read: {why}")),
        }
    }
}
