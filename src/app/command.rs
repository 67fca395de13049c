//! All commands: one table, from which the enum, the keymap, the palette, the help, the
//! key bar and the docs are made. What a command does is decided in [`super::update::update`].

use super::tab::{Tab, each_screen};

/// A row of the table of commands.
#[derive(Debug)]
pub struct Spec {
    /// The command of this row.
    pub command: Command,
    /// The command's name in keymaps and in the palette.
    pub name: &'static str,
    /// One line of help: an imperative sentence without its full stop.
    pub help: &'static str,
    /// Keys of the default keymap; empty for a command that only the palette offers.
    pub keys: &'static [&'static str],
    /// The tabs on which the command applies; empty for all tabs.
    pub tabs: &'static [Tab],
    /// The command's word on the key bar; commands without one are not shown there. The order of the table is
    /// the order on the bar.
    pub bar: Option<&'static str>,
}

const EVERYWHERE: &[Tab] = &[];
const PIPELINE: &[Tab] = &[Tab::Pipeline];
const HISTORY: &[Tab] = &[Tab::Runs];
const EXPERIMENTS: &[Tab] = &[Tab::Experiments];
const MARKS: &[Tab] = &[Tab::Pipeline, Tab::Runs, Tab::Experiments];
const PICTURES: &[Tab] = &[Tab::Pipeline, Tab::Experiments];
const NAMES: &[Tab] =
    &[Tab::Pipeline, Tab::Catalog, Tab::Parameters, Tab::Runs, Tab::Experiments, Tab::Remote];
const PARAMETERS: &[Tab] = &[Tab::Parameters];
const PLACES: &[Tab] = &[Tab::Pipeline, Tab::Catalog, Tab::Parameters, Tab::Runs, Tab::Remote];
const REMOTE: &[Tab] = &[Tab::Remote];
const RUNS: &[Tab] = &[Tab::Pipeline, Tab::Runs, Tab::Remote];
const LOGS: &[Tab] = &[Tab::Runs, Tab::Remote];

/// Makes [`Command`], [`COMMANDS`] and the index of one in the other. A row is the variant, the name, the
/// help line, the default keys, the tabs, and the word on the key bar. The commands that show the screens
/// stand between the two groups of rows.
macro_rules! commands {
    (
        { $($first:ident, $first_name:literal, $first_help:literal, [$($first_key:literal),*], $first_tabs:expr, $first_bar:expr;)* }
        { $($last:ident, $last_name:literal, $last_help:literal, [$($last_key:literal),*], $last_tabs:expr, $last_bar:expr;)* }
        $($tab:ident $field:ident ($screen:ty) $title:literal $short:literal
            $show_name:literal $show_help:literal $show_key:literal;)*
    ) => {
        /// Something that the user can ask for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Command {
            $(#[doc = concat!($first_help, ".")] $first,)*
            $(#[doc = concat!($last_help, ".")] $last,)*
            /// Show the screen of a tab.
            Show(Tab),
        }

        /// The table of commands.
        pub const COMMANDS: &[Spec] = &[
            $(Spec {
                command: Command::$first,
                name: $first_name,
                help: $first_help,
                keys: &[$($first_key),*],
                tabs: $first_tabs,
                bar: $first_bar,
            },)*
            $(Spec {
                command: Command::Show(Tab::$tab),
                name: $show_name,
                help: $show_help,
                keys: &[$show_key],
                tabs: EVERYWHERE,
                bar: None,
            },)*
            $(Spec {
                command: Command::$last,
                name: $last_name,
                help: $last_help,
                keys: &[$($last_key),*],
                tabs: $last_tabs,
                bar: $last_bar,
            },)*
        ];

        /// The rows of the table in their order.
        enum Row {
            $($first,)*
            $($tab,)*
            $($last,)*
        }

        impl Command {
            /// The command's row of the table.
            pub fn spec(self) -> &'static Spec {
                let row = match self {
                    $(Command::$first => Row::$first,)*
                    $(Command::Show(Tab::$tab) => Row::$tab,)*
                    $(Command::$last => Row::$last,)*
                };
                &COMMANDS[row as usize]
            }
        }
    };
}

each_screen! {
    commands
    {
        RunSelected, "run", "Run the selected node, or the marked ones", ["r"], PIPELINE, Some("run");
        RunStale, "run-stale", "Run the stale nodes up to the selected one, or in the whole pipeline", ["R"], PIPELINE, Some("stale");
        Watch, "watch", "Run what becomes stale at each save, from the marked nodes on, or stop that", ["A"], PIPELINE, None;
        Retry, "retry", "Run the failed nodes again, and those that the run did not reach", ["C"], EVERYWHERE, Some("retry");
        RunFromHere, "run-from-here", "Run the selected node and all nodes after it", ["f"], PIPELINE, Some("from");
        RunToHere, "run-to-here", "Run the selected node and all nodes before it", ["t"], PIPELINE, Some("to");
        RunPipeline, "run-pipeline", "Run the whole pipeline", ["a"], PIPELINE, Some("all");
        CancelRun, "cancel-run", "Cancel the run, also one that another program or an engine started", ["x"], RUNS, Some("cancel");
        RunDetached, "run-detached", "Run the marked nodes, or the whole pipeline, in the background: the run outlives this screen", ["B"], PIPELINE, None;
        RunOptions, "run-options", "Choose nodes, parameters and runner, then run", ["o"], PIPELINE, Some("options");
        EditFailure, "edit-failure", "Open your editor at the line that failed", ["J"], EVERYWHERE, Some("jump");
        Override, "override", "Override the selected parameter for the next runs", ["="], PARAMETERS, Some("override");
        ClearOverride, "clear-override", "Remove the override of the selected parameter", ["-"], PARAMETERS, Some("reset");
        CompareRuns, "compare-runs", "Compare the two marked runs, or the marked one with the selected one", ["c"], HISTORY, Some("compare");
        Timeline, "timeline", "Show the run's nodes in time, with the critical path", ["t"], HISTORY, Some("timeline");
        TrackedRun, "tracked-run", "Show the tracked run to which the run has logged", ["="], HISTORY, None;
        RunAgain, "run-again", "Run again what made the tracked run; parameters can be changed before", ["R"], EXPERIMENTS, Some("again");
        PipelineRun, "pipeline-run", "Show the pipeline run that made the tracked run", ["r"], EXPERIMENTS, Some("run");
        WhyBetter, "why-better", "Compare the pipeline runs that made two tracked runs: code, parameters, data", ["W"], EXPERIMENTS, Some("why");
        SortColumn, "sort-column", "Sort by the column, the best values first; again: the worst first, then by time", ["s"], EXPERIMENTS, Some("sort");
        AllColumns, "all-columns", "Show hidden columns again, all columns, or those whose values differ", ["a"], EXPERIMENTS, Some("columns");
        HideColumn, "hide-column", "Hide the column", ["H"], EXPERIMENTS, Some("hide");
        Baseline, "baseline", "Compare all runs with the selected one, or stop that", ["B"], EXPERIMENTS, Some("baseline");
        Trend, "trend", "Show the curve of the metric in its column, or the last value alone", ["t"], EXPERIMENTS, Some("trend");
        ChooseView, "choose-view", "Choose an experiment or a saved view of the table", ["V"], EXPERIMENTS, Some("view");
        SaveView, "save-view", "Save columns, order and filter of the table as a view", ["i"], EXPERIMENTS, None;
        FollowMetric, "follow-metric", "Show the best value of the metric so far on every tab, and say when it crosses a threshold; again: stop that", ["f"], EXPERIMENTS, None;
        GroupRuns, "group-runs", "Group the runs that differ only in their seed, or by the param of the column: mean ± deviation; or show each run", ["O"], EXPERIMENTS, Some("group");
        Artifacts, "artifacts", "Show the artifacts of the run", ["F"], EXPERIMENTS, Some("artifacts");
        ChartAxis, "chart-axis", "Draw the curves over steps, over time, or over the time since their start", ["x"], EXPERIMENTS, Some("axis");
        ChartScale, "chart-scale", "Draw the curves on a logarithmic scale, or on a linear one", ["L"], EXPERIMENTS, Some("log");
        Smooth, "smooth", "Smooth the curves more, or not at all", ["m"], EXPERIMENTS, Some("smooth");
        Submit, "submit", "Start a run on the engine; parameters can be changed before", ["r"], REMOTE, Some("submit");
        Deploy, "deploy", "Write the pipeline as a DAG file for the engine; what changes is shown before", ["d"], REMOTE, Some("deploy");
        RunHere, "run-here", "Run the node of the selected task here, with the parameters of the run", ["R"], REMOTE, Some("here");
        ShowStates, "show-states", "Show the states of the run's tasks on the graph of the pipeline", ["o"], REMOTE, Some("graph");
        InHistory, "in-history", "Show the run in the history: its timeline, its log, comparisons with others", ["="], REMOTE, None;
        AllRuns, "all-runs", "Show the runs of all pipelines on the engine, or those of this project", ["a"], REMOTE, Some("all");
        CheckConnection, "check-connection", "Look at the connection: address, credentials, version, permissions", ["c"], REMOTE, Some("check");
        PausePipeline, "pause-pipeline", "Stop the engine's own starts of the pipeline, or resume them", ["P"], REMOTE, Some("pause");
        MarkState, "mark-state", "Set the state of the selected task, or of the run, by hand", ["m"], REMOTE, None;
        EarlierTry, "earlier-try", "Show the log of the try before", [","], REMOTE, None;
        LaterTry, "later-try", "Show the log of the next try", ["."], REMOTE, None;
        SearchLogs, "search-logs", "Search the logs of all tasks and tries of the run by a regular expression", ["S"], REMOTE, Some("search");
        Open, "open", "Open what is selected: its details, its group, its run", ["enter"], EVERYWHERE, None;
        Edit, "edit", "Open the selected thing in your editor, at its line", ["e"], PLACES, Some("edit");
        Find, "find", "Find by name", ["/"], EVERYWHERE, Some("find");
        Filter, "filter", "Filter the rows: is:failed, tag:x, took>1s, -not, words", ["&"], EVERYWHERE, Some("filter");
        ChoosePipeline, "choose-pipeline", "Show another pipeline", ["p"], EVERYWHERE, Some("pipeline");
        ChooseEnvironment, "choose-environment", "Read the project in another run environment", ["v"], EVERYWHERE, Some("env");
        Palette, "palette", "Find any command by its name", [":", "ctrl-p"], EVERYWHERE, Some("commands");
        Help, "help", "Show the commands that apply here", ["?", "f1"], EVERYWHERE, Some("help");
        Quit, "quit", "Leave the program", ["q", "ctrl-c"], EVERYWHERE, Some("quit");
        Back, "back", "Step back: close, unmark, leave the pane", ["esc"], EVERYWHERE, None;
        Undo, "undo", "Take back the last edit: an override, a filter, marks, a note, a view, a deleted run", ["u"], EVERYWHERE, None;
        Up, "up", "Move up", ["up", "k"], EVERYWHERE, None;
        Down, "down", "Move down", ["down", "j"], EVERYWHERE, None;
        Left, "left", "Move left, or close a group", ["left", "h"], EVERYWHERE, None;
        Right, "right", "Move right, or open a group", ["right", "l"], EVERYWHERE, None;
        PageUp, "page-up", "Move up by a page", ["pageup", "ctrl-u"], EVERYWHERE, None;
        PageDown, "page-down", "Move down by a page", ["pagedown", "ctrl-d"], EVERYWHERE, None;
        First, "first", "Move to the first", ["home", "g"], EVERYWHERE, None;
        Last, "last", "Move to the last", ["end", "G"], EVERYWHERE, None;
        Mark, "mark", "Mark the selected node for a run, or the selected run for a comparison, or remove the mark", ["space"], MARKS, Some("mark");
        NextPane, "next-pane", "Go to the next pane", ["tab"], EVERYWHERE, None;
        PreviousPane, "previous-pane", "Go to the previous pane", ["shift-tab"], EVERYWHERE, None;
        MaximisePane, "maximise-pane", "Give the pane that has the focus the room of the others, or give it back", ["Z"], EVERYWHERE, None;
        GrowPane, "grow-pane", "Make the pane that has the focus larger", ["}", "ctrl-right"], EVERYWHERE, None;
        ShrinkPane, "shrink-pane", "Make the pane that has the focus smaller", ["{", "ctrl-left"], EVERYWHERE, None;
        FindNext, "find-next", "Go to the next match", ["n"], EVERYWHERE, None;
        FindPrevious, "find-previous", "Go to the previous match", ["N"], EVERYWHERE, None;
        Problems, "problems", "List the problems, and open their places in your editor", ["!"], EVERYWHERE, None;
        Messages, "messages", "Show the last messages", ["M"], EVERYWHERE, None;
        PinRun, "pin-run", "Pin the run so that pruning keeps it, or remove the pin", ["P"], HISTORY, None;
        NoteRun, "note-run", "Write a note about the run", ["i"], HISTORY, None;
        DeleteRun, "delete-run", "Delete the run from the history", ["d"], HISTORY, None;
        PruneRuns, "prune-runs", "Delete old runs by age, size or count", ["X"], HISTORY, None;
        LogLevel, "log-level", "Show all lines of the log, warnings and errors, or only errors", ["s"], HISTORY, Some("level");
        FollowLog, "follow-log", "Follow the end of the log, or stop following it", ["F"], LOGS, Some("follow");
        Log, "log", "Show the log of the run, or of the task; on the pipeline, show or hide it", ["L"], RUNS, None;
        Traceback, "traceback", "Show the traceback of the failure", ["T"], EVERYWHERE, None;
        Debug, "debug", "Open a Python prompt with the node's inputs loaded", ["b"], RUNS, None;
        PostMortem, "post-mortem", "Run the node, and open the debugger where it fails", ["ctrl-b"], RUNS, None;
        RunGrid, "run-grid", "Run the marked nodes, or the whole pipeline, once for each combination of parameter values", ["m"], PIPELINE, None;
        ClearOverrides, "clear-overrides", "Remove the overrides of all parameters", [], EVERYWHERE, None;
        View, "view", "Show everything, hide parameters, or show only nodes", ["s"], PIPELINE, None;
        Direction, "direction", "Turn the drawing: downwards or to the right", ["d"], PIPELINE, None;
        Zoom, "zoom", "Draw the graph as boxes, as single lines, or as an overview; a metric over a param, parallel coordinates, or rank correlations", ["z"], PICTURES, None;
        ZoomIn, "zoom-in", "Draw the graph larger; show less of the curves", ["+"], PICTURES, None;
        ZoomOut, "zoom-out", "Draw the graph smaller; show more of the curves", ["-"], PICTURES, None;
        Fit, "fit", "Choose size, direction and namespaces so that the whole graph fits the window; show all of the curves", ["0"], PICTURES, None;
        Lanes, "lanes", "Show the graph as a list with lanes, or as a drawing", ["w"], PIPELINE, None;
        Layers, "layers", "Show or hide the catalog's layers as bands", ["W"], PIPELINE, None;
        Fold, "fold", "Collapse the namespace around the selection, or expand the selected one; hide or show nested runs", ["c"], PICTURES, Some("fold");
        FoldAll, "fold-all", "Expand all namespaces, or collapse all", ["O"], PIPELINE, None;
        Focus, "focus", "Show only the selection's ancestors and descendants, or the whole graph again", ["i"], PIPELINE, Some("focus");
        FocusLess, "focus-less", "Show fewer steps around the focus", ["("], PIPELINE, None;
        FocusMore, "focus-more", "Show more steps around the focus", [")"], PIPELINE, None;
        Slice, "slice", "Show and mark the nodes between the marked ones and the selected one", ["S"], PIPELINE, None;
        Parents, "parents", "Follow an edge back to a parent of the selection", [","], PIPELINE, None;
        Children, "children", "Follow an edge to a child of the selection", ["."], PIPELINE, None;
        JumpBack, "jump-back", "Go back to where the last jump began", ["<", "backspace", "ctrl-o"], PIPELINE, None;
        JumpForward, "jump-forward", "Go forward again", [">"], PIPELINE, None;
        FollowRun, "follow-run", "Let the selection follow the running node, or stop following it", ["F"], PIPELINE, None;
        Tidy, "tidy", "Lay the graph out again from scratch", ["="], PIPELINE, None;
        Export, "export", "Write the drawing to a file: .svg, .txt, .dot, .mmd or .json; or the table of experiments: .csv, .md or .html; or curves: .svg, .txt, .csv or .html", ["ctrl-s"], PICTURES, None;
        SortColumnToo, "sort-column-too", "Sort by the column where the columns before are equal", ["S"], EXPERIMENTS, None;
        PinColumn, "pin-column", "Keep the column in view, or let it scroll", ["P"], EXPERIMENTS, None;
        ColumnLeft, "column-left", "Move the column, or the window of the curves, to the left", ["<"], EXPERIMENTS, None;
        ColumnRight, "column-right", "Move the column, or the window of the curves, to the right", [">"], EXPERIMENTS, None;
        NarrowColumn, "narrow-column", "Make the column narrower", ["("], EXPERIMENTS, None;
        WidenColumn, "widen-column", "Make the column wider", [")"], EXPERIMENTS, None;
        Goal, "goal", "Choose which values of the metric are best: the highest, the lowest, or none", ["o"], EXPERIMENTS, None;
        Nesting, "nesting", "Show nested runs below their parents, or all runs alike", ["w"], EXPERIMENTS, None;
        CrosshairLeft, "crosshair-left", "Move the crosshair to the value before", [","], EXPERIMENTS, None;
        CrosshairRight, "crosshair-right", "Move the crosshair to the next value", ["."], EXPERIMENTS, None;
        ReadExact, "read-exact", "Let Kedro itself read the project (starts Python)", ["E"], EVERYWHERE, None;
        Differences, "differences", "Show where the two readings of the project differ", ["D"], EVERYWHERE, None;
        Reload, "reload", "Read all files of the project again", ["ctrl-r"], EVERYWHERE, None;
        MakeEnvironment, "make-environment", "Make the project's Python environment", [], EVERYWHERE, None;
        CopyName, "copy-name", "Copy the name of the selected thing", ["y"], NAMES, None;
        CopyCommand, "copy-command", "Copy the kedro run command for the selected node, or the marked ones", ["Y"], PIPELINE, None;
        CopyValue, "copy-value", "Copy the value in the column of the cursor, or those at the crosshair, with all digits", ["Y"], EXPERIMENTS, None;
        CopyFilter, "copy-filter", "Copy the filter of the rows", [], EVERYWHERE, None;
    }
    {
        NextTab, "next-tab", "Show the next tab", ["]"], EVERYWHERE, None;
        PreviousTab, "previous-tab", "Show the previous tab", ["["], EVERYWHERE, None;
        ChooseTheme, "choose-theme", "Choose the colours", ["ctrl-t"], EVERYWHERE, None;
        ChooseKeymap, "choose-keymap", "Choose the keymap", [], EVERYWHERE, None;
        Suspend, "suspend", "Suspend to the shell; `fg` resumes", ["ctrl-z"], EVERYWHERE, None;
        Redraw, "redraw", "Redraw the whole screen", ["ctrl-l"], EVERYWHERE, None;
    }
}

impl Command {
    /// The command with this name.
    pub fn named(name: &str) -> Option<Command> {
        // Keymaps may still have the names from before all screens had the same filter.
        let name = match name {
            "filter-graph" | "filter-runs" => "filter",
            name => name,
        };
        COMMANDS.iter().find(|spec| spec.name == name).map(|spec| spec.command)
    }
}

impl Spec {
    /// Whether the command applies on `tab`.
    pub fn on(&self, tab: Tab) -> bool {
        self.tabs.is_empty() || self.tabs.contains(&tab)
    }

    /// The titles of the tabs on which the command applies.
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
}
