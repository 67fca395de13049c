//! The facts of a node: everything known before a run that its results depend on.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::reason::Reason;
use crate::project::json::kept_json;
use crate::project::{Bound, Node, Snapshot, Value};
use crate::text::secrets::{HIDDEN, Key, changed, names_secret, redact_with, without_marks};

/// The key of a fact that a node's results depend on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// A definition in the project's code that the node uses; the value is a hash.
    Code(String),
    /// A leaf of a parameter, by its dotted key; the value is JSON.
    Parameter(String),
    /// The node's function.
    Function,
    /// An argument that is bound to the function, as with `functools.partial`.
    Bound(String),
    /// How inputs are passed to the function.
    Takes,
    /// How the function's results become outputs.
    Gives,
    /// A leaf of a dataset's definition, by name and dotted key; the value is JSON.
    Dataset(String, String),
    /// The version of an installed package that the code imports.
    Package(String),
    /// The version of Python.
    Python,
}

/// The facts of a node with their values, sorted by key, without duplicates.
pub type Facts = Vec<(Fact, String)>;

/// Longer values are replaced by their hash.
const LONGEST: usize = 400;

/// The facts that `node` would run with, and sentences about what is not known. `packages` are versions by
/// import name; secrets are replaced by marks made with the store's `key`.
pub fn facts(
    snapshot: &Snapshot,
    node: &Node,
    python: Option<&str>,
    packages: &BTreeMap<String, String>,
    key: Option<&Key>,
) -> (Facts, Vec<String>) {
    let mut facts = Facts::new();
    let mut unknown = Vec::new();
    code(snapshot, node, packages, &mut facts, &mut unknown);
    for (fact, text) in &mut facts {
        if let Fact::Bound(name) = fact {
            *text = bound(name, text, key);
        }
    }
    for input in &node.inputs {
        if input == "parameters" {
            leaves("", &snapshot.parameters.value, key, &mut |key, value| {
                facts.push((Fact::Parameter(key.to_owned()), value));
            });
        } else if let Some(name) = input.strip_prefix("params:") {
            let value =
                name.split('.').try_fold(&snapshot.parameters, |at, part| at.value.get(part));
            // Kedro refuses to run a node whose parameter has no value.
            let Some(value) = value else { continue };
            leaves(name, &value.value, key, &mut |key, value| {
                facts.push((Fact::Parameter(key.to_owned()), value));
            });
        }
    }
    let datasets: BTreeSet<&String> = node.inputs.iter().chain(&node.outputs).collect();
    for dataset in datasets.into_iter().filter_map(|name| snapshot.datasets.get(name)) {
        let Value::Map(definition) = &dataset.definition.value else { continue };
        // `metadata` and `layer` do not change what is loaded or saved.
        for (name, value) in
            definition.iter().filter(|(name, _)| !matches!(name.as_str(), "metadata" | "layer"))
        {
            leaves(name, &value.value, key, &mut |key, value| {
                facts.push((Fact::Dataset(dataset.name.clone(), key.to_owned()), value));
            });
        }
    }
    if let Some(python) = python {
        facts.push((Fact::Python, python.to_owned()));
    }
    facts.sort();
    facts.dedup_by(|a, b| a.0 == b.0);
    (facts, unknown)
}

fn code(
    snapshot: &Snapshot,
    node: &Node,
    packages: &BTreeMap<String, String>,
    facts: &mut Facts,
    unknown: &mut Vec<String>,
) {
    match &node.callable {
        Some(callable) => {
            facts.push((Fact::Function, callable.name.clone()));
            facts.push((Fact::Takes, callable.takes.clone()));
            facts.push((Fact::Gives, callable.gives.clone()));
            for (name, bound) in &callable.bound {
                match bound {
                    Bound::Known(text) => facts.push((Fact::Bound(name.clone()), text.clone())),
                    Bound::Unknown { reason, place } => unknown.push(format!(
                        "{name} of the function can't be told, because {reason} ({place})"
                    )),
                }
            }
        }
        None => {
            facts.push((Fact::Function, node.func_name.clone()));
            facts.push((Fact::Takes, format!("[{}]", node.inputs.join(", "))));
            facts.push((Fact::Gives, format!("[{}]", node.outputs.join(", "))));
        }
    }
    let Some(reach) = &node.reach else {
        unknown.push("its code can't be told without running it".into());
        return;
    };
    for definition in snapshot.code.reached(reach) {
        facts.push((Fact::Code(definition.name.clone()), format!("{:032x}", definition.hash)));
    }
    for unseen in &reach.unknown {
        unknown.push(format!("{} ({})", unseen.reason, unseen.place));
    }
    for package in &reach.packages {
        if let Some(version) = packages.get(&**package) {
            facts.push((Fact::Package(package.to_string()), version.clone()));
        }
    }
}

/// The text of a bound argument; secrets are replaced by marks.
fn bound(name: &str, text: &str, key: Option<&Key>) -> String {
    let mark = |secret: &str| key.map_or(HIDDEN.into(), |key| key.mark_of(secret));
    match names_secret(name) {
        true => mark(text),
        false => redact_with(text, &mark),
    }
}

/// Calls `take` with the dotted name and the JSON of every leaf. Lists and empty mappings are leaves.
fn leaves(name: &str, value: &Value, key: Option<&Key>, take: &mut impl FnMut(&str, String)) {
    match value {
        Value::Map(map) if !map.is_empty() => {
            for (inner, value) in map {
                let name = if name.is_empty() { inner.clone() } else { format!("{name}.{inner}") };
                leaves(&name, &value.value, key, take);
            }
        }
        // Text that parses as another JSON value keeps its quotes, to be different from that value.
        Value::Str(text) if serde_json::from_str::<IgnoredAny>(text).is_err() => {
            take(name, shortened(text.clone()));
        }
        value => take(name, shortened(kept_json(value, key).to_string())),
    }
}

fn shortened(text: String) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    let begin: String = text.chars().take(LONGEST / 8).collect();
    format!("{begin}… ({})", &blake3::hash(text.as_bytes()).to_hex()[..16])
}

/// The differences between old and new facts. Packages and Python are compared only where both are known: a
/// project can be opened without an interpreter.
pub fn changes(was: &Facts, is: &Facts) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let (mut left, mut right) = (was.iter().peekable(), is.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return reasons,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        let from = (order != Ordering::Greater).then(|| left.next()).flatten();
        let to = (order != Ordering::Less).then(|| right.next()).flatten();
        let Some((what, _)) = from.or(to) else { return reasons };
        let lone = from.is_none() || to.is_none();
        if lone && matches!(what, Fact::Package(_) | Fact::Python) {
            continue;
        }
        let text = |side: Option<&(Fact, String)>| side.map(|(_, text)| text.clone());
        if lone || from.map(|fact| &fact.1) != to.map(|fact| &fact.1) {
            let (from, to) = match (text(from), text(to)) {
                (Some(from), Some(to)) => {
                    let (from, to) = changed(&from, &to);
                    (Some(from), Some(to))
                }
                (from, to) => {
                    (from.as_deref().map(without_marks), to.as_deref().map(without_marks))
                }
            };
            reasons.push(Reason::Changed { what: what.clone(), from, to });
        }
    }
}
