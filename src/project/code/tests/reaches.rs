//! Tests of what nodes reach.

use super::{Project, reaches_text, sample};
use crate::project::{Reach, Snapshot, SourceRange, json};

#[test]
fn the_sample_project() {
    insta::assert_snapshot!(reaches_text(&sample()));
}

/// A project whose only node calls `code`'s function `f`, with further files.
fn read(code: &str, more: &[(&str, &str)]) -> Snapshot {
    let registry = "from kedro.pipeline import node, pipeline
from pkg.nodes import f
def register_pipelines():
    return {'__default__': pipeline([node(f, 'a', 'b', name='f')])}
";
    let files =
        [("pkg/__init__.py", ""), ("pkg/pipeline_registry.py", registry), ("pkg/nodes.py", code)];
    Project::new(&[&files[..], more].concat()).read()
}

fn reach(snapshot: &Snapshot) -> &Reach {
    snapshot.pipelines[0].nodes[0].reach.as_ref().expect("a reach")
}

/// The reached names without `pkg.`, then packages, then unresolved places.
fn brief(snapshot: &Snapshot, reach: &Reach) -> String {
    let names = snapshot
        .code
        .reached(reach)
        .map(|definition| definition.name.trim_start_matches("pkg.").to_owned());
    let packages = reach.packages.iter().map(|package| format!("<{package}>"));
    let unknown =
        reach.unknown.iter().map(|unseen| format!("? {}: {}", unseen.place.line, unseen.reason));
    names.chain(packages).chain(unknown).collect::<Vec<_>>().join(" ")
}

#[test]
fn names_are_followed_as_python_binds_them() {
    for (code, expected) in [
        // A local name hides the module's name.
        ("g = 1\ndef f(a):\n    g = 2\n    return g\n", "nodes.f"),
        ("g = 1\ndef f(g):\n    return g\n", "nodes.f"),
        ("g = 1\ndef f(a):\n    return [g for g in a]\n", "nodes.f"),
        ("g = 1\ndef f(a):\n    return [g for x in a]\n", "nodes.g nodes.f"),
        ("g = 1\ndef f(a):\n    return lambda g: g\n", "nodes.f"),
        ("g = 1\ndef f(a):\n    try: pass\n    except E as g: return g\n", "nodes.f"),
        ("g = 1\ndef f(a):\n    def h(): return g\n    return h()\n", "nodes.g nodes.f"),
        // A name in a string is text.
        ("def g(): pass\ndef f(a):\n    return 'g'\n", "nodes.f"),
        ("def g(): pass\ndef f(a):\n    return f'{g}'\n", "nodes.g nodes.f"),
        // Defaults, decorators and bases are evaluated with the definition.
        ("g = 1\ndef f(a, b=g):\n    return b\n", "nodes.g nodes.f"),
        ("def g(x): return x\ndef f(a):\n    @g\n    def h(): pass\n", "nodes.g nodes.f"),
        ("g = 1\ndef f(a: g) -> g:\n    return 1\n", "nodes.f"),
        (
            "class A: x = 1\nclass B(A): pass\ndef f(a):\n    return B()\n",
            "nodes.A nodes.B nodes.f",
        ),
        (
            "class A: pass\nclass B:\n    x: A\ndef f(a):\n    return B()\n",
            "nodes.A nodes.B nodes.f",
        ),
        // Later and conditional bindings all count.
        (
            "def g(): return 1\ndef g(): return 2\ndef f(a): return g()\n",
            "nodes.g nodes.g (2) nodes.f",
        ),
        (
            "try:\n    import a as g\nexcept ImportError:\n    import b as g\ndef f(a): return g\n",
            "nodes.g nodes.g (2) nodes.g (3) nodes.f <a> <b>",
        ),
        (
            "if x:\n    def g(): return h()\ndef h(): pass\ndef f(a): return g()\n",
            "nodes.g nodes.h nodes.f",
        ),
        // Code that changes a thing belongs to that thing.
        (
            "class R: pass\nr = R()\n@r.add\ndef g(): pass\ndef f(a): return r.run()\n",
            "nodes.R nodes.r nodes.g nodes.f",
        ),
        ("class A: pass\nA.x = 1\ndef f(a): return A()\n", "nodes.A nodes:A.x nodes.f"),
        ("x = {}\nx['a'] = 1\ny = {}\ny['b'] = 2\ndef f(a): return x\n", "nodes.x nodes:x nodes.f"),
        (
            "x = []\ndef g(b): x[0].parts.append(b)\ndef h(b): return x\ndef f(a): return x\n",
            "nodes.x nodes.g nodes.f",
        ),
        ("x = []\ndef g(x): x.append(1)\ndef f(a): return x\n", "nodes.x nodes.f"),
        (
            "def g(): pass\nprint('loaded', g())\ndef f(a): return 1\n",
            "nodes.g nodes:print nodes.f",
        ),
        ("for i in range(3):\n    print(i)\ndef f(a): return 1\n", "nodes.i nodes.f"),
        (
            "assert True\nif __name__ == '__main__':\n    print(1)\ndef f(a): return 1\n",
            "nodes:assert nodes.f",
        ),
        // Cycles are handled.
        ("def g(): return f(1)\ndef f(a): return g()\n", "nodes.g nodes.f"),
    ] {
        let snapshot = read(code, &[]);
        assert_eq!(brief(&snapshot, reach(&snapshot)), expected, "{code}");
    }
}

#[test]
fn imports_are_followed_to_where_things_are_defined() {
    let more = [
        (
            "pkg/lib/__init__.py",
            "from .a import one\nfrom . import b\nfrom .b import two as deux\n",
        ),
        (
            "pkg/lib/a.py",
            "from pkg.lib import b\ndef one(): return b.two()\ndef three(): return 3\n",
        ),
        (
            "pkg/lib/b.py",
            "from sklearn.svm import SVC\ndef two(): return 2\ndef svm(): return SVC()\n",
        ),
        ("pkg/stars.py", "from pkg.lib.a import *\nfrom outside import *\n"),
        ("pkg/lazy.py", "def __getattr__(name): return name\n"),
        ("pkg/round.py", "from pkg.trip import x\n"),
        ("pkg/trip.py", "from pkg.round import x\n"),
        ("shared/__init__.py", ""),
        ("shared/tools.py", "def tool(): return 1\n"),
        ("loose/tools.py", "def tool(): return 1\n"),
    ];
    for (code, expected) in [
        ("from pkg.lib import one\ndef f(a): return one()\n", "lib.a.one lib.b.two nodes.f"),
        ("from pkg import lib\ndef f(a): return lib.one()\n", "lib.a.one lib.b.two nodes.f"),
        (
            "import pkg.lib.b\ndef f(a): return pkg.lib.b.svm()\n",
            "lib.b.SVC lib.b.svm nodes.f <sklearn>",
        ),
        ("import pkg.lib.b as s\ndef f(a): return s.two()\n", "lib.b.two nodes.f"),
        ("from .lib import deux\ndef f(a): return deux()\n", "lib.b.two nodes.f"),
        ("from . import lib\ndef f(a): return lib.b.two()\n", "lib.b.two nodes.f"),
        ("def f(a):\n    from .lib.a import three\n    return three()\n", "lib.a.three nodes.f"),
        ("def f(a):\n    import pkg.lib.a\n    return pkg.lib.a.three()\n", "lib.a.three nodes.f"),
        ("def f(a):\n    import xgboost as xgb\n    return xgb.train()\n", "nodes.f <xgboost>"),
        (
            "import os.path, numpy.linalg as la\ndef f(a): return os.path.join(la.norm(a))\n",
            "nodes.os nodes.la nodes.f <numpy>",
        ),
        ("from pkg.stars import three\ndef f(a): return three()\n", "lib.a.three nodes.f"),
        (
            "from .stars import *\ndef f(a): return three(thing)\n",
            "lib.a.three nodes.f stars:outside.* <outside>",
        ),
        ("from pkg import lazy\ndef f(a): return lazy.anything\n", "lazy.__getattr__ nodes.f"),
        ("from pkg.round import x\ndef f(a): return x\n", "nodes.f"),
        ("from shared.tools import tool\ndef f(a): return tool()\n", "nodes.f shared.tools.tool"),
        ("from loose import tools\ndef f(a): return tools.tool()\n", "loose.tools.tool nodes.f"),
        ("import loose.tools\ndef f(a): return loose.tools.tool()\n", "loose.tools.tool nodes.f"),
        (
            "import importlib\ndef f(a): return importlib.import_module('pkg.lib.b').two()\n",
            "lib.b.two nodes.importlib nodes.f",
        ),
        (
            "from importlib import import_module\ndef f(a): return import_module('.lib.b', __package__).two()\n",
            "lib.b.two nodes.import_module nodes.f",
        ),
        // A module used as a value: anything in it may be used.
        (
            "from pkg.lib import a\ndef f(b): return run(a)\n",
            "lib.a.one lib.a.three lib.b.two nodes.f",
        ),
        (
            "from pkg.lib import a\ndef f(b): return getattr(a, b)\n",
            "lib.a.one lib.a.three lib.b.two nodes.f",
        ),
        ("from pkg.lib import a\ndef f(b): return getattr(a, 'three')\n", "lib.a.three nodes.f"),
    ] {
        let snapshot = read(code, &more);
        assert_eq!(brief(&snapshot, reach(&snapshot)), expected, "{code}");
    }
}

#[test]
fn a_patch_in_another_module_is_a_part_of_what_it_patches() {
    let code = "from pkg import state\ndef f(a): return state.read()\n";
    let state = ("pkg/state.py", "def read(): return 1\ndef other(): return 2\n");
    let patch = "from pkg import state\nstate.read = lambda: 2\n";
    let snapshot = read(code, &[state, ("pkg/patches.py", patch)]);
    assert_eq!(brief(&snapshot, reach(&snapshot)), "nodes.f patches:state.read state.read");
    let snapshot = read(code, &[state, ("pkg/tests/test_state.py", patch)]);
    assert_eq!(brief(&snapshot, reach(&snapshot)), "nodes.f state.read");
}

#[test]
fn code_resolved_at_run_time_is_reported_with_its_place() {
    for (code, expected) in [
        (
            "def f(a):\n    return eval(a)\n",
            "nodes.f ? 2: `eval` runs code that is made at run time",
        ),
        ("def f(a):\n    exec(a)\n", "nodes.f ? 2: `exec` runs code that is made at run time"),
        ("def f(a):\n    return a.eval('b')\n", "nodes.f"),
        ("def eval(x): return x\ndef f(a):\n    return eval(a)\n", "nodes.eval nodes.f"),
        (
            "def f(a):\n    return globals()[a]\n",
            "nodes.f ? 2: `globals` gives access to every name of the module",
        ),
        (
            "from importlib import import_module as load\ndef f(a):\n    return load(a).x\n",
            "nodes.load nodes.f ? 3: the name of an imported module is only known at run time",
        ),
        (
            "import sys\ndef f(a):\n    return sys.modules[a]\n",
            "nodes.sys nodes.f ? 3: `sys.modules` gives access to every module",
        ),
        (
            "from pkg.gone import g\ndef f(a):\n    return g\n",
            "nodes.f ? 2: there is no Python file of module `pkg.gone`",
        ),
        (
            "def f(a): return 1\ndef g(:\n",
            "nodes.f ? 2: `src/pkg/nodes.py` can't be read to its end",
        ),
    ] {
        let snapshot = read(code, &[]);
        let reached =
            &snapshot.pipelines.first().map(|pipeline| pipeline.nodes.clone()).unwrap_or_default();
        let Some(node) = reached.first() else { panic!("{code}: {:?}", snapshot.problems) };
        assert_eq!(brief(&snapshot, node.reach.as_ref().expect("a reach")), expected, "{code}");
    }
}

#[test]
fn a_third_party_function_reaches_its_package() {
    let snapshot = read("from sklearn.model_selection import train_test_split as f\n", &[]);
    assert_eq!(brief(&snapshot, reach(&snapshot)), "<sklearn>");
    let snapshot = read("from json import dumps as f\n", &[]);
    assert_eq!(brief(&snapshot, reach(&snapshot)), "");
}

#[test]
fn an_unknown_function_is_reported() {
    let snapshot = read("import outside\nf = outside.make()\n", &[]);
    let reach = reach(&snapshot);
    assert!(reach.definitions.is_empty());
    assert_eq!(reach.unknown.len(), 1, "{reach:?}");
}

#[test]
fn a_source_range_from_kedro_leads_to_the_same_reach() {
    let snapshot = sample();
    let mut compared = 0;
    for node in &snapshot.pipelines[0].nodes {
        let Some(source) = &node.source else { continue };
        let at = snapshot.code.reach_at(source).expect("a definition");
        assert_eq!(node.reach.as_ref(), Some(&at), "{}", node.name);
        compared += 1;
    }
    assert!(compared > 10);
    let elsewhere =
        SourceRange { filepath: "scripts/make_data.py".into(), line_start: 1, line_end: 2 };
    assert_eq!(snapshot.code.reach_at(&elsewhere), None);
}

#[test]
fn nodes_that_only_kedro_knows_get_their_reach_from_their_source_range() {
    let read =
        read("def f(a): return 1\n\ndef g(a):\n    return h(a)\n\ndef h(a): return 2\n", &[]);
    let node = |name: &str, line: u32| {
        serde_json::json!({
            "name": name, "func_name": name, "inputs": ["a"], "outputs": [name], "tags": [],
            "source": {"filepath": "src/pkg/nodes.py", "line_start": line, "line_end": line},
        })
    };
    let answer = serde_json::json!({
        "pipelines": [{"name": "__default__", "nodes": [node("f", 1), node("made", 3)]}],
        "datasets": {},
    });
    let exact = json::from_exact(&answer, &read).unwrap();
    let reached = |index: usize| {
        brief(&exact, exact.pipelines[0].nodes[index].reach.as_ref().expect("a reach"))
    };
    assert_eq!(reached(0), "nodes.f");
    assert_eq!(reached(1), "nodes.g nodes.h");
}
