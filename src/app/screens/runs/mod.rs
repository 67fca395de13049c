//! The runs screen: the history as a list, the page of a run, and two runs beside each other.
//!
//! [`page`] moves on a page, [`reports`] handles the reports of the store, [`comparison`] puts the
//! differences of two runs into words.

mod about;
pub mod columns;
pub mod comparison;
pub mod page;
pub mod reports;
mod values;

use std::collections::HashMap;

use strum::VariantArray;

use super::Screen;
use crate::app::command::Command;
use crate::app::dialog::Question;
use crate::app::effect::Effect;
use crate::app::list::{Listing, Position};
use crate::app::log_view::LogView;
use crate::app::prompt::PromptKind;
use crate::app::shared::Shared;
use crate::app::undo::Before;
use crate::app::words::Details;
use crate::runs::history::{Timeline, Whole, filter, timeline};
use crate::runs::{Failure, RunRequest};
use crate::store::{LOG_KEYS, LogFilter, Outcome, RunFilter, RunId, RunPair, RunRecord};
use crate::text::filter::{FilterError, Key};
use columns::Columns;
use page::{ComparisonPage, HEAD, Page, Part, RunPage};
use values::{known, known_in_log};

/// The largest number of listed runs.
pub const LISTED: usize = 500;
/// The number of runs whose details are kept in memory; beyond it all are dropped and read again when needed.
const HELD: usize = 50;

/// The runs screen.
#[derive(Debug, Default)]
pub struct RunsScreen {
    /// The runs that match the filter, newest first.
    pub list: Listing<RunRecord>,
    /// What differs between the listed runs.
    pub columns: Columns,
    /// The filter as it was written.
    pub query: String,
    /// The number of all runs, whether they match or not.
    pub total: usize,
    /// Runs that are marked, in the order of marking; at most two.
    pub marked: Vec<RunId>,
    /// The page that is shown in place of the list.
    pub page: Option<Page>,
    /// Runs that are no longer listed. They are deleted when the history is pruned, or at the end of the program.
    pub deleted: Vec<RunId>,
    /// A run to select once it is listed.
    pub coming: Option<RunId>,
    /// Runs whose details were read.
    read: HashMap<RunId, Read>,
    /// Runs whose details were requested, with their outcomes at that time.
    asked: HashMap<RunId, Outcome>,
}

/// The details of a run.
#[derive(Debug)]
pub struct Read {
    /// Everything stored about the run except its log.
    pub whole: Whole,
    /// The nodes in time.
    pub timeline: Timeline,
}

impl RunsScreen {
    /// Requests the runs that match the filter. A filter that can't be parsed yet, because it is being typed,
    /// matches all runs.
    pub fn load(&self, shared: &mut Shared) -> Effect {
        let filter = filter::parse(&self.query, shared.now).unwrap_or_default();
        let filter = Box::new(RunFilter { limit: Some(LISTED), ..filter });
        Effect::LoadRuns { generation: shared.generations.runs.count(), filter }
    }

    /// Filters the list.
    pub fn set_query(&mut self, shared: &mut Shared, query: String) -> Vec<Effect> {
        if self.query == query {
            return Vec::new();
        }
        self.query = query;
        vec![self.load(shared)]
    }

    /// The details of a run, if they were read.
    pub fn read(&self, id: RunId) -> Option<&Read> {
        self.read.get(&id)
    }

    /// Keeps the details of a run.
    fn keep(&mut self, whole: Whole, now: f64) {
        if self.read.len() >= HELD {
            self.read.clear();
            self.asked.clear();
        }
        self.asked.entry(whole.id).or_insert(whole.run.outcome);
        let timeline = timeline(&whole.run, &whole.nodes, &whole.datasets, now);
        self.read.insert(whole.id, Read { whole, timeline });
    }

    /// Updates the durations of the nodes that are running on the page.
    pub fn tick(&mut self, now: f64) {
        let Some(Page::Run(page)) = &self.page else { return };
        if let Some(Read { whole, timeline: shown }) = self.read.get_mut(&page.id)
            && whole.run.outcome == Outcome::Running
        {
            *shown = timeline(&whole.run, &whole.nodes, &whole.datasets, now);
        }
    }

    /// The page of a run.
    pub fn run_page(&self) -> Option<&RunPage> {
        match &self.page {
            Some(Page::Run(page)) => Some(page),
            _ => None,
        }
    }

    /// The page of a run, to be changed.
    pub fn run_page_mut(&mut self) -> Option<&mut RunPage> {
        match &mut self.page {
            Some(Page::Run(page)) => Some(page),
            _ => None,
        }
    }

    /// The part of a run's page that is shown.
    pub fn shown_part(&self) -> Option<Part> {
        self.run_page().map(|page| page.part)
    }

    /// The run of the page, else the selected run.
    pub fn shown_run(&self) -> Option<&RunRecord> {
        let Some(page) = self.run_page() else { return self.list.selected() };
        let row = self.list.rows.iter().find(|run| run.id == Some(page.id));
        row.or_else(|| self.read(page.id).map(|read| &read.whole.run))
    }

    /// The nodes in time of the run that the page shows.
    pub fn shown_timeline(&self) -> Option<&Timeline> {
        let page = self.run_page()?;
        self.read(page.id).map(|read| &read.timeline)
    }

    /// Changes the row of a run before the store reports the change.
    pub fn change_row(&mut self, id: RunId, change: impl FnOnce(&mut RunRecord)) {
        if let Some(row) = self.list.rows.iter_mut().find(|row| row.id == Some(id)) {
            change(row);
        }
    }

    /// Lists a run that began, as the newest.
    pub fn put_row(&mut self, run: RunRecord) {
        self.list.rows.retain(|other| !other.is_same(&run));
        self.list.rows.insert(0, run);
        self.columns = Columns::of(&self.list.rows);
    }

    /// Replaces the row of the run, if it is in the list.
    pub fn replace_row(&mut self, run: RunRecord) {
        if let Some(row) = self.list.rows.iter_mut().find(|row| row.is_same(&run)) {
            *row = run;
            self.columns = Columns::of(&self.list.rows);
        }
    }

    /// The runs that `compare-runs` compares: the two marked ones, else the marked and the shown one.
    pub fn compared(&self) -> Option<RunPair> {
        let shown = self.shown_run().and_then(|run| run.id);
        let pair = match (self.marked.as_slice(), shown) {
            ([first, second], _) => Some((*first, *second)),
            ([first], Some(second)) if *first != second => Some((*first, second)),
            _ => None,
        };
        pair.map(|(one, other)| RunPair { first: one.min(other), second: one.max(other) })
    }

    /// Removes a run from the list. It can be brought back until it is deleted for good.
    pub fn delete(&mut self, shared: &mut Shared, id: RunId) {
        self.page = None;
        self.marked.retain(|marked| *marked != id);
        self.deleted.push(id);
        self.list.rows.retain(|run| run.id != Some(id));
        self.select(shared, self.list.position.selected);
        let undo = shared.keymap.keys(Command::Undo);
        let undo = undo.first().map_or("undo", String::as_str);
        shared.tell(format!("Run {id} is deleted; {undo} brings it back until you quit."));
    }

    /// Asks for the deletion of the runs that are no longer listed.
    pub fn delete_for_good(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.deleted).into_iter().map(Effect::DeleteRun).collect()
    }

    /// At most two runs are marked: a third mark removes the oldest.
    fn mark(&mut self, id: RunId) {
        match self.marked.iter().position(|other| *other == id) {
            Some(index) => drop(self.marked.remove(index)),
            None => {
                if self.marked.len() == 2 {
                    self.marked.remove(0);
                }
                self.marked.push(id);
            }
        }
    }

    fn compare(&mut self) -> Vec<Effect> {
        let Some(runs) = self.compared() else { return Vec::new() };
        self.compare_pair(runs)
    }

    /// Shows what differs between two runs.
    pub fn compare_pair(&mut self, runs: RunPair) -> Vec<Effect> {
        self.page = Some(Page::Comparison(ComparisonPage { runs, compared: None, offset: 0 }));
        vec![Effect::Compare(runs)]
    }

    fn show_part(&mut self, shared: &mut Shared, id: RunId, part: Part) {
        shared.side_offset = 0;
        match self.run_page_mut().filter(|page| page.id == id) {
            Some(page) => page.part = part,
            None => self.open_page(shared, id, part),
        }
    }

    /// Shows the page of a run.
    pub fn show(&mut self, shared: &mut Shared, id: RunId) {
        self.open_page(shared, id, Part::default());
    }

    /// Shows the log of a run.
    pub fn show_log(&mut self, shared: &mut Shared, id: RunId) {
        self.open_page(shared, id, Part::Log);
    }

    fn open_page(&mut self, shared: &mut Shared, id: RunId, part: Part) {
        let page = RunPage { id, part, nodes: Position::default(), log: LogView::default() };
        self.page = Some(Page::Run(Box::new(page)));
        shared.side_offset = 0;
    }

    fn no_run(&self) -> Option<String> {
        match self.shown_run() {
            None => Some("no run is selected".into()),
            Some(run) if run.id.is_none() => Some("this run is not in the history".into()),
            Some(_) if self.is_comparison() => Some("two runs are shown".into()),
            Some(_) => None,
        }
    }

    fn is_comparison(&self) -> bool {
        matches!(self.page, Some(Page::Comparison(_)))
    }
}

impl Screen for RunsScreen {
    fn title(&self, _shared: &Shared) -> String {
        match &self.page {
            Some(Page::Run(page)) => format!("Runs > run {}", page.id),
            Some(Page::Comparison(page)) => {
                format!("Runs > run {} and run {}", page.runs.first, page.runs.second)
            }
            None => {
                let mut title = "Runs".to_owned();
                if !self.query.is_empty() {
                    let total = self.total.saturating_sub(self.deleted.len());
                    let count = self.list.rows.len();
                    // More may match than are listed.
                    let more = if count == LISTED && total > LISTED { "+" } else { "" };
                    title.push_str(&format!(" · {count}{more} of {total} · {}", self.query));
                }
                if !self.marked.is_empty() {
                    title.push_str(&format!(" · {} marked", self.marked.len()));
                }
                title
            }
        }
    }

    fn side_title(&self) -> &'static str {
        "Run"
    }

    fn details(&self, shared: &Shared) -> Details {
        about::of_run(self, shared)
    }

    fn len(&self, _shared: &Shared) -> usize {
        match (&self.page, self.shown_part(), self.shown_timeline()) {
            (None, ..) => self.list.rows.len(),
            (Some(_), Some(Part::Timeline), Some(timeline)) => timeline.bars.len(),
            _ => 0,
        }
    }

    fn position(&mut self) -> Option<&mut Position> {
        Some(match &mut self.page {
            Some(Page::Run(page)) => &mut page.nodes,
            _ => &mut self.list.position,
        })
    }

    fn head_rows(&self) -> u16 {
        match self.page {
            // The timeline has one more line, for the time axis.
            Some(_) => HEAD + 1,
            None => 1,
        }
    }

    fn names(&self, _shared: &Shared) -> Vec<String> {
        if self.page.is_some() {
            let bars = self.shown_timeline().map(|timeline| timeline.bars.as_slice());
            return bars.unwrap_or_default().iter().map(|bar| bar.node.clone()).collect();
        }
        let rows = self.list.rows.iter();
        rows.map(|run| {
            let number = run.id.map(|id| id.to_string()).unwrap_or_default();
            format!("{number} {} {}", run.new.pipeline, run.new.command)
        })
        .collect()
    }

    fn is_full_width(&self, _shared: &Shared) -> bool {
        self.page.is_some()
    }

    fn shows_time(&self) -> bool {
        self.list.rows.iter().any(|run| run.outcome == Outcome::Running)
    }

    fn selected_run(&self) -> Option<&RunRecord> {
        self.shown_run()
    }

    fn failure(&self, shared: &Shared) -> Option<(String, Failure)> {
        let own =
            |record: &RunRecord| shared.run.as_ref().is_some_and(|run| run.record.is_same(record));
        if let Some(record) = self.shown_run().filter(|record| !own(record))
            && let Some(read) = record.id.and_then(|id| self.read(id))
        {
            let failure = read.whole.failure.clone();
            return failure.map(|failure| (record.name(), failure));
        }
        shared.failure()
    }

    fn debugged(&self, _shared: &Shared) -> Option<(String, RunRequest)> {
        let record = self.shown_run()?;
        let request = serde_json::from_str(&record.new.request).unwrap_or_default();
        Some((record.failed_node.clone()?, request))
    }

    fn go(&mut self, shared: &mut Shared, command: Command, page: isize) -> bool {
        self.go_on_page(shared, command, super::rows_of(command, page))
    }

    fn scroll(&mut self, shared: &mut Shared, by: isize, _sideways: bool) -> bool {
        self.go_on_page(shared, Command::Down, by)
    }

    /// Opens the page of the selected run, or the log of the selected node.
    fn open(&mut self, shared: &mut Shared) -> bool {
        match (&self.page, self.shown_run().and_then(|run| run.id)) {
            (None, Some(id)) => self.open_page(shared, id, Part::Timeline),
            (Some(Page::Run(page)), Some(id)) if page.part == Part::Timeline => {
                let selected = page.nodes.selected;
                let bars = self.shown_timeline().map(|timeline| timeline.bars.as_slice());
                let node = bars.and_then(|bars| bars.get(selected)).map(|bar| bar.node.clone());
                let filter = LogFilter { node, ..LogFilter::default() };
                if let Some(page) = self.run_page_mut().filter(|page| page.id == id) {
                    page.part = Part::Log;
                    page.log.set_filter(filter);
                }
            }
            (None, _) => return false,
            _ => {}
        }
        true
    }

    fn back(&mut self, shared: &mut Shared) -> Option<Vec<Effect>> {
        if let Some(page) = self.run_page_mut()
            && page.part == Part::Log
            && page.log.filter != LogFilter::default()
        {
            // The filter of the log was the last step.
            page.log.set_filter(LogFilter::default());
            return Some(Vec::new());
        }
        if self.page.take().is_some() {
            shared.side_offset = 0;
            return Some(Vec::new());
        }
        if !self.query.is_empty() {
            return Some(self.set_query(shared, String::new()));
        }
        let marked = std::mem::take(&mut self.marked);
        (!marked.is_empty()).then(Vec::new)
    }

    fn turn(&mut self, shared: &mut Shared, onward: bool) -> bool {
        let Some(page) = self.run_page_mut() else { return self.page.is_some() };
        let index = Part::VARIANTS.iter().position(|part| *part == page.part).unwrap_or(0);
        let by = if onward { 1 } else { Part::VARIANTS.len() - 1 };
        page.part = Part::VARIANTS[(index + by) % Part::VARIANTS.len()];
        shared.side_offset = 0;
        true
    }

    /// On a log, searches its lines.
    fn find_next(&mut self, shared: &mut Shared, by: i32) -> bool {
        let Some(page) = self.run_page_mut().filter(|page| page.part == Part::Log) else {
            return false;
        };
        if !shared.search.is_empty() {
            page.log.search(&shared.search, by);
        }
        true
    }

    fn filter_text(&self) -> Result<&str, &'static str> {
        match &self.page {
            None => Ok(&self.query),
            Some(Page::Run(page)) if page.part == Part::Log => Ok(&page.log.query),
            Some(Page::Run(_)) => Err("only the log of a run is filtered; L shows it"),
            Some(Page::Comparison(_)) => Err("a comparison is not filtered"),
        }
    }

    fn filter_keys(&self) -> &'static [Key] {
        if self.page.is_none() { filter::KEYS } else { LOG_KEYS }
    }

    fn known_values(&self, shared: &Shared, key: &str) -> Vec<String> {
        if self.page.is_some() {
            let lines = self.run_page().map_or(&[][..], |page| page.log.lines.as_slice());
            return known_in_log(lines, self.shown_timeline(), key);
        }
        known(&self.list.rows, shared, key)
    }

    fn set_filter(&mut self, shared: &mut Shared, text: &str) -> Result<Vec<Effect>, FilterError> {
        match &mut self.page {
            Some(Page::Run(page)) if page.part == Part::Log => {
                page.log.set_query(text)?;
                Ok(Vec::new())
            }
            Some(_) => Ok(Vec::new()),
            None => {
                filter::parse(text, shared.now)?;
                Ok(self.set_query(shared, text.trim().to_owned()))
            }
        }
    }

    fn filter_edit(&self, before: String) -> Option<(&'static str, Before)> {
        // The filter of a log ends with its page.
        self.page.is_none().then_some(("filter of the runs", Before::RunsFilter(before)))
    }

    fn act(&mut self, shared: &mut Shared, command: Command) -> Vec<Effect> {
        let run = self.shown_run().cloned();
        let id = run.as_ref().and_then(|run| run.id);
        match (command, run.zip(id)) {
            (Command::CompareRuns, _) => return self.compare(),
            (Command::Mark, Some((_, id))) => self.mark(id),
            (Command::Timeline, Some((_, id))) => self.show_part(shared, id, Part::Timeline),
            (Command::Log, Some((_, id))) => self.show_part(shared, id, Part::Log),
            (Command::PinRun, Some((run, id))) => {
                let pinned = !run.pinned;
                self.change_row(id, |run| run.pinned = pinned);
                let word = if pinned { "pinned" } else { "no longer pinned" };
                shared.tell(format!("Run {id} is {word}."));
                return vec![Effect::Pin(id, pinned)];
            }
            (Command::NoteRun, Some((run, id))) => {
                shared.begin(PromptKind::Note(id), &run.note.unwrap_or_default());
            }
            (Command::DeleteRun, Some((_, id))) => shared.ask(Question::DeleteRun(id)),
            (Command::PruneRuns, _) => shared.begin(PromptKind::Prune, ""),
            (Command::LogLevel, _) => {
                if let Some(page) = self.run_page_mut() {
                    page.log.next_level();
                }
            }
            (Command::FollowLog, _) => {
                let height = self.body_height(shared);
                if let Some(page) = self.run_page_mut() {
                    match page.log.follow {
                        true => page.log.follow = false,
                        false => page.log.last(height),
                    }
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn disabled(&self, _shared: &Shared, command: Command) -> Option<String> {
        match command {
            Command::Log | Command::PinRun | Command::NoteRun => self.no_run(),
            Command::Mark if self.page.is_some() => {
                Some("runs can be marked only in the list".into())
            }
            Command::Mark => self.no_run(),
            Command::Timeline => self.no_run().or_else(|| {
                let shown = self.shown_part() == Some(Part::Timeline);
                shown.then(|| "it is already shown".into())
            }),
            Command::PruneRuns | Command::Filter if self.page.is_none() => {
                let none = self.list.rows.is_empty() && self.query.is_empty();
                none.then(|| "no run is recorded yet".into())
            }
            Command::DeleteRun => self.no_run().or_else(|| {
                let here =
                    |run: &RunRecord| run.outcome == Outcome::Running && run.new.remote.is_none();
                let running = self.shown_run().is_some_and(here);
                running.then(|| "the run is still running".into())
            }),
            Command::CompareRuns if self.is_comparison() => {
                Some("they are already compared".into())
            }
            Command::CompareRuns => self
                .compared()
                .is_none()
                .then(|| "mark a run with space, then select another one".into()),
            Command::LogLevel | Command::FollowLog => {
                (self.shown_part() != Some(Part::Log)).then(|| "no log is shown".into())
            }
            _ => None,
        }
    }

    fn wanted(&mut self, shared: &mut Shared) -> Vec<Effect> {
        let mut effects = Vec::new();
        let shown = self.shown_run().and_then(|run| Some((run.id?, run.outcome)));
        if let Some((id, outcome)) = shown
            && self.asked.insert(id, outcome) != Some(outcome)
        {
            effects.push(Effect::LoadRun(id));
        }
        let height = self.body_height(shared);
        if let Some(page) = self.run_page_mut().filter(|page| page.part == Part::Log)
            && let Some((filter, from)) = page.log.wanted_search()
        {
            let generation = page.log.generation;
            effects.push(Effect::FindInLog { run: page.id, generation, filter, from });
        }
        if let Some(page) = self.run_page_mut().filter(|page| page.part == Part::Log)
            && let Some(from) = page.log.wanted(height)
        {
            let (generation, filter) = (page.log.generation, page.log.filter.clone());
            effects.push(Effect::LoadLog { run: page.id, generation, filter, from });
        }
        effects
    }
}
