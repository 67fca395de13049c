//! The dialogs over a screen, as data: what is asked, chosen or read.

use ratatui::layout::Rect;

use super::areas;
use super::command::Command;
use super::effect::Effect;
use super::list::Position;
use super::options::Form;
use super::picker::Picker;
use crate::project::Place;
use crate::runs::RunRequest;
use crate::store::{Pruned, Room, RunId};

/// A dialog over the screen.
#[derive(Debug)]
pub enum Dialog {
    /// The commands that apply here.
    Help(Picker),
    /// Any command by its name.
    Palette(Picker),
    /// A choice.
    Choose(Choose, Picker),
    /// What is wrong or unknown.
    Problems(Position),
    /// A text: a traceback, differences.
    Text(Box<TextDialog>),
    /// A question that `y` and `n` answer.
    Ask(Question),
    /// Options for a run.
    Options(Box<Form>),
    /// Making the Python environment: lines of progress, and how it ended.
    Environment(Vec<String>, Option<Result<(), String>>),
}

/// What is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choose {
    /// A pipeline.
    Pipeline,
    /// A run environment.
    Environment,
    /// What leads into the selected vertex.
    Parent,
    /// What the selected vertex leads to.
    Child,
    /// A vertex of the whole graph.
    Vertex,
    /// A theme.
    Theme,
    /// A keymap.
    Keymap,
}

/// A text to read.
#[derive(Debug, Clone, Default)]
pub struct TextDialog {
    /// What it is.
    pub title: String,
    /// Its lines.
    pub lines: Vec<String>,
    /// First line that is seen.
    pub offset: usize,
    /// Where `e` goes.
    pub place: Option<Place>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// Whether the project may be executed, and what waits for the answer.
    Trust(Vec<Effect>),
    /// Whether to leave although a run is going on.
    Quit,
    /// Whether to run nodes that are fresh; what is asked to be run.
    Fresh(Box<RunRequest>, Command),
    /// Whether to make the Python environment; the text says why.
    Environment(String),
    /// Whether to delete this run.
    DeleteRun(RunId),
    /// Whether to cancel this run of another program.
    CancelElsewhere(RunId),
    /// Whether to delete what there is no room for.
    Prune(Room, Pruned),
}

/// Rows of a picker that are seen on a screen of this size.
pub fn picker_height(size: (u16, u16)) -> usize {
    usize::from(size.1.saturating_sub(8)).clamp(3, 20)
}

/// Rows of a text dialog that are seen.
pub fn text_height(size: (u16, u16)) -> usize {
    usize::from(size.1.saturating_sub(6)).max(1)
}

/// Where a picker lies: as large as its choices need, all of them, so that it stays while one types.
pub fn picker_area(size: (u16, u16), picker: &Picker) -> Rect {
    let rows = picker.choices.len().clamp(1, picker_height(size));
    let height = u16::try_from(rows).unwrap_or(3) + 4;
    let plain = picker.choices.iter().all(|it| it.keys.is_empty());
    areas::dialog(size, if plain { 56 } else { 92 }, height)
}

impl TextDialog {
    /// Scrolls by `by` lines on a screen of this size, as far as the text goes.
    pub fn scroll(&mut self, by: isize, size: (u16, u16)) {
        let last = self.lines.len().saturating_sub(text_height(size));
        self.offset = self.offset.saturating_add_signed(by).min(last);
    }
}
