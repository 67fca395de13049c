//! Converts Kedro's objects to the types of the snapshot.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use super::super::interp::Interp;
use super::{KedroNode, KedroPipeline};
use crate::project::{Node, Pipeline};

impl<'a> Interp<'a> {
    /// The pipeline registered as `name`.
    pub(in super::super) fn snapshot(
        &mut self,
        name: &str,
        pipeline: &KedroPipeline<'a>,
    ) -> Pipeline {
        let nodes = self.sorted(pipeline);
        let inputs = free(&nodes, |node| (&node.inputs, &node.input_ids), |node| &node.output_ids);
        let outputs =
            free(&nodes, |node| (&node.outputs, &node.output_ids), |node| &node.input_ids);
        Pipeline {
            name: name.to_owned(),
            nodes: nodes.iter().map(|node| self.convert(node)).collect(),
            inputs,
            outputs,
            complete: pipeline.incomplete.is_none(),
        }
    }

    fn convert(&self, node: &Rc<KedroNode<'a>>) -> Arc<Node> {
        let strings = |names: &[Rc<str>]| names.iter().map(ToString::to_string).collect();
        let make = || {
            Arc::new(Node {
                name: node.name.to_string(),
                func_name: node.parts.func_info.readable.to_string(),
                namespace: node.parts.namespace.as_ref().map(ToString::to_string),
                tags: node.parts.tags.iter().map(ToString::to_string).collect(),
                inputs: strings(&node.inputs),
                outputs: strings(&node.outputs),
                source: node.parts.func_info.source.clone(),
                call: Some(node.parts.at.place()),
                callable: Some(self.callable(&node.parts)),
                reach: None,
            })
        };
        node.snapshot.get_or_init(make).clone()
    }
}

/// The names on one side that no node has on the other side, sorted: `Pipeline.inputs`, `.outputs`.
pub(super) fn free<'a>(
    nodes: &[Rc<KedroNode<'a>>],
    side: impl for<'n> Fn(&'n KedroNode<'a>) -> (&'n Vec<Rc<str>>, &'n Vec<u32>),
    other: impl for<'n> Fn(&'n KedroNode<'a>) -> &'n Vec<u32>,
) -> Vec<String> {
    let taken: HashSet<u32> = nodes.iter().flat_map(|node| other(node).iter().copied()).collect();
    let mut names: Vec<String> = Vec::new();
    for node in nodes {
        let (side, ids) = side(node);
        let left = side.iter().zip(ids).filter(|(_, id)| !taken.contains(id));
        names.extend(left.map(|(name, _)| name.to_string()));
    }
    names.sort();
    names.dedup();
    names
}
