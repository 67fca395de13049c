//! The filter of the parameters.

use std::collections::BTreeSet;

use crate::app::screens::entry::{one_line, origins, reads};
use crate::app::shared::Shared;
use crate::project::{Located, Node, Snapshot, Value, is_parameter};
use crate::text::filter::{self, Filter, Key, Kind, Row, key, value};

/// The keys for parameters.
pub const KEYS: &[Key] = &[
    key(
        "is",
        Kind::Values(&[
            value("overridden", "overridden for the next runs"),
            value("unused", "no known node reads it"),
            value("secret", "not shown"),
        ]),
        "state of the parameter",
    ),
    key("in", Kind::Text, "defined in the environment or file"),
    key("node", Kind::Text, "parameters that the node reads"),
    key(
        "type",
        Kind::Values(&[
            value("number", "integers and floats"),
            filter::Value { name: "text", alias: "str", help: "texts" },
            filter::Value { name: "boolean", alias: "bool", help: "true or false" },
            value("list", "lists"),
            value("mapping", "empty mappings"),
            value("null", "without a value"),
        ]),
        "type of the value",
    ),
];

/// What the terms of a filter ask of the project.
pub(super) struct Asked<'a> {
    shared: &'a Shared,
    /// The nodes that read parameters.
    nodes: Vec<&'a Node>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(filter: &Filter, shared: &'a Shared, snapshot: &'a Snapshot) -> Self {
        let nodes = match filter.asks(&["is", "node"]) {
            true => readers(snapshot).collect(),
            false => Vec::new(),
        };
        Asked { shared, nodes }
    }

    pub(super) fn matches(&self, filter: &Filter, path: &str, located: &Located) -> bool {
        filter.is_empty() || filter.matches(&Parameter { asked: self, path, located })
    }
}

/// A parameter with what is asked of it.
struct Parameter<'a> {
    asked: &'a Asked<'a>,
    path: &'a str,
    located: &'a Located,
}

impl Parameter<'_> {
    fn is_read_by(&self, node: &Node) -> bool {
        let name = format!("params:{}", self.path);
        node.inputs.iter().any(|input| reads(input, &name))
    }
}

impl Row for Parameter<'_> {
    fn contains(&self, word: &str) -> bool {
        self.path.to_lowercase().contains(word)
            || one_line(&self.located.value).to_lowercase().contains(word)
    }

    fn is(&self, key: &str, value: &str) -> bool {
        let nodes = &self.asked.nodes;
        match (key, value) {
            ("is", "overridden") => self.asked.shared.overrides.contains_key(self.path),
            ("is", "unused") => !nodes.iter().any(|node| self.is_read_by(node)),
            ("is", _) => matches!(self.located.value, Value::Secret(_)),
            ("in", _) => origins(self.located).is_in(value),
            ("node", _) => nodes.iter().any(|node| node.name == value && self.is_read_by(node)),
            _ => {
                let of = match &self.located.value {
                    Value::Int(_) | Value::BigInt(_) | Value::Float(_) => "number",
                    Value::Str(_) => "text",
                    Value::Bool(_) => "boolean",
                    Value::List(_) => "list",
                    Value::Map(_) => "mapping",
                    Value::Null => "null",
                    Value::Secret(_) | Value::Unknown(_) => "",
                };
                of == value
            }
        }
    }
}

/// The nodes that read parameters.
fn readers(snapshot: &Snapshot) -> impl Iterator<Item = &Node> {
    snapshot.nodes().filter(|node| node.inputs.iter().any(|input| is_parameter(input)))
}

/// The values of a key that occur in the project.
pub(super) fn known(snapshot: &Snapshot, key: &str) -> Vec<String> {
    let found: BTreeSet<String> = match key {
        "in" => origins(&snapshot.parameters).into_names().into_iter().collect(),
        "node" => readers(snapshot).map(|node| node.name.clone()).collect(),
        _ => BTreeSet::new(),
    };
    found.into_iter().collect()
}
