//! The screens: one file or folder each, with its state, its rows, its details, what its keys do, and why
//! a command of its own can't act now.
//!
//! A screen knows [`Shared`] and itself, not the other screens. Code that needs several screens
//! is in `queries` and in `update`.

pub mod catalog;
pub mod entry;
pub mod experiments;
pub mod models;
pub mod parameters;
pub mod pipeline;
pub mod remote;
pub mod runs;

use ratatui::layout::Position as Cell;

use super::areas::Areas;
use super::command::Command;
use super::effect::Effect;
use super::list::Position;
use super::shared::Shared;
use super::undo::Before;
use super::words::Details;
use crate::runs::{Failure, RunRequest};
use crate::store::RunRecord;
use crate::text::filter::{self, Completion, FilterError, Key};

/// The interface of a screen. The defaults are those of a plain list.
pub trait Screen {
    /// The screen that is shown: this one, or a page of its own that takes its place.
    fn top(&self) -> &dyn Screen
    where
        Self: Sized,
    {
        self
    }

    /// The screen that is shown, to be changed.
    fn top_mut(&mut self) -> &mut dyn Screen
    where
        Self: Sized,
    {
        self
    }

    /// The title over the main pane.
    fn title(&self, shared: &Shared) -> String;

    /// The title over the details.
    fn side_title(&self) -> &'static str {
        "Details"
    }

    /// The details of what is selected, with the place that the editor opens.
    fn details(&self, shared: &Shared) -> Details;

    /// The number of rows of the list; 0 if the main pane is not a list.
    fn len(&self, _shared: &Shared) -> usize {
        0
    }

    /// The selection and scrolling of the list; `None` if the main pane is not a list.
    fn position(&mut self) -> Option<&mut Position> {
        None
    }

    /// The number of fixed lines above the rows, such as column titles.
    fn head_rows(&self) -> u16 {
        0
    }

    /// The text that a search matches, for each row.
    fn names(&self, _shared: &Shared) -> Vec<String> {
        Vec::new()
    }

    /// Whether the main pane takes the whole width, and no details are shown.
    fn is_full_width(&self, _shared: &Shared) -> bool {
        false
    }

    /// Whether the pane that has the focus takes the room of the others, as a maximised one does.
    fn is_alone(&self, _shared: &Shared) -> bool {
        false
    }

    /// Whether the log of the run is shown below.
    fn log_shown(&self, _shared: &Shared) -> bool {
        false
    }

    /// Whether something on the screen changes as time passes.
    fn shows_time(&self) -> bool {
        false
    }

    /// The run that is selected on this screen.
    fn selected_run(&self) -> Option<&RunRecord> {
        None
    }

    /// The failure that the screen shows, and the name of what failed.
    fn failure(&self, shared: &Shared) -> Option<(String, Failure)> {
        shared.failure()
    }

    /// The node that a Python prompt is opened for, with its pipeline, environment and parameters.
    fn debugged(&self, shared: &Shared) -> Option<(String, RunRequest)> {
        let node = shared.run.as_ref().and_then(|run| run.failed_node.clone());
        Some((node?, shared.request()))
    }

    /// Moves in the main pane, whose page has `page` rows. Returns false if the screen moves as a
    /// list does.
    fn go(&mut self, _shared: &mut Shared, _command: Command, _page: isize) -> bool {
        false
    }

    /// Scrolls by `by` rows, or columns with `sideways`. Returns false if the screen scrolls as a list does.
    fn scroll(&mut self, _shared: &mut Shared, _by: isize, _sideways: bool) -> bool {
        false
    }

    /// Handles a mouse press on a cell of the main pane. Returns false if the press selects a row of the list.
    fn press(&mut self, _shared: &mut Shared, _at: Cell) -> bool {
        false
    }

    /// Opens or closes the selected group.
    fn fold(&mut self, _shared: &mut Shared, _open: bool) {}

    /// Opens the selected group or page. Returns false if there is nothing to open but the details.
    fn open(&mut self, _shared: &mut Shared) -> bool {
        false
    }

    /// Steps back. Returns `None` if there is nothing to step back from.
    fn back(&mut self, _shared: &mut Shared) -> Option<Vec<Effect>> {
        None
    }

    /// Shows the next or previous part of a page. Returns false if there is no page.
    fn turn(&mut self, _shared: &mut Shared, _onward: bool) -> bool {
        false
    }

    /// Begins the screen's own search. Returns false if the names of the rows are searched.
    fn find(&mut self, _shared: &mut Shared) -> bool {
        false
    }

    /// Goes to the next (1) or previous (-1) match of the screen's own search. Returns false if the names of
    /// the rows are searched.
    fn find_next(&mut self, _shared: &mut Shared, _by: i32) -> bool {
        false
    }

    /// The filter of the rows, as it was written.
    ///
    /// # Errors
    /// Why the screen has no filter now.
    fn filter_text(&self) -> Result<&str, &'static str> {
        Err("this screen has no filter")
    }

    /// The keys of the filter.
    fn filter_keys(&self) -> &'static [Key] {
        &[]
    }

    /// The known values of a key of the filter that takes any text.
    fn known_values(&self, _shared: &Shared, _key: &str) -> Vec<String> {
        Vec::new()
    }

    /// What can be typed in the filter after `before`, the text up to the cursor.
    fn complete_filter(&self, shared: &Shared, before: &str) -> Completion {
        filter::complete(before, self.filter_keys(), |key| self.known_values(shared, key))
    }

    /// The part of an unfinished filter that applies already.
    fn settled_filter<'t>(&self, _shared: &Shared, text: &'t str) -> &'t str {
        filter::settled(text, self.filter_keys())
    }

    /// Sets the filter.
    ///
    /// # Errors
    /// If the text can't be parsed as a filter.
    fn set_filter(
        &mut self,
        _shared: &mut Shared,
        _text: &str,
    ) -> Result<Vec<Effect>, FilterError> {
        Ok(Vec::new())
    }

    /// The name of the filter, and how `undo` restores the one before. `None` if it is not restored.
    fn filter_edit(&self, _before: String) -> Option<(&'static str, Before)> {
        None
    }

    /// Does what a command of this screen asks for. The command is not disabled.
    fn act(&mut self, _shared: &mut Shared, _command: Command) -> Vec<Effect> {
        Vec::new()
    }

    /// Why a command of this screen can't act now.
    fn disabled(&self, _shared: &Shared, _command: Command) -> Option<String> {
        None
    }

    /// The effects that load what the screen needs and does not have.
    fn wanted(&mut self, _shared: &mut Shared) -> Vec<Effect> {
        Vec::new()
    }

    /// Where the parts of the screen lie.
    fn areas(&self, shared: &Shared) -> Areas {
        let areas = Areas::of(
            shared.size,
            &shared.panes,
            self.log_shown(shared),
            self.is_full_width(shared),
        );
        let is_shown = areas.pane(shared.focus).area() > 0;
        let is_alone = shared.panes.maximised || self.is_alone(shared);
        if is_alone && is_shown { areas.maximise(shared.focus) } else { areas }
    }

    /// The number of visible rows of the list.
    fn list_height(&self, shared: &Shared) -> usize {
        usize::from(self.areas(shared).main.height.saturating_sub(self.head_rows()))
    }

    /// Selects row `index` of the list, or the last one before it, and brings it into view.
    fn select(&mut self, shared: &mut Shared, index: usize) {
        let (len, height) = (self.len(shared), self.list_height(shared));
        let Some(position) = self.position() else { return };
        let before = position.selected;
        position.select(index, len, height);
        if position.selected != before {
            shared.side_offset = 0;
        }
    }
}

/// The rows that a key moves by, where a page has that many.
pub fn rows_of(command: Command, page: isize) -> isize {
    match command {
        Command::Up => -1,
        Command::Down => 1,
        Command::PageUp => -page,
        Command::PageDown => page,
        Command::First => isize::MIN / 2,
        Command::Last => isize::MAX / 2,
        _ => 0,
    }
}
