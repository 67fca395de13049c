//! The experiments screen: the tracked runs of the project's store as a table.
//!
//! [`columns`] says which columns there are, [`table`] arranges rows and columns, [`groups`] makes one row of several runs,
//! [`filter`] helps to type the filter, [`page`] shows the curves of runs, which [`curves`] keeps, [`artifacts`] shows the files of one,
//! `about` puts runs into words, [`events`] says what happens to them while they train, and `live` brings that into the table.

mod about;
mod act;
pub mod artifacts;
pub mod columns;
pub mod comparison;
mod copied;
pub mod curves;
mod disabled;
pub mod events;
pub mod export;
pub mod filter;
pub mod followed;
pub mod groups;
mod listed;
mod live;
pub mod page;
pub mod plot;
mod previewed;
pub mod project_views;
mod run;
mod show;
pub mod table;
pub mod tree;
mod views;
mod written;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use super::Screen;
use crate::app::areas::{Pane, ROOM_FOR_DETAILS};
use crate::app::command::Command;
use crate::app::effect::Effect;
use crate::app::list::Position;
use crate::app::shared::Shared;
use crate::app::undo::Before;
use crate::app::words::Details;
use crate::text::filter::{Completion, FilterError};
use crate::tracking::Belongings;
use crate::tracking::entities::Run;
use crate::tracking::filter::Expr;
use artifacts::ArtifactsPage;
use columns::{Choices, Column, Source, View};
use curves::{Curves, ReadCurve};
use followed::Bests;
use groups::Groups;
use page::CurvesPage;
use plot::PlotPage;
use ratatui::layout::Position as Cell;
use table::{Table, moved, sorted};

/// The experiments screen.
#[derive(Debug, Default)]
pub struct ExperimentsScreen {
    /// Selection and scrolling of the rows.
    pub position: Position,
    /// Rows and columns.
    pub table: Table,
    /// What the user has chosen for the table.
    pub choices: Choices,
    /// The filter as it was written.
    pub query: String,
    /// The filter.
    expr: Expr,
    /// Ids of runs whose nested runs are hidden.
    closed: HashSet<String>,
    /// Ids of the marked runs, in the order of marking.
    pub marked: Vec<String>,
    /// Id of the run that the others are compared with.
    pub baseline: Option<String>,
    /// The values of metrics that were read.
    pub curves: Curves,
    /// The datasets and logged models of the runs whose page was shown, by id; nothing while they are being read.
    belongings: HashMap<String, Belongings>,
    /// The saved views by name.
    pub views: BTreeMap<String, View>,
    /// The best values of the followed metric.
    bests: Bests,
    /// The page of runs that is shown in place of the table.
    pub page: Option<CurvesPage>,
    /// The page of a run's artifacts, which is shown in place of all else.
    pub artifacts: ArtifactsPage,
    /// The page of many runs, which is shown in place of all else.
    pub plot: PlotPage,
    /// The groups, if runs are grouped.
    pub groups: Option<Groups>,
    /// When the table was arranged, in seconds since the Unix epoch, and how long that took.
    arranged: (f64, Duration),
    /// Runs that have changed since and are not in the table yet.
    changed: Vec<Run>,
}

impl ExperimentsScreen {
    /// Arranges the table anew; the selected run stays selected.
    pub fn refresh(&mut self, shared: &Shared) {
        let kept = self.selected(shared).map(|run| run.id.clone());
        self.arrange_around(shared, kept.as_deref());
    }

    /// Arranges the rows anew, but not the columns; the selected run stays selected.
    fn refresh_rows(&mut self, shared: &Shared) {
        let kept = self.selected(shared).map(|run| run.id.clone());
        let mut table = std::mem::take(&mut self.table);
        if let Some(source) = self.source(shared) {
            table.arrange_rows(&source, &self.closed);
        }
        self.table = table;
        self.select_again(shared, kept.as_deref());
    }

    /// Takes the runs of the store after a reading. `selected` is the id of the run that was selected before.
    pub fn arrange_around(&mut self, shared: &Shared, selected: Option<&str>) {
        let Some(tracked) = shared.tracked() else { return };
        let began = Instant::now();
        self.groups = self.grouped(tracked, shared.now).and_then(Result::ok);
        let mut table = std::mem::take(&mut self.table);
        if let Some(source) = self.source(shared) {
            // The groups have only runs that match.
            let filter = if self.groups.is_some() { &Expr::default() } else { &self.expr };
            table.arrange(&source, filter, &self.closed);
        }
        self.table = table;
        self.arranged = (shared.now, began.elapsed());
        self.select_again(shared, selected);
        if let Some(page) = &mut self.page {
            page.refresh(tracked);
        }
        if self.plot.is_shown() {
            self.plot.refresh(tracked, &self.choices);
        }
    }

    fn select_again(&mut self, shared: &Shared, selected: Option<&str>) {
        let Some(overview) = self.listed(shared) else { return };
        let row = self
            .table
            .rows
            .iter()
            .position(|row| Some(overview.runs[row.run].id.as_str()) == selected);
        let (len, height) = (self.table.rows.len(), self.list_height(shared));
        self.position.select(row.unwrap_or(self.position.selected), len, height);
        self.table.show_cursor(self.areas(shared).main.width);
    }

    /// Takes the values of metrics, and reports the first that can't be read.
    pub fn take_curves(&mut self, shared: &mut Shared, curves: Vec<ReadCurve>) {
        let failed = curves.iter().find_map(|(id, points)| Some((&id.1, points.as_ref().err()?)));
        if let Some((key, why)) = failed {
            shared.warn(format!("The values of {key} can't be read: {why}"));
        }
        curves.into_iter().for_each(|(id, points)| self.curves.take(id, points.ok()));
    }

    /// The id of the run that stays selected when runs appear. While the screen is not `shown`, the newest run is selected
    /// if it was before.
    pub fn kept(&self, shared: &Shared, shown: bool) -> Option<String> {
        let run = self.selected(shared).filter(|_| shown || self.position.selected > 0);
        run.map(|run| run.id.clone())
    }

    /// The run of the page, if it has one run or a selected one, else the selected run.
    pub fn shown<'s>(&'s self, shared: &'s Shared) -> Option<&'s Run> {
        if let Some(id) = self.artifacts.run() {
            return shared.tracked()?.runs.iter().find(|run| run.id == id);
        }
        if self.plot.is_shown() {
            let id = self.plot.selected_run()?;
            return shared.tracked()?.runs.iter().find(|run| run.id == id);
        }
        let Some(page) = &self.page else {
            let members = self.members(shared);
            let [only] = members.as_slice() else { return None };
            return shared.tracked()?.runs.iter().find(|run| run.id == *only);
        };
        let mut runs = page.found(shared.tracked()?);
        runs.next().filter(|_| page.runs.len() == 1)
    }

    /// The two runs of the page, the two marked runs, or the baseline and the selected run.
    pub fn pair(&self, shared: &Shared) -> Option<[Run; 2]> {
        let runs = &shared.tracked()?.runs;
        let by_id = |id: &String| runs.iter().find(|run| run.id == *id).cloned();
        let ids = self.page.as_ref().map_or(&self.marked, |page| &page.runs);
        if let [one, other] = ids.as_slice() {
            return Some([by_id(one)?, by_id(other)?]);
        }
        let (baseline, selected) = (self.baseline(shared)?, self.selected(shared)?);
        let is_pair = self.page.is_none() && self.groups.is_none() && baseline.id != selected.id;
        is_pair.then(|| [baseline.clone(), selected.clone()])
    }

    /// What the table shows.
    pub fn source<'s>(&'s self, shared: &'s Shared) -> Option<Source<'s>> {
        let (overview, baseline) = (self.listed(shared)?, self.baseline(shared));
        let groups = self.groups.as_ref();
        Some(Source { overview, choices: &self.choices, groups, baseline, now: shared.now })
    }

    /// The run that the others are compared with.
    pub fn baseline<'s>(&'s self, shared: &'s Shared) -> Option<&'s Run> {
        let id = self.baseline.as_ref()?;
        self.listed(shared)?.runs.iter().find(|run| run.id == *id)
    }

    /// Whether the nested runs of a run are hidden.
    pub fn is_closed(&self, id: &str) -> bool {
        self.closed.contains(id)
    }

    /// Changes what the user has chosen.
    fn choose(&mut self, shared: &Shared, change: impl FnOnce(&mut Choices, &Column)) {
        let Some(column) = self.table.column() else { return };
        change(&mut self.choices, column);
        self.refresh(shared);
    }

    /// Sorts by the column of the cursor.
    fn sort(&mut self, shared: &mut Shared, also: bool) {
        let Some(column) = self.table.column() else { return };
        self.choices.sorts = sorted(&self.choices.sorts, column, also);
        self.refresh_rows(shared);
    }

    fn move_column(&mut self, shared: &Shared, onward: bool) {
        if let Some(choices) = moved(&self.choices, &self.table.columns, self.table.cursor, onward)
        {
            self.choices = choices;
            self.refresh(shared);
        }
    }

    /// The id of the selected run, if it has nested runs.
    fn nested(&self, shared: &Shared) -> Option<String> {
        let row = self.table.rows.get(self.position.selected)?;
        let run = Some(row.run).filter(|run| self.table.parents.contains(run))?;
        Some(self.listed(shared)?.runs.get(run)?.id.clone())
    }

    fn toggle_nested(&mut self, shared: &Shared) {
        let Some(id) = self.nested(shared) else { return };
        if !self.closed.remove(&id) {
            self.closed.insert(id);
        }
        self.refresh_rows(shared);
    }
}

impl Screen for ExperimentsScreen {
    fn title(&self, shared: &Shared) -> String {
        if let Some(page) = &self.page {
            return about::page_title(shared, page);
        }
        let Some(overview) = shared.tracked() else { return "Experiments".into() };
        let experiment = self.choices.experiment.as_ref();
        let name = experiment.map(|id| overview.experiments.get(id).unwrap_or(id));
        let mut title = name.map_or_else(|| "Experiments".to_owned(), Clone::clone);
        if let Some(groups) = &self.groups {
            title += &format!(" · {} groups", groups.overview.runs.len());
            if !groups.repeated.is_empty() {
                title += &format!(" over {}", groups.repeated.join(", "));
            }
        }
        if self.groups.is_some() && !self.query.is_empty() {
            title += &format!(" · {}", self.query);
        } else if !self.query.is_empty() || experiment.is_some() {
            let (matching, total) = (self.table.matching.len(), overview.runs.len());
            title += &format!(" · {matching} of {total}");
            if !self.query.is_empty() {
                title += &format!(" · {}", self.query);
            }
        } else if !overview.runs.is_empty() {
            title += &format!(" · {} runs", overview.runs.len());
        }
        if !self.marked.is_empty() {
            title += &format!(" · {} marked", self.marked.len());
        }
        title
    }

    fn side_title(&self) -> &'static str {
        "Tracked run"
    }

    fn details(&self, shared: &Shared) -> Details {
        let Some(overview) = shared.tracked() else { return Details::default() };
        let Some(page) = &self.page else {
            let run = self.selected(shared);
            if let (Some(groups), Some(run)) = (&self.groups, run)
                && groups.members(&run.id).len() > 1
            {
                return groups.details(run, overview);
            }
            let run = self.shown(shared).or(run);
            return run.map(|run| about::run(overview, run, None, shared.now)).unwrap_or_default();
        };
        let runs: Vec<&Run> = page.found(overview).collect();
        match runs.as_slice() {
            [run] => about::run(overview, run, self.belongings.get(&run.id), shared.now),
            runs => about::runs(runs),
        }
    }

    fn len(&self, _shared: &Shared) -> usize {
        if self.page.is_some() { 0 } else { self.table.rows.len() }
    }

    fn position(&mut self) -> Option<&mut Position> {
        self.page.is_none().then_some(&mut self.position)
    }

    fn head_rows(&self) -> u16 {
        1
    }

    fn shows_time(&self) -> bool {
        true
    }

    fn is_full_width(&self, shared: &Shared) -> bool {
        shared.size.width < ROOM_FOR_DETAILS && shared.focus != Pane::Side
    }

    fn names(&self, shared: &Shared) -> Vec<String> {
        let overview = self.listed(shared).filter(|_| self.page.is_none());
        let Some(overview) = overview else { return Vec::new() };
        let runs = self.table.rows.iter().map(|row| &overview.runs[row.run]);
        runs.map(|run| format!("{} {}", run.name, overview.experiment(run))).collect()
    }

    fn go(&mut self, shared: &mut Shared, command: Command, _page: isize) -> bool {
        let room = self.areas(shared).main.as_size();
        if let Some(page) = &mut self.page {
            return page.go(command, &self.curves, room);
        }
        let by = match command {
            Command::Left => -1,
            Command::Right => 1,
            _ => return false,
        };
        self.table.move_cursor(by, room.width);
        true
    }

    fn press(&mut self, shared: &mut Shared, at: Cell) -> bool {
        let area = self.areas(shared).main;
        if let Some(page) = &mut self.page {
            let chart = page.chart_at(at.x - area.x, at.y - area.y, area.as_size());
            match chart {
                Some(chart) if chart == page.selected => page.large ^= true,
                Some(chart) => page.select(chart, area.as_size()),
                None => {}
            }
            return true;
        }
        if at.y != area.y {
            return false;
        }
        if let Some(column) = self.table.column_at(at.x - area.x, area.width) {
            self.table.cursor = column;
            self.sort(shared, false);
        }
        true
    }

    fn scroll(&mut self, shared: &mut Shared, by: isize, _sideways: bool) -> bool {
        let room = self.areas(shared).main.as_size();
        let Some(page) = &mut self.page else { return false };
        page.go(if by > 0 { Command::Down } else { Command::Up }, &self.curves, room);
        true
    }

    fn open(&mut self, shared: &mut Shared) -> bool {
        let room = self.areas(shared).main.as_size();
        if let Some(page) = &mut self.page {
            page.large ^= true;
            page.select(page.selected, room);
            return true;
        }
        let Some(overview) = shared.tracked() else { return false };
        let runs = match self.marked.is_empty() {
            true => self.members(shared),
            false => self.marked.clone(),
        };
        if runs.is_empty() {
            return false;
        }
        self.page = Some(CurvesPage::of(overview, runs));
        shared.side_offset = 0;
        true
    }

    fn wanted(&mut self, shared: &mut Shared) -> Vec<Effect> {
        let room = self.areas(shared).main.as_size();
        let wanted = match &self.page {
            _ if shared.tracked().is_none() => Vec::new(),
            Some(page) => self.curves.ask(page.wanted(room)),
            None => {
                let trends = self.trends_in_view(shared);
                self.curves.make_trends(trends.iter(), shared.settings.ascii);
                self.curves.ask(trends.into_iter())
            }
        };
        let mut effects = self.ask_belongings(shared);
        if !wanted.is_empty() {
            effects.push(Effect::LoadCurves(wanted));
        }
        effects
    }

    fn back(&mut self, shared: &mut Shared) -> Option<Vec<Effect>> {
        if let Some(page) = &mut self.page {
            match (page.view.crosshair.is_some(), page.large, page.filter.is_empty()) {
                (true, ..) => page.view.crosshair = None,
                (false, true, _) => page.large = false,
                (false, false, false) => page.set_filter("", shared.tracked()).ok()?,
                (false, false, true) => self.page = None,
            }
            let room = self.areas(shared).main.as_size();
            if let Some(page) = &mut self.page {
                page.select(page.selected, room);
            }
        } else if !self.marked.is_empty() {
            self.marked.clear();
        } else if !self.query.is_empty() {
            self.filter_runs(shared, "").ok()?;
        } else if self.choices.experiment.take().is_some() {
            self.refresh(shared);
        } else {
            return None;
        }
        Some(Vec::new())
    }

    fn filter_text(&self) -> Result<&str, &'static str> {
        Ok(self.page.as_ref().map_or(&self.query, |page| &page.filter))
    }

    fn complete_filter(&self, shared: &Shared, before: &str) -> Completion {
        let overview = shared.tracked().filter(|_| self.page.is_none());
        overview.map(|overview| filter::complete(before, overview)).unwrap_or_default()
    }

    fn settled_filter<'t>(&self, shared: &Shared, text: &'t str) -> &'t str {
        match (&self.page, shared.tracked()) {
            (Some(_), _) => Some(text).filter(|text| filter::regex(text).is_ok()).unwrap_or(""),
            (None, overview) => overview.map_or(text, |overview| filter::settled(text, overview)),
        }
    }

    fn set_filter(&mut self, shared: &mut Shared, text: &str) -> Result<Vec<Effect>, FilterError> {
        match &mut self.page {
            Some(page) => page.set_filter(text, shared.tracked())?,
            None => self.filter_runs(shared, text)?,
        }
        Ok(Vec::new())
    }

    fn filter_edit(&self, before: String) -> Option<(&'static str, Before)> {
        let of_table = self.page.is_none();
        of_table.then_some(("filter of the experiments", Before::ExperimentsFilter(before)))
    }

    fn act(&mut self, shared: &mut Shared, command: Command) -> Vec<Effect> {
        self.obey(shared, command);
        Vec::new()
    }

    fn disabled(&self, shared: &Shared, command: Command) -> Option<String> {
        disabled::because(self, shared, command)
    }

    fn top(&self) -> &dyn Screen {
        match (self.artifacts.run().is_some(), self.plot.is_shown()) {
            (true, _) => &self.artifacts,
            (false, true) => &self.plot,
            (false, false) => self,
        }
    }

    fn top_mut(&mut self) -> &mut dyn Screen {
        match (self.artifacts.run().is_some(), self.plot.is_shown()) {
            (true, _) => &mut self.artifacts,
            (false, true) => &mut self.plot,
            (false, false) => self,
        }
    }
}
