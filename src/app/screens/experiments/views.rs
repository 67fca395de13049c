//! Saved views of the table: what it shows, how it is sorted, and its filter, under a name. The experiments of the store are
//! chosen in the same list.

use std::collections::BTreeMap;

use super::ExperimentsScreen;
use super::columns::View;
use crate::app::dialog::{Choose, Dialog, picker_height};
use crate::app::picker::{Choice, Picker};
use crate::app::shared::Shared;
use crate::text::UserError;

/// What a row of the list stands for. Names of views and of experiments may be equal, so rows are told apart by number.
enum Entry {
    Everything,
    View(String),
    Experiment(String),
}

impl ExperimentsScreen {
    /// Opens the list of views and experiments.
    pub(super) fn choose_view(&self, shared: &mut Shared) {
        let choices: Vec<Choice> = self
            .entries(shared)
            .into_iter()
            .map(|entry| match entry {
                Entry::Everything => row("all runs", String::new()),
                Entry::View(name) => {
                    let filter = &self.views[&name].filter;
                    row(&name, if filter.is_empty() { "view".into() } else { filter.clone() })
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
            .collect();
        let picker = Picker::new(choices, 0, picker_height(shared.size));
        shared.dialogs.push(Dialog::Choose(Choose::View, picker));
    }

    /// All runs, the saved views, then the experiments that have runs.
    fn entries(&self, shared: &Shared) -> Vec<Entry> {
        let views = self.views.keys().cloned().map(Entry::View);
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
            Some(Entry::View(name)) => {
                let View { filter, table } = self.views[&name].clone();
                self.choices = table;
                // A filter that another version wrote may be invalid.
                if self.filter_runs(shared, &filter).is_err() {
                    shared.warn(format!("The filter of {name} can't be read: {filter}"));
                    self.refresh(shared);
                }
            }
            Some(Entry::Everything) => {
                self.choices.experiment = None;
                drop(self.filter_runs(shared, ""));
            }
            None => {}
        }
    }

    /// Saves what the table shows under a name; a view of that name is replaced.
    ///
    /// # Errors
    /// If the name is empty.
    pub fn save_view(&mut self, name: &str) -> Result<(), UserError> {
        let name = name.trim();
        if name.is_empty() {
            return Err(UserError::hinted("A view needs a name", "Write one, or leave with esc."));
        }
        let view = View { filter: self.query.clone(), table: self.choices.clone() };
        self.views.insert(name.to_owned(), view);
        Ok(())
    }
}

fn row(name: &str, detail: String) -> Choice {
    Choice { name: name.to_owned(), detail, ..Choice::default() }
}
