//! Configuration as we load it, held against Kedro's own `OmegaConfigLoader`, case by case.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::python::python;
use mlops_tui::project::json::value_to_json;
use mlops_tui::project::{Options, Reader, Severity};
use serde_json::{Value as Json, json};

/// A configuration folder, and the environment to read it for.
struct Case {
    name: &'static str,
    env: Option<&'static str>,
    files: &'static [(&'static str, &'static str)],
}

const fn base(name: &'static str, files: &'static [(&'static str, &'static str)]) -> Case {
    Case { name, env: None, files }
}

const CASES: &[Case] = &[
    base(
        "scalars as YAML 1.1 types them",
        &[(
            "base/parameters.yml",
            "a: yes\nb: no\nc: on\nd: off\ne: 010\nf: 0x1f\ng: 1_000\nh: 1e3\ni: 1.0e3\nj: ~\nk:\nl: null\nm: 'yes'\n\
             n: 12:30:45\no: 0o17\np: 1.\nq: .5\nr: +3\ns: -0\nt: 0b101\nu: True\nv: tRue\nw: 1e-3\nx: 12e03\ny: =\nz: 1__0\n",
        )],
    ),
    base(
        "texts",
        &[(
            "base/parameters.yml",
            "a: |\n  one\n  two\nb: >\n  one\n  two\n\n  three\nc: \"x\\ty\\u00e9\"\nd: 'it''s'\ne: plain # comment\n\
             f: a#b\ng: \"multi\n  line\"\nh: |-\n  strip\ni: ünï 表\n",
        )],
    ),
    base(
        "anchors and merges",
        &[(
            "base/parameters.yml",
            "_a: &a {x: 1, y: {z: 2}}\nb:\n  <<: *a\n  x: 3\nc: *a\nd: [*a, 1]\ne: &l [1, 2]\nf: *l\n",
        )],
    ),
    base("keys of other types", &[("base/parameters.yml", "a: {1: x, 2.5: y, ab: z}\n")]),
    base(
        "flow and block mixed",
        &[(
            "base/parameters.yml",
            "a: [1, {b: 2}, [3, 4]]\nc: {d: [x, y], e: {}}\nf:\n- 1\n-\n  - 2\n- g: 3\n",
        )],
    ),
    base(
        "several files and folders",
        &[
            ("base/parameters.yml", "a: 1\n"),
            ("base/parameters_more.yaml", "b: 2\n"),
            ("base/parameters/inner.yml", "c: 3\n"),
            ("base/sub/parameters_x.json", "{\"d\": [1, 2.5, null]}"),
            ("base/.hidden/parameters.yml", "e: 4\n"),
        ],
    ),
    base(
        "a key in two files of one environment",
        &[("base/parameters.yml", "a: 1\n"), ("base/parameters_more.yml", "a: 2\n")],
    ),
    Case {
        name: "an environment over the base one",
        env: Some("prod"),
        files: &[
            ("base/parameters.yml", "a: {x: 1, y: 2}\nb: [1, 2]\nc: base\n"),
            ("prod/parameters.yml", "a: {y: 3}\nb: [9]\nd: new\n"),
        ],
    },
    Case {
        name: "an environment that is not there",
        env: Some("nowhere"),
        files: &[("base/parameters.yml", "a: 1\n")],
    },
    base(
        "local is the default",
        &[("base/parameters.yml", "a: 1\n"), ("local/parameters.yml", "a: 2\n")],
    ),
    base(
        "interpolation",
        &[(
            "base/parameters.yml",
            "_p: data\na: ${_p}/x\nb: {c: 1, d: ${.c}, e: ${b.c}, f: '${..a}'}\ng: ${b}\nh: [1, 2]\ni: ${h[1]}\n\
             j: \"n=${b.c} and ${_p}\"\nk: \\${_p}\nl: ${oc.select:nothing,7}\n",
        )],
    ),
    base("interpolation of what is not there", &[("base/parameters.yml", "a: ${nothing}\n")]),
    base("interpolation in a circle", &[("base/parameters.yml", "a: ${b}\nb: ${a}\n")]),
    Case {
        name: "globals",
        env: Some("prod"),
        files: &[
            ("base/globals.yml", "folder: data\nnested: {x: 1}\n_local: 5\n"),
            ("prod/globals.yml", "folder: s3\n"),
            (
                "base/parameters.yml",
                "a: ${globals:folder}\nb: ${globals:nested.x}\nc: ${globals:missing,3}\nd: ${globals:nested}\ne: ${globals:missing,null}\n",
            ),
        ],
    },
    base(
        "a global that is not there",
        &[("base/globals.yml", "a: 1\n"), ("base/parameters.yml", "a: ${globals:b}\n")],
    ),
    base(
        "runtime parameters with defaults",
        &[(
            "base/parameters.yml",
            "a: ${runtime_params:x,4}\nb: ${runtime_params:y,abc}\nc: ${runtime_params:n.m,${a}}\n",
        )],
    ),
    base(
        "a runtime parameter without a default",
        &[("base/parameters.yml", "a: ${runtime_params:x}\n")],
    ),
    base(
        "a catalog",
        &[(
            "base/catalog.yml",
            "_csv: &csv\n  type: pandas.CSVDataset\na:\n  <<: *csv\n  filepath: data/a.csv\n\
             '{ns}.{name}':\n  type: x.Y\n  filepath: data/{ns}/{name}.csv\n",
        )],
    ),
    base("a tab for indentation", &[("base/parameters.yml", "a:\n\tb: 1\n")]),
    base("an unclosed bracket", &[("base/parameters.yml", "a: [1, 2\n")]),
    base("a key twice", &[("base/parameters.yml", "a: 1\na: 2\n")]),
    base("an unknown anchor", &[("base/parameters.yml", "a: *b\n")]),
    base("a list at the top", &[("base/parameters.yml", "- 1\n- 2\n")]),
    base("an empty file", &[("base/parameters.yml", ""), ("base/parameters_b.yml", "# nothing\n")]),
    base("only a comment and a document mark", &[("base/parameters.yml", "---\n# x\na: 1\n")]),
];

/// Reads all cases in one process: a folder each, one JSON line each.
const DRIVER: &str = r#"
import json, sys, warnings
warnings.simplefilter("ignore")
from kedro.config import OmegaConfigLoader, MissingConfigException
for line in sys.stdin:
    case = json.loads(line)
    answer = {}
    loader = OmegaConfigLoader(case["conf"], env=case["env"], base_env="base", default_run_env="local")
    for kind in ("parameters", "catalog"):
        try:
            answer[kind] = loader[kind]
        except MissingConfigException:
            answer[kind] = {"missing": True}
        except Exception as error:
            answer[kind] = {"raised": type(error).__name__}
    print("ANSWER" + json.dumps(answer, default=str), flush=True)
"#;

fn write(root: &Path, case: &Case) {
    let put = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put(
        "pyproject.toml",
        "[tool.kedro]\npackage_name = \"p\"\nproject_name = \"P\"\nkedro_init_version = \"1.7.0\"\n",
    );
    fs::create_dir_all(root.join("conf/local")).unwrap();
    fs::create_dir_all(root.join("conf/base")).unwrap();
    for (path, text) in case.files {
        put(&format!("conf/{path}"), text);
    }
}

fn kedros(folders: &[tempfile::TempDir]) -> Vec<Json> {
    let requests: String = CASES
        .iter()
        .zip(folders)
        .map(|(case, folder)| {
            json!({"conf": folder.path().join("conf"), "env": case.env}).to_string() + "\n"
        })
        .collect();
    let input = tempfile::NamedTempFile::new().unwrap();
    fs::write(input.path(), requests).unwrap();
    let output = Command::new(python())
        .args(["-c", DRIVER])
        .stdin(fs::File::open(input.path()).unwrap())
        .env("KEDRO_DISABLE_TELEMETRY", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Json> = text
        .lines()
        .filter_map(|line| line.strip_prefix("ANSWER"))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), CASES.len(), "{}", String::from_utf8_lossy(&output.stderr));
    answers
}

#[test]
fn configuration_is_what_kedro_loads() {
    let folders: Vec<tempfile::TempDir> = CASES
        .iter()
        .map(|case| {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), case);
            folder
        })
        .collect();
    let mut wrong = Vec::new();
    for ((case, folder), kedro) in CASES.iter().zip(&folders).zip(kedros(&folders)) {
        let options = Options { env: case.env.map(ToOwned::to_owned), ..Options::default() };
        let read = Reader::new(folder.path()).configuration(&options);
        let refused = read.problems.iter().any(|problem| problem.severity == Severity::Error);
        for kind in ["parameters", "catalog"] {
            let ours = read.config.kinds.get(kind).map_or(json!({}), |it| value_to_json(&it.value));
            let ours = if ours.is_null() { json!({}) } else { ours };
            let theirs = &kedro[kind];
            match theirs["raised"].as_str() {
                Some(error) if !refused => {
                    wrong.push(format!("{}: Kedro raises {error}, we read {ours}", case.name));
                }
                Some(_) => {}
                // Nothing to load, or an environment without a folder, which we tell as an error.
                None if theirs["missing"] == true => {
                    if ours != json!({}) && !refused {
                        wrong.push(format!("{}: Kedro finds nothing, we read {ours}", case.name));
                    }
                }
                None if ours != *theirs => {
                    let told: Vec<&str> = read.problems.iter().map(|it| it.text.as_str()).collect();
                    wrong.push(format!(
                        "{}: {kind}\n  ours   {ours}\n  kedro  {theirs}\n  told {told:?}",
                        case.name
                    ));
                }
                None => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
