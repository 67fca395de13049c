//! Keys in the notation of keymaps: `r`, `ctrl-d`, `alt-x`, `shift-tab`, `space`, `f5`. Keys with
//! spaces between them are pressed one after the other.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::text::UserError;

/// A key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Names of keys that are not characters.
const NAMES: [(&str, KeyCode); 16] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

impl Key {
    /// Parses one key.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Key, UserError> {
        let mut rest = text;
        let mut modifiers = KeyModifiers::NONE;
        loop {
            let (prefix, modifier) = match rest {
                _ if rest.starts_with("ctrl-") => ("ctrl-", KeyModifiers::CONTROL),
                _ if rest.starts_with("alt-") => ("alt-", KeyModifiers::ALT),
                _ if rest.starts_with("shift-") => ("shift-", KeyModifiers::SHIFT),
                _ => break,
            };
            modifiers |= modifier;
            rest = &rest[prefix.len()..];
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.as_str()) {
            (Some(c), "") => KeyCode::Char(c),
            (Some('f'), number) if number.parse::<u8>().is_ok_and(|n| (1..=24).contains(&n)) => {
                KeyCode::F(number.parse().unwrap_or(1))
            }
            _ => match NAMES.iter().find(|(name, _)| *name == rest) {
                Some((_, code)) => *code,
                None => {
                    let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
                    return Err(UserError::hinted(
                        format!("`{text}` is no key"),
                        format!(
                            "There are single characters, f1 to f24, and {}, each with ctrl-, alt- or shift- before it.",
                            names.join(", ")
                        ),
                    ));
                }
            },
        };
        Ok(Key::new(code, modifiers))
    }

    /// Parses keys that are pressed one after the other.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn sequence(text: &str) -> Result<Vec<Key>, UserError> {
        let keys: Vec<Key> = text.split_whitespace().map(Key::parse).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err("a key is missing".into()) } else { Ok(keys) }
    }

    /// Terminals report the same key in several ways, for example `R` with or without shift. This is the one form.
    fn new(code: KeyCode, mut modifiers: KeyModifiers) -> Key {
        modifiers &= KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        let code = match code {
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => {
                KeyCode::Char(c.to_ascii_lowercase())
            }
            code => code,
        };
        if matches!(code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers -= KeyModifiers::SHIFT;
        }
        Key { code, modifiers }
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        Key::new(event.code, event.modifiers)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in [
            (KeyModifiers::CONTROL, "ctrl-"),
            (KeyModifiers::ALT, "alt-"),
            (KeyModifiers::SHIFT, "shift-"),
        ] {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        match self.code {
            KeyCode::BackTab => f.write_str("shift-tab"),
            KeyCode::F(number) => write!(f, "f{number}"),
            code => match (NAMES.iter().find(|(_, other)| *other == code), code) {
                (Some((name, _)), _) => f.write_str(name),
                (None, KeyCode::Char(c)) => write!(f, "{c}"),
                (None, _) => f.write_str("?"),
            },
        }
    }
}

/// The notation of several keys, with spaces between them.
pub fn show(keys: &[Key]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_parsed() {
        for text in
            ["r", "R", "?", "ctrl-d", "alt-x", "shift-tab", "space", "f5", "g g", "ctrl-x ctrl-c"]
        {
            assert_eq!(show(&Key::sequence(text).unwrap()), text);
        }
    }

    #[test]
    fn a_terminal_s_ways_of_sending_a_key_are_one() {
        let shifted = KeyEvent::new(KeyCode::Char('R'), KeyModifiers::SHIFT);
        assert_eq!(Key::from(shifted), Key::parse("R").unwrap());
        let back = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(Key::from(back), Key::parse("shift-tab").unwrap());
    }

    #[test]
    fn a_wrong_key_is_told_with_the_right_ones() {
        let error = Key::parse("control-x").unwrap_err().line();
        assert!(error.contains("pagedown") && error.contains("ctrl-"), "{error}");
        assert!(Key::sequence(" ").is_err());
    }
}
