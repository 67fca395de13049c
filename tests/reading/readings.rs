//! The two readings of a project: by the files alone, and by Kedro itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;

use crate::common::project::copy_of_sample;
use crate::common::python::python;

fn inspect(root: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .arg("inspect")
        .arg(root)
        .args(arguments)
        .env("KEDRO_DISABLE_TELEMETRY", "1")
        .output()
        .unwrap()
}

fn json(output: &Output) -> Json {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut json: Json = serde_json::from_slice(&output.stdout).unwrap();
    // Kedro lists pipelines in the order in which the file system lists their folders.
    json["pipelines"].as_array_mut().unwrap().sort_by_key(|pipeline| pipeline["name"].to_string());
    json
}

fn readings(root: &Path, more: &[&str]) -> (Json, Json) {
    let python: PathBuf = python().into();
    let by_files = json(&inspect(root, &[&["--json"], more].concat()));
    let exact = ["--json", "--exact", "--python", python.to_str().unwrap()];
    (by_files, json(&inspect(root, &[&exact, more].concat())))
}

#[test]
fn static_equals_exact_on_the_sample_project() {
    let (folder, root) = copy_of_sample();
    let (by_files, by_kedro) = readings(&root, &[]);
    assert_eq!(by_files["reading"], "static");
    assert_eq!(by_kedro["reading"], "exact");
    assert_eq!(by_files["complete"], true);
    assert_eq!(by_files["pipelines"][0]["name"], "__default__");
    assert_eq!(by_files["pipelines"][0]["nodes"].as_array().unwrap().len(), 15);
    for (key, value) in by_kedro.as_object().unwrap() {
        if key != "reading" {
            assert_eq!(&by_files[key], value, "`{key}` differs");
        }
    }
    drop(folder);
}

#[test]
fn an_environment_and_parameters_are_read_the_same_way() {
    let (folder, root) = copy_of_sample();
    let (by_files, by_kedro) =
        readings(&root, &["--env", "cloud", "--params", "features.lags=3,new.one=x"]);
    assert_eq!(by_files["env"], "cloud");
    assert!(by_files["parameters"].as_array().unwrap().contains(&"new".into()));
    for key in ["datasets", "parameters", "pipelines", "patterns"] {
        assert_eq!(by_files[key], by_kedro[key], "`{key}` differs");
    }
    drop(folder);
}

#[test]
fn a_project_that_does_not_import_is_read_by_its_files_and_tells_its_traceback() {
    let (folder, root) = copy_of_sample();
    let nodes = root.join("src/harbour_bikes/pipelines/reporting/nodes.py");
    let text = std::fs::read_to_string(&nodes).unwrap();
    std::fs::write(&nodes, format!("import a_missing_package\n{text}")).unwrap();

    let by_files = json(&inspect(&root, &["--json"]));
    assert_eq!(by_files["pipelines"][0]["nodes"].as_array().unwrap().len(), 15);

    let exact = inspect(&root, &["--exact", "--python", python().to_str().unwrap()]);
    assert!(!exact.status.success());
    let error = String::from_utf8(exact.stderr).unwrap();
    assert!(error.contains("a_missing_package") && error.contains("nodes.py"), "{error}");
    drop(folder);
}

#[test]
fn static_equals_exact_on_kedro_s_own_template() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new(python().with_file_name("kedro"))
        .args(["new", "--name", "Demo Project", "--tools", "none", "--example", "no"])
        .args(["--telemetry", "no"])
        .current_dir(folder.path())
        .env("KEDRO_DISABLE_TELEMETRY", "1")
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let root = folder.path().canonicalize().unwrap().join("demo-project");
    // What `kedro pipeline create` makes, with a node in it.
    let pipeline = root.join("src/demo_project/pipelines/first");
    std::fs::create_dir_all(&pipeline).unwrap();
    for (name, text) in [
        (
            "__init__.py",
            "from .pipeline import create_pipeline\n\n__all__ = [\"create_pipeline\"]\n",
        ),
        ("nodes.py", "def double(x):\n    return 2 * x\n"),
        (
            "pipeline.py",
            "from kedro.pipeline import Node, Pipeline\n\nfrom .nodes import double\n\n\n\
             def create_pipeline(**kwargs) -> Pipeline:\n    return Pipeline([Node(double, \"a\", \"b\")])\n",
        ),
    ] {
        std::fs::write(pipeline.join(name), text).unwrap();
    }
    let (by_files, by_kedro) = readings(&root, &[]);
    assert_eq!(by_files["complete"], true);
    assert_eq!(by_files["problems"], serde_json::json!([]));
    for key in ["metadata", "pipelines", "datasets", "parameters"] {
        assert_eq!(by_files[key], by_kedro[key], "`{key}` differs");
    }
    assert_eq!(by_files["pipelines"].as_array().unwrap().len(), 2);
}
