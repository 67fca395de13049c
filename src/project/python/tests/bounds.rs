//! No code, however strange, makes the evaluator panic or hang.

use proptest::prelude::*;

use super::{HEAD, Project, names, problem_text, read};
use crate::project::Budget;

#[test]
fn endless_work_is_bounded() {
    let endless = [
        "while True: pass",
        "n = 0\n    while True: n += 1",
        "for i in range(10**12): pass",
        "[0 for i in range(10**9) for j in range(10**9)]",
        "x = 'a'\n    while True: x = x + x",
        "x = [1]\n    while True: x = x + x",
        "x = [1]\n    while True: x += x",
        "x = 'a' * 10**15",
        "x = [1] * 10**12",
        "x = f'{1:>999999999}'",
        "x = '{:>999999999}'.format(1)",
        "x = '%999999999d' % 1",
        "x = list(range(10**10))",
        "x = 2 ** 10**10",
        "g = lambda n: g(n + 1)\n    g(0)",
        "g = lambda n: g(n) + g(n)\n    g(0)",
        "x = []\n    x.append(x)\n    x == x\n    str(x)",
        "x = []\n    for i in range(100000): x = [x]\n    str(x); x == x",
        "from itertools import product\n    list(product(range(1000), repeat=8))",
        "x = {}\n    x['x'] = x\n    str(x)\n    Pipeline([node(f, x, 'b')])",
        "def gen():\n        while True: yield 1\n    list(gen())",
        "x = 'ab'\n    for i in range(60): x = x.replace('a', 'aa')",
        "x = [1, 2, 3]\n    for y in x: x.append(y)",
    ];
    for code in endless {
        let registry = read(&format!(
            "def create_pipeline(**kwargs):\n    {code}\n    return Pipeline([node(f, 'a', 'b', name='one')])\n"
        ));
        let shown = names(&registry) == ["one"];
        let reported = registry.problems.iter().any(|problem| problem.hides);
        assert!(shown || reported, "{code}: {}", problem_text(&registry));
    }
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let deep = |open: &str, inner: &str, close: &str, times: usize| {
        format!("x = {}{inner}{}\n", open.repeat(times), close.repeat(times))
    };
    let sources = [
        deep("[", "", "]", 500),
        deep("(", "1", ")", 20_000),
        deep("[", "", "]", 100_000),
        deep("f(", "", ")", 50_000),
        deep("not ", "1", "", 100_000),
        deep("lambda: ", "1", "", 50_000),
        format!("x = {}", "1 + ".repeat(100_000) + "1"),
        format!("x = 1{}", ".a".repeat(100_000)),
        format!("x = 1{}", "()".repeat(100_000)),
        format!("x = 1{}", "[0]".repeat(100_000)),
        (0..400).map(|n| format!("{}if True:\n", " ".repeat(n))).collect::<String>()
            + &" ".repeat(400)
            + "x = 1\n",
        format!("x = {}", "f'{".repeat(2_000)),
        format!("if x: pass\n{}", "elif x: pass\n".repeat(20_000)),
    ];
    for source in sources {
        let registry = read(&format!(
            "{source}\ndef create_pipeline(**kwargs):\n    return Pipeline([node(f, 'a', 'b', name='one')])\n"
        ));
        let start: String = source.chars().take(40).collect();
        let reported = registry.problems.iter().any(|problem| problem.hides);
        assert!(reported || names(&registry) == ["one"], "{start}: {}", problem_text(&registry));
    }
}

/// Fragments that random pipeline code is built from.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "def create_pipeline(**kwargs):",
        "\n",
        "\n    ",
        "\n        ",
        "return ",
        "Pipeline([",
        "])",
        "node(",
        "f, ",
        "'a', ",
        "['a', 'b'], ",
        "name=",
        "None",
        ")",
        "(",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        "=",
        "+",
        "*",
        "**",
        "for x in ",
        "range(3)",
        "range(10**9)",
        "if ",
        "else",
        "while ",
        "True",
        "lambda: ",
        "x",
        "y",
        "x.append(x)",
        "f'{",
        "'",
        "\"",
        "\\",
        "#",
        "import ",
        "from . import ",
        "pipeline",
        "class A:",
        "A()",
        "self",
        "yield ",
        "try:",
        "except Exception:",
        "with ",
        "match x:",
        "case ",
        "del ",
        "global x",
        "@",
        ".",
        "sum(",
        "zip(",
        "sorted(",
        "%",
        "x, y = ",
        "-1",
        "1e400",
        "0x",
        "é",
        "\t",
        "\u{0}",
        "'%s' % x",
        "namespace='n', ",
        "tags=",
        "str(x)",
        "x[0]",
        "x[::-1]",
        "create_pipeline()",
        "print(x)",
        "super().__init__()",
        "__class__",
        "...",
        "async ",
        "await ",
        "assert ",
    ];
    prop_oneof![4 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_evaluator_panic_or_hang(pieces in proptest::collection::vec(piece(), 0..60), headed in any::<bool>()) {
        let code = pieces.concat();
        let code = if headed { format!("{HEAD}def create_pipeline(**kwargs):\n    {code}") } else { code };
        let project = Project::new(&[("pipeline.py", &code), ("settings.py", &code)]);
        // With the full budget, an unoptimised build takes a minute for some inputs.
        let registry = project.registry_within(Budget::small());
        project.settings_within(Budget::small());
        prop_assert!(!registry.pipelines.is_empty() || !registry.problems.is_empty());
    }
}
