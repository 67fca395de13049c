//! A line that is typed on the bar, and its purpose.

use ratatui_textarea::TextArea;

use super::filter::Help;
use super::picker::line;
use crate::runs::history::change;
use crate::store::RunId;

/// A line that is being typed on the bar.
#[derive(Debug)]
pub struct Prompt {
    /// The purpose of the line.
    pub kind: PromptKind,
    /// The line.
    pub field: TextArea<'static>,
    /// The help for a filter.
    pub help: Help,
}

/// The purpose of a typed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptKind {
    /// The name that is searched for; the nearest match is selected while one types.
    Find,
    /// The filter of the screen. Holds the previous filter.
    Filter(String),
    /// The note of a run.
    Note(RunId),
    /// The value of a parameter, by its dotted key.
    Override(String),
    /// Parameter values for a grid of runs.
    Grid,
    /// The limits to prune the history to.
    Prune,
    /// The file that the drawing is written to.
    Export,
    /// The name of a view of the tracked runs.
    SaveView,
    /// The value of a metric at which a message is wanted.
    Follow(String),
    /// The regular expression that the logs of a run on an engine are searched for.
    SearchLogs,
}

impl PromptKind {
    /// The label before the line.
    pub fn label(&self) -> &'static str {
        match self {
            PromptKind::Find => "/",
            PromptKind::Filter(_) => "filter: ",
            PromptKind::Note(_) => "note: ",
            PromptKind::Override(_) => "override: ",
            PromptKind::Grid => "grid, as lr=0.1,0.01 depth=4,8: ",
            PromptKind::Prune => "prune: ",
            PromptKind::Export => "write to: ",
            PromptKind::SaveView => "name of the view: ",
            PromptKind::Follow(_) => "say when it is: ",
            PromptKind::SearchLogs => "search the logs: ",
        }
    }

    /// The hint that is shown while the line is empty.
    pub fn hint(&self) -> &'static str {
        match self {
            PromptKind::Prune => change::ROOM_HINT,
            PromptKind::Follow(_) => "< 0.3 or > 0.9; nothing for the best value alone",
            PromptKind::SearchLogs => "a regular expression, such as Error|Traceback",
            PromptKind::Export => "a new file; its ending chooses the format",
            PromptKind::Find
            | PromptKind::Filter(_)
            | PromptKind::Note(_)
            | PromptKind::Override(_)
            | PromptKind::SaveView
            | PromptKind::Grid => "",
        }
    }
}

impl Prompt {
    /// A line that holds `text`, selected as a whole: typing replaces it, moving the cursor keeps it.
    pub fn new(kind: PromptKind, text: &str) -> Self {
        let mut field = line(text);
        if !text.is_empty() {
            field.select_all();
        }
        Prompt { kind, field, help: Help::default() }
    }
}
