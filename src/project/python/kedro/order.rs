//! The order of a pipeline's nodes: `Pipeline.grouped_nodes`.

use std::rc::Rc;

use super::{IdMap, KedroNode};

/// Nodes in groups that depend only on earlier groups, and the nodes on a cycle.
pub(super) struct Order<'a> {
    pub groups: Vec<Vec<Rc<KedroNode<'a>>>>,
    /// Nodes that depend on each other in a cycle, or on such nodes.
    pub circular: Vec<Rc<KedroNode<'a>>>,
}

/// Sorts like `graphlib.TopologicalSorter` when each group is finished at once. A group is sorted
/// by `Node._unique_key`, which starts with the unique node name.
pub(super) fn order<'a>(nodes: &[Rc<KedroNode<'a>>]) -> Order<'a> {
    let children = children(nodes);
    let mut waiting = vec![0_u32; nodes.len()];
    for child in children.iter().flatten() {
        waiting[*child] += 1;
    }
    let mut group: Vec<usize> = (0..nodes.len()).filter(|index| waiting[*index] == 0).collect();
    let mut groups = Vec::new();
    while !group.is_empty() {
        let mut next = Vec::new();
        for child in group.iter().flat_map(|index| &children[*index]) {
            waiting[*child] -= 1;
            if waiting[*child] == 0 {
                next.push(*child);
            }
        }
        groups.push(by_name(nodes, group));
        group = next;
    }
    let circular = (0..nodes.len()).filter(|index| waiting[*index] > 0).collect();
    Order { groups, circular: by_name(nodes, circular) }
}

fn by_name<'a>(nodes: &[Rc<KedroNode<'a>>], mut group: Vec<usize>) -> Vec<Rc<KedroNode<'a>>> {
    group.sort_by(|a, b| nodes[*a].name.cmp(&nodes[*b].name));
    group.into_iter().map(|index| nodes[index].clone()).collect()
}

/// The number of pairs of a node that outputs a dataset and a node that has it as an input.
pub(super) fn edges(nodes: &[Rc<KedroNode<'_>>]) -> usize {
    let mut makers: IdMap<usize> = IdMap::default();
    for id in nodes.iter().flat_map(|node| &node.output_ids) {
        *makers.entry(*id).or_default() += 1;
    }
    let takers = nodes.iter().flat_map(|node| &node.input_ids);
    takers.filter_map(|id| makers.get(id)).sum()
}

/// For each node, the distinct nodes that have one of its outputs as an input.
pub(super) fn children(nodes: &[Rc<KedroNode<'_>>]) -> Vec<Vec<usize>> {
    let mut makers: IdMap<Vec<usize>> = IdMap::default();
    for (index, node) in nodes.iter().enumerate() {
        for id in &node.output_ids {
            makers.entry(*id).or_default().push(index);
        }
    }
    let mut children = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        for parent in node.input_ids.iter().filter_map(|id| makers.get(id)).flatten() {
            let list: &mut Vec<usize> = &mut children[*parent];
            if *parent != index && list.last() != Some(&index) {
                list.push(index);
            }
        }
    }
    children
}
