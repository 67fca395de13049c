//! Which keys ask for which commands: the default keys of the table, and keymap files over them.
//!
//! A keymap file is YAML: `extends: default` (or another keymap, or nothing), and `keys`, from
//! command names to a key or a list of keys. A command that is named loses its keys of the keymap
//! below; an empty list takes all keys away.

use std::collections::HashMap;

use serde::Deserialize;

use super::command::{COMMANDS, Command};
use super::key::{Key, show};
use super::tab::Tab;

/// The keymaps that come with the program, by name.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("default", include_str!("../../keymaps/default.yaml")),
    ("vim", include_str!("../../keymaps/vim.yaml")),
    ("emacs", include_str!("../../keymaps/emacs.yaml")),
];

/// Keys and commands, both ways.
#[derive(Debug, Clone, PartialEq)]
pub struct Keymap {
    /// Its name.
    pub name: String,
    bindings: Vec<(Vec<Key>, Command)>,
}

/// What the keys pressed so far come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// This command.
    Command(Command),
    /// The beginning of something longer.
    Begun,
    /// Nothing.
    Nothing,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    extends: Option<String>,
    #[serde(default)]
    keys: HashMap<String, Keys>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Keys {
    One(String),
    Several(Vec<String>),
}

/// What is wrong with a keymap or theme file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// Line, from 1, where it is known.
    pub line: Option<u32>,
    /// What is wrong, a sentence.
    pub text: String,
}

impl FileError {
    /// An error at the first line of `file` that holds `word`.
    pub fn at(file: &str, word: &str, text: impl Into<String>) -> Self {
        let line = file.lines().position(|line| line.contains(word));
        let line = line.and_then(|index| u32::try_from(index + 1).ok());
        FileError { line, text: text.into() }
    }

    /// An error of the YAML parser.
    pub fn yaml(error: &serde_yaml::Error) -> Self {
        let line = error.location().and_then(|at| u32::try_from(at.line()).ok());
        FileError { line, text: format!("{error}.") }
    }
}

impl Default for Keymap {
    fn default() -> Self {
        let bindings = COMMANDS
            .iter()
            .flat_map(|spec| spec.keys.iter().map(|keys| (keys, spec.command)))
            .filter_map(|(keys, command)| Some((Key::sequence(keys).ok()?, command)))
            .collect();
        Keymap { name: "default".into(), bindings }
    }
}

impl Keymap {
    /// Parses the keymap file `text`; `find` gives the text of the keymap that it extends.
    ///
    /// # Errors
    /// When the file is no keymap; the error names the line and what is allowed.
    pub fn parse(
        name: &str,
        text: &str,
        find: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Keymap, FileError> {
        Self::layered(name, text, find, 0)
    }

    fn layered(
        name: &str,
        text: &str,
        find: &dyn Fn(&str) -> Option<String>,
        depth: usize,
    ) -> Result<Keymap, FileError> {
        let file: File = serde_yaml::from_str(text).map_err(|error| FileError::yaml(&error))?;
        let mut keymap = match file.extends.as_deref() {
            None => Keymap { name: String::new(), bindings: Vec::new() },
            Some("default") => Keymap::default(),
            Some(_) if depth > 8 => {
                let text = "The keymaps extend each other in a circle.";
                return Err(FileError::at(text, "extends", text));
            }
            Some(below) => match find(below) {
                Some(other) => Self::layered(below, &other, find, depth + 1)?,
                None => {
                    let message = format!("There is no keymap `{below}` to extend.");
                    return Err(FileError::at(text, "extends", message));
                }
            },
        };
        keymap.name = name.into();
        let mut commands: Vec<_> = file.keys.into_iter().collect();
        commands.sort_by(|a, b| a.0.cmp(&b.0));
        for (command, keys) in commands {
            let Some(known) = Command::named(&command) else {
                let names: Vec<&str> = COMMANDS.iter().map(|spec| spec.name).collect();
                let message =
                    format!("`{command}` is no command; there are: {}.", names.join(", "));
                return Err(FileError::at(text, &command, message));
            };
            let keys = match keys {
                Keys::One(keys) => vec![keys],
                Keys::Several(keys) => keys,
            };
            keymap.bindings.retain(|(_, other)| *other != known);
            for keys in keys {
                let sequence = Key::sequence(&keys)
                    .map_err(|error| FileError::at(text, &command, format!("{error}.")))?;
                // Elsewhere the key may mean something else, so only a clash on a tab counts.
                keymap
                    .bindings
                    .retain(|(other, command)| *other != sequence || !meet(*command, known));
                keymap.bindings.push((sequence, known));
            }
        }
        Ok(keymap)
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
        out
    }
}

fn meet(a: Command, b: Command) -> bool {
    let (a, b) = (a.spec().tabs, b.spec().tabs);
    a.is_empty() || b.is_empty() || a.iter().any(|tab| b.contains(tab))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in(name: &str) -> Option<String> {
        let found = BUILT_IN.iter().find(|(other, _)| *other == name);
        found.map(|(_, text)| (*text).to_owned())
    }

    #[test]
    fn the_default_keymap_file_is_made_from_the_table() {
        let written = Keymap::parse("default", &built_in("default").unwrap(), &built_in).unwrap();
        for spec in COMMANDS {
            assert_eq!(written.keys(spec.command), Keymap::default().keys(spec.command));
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
            let keymap = Keymap::parse(name, text, &built_in).unwrap();
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
        }
    }

    #[test]
    fn a_file_s_faults_are_told_with_their_line() {
        let fault = |text: &str| Keymap::parse("own", text, &built_in).unwrap_err();
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
    fn a_key_that_is_taken_moves_to_its_new_command() {
        let keymap =
            Keymap::parse("own", "extends: default\nkeys: {quit: r}\n", &built_in).unwrap();
        let key = [Key::parse("r").unwrap()];
        assert_eq!(keymap.lookup(Tab::Pipeline, &key), Match::Command(Command::Quit));
        assert_eq!(keymap.keys(Command::RunSelected), Vec::<String>::new());
    }
}
