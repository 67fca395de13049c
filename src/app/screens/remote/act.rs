//! What the commands of the remote screen do, and why they can't act now.

use regex::Regex;

use super::super::Screen;
use super::RemoteScreen;
use super::asked::{Ask, Profile, Search};
use super::found::Found;
use super::run::{Part, RunPage};
use super::submit::SubmitForm;
use crate::app::command::Command;
use crate::app::dialog::{Choose, Dialog, Question, picker_height};
use crate::app::effect::Effect;
use crate::app::picker::{Choice, Picker};
use crate::app::prompt::PromptKind;
use crate::app::shared::Shared;
use crate::remote::model::{Deployed, Mark, Phase, Run, Task};
use crate::remote::{Action, Airflow, Engine};
use crate::text::UserError;

/// The states that are set by hand, with what they mean.
const MARKS: [(Mark, &str, &str); 2] = [
    (Mark::Succeeded, "success", "as if it had ended well; what comes after it can run"),
    (Mark::Failed, "failed", "as if it had failed; what runs is stopped"),
];

impl RemoteScreen {
    pub(super) fn act_on(&mut self, shared: &mut Shared, command: Command) -> Vec<Effect> {
        let height = self.body_height(shared);
        let Some(profile) = self.shown_profile().cloned() else { return Vec::new() };
        let name = profile.name.clone();
        match command {
            Command::Log => {
                if let Some(page) = &mut self.page {
                    if page.run.is_none()
                        && let Some(run) = page.list.selected()
                    {
                        let id = run.id.clone();
                        page.open_run(id);
                    }
                    page.run.iter_mut().for_each(|run| run.open_last_log());
                }
                return Vec::new();
            }
            Command::FollowLog => {
                if let Some(log) = self.run_page_mut().and_then(|run| run.log.as_mut()) {
                    log.toggle_follow(height);
                }
                return Vec::new();
            }
            Command::EarlierTry | Command::LaterTry => {
                let by = if command == Command::LaterTry { 1 } else { -1 };
                if let Some(run) = self.run_page_mut() {
                    run.turn_try(by);
                }
                return Vec::new();
            }
            Command::MarkState => {
                let choices = MARKS.map(|(_, name, detail)| Choice {
                    name: name.into(),
                    detail: detail.into(),
                    ..Choice::default()
                });
                let picker = Picker::new(choices.into(), 0, picker_height(shared.size));
                shared.dialogs.push(Dialog::Choose(Choose::State, picker));
                return Vec::new();
            }
            Command::SearchLogs => {
                let found = self.run_page().and_then(|run| run.found.as_ref());
                let before = found.map(|found| found.search.pattern.to_string());
                shared.begin(PromptKind::SearchLogs, &before.unwrap_or_default());
                return Vec::new();
            }
            Command::AllRuns => {
                self.page.iter_mut().for_each(|page| page.toggle_all());
                return Vec::new();
            }
            Command::Deploy => {
                let pipeline = shared.shown_pipeline().map(|pipeline| pipeline.name.clone());
                let version = self.known.get(&name).and_then(|known| known.found("version"));
                let is_two = version.is_some_and(|version| version.starts_with("Airflow 2"));
                let airflow = if is_two { Airflow::Two } else { Airflow::Three };
                let ask = pipeline.map(|pipeline| Ask::Deploy {
                    profile: name,
                    pipeline,
                    airflow,
                    write: false,
                });
                return ask.map(effect).into_iter().collect();
            }
            Command::CancelRun => {
                if let Some(run) = self.shown_run() {
                    shared.ask(Question::StopRemote(name, run.id.clone()));
                }
                return Vec::new();
            }
            _ => {}
        }
        // The rest is sent to the engine at once.
        if shared.project.trusted != Some(true) {
            shared.ask(Question::Trust(Vec::new()));
            return Vec::new();
        }
        let ask = match command {
            Command::CheckConnection => {
                let known = self.known.entry(name.clone()).or_default();
                known.asking = true;
                Some(Ask::Check(name))
            }
            Command::Retry => self.shown_run().map(|run| Ask::Retry(name, run.id.clone())),
            Command::PausePipeline => {
                let deployed = self.deployed(shared, &profile);
                deployed.map(|deployed| Ask::Pause(name, deployed.id.clone(), !deployed.paused))
            }
            Command::Submit => {
                if let Some(deployed) = self.deployed(shared, &profile) {
                    let form = SubmitForm::new(&name, deployed);
                    shared.dialogs.push(Dialog::Submit(Box::new(form)));
                }
                None
            }
            _ => None,
        };
        ask.map(effect).into_iter().collect()
    }

    /// Searches the logs of the run that is shown.
    ///
    /// # Errors
    /// If the text is no regular expression.
    pub fn search_logs(&mut self, text: &str) -> Result<(), UserError> {
        let Some(page) = &mut self.page else { return Ok(()) };
        let Some(run) = &mut page.run else { return Ok(()) };
        if text.is_empty() {
            return Ok(());
        }
        let pattern = Regex::new(text).map_err(|error| {
            // The lines before show the place in the text, which is seen beside the error.
            let told = error.to_string();
            let last = told.lines().last().unwrap_or_default();
            format!("regular expression: {}", last.trim_start_matches("error: "))
        })?;
        self.searches += 1;
        let search = Search {
            number: self.searches,
            profile: page.profile.clone(),
            id: run.id.clone(),
            tries: run.tries(),
            pattern,
        };
        (run.found, run.part) = (Some(Found::new(search)), Part::Found);
        Ok(())
    }

    /// The pipeline on the engine that a command is for: that of the run that is shown, else that of the pipeline that the
    /// other tabs show, else the only one of the project.
    fn deployed(&self, shared: &Shared, profile: &Profile) -> Option<&Deployed> {
        let all = self.known.get(&profile.name)?.pipelines.as_ref()?.as_ref().ok()?;
        let by_id = |id: &str| all.iter().find(|deployed| deployed.id == id);
        if let Some(run) = self.shown_run() {
            return by_id(&run.id.pipeline);
        }
        let shown = shared.shown_pipeline().map_or("", |pipeline| pipeline.name.as_str());
        let of_shown = profile.pipelines.iter().find(|(name, _)| name == shown);
        let own = profile.pipelines.iter().filter_map(|(_, id)| by_id(id));
        let own: Vec<&Deployed> = own.collect();
        let only = || if let [only] = own.as_slice() { Some(*only) } else { None };
        of_shown.and_then(|(_, id)| by_id(id)).or_else(only)
    }

    /// What is marked: the selected task, or the run.
    fn marked(&self) -> Option<(&Run, Option<&Task>)> {
        let page = self.run_page().filter(|run| matches!(run.part, Part::Tasks | Part::Log));
        Some((self.shown_run()?, page.and_then(RunPage::selected)))
    }

    /// The title of the list of states.
    pub fn marked_title(&self) -> String {
        match self.marked() {
            Some((_, Some(task))) => format!("State of task {}", task.name()),
            Some((run, None)) => format!("State of {}", run.id.run),
            None => "State".into(),
        }
    }

    /// The request for the chosen state.
    pub fn mark(&self, index: usize) -> Option<Ask> {
        let (mark, ..) = *MARKS.get(index)?;
        let (run, task) = self.marked()?;
        Some(Ask::Mark {
            profile: self.shown_profile()?.name.clone(),
            id: run.id.clone(),
            task: task.cloned().map(Box::new),
            mark,
        })
    }

    pub(super) fn disabled_because(&self, shared: &Shared, command: Command) -> Option<String> {
        let Some(profile) = self.shown_profile() else {
            return Some(match &self.page {
                None if self.profiles.is_empty() => "the project names no engine".into(),
                _ => "no profile is selected".into(),
            });
        };
        if let Some(why) = &profile.broken {
            return Some(why.clone());
        }
        let action = match command {
            Command::Submit => Some(Action::Submit),
            // The API of Airflow takes no files; the folder does.
            Command::Deploy if profile.engine != Engine::Airflow => Some(Action::Deploy),
            Command::CancelRun => Some(Action::Cancel),
            Command::Retry => Some(Action::Retry),
            Command::PausePipeline => Some(Action::Pause),
            Command::MarkState => Some(Action::Mark),
            Command::Log | Command::SearchLogs => Some(Action::Logs),
            _ => None,
        };
        if let Some(why) = action.and_then(|action| self.unable(&profile.name, action)) {
            return Some(uncapitalised(why));
        }
        let run = self.shown_run();
        let phase = run.map(|run| run.state.phase);
        let log =
            self.run_page().filter(|run| run.part == Part::Log).and_then(|run| run.log.as_ref());
        match command {
            Command::CancelRun | Command::Retry | Command::Log | Command::MarkState
                if run.is_none() =>
            {
                Some("no run is selected".into())
            }
            Command::CancelRun if phase.is_some_and(Phase::is_over) => {
                Some("the run has ended".into())
            }
            Command::Retry if phase == Some(Phase::Succeeded) => Some("the run succeeded".into()),
            Command::Submit | Command::PausePipeline if shared.project.trusted == Some(true) => {
                match self.known.get(&profile.name).and_then(|known| known.pipelines.as_ref()) {
                    None => Some("the engine has not answered yet".into()),
                    Some(Err(why)) => Some(why.clone()),
                    Some(Ok(_)) if self.deployed(shared, profile).is_none() => {
                        let written = self.known.get(&profile.name).map(|known| &known.written);
                        let text = match written.is_some_and(|written| !written.is_empty()) {
                            true => "the engine has not read the DAG file yet",
                            false => "the pipeline is not on the engine; deploy writes it",
                        };
                        Some(text.into())
                    }
                    Some(Ok(_)) => None,
                }
            }
            Command::RunHere if self.debugged(shared).is_none() => {
                Some("no task is selected that holds a node of the project".into())
            }
            Command::ShowStates if self.run_page().is_none_or(|run| run.states().is_empty()) => {
                Some("no run of this project's pipelines is shown".into())
            }
            Command::InHistory
                if self.run_page().and_then(|run| run.kept.as_ref()?.id).is_none() =>
            {
                Some("no run is shown that the history has".into())
            }
            Command::SearchLogs => match self.run_page() {
                None => Some("no run is open".into()),
                Some(run) if run.tries().is_empty() => {
                    Some("no task is known to have begun, so there are no logs".into())
                }
                Some(_) => None,
            },
            Command::AllRuns if self.page.is_none() => Some("no engine is open".into()),
            Command::AllRuns if self.run_page().is_some() => Some("a run is shown".into()),
            Command::FollowLog if log.is_none() => Some("no log is shown".into()),
            Command::EarlierTry | Command::LaterTry => match log {
                None => Some("no log is shown".into()),
                Some(log) if command == Command::EarlierTry && log.attempt <= 1 => {
                    Some("this is the first try".into())
                }
                Some(log) if command == Command::LaterTry && log.attempt >= log.task.attempt => {
                    Some("this is the last try".into())
                }
                Some(_) => None,
            },
            Command::Deploy if shared.shown_pipeline().is_none() => {
                Some("there is no pipeline".into())
            }
            Command::Deploy if profile.folder.is_none() => Some(format!(
                "profile {} names no `folder` of DAG files; `mlops-tui remote deploy --stdout` prints the file",
                profile.name
            )),
            _ => None,
        }
    }
}

/// The effect of a request.
fn effect(ask: Ask) -> Effect {
    Effect::Remote(Box::new(ask))
}

/// A sentence as the reason after a command's name.
fn uncapitalised(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}
