//! Tests of lists with lines, by examples and for any graph.

use proptest::prelude::*;

use super::super::samples::{any_graph, any_pipeline, graph, large};
use super::super::view::{Choices, Limits, View};
use super::*;
use crate::dag::VertexKind;

impl Cell {
    fn sign(self, ascii: bool) -> char {
        let ways = match self.mark {
            Mark::Vertex => return if ascii { '*' } else { '●' },
            Mark::Crossing => UP | DOWN,
            Mark::Plain | Mark::Branch => self.ways,
        };
        let sideways = ways & (LEFT | RIGHT);
        match (ways & (UP | DOWN), sideways) {
            (0, 0) => ' ',
            (0, _) => {
                if ascii {
                    '-'
                } else {
                    '─'
                }
            }
            (_, 0) => {
                if ascii {
                    '|'
                } else {
                    '│'
                }
            }
            _ if ascii => '+',
            (UP, LEFT) => '╯',
            (UP, RIGHT) => '╰',
            (UP, _) => '┴',
            (_, LEFT) => '┤',
            (_, RIGHT) => '├',
            (_, _) => '┼',
        }
    }

    fn gap(self, ascii: bool) -> char {
        match self.ways & RIGHT {
            0 => ' ',
            _ if ascii => '-',
            _ => '─',
        }
    }
}

/// The list as text.
fn text(graph: &Graph, most: usize, ascii: bool) -> String {
    let lanes = Lanes::of(graph, most);
    let name = |id: &Id| graph.vertices[*id].name.as_str();
    let rows = lanes.rows.iter().enumerate().map(|(row, vertex)| {
        let cells = lanes.cells(row);
        let signs = cells.iter().flat_map(|cell| [cell.sign(ascii), cell.gap(ascii)]);
        let lines: String = signs.collect();
        let cut = |arrow: &str, ids: &[Id]| match ids.is_empty() {
            true => String::new(),
            false => format!(" {arrow} {}", ids.iter().map(name).collect::<Vec<_>>().join(" ")),
        };
        let stubs = cut("from", &vertex.comes_from) + &cut("to", &vertex.leads_to);
        format!("{}{}{stubs}", lines, name(&vertex.id))
    });
    rows.collect::<Vec<_>>().join("\n")
}

const CHAIN: &str = "
    companies -> clean -> tidy
    tidy shuttles -> join -> table
    table -> split -> train_set test_set
    train_set -> train -> model
    model test_set tidy -> score -> report
";

/// The largest view of a graph, without parameters.
fn displayed(whole: &Graph) -> Graph {
    let limits = Limits { expanded: usize::MAX, with_hubs: usize::MAX, ..Limits::default() };
    View::of(whole, &Choices { limits, ..Choices::default() }, |_| true).graph
}

#[test]
fn branches_turn_off_to_their_targets() {
    assert_eq!(
        text(&graph(CHAIN), 9, false),
        "● companies\n● clean\n● tidy\n│ ● shuttles\n├─● join\n│ ● table\n│ ● split\n\
         │ ├─● train_set\n│ │ ● train\n│ │ ● model\n│ ● │ test_set\n●─┴─╯ score\n● report"
    );
}

#[test]
fn a_crossing_differs_from_a_branch() {
    // The example in the module's documentation.
    let graph = graph(
        "companies -> clean -> tidy\ntidy -> join -> table\n\
         companies table -> score -> result\nresult tidy -> report ->",
    );
    assert_eq!(
        text(&graph, 9, false),
        "● companies\n├─● clean\n│ ● tidy\n│ ├─● join\n│ │ ● table\n●─│─╯ score\n● │ result\n●─╯ report"
    );
    let lanes = Lanes::of(&graph, 9);
    let row = lanes.row_of(graph.find(VertexKind::Node, "score").unwrap());
    assert_eq!(lanes.cells(row)[1].mark, Mark::Crossing);
    let table = graph.find(VertexKind::Dataset, "table").unwrap();
    assert_eq!(lanes.across(row, 1, false).collect::<Vec<_>>(), [table]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_edge_is_a_line_or_named_at_both_ends(graph in any_graph(), most in 0..12_usize) {
        sound(&graph, most)?;
    }

    #[test]
    fn pipelines_are_sound_lists(pipeline in any_pipeline(), most in 2..30_usize) {
        sound(&displayed(&Graph::of(&pipeline)), most)?;
    }
}

fn sound(graph: &Graph, most: usize) -> Result<(), TestCaseError> {
    let lanes = Lanes::of(graph, most);
    prop_assert!(lanes.columns <= most.max(2));
    prop_assert_eq!(lanes.rows.len(), graph.vertices.len());
    let cycles = graph.cycles();
    for (row, vertex) in lanes.rows.iter().enumerate() {
        prop_assert_eq!(lanes.row_of(vertex.id), row);
        prop_assert_eq!(lanes.cells(row)[vertex.column].mark, Mark::Vertex);
        for child in graph.children[vertex.id].iter().filter(|child| **child != vertex.id) {
            let target = lanes.row_of(*child);
            let cyclic = cycles[vertex.id].is_some() && cycles[vertex.id] == cycles[*child];
            prop_assert!(row < target || cyclic);
            let cut = vertex.leads_to.contains(child);
            prop_assert_eq!(cut, lanes.rows[target].comes_from.contains(&vertex.id));
            prop_assert!(cut || row < target);
            if !cut {
                walk(&lanes, row, target)?;
            }
        }
    }
    let cut = lanes.rows.iter().map(|row| row.leads_to.len()).sum::<usize>();
    prop_assert_eq!(cut, lanes.rows.iter().map(|row| row.comes_from.len()).sum::<usize>());
    only_edges(&lanes, graph)
}

/// Follows the line of `source` down to the target's row, and from there to the target.
fn walk(lanes: &Lanes, source: usize, target: usize) -> Result<(), TestCaseError> {
    let line = Some(lanes.rows[source].id);
    let (mut column, end) = (lanes.rows[source].column, lanes.rows[target].column);
    for row in source..target {
        let (cell, below) = (lanes.cells(row)[column], lanes.cells(row + 1)[column]);
        prop_assert!(cell.ways & DOWN != 0 && below.ways & UP != 0);
        prop_assert_eq!(cell.line, line);
        prop_assert!(row == source || cell.mark != Mark::Vertex, "another vertex stands on it");
    }
    let cells = lanes.cells(target);
    prop_assert!(column == end || (cells[column].mark, cells[column].line) == (Mark::Branch, line));
    while column != end {
        let (way, back) = if column < end { (RIGHT, LEFT) } else { (LEFT, RIGHT) };
        prop_assert!(cells[column].ways & way != 0);
        let gap = if column < end { column } else { column - 1 };
        prop_assert!(lanes.across(target, column, false).any(|id| Some(id) == line));
        prop_assert!(lanes.across(target, gap, true).any(|id| Some(id) == line));
        column = if column < end { column + 1 } else { column - 1 };
        prop_assert!(cells[column].ways & back != 0);
    }
    Ok(())
}

/// Checks that everything that is drawn is part of an edge, and no line has an open end.
fn only_edges(lanes: &Lanes, graph: &Graph) -> Result<(), TestCaseError> {
    let ways = |row: usize, column: usize| lanes.cells(row).get(column).map_or(0, |cell| cell.ways);
    for (row, vertex) in lanes.rows.iter().enumerate() {
        for (column, cell) in lanes.cells(row).iter().enumerate() {
            prop_assert_eq!(cell.ways & UP != 0, row > 0 && ways(row - 1, column) & DOWN != 0);
            prop_assert_eq!(cell.ways & RIGHT != 0, ways(row, column + 1) & LEFT != 0);
            let sideways = cell.ways & (LEFT | RIGHT);
            match cell.mark {
                Mark::Branch => {
                    prop_assert!(cell.ways & UP != 0 && sideways != 0);
                    prop_assert!(graph.children[cell.line.unwrap()].contains(&vertex.id));
                }
                Mark::Crossing => {
                    prop_assert_eq!(cell.ways, UP | DOWN | LEFT | RIGHT);
                    let source = lanes.row_of(cell.line.unwrap());
                    prop_assert!(source < row);
                }
                Mark::Plain => prop_assert!(sideways == 0 || cell.ways & (UP | DOWN) == 0),
                Mark::Vertex => prop_assert_eq!(column, vertex.column),
            }
            if sideways != 0 && column != vertex.column {
                prop_assert!(lanes.across(row, column, false).count() > 0);
            }
            for source in lanes.across(row, column, false).chain(lanes.across(row, column, true)) {
                prop_assert!(graph.children[source].contains(&vertex.id));
            }
        }
    }
    Ok(())
}

#[test]
fn ten_thousand_vertices_keep_to_their_columns() {
    let graph = displayed(&Graph::of(&large(10_000)));
    let lanes = Lanes::of(&graph, 12);
    assert!(lanes.columns <= 12 && lanes.rows.len() > 8_000);
    let again = Lanes::of(&graph, 12);
    assert_eq!((lanes.rows, lanes.cells), (again.rows, again.cells));
}

#[test]
fn a_list_without_room_names_the_far_ends() {
    assert_eq!(
        text(&graph(CHAIN), 3, true),
        "* companies\n* clean\n* tidy to score\n| * shuttles\n*-+ join\n* table\n* split\n\
         +-* train_set\n| * train\n| * model\n* | test_set\n*-+ score from tidy\n* report"
    );
}

#[test]
fn an_empty_graph_is_an_empty_list() {
    let lanes = Lanes::of(&Graph::default(), 5);
    assert_eq!((lanes.rows.len(), lanes.columns, lanes.cells(0).len()), (0, 0, 0));
    assert_eq!(lanes.across(3, 2, false).count(), 0);
}

#[test]
fn an_edge_upwards_is_named() {
    assert_eq!(
        text(&graph("x -> a -> y\ny -> b -> x"), 5, false),
        "● y from a\n● b\n● x\n● a to y"
    );
}
