//! Staleness: whether a node's outputs would still be the same if the node ran now.
//!
//! A [`Fingerprint`] holds what a node ran with: its code, its parameters, its datasets' definitions, its
//! Python and packages, and the contents of the datasets that it loaded and saved. [`statuses`] compares the
//! last fingerprint of each node with the current state. Nothing here reads a file: the caller passes the
//! contents.

mod facts;
mod reason;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

pub use facts::{Fact, Facts, changes, facts};
pub use reason::{Reason, short};

use crate::project::{Node, is_parameter, makers, strip_transcoding};
use crate::store::RunId;

/// What a node ran with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fingerprint {
    /// The facts known before the run, sorted.
    pub facts: Facts,
    /// Sentences about what could not be determined from the files.
    pub unknown: Vec<String>,
    /// Datasets that it loaded, transcoding stripped; parameters are among the facts.
    pub inputs: BTreeMap<String, Content>,
    /// Datasets that it saved, transcoding stripped.
    pub outputs: BTreeMap<String, Content>,
}

/// The content of a dataset, as far as known without loading it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A file or folder.
    File {
        /// Size in bytes.
        bytes: u64,
        /// Last modification, seconds since the Unix epoch.
        modified: f64,
        /// Hash of the content; `None` if the file is too large to be read.
        hash: Option<String>,
    },
    /// An in-memory dataset that is kept in the store under this name, which is a hash of the content.
    Kept(String),
    /// An in-memory dataset that was not kept, identified by the run that made it.
    Made(RunId),
    /// The file does not exist.
    Missing,
    /// The content is not accessible: a table, a service, another machine.
    Unseen,
}

impl Content {
    /// Whether both contents are the same; `None` if unknown.
    pub fn same(&self, other: &Content) -> Option<bool> {
        match (self, other) {
            (Content::Unseen, _) | (_, Content::Unseen) => None,
            (
                Content::File { bytes, modified, hash },
                Content::File { bytes: bytes2, modified: modified2, hash: hash2 },
            ) => Some(match (hash, hash2) {
                (Some(hash), Some(hash2)) => hash == hash2,
                _ => bytes == bytes2 && modified == modified2,
            }),
            (one, two) => Some(one == two),
        }
    }
}

/// The freshness of a node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Freshness {
    /// The outputs are up to date.
    Fresh,
    /// The outputs are out of date.
    Stale {
        /// Why, most informative first; at least one.
        reasons: Vec<Reason>,
    },
    /// An ancestor is stale.
    StaleThrough {
        /// The stale ancestor. In JSON it has another name, because the row of a node already has a key
        /// `node`.
        #[serde(rename = "through")]
        node: String,
    },
    /// There is no known run of the node.
    #[default]
    NeverRun,
    /// Something that the node depends on is not accessible.
    Unknown {
        /// What is not known, as sentences; at least one.
        because: Vec<String>,
    },
}

impl Freshness {
    /// Whether the node is included when stale nodes are run: true unless it is fresh.
    pub fn is_due(&self) -> bool {
        !matches!(self, Freshness::Fresh)
    }

    /// A short text for tables and details.
    pub fn as_str(&self) -> &'static str {
        match self {
            Freshness::Fresh => "fresh",
            Freshness::Stale { .. } => "stale",
            Freshness::StaleThrough { .. } => "stale through an ancestor",
            Freshness::NeverRun => "never run",
            Freshness::Unknown { .. } => "unknown",
        }
    }

    /// The reasons, one per line.
    pub fn why(&self) -> Vec<String> {
        match self {
            Freshness::Fresh | Freshness::NeverRun => Vec::new(),
            Freshness::Stale { reasons } => reasons.iter().map(ToString::to_string).collect(),
            Freshness::StaleThrough { node } => vec![format!("{node} is stale")],
            Freshness::Unknown { because } => because.clone(),
        }
    }
}

/// The current state of the project.
#[derive(Debug, Clone, Copy)]
pub struct Now<'a> {
    /// For each node by name: the facts that it would run with, and sentences about what is not known.
    pub nodes: &'a HashMap<String, (Facts, Vec<String>)>,
    /// Contents of datasets on disk, transcoding stripped. In-memory datasets are left out.
    pub contents: &'a HashMap<String, Content>,
    /// The last fingerprint of each node, by name.
    pub fingerprints: &'a HashMap<String, Fingerprint>,
}

/// The freshness of a pipeline's nodes, which must be in topological order.
pub fn statuses<'n>(
    nodes: impl Iterator<Item = &'n Node> + Clone,
    now: Now<'_>,
) -> HashMap<String, Freshness> {
    let makers: HashMap<&str, &str> =
        makers(nodes.clone()).map(|(dataset, node)| (dataset, node.name.as_str())).collect();
    let mut found: HashMap<String, Freshness> = HashMap::new();
    for node in nodes {
        let status = status(node, &makers, &found, now);
        found.insert(node.name.clone(), status);
    }
    found
}

fn status(
    node: &Node,
    makers: &HashMap<&str, &str>,
    found: &HashMap<String, Freshness>,
    now: Now<'_>,
) -> Freshness {
    let Some(fingerprint) = now.fingerprints.get(&node.name) else { return Freshness::NeverRun };
    let mut reasons = Vec::new();
    let mut unknown = Vec::new();
    if let Some((facts, open)) = now.nodes.get(&node.name) {
        reasons.extend(facts::changes(&fingerprint.facts, facts));
        unknown.clone_from(open);
    }
    for output in each(&node.outputs) {
        let Some(now) = now.contents.get(output) else { continue };
        match (fingerprint.outputs.get(output), now) {
            (None | Some(Content::Unseen), _) | (_, Content::Unseen) => {}
            (Some(_), Content::Missing) => {
                reasons.push(Reason::OutputMissing { dataset: output.into() })
            }
            (Some(was), now) if was.same(now) == Some(false) => {
                reasons.push(Reason::OutputChanged { dataset: output.into() });
            }
            _ => {}
        }
    }
    let mut through = None;
    for input in each(&node.inputs) {
        let maker = makers.get(input).copied();
        match maker.and_then(|maker| Some((maker, found.get(maker)?))) {
            Some((maker, Freshness::Stale { .. })) => through = through.or(Some(maker.to_owned())),
            Some((_, Freshness::StaleThrough { node })) => through = through.or(Some(node.clone())),
            _ => {}
        }
        let Some(was) = fingerprint.inputs.get(input) else { continue };
        let made = || now.fingerprints.get(maker?)?.outputs.get(input);
        let is = match now.contents.get(input) {
            Some(Content::Unseen) | None => made(),
            seen => seen,
        };
        match is {
            // The node that makes the input is already stale because its output is missing.
            Some(Content::Missing) if maker.is_some() => {}
            Some(Content::Missing) => reasons.push(Reason::InputMissing { dataset: input.into() }),
            Some(is) => match was.same(is) {
                Some(true) => {}
                Some(false) => reasons.push(Reason::InputChanged { dataset: input.into() }),
                None => unknown.push(format!("{input} can't be seen from here")),
            },
            None if maker.is_none() => unknown.push(format!("{input} can't be seen from here")),
            None => {}
        }
    }
    if !reasons.is_empty() {
        reasons.sort();
        return Freshness::Stale { reasons };
    }
    match through {
        Some(node) => Freshness::StaleThrough { node },
        None if unknown.is_empty() => Freshness::Fresh,
        None => Freshness::Unknown { because: unknown },
    }
}

/// Datasets without parameters and transcoding, without duplicates.
fn each(names: &[String]) -> impl Iterator<Item = &str> {
    let plain = |name: &String| !is_parameter(name);
    names.iter().enumerate().filter(move |(_, name)| plain(name)).filter_map(|(at, name)| {
        let base = strip_transcoding(name);
        let before = names[..at].iter().any(|other| strip_transcoding(other) == base);
        (!before).then_some(base)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::run_id;

    fn node(name: &str, input: &str, output: &str) -> Node {
        let (inputs, outputs) = (vec![input.to_owned()], vec![output.to_owned()]);
        Node { name: name.into(), inputs, outputs, ..Node::default() }
    }

    #[test]
    fn a_time_comes_back_as_it_was() {
        for nanoseconds in 0..2_000_u32 {
            let modified = 1_763_942_400.0 + f64::from(nanoseconds * 499_979) / 1e9;
            let content = Content::File { bytes: 1, modified, hash: None };
            let json = serde_json::to_string(&content).unwrap();
            assert_eq!(serde_json::from_str::<Content>(&json).unwrap(), content);
        }
    }

    fn file(hash: &str) -> Content {
        Content::File { bytes: 1, modified: 1.0, hash: Some(hash.into()) }
    }

    /// `raw -> a -> x -> b -> y -> c -> z`: `raw` and `y` are files, `x` and `z` are in memory.
    struct Chain {
        nodes: Vec<Node>,
        facts: HashMap<String, (Facts, Vec<String>)>,
        contents: HashMap<String, Content>,
        fingerprints: HashMap<String, Fingerprint>,
    }

    impl Chain {
        fn new() -> Self {
            let nodes =
                vec![node("a", "raw", "x"), node("b", "x@one", "y"), node("c", "y@two", "z")];
            let facts: HashMap<_, _> = (nodes.iter())
                .map(|node| {
                    let code = Fact::Code(format!("p.{}", node.name));
                    (node.name.clone(), (vec![(code, "1".to_owned())], Vec::new()))
                })
                .collect();
            let contents = [("raw", file("raw")), ("y", file("y"))];
            let contents = contents.map(|(name, content)| (name.to_owned(), content)).into();
            let kept = |name: &str| Content::Kept(format!("{name}.pickle"));
            let fingerprint = |name: &str, input: (&str, Content), output: (&str, Content)| {
                let one = |(name, content): (&str, Content)| [(name.to_owned(), content)].into();
                let facts = facts[name].0.clone();
                let fingerprint = Fingerprint {
                    facts,
                    inputs: one(input),
                    outputs: one(output),
                    ..Fingerprint::default()
                };
                (name.to_owned(), fingerprint)
            };
            let fingerprints = [
                fingerprint("a", ("raw", file("raw")), ("x", kept("x"))),
                fingerprint("b", ("x", kept("x")), ("y", file("y"))),
                fingerprint("c", ("y", file("y")), ("z", Content::Made(run_id(1)))),
            ];
            Chain { nodes, facts, contents, fingerprints: fingerprints.into() }
        }

        fn texts(&self) -> Vec<String> {
            let now = Now {
                nodes: &self.facts,
                contents: &self.contents,
                fingerprints: &self.fingerprints,
            };
            let found = statuses(self.nodes.iter(), now);
            let text = |node: &Node| {
                let status = &found[&node.name];
                [vec![status.as_str().to_owned()], status.why()].concat().join(": ")
            };
            self.nodes.iter().map(text).collect()
        }
    }

    #[test]
    fn nothing_changed_and_all_is_fresh() {
        assert_eq!(Chain::new().texts(), ["fresh", "fresh", "fresh"]);
    }

    #[test]
    fn descendants_of_a_stale_node_are_stale_through_it() {
        let mut chain = Chain::new();
        chain.facts.get_mut("a").unwrap().0[0].1 = "2".into();
        assert_eq!(
            chain.texts(),
            [
                "stale: code changed: p.a",
                "stale through an ancestor: a is stale",
                "stale through an ancestor: a is stale"
            ]
        );
        // It ran again with the same result: its descendants stay fresh.
        chain.fingerprints.get_mut("a").unwrap().facts[0].1 = "2".into();
        assert_eq!(chain.texts(), ["fresh", "fresh", "fresh"]);
        // It ran with another result.
        let other = Content::Kept("other.pickle".into());
        chain.fingerprints.get_mut("a").unwrap().outputs.insert("x".into(), other);
        assert_eq!(
            chain.texts(),
            ["fresh", "stale: x changed", "stale through an ancestor: b is stale"]
        );
    }

    #[test]
    fn files_are_known_by_their_content() {
        let mut chain = Chain::new();
        let touched = Content::File { bytes: 1, modified: 9.0, hash: Some("raw".into()) };
        chain.contents.insert("raw".into(), touched);
        assert_eq!(chain.texts()[0], "fresh");
        chain.contents.insert("raw".into(), file("edited"));
        assert_eq!(chain.texts()[0], "stale: raw changed");
        chain.contents.insert("raw".into(), Content::Missing);
        assert_eq!(chain.texts()[0], "stale: raw is missing");
        let mut chain = Chain::new();
        chain.contents.insert("y".into(), Content::Missing);
        assert_eq!(chain.texts()[1], "stale: its output y is missing");
        assert_eq!(chain.texts()[2], "stale through an ancestor: b is stale");
        chain.contents.insert("y".into(), file("by hand"));
        assert_eq!(chain.texts()[1], "stale: its output y has changed since the run saved it");
        assert_eq!(chain.texts()[2], "stale: y changed");
    }

    #[test]
    fn never_run_and_unknown_are_statuses() {
        let mut chain = Chain::new();
        chain.contents.insert("raw".into(), Content::Unseen);
        assert_eq!(chain.texts()[0], "unknown: raw can't be seen from here");
        assert_eq!(chain.texts()[1], "fresh", "its input is as it was");
        chain.facts.get_mut("b").unwrap().1.push("a closure holds what can't be told".into());
        assert_eq!(chain.texts()[1], "unknown: a closure holds what can't be told");
        chain.fingerprints.remove("b");
        assert_eq!(chain.texts()[1..], ["never run", "fresh"]);
    }
}
