//! The dialogs over a screen, as data: questions, choices, texts and forms.

use ratatui::layout::{Rect, Size};

use super::areas;
use super::command::Command;
use super::effect::Effect;
use super::list::Position;
use super::options::Form;
use super::picker::Picker;
use super::screens::remote::asked::Ask;
use super::screens::remote::submit::SubmitForm;
use crate::project::python::highlight::Token;
use crate::project::{Place, highlight};
use crate::remote;
use crate::runs::RunRequest;
use crate::store::{PruneLimits, Pruned, RunId};

/// A dialog over the screen.
#[derive(Debug)]
pub enum Dialog {
    /// The list of the commands that apply on this screen.
    Help(Picker),
    /// The list of all commands, filtered by name.
    Palette(Picker),
    /// A list to choose from.
    Choose(Choose, Picker),
    /// The list of problems.
    Problems(Position),
    /// A text to read, such as a traceback.
    Text(Box<TextDialog>),
    /// A question with the answers yes and no.
    Ask(Question),
    /// The form of a run's options.
    Options(Box<Form>),
    /// The form for a run on an engine.
    Submit(Box<SubmitForm>),
    /// A text to read, after which something is done or not.
    Confirm(Box<Confirmed>),
    /// The progress of making the Python environment.
    Environment,
}

/// What a list offers for choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choose {
    /// The pipeline to show.
    Pipeline,
    /// The run environment to read the project in.
    Environment,
    /// A parent of the selected vertex.
    Parent,
    /// A child of the selected vertex.
    Child,
    /// A vertex of the whole graph.
    Vertex,
    /// The state to set on an engine.
    State,
    /// An experiment, or a view of the tracked runs.
    View,
    /// The theme.
    Theme,
    /// The keymap.
    Keymap,
}

/// A text that can be scrolled.
#[derive(Debug, Clone, Default)]
pub struct TextDialog {
    /// The title of the dialog.
    pub title: String,
    /// Its lines.
    pub lines: Vec<String>,
    /// For each line of a traceback its coloured parts, if it has any.
    pub parts: Vec<Vec<(Token, String)>>,
    /// The lines in the other form, for a traceback whose frames of libraries are folded, or shown on request.
    pub other: Option<Vec<String>>,
    /// The first visible line.
    pub offset: usize,
    /// The place that the editor opens.
    pub place: Option<Place>,
}

/// A text that says what would be done.
#[derive(Debug, Clone)]
pub struct Confirmed {
    /// The text.
    pub text: TextDialog,
    /// What is done, in a few words.
    pub does: &'static str,
    /// How it is done.
    pub ask: Ask,
}

/// A question, with what its answer is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// May the project be executed? Holds the effects that wait for the answer.
    Trust(Vec<Effect>),
    /// Quit although a run is going on?
    Quit,
    /// Run nodes that are fresh? Holds the request and its command.
    Fresh(Box<RunRequest>, Command),
    /// Make the Python environment? Holds the reason.
    Environment(String),
    /// Override a parameter with a value of another type? Holds the key, the text, and both types.
    OverrideType(String, String, [&'static str; 2]),
    /// Delete this run?
    DeleteRun(RunId),
    /// Cancel this run, which another program runs?
    CancelElsewhere(RunId),
    /// Stop this run on the engine of this profile?
    StopRemote(String, remote::model::RunId),
    /// Prune the history to these limits? Holds what would be deleted.
    Prune(PruneLimits, Pruned),
}

/// The number of visible rows of a picker on a terminal of this size.
pub fn picker_height(size: Size) -> usize {
    usize::from(size.height.saturating_sub(8)).clamp(3, 20)
}

/// The number of visible rows of a text dialog.
pub fn text_height(size: Size) -> usize {
    usize::from(size.height.saturating_sub(6)).max(1)
}

/// The number of cells of a line of a text dialog.
pub fn text_width(size: Size) -> usize {
    usize::from(size.width.saturating_sub(8).min(116))
}

/// The area of a picker. Its height depends on the number of all choices, so that it does not change while the
/// user types.
pub fn picker_area(size: Size, picker: &Picker) -> Rect {
    let rows = picker.choices.len().clamp(1, picker_height(size));
    let height = u16::try_from(rows).unwrap_or(3) + 4;
    let plain = picker.choices.iter().all(|choice| choice.keys.is_empty());
    areas::dialog(size, if plain { 56 } else { 92 }, height)
}

impl TextDialog {
    /// Shows the other form of a traceback, from its end.
    pub fn fold(&mut self, size: Size) {
        if let Some(other) = &mut self.other {
            std::mem::swap(other, &mut self.lines);
            self.parts = highlight::traceback(&self.lines);
            self.scroll(isize::MAX, size);
        }
    }

    /// Scrolls by `by` lines on a terminal of this size, within the text.
    pub fn scroll(&mut self, by: isize, size: Size) {
        let last = self.lines.len().saturating_sub(text_height(size));
        self.offset = self.offset.saturating_add_signed(by).min(last);
    }
}
