//! Tests of the exports, partly by reading them with the other programs.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use proptest::prelude::*;

use super::super::samples::{any_pipeline, pipeline};
use super::super::view::{Choices, Detail, Fold};
use super::*;
use crate::dag::Direction;
use crate::project::Node;

/// Names that contain syntax of the export formats.
const HARD: [&str; 16] = [
    "end",
    "a \"quoted\" name",
    "f([a, b]) -> [c]",
    "back\\slash\\",
    "two\nlines",
    "größe 数据 🦀",
    "<b>&amp;</b>",
    "#35; {x|y} ;",
    "`code`",
    "1. list",
    "- list",
    "graph",
    "\\N \\G \\l",
    "%% comment",
    "",
    "click __x__ *y*",
];

fn view(folded: &[&str]) -> View {
    let pipeline = pipeline(
        "orders params:rate -> prep.clean -> tidy\n\
         tidy -> ml.fit -> ml.net\n\
         ml.net -> ml.deep.score -> report",
    );
    let folds = folded.iter().map(|name| ((*name).to_owned(), Fold::Collapsed)).collect();
    let choices = Choices { folds, detail: Detail::All, ..Choices::default() };
    View::of(&Graph::of(&pipeline), &choices, |_| true)
}

/// A chain of nodes with the names in [`HARD`].
fn hard() -> View {
    let node = |(at, name): (usize, &&str)| {
        Arc::new(Node {
            name: (*name).to_owned(),
            namespace: name.split_once(' ').map(|(space, _)| space.to_owned()),
            inputs: vec![format!("d{at}")],
            outputs: vec![format!("d{}", at + 1)],
            ..Node::default()
        })
    };
    let nodes = HARD.iter().enumerate().map(node).collect();
    let pipeline = crate::project::Pipeline { nodes, ..Default::default() };
    View::of(&Graph::of(&pipeline), &Choices::default(), |_| true)
}

fn state(view: &View) -> impl Fn(Id) -> Option<NodeStatus> + '_ {
    |id| match view.graph.vertices[id].name.as_str() {
        "prep.clean" => Some(NodeStatus::Fresh),
        "ml" | "ml.fit" => Some(NodeStatus::StaleThrough),
        _ => None,
    }
}

#[test]
fn mermaid_has_subgraphs_shapes_and_classes() {
    let view = view(&["ml.deep"]);
    insta::assert_snapshot!(mermaid(&view, Direction::LeftRight, state(&view)));
}

#[test]
fn dot_has_clusters_and_colours() {
    let view = view(&["ml"]);
    insta::assert_snapshot!(dot(&view, Direction::TopBottom, state(&view)));
}

#[test]
fn hard_names_are_escaped() {
    let text = mermaid(&hard(), Direction::TopBottom, |_| None);
    for (line, expected) in [
        ("quotes", "\"a #34;quoted#34; name\""),
        ("brackets", "\"f(#91;a, b#93;) -#62; #91;c#93;\""),
        ("html", "\"#60;b#62;#38;amp#59;#60;/b#62;\""),
        ("entities", "\"#35;35#59; #123;x#124;y#125; #59;\""),
        ("lines", "\"two␊lines\""),
        ("lists", "\"1#46; list\""),
        ("emphasis", "\"click #95;#95;x#95;#95; #42;y#42;\""),
    ] {
        assert!(text.contains(expected), "{line}: {text}");
    }
}

/// The rows of `dot -Tplain`, unquoted; `None` without Graphviz.
fn plain(text: &str) -> Option<Vec<Vec<String>>> {
    let mut command = Command::new("dot");
    command.arg("-Tplain").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().ok()?;
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && errors.is_empty(), "{errors}\n{text}");
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(lines.lines().map(words).collect())
}

/// Splits a line of `dot -Tplain`.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => word.extend(chars.next()),
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words
}

/// Checks that Graphviz reads exactly the vertices and edges of the view.
fn read_by_graphviz(view: &View) -> Result<(), TestCaseError> {
    let text = dot(view, Direction::LeftRight, |id| NodeStatus::of_rank((id % 11) as u8));
    let Some(rows) = plain(&text) else { return Ok(()) };
    let rows_of = |kind: &str| rows.iter().filter(|row| row[0] == kind).collect::<Vec<_>>();
    prop_assert_eq!(rows_of("node").len(), view.graph.vertices.len());
    for row in rows_of("node") {
        let id: usize = row[1][1..].parse().unwrap();
        let label = crate::text::sanitize(view.label(id));
        prop_assert_eq!(row[6].replace("\\\\", "\\"), label);
    }
    let found: BTreeSet<String> =
        rows_of("edge").iter().map(|row| format!("{} {}", row[1], row[2])).collect();
    let expected: BTreeSet<String> =
        edges(&view.graph).map(|(from, to)| format!("v{from} v{to}")).collect();
    prop_assert_eq!(found, expected);
    Ok(())
}

#[test]
fn graphviz_reads_hard_names_as_they_are() {
    read_by_graphviz(&hard()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_view_is_read_by_graphviz(pipeline in any_pipeline(), collapse in any::<bool>()) {
        let folds = if collapse { [("a.b".to_owned(), Fold::Collapsed)].into() } else { Default::default() };
        let choices = Choices { folds, detail: Detail::All, ..Choices::default() };
        let view = View::of(&Graph::of(&pipeline), &choices, |_| true);
        read_by_graphviz(&view)?;
        let drawn = Drawn::of(&view, |id| view.label(id));
        let ids: BTreeSet<&str> = drawn.items.iter().map(|item| item.id.as_str()).collect();
        prop_assert_eq!(ids.len(), view.graph.vertices.len());
        prop_assert_eq!(drawn.groups.len(), view.groups.len());
        let opened = steps(&view).iter().filter(|step| matches!(step, Step::Open(_))).count();
        let closed = steps(&view).iter().filter(|step| **step == Step::Close).count();
        prop_assert_eq!((opened, closed), (drawn.groups.len(), drawn.groups.len()));
    }
}
