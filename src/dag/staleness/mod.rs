//! Staleness: whether what a node has made still follows from what it would be made from now.
//!
//! A [`Fingerprint`] is what a node was run with: its code, its parameters, its datasets' definitions, its
//! Python and packages, and the contents of what it loaded and saved. [`statuses`] lays the last one of
//! each node beside how things are now. Nothing here reads a file: contents are handed in.

mod facts;
mod reason;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

pub use facts::{Fact, Facts, facts};
pub use reason::Reason;

use crate::project::{Node, is_parameter, makers, strip_transcoding};

/// What a node was run with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fingerprint {
    /// What is known before a run, sorted.
    pub facts: Facts,
    /// What could not be told from the files, as sentences.
    pub unknown: Vec<String>,
    /// Datasets that it loaded, transcoding stripped; parameters are facts.
    pub inputs: BTreeMap<String, Content>,
    /// Datasets that it saved, transcoding stripped.
    pub outputs: BTreeMap<String, Content>,
}

/// What a dataset holds, as far as it can be told without loading it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A file or folder.
    File {
        /// Bytes.
        bytes: u64,
        /// Last modification, seconds since the Unix epoch.
        modified: f64,
        /// Hash of the content; `None` where it is too large to be read.
        hash: Option<String>,
    },
    /// It was in memory, and is kept in the store under this name, which is a hash of it.
    Kept(String),
    /// Known only by the run that made it.
    Made(i64),
    /// It is not there.
    Missing,
    /// It can't be seen from here: a table, a service, another machine.
    Unseen,
}

impl Content {
    /// Whether both are the same; `None` where that can't be told.
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

/// How a node stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Freshness {
    /// What it made follows from what is there now.
    Fresh,
    /// It does not.
    Stale {
        /// Why, the most telling first; at least one.
        reasons: Vec<Reason>,
    },
    /// A node that it follows from is stale.
    StaleThrough {
        /// The node where it begins. JSON has another word for it, since the row of a node has a key `node` already.
        #[serde(rename = "through")]
        node: String,
    },
    /// No run of it is known.
    #[default]
    NeverRun,
    /// Something that it follows from can't be seen.
    Unknown {
        /// What, as sentences; at least one.
        because: Vec<String>,
    },
}

impl Freshness {
    /// Whether a run of what is stale includes it: everything that is not known to be fresh.
    pub fn is_due(&self) -> bool {
        !matches!(self, Freshness::Fresh)
    }

    /// A word or two for tables and details.
    pub fn as_str(&self) -> &'static str {
        match self {
            Freshness::Fresh => "fresh",
            Freshness::Stale { .. } => "stale",
            Freshness::StaleThrough { .. } => "stale through an ancestor",
            Freshness::NeverRun => "never run",
            Freshness::Unknown { .. } => "unknown",
        }
    }

    /// Why, in lines.
    pub fn why(&self) -> Vec<String> {
        match self {
            Freshness::Fresh | Freshness::NeverRun => Vec::new(),
            Freshness::Stale { reasons } => reasons.iter().map(ToString::to_string).collect(),
            Freshness::StaleThrough { node } => vec![format!("{node} is stale")],
            Freshness::Unknown { because } => because.clone(),
        }
    }
}

/// How things are now.
#[derive(Debug, Clone, Copy)]
pub struct Now<'a> {
    /// What each node would be run with, and what can't be told, by name.
    pub nodes: &'a HashMap<String, (Facts, Vec<String>)>,
    /// What is on disk of datasets, transcoding stripped. What lives in memory is left out.
    pub contents: &'a HashMap<String, Content>,
    /// What nodes were last run with, by name.
    pub fingerprints: &'a HashMap<String, Fingerprint>,
}

/// The statuses of a pipeline's nodes, which come in topological order.
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
            // Whoever makes it is stale for that.
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

/// Datasets without parameters and transcoding, each once.
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
                fingerprint("c", ("y", file("y")), ("z", Content::Made(1))),
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
    fn what_follows_from_a_stale_node_is_stale_through_it() {
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
        // It ran again, and made the same: what follows stays fresh.
        chain.fingerprints.get_mut("a").unwrap().facts[0].1 = "2".into();
        assert_eq!(chain.texts(), ["fresh", "fresh", "fresh"]);
        // It made something else.
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
    fn what_was_never_run_or_cannot_be_seen_is_said_to_be_so() {
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
