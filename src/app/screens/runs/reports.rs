//! Handling the store's reports about the history.

use super::RunsScreen;
use super::columns::Columns;
use super::comparison::sections;
use super::page::{Page, Part};
use crate::app::effect::{Effect, Generation};
use crate::app::screens::Screen;
use crate::app::shared::Shared;
use crate::runs::history::{Comparison, Whole};
use crate::store::{LogLine, Outcome, RunId, RunPair, RunRecord};
use crate::text::{UserError, sanitize};

impl RunsScreen {
    /// The history has changed: requests the list again, and if the screen is `shown`, what may have
    /// changed of the shown run.
    pub fn changed(&mut self, shared: &mut Shared, shown: bool) -> Vec<Effect> {
        let mut effects = vec![self.load(shared)];
        if !shown {
            return effects;
        }
        if let Some(page) = self.run_page_mut() {
            page.log.grown();
        }
        let goes_on = |run: &RunRecord| run.outcome == Outcome::Running;
        if let Some(run) = self.shown_run()
            && let Some(id) = run.id
        {
            // The screen sees the end of its own run before the store has all of the run.
            let read = self.read(id).is_none_or(|read| goes_on(&read.whole.run));
            if read || goes_on(run) {
                effects.push(Effect::LoadRun(id));
            }
        }
        effects
    }

    /// Runs of the history arrived; the selected one stays selected.
    pub fn listed(&mut self, shared: &Shared, mut records: Vec<RunRecord>) -> Vec<Effect> {
        let goes_on = |rows: &[RunRecord], one: &RunRecord| {
            rows.iter().any(|run| run.is_same(one) && run.outcome == Outcome::Running)
        };
        records.retain(|run| run.id.is_none_or(|id| !self.deleted.contains(&id)));
        // The durations of nodes have changed if a run of another program has ended.
        let rows = &self.list.rows;
        let ended = records.iter().any(|run| run.outcome != Outcome::Running && goes_on(rows, run));
        // The screen's own record of its run is newer than the store's.
        if let Some(run) = &shared.run
            && let Some(row) = records.iter_mut().find(|row| row.is_same(&run.record))
            && row.outcome == Outcome::Running
        {
            *row = run.record.clone();
        }
        let came = self.coming.take_if(|id| records.iter().any(|run| run.id == Some(*id)));
        let selected = came.or_else(|| self.list.selected().and_then(|run| run.id));
        self.columns = Columns::of(&records);
        self.list.rows = records;
        let kept = self.list.rows.iter().position(|run| run.id == selected);
        let index = kept.unwrap_or(self.list.position.selected);
        let height = usize::from(self.areas(shared).main.height.saturating_sub(1));
        self.list.position.select(index, self.list.rows.len(), height);
        ended.then_some(Effect::LoadTimings).into_iter().collect()
    }

    /// Lines of a log arrived.
    pub fn take_log(
        &mut self,
        shared: &Shared,
        run: RunId,
        generation: Generation,
        lines: Vec<LogLine>,
    ) {
        let height = self.body_height(shared);
        if let Some(page) = self.run_page_mut().filter(|page| page.id == run) {
            page.log.take(generation, lines, height);
        }
    }

    /// A search of a log ended.
    pub fn log_found(
        &mut self,
        shared: &mut Shared,
        run: RunId,
        generation: Generation,
        line: Option<u64>,
    ) {
        let height = self.body_height(shared);
        let page = self.run_page_mut().filter(|page| page.id == run);
        let Some(page) = page.filter(|page| page.log.generation == generation) else { return };
        match line {
            Some(line) => page.log.show(line, height),
            None => shared.warn(format!("no line contains `{}`", sanitize(&shared.search))),
        }
    }

    /// A run was read.
    pub fn take_run(&mut self, shared: &Shared, whole: Whole) {
        // The row may be older, from when the run was still running.
        let ended = whole.run.outcome != Outcome::Running;
        let own = shared
            .run
            .as_ref()
            .is_some_and(|run| run.record.is_same(&whole.run) && run.ended.is_none());
        if ended && !own {
            self.replace_row(whole.run.clone());
        }
        self.keep(whole, shared.now);
        if self.shown_part() == Some(Part::Timeline) && self.shown_timeline().is_some() {
            let (len, height) = (self.len(shared), self.list_height(shared));
            if let Some(page) = self.run_page_mut() {
                page.nodes.select(page.nodes.selected, len, height);
            }
        }
    }

    /// Two runs were compared.
    pub fn take_comparison(&mut self, runs: RunPair, result: Result<Box<Comparison>, UserError>) {
        if let Some(Page::Comparison(page)) = &mut self.page
            && page.runs == runs
        {
            page.compared = Some(result.map(|compared| sections(&compared)));
        }
    }
}
