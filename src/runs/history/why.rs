//! What may have caused the different results of two runs.
//!
//! Whatever differs is a candidate: code, parameters, data, packages, versions. The contents of the datasets tell more:
//! a node whose outputs are the same in both runs rules out what concerns it alone, and a node whose outputs differ
//! though its inputs are the same must itself be concerned by the cause.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::code::How;
use super::compare::{Change, Comparison, Whole};
use crate::dag::staleness::{Fact, Reason, short};
use crate::project::{is_parameter, strip_transcoding};
use crate::store::{DatasetRecord, Direction};

/// A difference between two runs that may explain their results.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cause {
    /// What differs.
    #[serde(flatten)]
    pub what: What,
    /// The same as a text.
    pub text: String,
    /// The nodes that it concerns, in the order of the second run.
    pub nodes: Vec<String>,
    /// Whether it explains the results.
    pub verdict: Verdict,
    /// Why, as a sentence without its full stop; empty if nothing is known.
    pub because: String,
}

impl Cause {
    fn new(what: What, nodes: Vec<String>, verdict: Verdict, because: String) -> Self {
        Cause { text: what.to_string(), what, nodes, verdict, because }
    }
}

/// What differs between two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum What {
    /// The content of a dataset that neither run made.
    Data {
        /// Its name.
        dataset: String,
    },
    /// A definition of the code.
    Code {
        /// Dotted name, such as `pkg.nodes.train`.
        name: String,
        /// How it differs.
        how: How,
    },
    /// A parameter, a dataset's definition, a package, or how the function is called.
    Setting {
        /// The difference.
        change: Reason,
    },
    /// A node that only one of the runs has.
    Node {
        /// Its name.
        name: String,
        /// Whether the second run has it.
        added: bool,
    },
    /// The version of Python or Kedro.
    Version {
        /// The difference.
        change: Change,
    },
    /// Nothing known differs, but the node made something else of the same inputs.
    Unexplained {
        /// The node.
        node: String,
    },
}

/// Whether a difference explains the results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The difference begins where it acts.
    Likely,
    /// It may contribute.
    #[default]
    Possible,
    /// Its nodes made the same of it, or the results do not depend on them.
    RuledOut,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Data { dataset } => write!(f, "data of {dataset}"),
            What::Code { name, how } => write!(f, "code {}: {}", how.as_str(), short(name)),
            What::Setting { change } => change.fmt(f),
            What::Node { name, added: true } => write!(f, "node added: {name}"),
            What::Node { name, added: false } => write!(f, "node removed: {name}"),
            What::Version { change } => {
                let text = |json: &Json| json.as_str().unwrap_or("unknown").to_owned();
                write!(f, "{}: {} → {}", change.name, text(&change.first), text(&change.second))
            }
            What::Unexplained { node } => {
                write!(f, "{node} makes something else each time, or reads what is not recorded")
            }
        }
    }
}

impl What {
    /// The place among causes that are equally likely: what changes most often comes first.
    fn order(&self) -> u8 {
        match self {
            What::Data { .. } => 0,
            What::Setting { change: Reason::Changed { what, .. } } => match what {
                Fact::Parameter(_) => 1,
                Fact::Function => 2,
                Fact::Bound(_) | Fact::Takes | Fact::Gives => 4,
                Fact::Dataset(..) => 5,
                _ => 7,
            },
            What::Code { .. } => 3,
            What::Setting { .. } => 5,
            What::Node { .. } => 6,
            What::Version { .. } => 8,
            What::Unexplained { .. } => 9,
        }
    }
}

/// Differences in the request that leave the chosen nodes as they are.
const NEUTRAL: [&str; 10] = [
    "env",
    "runner",
    "async",
    "keep-going",
    "Kedro",
    "Python",
    "interpreter",
    "worker",
    "user",
    "host",
];

/// The differences that may explain the results, the most likely first.
pub(super) fn causes(first: &Whole, second: &Whole, compared: &Comparison) -> Vec<Cause> {
    let flow = Flow::of(first, second, compared);
    let mut found: Vec<Cause> = Vec::new();
    let redefined: BTreeSet<&str> = compared
        .settings
        .iter()
        .flatten()
        .filter_map(|one| match &one.reason {
            Reason::Changed { what: Fact::Dataset(name, _), .. } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    // Where a definition names another file, that is the cause.
    let data = compared.datasets.iter().filter(|dataset| {
        let differs = dataset.direction == Direction::Load && dataset.same == Some(false);
        differs && !redefined.contains(dataset.dataset.as_str())
    });
    for dataset in data {
        let what = What::Data { dataset: dataset.dataset.clone() };
        found.push(flow.judge(what, flow.readers(&dataset.dataset)));
    }
    let mut definitions: Vec<_> = compared.code.definitions.iter().flatten().collect();
    definitions.sort_by_key(|one| one.how);
    for one in definitions {
        let what = What::Code { name: one.name.clone(), how: one.how };
        found.push(flow.judge(what, one.nodes.clone()));
    }
    for one in compared.settings.iter().flatten() {
        found.push(flow.judge(What::Setting { change: one.reason.clone() }, one.nodes.clone()));
    }
    if compared.settings.is_none() {
        found.extend(compared.parameters.iter().flatten().map(overridden));
    }
    // The nodes that a smaller run leaves out were not taken away.
    let is_whole = compared.facts.iter().all(|change| NEUTRAL.contains(&change.name.as_str()));
    for (name, placed) in &flow.order {
        if is_whole && !placed.in_both {
            let added = second.nodes.iter().any(|node| node.node == **name);
            let what = What::Node { name: (*name).to_owned(), added };
            found.push(flow.judge(what, vec![(*name).to_owned()]));
        }
    }
    for change in &compared.facts {
        let known = !change.first.is_null() && !change.second.is_null();
        if known && matches!(change.name.as_str(), "Python" | "Kedro") {
            let nodes = flow.order.keys().map(|node| (*node).to_owned()).collect();
            found.push(flow.judge(What::Version { change: change.clone() }, nodes));
        }
    }
    let explained: BTreeSet<&String> = found.iter().flat_map(|cause| &cause.nodes).collect();
    let unexplained: Vec<Cause> = flow
        .order
        .keys()
        .filter(|node| !explained.contains(&(**node).to_owned()))
        .filter(|node| flow.is_origin(node) && flow.matters(node))
        .map(|node| {
            let what = What::Unexplained { node: (*node).to_owned() };
            let because = "its inputs are the same, its outputs differ".to_owned();
            Cause::new(what, vec![(*node).to_owned()], Verdict::Possible, because)
        })
        .collect();
    found.extend(unexplained);
    let first_of = |cause: &Cause| {
        let open = cause.nodes.iter().filter(|node| !flow.made_the_same(node));
        open.filter_map(|node| flow.place(node)).min().unwrap_or(usize::MAX)
    };
    // What concerns few nodes is more specific than what concerns many.
    found.sort_by_cached_key(|cause| {
        let is_last = matches!(cause.what, What::Unexplained { .. });
        (cause.verdict, is_last, first_of(cause), cause.what.order(), cause.nodes.len())
    });
    found
}

/// A parameter that differs between runs of which is not known which nodes read it.
fn overridden(change: &Change) -> Cause {
    let text = |json: &Json| match json {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let (from, to) = (text(&change.first), text(&change.second));
    let change = Reason::Changed { what: Fact::Parameter(change.name.clone()), from, to };
    Cause::new(What::Setting { change }, Vec::new(), Verdict::Possible, String::new())
}

/// A node of the runs.
#[derive(Debug, Clone, Copy)]
struct Placed {
    place: usize,
    in_both: bool,
}

/// What the datasets say of the nodes of two runs.
struct Flow<'a> {
    /// The nodes, by name.
    order: BTreeMap<&'a str, Placed>,
    /// Whether the datasets that a node loaded are the same; `None` if not known.
    inputs: HashMap<&'a str, Option<bool>>,
    /// Whether the datasets that a node saved are the same; `None` if not known.
    outputs: HashMap<&'a str, Option<bool>>,
    /// The nodes that load a dataset.
    readers: HashMap<&'a str, BTreeSet<&'a str>>,
    /// The nodes that save a dataset.
    makers: HashMap<&'a str, BTreeSet<&'a str>>,
    /// The nodes on which the metrics that differ depend; `None` if that is not known.
    relevant: Option<BTreeSet<&'a str>>,
}

impl<'a> Flow<'a> {
    fn of(first: &'a Whole, second: &'a Whole, compared: &Comparison) -> Flow<'a> {
        let names = |whole: &'a Whole| whole.nodes.iter().map(|node| node.node.as_str());
        let (one, two): (BTreeSet<&str>, BTreeSet<&str>) =
            (names(first).collect(), names(second).collect());
        let mut order = BTreeMap::new();
        for (place, name) in names(second).chain(names(first)).enumerate() {
            let in_both = one.contains(name) && two.contains(name);
            order.entry(name).or_insert(Placed { place, in_both });
        }
        let (mut inputs, mut outputs) = (HashMap::new(), HashMap::new());
        let mut readers: HashMap<&str, BTreeSet<&str>> = HashMap::new();
        let mut makers: HashMap<&str, BTreeSet<&str>> = HashMap::new();
        let contents = [Contents::of(first), Contents::of(second)];
        for record in first.datasets.iter().chain(&second.datasets) {
            let Some(node) = record.node.as_deref() else { continue };
            let base = strip_transcoding(&record.dataset);
            if is_parameter(base) {
                continue;
            }
            let same = contents[0].same(&contents[1], base);
            let is_load = record.direction == Direction::Load;
            let (moved, users) =
                if is_load { (&mut inputs, &mut readers) } else { (&mut outputs, &mut makers) };
            let all = moved.entry(node).or_insert(Some(true));
            *all = both(*all, same);
            users.entry(base).or_default().insert(node);
        }
        let mut flow = Flow { order, inputs, outputs, readers, makers, relevant: None };
        flow.relevant = flow.relevant(first, second, compared);
        flow
    }

    /// The nodes that make the metrics that differ, and all before them.
    fn relevant(
        &self,
        first: &Whole,
        second: &Whole,
        compared: &Comparison,
    ) -> Option<BTreeSet<&'a str>> {
        if compared.metrics.is_empty() {
            return None;
        }
        let mut loads: HashMap<&str, Vec<&str>> = HashMap::new();
        for (dataset, nodes) in &self.readers {
            for node in nodes {
                loads.entry(node).or_default().push(dataset);
            }
        }
        let mut numbers: HashMap<&str, Vec<Map<String, Json>>> = HashMap::new();
        for record in first.datasets.iter().chain(&second.datasets) {
            let json = record.metrics.as_deref().and_then(|text| serde_json::from_str(text).ok());
            numbers.entry(strip_transcoding(&record.dataset)).or_default().extend(json);
        }
        let mut open: Vec<&str> = Vec::new();
        for metric in &compared.metrics {
            let is_of = |(dataset, _): &(&&str, _)| {
                let rest = metric.name.strip_prefix(**dataset);
                let named = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
                let numbers = numbers.get(**dataset).into_iter().flatten();
                named || numbers.into_iter().any(|all| all.contains_key(&metric.name))
            };
            // MLflow does not tell which node logged a metric.
            open.extend(self.makers.iter().find(is_of)?.1);
        }
        let mut found = BTreeSet::new();
        while let Some(node) = open.pop() {
            if found.insert(node) {
                let datasets = loads.get(node).into_iter().flatten();
                open.extend(datasets.filter_map(|dataset| self.makers.get(dataset)).flatten());
            }
        }
        Some(found)
    }

    /// The nodes that load a dataset.
    fn readers(&self, dataset: &str) -> Vec<String> {
        let nodes = self.readers.get(strip_transcoding(dataset)).into_iter().flatten();
        nodes.map(|node| (*node).to_owned()).collect()
    }

    fn place(&self, node: &str) -> Option<usize> {
        self.order.get(node).map(|placed| placed.place)
    }

    /// Whether the metrics that differ may depend on a node.
    fn matters(&self, node: &str) -> bool {
        self.relevant.as_ref().is_none_or(|relevant| relevant.contains(node))
    }

    /// Whether a node's outputs are the same in both runs; `None` if not known.
    fn outputs_same(&self, node: &str) -> Option<bool> {
        self.outputs.get(node).copied().flatten()
    }

    fn made_the_same(&self, node: &str) -> bool {
        self.outputs_same(node) == Some(true)
    }

    /// Whether a node made something else of the same inputs.
    fn is_origin(&self, node: &str) -> bool {
        // A node without datasets to load begins with nothing but itself.
        let same = self.inputs.get(node).is_none_or(|same| *same == Some(true));
        same && self.outputs_same(node) == Some(false)
    }

    fn judge(&self, what: What, mut nodes: Vec<String>) -> Cause {
        nodes.sort_by_key(|node| self.place(node));
        let made = |name: &str| self.makers.contains_key(strip_transcoding(name));
        let is_data = match &what {
            What::Data { .. } => true,
            What::Setting { change: Reason::Changed { what: Fact::Dataset(name, _), .. } } => {
                !made(name)
            }
            _ => false,
        };
        let open: Vec<&String> = nodes.iter().filter(|node| !self.made_the_same(node)).collect();
        let mattering = open.iter().any(|node| self.matters(node));
        let (verdict, because) = if nodes.is_empty() {
            (Verdict::RuledOut, "no node of both runs uses it".to_owned())
        } else if open.is_empty() {
            (Verdict::RuledOut, format!("the outputs of {} are the same", list(&nodes)))
        } else if !mattering {
            (Verdict::RuledOut, format!("the metrics do not depend on {}", list(&nodes)))
        } else if let Some(node) =
            open.iter().find(|node| self.matters(node) && self.is_origin(node))
        {
            (Verdict::Likely, format!("the inputs of {node} are the same, its outputs differ"))
        } else if is_data && open.iter().any(|node| self.outputs_same(node) == Some(false)) {
            (Verdict::Likely, "it was made before these runs".to_owned())
        } else {
            (Verdict::Possible, String::new())
        };
        Cause::new(what, nodes, verdict, because)
    }
}

/// The content of each dataset as a run left it, or as it was loaded.
struct Contents<'a>(HashMap<&'a str, &'a DatasetRecord>);

impl<'a> Contents<'a> {
    fn of(whole: &'a Whole) -> Self {
        let mut found: HashMap<&str, &DatasetRecord> = HashMap::new();
        let stamped = whole.datasets.iter().filter(|record| record.stamp.is_some());
        for record in stamped {
            let base = strip_transcoding(&record.dataset);
            let is_better = found.get(base).is_none_or(|other| {
                record.direction == Direction::Save || other.direction == Direction::Load
            });
            if is_better {
                found.insert(base, record);
            }
        }
        Contents(found)
    }

    fn same(&self, other: &Contents<'_>, dataset: &str) -> Option<bool> {
        Some(self.0.get(dataset)?.stamp == other.0.get(dataset)?.stamp)
    }
}

/// Whether both are the same: one that differs decides, one that is not known leaves it open.
fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn list(nodes: &[String]) -> String {
    match nodes {
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, rest @ ..] => format!("{one} and {} others", rest.len()),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::history::compare::compare;
    use crate::store::{NewRun, NodeRecord, RunRecord, run_id};

    /// A run of nodes in a chain, each of which loads the dataset of the one before; `contents` are those of the input
    /// and of each node's output.
    fn chain(id: i64, nodes: &[&str], contents: &[&str], python: &str) -> Whole {
        let mut run = RunRecord::begun(Some(run_id(id)), NewRun::default());
        run.python_version = Some(python.into());
        let record = |node: &str, place: usize, direction| DatasetRecord {
            node: Some(node.into()),
            dataset: format!("d{place}"),
            direction,
            bytes: Some(1),
            stamp: Some(contents[place].into()),
            ..DatasetRecord::default()
        };
        let datasets = nodes.iter().enumerate().flat_map(|(place, node)| {
            [record(node, place, Direction::Load), record(node, place + 1, Direction::Save)]
        });
        let datasets = datasets.collect();
        let of = |node: &&str| NodeRecord { node: (*node).into(), ..NodeRecord::default() };
        let nodes = nodes.iter().map(of).collect();
        Whole { id: run_id(id), run, nodes, datasets, parameters: None, diff: None, failure: None }
    }

    async fn texts(first: &Whole, second: &Whole) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let compared = compare(folder.path(), None, first, second).await;
        let text = |cause: &Cause| format!("{:?} {}: {}", cause.verdict, cause.text, cause.because);
        compared.causes.iter().map(text).collect()
    }

    #[tokio::test]
    async fn the_contents_of_datasets_tell_where_runs_part() {
        let nodes = ["a", "b", "c"];
        let before = chain(1, &nodes, &["0", "1", "2", "3"], "3.11.1");
        assert_eq!(
            texts(&before, &chain(2, &nodes, &["0", "1", "2", "3"], "3.11.1")).await,
            [""; 0]
        );
        // Nothing differs but what `b` made.
        let other = chain(2, &nodes, &["0", "1", "x", "y"], "3.11.1");
        assert_eq!(
            texts(&before, &other).await,
            ["Possible b makes something else each time, or reads what is not recorded: \
              its inputs are the same, its outputs differ"]
        );
        // A version concerns all nodes, and `b` shows it first.
        let other = chain(2, &nodes, &["0", "1", "x", "y"], "3.12.0");
        assert_eq!(
            texts(&before, &other).await,
            ["Likely Python: 3.11.1 → 3.12.0: the inputs of b are the same, its outputs differ"]
        );
        let same = chain(2, &nodes, &["0", "1", "2", "3"], "3.12.0");
        assert_eq!(
            texts(&before, &same).await,
            ["RuledOut Python: 3.11.1 → 3.12.0: the outputs of a and 2 others are the same"]
        );
        let data = chain(2, &nodes, &["z", "w", "x", "y"], "3.11.1");
        assert_eq!(
            texts(&before, &data).await,
            ["Likely data of d0: it was made before these runs"]
        );
        let without = chain(2, &["a", "b"], &["0", "1", "2"], "3.11.1");
        assert_eq!(texts(&before, &without).await, ["Possible node removed: c: "]);
        let mut sliced = without.clone();
        sliced.run.new.request = r#"{"nodes":["a","b"]}"#.into();
        assert_eq!(texts(&before, &sliced).await, [""; 0], "a smaller run was asked for");
    }

    #[tokio::test]
    async fn a_parameter_of_an_older_run_may_be_the_cause() {
        let mut first = chain(1, &["a"], &["0", "1"], "3.11.1");
        let mut second = chain(2, &["a"], &["0", "2"], "3.11.1");
        first.parameters = Some(serde_json::json!({"depth": 1}));
        second.parameters = Some(serde_json::json!({"depth": 2}));
        let found = texts(&first, &second).await;
        assert_eq!(found[0], "Possible parameter depth changed: 1 → 2: ");
    }
}
