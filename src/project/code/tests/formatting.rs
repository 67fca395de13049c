//! Comments, blank lines and formatting never change a hash, wherever they are.

use std::path::Path;

use proptest::prelude::*;

use super::super::outline::outline;
use super::project::{FILES, VALUES};
use crate::project::python::source::Source;

/// The names and hashes of a module's definitions.
fn hashes(text: &str) -> Vec<(String, u128)> {
    let source = Source::parse(Path::new("pkg/a.py").into(), text.to_owned());
    assert!(source.problems.is_empty(), "{:?}\n{text}", source.problems);
    let module = outline("pkg.a", false, &source);
    let units = module.units.iter();
    units.map(|unit| (unit.definition.name.clone(), unit.definition.hash)).collect()
}

/// The same code in another format; `choices` decide on each variation in turn.
fn reformatted(text: &str, choices: &[u8]) -> String {
    let mut choices = choices.iter().copied().cycle();
    let mut choose = |chance: u8| choices.next().is_some_and(|choice| choice % 16 < chance);
    let mut out = String::new();
    let mut brackets = 0;
    let mut indent = String::new();
    let mut at_start = true;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if at_start {
            indent = rest.chars().take_while(|c| *c == ' ').collect();
            at_start = false;
        }
        if c == '\'' || c == '"' || c == '#' {
            // Strings and comments are copied as a whole.
            let close = if rest.starts_with("\"\"\"") { "\"\"\"" } else { &rest[..1] };
            let close = if c == '#' { "\n" } else { close };
            let inner = &rest[close.len()..];
            let end = inner.find(close).unwrap();
            let plain = close == "'" && !inner[..end].contains(['"', '\\']);
            if plain && choose(8) {
                out.push_str(&format!("\"{}\"", &inner[..end]));
            } else if c != '#' {
                out.push_str(&rest[..2 * close.len() + end]);
            }
            rest = &inner[if c == '#' { end } else { end + close.len() }..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '\n' => {
                if choose(3) {
                    out.push_str("  # why");
                }
                if choose(3) {
                    out.push_str("  ");
                }
                out.push('\n');
                if brackets == 0 && choose(4) {
                    out.push_str(&format!("\n{indent}# A comment: 'it\n\n"));
                }
                at_start = true;
                continue;
            }
            '(' | '[' | '{' => brackets += 1,
            ')' | ']' | '}' => brackets -= 1,
            _ => {}
        }
        out.push(c);
        let inside = brackets > 0 && "([{,".contains(c);
        if inside && choose(4) {
            out.push_str("  # inside\n        ");
        } else if "([{,+=".contains(c) && choose(4) && !rest.starts_with('=') {
            out.push_str("  ");
        }
    }
    if choose(8) { out.replace('\n', "\r\n") } else { out }
}

proptest! {
    #[test]
    fn formatting_never_changes_a_hash(choices in prop::collection::vec(any::<u8>(), 1..400)) {
        for (path, text) in FILES.iter().chain(&VALUES) {
            let written = reformatted(text, &choices);
            prop_assert_eq!(hashes(text), hashes(&written), "{}\n{}", path, written);
        }
    }
}

#[test]
fn code_cut_off_anywhere_is_marked_as_broken_and_keeps_valid_entries() {
    for (path, text) in FILES.iter().chain(&VALUES) {
        for end in (0..text.len()).step_by(7).filter(|end| text.is_char_boundary(*end)) {
            let source = Source::parse(Path::new("pkg/a.py").into(), text[..end].to_owned());
            let module = outline("pkg.a", false, &source);
            assert_eq!(module.broken.is_some(), !source.problems.is_empty(), "{path}:{end}");
            let entries = module.entries.values();
            assert!(entries.into_iter().all(|unit| (*unit as usize) < module.units.len()));
        }
    }
}

#[test]
fn equivalent_code_has_the_same_hash() {
    for (one, other) in [
        ("x = 'a' 'b'", "x = (\n    \"a\"\n    \"b\"\n)"),
        ("x = 'ab'", "x = 'a' 'b'"),
        ("x = 0xff + 1_000", "x = 255 + 1000"),
        ("x = (1, 2)", "x = 1, 2"),
        ("x = f'{a}'", "x = f\"{a}\""),
        ("def f(a, b): return a", "def f(\n    a,\n    b,\n):\n    return (a)"),
        ("def f():\n    x: int\n    return 1", "def f():\n    return 1"),
        ("def f(*a: int, **k: int) -> int: pass", "def f(*a, **k): ..."),
        ("class A:\n    'Doc.'\n    x = 1", "class A:\n    x = 1"),
        ("if a:\n    f()\n", "if a: f()"),
        ("a(); b()", "a()\nb()"),
    ] {
        assert_eq!(hashes(one), hashes(other), "{one}");
    }
}

#[test]
fn different_code_has_a_different_hash() {
    for (one, other) in [
        ("x = 'a'", "x = b'a'"),
        ("x = 'a'", "x = 'A'"),
        ("x = 1", "x = 1.0"),
        ("x = 1", "x = True"),
        ("x = a[1:]", "x = a[:1]"),
        ("x = {**a, 'b': 1}", "x = {'b': 1, **a}"),
        ("def f(a, /, b): return a", "def f(a, b): return a"),
        ("def f(a, *, b=1): return a", "def f(a, b=1): return a"),
        ("async def f(): return 1", "def f(): return 1"),
        ("def f():\n    return f'{x!r}'", "def f():\n    return f'{x}'"),
        ("def f():\n    return f'{x:>3}'", "def f():\n    return f'{x:>4}'"),
        (
            "def f():\n    for a in b: c()\n    d()",
            "def f():\n    for a in b:\n        c()\n        d()",
        ),
        ("def f():\n    yield x", "def f():\n    yield from x"),
        ("class A:\n    x: int", "class A:\n    x: float"),
        ("class A: x = 1", "class A(B): x = 1"),
        ("@check\ndef f(a: int): return a", "@check\ndef f(a: str): return a"),
        ("@cache\ndef f(a): return a", "def f(a): return a"),
        ("x = lambda a: a", "x = lambda a=1: a"),
        ("def f():\n    'doc'\n    return 'doc'", "def f():\n    'doc'\n    return 'docs'"),
        ("import a as x", "import b as x"),
        ("x = not a", "x = -a"),
        ("x = a < b", "x = a <= b"),
        ("x = a is b", "x = a is not b"),
    ] {
        assert_ne!(hashes(one), hashes(other), "{one}");
    }
}
