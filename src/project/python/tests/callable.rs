//! What a node calls: its code, and the values that are bound to it beforehand.

use super::{Project, Registry, told};
use crate::project::{Bound, Callable, Entry};

const HEAD: &str = "from functools import partial, wraps
from kedro.pipeline import Pipeline, node, pipeline
from pkg.lib import *
";

const LIB: &str = "def plain(a, b=1): return a
def factory(by):
    step = by + 1
    def inner(a): return a * by + step
    return inner
class Model:
    depth = 3
    def __init__(self, size=1): self.size = size
    def fit(self, a): return a
    def __call__(self, a): return a
    @staticmethod
    def still(a): return a
";

fn read(call: &str) -> (Registry, Callable) {
    let pipeline =
        format!("{HEAD}def create_pipeline():\n    n = 2\n    return pipeline([{call}])\n");
    let registry = Project::new(&[("pipeline.py", &pipeline), ("lib.py", LIB)]).registry();
    let node = registry.pipelines.first().and_then(|pipeline| pipeline.nodes.first());
    let node = node.unwrap_or_else(|| panic!("{call}: {}", told(&registry)));
    let callable = node.callable.clone().expect("a callable");
    (registry, callable)
}

/// The lines of the code that is called, or dotted names.
fn entries(callable: &Callable) -> String {
    let entries = callable.entries.iter().map(|entry| match entry {
        Entry::Code(place) => {
            let file = place.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            format!("{}:{}:{}", file.unwrap_or_default(), place.line, place.column)
        }
        Entry::Name(name) => name.clone(),
    });
    entries.collect::<Vec<_>>().join(" ")
}

fn bound(callable: &Callable) -> String {
    let bound = callable.bound.iter().map(|(name, bound)| match bound {
        Bound::Known(text) => format!("{name}={text}"),
        Bound::Unknown { reason, place } => format!("{name} is unknown: {reason} ({})", place.line),
    });
    bound.collect::<Vec<_>>().join("; ")
}

#[test]
fn a_callable_is_its_code_and_what_is_bound_to_it() {
    for (call, name, code, values) in [
        ("node(plain, 'a', 'b')", "pkg.lib.plain", "lib:1:5", ""),
        ("node(len, 'a', 'b')", "builtins.len", "builtins.len", ""),
        (
            "node(partial(plain, b=n), 'a', 'b')",
            "functools.partial(pkg.lib.plain)",
            "lib:1:5",
            "b=2",
        ),
        (
            "node(partial(plain, 1, b=[1, 'x']), None, 'b')",
            "functools.partial(pkg.lib.plain)",
            "lib:1:5",
            "#1=1; b=[1, 'x']",
        ),
        (
            "node(partial(plain, b=factory), 'a', 'b')",
            "functools.partial(pkg.lib.plain)",
            "lib:1:5 lib:2:5",
            "b=pkg.lib.factory",
        ),
        ("node(factory(3), 'a', 'b')", "pkg.lib.inner", "lib:4:9", "by=3; step=4"),
        ("node(lambda a: a + n, 'a', 'b')", "pkg.pipeline.<lambda>", "pipeline:6:27", "n=2"),
        (
            "node(lambda a, k=n: plain(a), 'a', 'b')",
            "pkg.pipeline.<lambda>",
            "pipeline:6:27",
            "k=2",
        ),
        (
            "node(Model(4).fit, 'a', 'b')",
            "pkg.lib.fit",
            "lib:6:7 lib:9:9",
            "self=pkg.lib.Model(size=4)",
        ),
        (
            "node(Model(), 'a', 'b')",
            "pkg.lib.Model.__call__",
            "lib:6:7",
            "self=pkg.lib.Model(size=1)",
        ),
        ("node(Model, 'a', 'b')", "pkg.lib.Model", "lib:6:7", ""),
        ("node(Model.still, 'a', 'b')", "pkg.lib.still", "lib:12:9", ""),
    ] {
        let (_, callable) = read(call);
        let found = (callable.name.as_str(), entries(&callable), bound(&callable));
        assert_eq!(found, (name, code.to_owned(), values.to_owned()), "{call}");
    }
}

#[test]
fn what_is_bound_and_not_known_says_why() {
    let (_, callable) = read("node(partial(plain, b=open('x').read()), 'a', 'b')");
    assert!(bound(&callable).starts_with("b is unknown: "), "{callable:?}");
    assert!(bound(&callable).ends_with("(6)"), "{callable:?}");
}

#[test]
fn how_inputs_are_passed_is_kept_by_position_or_by_name() {
    for (call, takes, gives) in [
        ("node(plain, 'a', 'b')", "[a]", "b"),
        ("node(plain, ['a', 'c'], ['b'])", "[a, c]", "[b]"),
        (
            "node(plain, {'a': 'x', 'b': 'params:y'}, {'k': 'out'})",
            "{a: x, b: params:y}",
            "{k: out}",
        ),
        ("node(plain, {'b': 'params:y', 'a': 'x'}, 'out')", "{a: x, b: params:y}", "out"),
        ("node(plain, 'a', None)", "[a]", "[]"),
    ] {
        let (_, callable) = read(call);
        assert_eq!((callable.takes.as_str(), callable.gives.as_str()), (takes, gives), "{call}");
    }
}

#[test]
fn a_decorated_function_is_the_wrapper_and_what_it_wraps() {
    let lib = "from functools import wraps
def timed(function):
    @wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper
@timed
def plain(a): return a
";
    let pipeline =
        format!("{HEAD}def create_pipeline():\n    return pipeline([node(plain, 'a', 'b')])\n");
    let registry = Project::new(&[("pipeline.py", &pipeline), ("lib.py", lib)]).registry();
    let callable = registry.pipelines[0].nodes[0].callable.clone().expect("a callable");
    assert_eq!(callable.name, "pkg.lib.plain");
    assert_eq!(entries(&callable), "lib:4:9 lib:8:5");
}

#[test]
fn a_long_value_is_kept_by_its_beginning_and_hash() {
    let long = |last: char| {
        let text = format!("{}{last}", "x".repeat(1000));
        bound(&read(&format!("node(partial(plain, b='{text}'), 'a', 'b')")).1)
    };
    assert!(long('1').len() < 600);
    assert_ne!(long('1'), long('2'));
    assert_eq!(long('1'), long('1'));
}
