//! What is written to files: the page of curves, when that is possible, and the runs that are compared.

use super::ExperimentsScreen;
use super::columns::name;
use super::comparison::Comparison;
use super::export;
use super::page::CurvesPage;
use crate::app::screens::Screen;
use crate::app::shared::Shared;
use crate::tracking::entities::{Point, Run};
use ratatui::layout::Size;

impl ExperimentsScreen {
    /// Why no chart can be written.
    pub(super) fn no_chart(&self) -> Option<String> {
        let none = self.page.as_ref().is_none_or(|page| page.charts.is_empty());
        none.then(|| "there is no chart".into())
    }

    /// The page of curves with the room that it has on the screen, when all its visible curves are read.
    ///
    /// # Errors
    /// If curves are still being read.
    pub fn written_page(&self, shared: &Shared) -> Option<Result<(&CurvesPage, Size), String>> {
        let page = self.page.as_ref().filter(|_| self.artifacts.run().is_none())?;
        let room = self.areas(shared).main.as_size();
        Some(match self.curves.are_coming(page.wanted(room)) {
            true => Err("The curves are still being read. Try again in a moment.".into()),
            false => Ok((page, room)),
        })
    }

    /// The runs of the page, with their names.
    pub fn page_runs<'s>(&self, shared: &'s Shared) -> Vec<(String, &'s Run)> {
        let overview = shared.tracked();
        let runs = self.page.iter().zip(overview).flat_map(|(page, overview)| page.found(overview));
        runs.map(|run| (name(run), run)).collect()
    }

    /// All values of the visible charts as comma-separated values.
    pub fn page_csv(&self, shared: &Shared, page: &CurvesPage, room: Size) -> String {
        let runs = self.page_runs(shared);
        let curves = page.charts[page.visible(room)].iter().flat_map(|key| {
            let points =
                |run: &Run| -> &[Point] { self.curves.get(&run.id, key).unwrap_or_default() };
            runs.iter().map(move |(_, run)| (*run, key.as_str(), points(run)))
        });
        export::values(curves)
    }

    /// The runs of the page, else the marked runs, else those of the table.
    pub fn comparison(&self, shared: &Shared) -> Option<Comparison> {
        let overview = shared.tracked()?;
        let ids = match &self.page {
            Some(page) => page.runs.clone(),
            None if self.marked.is_empty() => self.ids_in_table(shared),
            None => self.marked.clone(),
        };
        let runs = overview.of_ids(&ids);
        let comparison = Comparison::of(overview, runs, &self.choices, shared.now);
        Some(comparison).filter(|comparison| !comparison.overview.runs.is_empty())
    }
}
