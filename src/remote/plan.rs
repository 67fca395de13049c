//! Which nodes of a pipeline share a task of an engine.
//!
//! Tasks run in processes of their own, so a dataset that lives in memory never gets from one task to another.
//! [`Plan::of`] puts the nodes that pass such datasets into one task. Nothing here knows of an engine, but
//! for the form of ids.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

use indexmap::{IndexMap, IndexSet};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::slug::slug;
use crate::project::{Node, Pipeline, Snapshot, makers, strip_transcoding};
use crate::text::{UserError, did_you_mean};

/// The beginning of tags that group, unless another one is named.
const TAG: &str = "group.";

/// Which nodes share a task. Nodes that pass datasets in memory always do, but with [`Grouping::Node`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Grouping {
    /// Only nodes that pass datasets in memory, and nodes between them.
    #[default]
    Memory,
    /// None: a task for each node.
    Node,
    /// Nodes of one top-level namespace too.
    Namespace,
    /// Nodes with the same tag too, among the tags that begin so.
    Tag(String),
}

impl FromStr for Grouping {
    type Err = UserError;

    /// Reads `memory`, `node`, `namespace`, `tag`, or `tag:` with the beginning of the tags that group.
    fn from_str(text: &str) -> Result<Self, UserError> {
        match text {
            "memory" => Ok(Grouping::Memory),
            "node" => Ok(Grouping::Node),
            "namespace" => Ok(Grouping::Namespace),
            "tag" => Ok(Grouping::Tag(TAG.to_owned())),
            _ => match text.strip_prefix("tag:") {
                Some(begin) => Ok(Grouping::Tag(begin.to_owned())),
                None => Err(UserError::hinted(
                    format!("There is no grouping `{text}`."),
                    "Groupings are `memory`, `node`, `namespace`, `tag` and `tag:PREFIX`.",
                )),
            },
        }
    }
}

/// A task and the nodes that it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTask {
    /// Id of the task: lower-case letters, digits and dashes.
    pub id: String,
    /// Names of the nodes, in the pipeline's order.
    pub nodes: Vec<String>,
    /// Ids of the tasks that must end before, in the plan's order.
    pub upstream: Vec<String>,
}

/// The tasks of a pipeline, each behind all that must end before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Name of the pipeline.
    pub pipeline: String,
    /// The tasks in topological order.
    pub tasks: Vec<PlannedTask>,
}

/// A dataset in memory that would have to get from one task to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Name of the dataset.
    pub dataset: String,
    /// The node that makes the dataset.
    pub from: String,
    /// A node that reads the dataset.
    pub to: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` from `{}` to `{}`", self.dataset, self.from, self.to)
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No pipeline is registered under the name.
    #[error("There is no pipeline `{name}`.{hint}")]
    NoPipeline {
        /// The name.
        name: String,
        /// A similar name, as a sentence with a space before it; may be empty.
        hint: String,
    },
    /// The reading of the project is missing a part of the pipeline.
    #[error(
        "A part of pipeline `{0}` could not be read, so its tasks are not known. The exact reading, by Kedro itself, gives them."
    )]
    Incomplete(String),
    /// The pipeline has no nodes.
    #[error("Pipeline `{0}` has no nodes.")]
    Empty(String),
    /// Nodes depend on each other in a circle.
    #[error("These nodes depend on each other in a circle: {}.", listed(.0))]
    Circle(Vec<String>),
    /// Tasks would depend on each other in a circle.
    #[error(
        "With this grouping, tasks would wait for each other in a circle: {}. Group by `memory`, or change the groups.",
        .0.iter().map(|task| listed(task)).collect::<Vec<_>>().join(" and ")
    )]
    GroupCircle(Vec<Vec<String>>),
    /// Datasets in memory would have to get from one task to another.
    #[error(
        "These datasets live in memory, and tasks don't share memory: {}. Group by `memory`, or add them to the catalog.",
        .0.iter().map(Lost::to_string).collect::<Vec<_>>().join(", ")
    )]
    Lost(Vec<Lost>),
    /// Two tasks would have the same id.
    #[error(
        "{} and {} would both be task `{id}`. Rename one of them.", listed(.first), listed(.second)
    )]
    SameId {
        /// The id.
        id: String,
        /// Nodes of one task.
        first: Vec<String>,
        /// Nodes of the other task.
        second: Vec<String>,
    },
    /// A name without a letter and a digit makes no id.
    #[error("No task can be named after {}: an id needs letters or digits.", listed(.0))]
    NoId(Vec<String>),
    /// A node has several tags that group.
    #[error("Node `{node}` has several tags that group: {}. Remove all but one.", listed(.tags))]
    Tags {
        /// The node.
        node: String,
        /// Its tags.
        tags: Vec<String>,
    },
}

impl From<PlanError> for UserError {
    fn from(error: PlanError) -> Self {
        error.to_string().into()
    }
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A dataset that gets from one node to another; nodes are numbered in the pipeline's order.
struct Passed<'a> {
    dataset: &'a str,
    from: usize,
    to: usize,
    in_memory: bool,
}

impl Plan {
    /// The tasks of a pipeline.
    ///
    /// # Errors
    /// When the pipeline is not there or not wholly known, or when the grouping is not possible.
    pub fn of(snapshot: &Snapshot, pipeline: &str, grouping: &Grouping) -> Result<Plan, PlanError> {
        let Some(pipeline) = snapshot.pipeline(pipeline) else {
            let names = snapshot.pipelines.iter().map(|pipeline| pipeline.name.as_str());
            let hint = did_you_mean(pipeline, names);
            return Err(PlanError::NoPipeline { name: pipeline.to_owned(), hint });
        };
        if !pipeline.complete {
            return Err(PlanError::Incomplete(pipeline.name.clone()));
        }
        if pipeline.nodes.is_empty() {
            return Err(PlanError::Empty(pipeline.name.clone()));
        }
        let passed = passed(snapshot, pipeline);
        let nodes: Vec<&Node> = pipeline.nodes.iter().map(|node| &**node).collect();
        let groups = groups(&nodes, &passed, grouping)?;
        Ok(Plan { pipeline: pipeline.name.clone(), tasks: tasks(&nodes, &passed, &groups)? })
    }

    /// The task that runs a node.
    pub fn task_of(&self, node: &str) -> Option<&PlannedTask> {
        self.tasks.iter().find(|task| task.nodes.iter().any(|name| name == node))
    }
}

/// The nodes of tasks that only their ids are known of, such as those of a DAG that kedro-airflow has made: `task` holds
/// the nodes that a plan of the pipeline would give it, or the node whose name becomes its id. The pipeline is looked at
/// first, then the others. Tasks that fit no node are left out.
pub fn nodes_by_name<'t>(
    snapshot: &Snapshot,
    pipeline: &str,
    tasks: impl Iterator<Item = &'t str>,
) -> HashMap<String, Vec<String>> {
    let mut pipelines: Vec<&Pipeline> = snapshot.pipelines.iter().collect();
    pipelines.sort_by_key(|one| one.name != pipeline);
    let mut known: HashMap<String, Vec<String>> = HashMap::new();
    for one in pipelines {
        let plans = [Grouping::Memory, Grouping::Namespace];
        let plans =
            plans.iter().filter_map(|grouping| Plan::of(snapshot, &one.name, grouping).ok());
        for task in plans.flat_map(|plan| plan.tasks) {
            known.entry(task.id).or_insert(task.nodes);
        }
        for node in &one.nodes {
            known.entry(slug(&node.name)).or_insert_with(|| vec![node.name.clone()]);
        }
    }
    let found = |task: &str| Some((task.to_owned(), known.get(&slug(task))?.clone()));
    tasks.filter_map(found).collect()
}

/// What gets from node to node. A dataset under several transcodings is one dataset.
fn passed<'a>(snapshot: &Snapshot, pipeline: &'a Pipeline) -> Vec<Passed<'a>> {
    let numbers: HashMap<&str, usize> =
        pipeline.nodes.iter().enumerate().map(|(at, node)| (node.name.as_str(), at)).collect();
    let makers: HashMap<&str, &Node> = makers(pipeline.nodes.iter().map(|node| &**node)).collect();
    let in_memory = |name: &str| snapshot.datasets.get(name).is_none_or(|entry| entry.in_memory());
    let mut passed = Vec::new();
    for (to, node) in pipeline.nodes.iter().enumerate() {
        for input in &node.inputs {
            let base = strip_transcoding(input);
            let Some(maker) = makers.get(base) else { continue };
            let written = maker.outputs.iter().filter(|name| strip_transcoding(name) == base);
            passed.push(Passed {
                dataset: base,
                from: numbers[maker.name.as_str()],
                to,
                in_memory: in_memory(input) || written.clone().any(|name| in_memory(name)),
            });
        }
    }
    passed
}

/// Node numbers by task, tasks in topological order.
struct Groups {
    members: Vec<Vec<usize>>,
    /// What a task is called, from its nodes.
    names: Vec<String>,
}

fn groups(nodes: &[&Node], passed: &[Passed], grouping: &Grouping) -> Result<Groups, PlanError> {
    let count = nodes.len();
    let forward = passed.iter().map(|edge| (edge.from, edge.to));
    if let Some(circle) = circles(count, forward.clone()).into_iter().next() {
        return Err(PlanError::Circle(names(nodes, &circle)));
    }
    if *grouping == Grouping::Node {
        let lost: Vec<Lost> =
            passed.iter().filter(|edge| edge.in_memory).map(lost(nodes)).collect();
        if !lost.is_empty() {
            return Err(PlanError::Lost(lost));
        }
    }
    // Where memory is shared, each node can be reached from the other. What lies between two such nodes is then
    // strongly connected with them, and this is right: otherwise their task would wait for itself.
    let back = passed.iter().filter(|edge| edge.in_memory).map(|edge| (edge.to, edge.from));
    let shared = components(count, forward.clone().chain(back));
    let keys: Vec<Option<&str>> =
        nodes.iter().map(|node| key(node, grouping)).collect::<Result<_, _>>()?;
    let mut last: HashMap<&str, usize> = HashMap::new();
    let mut joined = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let before = key.and_then(|key| last.insert(key, at));
        joined.extend(before.map(|before| (before, at)));
    }
    joined.extend(shared.iter().flat_map(|group| group.windows(2)).map(|two| (two[0], two[1])));
    let both_ways = joined.iter().flat_map(|&(one, other)| [(one, other), (other, one)]);
    let mut groups = components(count, both_ways);
    groups.sort();
    let owner = owners(count, &groups);
    let between = passed.iter().map(|edge| (owner[edge.from], owner[edge.to]));
    let between: Vec<_> = between.filter(|(from, to)| from != to).collect();
    if let Some(circle) = circles(groups.len(), between.iter().copied()).into_iter().next() {
        let tasks = circle.iter().map(|&group| names(nodes, &groups[group])).collect();
        return Err(PlanError::GroupCircle(tasks));
    }
    let order = order(groups.len(), &between);
    let members: Vec<_> = order.into_iter().map(|group| groups[group].clone()).collect();
    let name = |group: &Vec<usize>| {
        let parts: IndexSet<&str> =
            group.iter().map(|&at| keys[at].unwrap_or(&nodes[at].name)).collect();
        parts.into_iter().collect::<Vec<_>>().join("_")
    };
    Ok(Groups { names: members.iter().map(name).collect(), members })
}

/// The namespace or tag that a node is grouped by: nodes with the same one share a task.
fn key<'a>(node: &'a Node, grouping: &Grouping) -> Result<Option<&'a str>, PlanError> {
    match grouping {
        Grouping::Memory | Grouping::Node => Ok(None),
        Grouping::Namespace => {
            Ok(node.namespace.as_deref().and_then(|namespace| namespace.split('.').next()))
        }
        Grouping::Tag(begin) => {
            let tags: Vec<_> = node.tags.iter().filter(|tag| tag.starts_with(begin)).collect();
            if tags.len() > 1 {
                let tags = tags.into_iter().cloned().collect();
                return Err(PlanError::Tags { node: node.name.clone(), tags });
            }
            Ok(tags.first().map(|tag| tag.as_str()))
        }
    }
}

fn tasks(
    nodes: &[&Node],
    passed: &[Passed],
    groups: &Groups,
) -> Result<Vec<PlannedTask>, PlanError> {
    let owner = owners(nodes.len(), &groups.members);
    let mut above = vec![Vec::new(); groups.members.len()];
    for edge in passed {
        let (from, to) = (owner[edge.from], owner[edge.to]);
        if from != to && !above[to].contains(&from) {
            above[to].push(from);
        }
    }
    let mut tasks: IndexMap<String, Vec<String>> = IndexMap::new();
    for (group, name) in groups.members.iter().zip(&groups.names) {
        let (id, members) = (slug(name), names(nodes, group));
        if id.is_empty() {
            return Err(PlanError::NoId(members));
        }
        if let Some(first) = tasks.get(&id) {
            let first = first.clone();
            return Err(PlanError::SameId { id, first, second: members });
        }
        tasks.insert(id, members);
    }
    let ids: Vec<String> = tasks.keys().cloned().collect();
    let upstream = above.into_iter().map(|mut above| {
        above.sort_unstable();
        above.into_iter().map(|at| ids[at].clone()).collect()
    });
    Ok(tasks
        .into_iter()
        .zip(upstream)
        .map(|((id, nodes), upstream)| PlannedTask { id, nodes, upstream })
        .collect())
}

fn lost(nodes: &[&Node]) -> impl Fn(&Passed) -> Lost {
    |edge| Lost {
        dataset: edge.dataset.to_owned(),
        from: nodes[edge.from].name.clone(),
        to: nodes[edge.to].name.clone(),
    }
}

fn names(nodes: &[&Node], which: &[usize]) -> Vec<String> {
    which.iter().map(|&at| nodes[at].name.clone()).collect()
}

/// The group of each of `count` nodes.
fn owners(count: usize, groups: &[Vec<usize>]) -> Vec<usize> {
    let mut owner = vec![0; count];
    for (number, group) in groups.iter().enumerate() {
        group.iter().for_each(|&at| owner[at] = number);
    }
    owner
}

fn graph(count: usize, edges: impl Iterator<Item = (usize, usize)>) -> DiGraph<(), ()> {
    let mut graph = DiGraph::new();
    for _ in 0..count {
        graph.add_node(());
    }
    for (from, to) in edges {
        graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
    }
    graph
}

/// A topological order in which, of what can come next, the smallest number does.
fn order(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut waits = vec![0_usize; count];
    let mut below = vec![Vec::new(); count];
    for &(from, to) in edges {
        waits[to] += 1;
        below[from].push(to);
    }
    let mut ready: BTreeSet<usize> = (0..count).filter(|at| waits[*at] == 0).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(next) = ready.pop_first() {
        order.push(next);
        for &to in &below[next] {
            waits[to] -= 1;
            if waits[to] == 0 {
                ready.insert(to);
            }
        }
    }
    order
}

/// The strongly connected parts, each in increasing order.
fn components(count: usize, edges: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    let sorted = |part: Vec<NodeIndex>| {
        let mut part: Vec<usize> = part.into_iter().map(NodeIndex::index).collect();
        part.sort_unstable();
        part
    };
    kosaraju_scc(&graph(count, edges)).into_iter().map(sorted).collect()
}

/// The parts that go round in a circle.
fn circles(count: usize, edges: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    components(count, edges).into_iter().filter(|part| part.len() > 1).collect()
}

#[cfg(test)]
mod tests;
