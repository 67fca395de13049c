//! The services, which perform the effects, each in a file of its own: reading the project,
//! running nodes, keeping the store, looking at datasets and tracking, watching files.
//!
//! Each sends its reports through the channel of the event loop. Dropping the services stops them all.

mod artifacts;
mod context;
mod drawing;
mod exact;
mod look;
mod prompting;
mod reading;
mod remote;
mod running;
mod stale;
mod storing;
mod tracking;
mod watching;
mod working;

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use super::{Start, folders, memory};
use crate::app::effect::Effect;
use crate::app::screens::pipeline::Picture;
use crate::app::{
    effect::Generation,
    event::{Event, Report},
};
use crate::project::Options;
use crate::project::reader::runtime_params;
use crate::runs::history::change;
use crate::store::Trust;
use context::Context;
pub(super) use context::Reports;
pub(super) use prompting::Ready;

/// A message to the event loop.
#[derive(Debug)]
pub(super) enum Message {
    /// An event for the state.
    Event(Event),
    /// The user's settings, themes or keymaps changed.
    Settings,
    /// A Python prompt can be opened.
    Prompt(Box<Ready>),
}

impl From<Report> for Message {
    fn from(report: Report) -> Self {
        Message::Event(Event::Report(report))
    }
}

/// All services of one project.
pub(super) struct Services {
    context: Arc<Context>,
    reading: std::sync::mpsc::Sender<reading::Request>,
    stale: std::sync::mpsc::Sender<String>,
    drawing: drawing::Drawing,
    exact: Option<tokio::task::AbortHandle>,
    runs: running::Runs,
    environment: Option<tokio::task::AbortHandle>,
    remotes: remote::Remotes,
    _settings: Option<watching::SettingsWatcher>,
}

impl Services {
    /// Starts them. Needs a tokio runtime.
    pub(super) fn start(start: &Start, fresh_worker: bool, reports: Reports) -> Self {
        let context = Context::new(start.root.clone(), start.python.clone(), fresh_worker, reports);
        let services = Services {
            reading: reading::start(context.clone()),
            stale: stale::start(context.clone()),
            drawing: drawing::Drawing::start(context.reports.clone()),
            exact: None,
            runs: running::Runs::default(),
            environment: None,
            remotes: remote::Remotes::default(),
            _settings: watching::settings(&folders::config(), context.reports.clone()),
            context,
        };
        let trusted = Trust::new(&folders::state()).holds(&start.root);
        services.tell(Report::Trust(trusted));
        let context = services.context.clone();
        std::thread::spawn(move || tracking::follow(&context));
        services
    }

    /// Whether each request gets a Python process of its own, as the settings say.
    pub(super) fn set_fresh_worker(&self, fresh: bool) {
        self.context.working.set_fresh(fresh);
    }

    /// The project's folder.
    pub(super) fn root(&self) -> &Path {
        &self.context.root
    }

    /// Starts to perform an effect.
    pub(super) fn perform(&mut self, effect: Effect) {
        let store = &self.context.store;
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
                let again = again.is_some();
                let reading = self.reading.clone();
                let task = exact::Task { generation, env, params, again, reading };
                let task = tokio::spawn(exact::read(self.context.clone(), task));
                self.exact = Some(task.abort_handle());
            }
            Effect::Trust => {
                let context = self.context.clone();
                tokio::task::spawn_blocking(move || {
                    if let Err(error) = Trust::new(&folders::state()).add(&context.root) {
                        let text = format!("The trust holds for this session alone: {error}.");
                        context.send_blocking(Report::Notice(text));
                    }
                    // A tracking server that the project names may be contacted now.
                    tracking::load(&context);
                });
            }
            // The thread lives as long as its sender does.
            Effect::LookStale(pipeline) => drop(self.stale.send(pipeline)),
            Effect::StatDatasets => look::datasets(&self.context),
            Effect::ReadSource { file } => look::source(&self.context, file),
            Effect::Remember(remembered) => {
                let root = self.context.root.clone();
                store.tell(move |_| -> Result<(), Infallible> {
                    memory::write(&root, &remembered);
                    Ok(())
                });
            }
            Effect::LoadTracking => tracking::load(&self.context),
            Effect::Remote(ask) => self.remotes.ask(&self.context, *ask),
            Effect::FindPipelineRuns(runs, then) => {
                tracking::find_pipeline_runs(&self.context, runs, then);
            }
            Effect::LoadCurves(wanted) => tracking::curves(&self.context, wanted),
            Effect::LoadBelongings(run) => tracking::belongings(&self.context, run),
            Effect::WriteComparison(file, comparison) => {
                tracking::write_comparison(&self.context, file, *comparison);
            }
            Effect::LoadArtifacts { run, folder } => artifacts::list(&self.context, run, folder),
            Effect::LoadPreview(request) => artifacts::preview(&self.context, request),
            Effect::Run { generation, request, why } => {
                let task = running::Task { generation: Some(generation), request: *request, why };
                self.runs.start(&self.context, vec![task]);
            }
            Effect::RunGrid { requests, why } => {
                let tasks = requests.into_iter().map(|request| running::Task {
                    generation: None,
                    request,
                    why: why.clone(),
                });
                self.runs.start(&self.context, tasks.collect());
            }
            Effect::Debug(prompt, request) => {
                tokio::spawn(prompting::prepare(self.context.clone(), prompt, *request));
            }
            Effect::RunDetached { generation, request } => {
                running::detach(&self.context, generation, &request);
            }
            Effect::Cancel(key) => self.runs.cancel(key),
            Effect::CancelElsewhere(id) => {
                store.change(move |store| change::cancel(store, id));
            }
            Effect::LoadRuns { generation, filter } => store.load_runs(generation, *filter),
            Effect::LoadRun(id) => store.load_run(id),
            Effect::LoadGoingOn(known) => store.load_going_on(known),
            Effect::LoadTimings => store.load_timings(),
            Effect::FindInLog { run, generation, filter, from } => {
                look::find_in_log(&self.context, run, generation, filter, from);
            }
            Effect::LoadLog { run, generation, filter, from } => {
                look::log(&self.context, run, generation, filter, from);
            }
            Effect::Compare(runs) => look::compare(&self.context, runs),
            Effect::Pin(id, pinned) => {
                store.change(move |store| store.pin(id, pinned).map(drop));
            }
            Effect::Note(id, note) => {
                store.change(move |store| store.note(id, &note).map(drop));
            }
            Effect::DeleteRun(id) => store.delete(move |store| change::delete(store, &[id])),
            Effect::Prunable(room) => store.prunable(room),
            Effect::Prune(room) => store.delete(move |store| store.prune(&room)),
            Effect::CreateEnvironment => {
                let task = tokio::spawn(running::create_environment(self.context.clone()));
                self.environment = Some(task.abort_handle());
            }
            Effect::CancelEnvironment => {
                // Dropping the task kills uv or pip.
                if let Some(task) = self.environment.take() {
                    task.abort();
                }
            }
            // The event loop performs these itself.
            Effect::Quit
            | Effect::Suspend
            | Effect::Redraw
            | Effect::Edit(_)
            | Effect::Copy(_)
            | Effect::Notify(_)
            | Effect::Draw(_)
            | Effect::Export(_)
            | Effect::ReloadSettings
            | Effect::SetTheme(_)
            | Effect::ChooseTheme(_)
            | Effect::ChooseKeymap(_) => {}
        }
    }

    /// Draws a pipeline.
    pub(super) fn draw(&mut self, generation: Generation, picture: Picture) {
        self.drawing.ask(generation, picture);
    }

    /// Stops all services, and waits until cancelled runs have ended and are recorded.
    pub(super) async fn finish(mut self) {
        for task in [self.exact.take(), self.environment.take()].into_iter().flatten() {
            task.abort();
        }
        self.runs.finish().await;
        self.context.store.finish().await;
        self.context.working.close();
    }

    fn tell(&self, report: Report) {
        // This can't fail: the channel is empty at the start.
        let _ = self.context.reports.try_send(report.into());
    }
}
