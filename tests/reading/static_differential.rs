//! The static reading against Kedro itself, on small projects in the styles of real pipeline code.
//!
//! The projects are in `tests/reading/static_differential/*.txt`: `=== name [expectation]` starts a project,
//! `--- path` a file of it, relative to its package (or, with a leading `/`, to the project). The
//! rule: what the static reading shows is what Kedro shows, or the part is marked as incomplete and
//! a problem says so.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mlops_tui::project::{Options, Reader, Severity, Snapshot};
use serde_json::{Value, json};

/// What must hold of a project's two readings, beyond never being silently different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expectation {
    /// The static reading knows everything.
    Complete,
    /// A part of it can't be known without Python.
    Partial,
    /// Kedro can't read the project here, the static reading can, completely.
    Alone,
    /// Kedro raises, and the static reading says so.
    Refused,
}

struct Case {
    name: String,
    expectation: Expectation,
    files: BTreeMap<String, String>,
}

const REGISTRY: &str = "\
from kedro.framework.project import find_pipelines


def register_pipelines():
    pipelines = find_pipelines(raise_errors=True)
    pipelines[\"__default__\"] = sum(pipelines.values())
    return pipelines
";

fn corpus() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reading/static_differential");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    paths.iter().flat_map(|path| parse(&fs::read_to_string(path).unwrap())).collect()
}

fn parse(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut file: Option<String> = None;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("=== ") {
            let (name, expectation) = title.split_once(" [").unwrap_or((title, "complete]"));
            let expectation = match expectation {
                "complete]" => Expectation::Complete,
                "partial]" => Expectation::Partial,
                "alone]" => Expectation::Alone,
                "refused]" => Expectation::Refused,
                other => panic!("`[{other}` is no expectation"),
            };
            cases.push(Case { name: name.to_owned(), expectation, files: BTreeMap::new() });
            file = None;
        } else if let Some(path) = line.strip_prefix("--- ") {
            file = Some(path.to_owned());
            cases.last_mut().unwrap().files.insert(path.to_owned(), String::new());
        } else if let Some(file) = &file {
            let text = cases.last_mut().unwrap().files.get_mut(file).unwrap();
            text.push_str(line);
            text.push('\n');
        }
    }
    cases
}

impl Case {
    fn write(&self, root: &Path) {
        let package = root.join("src/pkg");
        let defaults = [
            (
                "/pyproject.toml",
                "[tool.kedro]\npackage_name = \"pkg\"\nproject_name = \"p\"\nkedro_init_version = \"1.7.0\"\n",
            ),
            ("/conf/base/catalog.yml", ""),
            ("/conf/base/parameters.yml", ""),
            ("/conf/local/.gitkeep", ""),
            ("__init__.py", ""),
            ("settings.py", ""),
            ("pipelines/__init__.py", ""),
            ("pipeline_registry.py", REGISTRY),
        ];
        let own = self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        for (path, text) in defaults.into_iter().chain(own) {
            let path = match path.strip_prefix('/') {
                Some(path) => root.join(path),
                None => package.join(path),
            };
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
}

/// Pipelines by name, in the shape of Kedro's inspection snapshot.
fn shown(snapshot: &Snapshot) -> BTreeMap<String, Value> {
    let pipelines = snapshot.pipelines.iter().map(|pipeline| {
        let nodes: Vec<Value> = (pipeline.nodes.iter())
            .map(|node| {
                json!({
                    "name": node.name,
                    "func_name": node.func_name,
                    "namespace": node.namespace,
                    "tags": node.tags,
                    "inputs": node.inputs,
                    "outputs": node.outputs,
                    "source": node.source,
                })
            })
            .collect();
        let whole = json!({
            "name": pipeline.name,
            "nodes": nodes,
            "inputs": pipeline.inputs,
            "outputs": pipeline.outputs,
        });
        (pipeline.name.clone(), whole)
    });
    pipelines.collect()
}

fn by_name(answer: &Value) -> BTreeMap<String, Value> {
    let pipelines = answer["pipelines"].as_array().unwrap();
    pipelines.iter().map(|it| (it["name"].as_str().unwrap().to_owned(), it.clone())).collect()
}

/// Everything that breaks the rule, as text; empty where nothing does.
fn differences(case: &Case, snapshot: &Snapshot, answer: &Value) -> String {
    let mut out = String::new();
    let wrong = |it: &&mlops_tui::project::Problem| {
        it.severity == Severity::Error && !it.text.contains("which no parameters file defines")
    };
    if let Some(error) = answer["error"].as_str() {
        match case.expectation {
            Expectation::Complete | Expectation::Partial => {
                let _ = writeln!(out, "Kedro refuses the project: {error}");
            }
            Expectation::Refused if !snapshot.problems.iter().any(|it| wrong(&it)) => {
                let _ = writeln!(out, "Kedro refuses this without a word from us: {error}");
            }
            _ => {}
        }
    } else {
        if matches!(case.expectation, Expectation::Alone | Expectation::Refused) {
            let _ = writeln!(out, "Kedro reads the project");
        }
        compare(&mut out, snapshot, answer, case);
        // `find_pipelines` passes over errors with a warning, unless told otherwise.
        if case.expectation == Expectation::Partial
            && !case.name.starts_with("an error")
            && snapshot.problems.iter().any(|it| wrong(&it))
        {
            let _ = writeln!(out, "an error is claimed");
        }
    }
    if matches!(case.expectation, Expectation::Complete | Expectation::Alone) {
        if !snapshot.complete() || !snapshot.pipelines.iter().all(|pipeline| pipeline.complete) {
            let _ = writeln!(out, "not complete");
        }
        if snapshot.pipelines.iter().all(|pipeline| pipeline.nodes.is_empty()) {
            let _ = writeln!(out, "no nodes");
        }
        if snapshot.problems.iter().any(|it| wrong(&it)) {
            let _ = writeln!(out, "an error is claimed");
        }
    }
    if case.expectation == Expectation::Partial && snapshot.complete() {
        let _ = writeln!(out, "complete, which was not expected");
    }
    if !out.is_empty() {
        for problem in &snapshot.problems {
            let place = problem.place.as_ref().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(out, "  {:?} {place}: {}", problem.severity, problem.text);
        }
    }
    out
}

fn compare(out: &mut String, snapshot: &Snapshot, answer: &Value, case: &Case) {
    let (ours, kedros) = (shown(snapshot), by_name(answer));
    let finds = case
        .files
        .get("pipeline_registry.py")
        .is_none_or(|registry| registry.contains("find_pipelines"));
    let order: Vec<_> = snapshot.pipelines.iter().map(|it| json!(it.name)).collect();
    let kedros_order: Vec<_> =
        answer["pipelines"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    // `find_pipelines` lists folders in the order of the file system.
    if !finds && snapshot.complete() && order != kedros_order {
        let _ = writeln!(out, "order of pipelines {order:?}, Kedro's {kedros_order:?}");
    }
    for (name, ours) in &ours {
        let pipeline = snapshot.pipeline(name).unwrap();
        let Some(kedros) = kedros.get(name) else {
            if snapshot.complete() {
                let _ = writeln!(out, "pipeline {name} is not Kedro's");
            }
            continue;
        };
        if !pipeline.complete {
            if snapshot.complete() {
                let _ = writeln!(out, "pipeline {name} is incomplete, no problem says so");
            }
            continue;
        }
        for (key, value) in ours.as_object().unwrap() {
            if key == "nodes" {
                compare_nodes(out, name, value, &kedros[key], snapshot);
            } else if *value != kedros[key] {
                let _ = writeln!(out, "{name}: {key} {value}, Kedro's {}", kedros[key]);
            }
        }
    }
    for name in kedros.keys().filter(|name| !ours.contains_key(*name)) {
        if snapshot.complete() {
            let _ = writeln!(out, "pipeline {name} is missing");
        }
    }
}

fn compare_nodes(
    out: &mut String,
    pipeline: &str,
    ours: &Value,
    kedros: &Value,
    snapshot: &Snapshot,
) {
    let (ours, kedros) = (ours.as_array().unwrap(), kedros.as_array().unwrap());
    let names = |nodes: &[Value]| -> Vec<String> {
        nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
    };
    if names(ours) != names(kedros) {
        let _ = writeln!(
            out,
            "{pipeline}: nodes\n  {:?}\n  Kedro's\n  {:?}",
            names(ours),
            names(kedros)
        );
    }
    for node in ours {
        let unknown = format!("The function of node `{}`", node["name"].as_str().unwrap());
        let function_known = !snapshot.problems.iter().any(|it| it.text.contains(&unknown));
        let Some(kedros) = kedros.iter().find(|it| it["name"] == node["name"]) else { continue };
        for (key, value) in node.as_object().unwrap() {
            if !function_known && (key == "func_name" || key == "source") {
                continue;
            }
            if *value != kedros[key] {
                let name = &node["name"];
                let _ = writeln!(out, "{pipeline}: {name}: {key} {value}, Kedro's {}", kedros[key]);
            }
        }
    }
}

#[test]
fn the_static_reading_is_kedros_or_says_what_it_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let cases = corpus();
    let project = |index: usize| root.join(format!("case{index}"));
    for (index, case) in cases.iter().enumerate() {
        case.write(&project(index));
    }
    let driver =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reading/static_differential/driver.py");
    let status = Command::new(crate::common::python::python())
        .arg(driver)
        .args((0..cases.len()).map(project))
        .envs([("KEDRO_DISABLE_TELEMETRY", "1"), ("DO_NOT_TRACK", "1")])
        .status()
        .unwrap();
    assert!(status.success(), "the driver ended with {status}");
    let mut report = String::new();
    for (index, case) in cases.iter().enumerate() {
        let root = project(index);
        let answer = fs::read_to_string(root.join("answer.json")).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let snapshot = Reader::new(&root).read(&Options::default());
        let found = differences(case, &snapshot, &answer);
        if !found.is_empty() {
            let _ = writeln!(report, "=== {}\n{found}", case.name);
        }
    }
    assert!(report.is_empty(), "\n{report}");
}
