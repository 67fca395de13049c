//! What the commands of the experiments screen do.

use super::ExperimentsScreen;
use super::artifacts::ArtifactsPage;
use super::columns::{Choices, Column, Grouping, name};
use super::followed::{Followed, Threshold};
use super::plot::{MOST, PlotPage};
use super::table::resized;
use crate::app::areas::Pane;
use crate::app::command::Command;
use crate::app::prompt::PromptKind;
use crate::app::screens::Screen;
use crate::app::shared::Shared;
use crate::app::undo::Before;
use crate::text::UserError;
use crate::tracking::Goal;

impl ExperimentsScreen {
    /// Does what a command says, on the page that is shown or on the table.
    pub(super) fn obey(&mut self, shared: &mut Shared, command: Command) {
        if command == Command::Artifacts {
            let page = self.shown(shared).map(|run| ArtifactsPage::of(run.id.clone(), name(run)));
            self.artifacts = page.unwrap_or_default();
            (shared.side_offset, shared.focus) = (0, Pane::Main);
            return;
        }
        if command == Command::Zoom {
            return self.show_plot(shared);
        }
        if let Some(page) = &mut self.page {
            match command {
                Command::Export => shared.begin(PromptKind::Export, &page.file_name()),
                _ => page.change(command, &self.curves),
            }
            return;
        }
        match command {
            Command::Fold => self.toggle_nested(shared),
            Command::Export => shared.begin(PromptKind::Export, "runs.csv"),
            Command::Mark => self.toggle_mark(shared),
            Command::SortColumn => self.sort(shared, false),
            Command::SortColumnToo => self.sort(shared, true),
            Command::HideColumn => self.choose(shared, |choices, column| {
                choices.hidden.insert(column.key.clone());
            }),
            Command::AllColumns => {
                let Choices { all, hidden, only, .. } = &mut self.choices;
                // Hidden columns come back before all others do.
                let some_hidden = std::mem::take(only) | !std::mem::take(hidden).is_empty();
                if !some_hidden {
                    *all ^= true;
                }
                self.refresh(shared);
            }
            Command::PinColumn => self.choose(shared, |choices, column| {
                if !choices.pinned.remove(&column.key) {
                    choices.pinned.insert(column.key.clone());
                }
            }),
            Command::ColumnLeft | Command::ColumnRight => {
                self.move_column(shared, command == Command::ColumnRight);
            }
            Command::NarrowColumn | Command::WidenColumn => {
                self.choose(shared, |choices, column| {
                    let width = resized(column.width, command == Command::WidenColumn);
                    choices.widths.insert(column.key.clone(), width);
                })
            }
            Command::Goal => self.choose(shared, |choices, column| {
                let next = match column.goal {
                    None => Some(Goal::Highest),
                    Some(Goal::Highest) => Some(Goal::Lowest),
                    Some(Goal::Lowest) => None,
                };
                choices.goals.insert(column.key.clone(), next);
            }),
            Command::Nesting => {
                self.choices.flat ^= true;
                self.refresh_rows(shared);
            }
            Command::Trend => self.choose(shared, |choices, column| {
                if !choices.trends.remove(&column.key) {
                    choices.trends.insert(column.key.clone());
                }
            }),
            Command::ChooseView => self.choose_view(shared),
            Command::SaveView => shared.begin(PromptKind::SaveView, ""),
            Command::FollowMetric => self.begin_to_follow(shared),
            Command::GroupRuns => self.toggle_groups(shared),
            Command::Baseline => {
                let id = self.selected(shared).map(|run| run.id.clone());
                self.baseline = id.filter(|id| self.baseline.as_ref() != Some(id));
                self.refresh(shared);
            }
            _ => {}
        }
    }

    /// Marks the runs of the selected row, or removes their marks.
    fn toggle_mark(&mut self, shared: &mut Shared) {
        let members = self.members(shared);
        // The mark of one run is taken back by the same key.
        if members.len() > 1 {
            let before = Before::MarkedTracked(self.marked.clone());
            shared.edits.add("marks of a group of runs", before);
        }
        match members.iter().all(|id| self.marked.contains(id)) {
            true => self.marked.retain(|marked| !members.contains(marked)),
            false => {
                let new = members.into_iter().filter(|id| !self.marked.contains(id));
                let new: Vec<String> = new.collect();
                self.marked.extend(new);
            }
        }
        self.select(shared, self.position.selected + 1);
    }

    /// Groups the runs by the param of the column, else over their seeds; or shows each run again.
    fn toggle_groups(&mut self, shared: &mut Shared) {
        let param = self.table.column().and_then(Column::param).map(str::to_owned);
        self.choices.grouped = match self.choices.grouped {
            Some(_) => None,
            None => Some(param.map_or(Grouping::Seed, Grouping::Param)),
        };
        let found = shared.tracked().and_then(|overview| self.grouped(overview, shared.now));
        if let Some(Err(why)) = found {
            self.choices.grouped = None;
            shared.warn(format!("The runs can't be grouped: {why}."));
        }
        self.baseline = None;
        self.refresh(shared);
    }

    /// Shows the runs of the page, the marked ones, or all of the table, at once.
    fn show_plot(&mut self, shared: &mut Shared) {
        let Some(overview) = shared.tracked() else { return };
        let mut runs = match &self.page {
            Some(page) if page.runs.len() > 1 => page.runs.clone(),
            None if self.marked.len() > 1 => self.marked.clone(),
            _ => self.ids_in_table(shared),
        };
        let many = runs.len();
        runs.truncate(MOST);
        let metric = match &self.page {
            Some(page) => page.charts.get(page.selected).cloned(),
            None => self.table.column().and_then(Column::metric).map(str::to_owned),
        };
        self.plot = PlotPage::of(overview, runs, metric.as_deref(), &self.choices);
        (shared.side_offset, shared.focus) = (0, Pane::Main);
        if many > MOST {
            shared.warn(format!(
                "The first {MOST} of {many} runs are shown; a filter chooses others."
            ));
        }
    }

    /// Asks for the threshold of the column's metric, or ceases to follow it.
    fn begin_to_follow(&mut self, shared: &mut Shared) {
        let Some(metric) = self.table.column().and_then(Column::metric) else { return };
        if self.choices.followed.take_if(|followed| followed.metric == metric).is_none() {
            shared.begin(PromptKind::Follow(metric.to_owned()), "");
        }
    }

    /// Follows a metric on every tab, with a threshold as it was typed.
    ///
    /// # Errors
    /// If the text is no threshold.
    pub fn follow(&mut self, metric: &str, threshold: &str) -> Result<(), UserError> {
        let threshold = Threshold::parse(threshold)?;
        self.choices.followed = Some(Followed { metric: metric.to_owned(), threshold });
        Ok(())
    }
}
