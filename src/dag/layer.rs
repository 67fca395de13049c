//! The catalog's layers (`metadata.kedro-viz.layer`), in pipeline order.

use std::collections::{BTreeSet, VecDeque};

use indexmap::{IndexMap, IndexSet};

use super::{Graph, Id, VertexKind, View};
use crate::project::{Dataset, strip_transcoding};

/// The layers of a pipeline's datasets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layers {
    /// Names of the layers in topological order; empty if they are cyclic.
    pub names: Vec<String>,
    /// For each vertex of the whole graph, the index of its layer.
    pub of: Vec<Option<usize>>,
    /// If the layers depend on each other in a cycle: the layers on cycles and their descendants. Kedro-Viz
    /// shows no layers then.
    pub cyclic: Vec<String>,
}

impl Layers {
    /// The layers of a whole graph, in the order of Kedro-Viz (`kedro_viz.services.layers.sort_layers`): a
    /// layer depends on another if one of its datasets is a descendant of one of the other's. Independent
    /// layers are sorted by name as far as Kedro-Viz defines their order.
    pub fn of(graph: &Graph, datasets: &IndexMap<String, Dataset>) -> Self {
        let mut named: Vec<Option<&str>> = vec![None; graph.vertices.len()];
        for (name, dataset) in datasets {
            let Some(layer) = dataset.layer.as_deref() else { continue };
            if let Some(id) = graph.find(VertexKind::Dataset, strip_transcoding(name)) {
                // If there are several transcoded forms, the first one counts.
                named[id] = named[id].or(Some(layer));
            }
        }
        let all: IndexSet<&str> =
            named.iter().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let own: Vec<Option<usize>> =
            named.iter().map(|name| name.and_then(|name| all.get_index_of(name))).collect();
        let before = dependencies(graph, &own, all.len());
        let order = sort(&before);
        let name = |layer: &usize| all[*layer].to_owned();
        if order.len() < all.len() {
            let cyclic = (0..all.len()).filter(|layer| !order.contains(layer));
            return Layers {
                cyclic: cyclic.map(|layer| name(&layer)).collect(),
                of: vec![None; own.len()],
                ..Layers::default()
            };
        }
        let place = |layer: usize| order.iter().position(|other| *other == layer);
        Layers {
            names: order.iter().map(name).collect(),
            of: own.iter().map(|layer| layer.and_then(place)).collect(),
            cyclic: Vec::new(),
        }
    }

    /// The layer of a displayed vertex: that of its dataset; for a collapsed namespace the layer that all of
    /// its datasets share, ignoring those without a layer.
    pub fn shown(&self, view: &View, vertex: Id) -> Option<usize> {
        let mut layers = view.members[vertex].iter().filter_map(|member| self.of[*member]);
        let first = layers.next()?;
        layers.all(|layer| layer == first).then_some(first)
    }
}

/// For each layer, the layers that it depends on.
fn dependencies(graph: &Graph, own: &[Option<usize>], count: usize) -> Vec<BTreeSet<usize>> {
    let words = count.div_ceil(64);
    // For each vertex, the layers of its ancestors as a bit set.
    let mut above = vec![0_u64; graph.vertices.len() * words];
    let order = graph.order();
    let cyclic = graph.cycles().iter().any(Option::is_some);
    let mut changed = true;
    while std::mem::take(&mut changed) {
        for id in &order {
            for parent in &graph.parents[*id] {
                for word in 0..words {
                    let mut bits = above[parent * words + word];
                    if let Some(layer) = own[*parent].filter(|layer| layer / 64 == word) {
                        bits |= 1 << (layer % 64);
                    }
                    let mine = &mut above[id * words + word];
                    // On a cycle (a broken project) repeat until nothing changes.
                    changed |= cyclic && *mine | bits != *mine;
                    *mine |= bits;
                }
            }
        }
    }
    let mut before = vec![BTreeSet::new(); count];
    for (id, layer) in own.iter().enumerate() {
        let Some(layer) = layer else { continue };
        let bits = &above[id * words..(id + 1) * words];
        let others = (0..count).filter(|other| bits[other / 64] >> (other % 64) & 1 == 1);
        before[*layer].extend(others.filter(|other| other != layer));
    }
    before
}

/// The layers in the order of Python's `graphlib.TopologicalSorter`, without those on cycles and their
/// descendants.
fn sort(before: &[BTreeSet<usize>]) -> Vec<usize> {
    // The sorter's order depends on when layers are first named; each layer is followed by its dependencies.
    let named: IndexSet<usize> = (0..before.len())
        .flat_map(|layer| std::iter::once(layer).chain(before[layer].clone()))
        .collect();
    let mut waits: Vec<usize> = before.iter().map(BTreeSet::len).collect();
    let mut ready: VecDeque<usize> = named.into_iter().filter(|layer| waits[*layer] == 0).collect();
    let mut order = Vec::new();
    while let Some(layer) = ready.pop_front() {
        order.push(layer);
        for next in (0..before.len()).filter(|next| before[*next].contains(&layer)) {
            waits[next] -= 1;
            if waits[next] == 0 {
                ready.push_back(next);
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::super::samples::{graph, id};
    use super::super::view::{Choices, Fold};
    use super::*;

    /// The layers of a graph; `list` assigns layers to datasets as `dataset=layer`.
    fn layers(graph: &Graph, list: &str) -> Layers {
        let dataset = |text: &str| {
            let (name, layer) = text.split_once('=').unwrap();
            (name.to_owned(), Dataset { layer: Some(layer.to_owned()), ..Dataset::default() })
        };
        Layers::of(graph, &list.split_whitespace().map(dataset).collect())
    }

    #[test]
    fn layers_follow_the_pipeline() {
        // The example in Kedro-Viz's documentation.
        let docs = graph("d1 -> a -> d2\nd2 -> b -> d3 d4\nd3 -> c -> d5\nd4 d5 -> e -> d6");
        for (list, expected) in [
            ("d1=a d3=b d5=c d6=d", "a b c d"),
            ("d1=z d3=y d5=x d6=w", "z y x w"),
            ("d1=raw d2@pandas=mid d2@spark=other d6=end", "raw mid end"),
            ("d1=raw d3=raw d6=end unused=gone", "raw end"),
            ("d3=two d4=one", "one two"),
            ("d4=a d5=b d3=c d6=d", "a c b d"),
            ("", ""),
        ] {
            let layers = layers(&docs, list);
            assert_eq!(layers.names.join(" "), expected, "{list}");
            assert_eq!(layers.cyclic, Vec::<String>::new());
        }
        let found = layers(&docs, "d1=raw d6=end");
        assert_eq!(found.of[id(&docs, "d6")], Some(1));
        assert_eq!(found.of[id(&docs, "e")], None);
    }

    #[test]
    fn cyclic_layers_are_reported() {
        let line = graph("d1 -> a -> d2\nd2 -> b -> d3\nd3 -> c -> d4");
        let found = layers(&line, "d1=one d2=two d3=one d4=end");
        assert_eq!((found.names.len(), found.cyclic.join(" ")), (0, "end one two".to_owned()));
        assert!(found.of.iter().all(Option::is_none));
    }

    #[test]
    fn a_collapsed_namespace_has_the_layer_that_its_datasets_share() {
        let whole = graph("raw -> a.one -> a.x\na.x -> a.two -> a.y\na.y -> a.three -> z");
        let choices =
            Choices { folds: [("a".to_owned(), Fold::Collapsed)].into(), ..Choices::default() };
        let view = View::of(&whole, &choices, |_| true);
        let found = view.graph.find(VertexKind::Namespace, "a").unwrap();
        let shown_layer = |list: &str| {
            let layers = layers(&whole, list);
            layers.shown(&view, found).map(|layer| layers.names[layer].clone())
        };
        assert_eq!(shown_layer("raw=raw a.x=mid a.y=mid z=end"), Some("mid".to_owned()));
        assert_eq!(shown_layer("a.y=mid"), Some("mid".to_owned()));
        assert_eq!(shown_layer("a.x=mid a.y=late"), None);
    }
}
