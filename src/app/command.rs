//! All that a person can ask for: one table, from which the keymap, the palette, the help, the key
//! bar and the docs are made. What a command does is decided in [`super::update::update`].

use super::state::Tab;

/// Something that a person can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table says what each one does")]
pub enum Command {
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    First,
    Last,
    Open,
    Back,
    Mark,
    NextPane,
    PreviousPane,
    RunSelected,
    RunStale,
    Retry,
    RunFromHere,
    RunToHere,
    RunPipeline,
    RunOptions,
    CancelRun,
    EditFailure,
    Override,
    ClearOverride,
    RunDetached,
    CompareRuns,
    FilterRuns,
    PinRun,
    NoteRun,
    DeleteRun,
    PruneRuns,
    Timeline,
    LogLevel,
    FollowLog,
    Edit,
    Find,
    FindNext,
    FindPrevious,
    ChoosePipeline,
    ChooseEnvironment,
    Log,
    Traceback,
    Problems,
    Debug,
    PostMortem,
    RunGrid,
    ClearOverrides,
    View,
    Direction,
    Zoom,
    ZoomIn,
    ZoomOut,
    Lanes,
    Layers,
    Fold,
    FoldAll,
    Focus,
    FocusLess,
    FocusMore,
    Slice,
    FilterGraph,
    Parents,
    Children,
    JumpBack,
    JumpForward,
    FollowRun,
    Tidy,
    Export,
    ReadExact,
    Differences,
    Reload,
    MakeEnvironment,
    CopyName,
    CopyCommand,
    Show(Tab),
    NextTab,
    PreviousTab,
    ChooseTheme,
    ChooseKeymap,
    Palette,
    Help,
    Suspend,
    Redraw,
    Quit,
}

/// What the table says of a command.
#[derive(Debug)]
pub struct Spec {
    /// The command.
    pub command: Command,
    /// Its name, as keymaps and the palette have it.
    pub name: &'static str,
    /// One line of help: an imperative sentence without its full stop.
    pub help: &'static str,
    /// Keys of the default keymap; empty for what the palette alone offers.
    pub keys: &'static [&'static str],
    /// The tabs on which it applies; empty for all of them.
    pub tabs: &'static [Tab],
    /// Its word on the key bar; commands without one are not shown there. The order of the table is
    /// the order on the bar.
    pub bar: Option<&'static str>,
}

const EVERYWHERE: &[Tab] = &[];
const PIPELINE: &[Tab] = &[Tab::Pipeline];
const RUNS: &[Tab] = &[Tab::Pipeline, Tab::Runs];
const HISTORY: &[Tab] = &[Tab::Runs];
const PARAMETERS: &[Tab] = &[Tab::Parameters];
const PLACES: &[Tab] = &[Tab::Pipeline, Tab::Catalog, Tab::Parameters, Tab::Runs];

macro_rules! table {
    ($($command:expr, $name:literal, $help:literal, [$($key:literal),*], $tabs:expr, $bar:expr;)*) => {
        &[$(Spec { command: $command, name: $name, help: $help, keys: &[$($key),*], tabs: $tabs, bar: $bar }),*]
    };
}

/// The table of commands.
pub const COMMANDS: &[Spec] = table! {
    Command::RunSelected, "run", "Run the selected node, or the marked ones", ["r"], PIPELINE, Some("run");
    Command::RunStale, "run-stale", "Run what is stale up to the selected node, or in the whole pipeline", ["R"], PIPELINE, Some("stale");
    Command::Retry, "retry", "Run again what failed, and what the run did not reach", ["C"], RUNS, Some("retry");
    Command::RunFromHere, "run-from-here", "Run from the selected node on", ["f"], PIPELINE, Some("from");
    Command::RunToHere, "run-to-here", "Run up to the selected node", ["t"], PIPELINE, Some("to");
    Command::RunPipeline, "run-pipeline", "Run the whole pipeline", ["a"], PIPELINE, Some("all");
    Command::CancelRun, "cancel-run", "Cancel the run that is going on, also that of another program", ["x"], RUNS, Some("cancel");
    Command::RunDetached, "run-detached", "Run the marked nodes, or the whole pipeline, by itself: it outlives this screen", ["B"], PIPELINE, None;
    Command::RunOptions, "run-options", "Choose nodes, parameters and runner, then run", ["o"], PIPELINE, Some("options");
    Command::EditFailure, "edit-failure", "Open your editor at the line that failed", ["J"], RUNS, Some("jump");
    Command::Override, "override", "Override the selected parameter for the next runs", ["="], PARAMETERS, Some("override");
    Command::ClearOverride, "clear-override", "Take back the override of the selected parameter", ["-"], PARAMETERS, Some("take back");
    Command::CompareRuns, "compare-runs", "Compare the two marked runs, or the marked one with the selected one", ["c"], HISTORY, Some("compare");
    Command::FilterRuns, "filter-runs", "Filter the list of runs", ["f"], HISTORY, Some("filter");
    Command::Timeline, "timeline", "Show the run's nodes in time, with the critical path", ["t"], HISTORY, Some("timeline");
    Command::Open, "open", "Open what is selected: its details, its group, its run", ["enter"], EVERYWHERE, None;
    Command::Edit, "edit", "Open the selected thing in your editor, at its line", ["e"], PLACES, Some("edit");
    Command::Find, "find", "Find by name", ["/"], EVERYWHERE, Some("find");
    Command::ChoosePipeline, "choose-pipeline", "Show another pipeline", ["p"], EVERYWHERE, Some("pipeline");
    Command::ChooseEnvironment, "choose-environment", "Read the project in another run environment", ["v"], EVERYWHERE, Some("env");
    Command::Palette, "palette", "Find any command by its name", [":", "ctrl-p"], EVERYWHERE, Some("commands");
    Command::Help, "help", "Show the commands that apply here", ["?", "f1"], EVERYWHERE, Some("help");
    Command::Quit, "quit", "Leave the program", ["q", "ctrl-c"], EVERYWHERE, Some("quit");
    Command::Back, "back", "Step back: close, unmark, leave the pane", ["esc"], EVERYWHERE, None;
    Command::Up, "up", "Move up", ["up", "k"], EVERYWHERE, None;
    Command::Down, "down", "Move down", ["down", "j"], EVERYWHERE, None;
    Command::Left, "left", "Move left, or close a group", ["left", "h"], EVERYWHERE, None;
    Command::Right, "right", "Move right, or open a group", ["right", "l"], EVERYWHERE, None;
    Command::PageUp, "page-up", "Move up by a page", ["pageup", "ctrl-u"], EVERYWHERE, None;
    Command::PageDown, "page-down", "Move down by a page", ["pagedown", "ctrl-d"], EVERYWHERE, None;
    Command::First, "first", "Move to the first", ["home", "g"], EVERYWHERE, None;
    Command::Last, "last", "Move to the last", ["end", "G"], EVERYWHERE, None;
    Command::Mark, "mark", "Mark the selected node for a run, or the selected run to compare it; or take the mark away", ["space"], RUNS, Some("mark");
    Command::NextPane, "next-pane", "Go to the next pane", ["tab"], EVERYWHERE, None;
    Command::PreviousPane, "previous-pane", "Go to the pane before", ["shift-tab"], EVERYWHERE, None;
    Command::FindNext, "find-next", "Go to the next match", ["n"], EVERYWHERE, None;
    Command::FindPrevious, "find-previous", "Go to the match before", ["N"], EVERYWHERE, None;
    Command::Problems, "problems", "List what is wrong or unknown, and go to its place", ["!"], EVERYWHERE, None;
    Command::PinRun, "pin-run", "Pin the run, so that pruning leaves it alone, or take the pin away", ["P"], HISTORY, None;
    Command::NoteRun, "note-run", "Write a note to the run", ["i"], HISTORY, None;
    Command::DeleteRun, "delete-run", "Delete the run from the history", ["d"], HISTORY, None;
    Command::PruneRuns, "prune-runs", "Delete old runs by age, size or count", ["X"], HISTORY, None;
    Command::LogLevel, "log-level", "Show all lines of the log, warnings and errors, or errors alone", ["s"], HISTORY, Some("level");
    Command::FollowLog, "follow-log", "Follow the end of the log, or stop following it", ["F"], HISTORY, Some("follow");
    Command::Log, "log", "Show the log of the run; on the pipeline, show or hide it", ["L"], RUNS, None;
    Command::Traceback, "traceback", "Show the traceback of the failure", ["T"], RUNS, None;
    Command::Debug, "debug", "Open a Python prompt with the node's inputs loaded", ["b"], RUNS, None;
    Command::PostMortem, "post-mortem", "Run the node, and open the debugger where it fails", ["ctrl-b"], RUNS, None;
    Command::RunGrid, "run-grid", "Run the marked nodes, or the whole pipeline, with several values of parameters", ["m"], PIPELINE, None;
    Command::ClearOverrides, "clear-overrides", "Take back the overrides of all parameters", [], EVERYWHERE, None;
    Command::View, "view", "Show all, leave parameters out, or show nodes alone", ["s"], PIPELINE, None;
    Command::Direction, "direction", "Turn the drawing: downwards or to the right", ["d"], PIPELINE, None;
    Command::Zoom, "zoom", "Draw the graph as boxes, as single lines, or as an overview", ["z"], PIPELINE, None;
    Command::ZoomIn, "zoom-in", "Draw the graph larger", ["+"], PIPELINE, None;
    Command::ZoomOut, "zoom-out", "Draw the graph smaller", ["-"], PIPELINE, None;
    Command::Lanes, "lanes", "Show the graph as a list with lanes, or as a drawing", ["w"], PIPELINE, None;
    Command::Layers, "layers", "Show the catalog's layers as bands, or stop that", ["W"], PIPELINE, None;
    Command::Fold, "fold", "Collapse the namespace around the selection, or expand the selected one", ["c"], PIPELINE, Some("fold");
    Command::FoldAll, "fold-all", "Expand all namespaces, or collapse all", ["O"], PIPELINE, None;
    Command::Focus, "focus", "Show alone what the selection follows from and leads to, or all again", ["i"], PIPELINE, Some("focus");
    Command::FocusLess, "focus-less", "Show fewer steps around what is in the focus", ["("], PIPELINE, None;
    Command::FocusMore, "focus-more", "Show more steps around what is in the focus", [")"], PIPELINE, None;
    Command::Slice, "slice", "Show and mark what lies between the marked nodes and the selected one", ["S"], PIPELINE, None;
    Command::FilterGraph, "filter-graph", "Filter the graph by tag, namespace, type, status or name", ["&"], PIPELINE, None;
    Command::Parents, "parents", "Follow an edge back: to what leads into the selection", [","], PIPELINE, None;
    Command::Children, "children", "Follow an edge on: to what the selection leads to", ["."], PIPELINE, None;
    Command::JumpBack, "jump-back", "Go back to where the last jump began", ["<", "backspace", "ctrl-o"], PIPELINE, None;
    Command::JumpForward, "jump-forward", "Go forward again", [">"], PIPELINE, None;
    Command::FollowRun, "follow-run", "Let the selection go with the node that is running, or stop that", ["F"], PIPELINE, None;
    Command::Tidy, "tidy", "Arrange the drawing anew", ["="], PIPELINE, None;
    Command::Export, "export", "Write the drawing to a file: .svg, .txt, .dot, .mmd or .json", ["ctrl-s"], PIPELINE, None;
    Command::ReadExact, "read-exact", "Let Kedro itself read the project (starts Python)", ["E"], EVERYWHERE, None;
    Command::Differences, "differences", "Show where the two readings of the project differ", ["D"], EVERYWHERE, None;
    Command::Reload, "reload", "Read all files of the project again", ["ctrl-r"], EVERYWHERE, None;
    Command::MakeEnvironment, "make-environment", "Make the project's Python environment", [], EVERYWHERE, None;
    Command::CopyName, "copy-name", "Copy the name of the selected thing", ["y"], PLACES, None;
    Command::CopyCommand, "copy-command", "Copy the kedro run command for the selected node, or the marked ones", ["Y"], PIPELINE, None;
    Command::Show(Tab::Pipeline), "show-pipeline", "Show the pipeline", ["1"], EVERYWHERE, None;
    Command::Show(Tab::Catalog), "show-catalog", "Show the data catalog", ["2"], EVERYWHERE, None;
    Command::Show(Tab::Parameters), "show-parameters", "Show the parameters", ["3"], EVERYWHERE, None;
    Command::Show(Tab::Runs), "show-runs", "Show the runs", ["4"], EVERYWHERE, None;
    Command::Show(Tab::Experiments), "show-experiments", "Show the tracked experiments", ["5"], EVERYWHERE, None;
    Command::Show(Tab::Models), "show-models", "Show the registered models", ["6"], EVERYWHERE, None;
    Command::Show(Tab::Remote), "show-remote", "Show the engines that run pipelines elsewhere", ["7"], EVERYWHERE, None;
    Command::NextTab, "next-tab", "Show the next tab", ["]"], EVERYWHERE, None;
    Command::PreviousTab, "previous-tab", "Show the tab before", ["["], EVERYWHERE, None;
    Command::ChooseTheme, "choose-theme", "Choose the colours", ["ctrl-t"], EVERYWHERE, None;
    Command::ChooseKeymap, "choose-keymap", "Choose the keymap", [], EVERYWHERE, None;
    Command::Suspend, "suspend", "Go to the shell; `fg` comes back", ["ctrl-z"], EVERYWHERE, None;
    Command::Redraw, "redraw", "Draw the whole screen anew", ["ctrl-l"], EVERYWHERE, None;
};

impl Command {
    /// What the table says of it.
    ///
    /// # Panics
    /// Never: a test holds that every command is in the table.
    pub fn spec(self) -> &'static Spec {
        match COMMANDS.iter().find(|spec| spec.command == self) {
            Some(spec) => spec,
            None => unreachable!("every command is in the table"),
        }
    }

    /// The command of that name.
    pub fn named(name: &str) -> Option<Command> {
        COMMANDS.iter().find(|spec| spec.name == name).map(|spec| spec.command)
    }
}

impl Spec {
    /// Whether it applies on `tab`.
    pub fn on(&self, tab: Tab) -> bool {
        self.tabs.is_empty() || self.tabs.contains(&tab)
    }

    /// The tabs on which it applies, in words.
    pub fn scope(&self) -> String {
        if self.tabs.is_empty() {
            return "everywhere".into();
        }
        self.tabs.iter().map(|tab| tab.title()).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_command_has_a_name_of_its_own_a_help_line_and_a_key_or_a_palette_entry() {
        let mut names = HashSet::new();
        let mut commands = HashSet::new();
        for spec in COMMANDS {
            assert!(names.insert(spec.name), "{} is named twice", spec.name);
            assert!(commands.insert(spec.command), "{} stands twice", spec.name);
            assert!(spec.help.len() > 5 && !spec.help.ends_with('.'), "{}", spec.name);
            assert!(spec.help.chars().next().is_some_and(char::is_uppercase), "{}", spec.name);
            // The palette offers every row of the table, so a command without a key has one there.
            assert_eq!(Command::named(spec.name), Some(spec.command));
            assert_eq!(spec.command.spec().name, spec.name);
        }
    }

    #[test]
    fn every_variant_is_in_the_table() {
        let source = include_str!("command.rs");
        let body = source.split("pub enum Command {").nth(1).unwrap().split('}').next().unwrap();
        for variant in body.lines().map(|line| line.trim().trim_end_matches(',')) {
            let name = variant.split('(').next().unwrap();
            if !name.is_empty() {
                assert!(
                    source.contains(&format!("    Command::{name}")),
                    "{name} is not in the table"
                );
            }
        }
    }
}
