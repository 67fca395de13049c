//! The corpus: small configuration folders.

use serde_json::json;

use super::Case;

/// All cases.
pub fn all() -> Vec<Case> {
    let mut cases = scalars();
    cases.extend(yaml());
    cases.extend(environments());
    cases.extend(interpolation());
    cases.extend(resolvers());
    cases.extend(catalogs());
    cases
}

/// Plain scalars, each a case of its own, since one that Kedro refuses would hide the others.
fn scalars() -> Vec<Case> {
    [
        "yes",
        "Yes",
        "YES",
        "yEs",
        "no",
        "No",
        "NO",
        "on",
        "On",
        "ON",
        "off",
        "Off",
        "OFF",
        "y",
        "n",
        "Y",
        "N",
        "true",
        "True",
        "TRUE",
        "tRue",
        "false",
        "~",
        "null",
        "Null",
        "NULL",
        "nULL",
        "",
        "''",
        "None",
        "nan",
        "NaN",
        ".nan",
        ".NaN",
        ".NAN",
        ".nAn",
        "inf",
        ".inf",
        "-.inf",
        "+.inf",
        ".Inf",
        ".INF",
        "-.INF",
        "0",
        "-0",
        "+1",
        "007",
        "010",
        "-010",
        "08",
        "09",
        "0o10",
        "0o17",
        "0x1F",
        "0x_1",
        "-0x1f",
        "0xG",
        "0b101",
        "0b",
        "0b2",
        "1_000",
        "1__0",
        "_1",
        "1_",
        "1_000.5",
        "1_0e3",
        "1e3",
        "1E3",
        "1e+3",
        "1e-3",
        "1.e3",
        "1.5e3",
        "1.5E+3",
        ".5",
        ".5e3",
        ".5e+3",
        "+.5",
        "-.5",
        ".e3",
        "5.",
        "-5.",
        "+5.",
        ".",
        "..",
        "1.2.3",
        "1..2",
        "e3",
        "1e",
        "190:20:30",
        "1:30",
        "01:30",
        "1:60",
        "1:59",
        "12:30:45",
        "1:30.5",
        "190:20:30.15",
        "-1:30",
        "12:3",
        "00:00",
        "0:0",
        "10:00",
        "23:59:59",
        "2026-11-23",
        "2026-11-23 10:00:00",
        "2026-11-23T10:00:00Z",
        "12345678901234567890",
        "-12345678901234567890",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "0x7fffffffffffffff",
        "0xffffffffffffffffff",
        "07777777777777777777777777",
        "0b11111111111111111111111111111111111111111111111111111111111111111111",
        "1e400",
        "1e-400",
        "0.1",
        "100.0",
        "1e16",
        "123456789012345678.0",
        "=",
        "<<",
        "-",
        "--",
        "-a",
        "?",
        "? a",
        ":",
        "a:b",
        "a: b",
        "a #b",
        "a#b",
        "#b",
        "!!str 1",
        "!!int '1'",
        "!!float 1",
        "!!float '1e3'",
        "!!bool 'yes'",
        "!!null ''",
        "! 1",
        "!!int a",
        "!!binary aGk=",
        "!!set {a, b}",
        "!!timestamp 2026-11-23",
        "!!python/tuple [1, 2]",
        "!custom 1",
        "!!seq [a]",
        "!!map {a: 1}",
        "\"\\x41\\u00e9\\n\\t\\\\\"",
        "'it''s'",
        "\"a\\\n  b\"",
        "'a\n\n  b'",
        "|\n  a\n  b",
        "|-\n  a",
        "|+\n  a\n\n",
        ">\n  a\n  b\n\n  c",
        ">-\n  a\n   b\n  c",
        "|2\n    a",
        "a\n  b",
        "[a, b,]",
        "[a b, c: d]",
        "{a: 1, b}",
        "{a, b: }",
        "[, a]",
        "{a: b c: d}",
        "[]",
        "{}",
        "ü",
        "日本",
        "\"\\U0001F600\"",
        "a\u{a0}b",
        "@a",
        "`a`",
        "%a",
        "&x a",
        "*x",
        "&x",
        "[&x 1, *x]",
        "'a",
        "\"a",
        "[a",
        "{a",
        "]",
        "}",
        "a]",
        "a}",
        "a, b",
        "\t1",
        "1\t",
        "\"\\q\"",
        "- a",
        "a\n b",
        "!!str",
        "!!str ~",
        "1,000",
        "1 000",
        "$1",
        "50%",
        "0.0",
        "-0.0",
        "+0",
        "00",
        "0_",
        "0_1",
        "0.",
        "0:1:2",
    ]
    .iter()
    .map(|text| Case::new(format!("scalar {text:?}")).parameters(format!("a: {text}\nb: [1]\n")))
    .collect()
}

fn yaml() -> Vec<Case> {
    let parameters = |texts: &[&str]| -> Vec<Case> {
        texts.iter().map(|text| Case::new(format!("yaml {text:?}")).parameters(*text)).collect()
    };
    let mut cases = parameters(&[
        "",
        "# only a comment\n",
        "---\n",
        "---\na: 1\n",
        "---\na: 1\n...\n",
        "a: 1\n---\nb: 2\n",
        "%YAML 1.1\n---\na: 1\n",
        "a\n",
        "- a\n",
        "3\n",
        "null\n",
        "[]\n",
        "{}\n",
        "\"a\"\n",
        "a: 1\na: 2\n",
        "a:\n  b: 1\n  b: 2\n",
        "a: {b: 1, b: 2}\n",
        "1: a\n1: b\n",
        "true: a\nyes: b\n",
        "'1': a\n1: b\n",
        "~: a\nnull: b\n",
        "1: a\n",
        "1.5: a\n",
        "true: a\n",
        "yes: a\n",
        "~: a\n",
        "2026-11-23: a\n",
        "? a\n: b\n",
        "? [a, b]\n: c\n",
        "{a: 1}: b\n",
        "? |\n  a\n: b\n",
        "a: {1.5: x}\n",
        "a: {~: x}\n",
        "on: 1\noff: 2\n",
        "0x10: a\n",
        "x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\n",
        "x: &x {a: 1}\ny: &y {a: 2, b: 2}\nz: {<<: [*x, *y], c: 3}\n",
        "x: &x {a: 1}\ny:\n  b: 2\n  <<: *x\n  a: 3\n",
        "x: &x [1, 2]\ny: {<<: *x}\n",
        "y: {<<: {a: 1}}\n",
        "y: {<<: 1}\n",
        "y: {<<: [{a: 1}, 2]}\n",
        "y: {<<: null}\n",
        "x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nz: {<<: *y, c: 3}\n",
        "x: &x {a: 1}\ny: {<<: *x, <<: {b: 2}}\n",
        "'<<': {a: 1}\n",
        "x: {'<<': {a: 1}}\n",
        "x: &x {a: {b: 1}}\ny: {<<: *x, a: {c: 2}}\n",
        "x: &x {a: 1, b: 2, c: 3}\ny: {<<: *x, c: 4, a: 5}\n",
        "x: &x {a: 1}\n<<: *x\n",
        "x: &x 1\ny: *x\nx2: &x 2\nz: *x\n",
        "x: *y\ny: &y 1\n",
        "x: &x [*x]\n",
        "&k key: 1\nb: *k\n",
        "*k : 1\n",
        "a: &k b\n*k : 1\n",
        "_x: &x {a: 1}\ny: *x\n",
        "a:\n\tb: 1\n",
        "a:\n  b: 1\n\tc: 2\n",
        "\ta: 1\n",
        "a: 1\t\n",
        "a:\t1\n",
        "a: [\n\t1\n]\n",
        "a: {\n\tb: 1}\n",
        "a: |\n\tx\n",
        "a: |\n  x\n\ty\n",
        "a: 'x\n\ty'\n",
        "- \ta\n",
        "a:\n  - \tb\n",
        "a: x\n\ty\n",
        "a:\n \tb: 1\n",
        "a: 1\n\t\nb: 2\n",
        "a: 1\n\t# c\nb: 2\n",
        "a:\n  -\tb\n",
        "a:\n  -\tb: 1\n    c: 2\n",
        "a: # c\n\t\n  b: 1\n",
        "a: 1\n b: 2\n",
        "  a: 1\n  b: 2\n",
        "  a: 1\nb: 2\n",
        "a:\n    b: 1\n  c: 2\n",
        "a:\n- 1\n- 2\nb: 3\n",
        "a:\n- 1\n b: 2\n",
        "a: b: c\n",
        "a: 'b': c\n",
        "a:1\n",
        "a :1\n",
        "a : 1\n",
        "a:\n1\n",
        "a: [1, 2\n",
        "a: [1, 2\nb: 3\n",
        "a: {b: 1\nc: 2}\n",
        "a: \"x\nb: 1\n",
        "a: \"x\n  y\"\n",
        "a: 1 # c\n",
        "a: 'x'# c\n",
        "a: 'x' y\n",
        "a: [1]x\n",
        "a: [1] # c\n",
        "a: {b: 1} c\n",
        "{a: 1}\n",
        "{a: 1,\nb: 2}\n",
        "{\"a\": [1, {\"b\": null}], \"c\": true}\n",
        "{\"a\":1}\n",
        "{a:1}\n",
        "{'a':1}\n",
        "[a: 1]\n",
        "a: -\n",
        "a:\n  -\n  - b\n",
        "a:\n  - - 1\n    - 2\n  - b: 1\n    c: 2\n",
        "a: - b\n",
        "- a: 1\n",
        "a: |\n",
        "a: >\n\nb: 1\n",
        "a: | # c\n  x\n",
        "a: |x\n  y\n",
        "a: >+\n  x\n\nb: 1\n",
        "a: |\n    x\n  y\n",
        "a: |\n   \n  x\n",
        "a: \u{7}\n",
        "a: \"\u{7}\"\n",
        "\u{feff}a: 1\n",
        "a: 1\r\nb: 2\r\n",
        "a: 1\rb: 2\r",
        "a: x\u{0}y\n",
        "a: \u{1f600}\n",
        "ключ: значение\n",
        "a: 'é'\n",
        "a: \u{fffe}\n",
        "a: \u{7f}\n",
        "a: \u{200b}\n",
        "? a\n",
        "? a\nb: 1\n",
        "!!map\na: 1\n",
        "!!str a: 1\n",
        "a: !!map\n  b: 1\n",
        "a: !!seq\n- 1\n",
        "a: !x {b: 1}\n",
        "a: !x [1]\n",
        "%TAG ! tag:x,2000:\n---\na: 1\n",
        "a: @x\n",
        "a: %x\n",
        "a: `x`\n",
        "a: x @y\n",
        "a: *\n",
        "a: &\n",
        "a: !\n",
        "a: *x y\n",
        "a: ??\n",
        "a: ?x\n",
        "a: -x\n",
        "a: :x\n",
        "a: x:\n",
        "a: [- x]\n",
        "a: {x:1}\n",
        "a: {x: }\n",
        "a: {x}\n",
        "a: {? x : 1}\n",
        "a: {x: 1,, y: 2}\n",
        "a: [1,, 2]\n",
        "a: [1 # c\n, 2]\n",
        "a: [1,#c\n 2]\n",
        "a: [x #c\n]\n",
        "a: [\n1\n]\n",
        "a:\n[1]\n",
        "a: [\nb: 1\n]\n",
        "a: {\nb: 1\n}\n",
        "a: {\n  b: 1\n}\n",
        "a: [\n]\n",
        "a: ???\n",
        "a: ???\nb: ${a}\n",
        "a.b: 1\n",
        "a: {b.c: 1}\n",
        "'': 1\n",
        "a: {'': 1}\n",
        "a: 1\n...\nb: 2\n",
        "a: 1\n... b\n",
        "---a: 1\n",
        "--- a\n",
        "--- {a: 1}\n",
        "a: ---\n",
        "a: 'x\n---\ny'\n",
        "a: 0x\n",
        "a: '\\n'\n",
        "a: \"\\/\"\n",
        "a: \"\\e\"\n",
        "a: \"\\ \"\n",
        "a: \"\\x4\"\n",
        "a: \"\\ud83d\\ude00\"\n",
    ]);
    let long = "k".repeat(130);
    cases.push(Case::new("a long key").parameters(format!("{long}: 1\n")));
    let longer = "k".repeat(1030);
    cases.push(Case::new("a key beyond PyYAML's limit").parameters(format!("{longer}: 1\n")));
    cases.push(Case::new("a long quoted key").parameters(format!("\"{longer}\": 1\n")));
    cases.push(
        Case::new("json file").file(
            "base/parameters.json",
            "{\"a\": 1, \"b\": [true, null, 1e3, \"x\"], \"c\": 1.0}",
        ),
    );
    cases.push(
        Case::new("json with tabs")
            .file("base/parameters.json", "{\n\t\"a\": 1,\n\t\"b\": {\n\t\t\"c\": 2\n\t}\n}\n"),
    );
    cases
}

fn environments() -> Vec<Case> {
    let base = "a: {x: 1, y: {z: 2, w: 3}, l: [1, 2]}\nb: 1\n";
    let local = "a: {y: {z: 20}, l: [3]}\nc: 3\n";
    let both = |name: &str| Case::new(name).parameters(base).file("local/parameters.yml", local);
    vec![
        both("destructive by default"),
        both("soft merge").merge("parameters", "soft"),
        both("destructive by name").merge("parameters", "destructive"),
        both("an unknown strategy").merge("parameters", "deep"),
        both("base as run environment").env("base"),
        both("an environment without a folder").env("nowhere"),
        both("another environment").file("cloud/parameters.yml", "b: cloud\n").env("cloud"),
        both("a nested environment").file("cloud/eu/parameters.yml", "b: cloud\n").env("cloud/eu"),
        Case::new("soft merge changes kinds")
            .parameters("a: {x: 1}\nb: 1\nc: [1]\n")
            .file("local/parameters.yml", "a: 1\nb: {x: 1}\nc: {y: 1}\n")
            .merge("parameters", "soft"),
        Case::new("soft merge with null")
            .parameters("a: {x: 1}\nb: {y: 1}\n")
            .file("local/parameters.yml", "a: null\nb: {y: }\n")
            .merge("parameters", "soft"),
        Case::new("soft merge of a catalog")
            .catalog("a: {type: x.Y, load_args: {p: 1}}\n")
            .file("local/catalog.yml", "a: {load_args: {q: 2}}\n")
            .merge("catalog", "soft"),
        Case::new("destructive catalog lacks type")
            .catalog("a: {type: x.Y, load_args: {p: 1}}\n")
            .file("local/catalog.yml", "a: {load_args: {q: 2}}\n"),
        Case::new("files of one environment")
            .parameters("a: {x: 1}\n")
            .file("base/parameters_b.yml", "a: {y: 2}\n")
            .file("base/parameters/c.yml", "c: 3\n")
            .file("base/deep/er/parameters_d.yml", "d: 4\n"),
        Case::new("duplicates over files")
            .parameters("a: {x: 1}\n")
            .file("base/parameters_b.yml", "a: {x: 2}\n"),
        Case::new("a mapping and a value over files")
            .parameters("a: {x: 1}\n")
            .file("base/parameters_b.yml", "b: 1\n"),
        Case::new("empty mappings over files")
            .parameters("a: {}\n")
            .file("base/parameters_b.yml", "a: {}\n"),
        Case::new("hidden duplicates over files")
            .parameters("_a: 1\nb: 1\n")
            .file("base/parameters_b.yml", "_a: 1\n"),
        Case::new("catalog duplicates over files")
            .catalog("a: {type: x}\n")
            .file("base/catalog_b.yml", "a: {type: x}\n"),
        Case::new("catalog hidden duplicates")
            .catalog("_a: {type: x}\nb: {type: y}\n")
            .file("base/catalog_b.yml", "_a: {type: x}\n"),
        Case::new("parameter keys with an underscore stay").parameters("_a: 1\nb: {_c: 2}\n"),
        Case::new("hidden files")
            .parameters("a: 1\n")
            .file("base/.hidden/parameters.yml", "a: 2\n")
            .file("base/.parameters.yml", "a: 3\n")
            .file("base/parameters/.x.yml", "a: 4\n"),
        Case::new("other extensions")
            .parameters("a: 1\n")
            .file("base/parameters.txt", "a: [\n")
            .file("base/parameters.yml.bak", "a: [\n")
            .file("base/parameters.yaml", "b: 1\n")
            .file("base/parameters.YML", "c: ["),
        Case::new("a name within a name")
            .parameters("a: 1\n")
            .file("base/my_parameters.yml", "b: 1\n"),
        Case::new("a broken file").parameters("a: [1\n").file("local/parameters.yml", "b: 1\n"),
        Case::new("a broken file of another kind").parameters("a: 1\n").catalog("a: [\n"),
        Case::new("a list at the top").parameters("- 1\n").file("local/parameters.yml", "a: 1\n"),
        Case::new("runtime parameters over both")
            .parameters("a: {x: 1, y: 2}\nb: 1\n")
            .file("local/parameters.yml", "a: {z: 3}\n")
            .runtime(json!({"a": {"y": 20}, "n": [1, "x", null, 2.5]})),
        Case::new("runtime parameters over an empty file").parameters("").runtime(json!({"a": 1})),
        Case::new("runtime parameters over a comment")
            .parameters("# nothing\n")
            .runtime(json!({"a": {"b": 1}})),
        Case::new("runtime parameters and a local file only")
            .file("local/parameters.yml", "b: 1\n")
            .runtime(json!({"a": 1})),
        Case::new("runtime parameters resolve references")
            .parameters("a: 1\nb: ${a}\n")
            .runtime(json!({"a": 5})),
        Case::new("runtime parameters that replace a mapping")
            .parameters("a: {x: 1}\n")
            .runtime(json!({"a": 5})),
        Case::new("globals alone in local")
            .file("local/globals.yml", "g: 2\n")
            .parameters("a: ${globals:g}\n"),
        Case::new("globals in both")
            .globals("g: 1\nh: {i: 1}\n")
            .file("local/globals.yml", "h: {j: 2}\n")
            .parameters("a: ${globals:g}\nb: ${globals:h}\n"),
        Case::new("globals in a folder below")
            .file("base/sub/globals.yml", "g: 2\n")
            .parameters("a: ${globals:g,none}\n"),
        Case::new("globals with another ending")
            .file("base/globals.yaml", "g: 2\n")
            .parameters("a: ${globals:g,none}\n"),
        Case::new("no catalog at all but credentials").file(
            "local/credentials.yml",
            "db: {user: a, password: b, list: [1, {x: y}], n: null, port: 1}\n",
        ),
        Case::new("credentials as plain values")
            .file("local/credentials.yml", "token: abc\nlist: [a]\n_h: 1\n"),
    ]
}

fn interpolation() -> Vec<Case> {
    let texts = [
        "a: 1\nb: ${a}\nc: x${a}y\nd: ${a}${a}\n",
        "a: {b: {c: 3}}\nd: ${a.b.c}\ne: ${a.b}\nf: ${a[b].c}\ng: ${a[b][c]}\n",
        "a: {b: 1, c: '${.b}', d: {e: '${..b}', f: '${...z}'}}\nz: 9\n",
        "a: [1, 2, '${.0}', '${a.1}', '${a[0]}']\n",
        "a: {k: b}\nb: 2\nc: ${${a.k}}\nd: ${a.${e}}\ne: k\n",
        "a: ${b}\nb: ${c}\nc: ${a}\n",
        "a: ${a}\n",
        "a: {b: '${a}'}\n",
        "a: {b: '${a.b}'}\n",
        "a: ${nope}\n",
        "a: ${a.b.c}\n",
        "a: 1\nb: ${a.b}\n",
        "a: {b: 1}\nc: ${a.c}\n",
        "a: x${nope}y\n",
        "b: null\na: ${b}\nc: x${b}\n",
        "a: \\${b}\n",
        "a: '\\${b}'\n",
        "a: '\\\\${b}'\nb: 1\n",
        "a: '\\\\\\${b}'\nb: 1\n",
        "a: 'x\\\\y'\n",
        "a: '\\\\'\n",
        "a: '$b ${b} $'\nb: 1\n",
        "a: '$${b}'\nb: 1\n",
        "a: '${b}\\\\'\nb: 1\n",
        "a: 'x\\'\n",
        "a: ${\n",
        "a: ${{ b }}\nb: 1\n",
        "=: 1\nb: 1\n",
        "a: {=: 1}\n",
        "a: '${'\n",
        "a: '${}'\n",
        "a: '${b'\nb: 1\n",
        "a: '${b}}'\nb: 1\n",
        "a: '{${b}'\nb: 1\n",
        "a: '${ b }'\nb: 1\n",
        "a: '${b c}'\n",
        "a: '${b:}'\n",
        "a: '${:b}'\n",
        "a: '${.}'\n",
        "a: '${b.}'\nb: {c: 1}\n",
        "a: '${b..c}'\nb: {c: 1}\n",
        "a: '${b[}'\n",
        "a: '${b]}'\n",
        "a: '${b[0}'\nb: [1]\n",
        "a: '${b[0]}'\nb: [1]\n",
        "a: '${b[5]}'\nb: [1]\n",
        "a: '${b.-1}'\nb: [1]\n",
        "a: '${b.x}'\nb: [1]\n",
        "a: '${[b]}'\nb: 1\n",
        "a: '${[b][c]}'\nb: {c: 1}\n",
        "a: '${....b}'\nb: 1\n",
        "a: '${-b}'\n",
        "a: '${b-c}'\nb-c: 1\n",
        "a: '${b/c}'\nb/c: 1\n",
        "a: '${1}'\n1: x\n",
        "a: '${true}'\ntrue: x\n",
        "a: '${b c}'\n'b c': 1\n",
        "a: '${@b}'\n",
        "a: '${$b}'\n",
        "a: '${é}'\né: 1\n",
        "a: '${b?}'\n",
        "a: '${b+c}'\n'b+c': 1\n",
        "a: '${b*}'\n",
        "a: '${b%}'\n'b%': 2\n",
        "a: {x: 1}\nb: x${a}\n",
        "a: [1]\nb: x${a}\n",
        "a: {x: 1}\nb: '${a}${a}'\n",
        "n: 1.0\na: x${n}\nb: ${n}\n",
        "n: 1e20\na: x${n}\n",
        "n: true\na: x${n}\n",
        "n: 0.00001\na: x${n}\n",
        "n: .inf\na: x${n}\n",
        "n: 010\na: x${n}\n",
        "n: 12345678901234567890\na: x${n}\n",
        "a: {b: '${c}'}\nc: {d: '${e}'}\ne: {f: 1}\ng: ${a.b.d.f}\n",
        "a: [1, 2]\nb: ['${a}', '${a.0}']\n",
        "a: {x: '${y}'}\ny: {z: '${..q}'}\nq: 1\n",
        "m: {n: '${.o}', o: 1}\np: ${m}\nq: ${m.n}\n",
        "m: {n: '${..o}'}\no: 1\np: {q: '${m}'}\n",
        "${a}: 1\na: b\n",
        "a: {'${b}': 1}\nb: c\n",
        "a: ${b} # c\nb: 1\n",
        "a: [${b}]\nb: 1\n",
        "a: {c: ${b}}\nb: 1\n",
        "a: {${b}}\n",
        "a: '???'\n",
        "a: ???\nb: x\n",
        "x: &x {p: '${.q}', q: 1}\ny: {<<: *x, q: 2}\n",
        "a: \"${b}\\n\"\nb: 1\n",
        "a: |\n  ${b}\nb: 1\n",
        "a: '${b}\n\n  ${b}'\nb: 1\n",
    ];
    let mut cases: Vec<Case> = texts
        .iter()
        .map(|text| Case::new(format!("interpolation {text:?}")).parameters(*text))
        .collect();
    cases.extend([
        Case::new("references stay within a kind").parameters("a: 1\n").catalog("b: {type: '${a}'}\n"),
        Case::new("references stay within an environment").parameters("a: 1\n").file("local/parameters.yml", "b: ${a}\n"),
        Case::new("references across files").parameters("a: ${b}\n").file("base/parameters_b.yml", "b: 1\n"),
        Case::new("hidden catalog keys serve references").catalog("_csv: {type: pandas.CSVDataset, load_args: {sep: ','}}\n_dir: data\na: ${_csv}\nb: {type: '${_csv.type}', filepath: '${_dir}/b.csv'}\nc:\n  <<: *x\n".replace("c:\n  <<: *x\n", "")),
        Case::new("anchors in a catalog").catalog("_csv: &csv\n  type: pandas.CSVDataset\n  load_args: {sep: ','}\na:\n  <<: *csv\n  filepath: a.csv\n"),
        Case::new("anchors over files").catalog("_csv: &csv {type: t}\n").file("base/catalog_b.yml", "a: {<<: *csv}\n"),
    ]);
    cases
}

fn resolvers() -> Vec<Case> {
    let globals = "g: 1\nh: {i: {j: deep}, l: [1, {k: 2}]}\n_p: hidden\nn: null\nf: 1.5\nt: yes\ns: '1'\nz: ''\ne: {}\nr: ${h.i.j}\n";
    let texts = [
        "a: ${globals:g}\n",
        "a: ${globals:h.i.j}\n",
        "a: ${globals:h}\n",
        "a: ${globals:h.l}\n",
        "a: ${globals:h.l.0}\n",
        "a: ${globals:'h.l[0]'}\n",
        "a: ${globals:h[i]}\n",
        "a: ${globals:_p}\n",
        "a: ${globals:h._x}\n",
        "a: ${globals:h._x,1}\n",
        "a: ${globals:_p,1}\n",
        "a: ${globals:nope}\n",
        "a: ${globals:nope,1}\n",
        "a: ${globals: nope , x y }\n",
        "a: ${globals:nope,''}\n",
        "a: ${globals:nope,null}\n",
        "a: ${globals:nope,[1,a,{b: c}]}\n",
        "a: ${globals:nope,{a: 1, b: [x]}}\n",
        "a: ${globals:nope,'1'}\n",
        "a: ${globals:nope,\"q\"}\n",
        "a: ${globals:nope,${globals:g}}\n",
        "a: ${globals:nope,${b}}\nb: 2\n",
        "a: ${globals:nope,x${b}}\nb: 2\n",
        "a: ${globals:nope,}\n",
        "a: ${globals:}\n",
        "a: ${globals:g,1,2}\n",
        "a: ${globals}\n",
        "a: ${globals:n}\n",
        "a: ${globals:n,5}\n",
        "a: x${globals:n}\n",
        "a: x${globals:f}y\n",
        "a: x${globals:t}\n",
        "a: ${globals:s}\n",
        "a: x${globals:z}\n",
        "a: ${globals:e}\n",
        "a: ${globals:r}\n",
        "a: ${globals:${b}}\nb: g\n",
        "a: ${globals:g}/${globals:h.i.j}/x\n",
        "a: ['${globals:g}']\n",
        "a: ${globals:h}\nb: ${a.i.j}\n",
        "a: ${globals:h.nope,d}\n",
        "a: ${globals:g.nope,d}\n",
        "a: ${globals:g.nope}\n",
        "a: ${globals:h.l.9,d}\n",
        "a: ${globals:h.l.x,d}\n",
        "a: ${globals:nope,true}\n",
        "a: ${globals:nope,True}\n",
        "a: ${globals:nope,yes}\n",
        "a: ${globals:nope,NULL}\n",
        "a: ${globals:nope,~}\n",
        "a: ${globals:nope,1e3}\n",
        "a: ${globals:nope,1.}\n",
        "a: ${globals:nope,.5}\n",
        "a: ${globals:nope,010}\n",
        "a: ${globals:nope,0x10}\n",
        "a: ${globals:nope,1_000}\n",
        "a: ${globals:nope,1:30}\n",
        "a: ${globals:nope,-1}\n",
        "a: ${globals:nope,+1}\n",
        "a: ${globals:nope,inf}\n",
        "a: ${globals:nope,-inf}\n",
        "a: ${globals:nope,nan}\n",
        "a: ${globals:nope,2026-11-23}\n",
        "a: ${globals:nope,a/b.csv}\n",
        "a: ${globals:nope,s3://b/c}\n",
        "a: ${globals:nope,a:b}\n",
        "a: ${globals:nope,a=b}\n",
        "a: ${globals:nope,a b}\n",
        "a: ${globals:nope,a\\,b}\n",
        "a: ${globals:nope,a\\ }\n",
        "a: ${globals:nope,(a)}\n",
        "a: ${globals:nope,a|b}\n",
        "a: ${globals:nope,a;b}\n",
        "a: ${globals:nope,a#b}\n",
        "a: ${globals:nope,*}\n",
        "a: ${globals:nope,a?b}\n",
        "a: ${globals:nope,%a}\n",
        "a: ${globals:nope,@a}\n",
        "a: ${globals:nope,a$b}\n",
        "a: ${globals:nope,<a>}\n",
        "a: ${globals:nope,!a}\n",
        "a: ${globals:nope,a&b}\n",
        "a: ${globals:nope,é}\n",
        "a: ${globals:nope,日本}\n",
        "a: ${globals:nope,a'b}\n",
        "a: ${globals:nope,'a''b'}\n",
        "a: \"${globals:nope,'a\\\\'b'}\"\n",
        "a: ${globals:nope,{}}\n",
        "a: ${globals:nope,[]}\n",
        "a: ${globals:nope,[a,]}\n",
        "a: ${globals:nope,[1, [2]]}\n",
        "a: ${globals:nope,{1: a}}\n",
        "a: ${globals:nope,{a b: 1}}\n",
        "a: ${globals:nope,{'a': 1}}\n",
        "a: ${globals:nope,{a:1}}\n",
        "a: ${globals:nope,'${globals:g}'}\n",
        "a: ${globals:nope,'x ${globals:g} y'}\n",
        "a: ${globals:nope,0}\n",
        "a: ${globals:nope,00}\n",
        "a: ${globals:nope,0.0}\n",
        "a: ${globals:nope,1e}\n",
        "a: ${globals:nope,1.2.3}\n",
        "a: ${globals:nope,1__0}\n",
        "a: ${globals:nope,1_}\n",
        "a: ${globals:nope,-}\n",
        "a: ${globals:nope,--1}\n",
        "a: ${globals:nope,1 2}\n",
        "a: ${globals:nope,true x}\n",
        "a: ${globals:nope,null }\n",
        "a: ${runtime_params:r}\n",
        "a: ${runtime_params:nope}\n",
        "a: ${runtime_params:nope,7}\n",
        "a: ${runtime_params:m.k}\n",
        "a: ${runtime_params:m}\n",
        "a: ${runtime_params:nope,${globals:g}}\n",
        "a: ${globals:nope,${runtime_params:r}}\n",
        "a: ${runtime_params:_u}\n",
        "a: x${runtime_params:r}\n",
        "a: ${runtime_params:nope,null}\n",
        "a: ${runtime_params:n0}\n",
        "a: ${runtime_params:l.1}\n",
        "a: ${oc.env:CARGO_PKG_NAME}\n",
        "a: ${oc.env:NOT_SET_ANYWHERE,x}\n",
        "a: ${nope:1}\n",
        "a: ${now:}\n",
        "a: ${oc.create:{x: 1}}\n",
        "a: ${oc.create:[1,2]}\n",
        "a: ${oc.decode:'1'}\n",
        "a: ${oc.decode:'[1, x]'}\n",
        "a: ${oc.decode:null}\n",
        "a: ${oc.decode:'${b}'}\nb: 3\n",
        "a: ${oc.select:b}\nb: 2\n",
        "a: ${oc.select:b.c}\nb: {c: 2}\n",
        "a: ${oc.select:nope}\n",
        "a: ${oc.select:nope,5}\n",
        "a: ${oc.dict.keys:b}\nb: {x: 1, y: 2}\n",
        "a: ${oc.dict.values:b}\nb: {x: 1, y: 2}\n",
        "a: ${oc.dict.values:b}\nb: {x: '${c}'}\nc: 4\n",
        "a: ${oc.dict.keys:b}\nb: [1]\n",
        "a: ${oc.dict.keys:nope}\n",
        "a: ${oc.deprecated:b}\nb: 1\n",
        "b: {c: '${oc.select:.d}', d: 1}\n",
        "b: {c: '${oc.dict.keys:.d}', d: {e: 1}}\n",
    ];
    let runtime = json!({"r": "run", "m": {"k": [1]}, "_u": 1, "n0": null, "l": [1, 2]});
    let mut cases: Vec<Case> = texts
        .iter()
        .map(|text| {
            let name = format!("resolver {text:?}");
            // Runtime parameters are parameters as well, so the text stands in the catalog.
            let text = text.lines().map(|line| format!("  {line}\n")).collect::<String>();
            let text = text.replace("${b", "${x.b").replace("${c}", "${x.c}");
            let text = text
                .replace("select:b", "select:x.b")
                .replace("keys:b", "keys:x.b")
                .replace("values:b", "values:x.b")
                .replace("${a.", "${x.a.");
            Case::new(name)
                .globals(globals)
                .catalog(format!("x:\n  type: t\n{text}"))
                .runtime(runtime.clone())
        })
        .collect();
    let credentials = |name: &str, text: &str| {
        Case::new(name).globals("g: 1\n").file("local/credentials.yml", text)
    };
    cases.extend([
        Case::new("runtime_params in globals").globals("a: ${runtime_params:x,1}\n"),
        Case::new("runtime_params in globals of local")
            .file("local/globals.yml", "a: ${runtime_params:x,1}\n"),
        Case::new("globals in globals").globals("a: 1\nb: ${globals:a}\n"),
        Case::new("globals in globals with a default").globals("a: 1\nb: ${globals:a,5}\n"),
        Case::new("globals in globals across environments")
            .globals("a: 1\n")
            .file("local/globals.yml", "b: ${globals:a,2}\n"),
        Case::new("hidden keys in globals")
            .globals("_a: 1\nb: ${_a}\n")
            .parameters("c: ${globals:b}\n"),
        Case::new("globals default over environments")
            .globals("a: 1\n")
            .file("local/globals.yml", "a: 2\n")
            .parameters("b: ${globals:a}\n")
            .file("local/parameters.yml", "c: ${globals:a}\n"),
        Case::new("oc.env in globals").globals("a: ${oc.env:CARGO_PKG_NAME}\n"),
        Case::new("oc.env in a catalog").catalog("a: {type: '${oc.env:CARGO_PKG_NAME}'}\n"),
        credentials("oc.env in credentials", "a: {b: '${oc.env:CARGO_PKG_NAME}'}\n"),
        credentials("oc.env unset", "a: {b: '${oc.env:NOT_SET_ANYWHERE}'}\n"),
        credentials(
            "oc.env with a default",
            "a: {b: '${oc.env:NOT_SET_ANYWHERE,x}', c: '${oc.env:NOT_SET_ANYWHERE,null}'}\n",
        ),
        credentials("globals in credentials", "a: {b: '${globals:g}', c: '${globals:nope}'}\n"),
        credentials("references in credentials", "a: {b: '${..c}'}\nc: {d: 1}\n"),
        credentials("references over files in credentials", "a: {b: '${c}'}\n")
            .file("local/credentials_b.yml", "c: 1\n"),
        credentials("a list as credentials", "- a\n"),
        Case::new("constants")
            .parameters(
                "a: ${three:}\nb: ${three:}\nc: x${three:}\nd: ${list:}\ne: ${none:}\nf: ${map:}\n",
            )
            .resolver("three", json!(3))
            .resolver("list", json!([1, "a"]))
            .resolver("none", json!(null))
            .resolver("map", json!({"k": 1})),
        Case::new("a constant in globals")
            .globals("a: ${three:}\n")
            .parameters("b: ${globals:a}\n")
            .resolver("three", json!(3)),
        Case::new("a constant in a path")
            .catalog("a: {type: t, filepath: 'data/${day:}/a.csv'}\n")
            .resolver("day", json!("2026-11-23")),
        Case::new("a resolver that is not there")
            .parameters("a: ${four:}\n")
            .resolver("three", json!(3)),
        Case::new("a runtime parameter as type")
            .catalog("a: {type: '${runtime_params:t}'}\n")
            .runtime(json!({"t": "x.Y"})),
        Case::new("runtime parameters over globals")
            .globals("a: 1\n")
            .catalog("x: {type: t, filepath: '${globals:a}'}\n")
            .runtime(json!({"a": 2})),
    ]);
    cases
}

fn catalogs() -> Vec<Case> {
    let used = ["a", "raw.int_a", "a_csv", "x.y", "x_y_z", "A_CSV", "a@pandas", "deep.er.x", "_h"];
    let case =
        |name: &str, text: &str| Case::new(format!("catalog {name}")).catalog(text).used(&used);
    vec![
        case("plain", "b: {type: t, filepath: b.csv}\na: {type: u, versioned: true}\n"),
        case("ties", "'{b}_csv': {type: b}\n'{a}_csv': {type: a}\n'{a}{b}_csv': {type: ab}\n'{c}_{d}': {type: cd}\n'{d}_{c}': {type: dc}\n"),
        case("specificity", "'{name}': {type: all}\n'{ns}.{name}': {type: ns}\n'{ns}.int_{name}': {type: int}\n'raw.{name}': {type: raw}\n"),
        case("catch-all", "'{default}': {type: t, filepath: 'data/{default}.pkl'}\na: {type: own}\n"),
        case("two placeholders as catch-all", "'{a}{b}': {type: t, filepath: '{a}/{b}'}\n"),
        case("two catch-alls", "'{a}': {type: t}\n'{b}': {type: t}\n"),
        case("two catch-alls of different length", "'{a}{b}': {type: t}\n'{b}': {type: t}\n"),
        case("same letters in another case", "'{name}_Csv': {type: t, filepath: '{name}'}\n"),
        case("repeated placeholders", "'{x}_{x}': {type: t}\n'{x}.{x}': {type: t}\n").used(&["a_a", "a_b", "a_A", "ab.ab", "a.b"]),
        case("nested values", "'{n}_csv':\n  type: 't.{n}'\n  load_args: {cols: ['{n}', 1, {k: 'x{n}'}], '{n}': 2}\n  flag: true\n  none: null\n  num: 1.5\n"),
        case("braces", "'{n}_csv':\n  type: t\n  a: '{'\n  b: 'x}}y'\n  c: '{ {n}'\n").used(&[]),
        case("doubled braces", "'{n}_csv':\n  type: t\n  b: 'x}}y'\n  a: '{'\n"),
        case("doubled braces around a name", "'{n}_csv':\n  type: t\n  b: '{{n}}'\n"),
        case("a lonely brace", "'{n}_csv':\n  type: t\n  b: 'a}'\n"),
        case("a lonely brace unused", "'{n}_csv':\n  type: t\n  b: 'a}'\n").used(&[]),
        case("an unknown placeholder", "'{n}_csv':\n  type: t\n  filepath: '{m}.csv'\n"),
        case("an unknown placeholder unused", "'{n}_nope':\n  type: t\n  deep: [{x: '{m}.csv'}]\n"),
        case("an unknown placeholder in a key", "'{n}_csv':\n  type: t\n  '{m}': 1\n"),
        case("an empty placeholder", "'{}_csv':\n  type: t\n  filepath: 'x'\n"),
        case("an empty placeholder used", "'{}_csv':\n  type: t\n  filepath: '{}'\n"),
        case("a placeholder with underscore", "'{_n}_csv':\n  type: t\n  filepath: x\n"),
        case("a placeholder with underscore used", "'{_n}_csv':\n  type: t\n  filepath: '{_n}'\n"),
        case("a placeholder with digits", "'{n1}_csv':\n  type: t\n  filepath: '{n1}'\n"),
        case("a numeric placeholder", "'{0}_csv':\n  type: t\n  filepath: '{0}'\n"),
        case("a placeholder with a dash", "'{a-b}_csv':\n  type: t\n  filepath: '{a-b}'\n"),
        case("a placeholder with a dot", "'{a.b}_csv':\n  type: t\n  filepath: '{a.b}'\n"),
        case("a placeholder with blanks", "'{a b}_csv':\n  type: t\n  filepath: '{a b}'\n"),
        case("doubled braces in the name", "'{{n}}_csv': {type: t}\n").used(&["{n}_csv", "n_csv"]),
        case("characters of regular expressions", "'{n}.(a)+[b]*?^$|': {type: '{n}'}\n").used(&["x.(a)+[b]*?^$|", "x.a"]),
        case("an open brace", "'{n_csv': {type: t}\n").used(&["{n_csv", "a_csv"]),
        case("unicode", "'é{n}ü': {type: t, filepath: 'ö{n}'}\n").used(&["éaü", "Éaü", "éaÜ", "éü"]),
        case("transcoding", "a@pandas: {type: p, filepath: a}\na@spark: {type: s, filepath: a}\n'{n}@pandas': {type: q, filepath: '{n}'}\n").used(&["a@pandas", "b@pandas", "a", "b"]),
        case("not a mapping", "a: 3\n"),
        case("nothing", "a:\n"),
        case("a list", "a: [{type: t}]\n"),
        case("a pattern that is no mapping", "'{a}_csv': 3\n"),
        case("no type", "a: {filepath: x}\n"),
        case("no type in a hidden entry", "_a: {filepath: x}\n_b: 3\n"),
        case("no type in a used pattern", "'{n}_csv': {filepath: x}\n"),
        case("no type in an unused pattern", "'{n}_nope': {filepath: x}\n"),
        case("an odd type", "a: {type: 3}\n"),
        case("an empty catalog", ""),
        case("an empty mapping", "a: {}\n"),
        case("a hidden pattern", "'_{n}': {type: t}\n"),
        case("numeric name", "1: {type: t}\n"),
        case("layer and metadata", "a: {type: t, layer: raw, metadata: {kedro-viz: {layer: raw}}}\n"),
        case("credentials", "a: {type: t, credentials: db}\n'{n}_csv': {type: t, dataset: {type: u, credentials: db}}\n").file("local/credentials.yml", "db: {user: a, password: b}\n"),
        case("missing credentials", "a: {type: t, credentials: db}\n"),
        case("missing credentials in a nested dataset", "a: {type: t, dataset: {type: u, credentials: db}}\n"),
        case("missing credentials in a list", "a: {type: t, datasets: [{type: u, credentials: db}]}\n"),
        case("missing credentials in an unused pattern", "'{n}_nope': {type: t, credentials: db}\n"),
        case("a placeholder as credentials", "'{n}_csv': {type: t, credentials: '{n}'}\n").file("local/credentials.yml", "a: {x: y}\n"),
        case("hidden credentials", "a: {type: t, credentials: _db}\n").file("local/credentials.yml", "_db: {x: y}\n"),
        case("null credentials", "a: {type: t, credentials: null}\n"),
        case("inline credentials", "a: {type: t, credentials: {user: a, nested: {password: [b]}}}\n"),
        case("credentials within credentials", "a: {type: t, credentials: {credentials: nope}}\n"),
        case("secrets in URLs", "a: {type: t, filepath: 's3://key:secret@bucket/a.csv'}\n'{n}_csv': {type: t, filepath: 'https://user:pw@host/{n}?sig=1'}\nb: {type: t, con: 'postgresql://u:p@h/d', filepath: 'gs://b/c.csv'}\n"),
        case("partitioned", "a: {type: partitions.PartitionedDataset, path: data, dataset: {type: pandas.CSVDataset, load_args: {index_col: 0}}, filename_suffix: .csv}\n"),
        case("a validator", "a: {type: t, validator: x.Y}\n"),
        case("interpolated patterns", "_base: data\n'{n}_csv': {type: t, filepath: '${_base}/{n}.csv'}\n"),
        case("patterns over environments", "'{n}_csv': {type: t, filepath: base}\n").file("local/catalog.yml", "'{n}_csv': {type: u, filepath: '{n}'}\n'{m}_csv': {type: v}\n"),
    ]
}
