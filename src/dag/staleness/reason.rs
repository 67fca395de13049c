//! Why a node is stale.

use std::fmt;

use serde::Serialize;

use super::Fact;

/// One thing that is not as it was when the node last ran. The order is that of how much it tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// Something known before the run.
    Changed {
        /// What.
        what: Fact,
        /// What it was; `None` where it was not there.
        from: Option<String>,
        /// What it is; `None` where it is gone.
        to: Option<String>,
    },
    /// What a dataset holds.
    InputChanged {
        /// Its name.
        dataset: String,
    },
    /// A dataset is not there, and no node makes it.
    InputMissing {
        /// Its name.
        dataset: String,
    },
    /// What it saved is not there any more.
    OutputMissing {
        /// Its name.
        dataset: String,
    },
    /// What it saved was written by something else since.
    OutputChanged {
        /// Its name.
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
                // Hashes and long texts say nothing to a person.
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

/// A dotted name with its module, and without the packages around that.
fn short(name: &str) -> &str {
    // The name of a statement may have dots of its own.
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
