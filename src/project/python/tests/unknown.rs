//! What depends on something unknown is unknown or open itself.

use super::{names, read, told};

#[test]
fn what_an_unknown_condition_guards_is_open() {
    for guarded in [
        "nodes.append(node(f, 'b', 'c', name='two'))",
        "nodes += [node(f, 'b', 'c', name='two')]",
        "nodes = nodes + [node(f, 'b', 'c', name='two')]",
        "nodes.extend([node(f, 'b', 'c', name='two')])",
        "nodes[:0] = [node(f, 'b', 'c', name='two')]",
    ] {
        let registry = read(&format!(
            "import os
def create_pipeline(**kwargs):
    nodes = [node(f, 'a', 'b', name='one')]
    if os.getenv('X') == '1':
        {guarded}
    nodes.append(node(f, 'd', 'e', name='three'))
    return Pipeline(nodes)
"
        ));
        assert!(!registry.pipelines[0].complete, "{guarded}");
        assert!(
            told(&registry).contains("src/pkg/pipeline.py:6:"),
            "{guarded}: {}",
            told(&registry)
        );
        assert!(names(&registry).contains(&"three"), "{guarded}: {}", told(&registry));
    }
}

#[test]
fn pipelines_added_under_an_unknown_condition_are_missing_and_the_rest_is_shown() {
    for guarded in ["p += extra", "p = p + extra", "p = p | extra"] {
        let registry = read(&format!(
            "import os
def create_pipeline(**kwargs):
    p = Pipeline([node(f, 'a', 'b', name='one')])
    extra = Pipeline([node(f, 'b', 'c', name='two')])
    if os.getenv('X'):
        {guarded}
    return p
"
        ));
        assert_eq!(names(&registry), ["one"], "{guarded}");
        assert!(!registry.pipelines[0].complete, "{guarded}");
    }
}

#[test]
fn an_unknown_condition_makes_unknown_what_it_binds() {
    let bodies = [
        "x = 'y'",
        "(x := 'y')",
        "for x in ['y']: pass",
        "x, z = 'y', 1",
        "import json as x",
        "def x(): pass",
        "with open('q') as x: pass",
        "del x",
        "x += 'y'",
        "holder['x'] = 'y'; x = holder['x']",
        "holder.update(x='y'); x = holder['x']",
        "[x := q for q in 'y']",
        "global x; x = 'y'",
        "change()",
        "x = 'y' if True else change()",
        "holder.update(x='z') if change else None; x = holder['x']",
        "it.method(); x = it.x",
    ];
    for body in bodies {
        let registry = read(&format!(
            "import os
x = 'x'
holder = {{'x': 'x'}}
def change():
    global x
    x = 'y'
class It:
    x = 'x'
    def method(self): self.inner()
    def inner(self): self.x = 'y'
it = It()
def create_pipeline(**kwargs):
    {global}if os.getenv('X'):
        {body}
    return Pipeline([node(f, 'a', x, name='n')])
",
            global =
                if body == "change()" || body.starts_with("global") { "" } else { "x = 'x'\n    " },
        ));
        let outputs: Vec<_> =
            registry.pipelines.iter().flat_map(|it| &it.nodes).flat_map(|it| &it.outputs).collect();
        let sure = registry.pipelines.iter().all(|it| it.complete);
        assert!(!sure || outputs.is_empty(), "{body} leaves {outputs:?}");
    }
}

#[test]
fn an_expression_that_may_run_leaves_open_what_it_changes() {
    for code in [
        "nodes.append(two) if os.getenv('X') else None",
        "os.getenv('X') and nodes.append(two)",
        "os.getenv('X') or nodes.append(two)",
        "add(two) if os.getenv('X') else None",
        "os.getenv('X') and other(two)",
    ] {
        let registry = read(&format!(
            "import os
def create_pipeline(**kwargs):
    nodes = [node(f, 'a', 'b', name='one')]
    two = node(f, 'b', 'c', name='two')
    def add(it): nodes.append(it)
    def other(it): add(it)
    {code}
    return Pipeline(nodes)
"
        ));
        assert_eq!(names(&registry), ["one"], "{code}");
        assert!(!registry.pipelines[0].complete, "{code}");
    }
}

#[test]
fn an_early_return_under_an_unknown_condition_leaves_the_result_unknown() {
    let registry = read(
        "import os
def create_pipeline(**kwargs):
    if os.getenv('X'):
        return Pipeline([])
    return Pipeline([node(f, 'a', 'b', name='one')])
",
    );
    assert!(!registry.pipelines[0].complete);
    assert!(registry.problems.iter().any(|problem| problem.hides));
}
