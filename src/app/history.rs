//! The run history on the screen: what is filtered, marked and read of it, and the page of a run.

use std::collections::HashMap;

use ratatui_textarea::TextArea;

use super::comparison::Section;
use super::effect::Effect;
use super::list::Position;
use super::log_view::LogView;
use super::state::{State, Tab};
use crate::runs::history::{Timeline, Whole, change, filter, timeline};
use crate::store::{Outcome, RunFilter, RunId, RunRecord, Timing};

/// How many runs of the history are listed.
pub const LISTED: usize = 500;
/// Runs that are held as read; beyond that all are read again as they are needed.
const HELD: usize = 50;

/// What is known of the history beside the list.
#[derive(Debug, Default)]
pub struct History {
    /// The filter as it was written.
    pub query: String,
    /// Runs that are marked, in the order of marking; at most two.
    pub marked: Vec<RunId>,
    /// What is shown in place of the list.
    pub page: Option<Page>,
    /// A run that is to be selected once it is listed.
    pub coming: Option<RunId>,
    /// How long nodes took.
    pub timings: HashMap<String, Timing>,
    /// Runs that were read.
    read: HashMap<RunId, Read>,
    /// Runs that were asked for, with how they stood then.
    asked: HashMap<RunId, Outcome>,
}

/// A run that was read.
#[derive(Debug)]
pub struct Read {
    /// All that is kept of it.
    pub whole: Whole,
    /// Its nodes in time.
    pub timeline: Timeline,
}

/// What is shown in place of the list.
#[derive(Debug)]
pub enum Page {
    /// A run.
    Run(Box<RunPage>),
    /// Two runs beside each other.
    Comparison(ComparisonPage),
}

/// The page of a run.
#[derive(Debug)]
pub struct RunPage {
    /// The run.
    pub id: RunId,
    /// What of it is shown.
    pub part: Part,
    /// The position among its nodes.
    pub nodes: Position,
    /// Its log.
    pub log: LogView,
}

/// What of a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// Its nodes in time.
    #[default]
    Timeline,
    /// Its log.
    Log,
    /// All else that is known of it.
    About,
}

impl Part {
    /// All parts in order.
    pub const ALL: [Part; 3] = [Part::Timeline, Part::Log, Part::About];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Part::Timeline => "Timeline",
            Part::Log => "Log",
            Part::About => "About",
        }
    }
}

/// The page of two runs.
#[derive(Debug)]
pub struct ComparisonPage {
    /// The runs.
    pub runs: (RunId, RunId),
    /// How they differ, or why that can't be told; `None` until it is known.
    pub compared: Option<Result<Vec<Section>, String>>,
    /// First line that is seen.
    pub offset: usize,
}

/// A line that is being typed on the bar.
#[derive(Debug)]
pub struct Prompt {
    /// What for.
    pub kind: PromptKind,
    /// The line.
    pub field: TextArea<'static>,
}

/// What a line is typed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptKind {
    /// The filter of the list; what it was before.
    Filter(String),
    /// The note of a run.
    Note(RunId),
    /// The text that lines of the log must have.
    Log,
    /// The value of a parameter, by its dotted key.
    Override(String),
    /// Values of parameters for several runs.
    Grid,
    /// The room that old runs are to make.
    Prune,
    /// The filter of the graph; what it was before.
    Graph(String),
    /// The file that the drawing is written to.
    Export,
}

impl PromptKind {
    /// What stands before the line.
    pub fn label(&self) -> &'static str {
        match self {
            PromptKind::Filter(_) => "filter: ",
            PromptKind::Note(_) => "note: ",
            PromptKind::Log => "lines with: ",
            PromptKind::Override(_) => "value for the next runs: ",
            PromptKind::Grid => "grid, as lr=0.1,0.01 depth=4,8: ",
            PromptKind::Prune => "prune: ",
            PromptKind::Graph(_) => "filter: ",
            PromptKind::Export => "write the drawing to: ",
        }
    }

    /// What may be written, while nothing is.
    pub fn hint(&self) -> &'static str {
        match self {
            PromptKind::Filter(_) => filter::HINT,
            PromptKind::Prune => change::ROOM_HINT,
            PromptKind::Graph(_) => crate::dag::view::HINT,
            PromptKind::Export => "a file: .svg, .txt, .dot, .mmd or .json",
            PromptKind::Note(_) | PromptKind::Log | PromptKind::Override(_) | PromptKind::Grid => {
                ""
            }
        }
    }
}

impl History {
    /// The filter; one that can't be read yet (it is being typed) takes all.
    fn filter(&self, now: f64) -> RunFilter {
        let filter = crate::runs::history::filter::parse(&self.query, now).unwrap_or_default();
        RunFilter { limit: Some(LISTED), ..filter }
    }

    /// A run as it was read.
    pub fn read(&self, id: RunId) -> Option<&Read> {
        self.read.get(&id)
    }

    /// Keeps a run that was read.
    pub fn keep(&mut self, whole: Whole, now: f64) {
        if self.read.len() >= HELD {
            self.read.clear();
            self.asked.clear();
        }
        self.asked.entry(whole.run.id).or_insert(whole.run.outcome);
        let timeline = timeline(&whole.run, &whole.nodes, &whole.datasets, now);
        self.read.insert(whole.run.id, Read { whole, timeline });
    }

    /// Time passed: what goes on in the run that the page shows lasts longer now.
    pub fn tick(&mut self, now: f64) {
        let Some(Page::Run(page)) = &self.page else { return };
        if let Some(Read { whole, timeline: shown }) = self.read.get_mut(&page.id)
            && whole.run.outcome == Outcome::Running
        {
            *shown = timeline(&whole.run, &whole.nodes, &whole.datasets, now);
        }
    }

    /// Whether the run is to be read, because it never was or stands otherwise now.
    pub fn needs(&mut self, run: &RunRecord) -> bool {
        run.id != 0 && self.asked.insert(run.id, run.outcome) != Some(run.outcome)
    }

    /// The page of a run.
    pub fn run_page(&self) -> Option<&RunPage> {
        match &self.page {
            Some(Page::Run(page)) => Some(page),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn run_page_mut(&mut self) -> Option<&mut RunPage> {
        match &mut self.page {
            Some(Page::Run(page)) => Some(page),
            _ => None,
        }
    }
}

/// Lines over the part of a run's page: the run, the titles of the parts.
pub const HEAD: u16 = 2;

impl State {
    /// Asks for the runs that the filter takes.
    pub fn load_runs(&mut self) -> Effect {
        self.generations.runs += 1;
        let filter = Box::new(self.history.filter(self.now));
        Effect::LoadRuns { generation: self.generations.runs, filter }
    }

    /// Whether a page fills the Runs screen.
    pub fn page_shown(&self) -> bool {
        self.tab == Tab::Runs && self.history.page.is_some()
    }

    /// The part of a run's page that is on the screen.
    pub fn shown_part(&self) -> Option<Part> {
        let page = self.history.run_page().filter(|_| self.tab == Tab::Runs)?;
        Some(page.part)
    }

    /// The run that the Runs screen is about: the one of the page, else the selected one.
    pub fn shown_run(&self) -> Option<&RunRecord> {
        let Some(page) = self.history.run_page() else { return self.runs.selected() };
        let row = self.runs.rows.iter().find(|run| run.id == page.id);
        row.or_else(|| self.history.read(page.id).map(|read| &read.whole.run))
    }

    /// The run that the Runs screen is about, where it goes on in another program.
    pub fn running_elsewhere(&self) -> Option<RunId> {
        let run = self.shown_run().filter(|run| self.tab == Tab::Runs && run.id != 0)?;
        let own = self.going_on().any(|own| own.record.id == run.id);
        (run.outcome == Outcome::Running && !own).then_some(run.id)
    }

    /// The nodes in time of the run that the page shows.
    pub fn shown_timeline(&self) -> Option<&Timeline> {
        let page = self.history.run_page()?;
        self.history.read(page.id).map(|read| &read.timeline)
    }
}
