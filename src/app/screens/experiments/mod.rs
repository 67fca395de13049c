//! The experiments screen: the tracked runs of the project's store as a table.
//!
//! [`columns`] says which columns there are, [`table`] arranges rows and columns, [`filter`] helps to type the filter,
//! [`page`] shows the curves of runs, which [`curves`] keeps, [`artifacts`] shows the files of one, `about` puts runs into words, [`events`] says what happens to
//! them while they train, and `live` brings that into the table.

mod about;
pub mod artifacts;
pub mod columns;
pub mod comparison;
mod copied;
pub mod curves;
mod disabled;
pub mod events;
pub mod export;
pub mod filter;
mod live;
pub mod page;
mod previewed;
pub mod table;
pub mod tree;
mod written;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::Screen;
use crate::app::areas::{Pane, ROOM_FOR_DETAILS};
use crate::app::command::Command;
use crate::app::effect::Effect;
use crate::app::list::Position;
use crate::app::prompt::PromptKind;
use crate::app::shared::Shared;
use crate::app::undo::Before;
use crate::app::words::Details;
use crate::text::filter::{Completion, FilterError};
use crate::tracking::entities::Run;
use crate::tracking::filter::Expr;
use crate::tracking::{Goal, Overview};
use artifacts::ArtifactsPage;
use columns::{Choices, Column, Source, name};
use curves::{Curves, ReadCurve};
use page::CurvesPage;
use ratatui::layout::Position as Cell;
use table::{Table, moved, resized, sorted};

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
    /// The page of runs that is shown in place of the table.
    pub page: Option<CurvesPage>,
    /// The page of a run's artifacts, which is shown in place of all else.
    pub artifacts: ArtifactsPage,
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
        let Some(overview) = shared.tracked() else { return };
        let baseline = self.baseline(shared);
        let source = Source { overview, choices: &self.choices, baseline, now: shared.now };
        self.table.arrange_rows(&source, &self.closed);
        self.select_again(shared, overview, kept.as_deref());
    }

    /// Takes the runs of the store after a reading. `selected` is the id of the run that was selected before.
    pub fn arrange_around(&mut self, shared: &Shared, selected: Option<&str>) {
        let Some(overview) = shared.tracked() else { return };
        let began = Instant::now();
        let baseline = self.baseline(shared);
        let source = Source { overview, choices: &self.choices, baseline, now: shared.now };
        self.table.arrange(&source, &self.expr, &self.closed);
        self.arranged = (shared.now, began.elapsed());
        self.select_again(shared, overview, selected);
        if let Some(page) = &mut self.page {
            page.refresh(overview);
        }
    }

    fn select_again(&mut self, shared: &Shared, overview: &Overview, selected: Option<&str>) {
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

    /// The selected run.
    pub fn selected<'s>(&self, shared: &'s Shared) -> Option<&'s Run> {
        let row = self.table.rows.get(self.position.selected)?;
        shared.tracked()?.runs.get(row.run)
    }

    /// The id of the run that stays selected when runs appear. While the screen is not `shown`, the newest run is selected
    /// if it was before.
    pub fn kept(&self, shared: &Shared, shown: bool) -> Option<String> {
        let run = self.selected(shared).filter(|_| shown || self.position.selected > 0);
        run.map(|run| run.id.clone())
    }

    /// The run of the page, if it has one run, else the selected run.
    pub fn shown<'s>(&'s self, shared: &'s Shared) -> Option<&'s Run> {
        if let Some(id) = self.artifacts.run() {
            return shared.tracked()?.runs.iter().find(|run| run.id == id);
        }
        let Some(page) = &self.page else { return self.selected(shared) };
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
        let is_pair = self.page.is_none() && baseline.id != selected.id;
        is_pair.then(|| [baseline.clone(), selected.clone()])
    }

    /// What the table shows.
    pub fn source<'s>(&'s self, shared: &'s Shared) -> Option<Source<'s>> {
        let (overview, baseline) = (shared.tracked()?, self.baseline(shared));
        Some(Source { overview, choices: &self.choices, baseline, now: shared.now })
    }

    /// The run that the others are compared with.
    pub fn baseline<'s>(&self, shared: &'s Shared) -> Option<&'s Run> {
        let id = self.baseline.as_ref()?;
        shared.tracked()?.runs.iter().find(|run| run.id == *id)
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
        Some(shared.tracked()?.runs.get(run)?.id.clone())
    }

    fn toggle_nested(&mut self, shared: &Shared) {
        let Some(id) = self.nested(shared) else { return };
        if !self.closed.remove(&id) {
            self.closed.insert(id);
        }
        self.refresh_rows(shared);
    }

    fn toggle_mark(&mut self, shared: &mut Shared) {
        let Some(id) = self.selected(shared).map(|run| run.id.clone()) else { return };
        match self.marked.iter().position(|marked| *marked == id) {
            Some(at) => drop(self.marked.remove(at)),
            None => self.marked.push(id),
        }
        self.select(shared, self.position.selected + 1);
    }
}

impl Screen for ExperimentsScreen {
    fn title(&self, shared: &Shared) -> String {
        if let Some(page) = &self.page {
            return about::page_title(shared, page);
        }
        let Some(overview) = shared.tracked() else { return "Experiments".into() };
        let mut title = "Experiments".to_owned();
        if !self.query.is_empty() {
            let (matching, total) = (self.table.matching.len(), overview.runs.len());
            title += &format!(" · {matching} of {total} · {}", self.query);
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
            return run.map(|run| about::run(overview, run, shared.now)).unwrap_or_default();
        };
        let runs: Vec<&Run> = page.found(overview).collect();
        match runs.as_slice() {
            [run] => about::run(overview, run, shared.now),
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
        let overview = shared.tracked().filter(|_| self.page.is_none());
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
        let selected = self.selected(shared).map(|run| run.id.clone());
        let runs = match self.marked.is_empty() {
            true => selected.into_iter().collect(),
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
        let Some(page) = self.page.as_ref().filter(|_| shared.tracked().is_some()) else {
            return Vec::new();
        };
        let wanted = self.curves.ask(page.wanted(room));
        if wanted.is_empty() { Vec::new() } else { vec![Effect::LoadCurves(wanted)] }
    }

    fn back(&mut self, shared: &mut Shared) -> Option<Vec<Effect>> {
        if let Some(page) = &mut self.page {
            match (page.view.crosshair.is_some(), page.large) {
                (true, _) => page.view.crosshair = None,
                (false, true) => page.large = false,
                (false, false) => self.page = None,
            }
            let room = self.areas(shared).main.as_size();
            if let Some(page) = &mut self.page {
                page.select(page.selected, room);
            }
        } else if !self.marked.is_empty() {
            self.marked.clear();
        } else if !self.query.is_empty() {
            return self.set_filter(shared, "").ok();
        } else {
            return None;
        }
        Some(Vec::new())
    }

    fn filter_text(&self) -> Result<&str, &'static str> {
        match self.page {
            Some(_) => Err("this is for the table; esc goes back to it"),
            None => Ok(&self.query),
        }
    }

    fn complete_filter(&self, shared: &Shared, before: &str) -> Completion {
        shared.tracked().map(|overview| filter::complete(before, overview)).unwrap_or_default()
    }

    fn settled_filter<'t>(&self, shared: &Shared, text: &'t str) -> &'t str {
        shared.tracked().map_or(text, |overview| filter::settled(text, overview))
    }

    fn set_filter(&mut self, shared: &mut Shared, text: &str) -> Result<Vec<Effect>, FilterError> {
        self.expr = filter::parse(text)?;
        self.query = text.trim().to_owned();
        self.refresh(shared);
        Ok(Vec::new())
    }

    fn filter_edit(&self, before: String) -> Option<(&'static str, Before)> {
        Some(("filter of the experiments", Before::ExperimentsFilter(before)))
    }

    fn act(&mut self, shared: &mut Shared, command: Command) -> Vec<Effect> {
        if command == Command::Artifacts {
            let page = self.shown(shared).map(|run| ArtifactsPage::of(run.id.clone(), name(run)));
            self.artifacts = page.unwrap_or_default();
            (shared.side_offset, shared.focus) = (0, Pane::Main);
            return Vec::new();
        }
        if let Some(page) = &mut self.page {
            match command {
                Command::Export => shared.begin(PromptKind::Export, &page.file_name()),
                _ => page.change(command, &self.curves),
            }
            return Vec::new();
        }
        match command {
            Command::Fold => self.toggle_nested(shared),
            Command::Export => shared.begin(PromptKind::Export, "runs.csv"),
            Command::Mark => self.toggle_mark(shared),
            Command::SortColumn => self.sort(shared, false),
            Command::SortColumnToo => self.sort(shared, true),
            Command::HideColumn => self.choose(shared, |choices, column| {
                choices.hidden.insert(column.key.clone());
            }),
            Command::AllColumns => {
                let Choices { all, hidden, .. } = &mut self.choices;
                // Hidden columns come back before all others do.
                if std::mem::take(hidden).is_empty() {
                    *all ^= true;
                }
                self.refresh(shared);
            }
            Command::PinColumn => self.choose(shared, |choices, column| {
                if !choices.pinned.remove(&column.key) {
                    choices.pinned.insert(column.key.clone());
                }
            }),
            Command::ColumnLeft | Command::ColumnRight => {
                self.move_column(shared, command == Command::ColumnRight);
            }
            Command::NarrowColumn | Command::WidenColumn => {
                self.choose(shared, |choices, column| {
                    let width = resized(column.width, command == Command::WidenColumn);
                    choices.widths.insert(column.key.clone(), width);
                })
            }
            Command::Goal => self.choose(shared, |choices, column| {
                let next = match column.goal {
                    None => Some(Goal::Highest),
                    Some(Goal::Highest) => Some(Goal::Lowest),
                    Some(Goal::Lowest) => None,
                };
                choices.goals.insert(column.key.clone(), next);
            }),
            Command::Nesting => {
                self.choices.flat ^= true;
                self.refresh_rows(shared);
            }
            Command::Baseline => {
                let id = self.selected(shared).map(|run| run.id.clone());
                self.baseline = id.filter(|id| self.baseline.as_ref() != Some(id));
                self.refresh(shared);
            }
            _ => {}
        }
        Vec::new()
    }

    fn disabled(&self, shared: &Shared, command: Command) -> Option<String> {
        disabled::because(self, shared, command)
    }

    fn top(&self) -> &dyn Screen {
        if self.artifacts.run().is_some() { &self.artifacts } else { self }
    }

    fn top_mut(&mut self) -> &mut dyn Screen {
        if self.artifacts.run().is_some() { &mut self.artifacts } else { self }
    }
}
