//! The signs that are drawn: one set for terminals that show Unicode, one for those that do not.

use super::theme::Role;
use crate::dag::layout::{DOWN, LEFT, RIGHT, UP};
use crate::dag::view::NodeStatus;

/// A set of signs, each one cell wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Glyphs {
    pub done: &'static str,
    pub running: &'static str,
    pub failed: &'static str,
    pub waiting: &'static str,
    pub stopped: &'static str,
    /// Out of date.
    pub stale: &'static str,
    /// Not known.
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
    /// Where lines of different sources cross: the one that runs across is broken.
    pub crossing: &'static str,
    pub error: &'static str,
    pub warning: &'static str,
    pub info: &'static str,
    pub ellipsis: &'static str,
    pub dot: &'static str,
    pub live: &'static str,
    pub selected: &'static str,
    /// To something that is elsewhere, and from it.
    pub onward: &'static str,
    pub backward: &'static str,
    /// A bar of what took time: on the critical path, beside it, and what is expected.
    pub bars: [&'static str; 3],
    /// Horizontal, vertical, and the corners of boxes: upper left, upper right, lower left, lower right.
    pub lines: [&'static str; 6],
    /// The same of frames around groups of boxes.
    pub frame: [&'static str; 6],
    /// Where a vertical line begins under a rule, and where one crosses it from below.
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
    onward: ">",
    backward: "<",
    bars: ["#", "=", "."],
    lines: ["-", "|", "+", "+", "+", "+"],
    frame: [".", ":", ".", ".", ":", ":"],
    tees: ["+", "+"],
    joins: [" ", "|", "|", "|", "-", "+", "+", "+", "-", "+", "+", "+", "-", "+", "+", "+"],
};

impl Glyphs {
    /// The set.
    pub fn of(ascii: bool) -> &'static Glyphs {
        if ascii { &ASCII } else { &UNICODE }
    }

    /// The sign for lines that leave a cell these ways.
    pub fn join(&self, ways: u8) -> &'static str {
        self.joins[usize::from(ways & (UP | DOWN | LEFT | RIGHT))]
    }

    /// The sign of how something stands, and its role.
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

    /// The head of a line that leads this way.
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
