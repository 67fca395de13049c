use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::route::{Channel, Net};
use super::*;
use crate::dag::VertexKind;
use crate::project::{Node, Pipeline};

/// Parses lines: `a b -> f -> c` is a node `f` with inputs `a` and `b` and output `c`.
fn graph(lines: &str) -> Graph {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let nodes = lines.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let mut parts = line.split("->");
        let mut next = || words(parts.next().unwrap_or_default());
        let (inputs, name, outputs) = (next(), next().join(" "), next());
        Arc::new(Node { name, inputs, outputs, ..Node::default() })
    });
    Graph::of(&Pipeline { nodes: nodes.collect(), ..Pipeline::default() })
}

/// Boxes of three rows for nodes, one row for datasets.
fn boxed(graph: &Graph) -> impl Fn(usize) -> (i32, i32) + '_ {
    |id| {
        let vertex = &graph.vertices[id];
        let width = vertex.name.chars().count() as i32;
        if vertex.kind == VertexKind::Node { (width + 4, 3) } else { (width + 2, 1) }
    }
}

/// One row for all vertices.
fn chips(graph: &Graph) -> impl Fn(usize) -> (i32, i32) + '_ {
    |id| (graph.vertices[id].name.chars().count() as i32 + 2, 1)
}

fn drawn(lines: &str, direction: Direction) -> String {
    let graph = graph(lines);
    let layout = Sketch::of(&graph, direction, boxed(&graph)).layout();
    check(&layout);
    render(&graph, &layout)
}

fn drawn_both_ways(lines: &str) -> String {
    [Direction::TopBottom, Direction::LeftRight].map(|way| drawn(lines, way)).concat()
}

/// The drawing as text: lines joined where edges of one source share cells, arrows at targets, and a gap
/// where a line crosses under another.
fn render(graph: &Graph, layout: &Layout) -> String {
    let (width, height) = (layout.width, layout.height);
    let mut canvas = vec![vec![' '; width.max(0) as usize]; height.max(0) as usize];
    let glyphs: Vec<char> = " ╵╷│╴╯╮┤╶╰╭├─┴┬┼".chars().collect();
    for cell in Lines::of(layout).visible(Rect { x: 0, y: 0, width, height }) {
        let glyph = match cell.ways {
            _ if cell.under.is_some() => '╫',
            ways if ways & HEAD == 0 => glyphs[usize::from(ways)],
            _ => {
                let back = |route: &&Route| route.corners.last() == Some(&(cell.x, cell.y));
                let route = layout.routes.iter().find(back).expect("a route ends at its head");
                let target = &layout.boxes[route.target];
                match (cell.x, cell.y) {
                    (x, _) if x < target.x => '▶',
                    (x, _) if x >= target.x + target.width => '◀',
                    (_, y) if y < target.y => '▼',
                    _ => '▲',
                }
            }
        };
        canvas[cell.y as usize][cell.x as usize] = glyph;
    }
    for (area, vertex) in std::iter::zip(&layout.boxes, &graph.vertices) {
        let inner = (area.width - 2) as usize;
        let framed = area.height >= 3;
        let name: String = if framed {
            format!("│{:^inner$}│", vertex.name)
        } else {
            format!("({:^inner$})", vertex.name)
        };
        let mut rows = vec![name];
        if framed {
            rows.insert(0, format!("╭{}╮", "─".repeat(inner)));
            rows.push(format!("╰{}╯", "─".repeat(inner)));
        }
        for (row, text) in rows.iter().enumerate() {
            for (column, letter) in text.chars().enumerate() {
                canvas[area.y as usize + row][area.x as usize + column] = letter;
            }
        }
    }
    let lines = canvas.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned());
    format!("\n{}\n", lines.collect::<Vec<_>>().join("\n"))
}

fn touches(area: &Rect, (x, y): (i32, i32)) -> bool {
    let columns = (area.x..area.x + area.width).contains(&x);
    let rows = (area.y..area.y + area.height).contains(&y);
    let beside = x == area.x - 1 || x == area.x + area.width;
    let above = y == area.y - 1 || y == area.y + area.height;
    (columns && above) || (rows && beside)
}

/// The invariants of every layout.
fn check(layout: &Layout) {
    let mut taken: BTreeMap<(i32, i32), usize> = BTreeMap::new();
    for (id, area) in layout.boxes.iter().enumerate() {
        assert!(area.x >= 0 && area.y >= 0, "box {id} begins at {area:?}");
        assert!(area.x + area.width <= layout.width, "box {id} ends beyond the width");
        assert!(area.y + area.height <= layout.height, "box {id} ends beyond the height");
        for y in area.y..area.y + area.height {
            for x in area.x..area.x + area.width {
                assert_eq!(taken.insert((x, y), id), None, "boxes overlap at {x}, {y}");
            }
        }
    }
    // The source of the line in each cell, for horizontal and vertical lines separately.
    let mut runs: BTreeMap<((i32, i32), bool), usize> = BTreeMap::new();
    for route in &layout.routes {
        let cells: Vec<(i32, i32)> = route.cells().collect();
        let last = cells.len() - 1;
        assert!(touches(&layout.boxes[route.source], cells[0]), "{route:?} starts away");
        assert!(touches(&layout.boxes[route.target], cells[last]), "{route:?} ends away");
        let visited: BTreeSet<_> = cells.iter().collect();
        assert_eq!(visited.len(), cells.len(), "{route:?} meets itself");
        for (index, cell) in cells.iter().enumerate() {
            assert!((0..layout.width).contains(&cell.0) && (0..layout.height).contains(&cell.1));
            assert_eq!(taken.get(cell), None, "{route:?} enters a box");
            // A turn or an end occupies the cell for both directions.
            let near: Vec<(i32, i32)> = [index.checked_sub(1), Some(index + 1)]
                .into_iter()
                .flatten()
                .filter_map(|index| cells.get(index).copied())
                .collect();
            let level = near.len() == 2 && near.iter().all(|other| other.1 == cell.1);
            let upright = near.len() == 2 && near.iter().all(|other| other.0 == cell.0);
            for sideways in [true, false] {
                if (sideways && upright) || (!sideways && level) {
                    continue;
                }
                let owner = *runs.entry((*cell, sideways)).or_insert(route.source);
                assert_eq!(owner, route.source, "{route:?} joins a line of {owner} at {cell:?}");
            }
        }
        for pair in cells.windows(2) {
            let distance = (pair[0].0 - pair[1].0).abs() + (pair[0].1 - pair[1].1).abs();
            assert_eq!(distance, 1, "{route:?} jumps");
        }
    }
}

const SAMPLE: &str = "
companies params:clean -> preprocess_companies -> clean_companies
shuttles -> preprocess_shuttles -> clean_shuttles
clean_companies clean_shuttles reviews -> create_model_input -> model_input
model_input params:split -> split_data -> X_train X_test y_train y_test
X_train y_train params:model -> train_model -> regressor
regressor X_test y_test -> evaluate_model -> metrics
clean_shuttles -> compare_capacity -> capacity_plot
metrics capacity_plot -> report -> summary
";

/// Nodes only, as when the screen hides datasets.
fn nodes_of(lines: &str) -> Graph {
    graph(lines).retain(true, |_, vertex| vertex.kind == VertexKind::Node)
}

const SHOP: &str = "
raw_orders -> load_orders -> orders
raw_customers -> load_customers -> customers
raw_products params:currency -> load_products -> products
orders params:dates -> clean_orders -> clean_orders_table
customers -> clean_customers -> clean_customers_table
clean_orders_table clean_customers_table -> join -> joined
joined products -> enrich -> enriched
enriched params:features -> build_features -> features
features params:split -> split -> train_set test_set
train_set params:model -> train -> model
model test_set -> evaluate -> metrics
model features -> predict -> predictions
predictions customers -> publish -> published
metrics -> plot -> plots
clean_orders_table products -> profile -> profile_report
";

#[test]
fn nothing_takes_no_room() {
    let layout = Sketch::of(&Graph::default(), Direction::TopBottom, |_| (5, 3)).layout();
    assert_eq!((layout.boxes.len(), layout.routes.len()), (0, 0));
    assert_eq!((layout.width, layout.height), (0, 0));
}

#[test]
fn one_vertex_takes_its_own_room() {
    let graph = graph("-> alone ->");
    for direction in [Direction::TopBottom, Direction::LeftRight] {
        let layout = Sketch::of(&graph, direction, |_| (9, 3)).layout();
        assert_eq!(layout.boxes, [Rect { x: 0, y: 0, width: 9, height: 3 }]);
        assert_eq!((layout.width, layout.height), (9, 3));
    }
}

#[test]
fn a_vertex_without_size_gets_a_cell() {
    let graph = graph("a -> f -> b");
    let layout = Sketch::of(&graph, Direction::LeftRight, |_| (0, -1)).layout();
    check(&layout);
    assert!(layout.boxes.iter().all(|area| (area.width, area.height) == (1, 1)));
}

#[test]
fn a_chain_is_straight() {
    insta::assert_snapshot!(drawn_both_ways("in -> work -> out"));
}

#[test]
fn a_diamond_is_symmetrical() {
    let lines = "-> top -> a b\na -> left -> c\nb -> right -> d\nc d -> bottom ->";
    insta::assert_snapshot!(drawn_both_ways(lines));
}

#[test]
fn a_wide_fan_leaves_as_one_line() {
    let lines = "-> split -> one two three four five six";
    insta::assert_snapshot!(drawn_both_ways(lines));
}

#[test]
fn long_edges_share_a_line() {
    let lines = "
        raw params:a -> one -> d1
        d1 -> two -> d2
        d2 raw -> three -> d3
        d3 -> four -> d4
        d1 d2 d3 d4 -> report -> summary
        raw d4 -> five -> d5";
    insta::assert_snapshot!(drawn_both_ways(lines));
}

#[test]
fn parts_lie_side_by_side() {
    let lines = "a -> f -> b\nb -> g -> c\nx -> h -> y\n-> i ->\n-> j ->";
    insta::assert_snapshot!(drawn_both_ways(lines));
}

#[test]
fn a_cycle_is_drawn_with_one_line_against_the_direction() {
    let lines = "a -> f -> b\nb -> g -> c\nc -> h -> a d";
    insta::assert_snapshot!(drawn_both_ways(lines));
}

#[test]
fn a_pipeline_reads_well() {
    let graph = graph(SAMPLE);
    let framed = |id: usize| (graph.vertices[id].name.chars().count() as i32 + 4, 3);
    insta::assert_snapshot!("datasets_as_chips", drawn(SAMPLE, Direction::TopBottom));
    insta::assert_snapshot!("left_to_right", drawn(SAMPLE, Direction::LeftRight));
    let chips = Sketch::of(&graph, Direction::LeftRight, chips(&graph)).layout();
    insta::assert_snapshot!("chips_left_to_right", render(&graph, &chips));
    let boxes = Sketch::of(&graph, Direction::TopBottom, framed).layout();
    insta::assert_snapshot!("boxes", render(&graph, &boxes));
    let nodes = nodes_of(SAMPLE);
    let layout = Sketch::of(&nodes, Direction::TopBottom, boxed(&nodes)).layout();
    insta::assert_snapshot!("nodes_alone", render(&nodes, &layout));
}

#[test]
fn a_shop_reads_well() {
    insta::assert_snapshot!("shop", drawn(SHOP, Direction::TopBottom));
    let nodes = nodes_of(SHOP);
    let layout = Sketch::of(&nodes, Direction::TopBottom, boxed(&nodes)).layout();
    insta::assert_snapshot!("shop_nodes_alone", render(&nodes, &layout));
}

#[test]
fn lines_that_would_run_over_each_other_take_a_column_of_their_own() {
    // Each of the two must end above the start of the other, so no order of tracks is valid.
    let nets = vec![Net::new(vec![0], vec![10]), Net::new(vec![10], vec![0])];
    let mut channel = Channel::new(nets, 1);
    let doglegs = channel.break_cycles([0, 10].into());
    let tracks = channel.stack();
    assert_eq!(doglegs.len(), 1);
    let (upper, (lower, column)) = doglegs.into_iter().next().expect("one of the two is split");
    assert!(![0, 10].contains(&column));
    assert!(tracks[upper] < tracks[1 - upper] && tracks[1 - upper] < tracks[lower]);
}

/// A graph of `count` nodes, each with one or two inputs among the latest datasets; fixed seed.
#[test]
fn a_staircase_of_lines_takes_few_tracks() {
    let nets = (0..300).map(|net| Net::new(vec![4 * net], vec![4 * net + 11])).collect();
    let tracks = Channel::new(nets, 0).stack();
    let last = tracks.iter().max();
    assert!(last.is_some_and(|last| *last < 12), "{last:?}");
}

fn large(count: usize) -> Graph {
    let mut state = 7_u64;
    let mut random = move |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let lines: Vec<String> = (0..count)
        .map(|node| {
            let mut input = || format!("d{}", node.saturating_sub(1 + random(30)));
            format!("{} {} -> n{node} -> d{node}", input(), input())
        })
        .collect();
    graph(&lines.join("\n"))
}

#[test]
fn two_thousand_vertices_are_laid_out() {
    let graph = large(1000);
    let layout = Sketch::of(&graph, Direction::LeftRight, chips(&graph)).layout();
    assert_eq!(layout.boxes.len(), graph.vertices.len());
    check(&layout);
}

#[test]
fn what_all_nodes_read_costs_one_line() {
    let lines: Vec<String> =
        (0..500).map(|node| format!("d{node} params:all -> n{node} -> d{}", node + 1)).collect();
    let graph = graph(&lines.join("\n"));
    let layout = Sketch::of(&graph, Direction::TopBottom, chips(&graph)).layout();
    assert!(layout.width < 40, "{}", layout.width);
}

/// Graphs as lists of children, including cycles and parallel edges.
fn any_graph() -> impl Strategy<Value = Graph> {
    (1..24_usize, 0..40_usize).prop_flat_map(|(vertices, edges)| {
        let edge = (0..vertices, 0..vertices);
        proptest::collection::vec(edge, edges).prop_map(move |edges| {
            let mut graph = Graph::default();
            for id in 0..vertices {
                let name = id.to_string();
                graph.vertices.push(crate::dag::Vertex {
                    kind: VertexKind::Node,
                    name,
                    node: None,
                });
                graph.parents.push(Vec::new());
                graph.children.push(Vec::new());
            }
            for (from, to) in edges {
                if !graph.children[from].contains(&to) {
                    graph.children[from].push(to);
                    graph.parents[to].push(from);
                }
            }
            graph
        })
    })
}

fn any_direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::TopBottom), Just(Direction::LeftRight)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_layout_is_sound(
        graph in any_graph(),
        direction in any_direction(),
        sizes in proptest::collection::vec((1..14_i32, 1..4_i32), 24),
    ) {
        let layout = Sketch::of(&graph, direction, |id| sizes[id]).layout();
        check(&layout);
        let edges: BTreeSet<(usize, usize)> = (graph.children.iter().enumerate())
            .flat_map(|(from, children)| children.iter().map(move |to| (from, *to)))
            .filter(|(from, to)| from != to)
            .collect();
        let routes: BTreeSet<(usize, usize)> =
            layout.routes.iter().map(|route| (route.source, route.target)).collect();
        prop_assert_eq!(routes, edges);
    }

    #[test]
    fn the_same_graph_gives_the_same_layout(graph in any_graph(), direction in any_direction()) {
        let size = |id: usize| (3 + id as i32 % 5, 1);
        let sketch = Sketch::of(&graph, direction, size);
        let (one, other) = (sketch.layout(), sketch.layout());
        prop_assert_eq!(one.boxes, other.boxes);
        prop_assert_eq!(one.routes, other.routes);
    }
}
