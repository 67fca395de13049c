//! Which layer each vertex lies in.

use crate::dag::Graph;

/// The layer of each vertex, from 0: below all that leads to it, and what nothing leads to right
/// above the first that it leads to.
pub(super) fn layers(graph: &Graph) -> Vec<usize> {
    let count = graph.vertices.len();
    let order = topological(graph);
    let mut at = vec![0usize; count];
    for (index, id) in order.iter().enumerate() {
        at[*id] = index;
    }
    // An edge that points back in the order closes a circle; it counts as its reverse.
    let lower = |id: usize| {
        let children = graph.children[id].iter().copied().filter(move |it| *it != id);
        let parents = graph.parents[id].iter().copied();
        let (children, parents) = (children.collect::<Vec<_>>(), parents.collect::<Vec<_>>());
        children.into_iter().chain(parents)
    };
    let mut layer = vec![0usize; count];
    for id in &order {
        for other in lower(*id).filter(|other| at[*other] > at[*id]) {
            layer[other] = layer[other].max(layer[*id] + 1);
        }
    }
    for id in order.iter().rev() {
        if !lower(*id).any(|other| at[other] < at[*id]) {
            let below = lower(*id).filter(|other| at[*other] > at[*id]);
            if let Some(first) = below.map(|other| layer[other]).min() {
                layer[*id] = first.saturating_sub(1);
            }
        }
    }
    layer
}

/// All vertices, each after those that lead to it; where there is a circle, one of its vertices
/// comes first.
fn topological(graph: &Graph) -> Vec<usize> {
    let count = graph.vertices.len();
    let mut waiting: Vec<usize> = graph.parents.iter().map(Vec::len).collect();
    let mut done = vec![false; count];
    let mut order = Vec::with_capacity(count);
    let mut ready: std::collections::VecDeque<usize> =
        (0..count).filter(|id| waiting[*id] == 0).collect();
    let mut next = 0;
    loop {
        while let Some(id) = ready.pop_front() {
            if std::mem::replace(&mut done[id], true) {
                continue;
            }
            order.push(id);
            for child in &graph.children[id] {
                waiting[*child] = waiting[*child].saturating_sub(1);
                if waiting[*child] == 0 {
                    ready.push_back(*child);
                }
            }
        }
        while next < count && done[next] {
            next += 1;
        }
        if next == count {
            return order;
        }
        ready.push_back(next);
    }
}
