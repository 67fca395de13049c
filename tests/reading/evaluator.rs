//! The static reading of pipelines, by the pages of `tests/evaluator/`, and against Kedro itself.
//!
//! What a page says of a project must be read without Python. The rule against Kedro: what the static reading shows is
//! what Kedro shows, or the part is marked as incomplete and a problem says so. `UPDATE_CASES=1` writes what is read into
//! the pages; look at their diff.

mod markdown;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use markdown::{Case, Word};
use mlops_tui::project::{
    Bound, Callable, Entry, Options, Pipeline, Problem, Reader, Severity, Snapshot,
};
use serde_json::{Value, json};

use crate::common::python::python;

const REGISTRY: &str = "\
from kedro.framework.project import find_pipelines


def register_pipelines():
    pipelines = find_pipelines(raise_errors=True)
    pipelines[\"__default__\"] = sum(pipelines.values())
    return pipelines
";

/// Projects of cases have no parameters; it is no error of theirs.
const NO_PARAMETER: &str = "which no parameters file defines";
/// The cases have no catalog, either.
const NO_DATASET: &str = "Nothing makes dataset";

fn cases() -> Vec<Case> {
    let cases = markdown::cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evaluator"));
    let only = std::env::var("EVALUATOR_CASE").unwrap_or_default();
    cases.into_iter().filter(|case| case.title.contains(&only)).collect()
}

impl Case {
    /// Writes the project into a folder.
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
        let inits = self.files.keys().filter_map(|path| path.strip_suffix("/pipeline.py"));
        let inits: Vec<_> = inits.map(|folder| format!("{folder}/__init__.py")).collect();
        let inits =
            inits.iter().map(|path| (path.as_str(), "from .pipeline import create_pipeline\n"));
        let own = self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        for (path, text) in defaults.into_iter().chain(inits).chain(own) {
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
    pipelines
        .iter()
        .map(|pipeline| (pipeline["name"].as_str().unwrap().to_owned(), pipeline.clone()))
        .collect()
}

/// Everything that breaks the rule, as text; empty where nothing does.
fn differences(case: &Case, snapshot: &Snapshot, answer: &Value) -> String {
    let mut out = String::new();
    let wrong = |problem: &&mlops_tui::project::Problem| {
        problem.severity == Severity::Error && !problem.text.contains(NO_PARAMETER)
    };
    if let Some(error) = answer["error"].as_str() {
        match case.word {
            Word::Complete | Word::Partial => {
                let _ = writeln!(out, "Kedro refuses the project: {error}");
            }
            Word::Refused if !snapshot.problems.iter().any(|problem| wrong(&problem)) => {
                let _ = writeln!(out, "Kedro refuses this without a word from us: {error}");
            }
            _ => {}
        }
    } else {
        if matches!(case.word, Word::Alone | Word::Refused) {
            let _ = writeln!(out, "Kedro reads the project");
        }
        compare(&mut out, snapshot, answer, case);
        // `find_pipelines` may pass over errors with a warning; the page lists them then.
        if case.word == Word::Partial
            && !case.lines.iter().any(|line| line.starts_with("error "))
            && snapshot.problems.iter().any(|problem| wrong(&problem))
        {
            let _ = writeln!(out, "an error is claimed");
        }
    }
    if matches!(case.word, Word::Complete | Word::Alone) {
        if !snapshot.complete() || !snapshot.pipelines.iter().all(|pipeline| pipeline.complete) {
            let _ = writeln!(out, "not complete");
        }
        if snapshot.pipelines.iter().all(|pipeline| pipeline.nodes.is_empty()) {
            let _ = writeln!(out, "no nodes");
        }
        if snapshot.problems.iter().any(|problem| wrong(&problem)) {
            let _ = writeln!(out, "an error is claimed");
        }
    }
    if case.word == Word::Partial && snapshot.complete() {
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
    let order: Vec<_> = snapshot.pipelines.iter().map(|pipeline| json!(pipeline.name)).collect();
    let kedros_order: Vec<_> = answer["pipelines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pipeline| pipeline["name"].clone())
        .collect();
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
        let function_known =
            !snapshot.problems.iter().any(|problem| problem.text.contains(&unknown));
        let Some(kedros) = kedros.iter().find(|one| one["name"] == node["name"]) else { continue };
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

/// The reading as a page shows it: nodes by pipeline with their datasets, `...` for what is not known, and problems.
fn page(snapshot: &Snapshot, lines: &[String]) -> Vec<String> {
    let every = lines.iter().any(|line| line.starts_with('['));
    let calls = lines.iter().any(|line| line.starts_with("  "));
    let mut out = Vec::new();
    for pipeline in &snapshot.pipelines {
        if every {
            out.push(format!("[{}]", pipeline.name));
        }
        if every || pipeline.name == "__default__" {
            nodes(&mut out, pipeline, calls);
        }
    }
    let of_code = |problem: &&Problem| {
        ![NO_PARAMETER, NO_DATASET].iter().any(|text| problem.text.contains(text))
    };
    for problem in snapshot.problems.iter().filter(of_code) {
        let severity = format!("{:?}", problem.severity).to_lowercase();
        let place = problem.place.as_ref().map(|place| format!("{place}: "));
        let place = place.unwrap_or_default().replace("src/pkg/", "");
        out.push(format!("{severity} {place}{}", problem.text.replace("src/pkg/", "")));
    }
    out
}

fn nodes(out: &mut Vec<String>, pipeline: &Pipeline, calls: bool) {
    for node in &pipeline.nodes {
        let (inputs, outputs) = (node.inputs.join(", "), node.outputs.join(", "));
        let line = format!("{}: {inputs} -> {outputs}", node.name);
        out.push(line.replace(":  ->", ": ->").trim_end().to_owned());
        if let (true, Some(callable)) = (calls, &node.callable) {
            out.push(format!("  calls {}: {}", callable.name, entries(callable)));
            out.extend(
                callable
                    .bound
                    .iter()
                    .map(|(name, value)| format!("  with {name} {}", bound(value))),
            );
            out.push(format!("  takes {}, gives {}", callable.takes, callable.gives));
        }
    }
    if !pipeline.complete {
        out.push("...".into());
    }
}

/// The lines and columns of the code that is called, or dotted names.
fn entries(callable: &Callable) -> String {
    let entries = callable.entries.iter().map(|entry| match entry {
        Entry::Code(place) => format!("{place}:{}", place.column).replace("src/pkg/", ""),
        Entry::Name(name) => name.clone(),
    });
    entries.collect::<Vec<_>>().join(" ")
}

fn bound(bound: &Bound) -> String {
    match bound {
        Bound::Known(text) => format!("= {text}"),
        Bound::Unknown { reason, place } => {
            format!("unknown because {reason} (line {})", place.line)
        }
    }
}

/// Writes what is read of a case into its page. The first line of its block stays.
fn update(case: &Case, read: &[String]) {
    let (page, range) = &case.place;
    let text = fs::read_to_string(page).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.splice(range.clone(), read.iter().map(String::as_str));
    fs::write(page, lines.join("\n") + "\n").unwrap();
}

#[test]
fn pipelines_are_read_as_the_pages_say() {
    let (mut report, mut written) = (String::new(), None);
    let cases = cases();
    // From the last to the first, so that the places of the others stay right when a page is written.
    for case in cases.iter().rev().filter(|case| !case.lines.is_empty()) {
        let folder = tempfile::tempdir().unwrap();
        case.write(folder.path());
        let snapshot = Reader::new(folder.path()).read(&Options::default());
        let read = page(&snapshot, &case.lines);
        if read == case.lines {
            continue;
        }
        // Alternatives have one block.
        if std::env::var_os("UPDATE_CASES").is_some()
            && written.replace(&case.place) != Some(&case.place)
        {
            update(case, &read);
        }
        let (read, lines) = (read.join("\n"), case.lines.join("\n"));
        let _ = writeln!(report, "{}\n--- the page\n{lines}\n--- read\n{read}\n", case.title);
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn what_is_read_is_kedros_or_says_what_it_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let cases = cases();
    let project = |index: usize| root.join(format!("case{index}"));
    for (index, case) in cases.iter().enumerate() {
        case.write(&project(index));
    }
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reading/evaluator/driver.py");
    let status = Command::new(python())
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
            let _ = writeln!(report, "{}\n{found}", case.title);
        }
    }
    assert!(report.is_empty(), "\n{report}");
}
