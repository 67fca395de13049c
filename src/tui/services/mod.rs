//! What does the work that the screen asks for, each in a file of its own: reading the project,
//! running nodes, keeping the store, looking at datasets and tracking, watching files.
//!
//! Each sends its reports through the one channel of the loop. Dropping the services stops them all.

mod drawing;
mod exact;
mod look;
mod reading;
mod running;
mod stale;
mod storing;
mod watching;
mod working;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

use super::{Start, folders};
use crate::app::effect::Effect;
use crate::app::screens::pipeline::Picture;
use crate::app::{
    effect::{GRID, Generation},
    event::{Event, Report},
};
use crate::project::reader::runtime_params;
use crate::project::{Options, Snapshot};
use crate::runs::history::change;
use crate::store::Trust;

/// What the loop is told.
#[derive(Debug)]
pub(super) enum Message {
    /// For the state.
    Event(Event),
    /// The user's settings, themes or keymaps changed.
    Settings,
}

impl From<Report> for Message {
    fn from(report: Report) -> Self {
        Message::Event(Event::Report(report))
    }
}

/// Where reports go.
pub(super) type Reports = mpsc::Sender<Message>;

/// The last snapshot that was read, for services that look at what it names.
type Current = Arc<Mutex<Option<Arc<Snapshot>>>>;

/// All services of one project.
pub(super) struct Services {
    root: PathBuf,
    python: Option<PathBuf>,
    reports: Reports,
    current: Current,
    reading: std::sync::mpsc::Sender<reading::Request>,
    stale: std::sync::mpsc::Sender<String>,
    drawing: drawing::Drawing,
    store: storing::Storing,
    exact: Option<tokio::task::AbortHandle>,
    runs: running::Runs,
    working: working::Working,
    environment: Option<tokio::task::AbortHandle>,
    _settings: Option<watching::SettingsWatcher>,
}

impl Services {
    /// Starts them. Needs a tokio runtime.
    pub(super) fn start(start: &Start, fresh_worker: bool, reports: Reports) -> Self {
        let current = Current::default();
        let services = Services {
            root: start.root.clone(),
            python: start.python.clone(),
            reading: reading::start(start.root.clone(), current.clone(), reports.clone()),
            stale: stale::start(
                start.root.clone(),
                start.python.clone(),
                current.clone(),
                reports.clone(),
            ),
            drawing: drawing::Drawing::start(reports.clone()),
            store: storing::Storing::start(&start.root, reports.clone()),
            current: current.clone(),
            exact: None,
            runs: running::Runs::default(),
            working: working::Working::new(start.root.clone(), fresh_worker, reports.clone()),
            environment: None,
            _settings: watching::settings(&folders::config(), reports.clone()),
            reports,
        };
        let trusted = Trust::new(&folders::state()).holds(&start.root);
        services.tell(Report::Trust(trusted));
        tokio::spawn(look::follow_tracking(start.root.clone(), current, services.reports.clone()));
        services
    }

    /// Whether each request gets a Python process of its own, as the settings say.
    pub(super) fn set_fresh_worker(&self, fresh: bool) {
        self.working.set_fresh(fresh);
    }

    /// The project's folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The interpreter that the program was started with.
    pub(super) fn python(&self) -> Option<&Path> {
        self.python.as_deref()
    }

    /// Begins what was asked for.
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::ReadStatic { generation, env, params } => {
                let runtime_params = runtime_params(&params);
                let options = Options { env, runtime_params, ..Options::default() };
                // The thread lives as long as its sender does.
                let _ = self.reading.send(reading::Request::Static { generation, options });
            }
            Effect::ReadExact { generation, env, params } => {
                let again = self.exact.take();
                if let Some(before) = &again {
                    before.abort();
                }
                let task = tokio::spawn(exact::read(exact::Task {
                    generation,
                    env,
                    params,
                    again: again.is_some(),
                    root: self.root.clone(),
                    python: self.python.clone(),
                    working: self.working.clone(),
                    current: self.current.clone(),
                    store: self.store.clone(),
                    reading: self.reading.clone(),
                    reports: self.reports.clone(),
                }));
                self.exact = Some(task.abort_handle());
            }
            Effect::Trust => {
                let (root, reports) = (self.root.clone(), self.reports.clone());
                let current = self.current.clone();
                tokio::task::spawn_blocking(move || {
                    if let Err(error) = Trust::new(&folders::state()).add(&root) {
                        let text = format!("The trust holds for this session alone: {error}.");
                        let _ = reports.blocking_send(Report::Notice(text).into());
                    }
                    // A server that the project names may be asked now.
                    look::tracking(&root, &current, &reports);
                });
            }
            // The thread lives as long as its sender does.
            Effect::LookStale(pipeline) => drop(self.stale.send(pipeline)),
            Effect::StatDatasets => look::datasets(&self.current, &self.reports),
            Effect::ReadSource { file } => look::source(&self.root, file, &self.reports),
            Effect::LoadTracking => look::tracking(&self.root, &self.current, &self.reports),
            Effect::Run { generation, request, why } => {
                self.runs.start(running::Task {
                    generation,
                    request: *request,
                    why,
                    root: self.root.clone(),
                    python: self.python.clone(),
                    working: self.working.clone(),
                    reports: self.reports.clone(),
                });
            }
            Effect::RunGrid { requests, why } => {
                let tasks = requests.into_iter().map(|request| running::Task {
                    generation: GRID,
                    request,
                    why: why.clone(),
                    root: self.root.clone(),
                    python: self.python.clone(),
                    working: self.working.clone(),
                    reports: self.reports.clone(),
                });
                let tasks = tasks.collect();
                self.runs.start_grid(tasks);
            }
            Effect::RunDetached { generation, request } => {
                running::detach(
                    &self.root,
                    self.python.as_deref(),
                    generation,
                    &request,
                    &self.reports,
                );
            }
            Effect::Cancel(id) => self.runs.cancel(id),
            Effect::CancelElsewhere(id) => {
                self.store.change(&self.reports, move |store| change::cancel(store, id));
            }
            Effect::LoadRuns { generation, filter } => {
                self.store.load_runs(generation, *filter, &self.reports);
            }
            Effect::LoadRun(id) => self.store.load_run(id, &self.reports),
            Effect::LoadTimings => self.store.load_timings(&self.reports),
            Effect::LoadLog { run, generation, filter, from } => {
                look::log(&self.root, run, generation, filter, from, &self.reports);
            }
            Effect::Compare(first, second) => {
                look::compare(&self.root, (first, second), &self.current, &self.reports);
            }
            Effect::Pin(id, pinned) => {
                self.store.change(&self.reports, move |store| store.pin(id, pinned).map(drop));
            }
            Effect::Note(id, note) => {
                self.store.change(&self.reports, move |store| store.note(id, &note).map(drop));
            }
            Effect::DeleteRun(id) => {
                self.store.delete(&self.reports, move |store| change::delete(store, &[id]));
            }
            Effect::Prunable(room) => self.store.prunable(room, &self.reports),
            Effect::Prune(room) => {
                self.store.delete(&self.reports, move |store| store.prune(&room));
            }
            Effect::CreateEnvironment => {
                let task = tokio::spawn(running::create_environment(
                    self.root.clone(),
                    self.reports.clone(),
                ));
                self.environment = Some(task.abort_handle());
            }
            // The loop does these itself.
            Effect::Quit
            | Effect::Suspend
            | Effect::Redraw
            | Effect::Edit(_)
            | Effect::Debug { .. }
            | Effect::Copy(_)
            | Effect::Draw(_)
            | Effect::Export(_)
            | Effect::ReloadSettings
            | Effect::SetTheme(_)
            | Effect::SetKeymap(_) => {}
        }
    }

    /// Draws a pipeline.
    pub(super) fn draw(&mut self, generation: Generation, picture: Picture) {
        self.drawing.ask(generation, picture);
    }

    /// Stops all, and waits until cancelled runs have ended and are recorded.
    pub(super) async fn finish(mut self) {
        for task in [self.exact.take(), self.environment.take()].into_iter().flatten() {
            task.abort();
        }
        self.runs.finish().await;
        self.store.finish().await;
    }

    fn tell(&self, report: Report) {
        // The channel is empty at the start, and later reports are sent by the services themselves.
        let _ = self.reports.try_send(report.into());
    }
}
