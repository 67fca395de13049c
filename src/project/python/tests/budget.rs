//! Every operation that loops or allocates on behalf of the evaluated code is charged, and running
//! out of budget is reported with a place.

use super::{HEAD, Project, names, problem_text, read};
use crate::project::python::{SourceCache, read_registry};
use crate::project::{Budget, Problem};

const TOO_MUCH: &str = "computes too much";

/// The problems of evaluating `code` with a small budget that little work uses up.
fn problems_of(code: &str) -> Vec<Problem> {
    let code = format!(
        "{HEAD}def create_pipeline(**kwargs):\n    {code}\n    return Pipeline([node(f, 'a', 'b', name='one')])\n"
    );
    let project = Project::new(&[("pipeline.py", &code)]);
    let mut budget = Budget::small();
    read_registry(&project.metadata, &mut SourceCache::default(), &mut budget).problems
}

#[test]
fn every_operation_on_large_values_is_charged() {
    let operations = [
        // Copying a list.
        ("x = list(range(100000))", "y = x.copy()"),
        ("x = list(range(100000))", "y = x + x"),
        ("x = list(range(100000))", "y = x[:]"),
        ("x = list(range(100000))", "y = x * 2"),
        ("x = list(range(100000))", "y = tuple(x)"),
        ("x = list(range(100000))", "y = [*x]"),
        ("x = list(range(100000))", "y = f(*x)"),
        ("x = list(range(100000))", "y = list(reversed(x))"),
        ("x = list(range(100000))", "y = list(zip(x, x))"),
        ("x = list(range(100000))", "y = list(enumerate(x))"),
        ("x = list(range(100000))", "y = list(map(str, x))"),
        ("x = list(range(100000))", "a, *y = x"),
        ("x = []", "x.extend(range(100000))"),
        ("x = []", "x += range(100000)"),
        // Searching and rearranging a list.
        ("x = list(range(100000))", "y = -1 in x"),
        ("x = list(range(100000))", "y = x == x"),
        ("x = list(range(100000))", "y = x < x"),
        ("x = list(range(100000))", "y = x.count(1)"),
        ("x = list(range(100000))", "x.insert(0, 1)"),
        ("x = list(range(100000))", "x.reverse()"),
        ("x = list(range(100000))", "y = sorted(x)"),
        ("x = list(range(100000))", "y = sum(x)"),
        ("x = list(range(100000))", "y = max(x)"),
        ("x = [0] * 100000", "y = any(x)"),
        ("x = [1] * 100000", "y = all(x)"),
        // Dictionaries and sets.
        ("x = dict.fromkeys(range(10000))", "y = x | x"),
        ("x = dict.fromkeys(range(10000))", "y = dict(x)"),
        ("x = dict.fromkeys(range(10000))", "y = {**x}"),
        ("x = dict.fromkeys(range(10000))", "y = x == x"),
        ("x = dict.fromkeys(range(10000))", "y = x.copy()"),
        ("x = dict.fromkeys(range(10000))", "y = x.items()"),
        ("x = {str(i): i for i in range(10000)}", "y = dict(**x)"),
        ("x = set(range(10000))", "y = x | x"),
        ("x = set(range(10000))", "y = x - x"),
        ("x = set(range(10000))", "y = x.issubset(x)"),
        ("x = {}", "x |= dict.fromkeys(range(10000))"),
        // Strings.
        ("x = 'a' * 100000", "y = x + x"),
        ("x = 'a' * 100000", "y = x.upper()"),
        ("x = 'a' * 100000", "y = x.replace('a', 'b')"),
        ("x = 'a b ' * 10000", "y = x.split(' ')"),
        ("x = ['a' * 1000] * 100", "y = ','.join(x)"),
        ("x = 'a' * 100000", "y = f'{x}'"),
        ("x = 'a' * 100000", "y = '%s' % x"),
        ("x = 'a' * 100000", "y = '{}'.format(x)"),
        ("x = 'a' * 100000", "y = repr(x)"),
        ("x = 'a' * 100000", "y = x in {x}"),
        ("x = 'ab' * 50000", "y = x.strip(x)"),
        ("x = 'a' * 100000", "y = list(x)"),
        ("x = 1", "y = '{:>9999}'.format(x)"),
        ("x = 'a'", "y = x.ljust(9999)"),
        ("import os; x = ['abc'] * 10000", "y = os.path.join(*x)"),
        // Pipelines.
        (
            "x = Pipeline([node(f, f'd{i}', f'd{i + 1}', name=f'n{i}') for i in range(500)])",
            "y = x + x",
        ),
        (
            "x = Pipeline([node(f, f'd{i}', f'd{i + 1}', name=f'n{i}') for i in range(500)])",
            "y = pipeline(x, namespace='n')",
        ),
        (
            "x = Pipeline([node(f, f'd{i}', f'd{i + 1}', name=f'n{i}') for i in range(500)])",
            "y = x.only_nodes(*[f'n{i}' for i in range(500)])",
        ),
    ];
    for (before, operation) in operations {
        // Far fewer iterations than the step count alone would stop.
        let code = format!("{before}\n    for i in range(5000): {operation}");
        let problems = problems_of(&code);
        let reported = problems.iter().find(|problem| problem.text.contains(TOO_MUCH));
        let Some(problem) = reported else { panic!("{operation} is not charged: {problems:?}") };
        assert!(problem.hides, "{operation}");
        let place = problem.place.as_ref().map(ToString::to_string).unwrap_or_default();
        assert!(place.starts_with("src/pkg/pipeline.py:"), "{operation}: {place}");
    }
}

#[test]
fn values_with_shared_parts_are_charged_by_their_written_size() {
    for operation in ["y = {x: 1}", "y = x == z", "y = x < z", "y = x in [z]"] {
        let code = format!(
            "x = z = ()\n    for i in range(60):\n        x = (x, x)\n        z = (z, z)\n    {operation}"
        );
        let problems = problems_of(&code);
        let reported = problems.iter().any(|problem| problem.text.contains(TOO_MUCH));
        assert!(reported, "{operation}: {problems:?}");
    }
}

#[test]
fn code_beside_a_part_that_computes_too_much_is_still_evaluated() {
    let project = Project::new(&[(
        "pipeline_registry.py",
        &format!(
            "{HEAD}def endless():
    x = [0]
    while True: x = x + x

def register_pipelines():
    good = Pipeline([node(f, 'a', 'b', name='one')])
    return {{'bad': endless(), 'good': good, 'more': good + endless()}}
"
        ),
    )]);
    let registry = project.registry();
    let good = registry.pipelines.iter().find(|pipeline| pipeline.name == "good").unwrap();
    assert_eq!(good.nodes.len(), 1, "{}", problem_text(&registry));
    assert!(good.complete);
    assert!(
        problem_text(&registry)
            .contains("pipeline_registry.py:5: The pipeline code computes too much")
    );
}

#[test]
fn pipelines_beyond_the_budget_are_left_empty() {
    let project = Project::new(&[(
        "pipeline_registry.py",
        &format!(
            "{HEAD}def register_pipelines():
    p = Pipeline([node(f, f'd{{i}}', f'd{{i + 1}}', name=f'n{{i}}') for i in range(100)])
    return {{f'p{{k}}': p for k in range(20000)}}
"
        ),
    )]);
    let registry = project.registry();
    assert_eq!(registry.pipelines.len(), 20_000);
    assert!(registry.pipelines[0].complete && registry.pipelines[0].nodes.len() == 100);
    assert!(!registry.pipelines[19_999].complete);
    assert!(problem_text(&registry).contains("pipeline_registry.py:4: The pipeline code computes"));
}

#[test]
fn the_largest_and_smallest_integers_neither_panic_nor_wrap() {
    let least = "m = -9223372036854775807 - 1\n";
    for (expression, text) in [
        ("m % -1", "0"),
        ("m // 1", "-9223372036854775808"),
        ("m in range(0, 10, -1)", "False"),
        ("5 in range(10, m, m)", "False"),
        ("10 in range(10, m, m)", "True"),
        ("len(range(0, 9223372036854775807, 9223372036854775807))", "1"),
        ("[1, 2, 3][::m]", "[3]"),
        ("[1, 2, 3][m:]", "[1, 2, 3]"),
        ("[1, 2, 3][:m]", "[]"),
        ("range(m, 9223372036854775807)[-1]", "9223372036854775806"),
        ("range(10**18)[5]", "5"),
    ] {
        let registry = read(&format!(
            "{least}x = str({expression})\ndef create_pipeline(**kwargs):\n    return Pipeline([node(f, 'a', x, name='one')])\n"
        ));
        assert_eq!(registry.pipelines[0].nodes[0].outputs, [text], "{expression}");
    }
    // A result beyond 64 bits is unknown, and nothing panics.
    for expression in ["m // -1", "abs(m)", "-m", "[1][m]", "list(enumerate([1, 2], m * -1))"] {
        let registry = read(&format!(
            "{least}x = {expression}\ndef create_pipeline(**kwargs):\n    return Pipeline([node(f, 'a', 'b', name='one')])\n"
        ));
        assert_eq!(names(&registry), ["one"], "{expression}: {}", problem_text(&registry));
    }
}

#[test]
fn a_class_hierarchy_with_many_paths_visits_each_class_once() {
    let mut code = "class A0: pass\nclass B0: pass\n".to_owned();
    for n in 1..60 {
        let before = n - 1;
        code += &format!(
            "class A{n}(A{before}, B{before}): pass\nclass B{n}(A{before}, B{before}): pass\n"
        );
    }
    let registry = read(&format!(
        "{code}def create_pipeline(**kwargs):
    x = 'b' if hasattr(A59(), 'missing') or not isinstance(A59(), B0) else 'c'
    return Pipeline([node(f, 'a', x, name='one')])
"
    ));
    assert_eq!(registry.pipelines[0].nodes[0].outputs, ["c"], "{}", problem_text(&registry));
}

#[test]
fn a_long_name_is_shortened_in_a_problem() {
    let registry = read(
        "def create_pipeline(**kwargs):
    return Pipeline([node(f, 'a', 'b', name='n n' * 300000)])
",
    );
    assert!(registry.problems.iter().all(|problem| problem.text.len() < 5_000));
    assert!(registry.problems.iter().any(|problem| problem.text.ends_with('…')));
}
