//! What the rows are about: the runs of the store, or groups of them.

use super::columns::{Column, Grouping};
use super::curves::CurveId;
use super::groups::Groups;
use super::table::matching;
use super::{ExperimentsScreen, filter};
use crate::app::screens::Screen;
use crate::app::shared::Shared;
use crate::text::filter::FilterError;
use crate::tracking::Overview;
use crate::tracking::entities::Run;

impl ExperimentsScreen {
    /// The groups that are asked for, or why there are none.
    pub(super) fn grouped(&self, overview: &Overview, now: f64) -> Option<Result<Groups, String>> {
        let param = match self.choices.grouped.as_ref()? {
            Grouping::Seed => None,
            Grouping::Param(param) => Some(param.as_str()),
        };
        let matching = matching(overview, &self.expr, &self.choices, now);
        Some(Groups::of(overview, &matching, param, now))
    }

    /// The runs that the rows are about: those of the store, or the groups of them.
    pub(super) fn listed<'s>(&'s self, shared: &'s Shared) -> Option<&'s Overview> {
        let overview = shared.tracked()?;
        Some(self.groups.as_ref().map_or(overview, |groups| &groups.overview))
    }

    /// The ids of the runs of the selected row: one run, or those of a group.
    pub(super) fn members(&self, shared: &Shared) -> Vec<String> {
        let Some(run) = self.selected(shared) else { return Vec::new() };
        match &self.groups {
            Some(groups) => groups.members(&run.id).to_vec(),
            None => vec![run.id.clone()],
        }
    }

    /// The run of the selected row. A group of runs is one, which the store does not have.
    pub fn selected<'s>(&'s self, shared: &'s Shared) -> Option<&'s Run> {
        let row = self.table.rows.get(self.position.selected)?;
        self.listed(shared)?.runs.get(row.run)
    }

    /// The ids of the runs of all rows, those of groups one by one.
    pub(super) fn ids_in_table(&self, shared: &Shared) -> Vec<String> {
        let Some(overview) = self.listed(shared) else { return Vec::new() };
        let shown = self.table.rows.iter().filter_map(|row| overview.runs.get(row.run));
        let ids = |run: &Run| match &self.groups {
            Some(groups) => groups.members(&run.id).to_vec(),
            None => vec![run.id.clone()],
        };
        shown.flat_map(ids).collect()
    }

    /// Sets the filter of the table.
    ///
    /// # Errors
    /// If MLflow would refuse it.
    pub fn filter_runs(&mut self, shared: &Shared, text: &str) -> Result<(), FilterError> {
        self.expr = filter::parse(text)?;
        self.query = text.trim().to_owned();
        self.refresh(shared);
        Ok(())
    }

    /// The curves that the rows in view show.
    pub(super) fn trends_in_view(&self, shared: &Shared) -> Vec<CurveId> {
        let (room, height) = (self.areas(shared).main.width, self.list_height(shared));
        let Some(overview) = self.listed(shared) else { return Vec::new() };
        let places = self.table.places(room);
        let columns = places.iter().map(|place| &self.table.columns[place.column]);
        let keys: Vec<&str> =
            columns.filter(|column| column.trend).filter_map(Column::metric).collect();
        let rows = self.table.rows.iter().skip(self.position.offset).take(height);
        let runs = rows.filter_map(|row| overview.runs.get(row.run));
        let has = |run: &Run, key: &str| run.metric(key).is_some();
        runs.flat_map(|run| {
            let own = keys.iter().filter(|key| has(run, key));
            own.map(|key| (run.id.clone(), (*key).to_owned()))
        })
        .collect()
    }
}
