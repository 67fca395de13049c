//! What all screens share: the project, the runs of this program, settings, dialogs, messages.

use std::collections::HashMap;
use std::sync::Arc;

use ratatui::layout::Size;

use super::areas::{Pane, Panes};
use super::command::Command;
use super::dialog::{Dialog, Question};
use super::effect::{Effect, Generation};
use super::environment::Making;
use super::key::Key;
use super::keymap::Keymap;
use super::notice::{Notice, Notices, Toast};
use super::prompt::{Prompt, PromptKind};
use super::remembered::Memory;
use super::run::{ActiveRun, NodeState};
use super::settings::Settings;
use super::undo::Edits;
use super::watch::Watch;
use crate::dag::staleness::Freshness;
use crate::dag::view::filter::NodeFacts;
use crate::dag::view::{self, RunState};
use crate::datasets;
use crate::project::python::highlight::Highlighted;
use crate::project::{Pipeline, Problem, Snapshot};
use crate::remote::Found;
use crate::runs::params::Params;
use crate::runs::{Failure, RunRequest, Warmth};
use crate::store::{Outcome, Timing};
use crate::tracking::Overview;

/// The number of runs that this program runs at the same time.
const MOST_RUNS: usize = 4;

/// The state of the exact reading, which Kedro itself makes.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Exact {
    /// The exact reading was not requested.
    #[default]
    None,
    /// Kedro is reading, with this interpreter.
    Reading(String),
    /// The exact reading is on the screen; `true` if it comes from the store.
    Shown(bool),
    /// Files have changed since; the static reading is on the screen.
    Outdated,
    /// The exact reading failed.
    Failed(Box<Failure>),
}

/// Whether the exact reading failed because Kedro is not installed.
pub fn no_kedro(failure: &Failure) -> bool {
    failure.kind.ends_with("ModuleNotFoundError") && failure.message.contains("'kedro'")
}

/// The project and what is known of its surroundings.
#[derive(Debug, Default)]
pub struct Project {
    /// The reading on the screen.
    pub snapshot: Option<Arc<Snapshot>>,
    /// The last static reading, to compare the exact one with.
    pub read: Option<Arc<Snapshot>>,
    /// Why the project can't be opened.
    pub broken: Option<Problem>,
    /// Why Kedro itself, or the tracking store, can't be read.
    pub failures: Failures,
    /// The state of the exact reading.
    pub exact: Exact,
    /// The differences of the two readings, one sentence each.
    pub differences: Vec<String>,
    /// Whether the project may be executed; `None` until this is known.
    pub trusted: Option<bool>,
    /// The interpreter that was chosen.
    pub python: Option<String>,
    /// The state of the worker; `None` before it was started.
    pub worker: Option<Warmth>,
    /// The status of the datasets' files, by dataset.
    pub datasets: HashMap<String, datasets::DatasetStatus>,
    /// Which nodes of the shown pipeline are out of date.
    pub staleness: HashMap<String, Freshness>,
    /// The requested source files, by path.
    pub sources: HashMap<String, Source>,
    /// Engines found.
    pub backends: Vec<Found>,
    /// The tracking store.
    pub tracking: Option<TrackingReport>,
    /// A run on an engine whose states the graph shows.
    pub on_engine: Option<OnEngine>,
}

/// A run on an engine whose states the graph shows in place of those here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OnEngine {
    /// The run, and where it is.
    pub name: String,
    /// What its nodes do.
    pub states: HashMap<String, RunState>,
}

/// What failed beside the reading of the files.
#[derive(Debug, Default)]
pub struct Failures {
    /// The exact reading.
    pub exact: Option<Problem>,
    /// The tracking store.
    pub tracking: Option<Problem>,
}

/// A source file for display.
#[derive(Debug, Clone)]
pub enum Source {
    /// The file was requested.
    Loading,
    /// The highlighted text.
    Text(Arc<Highlighted>),
    /// Why the file can't be shown.
    Failed(String),
}

/// The state of the tracking store.
#[derive(Debug, Clone, PartialEq)]
pub enum TrackingReport {
    /// The project has no tracking store.
    Absent,
    /// The tracking store was read.
    Live(Overview),
    /// The tracking store could not be read.
    Failed(String),
}

/// The names of all themes and keymaps, built in or the user's.
#[derive(Debug, Clone, Default)]
pub struct Available {
    /// Names of themes.
    pub themes: Vec<String>,
    /// Names of keymaps.
    pub keymaps: Vec<String>,
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

/// What all screens share.
#[derive(Debug)]
pub struct Shared {
    /// Columns and rows of the terminal.
    pub size: Size,
    /// Seconds since the Unix epoch at the last tick or run event.
    pub now: f64,
    /// Theme, keymap, glyphs.
    pub settings: Settings,
    /// The current keymap.
    pub keymap: Keymap,
    /// The theme before a choice of themes began; choosing shows each one.
    pub theme_before: Option<String>,
    /// Names of all themes and keymaps there are.
    pub available: Available,
    /// Whether a run of fresh nodes has been confirmed in this session.
    pub asked_fresh: bool,
    /// Problems of settings, theme and keymap files.
    pub settings_problems: Vec<Problem>,
    /// The run environment that was asked for.
    pub env: Option<String>,
    /// The pane that has the focus.
    pub focus: Pane,
    /// Sizes of the panes.
    pub panes: Panes,
    /// First row of the details that is seen.
    pub side_offset: usize,
    /// The project.
    pub project: Project,
    /// Name of the shown pipeline; the first one when it does not exist.
    pub pipeline: String,
    /// Parameters that override those of the files, for the next runs.
    pub overrides: Params,
    /// Watch mode, while it is on.
    pub watch: Option<Watch>,
    /// The edits that `undo` takes back.
    pub edits: Edits,
    /// How long nodes took in their last runs, by name.
    pub timings: HashMap<String, Timing>,
    /// The run that is going on, or the last one.
    pub run: Option<ActiveRun>,
    /// Earlier runs of this program that are still going on.
    pub beside: Vec<ActiveRun>,
    /// Runs of other programs that are going on: detached ones, those of other screens and of the command line.
    pub elsewhere: Vec<ActiveRun>,
    /// Requested runs that have not begun yet.
    pub starting: Vec<(Generation, RunRequest)>,
    /// A run that waits until its Python environment is made.
    pub waiting_run: Option<(RunRequest, Command)>,
    /// The making of the Python environment: the one that goes on, or the last one.
    pub making: Option<Making>,
    /// Whether the log is shown; `None` shows it as soon as there is a run.
    pub log: Option<bool>,
    /// Dialogs, the last one on top.
    pub dialogs: Vec<Dialog>,
    /// The last text that was searched for.
    pub search: String,
    /// A line that is being typed on the bar.
    pub prompt: Option<Prompt>,
    /// Keys of a sequence that has begun.
    pub pending: Vec<Key>,
    /// The message on the bar.
    pub notice: Option<Notice>,
    /// The last messages.
    pub notices: Notices,
    /// The end of a run that is shown on every tab.
    pub toast: Option<Toast>,
    /// The worst outcome among the runs that ended since the Runs tab was last shown.
    pub unseen: Option<Outcome>,
    /// Whether the terminal has the focus; `None` if it did not say.
    pub focused: Option<bool>,
    /// What is remembered from one session to the next.
    pub memory: Memory,
    /// Numbers of the last requests.
    pub generations: Generations,
}

impl Shared {
    /// The state before anything is known of the project.
    pub fn new(env: Option<String>, settings: Settings, now: f64) -> Self {
        Shared {
            size: Size::new(80, 24),
            now,
            settings,
            keymap: Keymap::default(),
            theme_before: None,
            available: Available::default(),
            asked_fresh: false,
            settings_problems: Vec::new(),
            env,
            focus: Pane::Main,
            panes: Panes::default(),
            side_offset: 0,
            project: Project::default(),
            pipeline: String::new(),
            overrides: Params::new(),
            watch: None,
            edits: Edits::default(),
            timings: HashMap::new(),
            run: None,
            beside: Vec::new(),
            elsewhere: Vec::new(),
            starting: Vec::new(),
            waiting_run: None,
            making: None,
            log: None,
            dialogs: Vec::new(),
            search: String::new(),
            prompt: None,
            pending: Vec::new(),
            notice: None,
            notices: Notices::default(),
            toast: None,
            unseen: None,
            focused: None,
            memory: Memory::default(),
            generations: Generations::default(),
        }
    }

    /// Asks for the static reading.
    pub fn read_static(&mut self) -> Effect {
        Effect::ReadStatic {
            generation: self.generations.read.count(),
            env: self.env.clone(),
            params: self.overrides.clone(),
        }
    }

    /// Asks which nodes of the shown pipeline are out of date.
    pub fn look_stale(&self) -> Option<Effect> {
        self.shown_pipeline().map(|pipeline| Effect::LookStale(pipeline.name.clone()))
    }

    /// The run that contains the node, and the node's state in it: a run of this program that is going on, one of another
    /// program, or the last one of this program.
    pub fn node_run(&self, node: &str) -> Option<(&ActiveRun, &NodeState)> {
        let own = || self.run.iter().chain(self.beside.iter().rev());
        let going_on = own().filter(|run| run.ended.is_none()).chain(&self.elsewhere);
        going_on.chain(own()).filter_map(|run| Some((run, run.nodes.get(node)?))).next()
    }

    /// The estimated seconds until a node ends that has run since this time; from its median duration in earlier runs.
    /// `None` if it has not run before, or takes longer than usual.
    pub fn node_left(&self, node: &str, since: f64) -> Option<f64> {
        let left = self.timings.get(node)?.median - (self.now - since);
        (left > 0.0).then_some(left)
    }

    /// The estimated seconds until a run ends whose nodes run one after another. `None` if a node has not run before.
    pub fn run_left(&self, run: &ActiveRun) -> Option<f64> {
        let left = run.nodes.iter().map(|(node, state)| {
            let median = self.timings.get(node).map(|timing| timing.median);
            match state {
                NodeState::Waiting => median,
                NodeState::Running(since) => Some((median? - (self.now - since)).max(0.0)),
                NodeState::Done(_) | NodeState::Failed(_) | NodeState::Stopped => Some(0.0),
            }
        });
        left.sum::<Option<f64>>().filter(|left| *left > 0.0)
    }

    /// The status of a node: its state in a run, else its freshness.
    pub fn node_status(&self, node: &str) -> view::NodeStatus {
        if let Some(run) = &self.project.on_engine {
            return view::NodeStatus::of(run.states.get(node).copied(), None);
        }
        let run = self.node_run(node).map(|(_, state)| match state {
            NodeState::Waiting => RunState::Waiting,
            NodeState::Running(_) => RunState::Running,
            NodeState::Done(_) => RunState::Done,
            NodeState::Failed(_) => RunState::Failed,
            NodeState::Stopped => RunState::Stopped,
        });
        view::NodeStatus::of(run, self.project.staleness.get(node))
    }

    /// What is known about a node from its runs.
    pub fn node_facts(&self, node: &str) -> NodeFacts {
        let running = self.node_run(node).and_then(|(_, state)| match state {
            NodeState::Done(seconds) | NodeState::Failed(seconds) => Some(*seconds),
            _ => None,
        });
        let took = running.or_else(|| self.timings.get(node).map(|timing| timing.last));
        NodeFacts::new(self.node_status(node), self.project.staleness.get(node), took)
    }

    /// All runs of this program that are going on.
    pub fn going_on(&self) -> impl Iterator<Item = &ActiveRun> {
        self.run.iter().chain(&self.beside).filter(|run| run.ended.is_none())
    }

    /// The run whose progress is shown: the one of this program that is going on, else one of another program.
    pub fn progressing(&self) -> Option<&ActiveRun> {
        self.running().or(self.elsewhere.first())
    }

    /// The run that is going on.
    pub fn running(&self) -> Option<&ActiveRun> {
        self.run.as_ref().filter(|run| run.ended.is_none())
    }

    /// Whether the Python environment is being made.
    pub fn is_making(&self) -> bool {
        self.making.as_ref().is_some_and(Making::goes_on)
    }

    /// The snapshot on the screen.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.project.snapshot.as_deref()
    }

    /// The pipeline that is shown.
    pub fn shown_pipeline(&self) -> Option<&Pipeline> {
        let snapshot = self.snapshot()?;
        snapshot.pipeline(&self.pipeline).or_else(|| snapshot.pipelines.first())
    }

    /// The node of that name in any pipeline, the shown one first.
    pub fn node(&self, name: &str) -> Option<&Arc<crate::project::Node>> {
        let snapshot = self.snapshot()?;
        self.shown_pipeline()
            .into_iter()
            .chain(&snapshot.pipelines)
            .flat_map(|pipeline| &pipeline.nodes)
            .find(|node| node.name == name)
    }

    /// The tracking store's content, to be changed.
    pub fn tracked_mut(&mut self) -> Option<&mut Overview> {
        match &mut self.project.tracking {
            Some(TrackingReport::Live(overview)) => Some(overview),
            _ => None,
        }
    }

    /// The tracking store's content, if the store was read.
    pub fn tracked(&self) -> Option<&Overview> {
        match &self.project.tracking {
            Some(TrackingReport::Live(overview)) => Some(overview),
            _ => None,
        }
    }

    /// The request for a run of the shown pipeline in the shown environment, with the overrides.
    pub fn request(&self) -> RunRequest {
        let pipeline = self.shown_pipeline().map(|pipeline| pipeline.name.clone());
        RunRequest {
            pipeline: pipeline.filter(|name| name != "__default__"),
            env: self.env.clone(),
            params: self.overrides.clone(),
            ..RunRequest::default()
        }
    }

    /// The failure of the last run, else of Kedro's own reading of the project, and what failed.
    pub fn failure(&self) -> Option<(String, Failure)> {
        if let Some(run) = &self.run
            && let Some(failure) = &run.failure
        {
            let of = match &run.failed_node {
                Some(node) => format!("{node}, {}", run.record.name()),
                None => run.record.name(),
            };
            return Some((of, failure.clone()));
        }
        match &self.project.exact {
            Exact::Failed(failure) => {
                Some(("Kedro's reading of the project".into(), (**failure).clone()))
            }
            _ => None,
        }
    }

    /// Why no run can begin now.
    pub fn no_run_now(&self) -> Option<String> {
        match self.going_on().filter(|run| !run.apart).count() {
            MOST_RUNS.. => Some(format!("{MOST_RUNS} runs are already running")),
            _ if self.shown_pipeline().is_none() => Some("there is no pipeline".into()),
            _ => None,
        }
    }

    /// All problems: of the project and of the settings.
    pub fn problems(&self) -> Vec<&Problem> {
        let project = self.project.snapshot.iter().flat_map(|snapshot| &snapshot.problems);
        let Failures { exact, tracking } = &self.project.failures;
        let failures = exact.iter().chain(tracking);
        let own = self.project.broken.iter().chain(failures);
        own.chain(project).chain(&self.settings_problems).collect()
    }

    /// Shows a message on the bar.
    pub fn tell(&mut self, text: impl Into<String>) {
        self.show(text.into(), false);
    }

    /// Shows an error on the bar.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.show(text.into(), true);
    }

    fn show(&mut self, text: String, error: bool) {
        let notice = Notice { text, error, at: self.now };
        self.notices.add(notice.clone());
        self.notice = Some(notice);
    }

    /// Shows the end of a run on every tab. Returns the notification for a terminal that does not have the focus.
    pub fn show_end(&mut self, toast: Toast) -> Option<Effect> {
        self.unseen = Some(match self.unseen {
            Some(before @ (Outcome::Failed | Outcome::Lost)) => before,
            _ => toast.outcome,
        });
        self.show_toast(toast)
    }

    /// Shows a message on every tab. Returns the notification for a terminal that does not have the focus.
    pub fn show_toast(&mut self, toast: Toast) -> Option<Effect> {
        let error = matches!(toast.outcome, Outcome::Failed | Outcome::Lost);
        let text = toast.line();
        self.notices.add(Notice { text: text.clone(), error, at: self.now });
        self.toast = Some(toast);
        (self.focused != Some(true)).then_some(Effect::Notify(text))
    }

    /// Opens a dialog that asks a question.
    pub fn ask(&mut self, question: Question) {
        self.dialogs.push(Dialog::Ask(question));
    }

    /// Begins to type a line on the bar, which holds `text` at first.
    pub fn begin(&mut self, kind: PromptKind, text: &str) {
        self.prompt = Some(Prompt::new(kind, text));
    }
}
