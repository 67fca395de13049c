//! Edits of a small project of several modules: which nodes each one concerns, and what it is
//! called by.

use std::collections::BTreeSet;

use super::{Project, changed};

const FILES: [(&str, &str); 3] = [
    ("pkg/__init__.py", ""),
    (
        "pkg/pipeline_registry.py",
        "from kedro.pipeline import node, pipeline
from pkg import nodes

def register_pipelines():
    return {'__default__': pipeline([
        node(nodes.clean, 'a', 'b', name='clean'),
        node(nodes.train, 'b', 'c', name='train'),
    ])}
",
    ),
    (
        "pkg/nodes.py",
        "SCALE = 2

def clean(a):
    return a * SCALE

def train(b):
    return b + 1
",
    ),
];

#[test]
fn an_edit_concerns_the_nodes_that_reach_it_and_no_other() {
    let mut project = Project::new(&FILES);
    let before = project.read();
    let text = FILES[2].1;
    for (from, to, nodes, names) in [
        ("b + 1", "b + 2", vec!["train"], vec!["pkg.nodes.train"]),
        ("SCALE = 2", "SCALE = 3", vec!["clean"], vec!["pkg.nodes.SCALE"]),
        ("def train", "# a comment\n\n\ndef train", vec![], vec![]),
    ] {
        project.write("pkg/nodes.py", &text.replace(from, to));
        let after = project.read();
        let (concerned, named) = changed(&before, &after);
        assert_eq!(concerned, BTreeSet::from_iter(nodes.iter().map(ToString::to_string)), "{to}");
        assert_eq!(named, BTreeSet::from_iter(names.iter().map(ToString::to_string)), "{to}");
    }
}
