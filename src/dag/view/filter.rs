//! Which vertices of a graph match a filter of [`crate::text::filter`], such as `is:stale tag:train -type:csv word`.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;

use super::super::staleness::{Fact, Freshness, Reason};
use super::super::{Graph, Id, Vertex, VertexKind};
use super::NodeStatus;
use crate::project::{Dataset, Node, is_parameter, strip_transcoding};
use crate::text::filter::{Filter, Key, Kind, Row, Term, Value, key, value};
use crate::text::is_within;

/// The type of a dataset that the catalog does not list.
const UNLISTED: &str = "MemoryDataset";

/// The keys for the vertices of a graph.
pub const KEYS: &[Key] = &[
    Key {
        name: "is",
        aliases: &["status"],
        kind: Kind::Values(&[
            value("stale", "out of date, itself or through an ancestor"),
            value("fresh", "up to date"),
            value("failed", "failed in the last run"),
            value("running", "running now"),
            value("waiting", "not yet started by the run"),
            value("done", "ended well, freshness not known yet"),
            value("stopped", "not reached, the run ended before"),
            Value { name: "never", alias: "never-run", help: "no known run" },
            value("unknown", "freshness can't be determined"),
            value("stale-through", "out of date only through an ancestor"),
        ]),
        help: "state of the node",
    },
    key("tag", Kind::Text, "nodes with the tag"),
    Key { name: "namespace", aliases: &["ns"], kind: Kind::Text, help: "nodes in the namespace" },
    key(
        "changed",
        Kind::Values(&[
            value("code", "its function or what the function uses"),
            Value { name: "params", alias: "parameters", help: "a parameter that it reads" },
            Value { name: "catalog", alias: "config", help: "the definition of a dataset" },
            Value { name: "data", alias: "input", help: "the content of an input" },
            value("output", "an output is missing or was overwritten"),
            Value { name: "packages", alias: "package", help: "a package or Python" },
        ]),
        "what changed since the last run",
    ),
    key("took", Kind::Duration, "duration of the node's last run"),
    key("reads", Kind::Text, "nodes with the input"),
    key("writes", Kind::Text, "nodes with the output"),
    key("type", Kind::Text, "datasets whose type contains it"),
    key("layer", Kind::Text, "datasets of the layer"),
    key(
        "kind",
        Kind::Values(&[
            Value { name: "node", alias: "nodes", help: "nodes" },
            Value { name: "dataset", alias: "datasets", help: "datasets" },
            Value { name: "parameters", alias: "params", help: "parameters" },
        ]),
        "nodes, datasets or parameters",
    ),
];

/// Keys whose answers change while the graph stays the same.
const OF_RUNS: &[&str] = &["is", "changed", "took"];
/// Keys that only datasets answer.
const OF_DATASETS: &[&str] = &["type", "layer"];
/// The key that all vertices answer.
const KIND: &str = "kind";

/// What is known about a node from its runs.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeFacts {
    /// The status.
    pub status: NodeStatus,
    /// What changed since the last run, as values of the key `changed`.
    pub changed: BTreeSet<&'static str>,
    /// Seconds of the last run.
    pub took: Option<f64>,
}

impl NodeFacts {
    /// The facts of a node with this status and freshness.
    pub fn new(status: NodeStatus, freshness: Option<&Freshness>, took: Option<f64>) -> Self {
        let reasons = match freshness {
            Some(Freshness::Stale { reasons }) => reasons.as_slice(),
            _ => &[],
        };
        let changed = reasons.iter().map(|reason| match reason {
            Reason::InputChanged { .. } | Reason::InputMissing { .. } => "data",
            Reason::OutputMissing { .. } | Reason::OutputChanged { .. } => "output",
            Reason::Changed { what, .. } => match what {
                Fact::Code(_) | Fact::Function | Fact::Bound(_) | Fact::Takes | Fact::Gives => {
                    "code"
                }
                Fact::Parameter(_) => "params",
                Fact::Dataset(..) => "catalog",
                Fact::Package(_) | Fact::Python => "packages",
            },
        });
        NodeFacts { status, changed: changed.collect(), took }
    }
}

/// Whether the matches change with runs and freshness.
pub fn follows_runs(filter: &Filter) -> bool {
    filter.asks(OF_RUNS)
}

/// A node as a row of a filter.
struct NodeRow<'a> {
    node: &'a Node,
    facts: Option<&'a NodeFacts>,
}

impl Row for NodeRow<'_> {
    fn contains(&self, word: &str) -> bool {
        self.node.name.to_lowercase().contains(word)
    }

    fn is(&self, key: &str, value: &str) -> bool {
        let status = self.facts.map_or(NodeStatus::NeverRun, |facts| facts.status);
        let names = |names: &[String]| {
            names.iter().any(|name| name == value || strip_transcoding(name) == value)
        };
        match (key, value) {
            ("is", "stale") => matches!(status, NodeStatus::Stale | NodeStatus::StaleThrough),
            ("is", "never") => status == NodeStatus::NeverRun,
            ("is", _) => status.as_str() == value,
            ("changed", _) => self.facts.is_some_and(|facts| facts.changed.contains(value)),
            ("tag", _) => self.node.tags.contains(value),
            ("namespace", _) => {
                self.node.namespace.as_deref().is_some_and(|name| is_within(name, value))
            }
            ("reads", _) => names(&self.node.inputs),
            ("writes", _) => names(&self.node.outputs),
            _ => false,
        }
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.facts.filter(|_| key == "took")?.took
    }
}

/// A vertex as a row of the terms that all vertices answer.
struct VertexRow<'a>(&'a Vertex);

impl Row for VertexRow<'_> {
    fn contains(&self, word: &str) -> bool {
        self.0.name.to_lowercase().contains(word)
    }

    fn is(&self, key: &str, value: &str) -> bool {
        let kind = match self.0.kind {
            VertexKind::Node | VertexKind::Namespace => "node",
            VertexKind::Dataset => "dataset",
            VertexKind::Parameters => "parameters",
        };
        key == KIND && kind == value
    }
}

/// A dataset with the catalog entries of its transcoded forms.
struct DatasetRow<'a>(Vec<&'a Dataset>);

impl Row for DatasetRow<'_> {
    fn contains(&self, _word: &str) -> bool {
        false
    }

    fn is(&self, key: &str, value: &str) -> bool {
        let value = value.to_lowercase();
        let mut types = self.0.iter().map(|dataset| dataset.type_name.to_lowercase());
        match key {
            "type" if self.0.is_empty() => UNLISTED.to_lowercase().contains(&value),
            "type" => types.any(|name| name.contains(&value)),
            _ => self.0.iter().any(|dataset| {
                dataset.layer.as_ref().is_some_and(|layer| layer.to_lowercase() == value)
            }),
        }
    }
}

/// For each vertex of a whole graph, whether it matches. `datasets` is the catalog, `facts` what is known of nodes by
/// name.
///
/// A vertex that can't answer a key matches with a neighbour: a dataset with a node that uses it, a node with a
/// dataset that it uses.
pub fn passes(
    filter: &Filter,
    graph: &Graph,
    datasets: &IndexMap<String, Dataset>,
    facts: &HashMap<String, NodeFacts>,
) -> Vec<bool> {
    let of = |wanted: fn(Option<&'static str>) -> bool| -> Vec<&Term> {
        filter.terms.iter().filter(|term| wanted(term.test.key())).collect()
    };
    let of_datasets = of(|key| key.is_some_and(|key| OF_DATASETS.contains(&key)));
    let of_all = of(|key| key.is_none_or(|key| key == KIND));
    let of_nodes = of(|key| key.is_some_and(|key| !OF_DATASETS.contains(&key) && key != KIND));
    let vertices = &graph.vertices;
    let nodes: Vec<bool> = vertices
        .iter()
        .map(|vertex| {
            let Some(node) = &vertex.node else { return false };
            let row = NodeRow { node, facts: facts.get(&vertex.name) };
            of_nodes.iter().all(|term| term.matches(&row))
        })
        .collect();
    let entries = match of_datasets.is_empty() {
        true => HashMap::new(),
        false => entries(datasets),
    };
    let typed: Vec<bool> = vertices
        .iter()
        .map(|vertex| {
            let listed = || entries.get(vertex.name.as_str()).cloned().unwrap_or_default();
            vertex.kind == VertexKind::Dataset && {
                let row = DatasetRow(listed());
                of_datasets.iter().all(|term| term.matches(&row))
            }
        })
        .collect();
    let around = |id: Id, matches: &[bool]| {
        let mut near = graph.parents[id].iter().chain(&graph.children[id]);
        matches[id] || near.any(|id| matches[*id])
    };
    let ids = 0..vertices.len();
    ids.map(|id| {
        of_all.iter().all(|term| term.matches(&VertexRow(&vertices[id])))
            && (of_nodes.is_empty() || own_or_near(vertices, id, VertexKind::Node, &nodes, around))
            && (of_datasets.is_empty()
                || own_or_near(vertices, id, VertexKind::Dataset, &typed, around))
    })
    .collect()
}

/// Whether a vertex of this kind matches itself, or another one has a neighbour that does.
fn own_or_near(
    vertices: &[Vertex],
    id: Id,
    kind: VertexKind,
    matches: &[bool],
    around: impl Fn(Id, &[bool]) -> bool,
) -> bool {
    match vertices[id].kind == kind {
        true => matches[id],
        false => around(id, matches),
    }
}

/// The entries of the catalog by name without transcoding.
fn entries(datasets: &IndexMap<String, Dataset>) -> HashMap<&str, Vec<&Dataset>> {
    let mut entries: HashMap<&str, Vec<&Dataset>> = HashMap::new();
    for (name, dataset) in datasets {
        entries.entry(strip_transcoding(name)).or_default().push(dataset);
    }
    entries
}

/// The values of a key that occur in a graph, for completion.
pub fn known(key: &str, graph: &Graph, datasets: &IndexMap<String, Dataset>) -> Vec<String> {
    let nodes = || graph.vertices.iter().filter_map(|vertex| vertex.node.as_ref());
    let mut found: BTreeSet<String> = BTreeSet::new();
    match key {
        "tag" => found.extend(nodes().flat_map(|node| node.tags.iter().cloned())),
        "namespace" => {
            for namespace in nodes().filter_map(|node| node.namespace.as_deref()) {
                let ends = namespace.match_indices('.').map(|(end, _)| end);
                found.extend(ends.map(|end| namespace[..end].to_owned()));
                found.insert(namespace.to_owned());
            }
        }
        "reads" => found.extend(nodes().flat_map(|node| node.inputs.iter().map(|name| base(name)))),
        "writes" => {
            found.extend(nodes().flat_map(|node| node.outputs.iter().map(|name| base(name))));
        }
        "type" => found.extend(datasets.values().map(|dataset| dataset.type_name.clone())),
        "layer" => found.extend(datasets.values().filter_map(|dataset| dataset.layer.clone())),
        _ => {}
    }
    found.into_iter().collect()
}

/// The name of an input or output without its transcoding.
fn base(name: &str) -> String {
    if is_parameter(name) { name.to_owned() } else { strip_transcoding(name).to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::{graph, id};
    use super::*;
    use crate::text::filter::parse;

    #[test]
    fn a_filter_matches_by_key() {
        let graph = graph(
            "raw -> load #in -> tidy\n\
             tidy@pandas params:rate -> ml.fit #train -> ml.model\n\
             ml.model -> ml.deep.score #train #slow -> report\n\
             log -> audit -> done",
        );
        let entry = |name: &str, type_name: &str, layer: &str| {
            let layer = Some(layer.to_owned()).filter(|layer| !layer.is_empty());
            let type_name = type_name.to_owned();
            (name.to_owned(), Dataset { type_name, layer, ..Dataset::default() })
        };
        let datasets = IndexMap::from([
            entry("raw", "pandas.CSVDataset", "raw"),
            entry("tidy@pandas", "pandas.ParquetDataset", ""),
            entry("tidy@spark", "spark.SparkDataset", ""),
            entry("log", "text.TextDataset", "raw"),
        ]);
        let changed = Freshness::Stale {
            reasons: vec![
                Reason::Changed { what: Fact::Code("f".into()), from: None, to: None },
                Reason::InputChanged { dataset: "raw".into() },
            ],
        };
        let facts = [
            ("load", NodeStatus::Stale, Some(&changed), Some(3.0)),
            ("ml.fit", NodeStatus::StaleThrough, None, Some(0.5)),
            ("ml.deep.score", NodeStatus::Fresh, None, Some(90.0)),
            ("audit", NodeStatus::Failed, None, None),
        ];
        let facts = facts.map(|(name, status, freshness, took)| {
            (name.to_owned(), NodeFacts::new(status, freshness, took))
        });
        let facts = HashMap::from(facts);
        for (text, expected) in [
            ("", "load raw tidy ml.fit params:rate ml.model ml.deep.score report audit log done"),
            ("tag:slow", "ml.model ml.deep.score report"),
            ("tag:slow,in kind:node", "load ml.deep.score"),
            ("tag:slow tag:in", ""),
            ("tag:train -tag:slow kind:node", "ml.fit"),
            ("ns:ml kind:node", "ml.fit ml.deep.score"),
            ("namespace:ml tag:slow kind:node", "ml.deep.score"),
            ("ns:m", ""),
            ("status:stale kind:node", "load ml.fit"),
            ("is:stale-through kind:node", "ml.fit"),
            ("is:failed", "audit log done"),
            ("-is:failed,fresh kind:node", "load ml.fit"),
            ("changed:code changed:data kind:node", "load"),
            ("changed:params", ""),
            ("took>1s kind:node", "load ml.deep.score"),
            ("took<1m kind:node", "load ml.fit"),
            ("reads:tidy kind:node", "ml.fit"),
            ("reads:params:rate kind:node", "ml.fit"),
            ("writes:tidy kind:node", "load"),
            ("type:spark", "load tidy ml.fit"),
            ("type:csv,memory kind:dataset", "raw ml.model report done"),
            ("-type:pandas,memory kind:dataset", "log"),
            ("type:CSV tag:in", "load raw"),
            ("layer:raw kind:dataset", "raw log"),
            ("kind:params", "params:rate"),
            ("ML o", "ml.model ml.deep.score"),
            ("params:rate", "params:rate"),
            ("ml -deep", "ml.fit ml.model"),
        ] {
            let filter = parse(text, KEYS).expect(text);
            let passes = passes(&filter, &graph, &datasets, &facts);
            let names: Vec<&str> = std::iter::zip(&graph.vertices, passes)
                .filter_map(|(vertex, passes)| passes.then_some(vertex.name.as_str()))
                .collect();
            assert_eq!(names.join(" "), expected, "{text}");
        }
        assert_eq!(graph.vertices[id(&graph, "ml.fit")].namespace(), Some("ml"));
        let known = |key| known(key, &graph, &datasets).join(" ");
        assert_eq!(known("tag"), "in slow train");
        assert_eq!(known("namespace"), "ml ml.deep");
        assert_eq!(known("reads"), "log ml.model params:rate raw tidy");
        assert_eq!(known("layer"), "raw");
    }
}
