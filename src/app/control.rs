//! Keys inside dialogs and lines that are typed: one table by scope. The keys of the screens are those of
//! [`command`](super::command).

use strum::VariantArray;

/// Where a control applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, VariantArray)]
pub enum Scope {
    /// Lists and texts that are read: problems, a traceback.
    List,
    /// Lines that are typed: a filter, a search, the line of a list to choose from.
    Line,
    /// Questions.
    Ask,
    /// The form of a run's options.
    Form,
}

impl Scope {
    /// The name of the scope, which is its section in keymap files.
    pub fn name(self) -> &'static str {
        match self {
            Scope::List => "list",
            Scope::Line => "line",
            Scope::Ask => "ask",
            Scope::Form => "form",
        }
    }
}

/// What a key does inside a dialog or a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Control {
    /// To the row, match or field before.
    Up,
    /// To the next row, match or field.
    Down,
    /// Up by a page.
    PageUp,
    /// Down by a page.
    PageDown,
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// Takes the selected row, or what was typed.
    Accept,
    /// Closes without doing anything.
    Leave,
    /// Answers yes.
    Yes,
    /// Answers yes where a key that was meant for something else would do no harm.
    Confirm,
    /// Answers no.
    No,
    /// Turns a switch.
    Toggle,
    /// Empties the line.
    Clear,
    /// Shows or hides the frames of libraries.
    Fold,
    /// Deletes the selected saved view.
    Delete,
}

/// A row of the table of controls.
#[derive(Debug)]
pub struct ControlSpec {
    /// Where the control applies.
    pub scope: Scope,
    /// The control.
    pub control: Control,
    /// Its name in keymap files.
    pub name: &'static str,
    /// One line of help, without a full stop.
    pub help: &'static str,
    /// Keys of the default keymap. Each is a single key.
    pub keys: &'static [&'static str],
}

macro_rules! controls {
    ($($scope:ident { $($control:ident, $name:literal, $help:literal, [$($key:literal),*];)* })*) => {
        /// The table of controls.
        pub const CONTROLS: &[ControlSpec] = &[$($(ControlSpec {
            scope: Scope::$scope,
            control: Control::$control,
            name: $name,
            help: $help,
            keys: &[$($key),*],
        }),*),*];
    };
}

controls! {
    List {
        Up, "up", "Move up in a list or text", ["up", "k", "ctrl-p", "shift-tab"];
        Down, "down", "Move down in a list or text", ["down", "j", "ctrl-n", "tab"];
        PageUp, "page-up", "Move up by a page", ["pageup", "ctrl-u"];
        PageDown, "page-down", "Move down by a page", ["pagedown", "ctrl-d", "space"];
        First, "first", "Move to the first line", ["home", "g"];
        Last, "last", "Move to the last line", ["end", "G"];
        Accept, "open", "Open the place in your editor", ["enter", "e"];
        Fold, "fold", "Show or hide the frames of libraries in a traceback", ["f"];
        Leave, "close", "Close the list or text", ["esc", "q", "!", "ctrl-c", "ctrl-g"];
    }
    Line {
        Up, "up", "Select the previous match", ["up", "ctrl-p", "shift-tab"];
        Down, "down", "Select the next match", ["down", "ctrl-n", "tab"];
        PageUp, "page-up", "Move up by a page of matches", ["pageup"];
        PageDown, "page-down", "Move down by a page of matches", ["pagedown"];
        Clear, "clear", "Empty the line", ["ctrl-u"];
        Delete, "delete", "Delete the selected saved view of experiments", ["ctrl-x"];
        Accept, "accept", "Accept the typed text, or the selected match", ["enter"];
        Leave, "leave", "Leave the line without accepting it", ["esc", "ctrl-c", "ctrl-g"];
    }
    Ask {
        Yes, "yes", "Answer yes", ["y", "Y"];
        Confirm, "confirm", "Answer yes to questions that neither give trust nor delete", ["enter"];
        No, "no", "Answer no", ["n", "N", "q", "esc", "ctrl-c", "ctrl-g"];
    }
    Form {
        Up, "up", "Go to the previous field", ["shift-tab", "up", "ctrl-p"];
        Down, "down", "Go to the next field", ["tab", "down", "ctrl-n"];
        Toggle, "toggle", "Turn the switch", ["space"];
        Clear, "clear", "Empty the field", ["ctrl-u"];
        Accept, "accept", "Run with these options", ["enter"];
        Leave, "leave", "Close the form", ["esc", "ctrl-c", "ctrl-g"];
    }
}

/// The control of that name in a scope.
pub fn named(scope: Scope, name: &str) -> Option<Control> {
    let found = CONTROLS.iter().find(|spec| spec.scope == scope && spec.name == name);
    found.map(|spec| spec.control)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_control_of_a_scope_has_a_name_of_its_own_and_a_key() {
        let mut names = HashSet::new();
        let mut controls = HashSet::new();
        for spec in CONTROLS {
            assert!(names.insert((spec.scope, spec.name)), "{} stands twice", spec.name);
            assert!(controls.insert((spec.scope, spec.control)), "{} stands twice", spec.name);
            assert!(!spec.keys.is_empty() && !spec.help.ends_with('.'), "{}", spec.name);
            assert_eq!(named(spec.scope, spec.name), Some(spec.control));
        }
    }
}
