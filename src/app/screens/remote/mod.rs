//! The remote screen: the engines that the project names, their runs, and the page of a run.
//!
//! [`asked`] has what the engines are asked for and what they answer, [`page`] the runs of an engine, [`run`] the page of
//! one, [`log`] the log of a task, [`found`] a search over all logs of a run. `answers` takes the answers, `act` does what keys ask for.

mod about;
mod act;
mod answers;
pub mod asked;
pub mod found;
mod home;
pub mod log;
pub mod page;
pub mod run;
pub mod runs;
pub mod submit;

use std::collections::{HashMap, HashSet};

use super::Screen;
use crate::app::command::Command;
use crate::app::effect::Effect;
use crate::app::list::Position;
use crate::app::shared::{OnEngine, Shared};
use crate::app::words::Details;
use crate::remote::model::{Deployed, Run};
use crate::remote::{Action, Check, Found};
use crate::runs::{Failure, RunRequest};
use crate::text::filter::{FilterError, Key, parse};
use crate::text::{UserError, sanitize};
use asked::{Ask, Profile, Shown, What};
use page::Page;
use run::{HEAD, Part, RunPage};

/// The remote screen.
#[derive(Debug, Default)]
pub struct RemoteScreen {
    /// The profiles of the project.
    pub profiles: Vec<Profile>,
    /// What is wrong with further profiles.
    pub mistakes: Vec<UserError>,
    /// Whether the profiles were read.
    pub is_read: bool,
    /// What is known of the connections, by the names of the profiles.
    pub known: HashMap<String, Known>,
    /// Selection and scrolling of the list of profiles and engines.
    pub position: Position,
    /// The runs of a profile, in place of the list.
    pub page: Option<Page>,
    /// The engine that is shown now, as the service was asked.
    asked: Option<Shown>,
    /// The run environment that the profiles were asked for; `None` if they have to be read.
    asked_env: Option<Option<String>>,
    /// Whether the only profile was opened by itself.
    opened: bool,
    /// The search that the service was asked for and that goes on.
    searching: Option<u64>,
    /// Searches in this session.
    searches: u64,
}

/// What is known of a connection.
#[derive(Debug, Default)]
pub struct Known {
    /// Whether it was asked and has not answered yet.
    pub asking: bool,
    /// The parts of the last check.
    pub checks: Vec<Check>,
    /// When that was.
    pub at: f64,
    /// The pipelines on the engine, or why they can't be listed; `None` before the first check.
    pub pipelines: Option<Result<Vec<Deployed>, String>>,
    /// The registered pipelines whose DAG files were written in this session.
    pub written: HashSet<String>,
}

impl Known {
    /// What is wrong with the connection.
    pub fn fault(&self) -> Option<&str> {
        self.checks.iter().find_map(|check| check.found.as_ref().err()).map(String::as_str)
    }

    /// What the check found out about a part, such as `version`.
    pub fn found(&self, what: &str) -> Option<&str> {
        let check = self.checks.iter().find(|check| check.what == what)?;
        check.found.as_ref().ok().map(String::as_str)
    }
}

impl RemoteScreen {
    /// The profiles have to be read again, because the project was.
    pub fn reread(&mut self) {
        self.asked_env = None;
    }

    /// What to ask for as the screen is shown, or hidden.
    pub fn follow(&mut self, shared: &Shared, visible: bool) -> Vec<Effect> {
        let mut asks = Vec::new();
        if visible && shared.snapshot().is_some() && self.asked_env.as_ref() != Some(&shared.env) {
            self.asked_env = Some(shared.env.clone());
            asks.push(Ask::Profiles(shared.env.clone()));
        }
        if visible && shared.project.trusted == Some(true) {
            for profile in self.profiles.iter().filter(|profile| profile.broken.is_none()) {
                let known = self.known.entry(profile.name.clone()).or_default();
                if !known.asking && known.checks.is_empty() {
                    known.asking = true;
                    asks.push(Ask::Check(profile.name.clone()));
                }
            }
        }
        let shown = self.shown().filter(|_| visible && shared.project.trusted == Some(true));
        if shown != self.asked {
            self.asked.clone_from(&shown);
            asks.push(Ask::Show(shown));
        }
        // A search ends with the page that shows its hits, and once there are too many.
        let found = self.run_page().and_then(|run| run.found.as_ref());
        let search = found.filter(|found| !found.is_over()).map(|found| &found.search);
        let number = search.map(|search| search.number);
        if number != self.searching {
            let search = search.map(|search| Ask::Search(Box::new(search.clone())));
            asks.push(search.unwrap_or(Ask::StopSearch));
            self.searching = number;
        }
        asks.into_iter().map(|ask| Effect::Remote(Box::new(ask))).collect()
    }

    /// What of an engine is on the screen.
    fn shown(&self) -> Option<Shown> {
        let page = self.page.as_ref()?;
        let profile = page.profile.clone();
        let run = page.run.as_ref();
        let what = match run.map(|run| (run, run.part, &run.log)) {
            None => match self.pipelines_of(page)?.as_slice() {
                [] if !page.all => What::Pipelines,
                pipelines => What::Runs { pipelines: pipelines.to_vec(), limit: page.limit },
            },
            Some((run, Part::Log, Some(log))) if self.unable(&profile, Action::Logs).is_none() => {
                let task = Box::new(log.task.clone());
                What::Log { id: run.id.clone(), task, attempt: log.attempt }
            }
            Some((run, Part::Grid, _)) => What::Grid(run.grid.runs.iter().rev().cloned().collect()),
            Some((run, ..)) => What::Run(run.id.clone()),
        };
        Some(Shown { profile, what })
    }

    /// The pipelines of the project that are on the engine of a page; `None` if they are not known.
    fn pipelines_of(&self, page: &Page) -> Option<Vec<String>> {
        let profile = self.profile(&page.profile)?;
        if page.all {
            return Some(Vec::new());
        }
        let deployed = self.known.get(&page.profile)?.pipelines.as_ref()?.as_ref().ok()?;
        let own = |one: &&Deployed| profile.pipelines.iter().any(|(_, id)| *id == one.id);
        Some(deployed.iter().filter(own).map(|pipeline| pipeline.id.clone()).collect())
    }

    /// The profile of a name.
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    /// The profile of the page, else the selected one.
    pub fn shown_profile(&self) -> Option<&Profile> {
        match &self.page {
            Some(page) => self.profile(&page.profile),
            None => self.profiles.get(self.position.selected),
        }
    }

    /// The run of the page, else the selected one.
    pub fn shown_run(&self) -> Option<&Run> {
        let page = self.page.as_ref()?;
        match &page.run {
            Some(run) => page.runs.iter().find(|one| one.id == run.id),
            None => page.list.selected(),
        }
    }

    /// The page of a run.
    pub fn run_page(&self) -> Option<&RunPage> {
        self.page.as_ref()?.run.as_deref()
    }

    fn run_page_mut(&mut self) -> Option<&mut RunPage> {
        self.page.as_mut()?.run.as_deref_mut()
    }

    /// Shows the states of the run's tasks on the graph, as they are now.
    pub fn show_states(&self, shared: &mut Shared) {
        let (Some(page), Some(run)) = (&self.page, self.run_page()) else { return };
        let name = format!("{}: {}", page.profile, sanitize(&run.id.run));
        shared.project.on_engine = Some(OnEngine { name, states: run.states() });
    }

    /// Why an engine can't do something.
    fn unable(&self, profile: &str, action: Action) -> Option<&'static str> {
        let unable = &self.profile(profile)?.unable;
        unable.iter().find(|(other, _)| *other == action).map(|(_, why)| *why)
    }

    /// The engines without a profile that the project is set up for by plug-ins.
    pub fn engines<'a>(&self, shared: &'a Shared) -> Vec<&'a Found> {
        let has = |found: &&Found| {
            let of = |profile: &Profile| profile.engine.title() == found.name;
            !self.profiles.iter().any(of)
        };
        shared.project.backends.iter().filter(has).collect()
    }

    /// The number of lines of a run's page below its head.
    fn body_height(&self, shared: &Shared) -> usize {
        usize::from(self.areas(shared).main.height.saturating_sub(HEAD))
    }

    /// Moves on a log, in the details, or sideways on the grid. Returns false if the page moves as a list does.
    fn go_on_page(&mut self, shared: &mut Shared, command: Command, by: isize) -> bool {
        let height = self.body_height(shared);
        let lines = match self.run_page().map(|run| run.part) {
            Some(Part::About) => self.details(shared).lines.len(),
            _ => 0,
        };
        let Some(run) = self.run_page_mut() else { return false };
        match run.part {
            Part::Tasks | Part::Found => return false,
            Part::Log => {
                let Some(log) = &mut run.log else { return true };
                match command {
                    Command::Left => log.scroll_sideways(-1),
                    Command::Right => log.scroll_sideways(1),
                    _ => log.scroll(by, height),
                }
            }
            Part::Grid => {
                let by = match command {
                    Command::Left => -1,
                    Command::Right => 1,
                    _ => return false,
                };
                let last = run.grid.runs.len().saturating_sub(1);
                run.grid.column = run.grid.column.saturating_add_signed(by).min(last);
            }
            Part::About => {
                let last = lines.saturating_sub(height);
                shared.side_offset = shared.side_offset.saturating_add_signed(by).min(last);
            }
        }
        true
    }

    /// Shows the runs of a profile.
    fn open_page(&mut self, shared: &mut Shared, profile: String) {
        self.page = Some(Page::new(profile));
        shared.side_offset = 0;
    }
}

impl Screen for RemoteScreen {
    fn title(&self, _shared: &Shared) -> String {
        let Some(page) = &self.page else { return "Remote".into() };
        let mut title = format!("Remote > {}", page.profile);
        match &page.run {
            Some(run) => title.push_str(&format!(" > {}", run.id.run)),
            None if !page.query.is_empty() => {
                title.push_str(&format!(" · {} of {}", page.list.rows.len(), page.runs.len()));
                title.push_str(&format!(" · {}", page.query));
            }
            None if page.all => title.push_str(" · all pipelines"),
            None => {}
        }
        title
    }

    fn side_title(&self) -> &'static str {
        if self.shown_run().is_some() { "Run" } else { "Engine" }
    }

    fn details(&self, shared: &Shared) -> Details {
        about::details(self, shared)
    }

    fn len(&self, shared: &Shared) -> usize {
        match &self.page {
            None => self.profiles.len() + self.engines(shared).len(),
            Some(page) => match &page.run {
                None => page.list.rows.len(),
                Some(run) => match run.part {
                    Part::Tasks => run.tasks.len(),
                    Part::Grid => run.grid.tasks.len(),
                    Part::Found => run.found.as_ref().map_or(0, |found| found.rows.len()),
                    Part::Log | Part::About => 0,
                },
            },
        }
    }

    fn position(&mut self) -> Option<&mut Position> {
        let Some(page) = &mut self.page else { return Some(&mut self.position) };
        let Some(run) = &mut page.run else { return Some(&mut page.list.position) };
        Some(match (run.part, &mut run.found) {
            (Part::Grid, _) => &mut run.grid.position,
            (Part::Found, Some(found)) => &mut found.position,
            _ => &mut run.position,
        })
    }

    fn head_rows(&self) -> u16 {
        match self.run_page().map(|run| run.part) {
            None => u16::from(self.page.is_some()) + 1,
            // The titles of the columns, and the ages of the runs.
            Some(_) => HEAD + 1,
        }
    }

    fn names(&self, shared: &Shared) -> Vec<String> {
        match (&self.page, self.run_page()) {
            (_, Some(run)) if run.part == Part::Grid => run.grid.tasks.clone(),
            (_, Some(RunPage { part: Part::Found, found: Some(found), .. })) => found.names(),
            (_, Some(run)) => run.tasks.iter().map(|task| task.name()).collect(),
            (Some(page), None) => {
                let name = |run: &Run| format!("{} {}", run.id.run, run.id.pipeline);
                page.list.rows.iter().map(name).collect()
            }
            (None, _) => {
                let profiles = self.profiles.iter().map(|profile| profile.name.clone());
                let engines = self.engines(shared).into_iter().map(|found| found.name.to_owned());
                profiles.chain(engines).collect()
            }
        }
    }

    fn is_full_width(&self, _shared: &Shared) -> bool {
        self.run_page().is_some()
    }

    fn shows_time(&self) -> bool {
        self.page.as_ref().is_some_and(|page| {
            page.run.is_some() || page.runs.iter().any(|run| !run.state.phase.is_over())
        })
    }

    fn failure(&self, shared: &Shared) -> Option<(String, Failure)> {
        let Some(run) = self.run_page() else { return shared.failure() };
        // The history has the exceptions of tasks that the engine has given up; the log shows those of earlier tries, too.
        if let (Part::Log, Some(log)) = (run.part, &run.log)
            && let Some(failure) = &log.failure
        {
            return Some((format!("{}, try {}", log.task.name(), log.attempt), failure.clone()));
        }
        let (node, failure) = run.failure()?;
        Some((format!("{node}, {}", run.id.run), failure.clone()))
    }

    /// The node of the selected task, the one that failed if it holds several, with the run's parameters.
    fn debugged(&self, _shared: &Shared) -> Option<(String, RunRequest)> {
        let (page, run) = (self.run_page()?, self.shown_run()?);
        let nodes = page.nodes_of(page.selected()?);
        let failed = page.failure().map(|(node, _)| node).filter(|node| nodes.contains(node));
        let node = failed.or_else(|| nodes.first())?;
        Some((node.clone(), home::request(page.kept.as_deref()?, run)))
    }

    fn go(&mut self, shared: &mut Shared, command: Command, page: isize) -> bool {
        self.go_on_page(shared, command, super::rows_of(command, page))
    }

    fn scroll(&mut self, shared: &mut Shared, by: isize, _sideways: bool) -> bool {
        let is_text =
            self.run_page().is_some_and(|run| matches!(run.part, Part::Log | Part::About));
        is_text && self.go_on_page(shared, Command::Down, by)
    }

    fn select(&mut self, shared: &mut Shared, index: usize) {
        let (len, height) = (self.len(shared), self.list_height(shared));
        let Some(position) = self.position() else { return };
        if position.selected != index {
            position.select(index, len, height);
            shared.side_offset = 0;
        }
        // Older runs are read once the last known one is reached.
        if let Some(page) = self.page.as_mut().filter(|page| page.run.is_none()) {
            page.read_more();
        }
    }

    fn open(&mut self, shared: &mut Shared) -> bool {
        let height = self.body_height(shared);
        let Some(page) = &mut self.page else {
            let Some(profile) = self.shown_profile() else { return false };
            let name = profile.name.clone();
            self.open_page(shared, name);
            return true;
        };
        let Some(run) = &mut page.run else {
            let Some(run) = page.list.selected() else { return false };
            let id = run.id.clone();
            page.open_run(id);
            shared.side_offset = 0;
            return true;
        };
        match run.part {
            Part::Tasks => run.open_last_log(),
            Part::Found => run.open_hit(height),
            Part::Grid => {
                let selected =
                    run.grid.selected().map(|(run, task)| (run.clone(), task.to_owned()));
                if let Some((id, task)) = selected {
                    page.open_task(id, &task);
                }
            }
            Part::Log | Part::About => {}
        }
        true
    }

    fn back(&mut self, shared: &mut Shared) -> Option<Vec<Effect>> {
        shared.side_offset = 0;
        let now = shared.now;
        let height = self.body_height(shared);
        let page = self.page.as_mut()?;
        match &mut page.run {
            Some(run) if run.part == Part::Log => match &mut run.log {
                // An empty filter can be parsed.
                Some(log) if !log.query.is_empty() => drop(log.set_query("", height)),
                _ => run.part = run.before_log,
            },
            Some(run) if run.part != Part::Tasks => run.part = Part::Tasks,
            Some(_) => page.run = None,
            None if !page.query.is_empty() => drop(page.set_query("", now)),
            None => self.page = None,
        }
        Some(Vec::new())
    }

    fn turn(&mut self, shared: &mut Shared, onward: bool) -> bool {
        let Some(run) = self.run_page_mut() else { return false };
        let parts: Vec<Part> = run.parts().collect();
        let index = parts.iter().position(|part| *part == run.part).unwrap_or(0);
        let by = if onward { 1 } else { parts.len() - 1 };
        match parts[(index + by) % parts.len()] {
            Part::Log => run.open_log(),
            part => run.part = part,
        }
        shared.side_offset = 0;
        true
    }

    fn find_next(&mut self, shared: &mut Shared, by: i32) -> bool {
        let height = self.body_height(shared);
        let Some(run) = self.run_page_mut().filter(|run| run.part == Part::Log) else {
            return false;
        };
        if let Some(log) = &mut run.log
            && !log.find(&shared.search, by, height)
        {
            let text = format!("No line has `{}`", shared.search);
            shared.warn(text);
        }
        true
    }

    fn filter_text(&self) -> Result<&str, &'static str> {
        match (&self.page, self.run_page()) {
            (Some(page), None) => Ok(&page.query),
            (_, Some(RunPage { part: Part::Log, log: Some(log), .. })) => Ok(&log.query),
            (_, Some(_)) => Err("only lists of runs, and logs, have a filter"),
            (None, _) => Err("this list has no filter"),
        }
    }

    fn filter_keys(&self) -> &'static [Key] {
        if self.run_page().is_some() { log::KEYS } else { runs::KEYS }
    }

    fn known_values(&self, _shared: &Shared, key: &str) -> Vec<String> {
        let runs = self.page.iter().flat_map(|page| &page.runs);
        let value = |run: &Run| match key {
            "state" => Some(run.state.name.clone()),
            "pipeline" => Some(run.id.pipeline.clone()),
            "kind" => Some(run.kind.clone()),
            _ => None,
        };
        let mut values: Vec<String> = runs.filter_map(value).collect();
        values.sort();
        values.dedup();
        values
    }

    fn set_filter(&mut self, shared: &mut Shared, text: &str) -> Result<Vec<Effect>, FilterError> {
        let height = self.body_height(shared);
        match &mut self.page {
            Some(Page { run: Some(run), .. }) => {
                if let Some(log) = &mut run.log {
                    log.set_query(text, height)?;
                }
            }
            Some(page) => page.set_query(text, shared.now)?,
            None => drop(parse(text, runs::KEYS)?),
        }
        Ok(Vec::new())
    }

    fn act(&mut self, shared: &mut Shared, command: Command) -> Vec<Effect> {
        self.act_on(shared, command)
    }

    fn disabled(&self, shared: &Shared, command: Command) -> Option<String> {
        self.disabled_because(shared, command)
    }
}
