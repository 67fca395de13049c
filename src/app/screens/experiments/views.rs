//! Saved views of the table: what it shows, how it is sorted, and its filter, under a name. The experiments of the store are
//! chosen in the same list.

use std::collections::BTreeMap;

use super::ExperimentsScreen;
use super::columns::View;
use crate::app::command::Command;
use crate::app::dialog::{Choose, Dialog, picker_height};
use crate::app::picker::{Choice, Picker};
use crate::app::shared::Shared;
use crate::app::undo::Before;
use crate::text::{UserError, sanitize};

/// What a row of the list stands for. Names of views and of experiments may be equal, so rows are told apart by number.
enum Entry {
    Everything,
    View(String),
    /// A view of the project that no saved view of the same name hides.
    ProjectView(String),
    Experiment(String),
}

impl ExperimentsScreen {
    /// Opens the list of views and experiments.
    pub(super) fn choose_view(&self, shared: &mut Shared) {
        let picker = Picker::new(self.choices_of_views(shared), 0, picker_height(shared.size));
        shared.dialogs.push(Dialog::Choose(Choose::View, picker));
    }

    fn choices_of_views(&self, shared: &Shared) -> Vec<Choice> {
        self.entries(shared)
            .into_iter()
            .map(|entry| match entry {
                Entry::Everything => row("all runs", String::new()),
                Entry::View(name) => {
                    let filter = &self.views[&name].filter;
                    row(&name, if filter.is_empty() { "view".into() } else { filter.clone() })
                }
                Entry::ProjectView(name) => {
                    let filter = &shared.settings.views[&name].filter;
                    let detail = format!("project's view · {filter}");
                    row(&name, detail.trim_end_matches(" · ").to_owned())
                }
                Entry::Experiment(id) => {
                    let overview = shared.tracked();
                    let runs = overview.map_or(&[] as &[_], |overview| &overview.runs);
                    let count = runs.iter().filter(|run| run.experiment_id == id).count();
                    let name = overview.and_then(|overview| overview.experiments.get(&id));
                    let s = if count == 1 { "" } else { "s" };
                    row(name.unwrap_or(&id), format!("experiment, {count} run{s}"))
                }
            })
            .collect()
    }

    /// All runs, the saved views, those of the project, then the experiments that have runs.
    fn entries(&self, shared: &Shared) -> Vec<Entry> {
        let views = self.views.keys().cloned().map(Entry::View);
        let of_project = shared.settings.views.keys();
        let of_project = of_project.filter(|name| !self.views.contains_key(*name)).cloned();
        let views = views.chain(of_project.map(Entry::ProjectView));
        let mut experiments: BTreeMap<&str, &str> = BTreeMap::new();
        if let Some(overview) = shared.tracked() {
            for run in &overview.runs {
                experiments.insert(overview.experiment(run), &run.experiment_id);
            }
        }
        let experiments = experiments.into_values().map(|id| Entry::Experiment(id.to_owned()));
        [Entry::Everything].into_iter().chain(views).chain(experiments).collect()
    }

    /// Shows the view or the experiment of a row of the list.
    pub fn show_view(&mut self, shared: &mut Shared, index: usize) {
        match self.entries(shared).into_iter().nth(index) {
            Some(Entry::Experiment(id)) => {
                self.choices.experiment = Some(id);
                self.refresh(shared);
            }
            Some(Entry::View(name)) => self.take_view(shared, &name, self.views[&name].clone()),
            Some(Entry::ProjectView(name)) => {
                let view = shared.settings.views[&name].clone();
                self.take_view(shared, &name, view);
            }
            Some(Entry::Everything) => {
                self.choices.experiment = None;
                drop(self.filter_runs(shared, ""));
            }
            None => {}
        }
    }

    fn take_view(&mut self, shared: &mut Shared, name: &str, view: View) {
        let View { filter, table } = view;
        self.choices = table;
        // A filter that another version wrote may be invalid.
        if self.filter_runs(shared, &filter).is_err() {
            shared.warn(format!("The filter of {name} can't be read: {filter}"));
            self.refresh(shared);
        }
    }

    /// Saves what the table shows under a name; a view of that name is replaced.
    ///
    /// # Errors
    /// If the name is empty.
    pub fn save_view(&mut self, shared: &mut Shared, name: &str) -> Result<(), UserError> {
        let name = name.trim();
        if name.is_empty() {
            return Err(UserError::hinted("A view needs a name", "Write one, or leave with esc."));
        }
        let view = View { filter: self.query.clone(), table: self.choices.clone() };
        let before = self.views.insert(name.to_owned(), view).map(Box::new);
        let edit = format!("saving the view {}", sanitize(name));
        shared.edits.add(edit, Before::SavedView(name.to_owned(), before));
        Ok(())
    }

    /// Deletes the selected view, and lists the others.
    pub fn delete_view(&mut self, shared: &mut Shared, picker: &mut Picker) {
        let entry = picker.chosen().and_then(|index| self.entries(shared).into_iter().nth(index));
        let name = match entry {
            Some(Entry::View(name)) => name,
            Some(Entry::ProjectView(_)) => {
                return shared.warn("This view is the project's: pyproject.toml has it.");
            }
            _ => return shared.warn("Only saved views can be deleted."),
        };
        let before = self.views.remove(&name).map(Box::new);
        let (text, undo) = (sanitize(&name), shared.keymap.keys(Command::Undo));
        let undo = undo.first().map_or("undo", String::as_str);
        shared.tell(format!("The view {text} is deleted; {undo} brings it back."));
        shared.edits.add(format!("deleting the view {text}"), Before::SavedView(name, before));
        let selected = picker.position.selected;
        picker.choices = self.choices_of_views(shared);
        picker.refresh();
        picker.position.select(selected, picker.matches.len(), picker_height(shared.size));
    }

    /// Puts back the view that had this name before; without one, there is none of this name.
    pub fn put_view(&mut self, name: String, before: Option<Box<View>>) {
        match before {
            Some(view) => drop(self.views.insert(name, *view)),
            None => drop(self.views.remove(&name)),
        }
    }
}

fn row(name: &str, detail: String) -> Choice {
    Choice { name: name.to_owned(), detail, ..Choice::default() }
}
