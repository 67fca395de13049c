//! Which keys ask for which commands: the default keys of the tables, and keymap files over them.
//!
//! A keymap file is YAML: `extends: default` (or another keymap, or nothing), and `keys`, from
//! command names to a key or a list of keys. A command that is named loses its keys of the keymap
//! below; an empty list takes all keys away. The sections `list`, `line`, `ask` and `form` do the same for
//! the keys inside dialogs and lines that are typed; each of these is a single key.

use std::collections::HashMap;

use serde::Deserialize;

use strum::VariantArray;

use super::command::{COMMANDS, Command};
use super::control::{self, CONTROLS, Control, Scope};
use super::key::{Key, show};
use super::tab::Tab;
use crate::text::did_you_mean;

/// The keymaps that come with the program, by name.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("default", include_str!("../../keymaps/default.yaml")),
    ("vim", include_str!("../../keymaps/vim.yaml")),
    ("emacs", include_str!("../../keymaps/emacs.yaml")),
];

/// The bindings of keys to commands and controls.
#[derive(Debug, Clone, PartialEq)]
pub struct Keymap {
    /// Its name.
    pub name: String,
    bindings: Vec<(Vec<Key>, Command)>,
    controls: Vec<(Scope, Key, Control)>,
}

/// The result of looking up the keys pressed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// The keys are bound to this command.
    Command(Command),
    /// A longer sequence begins with these keys.
    Begun,
    /// Nothing begins with these keys.
    Nothing,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    extends: Option<String>,
    #[serde(default)]
    keys: HashMap<String, Keys>,
    #[serde(default)]
    list: HashMap<String, Keys>,
    #[serde(default)]
    line: HashMap<String, Keys>,
    #[serde(default)]
    ask: HashMap<String, Keys>,
    #[serde(default)]
    form: HashMap<String, Keys>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Keys {
    One(String),
    Several(Vec<String>),
}

impl Keys {
    fn all(self) -> Vec<String> {
        match self {
            Keys::One(keys) => vec![keys],
            Keys::Several(keys) => keys,
        }
    }
}

/// The entries of a section in the order of their names, so that the first error is always the same one.
fn sorted(section: HashMap<String, Keys>) -> Vec<(String, Keys)> {
    let mut entries: Vec<_> = section.into_iter().collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    entries
}

/// An error in a keymap or theme file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// The line, from 1, if it is known.
    pub line: Option<u32>,
    /// The message, a sentence.
    pub text: String,
}

impl FileError {
    /// An error at the line of the key `word` in `file`, else at the first line that holds the word.
    pub fn at(file: &str, word: &str, text: impl Into<String>) -> Self {
        FileError { line: line_of(file, word), text: text.into() }
    }

    /// An error of the YAML parser.
    pub fn yaml(error: &serde_yaml::Error) -> Self {
        let line = error.location().and_then(|at| u32::try_from(at.line()).ok());
        FileError { line, text: format!("{error}.") }
    }
}

/// The line of the key `word` in a YAML file, from 1, else the first line that holds the word.
fn line_of(file: &str, word: &str) -> Option<u32> {
    let is_key = |line: &str| {
        let rest = line.trim_start().strip_prefix(word);
        rest.is_some_and(|rest| rest.trim_start().starts_with(':'))
    };
    let mut lines = file.lines();
    let line = lines.position(is_key).or_else(|| file.lines().position(|line| line.contains(word)));
    line.and_then(|index| u32::try_from(index + 1).ok())
}

impl Default for Keymap {
    fn default() -> Self {
        let bindings = COMMANDS
            .iter()
            .flat_map(|spec| spec.keys.iter().map(|keys| (keys, spec.command)))
            .filter_map(|(keys, command)| Some((Key::sequence(keys).ok()?, command)))
            .collect();
        let controls = CONTROLS
            .iter()
            .flat_map(|spec| spec.keys.iter().map(move |key| (spec, key)))
            .filter_map(|(spec, key)| Some((spec.scope, Key::parse(key).ok()?, spec.control)))
            .collect();
        Keymap { name: "default".into(), bindings, controls }
    }
}

impl Keymap {
    /// Parses the keymap file `text`; `find` gives the text of the keymap that it extends. Entries with mistakes are left
    /// out and reported, as are keys that the file gives to two commands.
    ///
    /// # Errors
    /// When the file is no keymap; the error names the line and what is allowed.
    pub fn parse(
        name: &str,
        text: &str,
        find: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(Keymap, Vec<FileError>), FileError> {
        let mut mistakes = Vec::new();
        let keymap = Self::layered(name, text, find, 0, &mut mistakes)?;
        mistakes.sort_by_key(|mistake| mistake.line);
        Ok((keymap, mistakes))
    }

    fn layered(
        name: &str,
        text: &str,
        find: &dyn Fn(&str) -> Option<String>,
        depth: usize,
        mistakes: &mut Vec<FileError>,
    ) -> Result<Keymap, FileError> {
        let file: File = serde_yaml::from_str(text).map_err(|error| FileError::yaml(&error))?;
        let mut keymap = match file.extends.as_deref() {
            None => {
                // Without the keys of dialogs a question could not be answered.
                Keymap { bindings: Vec::new(), ..Keymap::default() }
            }
            Some("default") => Keymap::default(),
            Some(_) if depth > 8 => {
                let text = "The keymaps extend each other in a circle.";
                return Err(FileError::at(text, "extends", text));
            }
            Some(below) => match find(below) {
                // The mistakes of the other file are its own.
                Some(other) => Self::layered(below, &other, find, depth + 1, &mut Vec::new())?,
                None => {
                    let message = format!("There is no keymap `{below}` to extend.");
                    return Err(FileError::at(text, "extends", message));
                }
            },
        };
        keymap.name = name.into();
        // What this file has bound so far.
        let mut own: Vec<(Vec<Key>, Command)> = Vec::new();
        for (command, keys) in sorted(file.keys) {
            let Some(known) = Command::named(&command) else {
                let names = || COMMANDS.iter().map(|spec| spec.name);
                let meant = did_you_mean(&command, names());
                let names: Vec<&str> = names().collect();
                let message =
                    format!("`{command}` is no command.{meant} There are: {}.", names.join(", "));
                mistakes.push(FileError::at(text, &command, message));
                continue;
            };
            keymap.bindings.retain(|(_, other)| *other != known);
            for keys in keys.all() {
                let sequence = match Key::sequence(&keys) {
                    Ok(sequence) => sequence,
                    Err(error) => {
                        mistakes.push(FileError::at(text, &command, error.line()));
                        continue;
                    }
                };
                // Elsewhere the key may mean something else, so only a clash on a tab counts.
                let clash = |(other, command): &(Vec<Key>, Command)| {
                    (other.starts_with(&sequence) || sequence.starts_with(other))
                        && meet(*command, known)
                };
                if let Some((_, other)) = own.iter().find(|bound| clash(bound) && bound.1 != known)
                {
                    let other = other.spec().name;
                    mistakes.push(conflict(text, &show(&sequence), &command, other));
                }
                keymap.bindings.retain(|bound| !clash(bound) || bound.1 == known);
                own.push((sequence.clone(), known));
                keymap.bindings.push((sequence, known));
            }
        }
        let sections = [
            (Scope::List, file.list),
            (Scope::Line, file.line),
            (Scope::Ask, file.ask),
            (Scope::Form, file.form),
        ];
        for (scope, section) in sections {
            keymap.bind_controls(text, scope, section, mistakes);
        }
        Ok(keymap)
    }

    /// Takes a section of a keymap file for the keys inside dialogs.
    fn bind_controls(
        &mut self,
        text: &str,
        scope: Scope,
        section: HashMap<String, Keys>,
        mistakes: &mut Vec<FileError>,
    ) {
        let mut own: Vec<(Key, String)> = Vec::new();
        for (name, keys) in sorted(section) {
            let Some(known) = control::named(scope, &name) else {
                let specs = CONTROLS.iter().filter(|spec| spec.scope == scope);
                let names: Vec<&str> = specs.map(|spec| spec.name).collect();
                let message = format!(
                    "`{name}` is no key of `{}`; there are: {}.",
                    scope.name(),
                    names.join(", ")
                );
                mistakes.push(FileError::at(text, &name, message));
                continue;
            };
            self.controls.retain(|(of, _, other)| *of != scope || *other != known);
            for key in keys.all() {
                let key = match Key::parse(&key) {
                    Ok(key) => key,
                    Err(error) => {
                        mistakes.push(FileError::at(text, &name, error.line()));
                        continue;
                    }
                };
                if let Some((_, other)) =
                    own.iter().find(|(bound, other)| *bound == key && *other != name)
                {
                    mistakes.push(conflict(text, &key.to_string(), &name, other));
                }
                own.push((key, name.clone()));
                self.controls.retain(|(of, other, _)| *of != scope || *other != key);
                self.controls.push((scope, key, known));
            }
        }
    }

    /// What a key does inside a dialog or a line.
    pub fn control(&self, scope: Scope, key: Key) -> Option<Control> {
        let found = self.controls.iter().find(|(of, other, _)| *of == scope && *other == key);
        found.map(|(.., control)| *control)
    }

    /// The keys of a control as shown.
    pub fn control_keys(&self, scope: Scope, control: Control) -> Vec<String> {
        let own = self.controls.iter().filter(|(of, _, other)| *of == scope && *other == control);
        own.map(|(_, key, _)| key.to_string()).collect()
    }

    /// What `keys`, pressed one after the other on `tab`, come to.
    pub fn lookup(&self, tab: Tab, keys: &[Key]) -> Match {
        let here = || self.bindings.iter().filter(|(_, command)| command.spec().on(tab));
        if let Some((_, command)) = here().find(|(bound, _)| bound == keys) {
            return Match::Command(*command);
        }
        if here().any(|(bound, _)| bound.starts_with(keys)) { Match::Begun } else { Match::Nothing }
    }

    /// All commands that `keys` stand for on other tabs than `tab`.
    pub fn elsewhere(&self, tab: Tab, keys: &[Key]) -> Option<Command> {
        let mut others = self.bindings.iter().filter(|(_, command)| !command.spec().on(tab));
        others.find(|(bound, _)| bound == keys).map(|(_, command)| *command)
    }

    /// The keys of a command as shown, the first one for the key bar.
    pub fn keys(&self, command: Command) -> Vec<String> {
        let own = self.bindings.iter().filter(|(_, other)| *other == command);
        own.map(|(keys, _)| show(keys)).collect()
    }

    /// The keymap as a file.
    pub fn to_yaml(&self) -> String {
        let mut out = String::from("keys:\n");
        for spec in COMMANDS {
            let keys: Vec<String> =
                self.keys(spec.command).iter().map(|keys| format!("{keys:?}")).collect();
            out.push_str(&format!("  # {}.\n  {}: [{}]\n", spec.help, spec.name, keys.join(", ")));
        }
        for scope in Scope::VARIANTS.iter().copied() {
            out.push_str(&format!("{}:\n", scope.name()));
            for spec in CONTROLS.iter().filter(|spec| spec.scope == scope) {
                let keys = self.control_keys(scope, spec.control);
                let keys: Vec<String> = keys.iter().map(|key| format!("{key:?}")).collect();
                let keys = keys.join(", ");
                out.push_str(&format!("  # {}.\n  {}: [{keys}]\n", spec.help, spec.name));
            }
        }
        out
    }
}

/// A key that a file gives to two commands; the later one by name has it.
fn conflict(file: &str, key: &str, command: &str, other: &str) -> FileError {
    let line = line_of(file, other).map(|line| format!(" (line {line})")).unwrap_or_default();
    let text = format!("`{key}` is given to `{other}`{line} and to `{command}`, which has it.");
    FileError::at(file, command, text)
}

fn meet(a: Command, b: Command) -> bool {
    let (a, b) = (a.spec().tabs, b.spec().tabs);
    a.is_empty() || b.is_empty() || a.iter().any(|tab| b.contains(tab))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keymap of a file without mistakes.
    fn parsed(name: &str, text: &str) -> Keymap {
        let (keymap, mistakes) = Keymap::parse(name, text, &built_in).unwrap();
        assert_eq!(mistakes, [], "{name}");
        keymap
    }

    /// The only mistake of a file, or why it is no keymap.
    fn fault(text: &str) -> FileError {
        match Keymap::parse("own", text, &built_in) {
            Ok((_, mistakes)) => match <[FileError; 1]>::try_from(mistakes) {
                Ok([mistake]) => mistake,
                Err(mistakes) => panic!("{mistakes:?}"),
            },
            Err(error) => error,
        }
    }

    fn built_in(name: &str) -> Option<String> {
        let found = BUILT_IN.iter().find(|(other, _)| *other == name);
        found.map(|(_, text)| (*text).to_owned())
    }

    #[test]
    fn the_default_keymap_file_is_made_from_the_table() {
        let written = parsed("default", &built_in("default").unwrap());
        assert_eq!(written.bindings.len(), Keymap::default().bindings.len());
        for spec in COMMANDS {
            assert_eq!(written.keys(spec.command), Keymap::default().keys(spec.command));
        }
        for spec in CONTROLS {
            let keys = |keymap: &Keymap| keymap.control_keys(spec.scope, spec.control);
            assert_eq!(keys(&written), keys(&Keymap::default()));
        }
        let expected = Keymap::default().to_yaml();
        assert!(
            built_in("default").unwrap().ends_with(&expected),
            "keymaps/default.yaml differs from the table; it should end with:\n{expected}"
        );
    }

    #[test]
    fn no_key_means_two_things_on_one_tab_and_none_hides_a_longer_one() {
        for (name, text) in BUILT_IN {
            let keymap = parsed(name, text);
            for (index, (keys, command)) in keymap.bindings.iter().enumerate() {
                for (others, other) in &keymap.bindings[index + 1..] {
                    let clash = keys.starts_with(others) || others.starts_with(keys);
                    assert!(
                        !clash || !meet(*command, *other),
                        "{name}: {} is {command:?} and {} is {other:?}",
                        show(keys),
                        show(others)
                    );
                }
            }
            assert!(!keymap.keys(Command::Quit).is_empty());
            for spec in CONTROLS {
                let keys = keymap.control_keys(spec.scope, spec.control);
                assert!(!keys.is_empty(), "{name}: {} of {:?} has no key", spec.name, spec.scope);
            }
        }
    }

    #[test]
    fn keys_inside_dialogs_are_bound_by_scope() {
        let text = "extends: default\nask: {yes: j}\nlist: {close: x, down: [e]}\n";
        let keymap = parsed("own", text);
        let control = |scope, key: &str| keymap.control(scope, Key::parse(key).unwrap());
        assert_eq!(control(Scope::Ask, "j"), Some(Control::Yes));
        assert_eq!(control(Scope::Ask, "y"), None);
        assert_eq!(control(Scope::List, "x"), Some(Control::Leave));
        assert_eq!((control(Scope::List, "q"), control(Scope::List, "j")), (None, None));
        // A key that is taken leaves its other control, here and not in other scopes.
        assert_eq!(control(Scope::List, "e"), Some(Control::Down));
        assert_eq!(control(Scope::List, "enter"), Some(Control::Accept));
        assert_eq!(control(Scope::Form, "esc"), Some(Control::Leave));
        let bare = parsed("own", "keys: {quit: x}\n");
        assert!(bare.control(Scope::Ask, Key::parse("n").unwrap()).is_some());
        let error = fault("ask:\n  perhaps: p\n");
        assert_eq!(error.line, Some(2));
        assert!(error.text.contains("`perhaps`") && error.text.contains("yes, confirm, no"));
        assert!(fault("list: {up: 'g g'}\n").text.contains("is no key"));
    }

    #[test]
    fn a_file_s_faults_are_told_with_their_line() {
        let error = fault("extends: default\nkeys:\n  fly: [x]\n");
        assert_eq!(error.line, Some(3));
        assert!(error.text.contains("`fly` is no command") && error.text.contains("run-from-here"));
        let error = fault("keys:\n  run: hyper-x\n");
        assert_eq!(error.line, Some(2));
        assert!(error.text.contains("is no key"));
        assert!(fault("extends: nothing\n").text.contains("no keymap `nothing`"));
        assert!(fault("key: {}\n").text.contains("unknown field"));
    }

    #[test]
    fn all_mistakes_are_reported_and_the_rest_applies() {
        let text = "extends: default\nkeys:\n  run: [x]\n  quit: [x, Q]\n  edit-failure: g\n  last: ['g g']\n  \
                    fold: [y]\n  pin-run: [y]\n  flod: [z]\n  up: [hyper-u, u]\nask:\n  yes: [p]\n  no: [p]\n";
        let (keymap, mistakes) = Keymap::parse("own", text, &built_in).unwrap();
        let told: Vec<(Option<u32>, &str)> = mistakes
            .iter()
            .map(|mistake| (mistake.line, mistake.text.split(" There are").next().unwrap()))
            .collect();
        assert_eq!(
            told,
            [
                (Some(3), "`x` is given to `quit` (line 4) and to `run`, which has it."),
                (Some(6), "`g g` is given to `edit-failure` (line 5) and to `last`, which has it."),
                (Some(9), "`flod` is no command. Did you mean `fold`?"),
                (Some(10), "`hyper-u` is no key."),
                (Some(12), "`p` is given to `no` (line 13) and to `yes`, which has it."),
            ],
            "fold and pin-run are on different tabs"
        );
        assert_eq!(keymap.keys(Command::Quit), ["Q"]);
        assert_eq!(keymap.keys(Command::Up), ["u"]);
    }

    #[test]
    fn a_key_that_is_taken_moves_to_its_new_command() {
        let keymap = parsed("own", "extends: default\nkeys: {quit: r}\n");
        let key = [Key::parse("r").unwrap()];
        assert_eq!(keymap.lookup(Tab::Pipeline, &key), Match::Command(Command::Quit));
        assert_eq!(keymap.keys(Command::RunSelected), Vec::<String>::new());
    }
}
