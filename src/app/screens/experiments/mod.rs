//! The experiments screen: the tracked runs of the project's store as a table.
//!
//! [`columns`] says which columns there are, [`table`] arranges rows and columns, [`filter`] helps to type the filter.

pub mod columns;
pub mod filter;
pub mod table;

use std::collections::HashSet;

use super::Screen;
use crate::app::areas::{Pane, ROOM_FOR_DETAILS};
use crate::app::command::Command;
use crate::app::effect::Effect;
use crate::app::list::Position;
use crate::app::shared::Shared;
use crate::app::undo::Before;
use crate::app::words::{Details, Line, Tone, pairs, seconds_text, when};
use crate::text::filter::{Completion, FilterError};
use crate::tracking::Goal;
use crate::tracking::entities::Run;
use crate::tracking::filter::Expr;
use columns::{Choices, Column, Source, seconds, took};
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
}

impl ExperimentsScreen {
    /// Arranges the table anew; the selected run stays selected.
    pub fn refresh(&mut self, shared: &Shared) {
        let Some(overview) = shared.tracked() else { return };
        let selected = self.table.rows.get(self.position.selected);
        let kept = selected.and_then(|row| overview.runs.get(row.run)).map(|run| run.id.clone());
        self.arrange_around(shared, kept.as_deref());
    }

    /// Takes the runs of the store after a reading. `selected` is the id of the run that was selected before.
    pub fn arrange_around(&mut self, shared: &Shared, selected: Option<&str>) {
        let Some(overview) = shared.tracked() else { return };
        let baseline = self.baseline(shared);
        let source = Source { overview, choices: &self.choices, baseline, now: shared.now };
        self.table.arrange(&source, &self.expr, &self.closed);
        let row = self
            .table
            .rows
            .iter()
            .position(|row| Some(overview.runs[row.run].id.as_str()) == selected);
        let (len, height) = (self.table.rows.len(), self.list_height(shared));
        self.position.select(row.unwrap_or(self.position.selected), len, height);
        self.table.show_cursor(self.areas(shared).main.width);
    }

    /// The selected run.
    pub fn selected<'s>(&self, shared: &'s Shared) -> Option<&'s Run> {
        let row = self.table.rows.get(self.position.selected)?;
        shared.tracked()?.runs.get(row.run)
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
        self.choose(shared, |choices, column| {
            choices.sorts = sorted(&choices.sorts, column, also);
        });
    }

    fn move_column(&mut self, shared: &Shared, onward: bool) {
        if let Some(choices) = moved(&self.choices, &self.table.columns, self.table.cursor, onward)
        {
            self.choices = choices;
            self.refresh(shared);
        }
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
        let Some(overview) = shared.tracked() else { return "Experiments".into() };
        let mut title = "Experiments".to_owned();
        if !self.query.is_empty() {
            let (matching, total) = (self.table.matching, overview.runs.len());
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
        let Some(run) = self.selected(shared) else { return Details::default() };
        let Some(overview) = shared.tracked() else { return Details::default() };
        let mut lines = vec![Line::Title(run.name.clone())];
        let tone = match run.status.as_str() {
            "FINISHED" => Tone::Good,
            "RUNNING" => Tone::Busy,
            "FAILED" => Tone::Bad,
            _ => Tone::Warning,
        };
        lines.push(Line::Field("state", run.status.to_lowercase(), tone));
        lines.push(Line::Field("in", overview.experiment(run).to_owned(), Tone::Plain));
        if let Some(at) = run.start_time {
            lines.push(Line::Field("when", when(shared.now, seconds(at)), Tone::Plain));
        }
        if let Some(took) = took(run, shared.now) {
            lines.push(Line::Field("time", seconds_text(took), Tone::Plain));
        }
        for (tag, label) in TAGS {
            if let Some(value) = run.tag(tag).filter(|value| !value.is_empty()) {
                lines.push(Line::Field(label, value.to_owned(), Tone::Plain));
            }
        }
        lines.push(Line::Field("id", run.id.clone(), Tone::Dim));
        let metrics = run.metrics.iter().map(|(key, value)| (key, value.to_string()));
        pairs(&mut lines, "Metrics", metrics.collect());
        let params = run.params.iter().map(|(key, value)| (key, value.clone()));
        pairs(&mut lines, "Params", params.collect());
        let tags = run.tags.iter().filter(|(key, _)| !key.starts_with("mlflow."));
        pairs(&mut lines, "Tags", tags.map(|(key, value)| (key, value.clone())).collect());
        Details { lines, place: None, name: run.id.clone() }
    }

    fn len(&self, _shared: &Shared) -> usize {
        self.table.rows.len()
    }

    fn position(&mut self) -> Option<&mut Position> {
        Some(&mut self.position)
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
        let Some(overview) = shared.tracked() else { return Vec::new() };
        let runs = self.table.rows.iter().map(|row| &overview.runs[row.run]);
        runs.map(|run| format!("{} {}", run.name, overview.experiment(run))).collect()
    }

    fn go(&mut self, shared: &mut Shared, command: Command, _page: isize) -> bool {
        let by = match command {
            Command::Left => -1,
            Command::Right => 1,
            _ => return false,
        };
        let room = self.areas(shared).main.width;
        self.table.move_cursor(by, room);
        true
    }

    fn press(&mut self, shared: &mut Shared, at: Cell) -> bool {
        let area = self.areas(shared).main;
        if at.y != area.y {
            return false;
        }
        if let Some(column) = self.table.column_at(at.x - area.x, area.width) {
            self.table.cursor = column;
            self.sort(shared, false);
        }
        true
    }

    fn open(&mut self, shared: &mut Shared) -> bool {
        let row = self.table.rows.get(self.position.selected);
        let Some(run) = row.map(|row| row.run).filter(|run| self.table.parents.contains(run))
        else {
            return false;
        };
        let Some(id) = shared.tracked().map(|overview| overview.runs[run].id.clone()) else {
            return false;
        };
        if !self.closed.remove(&id) {
            self.closed.insert(id);
        }
        self.refresh(shared);
        true
    }

    fn back(&mut self, shared: &mut Shared) -> Option<Vec<Effect>> {
        if !self.marked.is_empty() {
            self.marked.clear();
        } else if !self.query.is_empty() {
            return self.set_filter(shared, "").ok();
        } else {
            return None;
        }
        Some(Vec::new())
    }

    fn filter_text(&self) -> Result<&str, &'static str> {
        Ok(&self.query)
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
        match command {
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
                self.refresh(shared);
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
        let none = self.selected(shared).is_none();
        match command {
            Command::Filter if shared.tracked().is_none() => Some("there is no tracked run".into()),
            Command::Mark | Command::Baseline if none => Some("no run is selected".into()),
            Command::HideColumn if self.table.cursor == 0 => {
                Some("the name of the run stays; right goes to the next column".into())
            }
            Command::PinColumn if self.table.cursor == 0 => {
                Some("the name is always pinned".into())
            }
            Command::Goal if self.table.column().is_none_or(|column| column.metric().is_none()) => {
                Some("this is for columns of metrics; right goes to the next column".into())
            }
            _ => None,
        }
    }
}

/// Tags of MLflow that say where a run comes from, with their labels.
const TAGS: [(&str, &str); 5] = [
    ("mlflow.note.content", "note"),
    ("mlflow.source.name", "source"),
    ("mlflow.source.git.commit", "commit"),
    ("mlflow.user", "user"),
    ("mlflow.parentRunId", "parent"),
];
