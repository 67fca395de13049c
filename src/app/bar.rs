//! The keys on the bottom line: which commands they are, and where they lie. Drawing and the mouse both use this.

use super::command::{COMMANDS, Command};
use super::disabled::disabled_because;
use super::key::show;
use super::state::State;
use crate::text::width;

/// The commands that lead to all others. They come last, and their room is reserved.
const LAST: [(Command, &str); 3] =
    [(Command::Palette, "commands"), (Command::Help, "help"), (Command::Quit, "quit")];

/// The cells that [`LAST`] takes with short keys.
const ROOM_FOR_LAST: u16 = 24;

/// The cells between two keys.
const GAP: u16 = 2;

/// A key on the bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The first column.
    pub x: u16,
    /// The key as shown.
    pub key: String,
    /// What it does, in a word.
    pub word: &'static str,
    /// The command.
    pub command: Command,
}

impl Hint {
    /// The number of cells of key and word.
    pub fn width(&self) -> u16 {
        u16::try_from(width(&self.key) + 1 + width(self.word)).unwrap_or(u16::MAX)
    }
}

/// The keys of a sequence that has begun, as shown; empty without one.
pub fn pending(state: &State) -> String {
    match state.shared.pending.is_empty() {
        true => String::new(),
        false => show(&state.shared.pending),
    }
}

/// The useful keys that apply now, as far as there is room. None while a line is typed or a message is shown.
pub fn hints(state: &State) -> Vec<Hint> {
    let mut hints = Vec::new();
    if state.shared.prompt.is_some() || state.shared.notice.is_some() {
        return hints;
    }
    let mut right = state.shared.size.width.saturating_sub(1);
    let begun = u16::try_from(width(&pending(state)).min(12)).unwrap_or(0);
    if begun > 0 {
        right = right.saturating_sub(begun + 2);
    }
    let mut x = 1;
    let mut add = |x: &mut u16, command: Command, word: &'static str| {
        let Some(key) = state.shared.keymap.keys(command).into_iter().next() else { return };
        let hint = Hint { x: *x, key, word, command };
        if *x + hint.width() <= right {
            *x += hint.width() + GAP;
            hints.push(hint);
        }
    };
    let right_of_most = right.saturating_sub(ROOM_FOR_LAST);
    for spec in COMMANDS {
        let Some(word) = spec.bar else { continue };
        if LAST.iter().any(|(command, _)| *command == spec.command) {
            continue;
        }
        let fits = usize::from(right_of_most.saturating_sub(x)) > width(word) + 6;
        if fits && spec.on(state.tab) && disabled_because(state, spec.command).is_none() {
            add(&mut x, spec.command, word);
        }
    }
    for (command, word) in LAST {
        add(&mut x, command, word);
    }
    hints
}
