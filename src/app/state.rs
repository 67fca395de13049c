//! The one value that everything on the screen follows from.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ratatui_textarea::TextArea;

use super::catalog::CatalogRow;
use super::command::Command;
use super::effect::Effect;
use super::event::{Generation, TrackingReport};
use super::graph::PipelineScreen;
use super::graph::screen::Spot;
use super::history::{History, Prompt};
use super::key::Key;
use super::keymap::Keymap;
use super::list::Position;
use super::parameters::ParameterRow;
use super::picker::Picker;
use super::run::{ActiveRun, NodeState};
use super::settings::Settings;
use crate::dag::staleness::Status;
use crate::datasets;
use crate::project::python::highlight::Highlighted;
use crate::project::{Place, Problem, Snapshot};
use crate::remote::Backend;
use crate::runs::params::Params;
use crate::runs::{Failure, RunRequest, Warmth};
use crate::store::{Outcome, Pruned, Room, RunId, RunRecord};

/// The tabs in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the titles say it")]
pub enum Tab {
    Pipeline,
    Catalog,
    Parameters,
    Runs,
    Experiments,
    Models,
    Remote,
}

impl Tab {
    /// All tabs in order.
    pub const ALL: [Tab; 7] = [
        Tab::Pipeline,
        Tab::Catalog,
        Tab::Parameters,
        Tab::Runs,
        Tab::Experiments,
        Tab::Models,
        Tab::Remote,
    ];

    /// The title on the tab line.
    pub fn title(self) -> &'static str {
        match self {
            Tab::Pipeline => "Pipeline",
            Tab::Catalog => "Catalog",
            Tab::Parameters => "Parameters",
            Tab::Runs => "Runs",
            Tab::Experiments => "Experiments",
            Tab::Models => "Models",
            Tab::Remote => "Remote",
        }
    }

    /// The title where there is little room.
    pub fn short_title(self) -> &'static str {
        match self {
            Tab::Parameters => "Params",
            Tab::Experiments => "Exper.",
            tab => tab.title(),
        }
    }
}

/// The panes of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// The graph, or a screen's list.
    #[default]
    Main,
    /// The details.
    Side,
    /// The log.
    Log,
}

/// Sizes that a person can drag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panes {
    /// Width of the side pane in hundredths of the screen.
    pub side: u16,
    /// Height of the log in rows.
    pub log: u16,
    /// What the mouse holds.
    pub dragging: Option<Drag>,
}

/// A border that the mouse holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drag {
    /// The one between the main and the side pane.
    Side,
    /// The one over the log.
    Log,
}

/// How Kedro's own reading of the project stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Exact {
    /// Nobody asked for it.
    #[default]
    None,
    /// Kedro is reading, with this interpreter.
    Reading(String),
    /// It is on the screen; `true` when it comes from the store.
    Shown(bool),
    /// Files changed since; the static reading is on the screen.
    Outdated,
    /// It failed.
    Failed(Box<Failure>),
}

/// Whether the exact reading failed for want of Kedro itself.
pub fn no_kedro(failure: &Failure) -> bool {
    failure.kind.ends_with("ModuleNotFoundError") && failure.message.contains("'kedro'")
}

/// The project and what is known of its surroundings.
#[derive(Debug, Default)]
pub struct Project {
    /// What is on the screen.
    pub snapshot: Option<Arc<Snapshot>>,
    /// The last static reading, to compare the exact one with.
    pub read: Option<Arc<Snapshot>>,
    /// Why the project can't be opened at all.
    pub broken: Option<Problem>,
    /// How the exact reading stands.
    pub exact: Exact,
    /// Where the two readings differ, one sentence each.
    pub differences: Vec<String>,
    /// Whether the project may be executed; `None` until the service says.
    pub trusted: Option<bool>,
    /// The interpreter that was chosen, and why.
    pub python: Option<(String, String)>,
    /// How ready the worker is; `None` before there is one.
    pub worker: Option<Warmth>,
    /// What is on disk of the datasets.
    pub datasets: HashMap<String, datasets::Status>,
    /// Which nodes of the shown pipeline are out of date.
    pub staleness: HashMap<String, Status>,
    /// Source files that were asked for, by path.
    pub sources: HashMap<String, Source>,
    /// Engines found.
    pub backends: Vec<Backend>,
    /// The tracking store.
    pub tracking: Option<TrackingReport>,
}

/// A source file for display.
#[derive(Debug, Clone)]
pub enum Source {
    /// It was asked for.
    Loading,
    /// Its text.
    Text(Arc<Highlighted>),
    /// Why it can't be shown.
    Failed(String),
}

/// A screen that is a list of rows.
#[derive(Debug)]
pub struct Listing<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the list stands.
    pub position: Position,
    /// Names of groups that are closed.
    pub closed: HashSet<String>,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Listing { rows: Vec::new(), position: Position::default(), closed: HashSet::new() }
    }
}

impl<T> Listing<T> {
    /// The selected row.
    pub fn selected(&self) -> Option<&T> {
        self.rows.get(self.position.selected)
    }
}

/// A dialog over the screen.
#[derive(Debug)]
pub enum Dialog {
    /// The commands that apply here.
    Help(Picker),
    /// Any command by its name.
    Palette(Picker),
    /// A choice.
    Choose(Choose, Picker),
    /// What is wrong or unknown.
    Problems(Position),
    /// A text: a traceback, differences.
    Text(Box<TextDialog>),
    /// A question that `y` and `n` answer.
    Ask(Question),
    /// Options for a run.
    Options(Box<super::options::Form>),
    /// Making the Python environment: lines of progress, and how it ended.
    Environment(Vec<String>, Option<Result<(), String>>),
}

/// What is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choose {
    /// A pipeline.
    Pipeline,
    /// A run environment.
    Environment,
    /// What leads into the selected vertex.
    Parent,
    /// What the selected vertex leads to.
    Child,
    /// A vertex of the whole graph.
    Vertex,
    /// A theme.
    Theme,
    /// A keymap.
    Keymap,
}

/// A text to read.
#[derive(Debug, Clone, Default)]
pub struct TextDialog {
    /// What it is.
    pub title: String,
    /// Its lines.
    pub lines: Vec<String>,
    /// First line that is seen.
    pub offset: usize,
    /// Where `e` goes.
    pub place: Option<Place>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// Whether the project may be executed, and what waits for the answer.
    Trust(Vec<Effect>),
    /// Whether to leave although a run is going on.
    Quit,
    /// Whether to run nodes that are fresh; what is asked to be run.
    Fresh(Box<RunRequest>, Command),
    /// Whether to make the Python environment; the text says why.
    Environment(String),
    /// Whether to delete this run.
    DeleteRun(RunId),
    /// Whether to cancel this run of another program.
    CancelElsewhere(RunId),
    /// Whether to delete what there is no room for.
    Prune(Room, Pruned),
}

/// What is searched on the screens.
#[derive(Debug, Default)]
pub struct Search {
    /// What was typed; a field while it is being typed.
    pub field: Option<TextArea<'static>>,
    /// The last text that was searched for.
    pub text: String,
    /// What it matches in the graph, the best match first.
    pub found: Vec<Spot>,
}

/// A short message on the bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The message.
    pub text: String,
    /// Whether something went wrong.
    pub error: bool,
}

/// Everything.
#[derive(Debug)]
pub struct State {
    /// Columns and rows.
    pub size: (u16, u16),
    /// Seconds since the Unix epoch, as last told.
    pub now: f64,
    /// Theme, keymap, glyphs.
    pub settings: Settings,
    /// The keys.
    pub keymap: Keymap,
    /// The theme before a choice of themes began; choosing shows each one.
    pub theme_before: Option<String>,
    /// Names of all themes and keymaps there are.
    pub available: (Vec<String>, Vec<String>),
    /// Problems of settings, theme and keymap files.
    pub settings_problems: Vec<Problem>,
    /// The run environment that was asked for.
    pub env: Option<String>,
    /// The tab that is shown.
    pub tab: Tab,
    /// The pane that has the focus.
    pub focus: Pane,
    /// Sizes.
    pub panes: Panes,
    /// The project.
    pub project: Project,
    /// The pipeline screen.
    pub pipeline: PipelineScreen,
    /// The catalog screen.
    pub catalog: Listing<CatalogRow>,
    /// The parameters screen.
    pub parameters: Listing<ParameterRow>,
    /// The runs screen.
    pub runs: Listing<RunRecord>,
    /// What is known of the history beside the list, and the page of a run.
    pub history: History,
    /// The experiments screen: indices into the tracked runs.
    pub experiments: Listing<usize>,
    /// The models screen: indices into the registered models.
    pub models: Listing<usize>,
    /// The remote screen: indices into the engines found.
    pub remote: Listing<usize>,
    /// First row of the details that is seen.
    pub side_offset: usize,
    /// Parameters that stand in the place of the files', for the next runs.
    pub overrides: Params,
    /// The run that is going on, or the last one.
    pub run: Option<ActiveRun>,
    /// Runs that began before it and go on beside it.
    pub beside: Vec<ActiveRun>,
    /// Runs that are asked for and have not begun yet.
    pub starting: Vec<(Generation, RunRequest)>,
    /// A run that waits for its environment to be made.
    pub waiting_run: Option<(RunRequest, Command)>,
    /// Whether the log is wanted; by whether there is a run when `None`.
    pub log: Option<bool>,
    /// Dialogs, the last one on top.
    pub dialogs: Vec<Dialog>,
    /// The search.
    pub search: Search,
    /// A line that is being typed on the bar.
    pub prompt: Option<Prompt>,
    /// Keys of a sequence that has begun.
    pub pending: Vec<Key>,
    /// The message on the bar.
    pub notice: Option<Notice>,
    /// Numbers of the last requests.
    pub generations: Generations,
}

/// Numbers of the last requests of each kind.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "one for each kind")]
pub struct Generations {
    pub read: Generation,
    pub exact: Generation,
    pub run: Generation,
    pub detached: Generation,
    pub runs: Generation,
    pub drawing: Generation,
}

impl State {
    /// The state at the start, before anything is known.
    pub fn new(env: Option<String>, settings: Settings, now: f64) -> Self {
        State {
            size: (80, 24),
            now,
            settings,
            keymap: Keymap::default(),
            theme_before: None,
            available: (Vec::new(), Vec::new()),
            settings_problems: Vec::new(),
            env,
            tab: Tab::Pipeline,
            focus: Pane::Main,
            panes: Panes { side: 38, log: 6, dragging: None },
            project: Project::default(),
            pipeline: PipelineScreen::default(),
            catalog: Listing::default(),
            parameters: Listing::default(),
            runs: Listing::default(),
            history: History::default(),
            experiments: Listing::default(),
            models: Listing::default(),
            remote: Listing::default(),
            side_offset: 0,
            overrides: Params::new(),
            run: None,
            beside: Vec::new(),
            starting: Vec::new(),
            waiting_run: None,
            log: None,
            dialogs: Vec::new(),
            search: Search::default(),
            prompt: None,
            pending: Vec::new(),
            notice: None,
            generations: Generations::default(),
        }
    }

    /// What to ask the services for at the start.
    pub fn first_effects(&mut self) -> Vec<Effect> {
        vec![self.read_static(), self.load_runs(), Effect::LoadTimings, Effect::LoadTracking]
    }

    /// Asks for the static reading.
    pub fn read_static(&mut self) -> Effect {
        self.generations.read += 1;
        Effect::ReadStatic {
            generation: self.generations.read,
            env: self.env.clone(),
            params: self.overrides.clone(),
        }
    }

    /// Asks which nodes of the shown pipeline are out of date.
    pub fn look_stale(&self) -> Option<Effect> {
        self.shown_pipeline().map(|pipeline| Effect::LookStale(pipeline.name.clone()))
    }

    /// How a node stands in the run that shows it, and that run: the newest one that has it.
    pub fn node_run(&self, node: &str) -> Option<(&ActiveRun, &NodeState)> {
        let runs = self.run.iter().chain(self.beside.iter().rev());
        runs.filter_map(|run| Some((run, run.nodes.get(node)?))).next()
    }

    /// All runs of this program that are going on.
    pub fn going_on(&self) -> impl Iterator<Item = &ActiveRun> {
        self.run.iter().chain(&self.beside).filter(|run| run.ended.is_none())
    }

    /// The run that the retry is about: one that did not end well, as it is shown.
    pub fn failed_run(&self) -> Option<&RunRecord> {
        let record = match self.tab {
            Tab::Runs => self.shown_run(),
            _ => self.run.as_ref().map(|run| &run.record),
        };
        let bad = [Outcome::Failed, Outcome::Cancelled, Outcome::Lost];
        record.filter(|record| bad.contains(&record.outcome))
    }

    /// Whether something on the screen changes with time alone.
    pub fn shows_time(&self) -> bool {
        let run = || self.runs.rows.iter().any(|run| run.outcome == Outcome::Running);
        self.running().is_some()
            || matches!(self.project.exact, Exact::Reading(_))
            || (self.tab == Tab::Runs && run())
    }

    /// The run that is going on.
    pub fn running(&self) -> Option<&ActiveRun> {
        self.run.as_ref().filter(|run| run.ended.is_none())
    }

    /// Whether the log is on the screen.
    pub fn log_shown(&self) -> bool {
        self.tab == Tab::Pipeline && self.run.is_some() && self.log.unwrap_or(true)
    }

    /// The pipeline that is shown.
    pub fn shown_pipeline(&self) -> Option<&crate::project::Pipeline> {
        let snapshot = self.project.snapshot.as_ref()?;
        snapshot.pipeline(&self.pipeline.name).or_else(|| snapshot.pipelines.first())
    }

    /// The node of that name in any pipeline, the shown one first.
    pub fn node(&self, name: &str) -> Option<&Arc<crate::project::Node>> {
        let snapshot = self.project.snapshot.as_ref()?;
        self.shown_pipeline()
            .into_iter()
            .chain(&snapshot.pipelines)
            .flat_map(|pipeline| &pipeline.nodes)
            .find(|node| node.name == name)
    }

    /// All problems: of the project and of the settings.
    pub fn problems(&self) -> Vec<&Problem> {
        let project = self.project.snapshot.iter().flat_map(|snapshot| &snapshot.problems);
        self.project.broken.iter().chain(project).chain(&self.settings_problems).collect()
    }

    /// Tells something on the bar.
    pub fn tell(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), error: false });
    }

    /// Tells on the bar what went wrong or can't be done.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), error: true });
    }
}
