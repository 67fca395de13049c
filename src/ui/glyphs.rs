//! The glyphs: one set of Unicode, one of plain ASCII.

use super::theme::Role;
use crate::dag::layout::{DOWN, LEFT, RIGHT, UP};
use crate::dag::view::NodeStatus;
use crate::store::Outcome;

/// A set of glyphs, each one cell wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Glyphs {
    pub done: &'static str,
    pub running: &'static str,
    pub failed: &'static str,
    pub waiting: &'static str,
    pub stopped: &'static str,
    /// Out of date (stale).
    pub stale: &'static str,
    /// Status not known.
    pub unknown: &'static str,
    pub node: &'static str,
    pub dataset: &'static str,
    pub memory: &'static str,
    pub parameters: &'static str,
    pub pattern: &'static str,
    pub mark: &'static str,
    pub open: &'static str,
    pub closed: &'static str,
    pub head_down: &'static str,
    pub head_right: &'static str,
    pub head_up: &'static str,
    pub head_left: &'static str,
    /// A crossing of lines of different sources; the horizontal one is interrupted.
    pub crossing: &'static str,
    pub error: &'static str,
    pub warning: &'static str,
    pub info: &'static str,
    pub ellipsis: &'static str,
    pub dot: &'static str,
    pub live: &'static str,
    pub selected: &'static str,
    pub best: &'static str,
    /// A reference to a vertex elsewhere in the list, and one from there.
    pub onward: &'static str,
    pub backward: &'static str,
    /// Bars of the timeline: on the critical path, off it, and expected time.
    pub bars: [&'static str; 3],
    /// Horizontal, vertical, and the corners of boxes: upper left, upper right, lower left, lower right.
    pub lines: [&'static str; 6],
    /// The same for frames around namespaces.
    pub frame: [&'static str; 6],
    /// Junctions of a rule with a vertical line below it, and above it.
    pub tees: [&'static str; 2],
    joins: [&'static str; 16],
}

const UNICODE: Glyphs = Glyphs {
    done: "✓",
    running: "●",
    failed: "✗",
    waiting: "○",
    stopped: "◌",
    stale: "◐",
    unknown: "?",
    node: "ƒ",
    dataset: "▤",
    memory: "▫",
    parameters: "◇",
    pattern: "∗",
    mark: "◆",
    open: "▾",
    closed: "▸",
    head_down: "▼",
    head_right: "▶",
    head_up: "▲",
    head_left: "◀",
    crossing: "│",
    error: "✗",
    warning: "▲",
    info: "·",
    ellipsis: "…",
    dot: "·",
    live: "●",
    selected: "▌",
    best: "★",
    onward: "→",
    backward: "←",
    bars: ["█", "▒", "·"],
    lines: ["─", "│", "╭", "╮", "╰", "╯"],
    frame: ["┄", "┆", "┌", "┐", "└", "┘"],
    tees: ["┬", "┴"],
    joins: [" ", "│", "│", "│", "─", "╯", "╮", "┤", "─", "╰", "╭", "├", "─", "┴", "┬", "┼"],
};

const ASCII: Glyphs = Glyphs {
    done: "+",
    running: "*",
    failed: "x",
    waiting: "o",
    stopped: "-",
    stale: "s",
    unknown: "?",
    node: "f",
    dataset: "#",
    memory: "~",
    parameters: "%",
    pattern: "*",
    mark: ">",
    open: "v",
    closed: ">",
    head_down: "v",
    head_right: ">",
    head_up: "^",
    head_left: "<",
    crossing: "|",
    error: "x",
    warning: "!",
    info: "-",
    ellipsis: "~",
    dot: "-",
    live: "*",
    selected: ">",
    best: "*",
    onward: ">",
    backward: "<",
    bars: ["#", "=", "."],
    lines: ["-", "|", "+", "+", "+", "+"],
    frame: [".", ":", ".", ".", ":", ":"],
    tees: ["+", "+"],
    joins: [" ", "|", "|", "|", "-", "+", "+", "+", "-", "+", "+", "+", "-", "+", "+", "+"],
};

impl Glyphs {
    /// The set of glyphs for a terminal.
    pub fn of(ascii: bool) -> &'static Glyphs {
        if ascii { &ASCII } else { &UNICODE }
    }

    /// The glyph of lines that leave a cell in these directions.
    pub fn join(&self, ways: u8) -> &'static str {
        self.joins[usize::from(ways & (UP | DOWN | LEFT | RIGHT))]
    }

    /// The glyph and the role of a status.
    pub fn of_state(&self, state: NodeStatus) -> (&'static str, Role) {
        match state {
            NodeStatus::Fresh | NodeStatus::Done => (self.done, Role::Good),
            NodeStatus::NeverRun => (self.node, Role::Node),
            NodeStatus::Unknown => (self.unknown, Role::Dim),
            NodeStatus::StaleThrough => (self.stale, Role::Dim),
            NodeStatus::Stale => (self.stale, Role::Stale),
            NodeStatus::Waiting => (self.waiting, Role::Dim),
            NodeStatus::Stopped => (self.stopped, Role::Warning),
            NodeStatus::Running => (self.running, Role::Running),
            NodeStatus::Failed => (self.failed, Role::Bad),
        }
    }

    /// The glyph of how a run ended, or that it goes on, and its role.
    pub fn of_outcome(&self, outcome: Outcome) -> (&'static str, Role) {
        match outcome {
            Outcome::Running => (self.running, Role::Running),
            Outcome::Succeeded => (self.done, Role::Good),
            Outcome::Failed | Outcome::Lost => (self.failed, Role::Bad),
            Outcome::Cancelled => (self.stopped, Role::Warning),
        }
    }

    /// The arrow head in this direction.
    pub fn head(&self, way: u8) -> &'static str {
        match way {
            UP => self.head_up,
            DOWN => self.head_down,
            LEFT => self.head_left,
            _ => self.head_right,
        }
    }

    /// Whether it is the set of plain ASCII.
    pub fn ascii(&self) -> bool {
        self.lines[0] == "-"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::width;

    #[test]
    fn every_sign_is_one_cell_and_plain_ones_are_ascii() {
        for (set, plain) in [(UNICODE, false), (ASCII, true)] {
            let signs = format!("{set:?}");
            assert_eq!(signs.is_ascii(), plain);
            for sign in set
                .joins
                .iter()
                .chain(&set.lines)
                .chain(&set.frame)
                .chain(&set.tees)
                .chain(&set.bars)
            {
                assert_eq!(width(sign), 1);
            }
        }
        assert_eq!(UNICODE.join(UP | RIGHT), "╰");
        assert_eq!(UNICODE.join(DOWN | LEFT | RIGHT), "┬");
    }
}
