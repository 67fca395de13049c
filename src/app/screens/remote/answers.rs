//! Taking the answers of engines.

use super::super::Screen;
use super::RemoteScreen;
use super::asked::{Answer, Ask, What};
use super::found::Found;
use super::page::Page;
use super::runs::took;
use crate::app::command::Command;
use crate::app::dialog::{Confirmed, Dialog, TextDialog};
use crate::app::effect::Effect;
use crate::app::notice::{SHOWN, Toast};
use crate::app::shared::Shared;
use crate::app::tab::Tab;
use crate::app::words::seconds_text;
use crate::remote::model::{Phase, Run};
use crate::store::Outcome;
use crate::text::sanitize;

impl RemoteScreen {
    /// Takes an answer.
    pub fn take(&mut self, shared: &mut Shared, answer: Answer) -> Vec<Effect> {
        let now = shared.now;
        match answer {
            Answer::Profiles(profiles, mistakes) => {
                // A connection that is set up in another way now is looked at again.
                let same = |name: &String| {
                    let of =
                        |all: &[super::Profile]| all.iter().find(|one| one.name == *name).cloned();
                    of(&self.profiles) == of(&profiles)
                };
                let changed: Vec<String> =
                    self.known.keys().filter(|name| !same(name)).cloned().collect();
                changed.iter().for_each(|name| drop(self.known.remove(name)));
                (self.profiles, self.mistakes, self.is_read) = (profiles, mistakes, true);
                let gone = |page: &Page| !self.profiles.iter().any(|one| one.name == page.profile);
                if self.page.as_ref().is_some_and(gone) {
                    self.page = None;
                }
                // Who has one engine wants to see its runs, but not at the price of what is wrong with another.
                if let [only] = self.profiles.as_slice()
                    && self.mistakes.is_empty()
                    && !std::mem::replace(&mut self.opened, true)
                    && only.broken.is_none()
                {
                    self.page = Some(Page::new(only.name.clone()));
                }
            }
            Answer::Checked { profile, checks, pipelines } => {
                let known = self.known.entry(profile).or_default();
                (known.asking, known.checks, known.at) = (false, checks, now);
                known.pipelines = Some(pipelines);
            }
            Answer::Pipelines(profile, pipelines) => {
                self.known.entry(profile).or_default().pipelines = Some(Ok(pipelines));
            }
            Answer::Runs { profile, runs, all } => {
                let Some(page) = self.page_of(&profile) else { return Vec::new() };
                let ended = ended(&page.runs, &runs);
                page.take(runs, all, now);
                return ended.iter().filter_map(|run| show_end(shared, &profile, run)).collect();
            }
            Answer::Run { profile, run, tasks } => {
                let height = self.list_height(shared);
                let Some(page) = self.page_of(&profile) else { return Vec::new() };
                let ended = ended(&page.runs, std::slice::from_ref(&run));
                if let Some(shown) = &mut page.run {
                    match shown.id == run.id {
                        true => {
                            shown.take(tasks);
                            // What was selected may be out of sight.
                            let (selected, len) = (shown.position.selected, shown.tasks.len());
                            shown.position.select(selected, len, height);
                        }
                        false => shown.grid.add(&run.id, &tasks),
                    }
                }
                page.take_one(*run, now);
                return ended.iter().filter_map(|run| show_end(shared, &profile, run)).collect();
            }
            Answer::Kept { profile, id, kept } => {
                let run = self.page_of(&profile).and_then(|page| page.run.as_mut());
                if let Some(run) = run.filter(|run| run.id == id) {
                    run.kept = Some(kept);
                }
            }
            Answer::Log { profile, id, task, attempt, first, lines, ended } => {
                let height = self.body_height(shared);
                let Some(run) = self.page_of(&profile).and_then(|page| page.run.as_mut()) else {
                    return Vec::new();
                };
                let of = |log: &&mut super::log::TaskLog| {
                    log.task.name() == task && log.attempt == attempt
                };
                if run.id == id
                    && let Some(log) = run.log.as_mut().filter(of)
                {
                    log.take(first, lines, ended, height);
                    if let Some(snapshot) = shared.snapshot() {
                        let metadata = &snapshot.metadata;
                        log.find_failure(&metadata.root, &metadata.package_name);
                    }
                    run.error = None;
                }
            }
            Answer::Found { search, place, hits } => {
                if let Some(found) = self.found_by(search) {
                    found.take(place, hits);
                }
            }
            Answer::Searched(search, failed) => {
                if let Some(found) = self.found_by(search) {
                    found.end(failed);
                    self.searching = None;
                }
            }
            Answer::Unanswered { profile, what, why } => {
                let Some(page) = self.page_of(&profile) else { return Vec::new() };
                match (what, &mut page.run) {
                    (What::Run(id) | What::Log { id, .. }, Some(run)) if run.id == id => {
                        run.error = Some(why);
                    }
                    (What::Grid(_), Some(run)) => run.error = Some(why),
                    (What::Runs { .. } | What::Pipelines, _) => page.error = Some(why),
                    _ => {}
                }
            }
            Answer::Done { profile, text, run } => {
                shared.tell(text);
                if let Some(run) = run
                    && let Some(page) = self.page_of(&profile)
                {
                    let id = run.id.clone();
                    page.take_one(*run, now);
                    page.open_run(id);
                }
                // What the engine lists may have changed with it.
                return vec![Effect::Remote(Box::new(Ask::Check(profile)))];
            }
            Answer::Written { profile, pipeline, file, next } => {
                let text = format!("Written: {}. {next}", file.display());
                shared.tell(text.trim_end());
                self.known.entry(profile.clone()).or_default().written.insert(pipeline);
                return vec![Effect::Remote(Box::new(Ask::Check(profile)))];
            }
            Answer::Refused(error) => shared.warn(error.line()),
            Answer::Preview { profile, pipeline, airflow, file, change, is_new, warnings } => {
                if change.is_empty() {
                    shared.tell(format!("Unchanged: {}", file.display()));
                    return Vec::new();
                }
                let word = if is_new { "New" } else { "Changed" };
                let mut lines = vec![format!("{word}: {}", file.display())];
                lines.extend(warnings);
                lines.push(String::new());
                lines.extend(change.lines().map(sanitize));
                let title = format!("Deploy {pipeline} to {profile}");
                let text = TextDialog { title, lines, ..TextDialog::default() };
                let ask = Ask::Deploy { profile, pipeline, airflow, write: true };
                let confirmed = Confirmed { text, does: "write it", ask };
                shared.dialogs.push(Dialog::Confirm(Box::new(confirmed)));
            }
        }
        Vec::new()
    }

    /// The search of this number, if it is not over and its run is still on the page.
    fn found_by(&mut self, number: u64) -> Option<&mut Found> {
        let found = self.run_page_mut()?.found.as_mut()?;
        Some(found).filter(|found| found.search.number == number && !found.is_over())
    }

    fn page_of(&mut self, profile: &str) -> Option<&mut Page> {
        self.page.as_mut().filter(|page| page.profile == profile)
    }
}

/// The runs that went on and have ended now.
fn ended(known: &[Run], now: &[Run]) -> Vec<Run> {
    let went_on = |run: &&Run| {
        let before = known.iter().find(|other| other.id == run.id);
        before.is_some_and(|before| !before.state.phase.is_over())
    };
    now.iter().filter(|run| run.state.phase.is_over()).filter(went_on).cloned().collect()
}

/// Shows the end of a run on every tab.
fn show_end(shared: &mut Shared, profile: &str, run: &Run) -> Option<Effect> {
    let outcome = match run.state.phase {
        Phase::Succeeded | Phase::Skipped => Outcome::Succeeded,
        Phase::Lost => Outcome::Lost,
        _ => Outcome::Failed,
    };
    let took = took(run, shared.now).map(|seconds| format!(" after {}", seconds_text(seconds)));
    let title = format!(
        "{} on {profile}: {}{}",
        sanitize(&run.id.pipeline),
        sanitize(&run.state.name),
        took.unwrap_or_default()
    );
    let lines = run.error.iter().map(|error| sanitize(error)).collect();
    let until = shared.now + if outcome == Outcome::Succeeded { SHOWN.0 } else { SHOWN.1 };
    let commands = vec![Command::Show(Tab::Remote)];
    shared.show_toast(Toast { outcome, title, lines, commands, until })
}
