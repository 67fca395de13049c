//! Subsets of a pipeline: `Pipeline.nodes`, `.inputs()`, `.only_nodes(...)`, `.filter(...)` and so
//! on.

use std::collections::HashSet;
use std::rc::Rc;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Dfs;

use super::super::call::Args;
use super::super::interp::{Eval, Interp, Stop};
use super::super::source::At;
use super::super::value::{Unknown, Value};
use super::{KedroNode, KedroPipeline, convert, order};
use crate::project::strip_transcoding;
use crate::text::is_within;

/// Positions of nodes in `KedroPipeline::nodes`.
type Selected = HashSet<usize>;

/// The arguments of `Pipeline.filter`, each with the method that it calls.
const FILTERS: [(&str, &str); 8] = [
    ("tags", "only_nodes_with_tags"),
    ("from_nodes", "from_nodes"),
    ("to_nodes", "to_nodes"),
    ("node_names", "only_nodes"),
    ("from_inputs", "from_inputs"),
    ("to_outputs", "to_outputs"),
    ("node_namespaces", "only_nodes_with_namespaces"),
    // The name before Kedro 1.
    ("node_namespace", "only_nodes_with_namespace"),
];

impl<'a> Interp<'a> {
    /// `pipeline.nodes` and the other attributes; methods are bound.
    pub(in super::super) fn pipeline_attribute(
        &mut self,
        pipeline: &Rc<KedroPipeline<'a>>,
        name: &str,
        at: At<'a>,
    ) -> Eval<'a> {
        if let "nodes" | "grouped_nodes" = name {
            self.room(2 * pipeline.nodes.len())?;
        }
        if let (Some(why), "nodes" | "grouped_nodes") = (&pipeline.incomplete, name) {
            let nodes = self.sorted(pipeline).into_iter().map(Value::Node).collect();
            let why = why.clone();
            return Ok(self.open_list(nodes, Some(why)));
        }
        Ok(match name {
            "nodes" => {
                let nodes = self.sorted(pipeline).into_iter().map(Value::Node).collect();
                self.list(nodes)
            }
            "grouped_nodes" => {
                let groups = self.groups(pipeline).to_vec();
                let groups = groups
                    .into_iter()
                    .map(|group| self.list(group.into_iter().map(Value::Node).collect()))
                    .collect();
                self.list(groups)
            }
            "node_dependencies" | "grouped_nodes_by_namespace" => self.not_evaluated(at),
            _ => Value::Method(Rc::new((Value::Pipeline(pipeline.clone()), name.into()))),
        })
    }

    /// Calls a method of a pipeline.
    pub(in super::super) fn pipeline_method(
        &mut self,
        pipeline: &Rc<KedroPipeline<'a>>,
        name: &str,
        args: Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        if let Some(why) = &args.open {
            return Ok(Value::Unknown(why.clone()));
        }
        match name {
            "inputs" | "outputs" | "all_inputs" | "all_outputs" | "datasets" | "data_sets" => {
                let named =
                    pipeline.nodes.iter().flat_map(|node| node.inputs.iter().chain(&node.outputs));
                self.bytes(named.map(|name| 2 * name.len() + 32).sum())?;
                let names = datasets(&pipeline.nodes, name);
                let open = pipeline.incomplete.clone();
                Ok(self.set(names.into_iter().map(Value::str), open, at))
            }
            "tag" => {
                let tags = self.read_names(args.positional.first().cloned(), at)?;
                if let Some(why) = &tags.missing {
                    self.report_missing("A tag of this pipeline's nodes", why);
                }
                let nodes = self.all_tagged(&pipeline.nodes, &tags.names)?;
                Ok(self.pipeline(nodes, pipeline.incomplete.clone(), at))
            }
            "filter" => {
                let known = FILTERS.map(|(argument, _)| argument);
                if let Some(unexpected) = args.unexpected(&known) {
                    let text = format!("`filter` does not take `{unexpected}`");
                    return self.raise(at, "TypeError", text, "Correct the argument's name.");
                }
                let mut incomplete = pipeline.incomplete.clone();
                let mut chosen: Option<Selected> = None;
                let values = args.bind(FILTERS.map(|(argument, _)| argument));
                for ((_, method), value) in FILTERS.iter().zip(values) {
                    let given = value.clone();
                    let Some(names) = self.filter_names(value, at)? else {
                        // The unknown filter may remove further nodes from the remaining ones.
                        let why = self.why(&given.unwrap_or(Value::None), at);
                        self.report_missing("Which nodes this filter leaves", &why);
                        incomplete.get_or_insert(why);
                        continue;
                    };
                    if names.is_empty() {
                        continue;
                    }
                    let Some(nodes) = self.choose(pipeline, method, &names, at)? else {
                        return Ok(self.not_evaluated(at));
                    };
                    chosen = Some(match chosen {
                        Some(chosen) => chosen.intersection(&nodes).copied().collect(),
                        None => nodes,
                    });
                }
                let all = || (0..pipeline.nodes.len()).collect();
                let chosen = chosen.unwrap_or_else(all);
                if chosen.is_empty() && incomplete.is_none() {
                    let text = "the pipeline has no nodes after all filters";
                    return self.raise(at, "ValueError", text, "Loosen the filters.");
                }
                Ok(self.part(pipeline, &chosen, incomplete, at))
            }
            _ => {
                let mut names = Vec::new();
                let given = args.positional.iter().chain(args.named.iter().map(|(_, value)| value));
                for value in given {
                    match self.filter_names(Some(value.clone()), at)? {
                        Some(read) => names.extend(read),
                        None => return Ok(Value::Unknown(self.why(value, at))),
                    }
                }
                match self.choose(pipeline, name, &names, at)? {
                    Some(chosen) => {
                        Ok(self.part(pipeline, &chosen, pipeline.incomplete.clone(), at))
                    }
                    None => Ok(self.not_evaluated(at)),
                }
            }
        }
    }

    fn part(
        &mut self,
        pipeline: &KedroPipeline<'a>,
        chosen: &Selected,
        incomplete: Option<Rc<Unknown>>,
        at: At<'a>,
    ) -> Value<'a> {
        let nodes = (pipeline.nodes.iter().enumerate())
            .filter(|(index, _)| chosen.contains(index))
            .map(|(_, node)| node.clone())
            .collect();
        self.pipeline(nodes, incomplete, at)
    }

    /// The strings in `value`; `None` if they are not all known.
    fn filter_names(
        &mut self,
        value: Option<Value<'a>>,
        at: At<'a>,
    ) -> Result<Option<Vec<Rc<str>>>, Stop<'a>> {
        match value {
            None | Some(Value::None) => Ok(Some(Vec::new())),
            value => {
                let read = self.read_names(value, at)?;
                Ok(read.missing.is_none().then(|| read.names.into_iter().collect()))
            }
        }
    }

    /// The nodes that the method `name` selects; `None` for an unknown method.
    fn choose(
        &mut self,
        pipeline: &KedroPipeline<'a>,
        name: &str,
        given: &[Rc<str>],
        at: At<'a>,
    ) -> Result<Option<Selected>, Stop<'a>> {
        let nodes = &pipeline.nodes;
        // Each name is compared with each node and all names in the node.
        let named = |node: &Rc<KedroNode<'a>>| {
            2 + node.inputs.len() + node.outputs.len() + node.parts.tags.len()
        };
        let count: usize = nodes.iter().map(named).sum();
        self.elements(count.saturating_mul(2 * given.len()))?;
        self.pay_for_edges(nodes)?;
        let with = |holds: &dyn Fn(&KedroNode<'a>) -> bool| -> Selected {
            (0..nodes.len()).filter(|index| holds(&nodes[*index])).collect()
        };
        let named = |node: &KedroNode<'a>| given.contains(&node.name);
        let touches = |names: &[Rc<str>]| {
            names.iter().any(|name| {
                given.iter().any(|given| {
                    name == given || (!given.contains('@') && strip_transcoding(name) == &**given)
                })
            })
        };
        let partial = self.metadata.kedro_major_minor() < (1, 0);
        let chosen = match name {
            "only_nodes_with_tags" => {
                with(&|node| given.iter().any(|tag| node.parts.tags.contains(tag)))
            }
            "only_nodes" => with(&named),
            "only_nodes_with_namespace" | "only_nodes_with_namespaces" => with(&|node| {
                node.parts.namespace.as_ref().is_some_and(|namespace| {
                    given.iter().any(|given| within(namespace, given, partial))
                })
            }),
            "from_nodes" => reach(nodes, with(&named), true),
            "to_nodes" => reach(nodes, with(&named), false),
            "only_nodes_with_inputs" => with(&|node| touches(&node.inputs)),
            "only_nodes_with_outputs" => with(&|node| touches(&node.outputs)),
            "from_inputs" => reach(nodes, with(&|node| touches(&node.inputs)), true),
            "to_outputs" => reach(nodes, with(&|node| touches(&node.outputs)), false),
            _ => return Ok(None),
        };
        if pipeline.incomplete.is_none() {
            self.check_given(nodes, name, given, at)?;
        }
        Ok(Some(chosen))
    }

    /// Kedro raises if the pipeline lacks a given node, dataset or namespace.
    fn check_given(
        &mut self,
        nodes: &[Rc<KedroNode<'a>>],
        method: &str,
        given: &[Rc<str>],
        at: At<'a>,
    ) -> Result<(), Stop<'a>> {
        let partial = self.metadata.kedro_major_minor() < (1, 0);
        for name in given {
            let known = match method {
                "only_nodes" | "from_nodes" | "to_nodes" => {
                    nodes.iter().any(|node| node.name == *name)
                }
                "only_nodes_with_tags" => true,
                "only_nodes_with_namespace" | "only_nodes_with_namespaces" => {
                    nodes.iter().any(|node| {
                        node.parts
                            .namespace
                            .as_ref()
                            .is_some_and(|space| within(space, name, partial))
                    })
                }
                _ => nodes.iter().any(|node| {
                    node.inputs
                        .iter()
                        .chain(&node.outputs)
                        .any(|dataset| dataset == name || strip_transcoding(dataset) == &**name)
                }),
            };
            if !known {
                let text = format!("the pipeline has no `{name}`");
                self.raise(at, "ValueError", text, "Correct the name.")?;
            }
        }
        Ok(())
    }
}

/// Whether `namespace` is `given` or lies inside it. Before Kedro 1, any common prefix was enough.
fn within(namespace: &str, given: &str, partial: bool) -> bool {
    is_within(namespace, given) || partial && namespace.starts_with(given)
}

/// The selected nodes with all their descendants (`along`), or with all their ancestors.
fn reach(nodes: &[Rc<KedroNode<'_>>], selected: Selected, along: bool) -> Selected {
    let children = order::children(nodes).into_iter().enumerate();
    let edges = children.flat_map(|(parent, children)| {
        children.into_iter().map(move |child| if along { (parent, child) } else { (child, parent) })
    });
    let mut graph = DiGraph::<(), (), usize>::from_edges(edges);
    // Nodes after the last one that has an edge.
    while graph.node_count() < nodes.len() {
        graph.add_node(());
    }
    let mut walk = Dfs::empty(&graph);
    walk.stack.extend(selected.into_iter().map(NodeIndex::new));
    std::iter::from_fn(|| walk.next(&graph)).map(NodeIndex::index).collect()
}

fn datasets(nodes: &[Rc<KedroNode<'_>>], method: &str) -> Vec<String> {
    let all = |outputs: bool, inputs: bool| {
        let mut names: Vec<String> = (nodes.iter())
            .flat_map(|node| {
                let outputs = node.outputs.iter().filter(move |_| outputs);
                outputs.chain(node.inputs.iter().filter(move |_| inputs))
            })
            .map(ToString::to_string)
            .collect();
        names.sort();
        names.dedup();
        names
    };
    match method {
        "inputs" => {
            convert::free(nodes, |node| (&node.inputs, &node.input_ids), |node| &node.output_ids)
        }
        "outputs" => {
            convert::free(nodes, |node| (&node.outputs, &node.output_ids), |node| &node.input_ids)
        }
        "all_inputs" => all(false, true),
        "all_outputs" => all(true, false),
        _ => all(true, true),
    }
}
