//! Bound values of a node's function are shortened. `tests/evaluator/calls.md` covers the callables
//! themselves.

use super::{Project, problem_text};
use crate::project::Bound;

/// The text of the value that is bound to `b`.
fn bound(value: &str) -> String {
    let pipeline = format!(
        "from functools import partial
from kedro.pipeline import Pipeline, node
def plain(a, b=1): return a
def create_pipeline():
    return Pipeline([node(partial(plain, b={value}), 'a', 'b')])
"
    );
    let registry = Project::new(&[("pipeline.py", &pipeline)]).registry();
    let node = registry.pipelines.first().and_then(|pipeline| pipeline.nodes.first());
    let node = node.unwrap_or_else(|| panic!("{value}: {}", problem_text(&registry)));
    match &node.callable.as_ref().expect("a callable").bound[..] {
        [(name, Bound::Known(text))] if name == "b" => text.clone(),
        other => panic!("{value}: {other:?}"),
    }
}

#[test]
fn a_long_value_is_kept_as_its_beginning_and_a_hash() {
    let long = |last: char| bound(&format!("'{}{last}'", "x".repeat(1000)));
    assert!(long('1').len() < 600);
    assert_ne!(long('1'), long('2'));
    assert_eq!(long('1'), long('1'));
}
