//! The filter language of all screens: `is:failed -tag:slow took>1s "plain words"`.
//!
//! [`parse`] turns a text into a [`Filter`] with the help of a table of [`Key`]s; each screen has a table of its own.
//! A [`Row`] answers the questions of a filter. [`complete`] lists what can be typed next. The module does not know
//! what the keys mean.

mod complete;
mod duration;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

pub use complete::{Candidate, Completion, before_last, complete, settled};
pub use duration::parse_duration;
pub use parse::{FilterError, parse};

use super::UserError;

/// A key of a screen's filter language.
#[derive(Debug)]
pub struct Key {
    /// The key as it is completed and written.
    pub name: &'static str,
    /// Other spellings that are understood.
    pub aliases: &'static [&'static str],
    /// What follows the key.
    pub kind: Kind,
    /// What the key selects, in a few words.
    pub help: &'static str,
}

/// What follows a key.
#[derive(Debug)]
pub enum Kind {
    /// `key:value` with one of these values.
    Values(&'static [Value]),
    /// `key:value` with any value.
    Text,
    /// `key:value` with a value that the function accepts. The text is an example.
    Checked(&'static str, fn(&str) -> Result<(), UserError>),
    /// `key>1s`, compared with a duration.
    Duration,
    /// `key>3`, compared with a number.
    Number,
}

/// A value of a key.
#[derive(Debug)]
pub struct Value {
    /// The value as it is completed and written.
    pub name: &'static str,
    /// Another spelling that is understood; empty if there is none.
    pub alias: &'static str,
    /// What the value selects, in a few words.
    pub help: &'static str,
}

/// A value without another spelling.
pub const fn value(name: &'static str, help: &'static str) -> Value {
    Value { name, alias: "", help }
}

/// A key without another spelling.
pub const fn key(name: &'static str, kind: Kind, help: &'static str) -> Key {
    Key { name, aliases: &[], kind, help }
}

/// A parsed filter: terms that must all match.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// The terms in the order of the text.
    pub terms: Vec<Term>,
}

/// A part of a filter, such as `-tag:slow`.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Where the term stands in the text, in characters.
    pub span: Range<usize>,
    /// Whether rows that match are left out.
    pub negated: bool,
    /// What is asked of a row.
    pub test: Test,
}

/// What a term asks of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// The text of the row contains this, ignoring case.
    Word(String),
    /// The key has one of these values.
    Is(&'static str, Vec<String>),
    /// The key compares so with a number, which has this unit. Durations are in seconds.
    Compare(&'static str, Op, f64, &'static str),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Op {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Op {
    /// The operator as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Op::Less => "<",
            Op::LessOrEqual => "<=",
            Op::Greater => ">",
            Op::GreaterOrEqual => ">=",
        }
    }

    /// Whether the comparison holds.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Op::Less => left < right,
            Op::LessOrEqual => left <= right,
            Op::Greater => left > right,
            Op::GreaterOrEqual => left >= right,
        }
    }
}

/// A row that can be filtered.
pub trait Row {
    /// Whether the text of the row contains a word, which is in lower case.
    fn contains(&self, word: &str) -> bool;

    /// Whether the key has the value. Values of [`Kind::Values`] are those of the table.
    fn is(&self, key: &str, value: &str) -> bool;

    /// The number of a key; `None` if the row has none, which matches no comparison.
    fn number(&self, _key: &str) -> Option<f64> {
        None
    }
}

impl Filter {
    /// Whether the filter matches every row.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a row matches.
    pub fn matches(&self, row: &impl Row) -> bool {
        self.terms.iter().all(|term| term.matches(row))
    }

    /// Whether a term asks for one of these keys.
    pub fn asks(&self, keys: &[&str]) -> bool {
        self.terms.iter().any(|term| term.test.key().is_some_and(|key| keys.contains(&key)))
    }
}

impl Term {
    /// Whether a row matches.
    pub fn matches(&self, row: &impl Row) -> bool {
        let matches = match &self.test {
            Test::Word(word) => row.contains(&word.to_lowercase()),
            Test::Is(key, values) => values.iter().any(|value| row.is(key, value)),
            Test::Compare(key, op, number, _) => {
                row.number(key).is_some_and(|left| op.holds(left, *number))
            }
        };
        matches != self.negated
    }
}

impl Test {
    /// The key of the test; `None` for a word.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Test::Word(_) => None,
            Test::Is(key, _) | Test::Compare(key, ..) => Some(key),
        }
    }
}

/// A text as it is written in a filter, in quotes if it needs them.
fn quoted(text: &str) -> String {
    let needs = |c: char| c.is_whitespace() || matches!(c, ':' | '<' | '>' | ',');
    match text.is_empty() || text.starts_with(['-', '!']) || text.contains(needs) {
        true => format!("\"{text}\""),
        false => text.to_owned(),
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " " })?;
            f.write_str(if term.negated { "-" } else { "" })?;
            match &term.test {
                Test::Word(word) => f.write_str(&quoted(word))?,
                Test::Is(key, values) => {
                    let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
                    write!(f, "{key}:{}", values.join(","))?;
                }
                Test::Compare(key, op, number, unit) => {
                    write!(f, "{key}{}{number}{unit}", op.as_str())?;
                }
            }
        }
        Ok(())
    }
}
