use proptest::prelude::*;

use super::*;
use crate::dag::Graph;
use crate::project::{Node, Pipeline};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A pipeline of nodes `name: inputs -> outputs`.
fn graph(nodes: &[(&str, &str, &str)]) -> Graph {
    let names = |text: &str| text.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>();
    let nodes = nodes.iter().map(|(name, inputs, outputs)| {
        Arc::new(Node {
            name: (*name).into(),
            inputs: names(inputs),
            outputs: names(outputs),
            ..Node::default()
        })
    });
    Graph::of(&Pipeline { nodes: nodes.collect(), ..Pipeline::default() })
}

fn drawn(graph: &Graph, direction: Direction) -> String {
    let laid = layout(graph, direction, |id| (graph.vertices[id].name.len() as i32 + 2, 1));
    let mut cells: BTreeMap<(i32, i32), char> = BTreeMap::new();
    for route in &laid.routes {
        for cell in &route.cells {
            cells.insert((cell.1, cell.0), '.');
        }
        let (x, y) = *route.cells.last().unwrap();
        cells.insert((y, x), 'v');
    }
    for (id, it) in laid.boxes.iter().enumerate() {
        let text = format!("[{}]", graph.vertices[id].name);
        for (index, c) in text.chars().enumerate() {
            cells.insert((it.y, it.x + index as i32), c);
        }
    }
    let rows = (0..laid.height).map(|y| {
        let row: String =
            (0..laid.width).map(|x| cells.get(&(y, x)).copied().unwrap_or(' ')).collect();
        row.trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_diamond_stands_upright() {
    let graph = graph(&[
        ("split", "a", "b c"),
        ("left", "b", "d"),
        ("right", "c", "e"),
        ("join", "d e", "f"),
    ]);
    insta::assert_snapshot!(drawn(&graph, Direction::TopBottom));
}

#[test]
fn long_edges_keep_clear_of_boxes() {
    let graph = graph(&[
        ("one", "a", "b"),
        ("two", "b", "c"),
        ("three", "c a", "d"),
        ("four", "d b a", "e"),
    ]);
    insta::assert_snapshot!(drawn(&graph, Direction::TopBottom));
    insta::assert_snapshot!(drawn(&graph, Direction::LeftRight));
}

#[test]
fn nothing_and_a_single_box_can_be_drawn() {
    let empty = layout(&Graph::default(), Direction::TopBottom, |_| (1, 1));
    assert_eq!((empty.width, empty.height), (0, 0));
    let one = graph(&[("lonely", "", "")]);
    let laid = layout(&one, Direction::LeftRight, |_| (8, 3));
    assert_eq!((laid.width, laid.height), (8, 3));
}

#[test]
fn a_circle_is_drawn_all_the_same() {
    let graph = graph(&[("one", "a", "b"), ("two", "b", "a")]);
    check(&graph, Direction::TopBottom, 3);
}

/// What every drawing must hold.
fn check(graph: &Graph, direction: Direction, height: i32) {
    let size = |id: usize| {
        (graph.vertices[id].name.len() as i32 + 4, if id.is_multiple_of(3) { height } else { 1 })
    };
    let laid = layout(graph, direction, size);
    let again = layout(graph, direction, size);
    assert_eq!(laid.boxes, again.boxes);
    let inside = |it: &Rect, (x, y): (i32, i32)| {
        it.x <= x && x < it.x + it.width && it.y <= y && y < it.y + it.height
    };
    for (index, a) in laid.boxes.iter().enumerate() {
        assert!(a.x >= 0 && a.y >= 0);
        assert!(a.x + a.width <= laid.width && a.y + a.height <= laid.height);
        assert_eq!((a.width, a.height), size(index));
        for b in &laid.boxes[index + 1..] {
            let apart = a.x + a.width <= b.x
                || b.x + b.width <= a.x
                || a.y + a.height <= b.y
                || b.y + b.height <= a.y;
            assert!(apart, "boxes lie on each other: {a:?} {b:?}");
        }
    }
    let edges: usize = graph.children.iter().map(Vec::len).sum();
    assert_eq!(laid.routes.len(), edges);
    for route in &laid.routes {
        for pair in route.cells.windows(2) {
            let step = (pair[0].0 - pair[1].0).abs() + (pair[0].1 - pair[1].1).abs();
            assert_eq!(step, 1, "a route jumps: {:?}", route.cells);
        }
        for cell in &route.cells {
            assert!(laid.boxes.iter().all(|it| !inside(it, *cell)), "a route enters a box");
            assert!((0..laid.width).contains(&cell.0) && (0..laid.height).contains(&cell.1));
        }
        let touches = |it: &Rect, (x, y): (i32, i32)| {
            [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)].iter().any(|at| inside(it, *at))
        };
        assert!(touches(&laid.boxes[route.source], route.cells[0]));
        assert!(touches(&laid.boxes[route.target], *route.cells.last().unwrap()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn drawings_hold_together(
        nodes in prop::collection::vec(
            (prop::collection::vec(0usize..14, 0..4), prop::collection::vec(0usize..14, 0..3)), 0..14),
        sideways in any::<bool>(),
        circles in any::<bool>(),
    ) {
        let nodes: Vec<(String, String, String)> = nodes
            .iter()
            .enumerate()
            .map(|(index, (inputs, outputs))| {
                let join = |list: Vec<String>| list.join(" ");
                // Without circles a node writes only what comes after all that it reads.
                let low = inputs.iter().max().map_or(0, |it| it + 1);
                let outputs = outputs.iter().map(|it| if circles { *it } else { low + it % 3 });
                (
                    format!("node_{index}"),
                    join(inputs.iter().map(|it| format!("d{it}")).collect()),
                    join(outputs.map(|it| format!("d{it}")).collect()),
                )
            })
            .collect();
        let nodes: Vec<(&str, &str, &str)> =
            nodes.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
        let direction = if sideways { Direction::LeftRight } else { Direction::TopBottom };
        check(&graph(&nodes), direction, 3);
    }
}
