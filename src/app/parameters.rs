//! The rows of the parameters screen: the tree of values, open groups unfolded.

use std::collections::HashSet;

use crate::project::{Located, Snapshot, Value, json};

/// A row of the parameters screen.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterRow {
    /// The whole key with dots, as `params:` has it.
    pub path: String,
    /// Its last part.
    pub key: String,
    /// How deep it is, from 0.
    pub depth: usize,
    /// The value as one line; for a group, how many it holds.
    pub value: String,
    /// Whether it is a group, and open.
    pub group: Option<bool>,
}

/// The rows.
pub fn rows(snapshot: &Snapshot, closed: &HashSet<String>) -> Vec<ParameterRow> {
    let mut rows = Vec::new();
    if let Some(map) = snapshot.parameters.value.as_map() {
        for (key, located) in map {
            push(&mut rows, key.clone(), key, located, 0, closed);
        }
    }
    rows
}

fn push(
    rows: &mut Vec<ParameterRow>,
    path: String,
    key: &str,
    located: &Located,
    depth: usize,
    closed: &HashSet<String>,
) {
    let children = located.value.as_map().filter(|map| !map.is_empty());
    let open = !closed.contains(&path);
    rows.push(ParameterRow {
        path: path.clone(),
        key: key.to_owned(),
        depth,
        value: match children {
            Some(map) => match map.len() {
                1 => "1 value".into(),
                count => format!("{count} values"),
            },
            None => one_line(&located.value),
        },
        group: children.map(|_| open),
    });
    for (key, located) in children.into_iter().flatten().filter(|_| open) {
        push(rows, format!("{path}.{key}"), key, located, depth + 1, closed);
    }
}

/// A value on one line, as JSON writes it; texts without quotation marks.
pub fn one_line(value: &Value) -> String {
    match value {
        Value::Str(text) => text.clone(),
        Value::Secret(secret) => secret.part().unwrap_or("(secret)").to_owned(),
        Value::Unknown(text) => format!("{text}  (not known)"),
        other => json::value_to_json(other).to_string(),
    }
}

/// The value at a dotted key, `a.b.c`; keys with dots of their own are found too.
pub fn find<'a>(parameters: &'a Located, path: &str) -> Option<&'a Located> {
    if let Some(found) = parameters.value.get(path) {
        return Some(found);
    }
    for (index, _) in path.match_indices('.') {
        let (first, rest) = (&path[..index], &path[index + 1..]);
        if let Some(inner) = parameters.value.get(first)
            && let Some(found) = find(inner, rest)
        {
            return Some(found);
        }
    }
    None
}
