//! Half-typed and mistaken code: what stands around it is shown, and the mistake is told.

use super::{Project, names, read, told};
use crate::project::Severity;

/// That `expected` nodes are shown, something is missing, and a problem names `line` of the file.
#[track_caller]
fn shows_but_misses(code: &str, expected: &[&str], line: u32) {
    let registry = read(code);
    assert_eq!(names(&registry), expected, "{}", told(&registry));
    assert!(registry.problems.iter().any(|problem| problem.hides), "{}", told(&registry));
    // Counted in `code`, which begins after the two lines of `HEAD`.
    let place = format!("src/pkg/pipeline.py:{}:", line + 2);
    assert!(told(&registry).contains(&place), "{place} in\n{}", told(&registry));
}

#[test]
fn nodes_around_an_unfinished_call_are_shown() {
    shows_but_misses(
        "def create_pipeline(**kwargs):
    return Pipeline([
        node(f, 'a', 'b', name='one'),
        node(f, 'b',
        node(f, 'c', 'd', name='three'),
    ])
",
        &["one", "three"],
        4,
    );
}

#[test]
fn nodes_around_an_unfinished_line_are_shown() {
    shows_but_misses(
        "def create_pipeline(**kwargs):
    x =
    return Pipeline([
        node(f, 'a', 'b', name='one'),
        node(f, 'c', 'd', name=),
        node(f, 'e', 'f', name='three'),
    ])
",
        &["one", "three"],
        2,
    );
}

#[test]
fn nodes_around_an_unclosed_bracket_are_shown() {
    shows_but_misses(
        "def create_pipeline(**kwargs):
    return Pipeline([
        node(f, 'a', 'b', name='one'),
        node(f, ['c', 'd', name='two'),
        node(f, 'e', 'f', name='three'),
    ])
",
        &["one", "three"],
        4,
    );
}

#[test]
fn nodes_before_an_unclosed_list_are_shown() {
    let registry = read(
        "def create_pipeline(**kwargs):
    return Pipeline([
        node(f, 'a', 'b', name='one'),
        node(f, 'c', 'd', name='two'),
",
    );
    assert_eq!(names(&registry), ["one", "two"], "{}", told(&registry));
    assert!(registry.problems.iter().any(|problem| problem.hides));
}

#[test]
fn an_unfinished_string_hides_no_other_node() {
    shows_but_misses(
        "def create_pipeline(**kwargs):
    return Pipeline([
        node(f, 'a', 'b', name='one'),
        node(f, 'c', 'd, name='two'),
        node(f, 'e', 'f', name='three'),
    ])
",
        &["one", "three"],
        4,
    );
}

#[test]
fn a_broken_module_beside_the_pipeline_is_told() {
    let project = Project::new(&[
        ("nodes.py", "def fit(x):\n    return (x\n\ndef score(x): return x\n"),
        (
            "pipeline.py",
            "from kedro.pipeline import Pipeline, node
from .nodes import fit, score
def create_pipeline():
    return Pipeline([node(fit, 'a', 'b', name='fit'), node(score, 'b', 'c', name='score')])
",
        ),
    ]);
    let registry = project.registry();
    assert_eq!(names(&registry), ["fit", "score"], "{}", told(&registry));
    assert!(told(&registry).contains("src/pkg/nodes.py:"), "{}", told(&registry));
}

#[test]
fn modules_that_import_each_other_are_told() {
    let project = Project::new(&[
        (
            "pipeline.py",
            "from .other import build\ndef create_pipeline(): return build()\nNAME = 'n'\n",
        ),
        ("other.py", "from .pipeline import NAME\ndef build(): pass\n"),
    ]);
    let registry = project.registry();
    let problem = (registry.problems.iter())
        .find(|problem| problem.text.contains("import each other"))
        .unwrap_or_else(|| panic!("{}", told(&registry)));
    assert_eq!(problem.place.as_ref().unwrap().to_string(), "src/pkg/other.py:1");
    assert_eq!(problem.severity, Severity::Error);
}

#[test]
fn modules_that_import_each_other_as_modules_are_fine() {
    let project = Project::new(&[
        (
            "pipeline.py",
            "from kedro.pipeline import Pipeline, node
from . import other
NAME = 'late'
def create_pipeline(): return Pipeline([node(other.f, 'a', other.name(), name='n')])
",
        ),
        (
            "other.py",
            "from . import pipeline\ndef f(x): return x\ndef name(): return pipeline.NAME\n",
        ),
    ]);
    let registry = project.registry();
    assert_eq!(names(&registry), ["n"], "{}", told(&registry));
    assert_eq!(registry.pipelines[0].nodes[0].outputs, ["late"]);
}

#[test]
fn a_missing_name_is_told_where_it_is_used() {
    let registry = read(
        "def create_pipeline(**kwargs):
    return Pipeline([node(f, 'a', 'b', name='one'), node(g, 'b', 'c', name='two')])
",
    );
    assert!(told(&registry).contains("src/pkg/pipeline.py:4: Python stops here with NameError"));
    assert!(names(&registry).contains(&"one"));
}

/// A module, list, dictionary or set that is used on itself is borrowed once at a time.
#[test]
fn what_is_combined_with_itself_is_read() {
    for statement in [
        "from .pipeline import *\nx =",
        "from elsewhere import *\nfrom .pipeline import *",
        "__all__ = ['f', 'gone']\nfrom .pipeline import *\nx =",
        "x = [1]\nx.extend(x)\nx += x\nx[:] = x\nx.append(x)\nx.remove(x)\nx.insert(0, x)",
        "d = {'a': 1}\nd.update(d)\nd |= d\nd.update(**d)\nd['d'] = d\nd.setdefault('e', d)",
        "s = {1}\ns |= s\ns.update(s)\ns -= s\ns.add(tuple(s))\ns &= s\ns ^= s",
        "import pkg.pipeline as me\nme.me = me\nsetattr(me, 'other', me)\ndel me.me",
        "class A: pass\na = A()\na.a = a\na.__dict__.update(a.__dict__)",
    ] {
        let code = format!(
            "{statement}\ndef create_pipeline(**kwargs):\n    return Pipeline([node(f, 'a', 'b', name='one')])\n"
        );
        assert_eq!(names(&read(&code)), ["one"], "{statement}");
    }
}
