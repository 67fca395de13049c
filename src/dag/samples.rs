//! Sample pipelines and graphs for tests: written as text, generated, and large.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Graph, Id, VertexKind};
use crate::project::{Node, Pipeline};

/// A pipeline from lines `inputs -> node #tag -> outputs`; the part of a node's name before the last dot is
/// its namespace.
pub fn pipeline(lines: &str) -> Pipeline {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let nodes = lines.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let parts: Vec<&str> = line.split("->").collect();
        let named = words(parts[1]);
        Arc::new(Node {
            name: named[0].clone(),
            func_name: named[0].rsplit('.').next().unwrap_or_default().to_owned(),
            namespace: named[0].rsplit_once('.').map(|(namespace, _)| namespace.to_owned()),
            tags: named[1..].iter().map(|tag| tag.trim_start_matches('#').to_owned()).collect(),
            inputs: words(parts[0]),
            outputs: words(parts[2]),
            ..Node::default()
        })
    });
    Pipeline { name: "demo".to_owned(), nodes: nodes.collect(), ..Pipeline::default() }
}

/// The graph of [`pipeline`].
pub fn graph(lines: &str) -> Graph {
    Graph::of(&pipeline(lines))
}

/// The vertex of that name, of any kind.
pub fn id(graph: &Graph, name: &str) -> Id {
    graph
        .vertices
        .iter()
        .position(|vertex| vertex.name == name)
        .unwrap_or_else(|| panic!("no `{name}`"))
}

/// Pipelines of up to 14 nodes in nested namespaces, with parameters. A node may read what a later one
/// writes, so there are occasional cycles, as in broken projects.
pub fn any_pipeline() -> impl Strategy<Value = Pipeline> {
    let spaces = ["", "", "a.", "a.b.", "a.b.c.", "d.", "d.e."];
    let node = (0..spaces.len(), proptest::collection::vec(0..100_usize, 0..4), 0..3_usize);
    proptest::collection::vec(node, 1..14).prop_map(move |nodes| {
        let written: Vec<usize> =
            nodes.iter().scan(0, |sum, node| Some(std::mem::replace(sum, *sum + node.2))).collect();
        let lines = nodes.iter().enumerate().map(|(at, (space, reads, writes))| {
            let input = |read: &usize| match *read {
                0..5 => format!("params:p{read}"),
                5..20 => format!("raw{}", read % 4),
                20..25 => format!("x{read}"),
                _ => format!("x{}", read % written[at].max(1)),
            };
            let inputs: Vec<String> = reads.iter().map(input).collect();
            let outputs: Vec<String> =
                (0..*writes).map(|one| format!("x{}", written[at] + one)).collect();
            let name = format!("{}n{at}", spaces[*space]);
            format!("{} -> {name} #t{} -> {}", inputs.join(" "), at % 3, outputs.join(" "))
        });
        pipeline(&lines.collect::<Vec<_>>().join("\n"))
    })
}

/// Graphs of any shape, including cycles and self-loops.
pub fn any_graph() -> impl Strategy<Value = Graph> {
    (1..20_usize, 0..40_usize).prop_flat_map(|(vertices, edges)| {
        proptest::collection::vec((0..vertices, 0..vertices), edges).prop_map(move |edges| {
            let mut graph = Graph::default();
            for id in 0..vertices {
                graph.insert(VertexKind::Node, &id.to_string(), None);
            }
            for (from, to) in edges {
                graph.connect(from, to);
            }
            graph
        })
    })
}

/// A layered pipeline of about `vertices` vertices in 40 namespaces. Many nodes read a hub and parameters.
pub fn large(vertices: usize) -> Pipeline {
    let nodes = vertices * 4 / 9;
    let lines = (0..nodes).map(|at| {
        let space = at % 40;
        let near = at.saturating_sub(40);
        let far = (at * 7919) % 10_007 % at.max(1);
        let inputs = format!("s{}.x{near} s{}.x{far} params:p{space} hub", near % 40, far % 40);
        format!("{inputs} -> s{space}.t{}.n{at} #t{} -> s{space}.x{at}", at % 3, at % 5)
    });
    pipeline(&lines.collect::<Vec<_>>().join("\n"))
}
