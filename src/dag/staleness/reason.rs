//! Reasons why a node is stale.

use std::fmt;

use serde::Serialize;

use super::Fact;

/// A difference to the node's last run. Variants are ordered from most to least informative.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// A fact has changed.
    Changed {
        /// Key of the fact.
        what: Fact,
        /// The old value; `None` if the fact is new.
        from: Option<String>,
        /// The new value; `None` if the fact was removed.
        to: Option<String>,
    },
    /// The content of an input has changed.
    InputChanged {
        /// Name of the dataset.
        dataset: String,
    },
    /// An input does not exist, and no node makes it.
    InputMissing {
        /// Name of the dataset.
        dataset: String,
    },
    /// An output does not exist any more.
    OutputMissing {
        /// Name of the dataset.
        dataset: String,
    },
    /// An output was overwritten by something else.
    OutputChanged {
        /// Name of the dataset.
        dataset: String,
    },
}

/// Longer values are cut in the text.
const LONGEST: usize = 40;

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::InputChanged { dataset: name } => write!(f, "{name} changed"),
            Reason::InputMissing { dataset: name } => write!(f, "{name} is missing"),
            Reason::OutputMissing { dataset: name } => write!(f, "its output {name} is missing"),
            Reason::OutputChanged { dataset: name } => {
                write!(f, "its output {name} has changed since the run saved it")
            }
            Reason::Changed { what, from, to } => {
                let how = match (from, to) {
                    (None, _) => "added",
                    (_, None) => "removed",
                    _ => "changed",
                };
                // Hashes and long texts are not informative.
                let values = || match (from, to) {
                    (Some(from), Some(to)) => format!(": {} → {}", cut(from), cut(to)),
                    (None, Some(to)) => format!(": {}", cut(to)),
                    _ => String::new(),
                };
                match what {
                    Fact::Code(name) => write!(f, "code {how}: {}", short(name)),
                    Fact::Function => write!(f, "function{}", values()),
                    Fact::Bound(name) => write!(f, "{name} of the function {how}{}", values()),
                    Fact::Takes => write!(f, "inputs{}", values()),
                    Fact::Gives => write!(f, "outputs{}", values()),
                    Fact::Parameter(key) => write!(f, "parameter {key} {how}{}", values()),
                    Fact::Dataset(name, key) => {
                        write!(f, "dataset {name}, {key} {how}{}", values())
                    }
                    Fact::Package(name) => write!(f, "package {name} {how}{}", values()),
                    Fact::Python => write!(f, "Python{}", values()),
                }
            }
        }
    }
}

/// Shortens a definition's dotted name to the module and the name in it.
pub fn short(name: &str) -> &str {
    // The name of a statement may contain dots itself.
    let head = name.find([':', ' ']).unwrap_or(name.len());
    match name[..head].rmatch_indices('.').nth(1) {
        Some((dot, _)) => &name[dot + 1..],
        None => name,
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
