//! Which differences explain the results of two runs: one real run of a small project, then one run for each planted
//! cause, among edits that change nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::common::python::python;

const NODES: &str = r#"
import random
from functools import lru_cache

import planted_stats

ROUNDS = 4


def keep(value, least):
    return value >= least


def clean(orders, least):
    return [value for value in orders if keep(value, least)]


def enrich(cleaned, rates):
    return [value * rates["eur"] for value in cleaned]


def enrich_twice(cleaned, rates):
    return [value * rates["eur"] * 2 for value in cleaned]


def mean(values):
    return sum(values) / len(values)


def features(enriched, window, scale):
    middle = mean(enriched[:window])
    return {"mean": middle * scale, "spread": planted_stats.spread(enriched)}


class Model:
    def __init__(self, alpha):
        self.alpha = alpha

    def fit(self, table, rounds):
        self.weight = table["mean"] * self.alpha
        for _ in range(rounds):
            self.weight += table["spread"]
        return self


def weighted(factor):
    def wrap(function):
        def call(*args):
            return function(*args) * factor
        return call
    return wrap


@weighted(1.0)
def score(weight, depth):
    return weight / depth


def train(table, model, shift=0):
    fitted = Model(model["alpha"]).fit(table, ROUNDS)
    return {"weight": fitted.weight + shift, "depth": model["depth"]}


def evaluate(model, table):
    return {"mae": score(model["weight"], model["depth"]) - table["mean"]}


def plot(cleaned, colour):
    return f"{colour}: {cleaned}"
"#;

const REGISTRY: &str = r#"
from functools import partial

from kedro.pipeline import Pipeline, node

from . import nodes


def register_pipelines():
    return {"__default__": Pipeline([
        node(nodes.clean, ["orders", "params:clean.least"], "cleaned", name="clean"),
        node(nodes.plot, ["cleaned", "params:plot.colour"], "plot", name="plot"),
        node(nodes.enrich, ["cleaned", "rates"], "enriched", name="enrich"),
        node(nodes.features, ["enriched", "params:features.window", "params:features.scale"],
             "table", name="features"),
        node(partial(nodes.train, shift=0), ["table", "params:model"], "model", name="train"),
        node(nodes.evaluate, ["model", "table"], "metrics", name="evaluate"),
    ])}
"#;

const CATALOG: &str = "\
orders: {type: json.JSONDataset, filepath: data/orders.json}
rates: {type: json.JSONDataset, filepath: data/rates.json}
cleaned: {type: json.JSONDataset, filepath: data/cleaned.json}
plot: {type: text.TextDataset, filepath: data/plot.txt}
table: {type: json.JSONDataset, filepath: data/table.json}
metrics: {type: json.JSONDataset, filepath: data/metrics.json}
";

const PARAMETERS: &str = "\
clean: {least: 3}
features: {window: 3, wide: 4, scale: \"${globals:scale}\"}
model: {alpha: 0.5, depth: 2}
plot: {colour: red}
unread: 1
";

const PACKAGE: &str = "def spread(values):\n    return max(values) - min(values)\n";

const FILES: &[(&str, &str)] = &[
    (
        "pyproject.toml",
        "[tool.kedro]\npackage_name = \"plant\"\nproject_name = \"Plant\"\nkedro_init_version = \"1.0.0\"\n",
    ),
    (CONF, CATALOG),
    (PARAMS, PARAMETERS),
    ("conf/base/globals.yml", "scale: 1.5\n"),
    ("conf/local/parameters.yml", "{}\n"),
    ("conf/prod/parameters.yml", "model: {alpha: 0.9, depth: 2}\n"),
    ("data/orders.json", "[1, 2, 3, 4, 5, 6]"),
    ("data/other_orders.json", "[3, 5, 7, 9]"),
    ("data/rates.json", "{\"eur\": 1.1, \"usd\": 1.3}"),
    ("src/plant/__init__.py", ""),
    // The plug-ins of the environment take seconds to import and have no part in this.
    (
        "src/plant/settings.py",
        "import pluggy\n\npluggy.PluginManager.load_setuptools_entrypoints = lambda *_, **__: 0\n",
    ),
    (CODE, NODES),
    (PIPELINE, REGISTRY),
];

const CODE: &str = "src/plant/nodes.py";
const PIPELINE: &str = "src/plant/pipeline_registry.py";
const CONF: &str = "conf/base/catalog.yml";
const PARAMS: &str = "conf/base/parameters.yml";

/// What is planted: an edit of a file, or arguments of the run.
enum Plant {
    /// In a file, a text in the place of another one.
    Edit(&'static str, &'static str, &'static str),
    /// Arguments of `mlops-tui run`.
    Asked(&'static [&'static str]),
    /// Another version of the package.
    Package,
}
use Plant::{Asked, Edit, Package};

/// The planted causes, and what the comparison has to name first.
const PLANTS: &[(Plant, &str)] = &[
    (Edit(CODE, "return value >= least", "return value > least"), "code changed: nodes.keep"),
    (
        Edit(CODE, "[value * rates[\"eur\"] for", "[value + rates[\"eur\"] for"),
        "code changed: nodes.enrich",
    ),
    (Edit(CODE, "sum(values) / len", "max(values) / len"), "code changed: nodes.mean"),
    (Edit(CODE, "ROUNDS = 4", "ROUNDS = 5"), "code changed: nodes.ROUNDS"),
    (Edit(CODE, "+= table[\"spread\"]", "-= table[\"spread\"]"), "code changed: nodes.Model"),
    (Edit(CODE, "- table[\"mean\"]}", "+ table[\"mean\"]}"), "code changed: nodes.evaluate"),
    (Edit(CODE, "@weighted(1.0)", "@weighted(2.0)"), "code changed: nodes.score"),
    (Edit(PARAMS, "least: 3", "least: 4"), "parameter clean.least changed: 3 → 4"),
    (Edit(PARAMS, "window: 3", "window: 2"), "parameter features.window changed: 3 → 2"),
    (Edit(PARAMS, "depth: 2", "depth: 3"), "parameter model.depth changed: 2 → 3"),
    (
        Edit("conf/local/parameters.yml", "{}", "model: {alpha: 0.7, depth: 2}"),
        "parameter model.alpha changed: 0.5 → 0.7",
    ),
    (Edit("conf/base/globals.yml", "1.5", "1.6"), "parameter features.scale changed: 1.5 → 1.6"),
    (Asked(&["--params", "clean.least=5"]), "parameter clean.least changed: 3 → 5"),
    (Asked(&["--env", "prod"]), "parameter model.alpha changed: 0.5 → 0.9"),
    (Edit("data/orders.json", "6]", "7]"), "data of orders"),
    (Edit("data/rates.json", "1.1", "1.2"), "data of rates"),
    (
        Edit(CONF, "data/orders.json", "data/other_orders.json"),
        "dataset orders, filepath changed: data/orders.json → data/other_orders.json",
    ),
    (Package, "package planted_stats changed: 1.0 → 2.0"),
    (Edit(PIPELINE, "shift=0", "shift=1"), "shift of the function changed: 0 → 1"),
    (
        Edit(PIPELINE, "nodes.enrich,", "nodes.enrich_twice,"),
        "function: plant.nodes.enrich → plant.nodes.enrich_twice",
    ),
    (Edit(PIPELINE, "features.window", "features.wide"), "parameter features.wide added: 4"),
    (
        Edit(CODE, "fitted.weight + shift", "fitted.weight + random.random()"),
        "code changed: nodes.train",
    ),
];

/// Edits that change no result, made with every planted cause.
const DECOYS: &[(&str, &str, &str)] = &[
    // The plot is no part of the metrics, and its node reads another parameter.
    (CODE, "return f\"{colour}: {cleaned}\"", "return f\"{cleaned} in {colour}\""),
    (PARAMS, "colour: red", "colour: blue"),
    (PARAMS, "unread: 1", "unread: 2"),
    // Another way to the same list. It is told apart from a cause only where that acts on another node.
    (
        CODE,
        "return [value for value in orders if keep(value, least)]",
        "return list(filter(lambda value: keep(value, least), orders))",
    ),
];

/// Words of the causes that act on the node `clean`.
const AT_CLEAN: [&str; 3] = ["nodes.keep", "clean.least", "orders"];

/// An environment with a package of its own beside those of the tests.
fn environment(folder: &Path) -> (PathBuf, PathBuf) {
    let made =
        Command::new(python()).args(["-m", "venv", "--without-pip"]).arg(folder).status().unwrap();
    assert!(made.success());
    let packages = Command::new(python())
        .args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
        .output()
        .unwrap();
    let lib = fs::read_dir(folder.join("lib")).unwrap().next().unwrap().unwrap().path();
    let site = lib.join("site-packages");
    fs::write(site.join("tests.pth"), packages.stdout).unwrap();
    (folder.join("bin/python"), site)
}

fn install(site: &Path, version: &str, code: &str) {
    for old in ["1.0", "2.0"] {
        let _ = fs::remove_dir_all(site.join(format!("planted_stats-{old}.dist-info")));
    }
    let info = site.join(format!("planted_stats-{version}.dist-info"));
    fs::create_dir_all(&info).unwrap();
    fs::write(info.join("top_level.txt"), "planted_stats\n").unwrap();
    fs::write(info.join("METADATA"), format!("Name: planted_stats\nVersion: {version}\n")).unwrap();
    fs::create_dir_all(site.join("planted_stats")).unwrap();
    fs::write(site.join("planted_stats/__init__.py"), code).unwrap();
}

fn write(root: &Path) {
    for (name, text) in FILES {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn edit(root: &Path, file: &str, from: &str, to: &str) {
    let path = root.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {file}");
    fs::write(path, text.replace(from, to)).unwrap();
}

fn run(root: &Path, python: &Path, arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args(["run", "--python"])
        .arg(python)
        .arg(root)
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let told = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&told));
}

fn compared(root: &Path, second: usize) -> Json {
    let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args(["runs", "diff", "1", &second.to_string(), "--json", "-C"])
        .arg(root)
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_planted_cause_is_named_first() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap().join("plant");
    let (python, site) = environment(&folder.path().join("venv"));
    install(&site, "1.0", PACKAGE);
    write(&root);
    run(&root, &python, &[]);
    let mut wrong = Vec::new();
    for (number, (plant, expected)) in (2..).zip(PLANTS) {
        write(&root);
        install(&site, "1.0", PACKAGE);
        let at_clean = AT_CLEAN.iter().any(|word| expected.contains(word));
        let decoys = &DECOYS[..DECOYS.len() - usize::from(at_clean)];
        for (file, from, to) in decoys {
            edit(&root, file, from, to);
        }
        let mut arguments: &[&str] = &[];
        match plant {
            Edit(file, from, to) => edit(&root, file, from, to),
            Asked(asked) => arguments = asked,
            Package => install(&site, "2.0", &PACKAGE.replace("min", "sum")),
        }
        run(&root, &python, arguments);
        let compared = compared(&root, number);
        let causes = compared["causes"].as_array().unwrap();
        let first = causes.first().map(|cause| cause["text"].as_str().unwrap().to_owned());
        if first.as_deref() != Some(expected) || causes[0]["verdict"] != "likely" {
            wrong.push(format!("{expected}:\n{causes:#?}"));
        }
        let decoys = ["nodes.clean", "nodes.plot", "plot.colour", "unread"];
        for cause in causes.iter().filter(|cause| cause["verdict"] != "ruled_out") {
            let text = cause["text"].as_str().unwrap();
            if decoys.iter().any(|decoy| text.contains(decoy)) {
                wrong.push(format!("{expected}: {text} is not ruled out\n{causes:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
