//! The screens: one file or folder each, with its state, its rows, its details, what its keys do, and why
//! a command of its own can't act now.
//!
//! A screen knows [`Shared`] and itself, not the other screens. What an answer needs of several screens
//! is in [`queries`](super::queries) and in [`update`](super::update).

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
use super::words::Details;
use crate::runs::{Failure, RunRequest};
use crate::store::RunRecord;

/// What every screen is asked. The defaults are those of a plain list.
pub trait Screen {
    /// The title over the main pane.
    fn title(&self, shared: &Shared) -> String;

    /// The title over the details.
    fn side_title(&self) -> &'static str {
        "Details"
    }

    /// The details of what is selected, with the place that the editor opens.
    fn details(&self, shared: &Shared) -> Details;

    /// How many rows the list has; 0 where the main pane is no list.
    fn len(&self, _shared: &Shared) -> usize {
        0
    }

    /// Where the list stands; `None` where the main pane is no list.
    fn position(&mut self) -> Option<&mut Position> {
        None
    }

    /// Lines over the rows of the list: column titles, and what else is fixed.
    fn head_rows(&self) -> u16 {
        0
    }

    /// What a search looks at, for each row of the list.
    fn names(&self, _shared: &Shared) -> Vec<String> {
        Vec::new()
    }

    /// Whether a page in place of the list takes the whole width.
    fn is_page(&self) -> bool {
        false
    }

    /// Whether the log of the run is shown below.
    fn log_shown(&self, _shared: &Shared) -> bool {
        false
    }

    /// Whether something on it changes with time alone.
    fn shows_time(&self) -> bool {
        false
    }

    /// The run that is selected on this screen.
    fn selected_run(&self) -> Option<&RunRecord> {
        None
    }

    /// The failure that the screen is about, and what failed.
    fn failure(&self, shared: &Shared) -> Option<(String, Failure)> {
        shared.failure()
    }

    /// The node that a Python prompt is opened for, with its pipeline, environment and parameters.
    fn debugged(&self, shared: &Shared) -> Option<(String, RunRequest)> {
        let node = shared.run.as_ref().and_then(|run| run.failed_node.clone());
        Some((node?, shared.request()))
    }

    /// Moves by a key in the main pane, whose page has that many rows; false where the screen moves as a
    /// list does.
    fn go(&mut self, _shared: &mut Shared, _command: Command, _page: isize) -> bool {
        false
    }

    /// Scrolls by so many rows, or columns with `sideways`; false where the screen scrolls as a list does.
    fn scroll(&mut self, _shared: &mut Shared, _by: isize, _sideways: bool) -> bool {
        false
    }

    /// The mouse is pressed on a cell of the main pane; false where that selects a row of the list.
    fn press(&mut self, _shared: &mut Shared, _at: Cell) -> bool {
        false
    }

    /// Closes the selected group, or opens it.
    fn fold(&mut self, _shared: &mut Shared, _open: bool) {}

    /// Opens what is selected, a group or a page; false where there is nothing to open but the details.
    fn open(&mut self, _shared: &mut Shared) -> bool {
        false
    }

    /// Steps back; `None` where there is nothing to step back from.
    fn back(&mut self, _shared: &mut Shared) -> Option<Vec<Effect>> {
        None
    }

    /// Shows the next part of a page, or the one before; false where there is no page.
    fn turn(&mut self, _shared: &mut Shared, _onward: bool) -> bool {
        false
    }

    /// Begins a search of its own; false where the names of the rows are searched.
    fn find(&mut self, _shared: &mut Shared) -> bool {
        false
    }

    /// Goes to the next match of its own search (1) or to the one before (-1); false where the names of
    /// the rows are searched.
    fn find_next(&mut self, _shared: &mut Shared, _by: i32) -> bool {
        false
    }

    /// Does what a command of this screen asks for. The command is not disabled.
    fn act(&mut self, _shared: &mut Shared, _command: Command) -> Vec<Effect> {
        Vec::new()
    }

    /// Why a command of this screen can't act now.
    fn disabled(&self, _shared: &Shared, _command: Command) -> Option<String> {
        None
    }

    /// What the screen needs and does not have.
    fn wanted(&mut self, _shared: &mut Shared) -> Vec<Effect> {
        Vec::new()
    }

    /// Where the parts of the screen lie.
    fn areas(&self, shared: &Shared) -> Areas {
        Areas::of(shared.size, &shared.panes, self.log_shown(shared), self.is_page())
    }

    /// How many rows of the list are seen.
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
