//! Staleness: what edits make stale, and what they must not. One real run of a small project leaves
//! its prints; each row of the table is an edit, what it makes of the nodes, and its taking back.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use mlops_tui::dag::staleness::Freshness;
use mlops_tui::project::{Options, Reader};
use mlops_tui::runs::staleness::Staleness;
use mlops_tui::store::Store;
use serde_json::Value as Json;

use crate::common::project::copy;
use crate::common::python::python;
use crate::common::run::run;

/// What is done to the project.
enum Edit {
    /// In a file, each text in the place of another one.
    Text(&'static str, &'static [(&'static str, &'static str)]),
    /// A file gets this content.
    Write(&'static str, &'static str),
    /// A file is written again as it is.
    Touch(&'static str),
    /// A file or folder goes.
    Remove(&'static str),
    Rename(&'static str, &'static str),
}
use Edit::{Remove, Rename, Text, Touch, Write};

/// What is edited, how, and the nodes that are not fresh then, with their reasons.
type Row = (&'static str, Edit, &'static [&'static str]);

const NODES: &str = "src/till/nodes.py";
const TOOLS: &str = "src/till/tools.py";
const REPORTS: &str = "src/till/reports.py";
const REGISTRY: &str = "src/till/pipeline_registry.py";
const CATALOG: &str = "conf/base/catalog.yml";
const PARAMETERS: &str = "conf/base/parameters.yml";

const TOTAL_BELOW: [&str; 2] = ["report < total", "count < total"];

const ROWS: &[Row] = &[
    // Code: what a node reaches, and nothing else.
    ("nothing", Touch(NODES), &[]),
    (
        "a node's function",
        Text(NODES, &[("if order]", "if len(order) > 0]")]),
        &["clean: code changed: nodes.clean", "total < clean", "report < clean", "count < clean"],
    ),
    ("another function of its module", Text(NODES, &[("return UNUSED", "return UNUSED + 1")]), &[]),
    ("a constant that nobody reads", Text(NODES, &[("UNUSED = 1", "UNUSED = 2")]), &[]),
    ("a comment", Text(NODES, &[("# Prices are in cents.", "# They are in euros.")]), &[]),
    ("a docstring", Text(NODES, &[("Leave out what is empty.", "Keep what is there.")]), &[]),
    ("the module's docstring", Text(NODES, &[("The nodes.", "All nodes.")]), &[]),
    ("blank lines", Text(NODES, &[("\ndef total", "\n\n\n\ndef total")]), &[]),
    (
        "the formatting",
        Text(
            NODES,
            &[
                ("return rate * sum(", "return (\n        rate\n        * sum("),
                ("rows[:MOST])", "rows[:MOST]\n        )\n    )"),
            ],
        ),
        &[],
    ),
    ("the quotes", Text(NODES, &[("row[\"price\"]", "row['price']")]), &[]),
    (
        "a function's annotations",
        Text(NODES, &[("def fit(depth):", "def fit(depth: int) -> dict:")]),
        &[],
    ),
    (
        "a new function",
        Text(NODES, &[("def unused", "def new():\n    return 1\n\n\ndef unused")]),
        &[],
    ),
    (
        "an import that nobody reads",
        Text(NODES, &[("import pandas as pd", "import math\nimport pandas as pd")]),
        &[],
    ),
    (
        "a constant that it reads",
        Text(NODES, &[("FACTOR = 2", "FACTOR = 4")]),
        &["total: code changed: nodes.FACTOR", TOTAL_BELOW[0], TOTAL_BELOW[1]],
    ),
    (
        "a helper in another module",
        Text(TOOLS, &[("key.strip()", "key.lower()")]),
        &["clean: code changed: tools.tidy", "total < clean", "report < clean", "count < clean"],
    ),
    (
        "a helper under another name",
        Text(TOOLS, &[("value * factor", "factor * value")]),
        &["total: code changed: tools.scaled", TOTAL_BELOW[0], TOTAL_BELOW[1]],
    ),
    (
        "a helper two imports away",
        Text("src/till/deep/rounding.py", &[("round(value", "round(value + 0")]),
        &["total: code changed: rounding.nearest", TOTAL_BELOW[0], TOTAL_BELOW[1]],
    ),
    (
        "a constant two imports away",
        Text("src/till/deep/rounding.py", &[("DIGITS = 1", "DIGITS = 2")]),
        &["total: code changed: rounding.DIGITS", TOTAL_BELOW[0], TOTAL_BELOW[1]],
    ),
    (
        "a sibling two imports away",
        Text("src/till/deep/rounding.py", &[("value // 1", "value // 2")]),
        &[],
    ),
    ("a sibling helper", Text(TOOLS, &[("return value\n", "return -value\n")]), &[]),
    (
        "a name of a star import",
        Text("src/till/limits.py", &[("MOST = 3", "MOST = 2")]),
        &["total: code changed: limits.MOST", TOTAL_BELOW[0], TOTAL_BELOW[1]],
    ),
    (
        "another name of a star import",
        Text("src/till/limits.py", &[("OTHER = 7", "OTHER = 8")]),
        &[],
    ),
    (
        "a method of a base class",
        Text(REPORTS, &[("{self.title}: ", "{self.title} = ")]),
        &["report: code changed: reports.Page"],
    ),
    (
        "an attribute of a class",
        Text(REPORTS, &[("mark = \"#\"", "mark = \"##\"")]),
        &["report: code changed: reports.Page"],
    ),
    (
        "a function moved to another module",
        Text(
            REPORTS,
            &[(
                "def report(amount, style):\n    return Report",
                "from .tools import other\n\n\ndef report(amount, style):\n    return other(Report)",
            )],
        ),
        &["report: code changed: reports.report"],
    ),
    (
        "a decorator",
        Text(NODES, &[("def fit(", "@tools.other\ndef fit(")]),
        &["fit: code changed: nodes.fit", "score < fit"],
    ),
    (
        "a default",
        Text(NODES, &[("def times(value, factor):", "def times(value, factor=1):")]),
        &["triple: code changed: nodes.times"],
    ),
    (
        "a local import",
        Text(NODES, &[("import json", "import simplejson as json")]),
        &["merge: code changed: nodes.merge", "measure < merge"],
    ),
    // What is bound to a function, and the wiring.
    (
        "an argument of a partial",
        Text(REGISTRY, &[("factor=3", "factor=4")]),
        &["triple: factor of the function changed: 3 → 4"],
    ),
    (
        "a variable in a closure",
        Text(REGISTRY, &[("step = 2", "step = 3")]),
        &["count: step of the function changed: 2 → 3"],
    ),
    (
        "a lambda",
        Text(REGISTRY, &[("len(merged)", "len(merged) + 1")]),
        &["measure: code changed: register_pipelines.<lambda>"],
    ),
    (
        "the function of a node",
        Text(REGISTRY, &[("node(nodes.fit,", "node(nodes.describe,")]),
        &["fit: ", "score < fit"],
    ),
    (
        "the order of the inputs",
        Text(REGISTRY, &[("[\"amount\", \"params:style\"]", "[\"params:style\", \"amount\"]")]),
        &["report: inputs: [amount, params:style] → [params:style, amount]"],
    ),
    ("a tag", Text(REGISTRY, &[("name=\"fit\"", "name=\"fit\", tags=\"slow\"")]), &[]),
    ("a node's name", Text(REGISTRY, &[("name=\"merge\"", "name=\"join\"")]), &["join never run"]),
    (
        "a new node",
        Text(
            REGISTRY,
            &[(
                "node(nodes.merge,",
                "node(nodes.clean, \"merged\", \"new\", name=\"new\"),\n                node(nodes.merge,",
            )],
        ),
        &["new never run"],
    ),
    (
        "another name for a dataset",
        Text(REGISTRY, &[("\"mean\"", "\"middle\"")]),
        &["average: outputs: mean → middle", "triple: inputs: [mean] → [middle]"],
    ),
    // Parameters.
    (
        "a parameter",
        Text(PARAMETERS, &[("rate: 1.5", "rate: 2")]),
        &[
            "total: parameter rate changed: 1.5 → 2",
            TOTAL_BELOW[0],
            TOTAL_BELOW[1],
            "describe: parameter rate changed: 1.5 → 2",
        ],
    ),
    (
        "a nested parameter",
        Text(PARAMETERS, &[("depth: 2", "depth: 3")]),
        &[
            "fit: parameter model.depth changed: 2 → 3",
            "score: parameter model.depth changed: 2 → 3",
            "describe: parameter model.depth changed: 2 → 3",
        ],
    ),
    (
        "a parameter beside the one that is read",
        Text(PARAMETERS, &[("seed: 7", "seed: 8")]),
        &[
            "score: parameter model.seed changed: 7 → 8",
            "describe: parameter model.seed changed: 7 → 8",
        ],
    ),
    (
        "a new parameter",
        Text(PARAMETERS, &[("rate: 1.5", "rate: 1.5\nnew: 1")]),
        &["describe: parameter new added: 1"],
    ),
    (
        "a parameter that goes",
        Text(PARAMETERS, &[("  colour: green\n", "")]),
        &["report: parameter style.colour removed", "describe: parameter style.colour removed"],
    ),
    (
        "the way a parameter is written",
        Text(PARAMETERS, &[("rate: 1.5", "rate: 1.50  # per cent")]),
        &[],
    ),
    (
        "the type of a parameter",
        Text(PARAMETERS, &[("seed: 7", "seed: 7.0")]),
        &["score: parameter model.seed changed: 7 → 7.0", "describe: "],
    ),
    (
        "a number that becomes text",
        Text(PARAMETERS, &[("seed: 7", "seed: \"7\"")]),
        &["score: parameter model.seed changed: 7 → \"7\"", "describe: "],
    ),
    (
        "a parameter of another environment",
        Write("conf/local/parameters.yml", "rate: 9\n"),
        &["total: parameter rate changed: 1.5 → 9", TOTAL_BELOW[0], TOTAL_BELOW[1], "describe: "],
    ),
    // Definitions of datasets.
    (
        "how a dataset is loaded",
        Text(
            CATALOG,
            &[(
                "filepath: data/prices.csv",
                "filepath: data/prices.csv\n  load_args:\n    sep: \";\"",
            )],
        ),
        &["average: dataset prices, load_args.sep added: ;", "triple < average"],
    ),
    (
        "where a dataset lies",
        Text(CATALOG, &[("data/page.json", "data/page2.json")]),
        &["report: dataset page, filepath changed: data/page.json → data/page2.json"],
    ),
    (
        "the type of a dataset",
        Text(
            CATALOG,
            &[("page:\n  type: json.JSONDataset", "page:\n  type: pickle.PickleDataset")],
        ),
        &["report: dataset page, type changed: json.JSONDataset → pickle.PickleDataset"],
    ),
    ("a dataset's layer", Text(CATALOG, &[("layer: reporting", "layer: model")]), &[]),
    (
        "a dataset that nobody uses",
        Text(
            CATALOG,
            &[(
                "orders:\n",
                "spare:\n  type: json.JSONDataset\n  filepath: data/x.json\n\norders:\n",
            )],
        ),
        &[],
    ),
    (
        "a dataset that comes into the catalog",
        Text(
            CATALOG,
            &[(
                "orders:\n",
                "merged:\n  type: json.JSONDataset\n  filepath: data/merged.json\n\norders:\n",
            )],
        ),
        &["merge: dataset merged, filepath added: data/merged.json", "measure: dataset merged, "],
    ),
    // What datasets hold.
    (
        "the content of an input",
        Write("data/orders.json", "[{\"price\": 9}]"),
        &["clean: orders changed", "total < clean", "report < clean", "count < clean"],
    ),
    ("an input written again with the same content", Touch("data/orders.json"), &[]),
    (
        "an input that goes",
        Remove("data/prices.csv"),
        &["average: prices is missing", "triple < average"],
    ),
    (
        "an output that goes",
        Remove("data/amount.json"),
        &["total: its output amount is missing", TOTAL_BELOW[0], TOTAL_BELOW[1]],
    ),
    (
        "an output written by hand",
        Write("data/amount.json", "5"),
        &[
            "total: its output amount has changed since the run saved it",
            "report: amount changed",
            "count: amount changed",
        ],
    ),
    (
        "a file of a folder",
        Write("data/parts/one.json", "{\"a\": 3}"),
        &["merge: parts changed", "measure < merge"],
    ),
    (
        "a new file in a folder",
        Write("data/parts/three.json", "{}"),
        &["merge: parts changed", "measure < merge"],
    ),
    (
        "a file of a folder that goes",
        Remove("data/parts/two.json"),
        &["merge: parts changed", "measure < merge"],
    ),
    (
        "the name of a file in a folder",
        Rename("data/parts/two.json", "data/parts/2.json"),
        &["merge: parts changed", "measure < merge"],
    ),
    (
        "a new version of a dataset",
        Write("data/model.pkl/2999-01-01T00.00.00.000Z/model.pkl", "other"),
        &["fit: its output model has changed since the run saved it", "score: model changed"],
    ),
    ("a file that is no dataset", Write("data/notes.txt", "x"), &[]),
];

/// The nodes that are not fresh, each as a line.
fn not_fresh(reader: &mut Reader, staleness: &mut Staleness) -> Vec<String> {
    let snapshot = reader.read(&Options::default());
    let pipeline = snapshot.pipeline("__default__").unwrap();
    assert!(pipeline.complete, "{:?}", snapshot.problems);
    let statuses = staleness.look(&snapshot, pipeline, Some(python()));
    let line = |name: &String| match &statuses[name] {
        Freshness::Fresh => None,
        Freshness::StaleThrough { node } => Some(format!("{name} < {node}")),
        Freshness::NeverRun => Some(format!("{name} never run")),
        Freshness::Unknown { because } => Some(format!("{name}? {}", because.join("; "))),
        stale => Some(format!("{name}: {}", stale.why().join("; "))),
    };
    pipeline.nodes.iter().filter_map(|node| line(&node.name)).collect()
}

fn project() -> (tempfile::TempDir, Reader, Staleness) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/running/staleness/till"), root);
    assert_eq!(run(root, &[]).0, 0);
    let mut staleness = Staleness::default();
    staleness.load(&mut Store::new(root), "local").unwrap();
    let reader = Reader::new(root.canonicalize().unwrap());
    (folder, reader, staleness)
}

impl Edit {
    fn path(&self) -> &'static str {
        match self {
            Text(path, _) | Write(path, _) | Touch(path) | Remove(path) | Rename(path, _) => path,
        }
    }

    fn apply(&self, root: &Path) {
        let path = root.join(self.path());
        match self {
            Text(_, changes) => {
                let mut text = fs::read_to_string(&path).unwrap();
                for (from, to) in *changes {
                    assert!(text.contains(from), "{from}");
                    text = text.replace(from, to);
                }
                fs::write(&path, text).unwrap();
            }
            Write(_, text) => {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, text).unwrap();
            }
            Touch(_) => fs::write(&path, fs::read(&path).unwrap()).unwrap(),
            Remove(_) => fs::remove_file(&path).unwrap(),
            Rename(_, to) => fs::rename(&path, root.join(to)).unwrap(),
        }
    }

    fn take_back(&self, root: &Path, before: Option<&[u8]>) {
        let path = root.join(self.path());
        if let Rename(_, to) = self {
            fs::remove_file(root.join(to)).unwrap();
        }
        match before {
            Some(content) => fs::write(&path, content).unwrap(),
            None if path.ends_with("model.pkl") => {
                fs::remove_dir_all(path.parent().unwrap()).unwrap();
            }
            None => fs::remove_file(&path).unwrap(),
        }
    }
}

#[test]
fn edits_make_stale_what_follows_from_them_and_nothing_else() {
    let (folder, mut reader, mut staleness) = project();
    let root = folder.path();
    assert_eq!(not_fresh(&mut reader, &mut staleness), Vec::<String>::new());
    let mut wrong = Vec::new();
    for (what, edit, expected) in ROWS {
        let before = fs::read(root.join(edit.path())).ok();
        edit.apply(root);
        let found = not_fresh(&mut reader, &mut staleness);
        let mut open: Vec<&str> = found.iter().map(String::as_str).collect();
        let missing: Vec<_> = (expected.iter())
            .filter(|line| match open.iter().position(|found| found.starts_with(**line)) {
                Some(at) => {
                    open.remove(at);
                    false
                }
                None => true,
            })
            .collect();
        if !missing.is_empty() || !open.is_empty() {
            wrong.push(format!("{what}: missing {missing:?}, too much {open:?}"));
        }
        edit.take_back(root, before.as_deref());
        let after = not_fresh(&mut reader, &mut staleness);
        if !after.is_empty() {
            wrong.push(format!("{what}, taken back: {after:?}"));
        }
    }
    assert!(ROWS.len() >= 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_comes_out_the_same_leaves_the_rest_fresh() {
    let (folder, mut reader, mut staleness) = project();
    let root = folder.path();
    let edit = |from: &str, to: &str| {
        let path = root.join(NODES);
        fs::write(&path, fs::read_to_string(&path).unwrap().replace(from, to)).unwrap();
    };
    let mut stale = |staleness: &mut Staleness| {
        staleness.load(&mut Store::new(root), "local").unwrap();
        not_fresh(&mut reader, staleness)
    };
    // In memory: the list of rows is the same, though the code is not.
    edit("if order]", "if len(order) > 0]");
    assert_eq!(stale(&mut staleness).len(), 4);
    assert_eq!(run(root, &["--nodes", "clean"]).0, 0);
    assert_eq!(stale(&mut staleness), Vec::<String>::new());
    // In a file.
    edit("return rate * sum", "return 1 * rate * sum");
    assert_eq!(stale(&mut staleness).len(), 3);
    assert_eq!(run(root, &["--nodes", "total"]).0, 0);
    assert_eq!(stale(&mut staleness), Vec::<String>::new());
    edit("return 1 * rate", "return 2 * rate");
    assert_eq!(run(root, &["--nodes", "total"]).0, 0);
    assert_eq!(stale(&mut staleness), ["count: amount changed", "report: amount changed"]);
}

#[test]
fn what_is_stale_is_run_and_nothing_else() {
    let (folder, mut reader, mut staleness) = project();
    let root = folder.path();
    let ran = |arguments: &[&str]| -> Vec<String> {
        let (code, events) = run(root, arguments);
        assert_eq!(code, 0, "{events:?}");
        let ended = events.into_iter().filter(|event| event["event"] == "node_finished");
        ended.map(|event| event["node"].as_str().unwrap().to_owned()).collect()
    };
    let text = fs::read_to_string(root.join(PARAMETERS)).unwrap();
    fs::write(root.join(PARAMETERS), text.replace("rate: 1.5", "rate: 3")).unwrap();
    assert_eq!(ran(&["--stale", "--to-nodes", "report"]), ["total", "report"]);
    let mut left = ran(&["--stale"]);
    left.sort_unstable();
    assert_eq!(left, ["count", "describe"]);
    staleness.load(&mut Store::new(root), "local").unwrap();
    assert_eq!(not_fresh(&mut reader, &mut staleness), Vec::<String>::new());
    let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args(["run", "--stale", "--python"])
        .arg(python())
        .arg(root)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "Nothing is stale.\n");
    let status = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args(["status", "--json", "--params", "model.seed=1"])
        .arg(root)
        .output()
        .unwrap();
    let answer: Vec<HashMap<String, Json>> = serde_json::from_slice(&status.stdout).unwrap();
    let score = answer.iter().find(|node| node["node"] == "score").unwrap();
    assert_eq!(score["status"], "stale");
    assert_eq!(
        score["reasons"][0],
        serde_json::json!({
            "reason": "changed", "what": {"parameter": "model.seed"}, "from": "7", "to": "1"
        })
    );
}

#[test]
fn a_run_with_an_old_version_says_nothing_of_the_newest() {
    let (folder, mut reader, mut staleness) = project();
    let root = folder.path();
    let versions = || -> Vec<String> {
        let entries = fs::read_dir(root.join("data/model.pkl")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let text = fs::read_to_string(root.join(PARAMETERS)).unwrap();
    fs::write(root.join(PARAMETERS), text.replace("depth: 2", "depth: 3")).unwrap();
    run(root, &["--nodes", "fit,score,describe"]);
    let mut stale = |staleness: &mut Staleness| {
        staleness.load(&mut Store::new(root), "local").unwrap();
        not_fresh(&mut reader, staleness)
    };
    assert_eq!(stale(&mut staleness), Vec::<String>::new());
    let pinned = format!("model:{}", versions()[0]);
    run(root, &["--nodes", "score", "--load-versions", &pinned]);
    assert_eq!(stale(&mut staleness), ["score: model changed"]);
}

#[test]
fn a_changed_secret_is_seen_and_not_told() {
    const NODES: &str = r#"
from functools import partial


def log_in(service, size, token):
    return size


def make(node):
    bound = partial(log_in, token="Hush-token-1")
    return [node(bound, ["params:service", "params:size"], "answer", name="log_in")]
"#;
    let folder = crate::common::project::project(NODES);
    let root = folder.path();
    let parameters = root.join(PARAMETERS);
    let with =
        |password: &str| format!("size: 3\nservice: {{hosts: [{{password: {password}}}]}}\n");
    fs::write(&parameters, with("Hush-one-1")).unwrap();
    assert_eq!(run(root, &[]).0, 0);
    let mut staleness = Staleness::default();
    staleness.load(&mut Store::new(root), "local").unwrap();
    let mut reader = Reader::new(root.canonicalize().unwrap());
    assert_eq!(not_fresh(&mut reader, &mut staleness), Vec::<String>::new());
    fs::write(&parameters, with("Hush-two-2")).unwrap();
    let told = not_fresh(&mut reader, &mut staleness).join("\n");
    assert!(told.starts_with("log_in: parameter service.hosts changed: "), "{told}");
    assert!(told.contains("<secret>") && told.contains("<secret, changed>"), "{told}");
    fs::write(&parameters, with("Hush-one-1")).unwrap();
    assert_eq!(not_fresh(&mut reader, &mut staleness), Vec::<String>::new());
    let nodes = root.join("src/shop/nodes.py");
    fs::write(nodes, NODES.replace("Hush-token-1", "Hush-token-2")).unwrap();
    let told = not_fresh(&mut reader, &mut staleness).join("\n");
    assert!(told.contains("token of the function changed: <secret> → <secret, changed>"), "{told}");
    assert!(!told.contains("Hush"), "{told}");
}
