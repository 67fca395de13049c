//! The filter language for vertices: `tag:train ns:data_science status:stale type:pandas.CSVDataset kind:node
//! word`.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::super::{Graph, Id, Vertex, VertexKind};
use super::NodeStatus;
use crate::project::{Dataset, strip_transcoding};

/// The placeholder of the filter prompt.
pub const HINT: &str =
    "words of names, tag:TAG, ns:NAMESPACE, kind:node, type:csv, status:stale; \"...\" for spaces";

/// The keys of the filter language, for error messages.
const KEYS: &str = "tag, ns, kind, type and status";

/// The type of a dataset that the catalog does not list.
const UNLISTED: &str = "MemoryDataset";

/// A filter of vertices. Conditions with different keys must all match; of those with the same key, one must.
/// A vertex to which a key does not apply matches if a neighbour does: a dataset if a node that uses it has
/// the tag, namespace or status; a node if a dataset that it uses has the type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// `tag:`: nodes with any of these tags.
    pub tags: Vec<String>,
    /// `ns:` or `namespace:`: nodes in any of these namespaces or their sub-namespaces.
    pub namespaces: Vec<String>,
    /// `kind:`: vertices of these kinds.
    pub kinds: Vec<VertexKind>,
    /// `type:`: datasets whose type contains any of these texts, ignoring case.
    pub types: Vec<String>,
    /// `status:`: nodes with any of these statuses. `stale` includes stale through an ancestor.
    pub states: Vec<NodeStatus>,
    /// All other words: texts that the name must contain, ignoring case.
    pub words: Vec<String>,
}

/// A syntax error in a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FilterError {
    /// Start of the invalid word, in characters from 0.
    pub at: usize,
    /// What is wrong with the word, and what is valid.
    pub text: String,
}

impl Filter {
    /// Parses a filter. Quotes keep spaces and colons in a word: `tag:"my tag" "a:b"`. A name such as
    /// `params:rate` needs no quotes.
    ///
    /// # Errors
    /// When a word has an unknown key, no value, or a value that is invalid for its key.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut filter = Filter::default();
        for word in words(text) {
            let fault = |text: String| FilterError { at: word.at, text };
            let value = word.text.clone();
            let key = word.key.as_deref();
            if key.is_some_and(|key| key != "params") && value.is_empty() {
                let key = key.unwrap_or_default();
                return Err(fault(format!("`{key}:` needs a value right after the colon")));
            }
            match key {
                None => filter.words.push(value),
                Some("params") => filter.words.push(format!("params:{value}")),
                Some("tag") => filter.tags.push(value),
                Some("ns" | "namespace") => filter.namespaces.push(value),
                Some("type") => filter.types.push(value),
                Some("kind") => filter.kinds.push(match value.as_str() {
                    "node" | "nodes" => VertexKind::Node,
                    "dataset" | "datasets" | "data" => VertexKind::Dataset,
                    "parameters" | "params" => VertexKind::Parameters,
                    _ => {
                        let there = "there are: node, dataset, parameters";
                        return Err(fault(format!("`{value}` is no kind; {there}")));
                    }
                }),
                Some("status") => match NodeStatus::ALL
                    .iter()
                    .find(|status| status.as_str() == value)
                {
                    Some(NodeStatus::Stale) => {
                        filter.states.extend([NodeStatus::Stale, NodeStatus::StaleThrough]);
                    }
                    Some(state) => filter.states.push(*state),
                    None => {
                        let there = NodeStatus::ALL.map(NodeStatus::as_str).join(", ");
                        return Err(fault(format!("`{value}` is no status; there are: {there}")));
                    }
                },
                Some(key) => {
                    let text = format!(
                        "`{key}:` is no key; there are {KEYS}. Write \"{key}:{value}\" for a name"
                    );
                    return Err(fault(text));
                }
            }
        }
        Ok(filter)
    }

    /// Whether the filter matches everything.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// For each vertex of a whole graph, whether it matches. `datasets` is the catalog; `state` returns the
    /// status of the node with a name.
    pub fn passes(
        &self,
        graph: &Graph,
        datasets: &IndexMap<String, Dataset>,
        state: impl Fn(&str) -> NodeStatus,
    ) -> Vec<bool> {
        let ids = 0..graph.vertices.len();
        let users = |id: Id| graph.parents[id].iter().chain(&graph.children[id]).copied();
        let is = |id: Id, kind: VertexKind| graph.vertices[id].kind == kind;
        let asks_nodes =
            !(self.tags.is_empty() && self.namespaces.is_empty() && self.states.is_empty());
        let chosen: Vec<bool> = ids
            .clone()
            .map(|id| is(id, VertexKind::Node) && self.takes_node(&graph.vertices[id], &state))
            .collect();
        let of_type = self.of_type(graph, datasets);
        let words: Vec<String> = self.words.iter().map(|word| word.to_lowercase()).collect();
        ids.map(|id| {
            let vertex = &graph.vertices[id];
            let by_node = !asks_nodes || chosen[id] || users(id).any(|id| chosen[id]);
            let by_type = self.types.is_empty() || of_type[id] || users(id).any(|id| of_type[id]);
            let by_kind = self.kinds.is_empty() || self.kinds.contains(&vertex.kind);
            let by_name = words.is_empty() || {
                let name = vertex.name.to_lowercase();
                words.iter().all(|word| name.contains(word.as_str()))
            };
            by_node && by_type && by_kind && by_name
        })
        .collect()
    }

    fn takes_node(&self, vertex: &Vertex, state: impl Fn(&str) -> NodeStatus) -> bool {
        let Some(node) = &vertex.node else { return false };
        let within = |namespace: &str, outer: &String| {
            let rest = namespace.strip_prefix(outer.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let by_tag = self.tags.is_empty() || self.tags.iter().any(|tag| node.tags.contains(tag));
        let by_namespace = self.namespaces.is_empty()
            || node
                .namespace
                .as_deref()
                .is_some_and(|name| self.namespaces.iter().any(|outer| within(name, outer)));
        by_tag
            && by_namespace
            && (self.states.is_empty() || self.states.contains(&state(&vertex.name)))
    }

    /// For each vertex, whether it is a dataset of a requested type, in any of its transcoded forms.
    fn of_type(&self, graph: &Graph, datasets: &IndexMap<String, Dataset>) -> Vec<bool> {
        let mut found = vec![false; graph.vertices.len()];
        if self.types.is_empty() {
            return found;
        }
        let wanted: Vec<String> = self.types.iter().map(|text| text.to_lowercase()).collect();
        let matches = |name: &str| {
            let name = name.to_lowercase();
            wanted.iter().any(|text| name.contains(text.as_str()))
        };
        let mut listed = HashSet::new();
        for (name, dataset) in datasets {
            let name = strip_transcoding(name);
            listed.insert(name);
            if let Some(id) = graph.find(VertexKind::Dataset, name) {
                found[id] |= matches(&dataset.type_name);
            }
        }
        let in_memory = matches(UNLISTED);
        for (id, vertex) in graph.vertices.iter().enumerate() {
            found[id] |= in_memory
                && vertex.kind == VertexKind::Dataset
                && !listed.contains(vertex.name.as_str());
        }
        found
    }
}

/// A word of a filter.
struct Word {
    /// Start of the word, in characters.
    at: usize,
    /// The text before the first colon outside quotes.
    key: Option<String>,
    /// The text after the colon, or the whole word.
    text: String,
}

/// Splits a text into words; quotes keep spaces and colons. An unclosed quote extends to the end.
fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut open: Option<Word> = None;
    let (mut quoted, mut was_quoted) = (false, false);
    for (at, c) in text.chars().enumerate() {
        if c.is_whitespace() && !quoted {
            words.extend(open.take());
            was_quoted = false;
            continue;
        }
        let word = open.get_or_insert_with(|| Word { at, key: None, text: String::new() });
        match c {
            '"' => {
                quoted = !quoted;
                was_quoted = true;
            }
            ':' if !was_quoted && word.key.is_none() && !word.text.is_empty() => {
                word.key = Some(std::mem::take(&mut word.text));
            }
            c => word.text.push(c),
        }
    }
    words.extend(open);
    words.retain(|word| word.key.is_some() || !word.text.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::{graph, id};
    use super::*;

    #[test]
    fn words_with_keys_filter_by_key_and_others_by_name() {
        let text = "tag:train ns:a.b namespace:c kind:node type:csv status:stale word params:rate \"x:y z\" tag:\"my tag\"";
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let expected = Filter {
            tags: list(&["train", "my tag"]),
            namespaces: list(&["a.b", "c"]),
            kinds: vec![VertexKind::Node],
            types: list(&["csv"]),
            states: vec![NodeStatus::Stale, NodeStatus::StaleThrough],
            words: list(&["word", "params:rate", "x:y z"]),
        };
        assert_eq!(Filter::parse(text), Ok(expected));
        assert_eq!(Filter::parse("  \"\" "), Ok(Filter::default()));
    }

    #[test]
    fn errors_have_the_place_of_the_wrong_word() {
        for (text, at, expected) in [
            ("tag:a tags:b", 6, "`tags:` is no key; there are tag, ns, kind, type and status"),
            ("é kind:nod", 2, "`nod` is no kind; there are: node, dataset, parameters"),
            ("status:old", 0, "`old` is no status; there are: fresh, done, never-run"),
            ("a  tag:", 3, "`tag:` needs a value"),
        ] {
            let error = Filter::parse(text).expect_err(text);
            assert_eq!(error.at, at, "{text}");
            assert!(error.text.starts_with(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_filter_matches_by_key() {
        let graph = graph(
            "raw -> load #in -> tidy\n\
             tidy@pandas params:rate -> ml.fit #train -> ml.model\n\
             ml.model -> ml.deep.score #train #slow -> report\n\
             log -> audit -> done",
        );
        let entry = |name: &str, type_name: &str| {
            let type_name = type_name.to_owned();
            (name.to_owned(), Dataset { type_name, ..Dataset::default() })
        };
        let datasets = IndexMap::from([
            entry("raw", "pandas.CSVDataset"),
            entry("tidy@pandas", "pandas.ParquetDataset"),
            entry("tidy@spark", "spark.SparkDataset"),
            entry("log", "text.TextDataset"),
        ]);
        let state = |name: &str| match name {
            "load" => NodeStatus::Stale,
            "ml.fit" => NodeStatus::StaleThrough,
            "audit" => NodeStatus::Failed,
            _ => NodeStatus::Fresh,
        };
        for (text, expected) in [
            ("", "load raw tidy ml.fit params:rate ml.model ml.deep.score report audit log done"),
            ("tag:slow", "ml.model ml.deep.score report"),
            ("tag:slow tag:in kind:node", "load ml.deep.score"),
            ("ns:ml kind:node", "ml.fit ml.deep.score"),
            ("ns:ml tag:slow kind:node", "ml.deep.score"),
            ("ns:m", ""),
            ("status:stale kind:node", "load ml.fit"),
            ("status:failed", "audit log done"),
            ("type:spark", "load tidy ml.fit"),
            ("type:csv type:memory kind:dataset", "raw ml.model report done"),
            ("type:CSV tag:in", "load raw"),
            ("kind:params", "params:rate"),
            ("ML o", "ml.model ml.deep.score"),
        ] {
            let passes = Filter::parse(text).unwrap().passes(&graph, &datasets, state);
            let names: Vec<&str> = std::iter::zip(&graph.vertices, passes)
                .filter_map(|(vertex, passes)| passes.then_some(vertex.name.as_str()))
                .collect();
            assert_eq!(names.join(" "), expected, "{text}");
        }
        assert_eq!(graph.vertices[id(&graph, "ml.fit")].namespace(), Some("ml"));
    }
}
