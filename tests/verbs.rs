//! The headless verbs that execute, as a script sees them.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use common::project::project;
use common::python::python;
use mlops_tui::store::RunFilter;
use serde_json::Value as Json;

const NODES: &str = r#"
import time

def good():
    print("\x1b[31mred")
    return 1

def bad(x):
    raise ValueError("bad luck")

def slow(x):
    print("asleep", flush=True)
    time.sleep(600)

def loud(x):
    for number in range(20000):
        print("line", number)

def make(node):
    return [
        node(good, None, "x", name="good"),
        node(bad, "x", "y", name="bad", tags="bad"),
        node(slow, "params:size", "z", name="slow"),
        node(loud, "params:size", None, name="loud"),
    ]
"#;

fn verb(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-tui"));
    command.args(words).env_remove("KEDRO_ENV").stdin(Stdio::null());
    command
}

fn run(folder: &tempfile::TempDir, words: &[&str]) -> Command {
    let mut command = verb(&["run"]);
    command.arg(folder.path()).arg("--python").arg(python()).args(words);
    command
}

fn lines(output: &Output) -> Vec<Json> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_outcome_is_the_exit_code_the_last_line_and_the_record() {
    let folder = project(NODES);
    for (words, code, outcome) in [
        (vec!["--json", "--nodes", "good"], 0, "succeeded"),
        (vec!["--json", "--to-nodes=bad"], 1, "failed"),
        (vec!["--json", "--nodes=gone"], 1, "failed"),
    ] {
        let output = run(&folder, &words).output().unwrap();
        let lines = lines(&output);
        assert_eq!(output.status.code(), Some(code), "{lines:?}");
        let last = lines.last().unwrap();
        assert_eq!(last["outcome"], outcome, "{last}");
        assert!(last["command"].as_str().unwrap().starts_with("kedro run --"), "{last}");
    }
    let mut store = mlops_tui::store::Store::new(folder.path());
    let runs = store.runs(&RunFilter::newest(10)).unwrap();
    assert_eq!(runs.len(), 3);
    assert_eq!(runs[1].failed_node.as_deref(), Some("bad"));
    assert_eq!((runs[1].nodes_total, runs[1].nodes_done), (2, 1));
    let events = mlops_tui::runs::history::from_rows(&store.events(runs[1].id).unwrap());
    assert!(events.last().unwrap().event.ends_run());
    let ignored = std::fs::read_to_string(folder.path().join(".mlops-tui/.gitignore"));
    assert_eq!(ignored.unwrap(), "*\n");
}

#[test]
fn people_see_nodes_output_and_the_failing_line() {
    let folder = project(NODES);
    let output = run(&folder, &["--to-nodes", "bad"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for part in ["▶ good", "[good] red", "✓ good", "✗ bad", "at src/shop/nodes.py:9"] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    assert!(!text.contains('\x1b'), "escape sequences do not reach the terminal");
}

#[test]
fn ctrl_c_cancels_and_a_reader_that_leaves_does_not() {
    let folder = project(NODES);
    let mut child = run(&folder, &["--nodes=slow"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("asleep") {
        line.clear();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "the node starts");
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));

    let mut child = run(&folder, &["--nodes=loud"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    drop(reader);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut store = mlops_tui::store::Store::new(folder.path());
    let runs = store.runs(&RunFilter::newest(10)).unwrap();
    assert_eq!(runs[1].outcome, mlops_tui::store::Outcome::Cancelled);
    assert!(runs[0].log_lines > 20_000, "all output is in the history");
}

#[test]
fn a_grid_runs_to_its_end_when_what_it_prints_is_lost() {
    let folder = project(NODES);
    let grid = ["--nodes=good", "--grid", "size=1,2,3 names=[a,b],[]"];
    let outcomes = || {
        let mut store = mlops_tui::store::Store::new(folder.path());
        let runs = store.runs(&RunFilter::newest(20)).unwrap();
        runs.iter().map(|run| run.outcome).collect::<Vec<_>>()
    };
    let mut child = run(&folder, &grid).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0), "a reader that leaves is no error");
    assert_eq!(outcomes(), [mlops_tui::store::Outcome::Succeeded; 6]);

    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else { return };
    let output = run(&folder, &grid).stdout(full).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(outcomes(), [mlops_tui::store::Outcome::Succeeded; 12], "{told}");
    for set in ["size=1 names=[a,b]: ", "size=3 names=[]: "] {
        assert!(told.contains(set), "each error names its run:\n{told}");
    }
}

/// Ends as the file `ending.py` says, which has Click's context.
const OWN_RUN: &str = r#"
import click
from kedro.framework.session import KedroSession

@click.group()
def cli():
    pass

@cli.command()
@click.option("--nodes", default="")
@click.pass_context
def run(ctx, nodes):
    with KedroSession.create() as session:
        session.run(node_names=nodes.split(","))
    with open("ending.py") as file:
        exec(file.read(), {"ctx": ctx})
"#;

#[test]
fn the_exit_of_a_project_s_own_command_is_that_of_the_run() {
    let folder = project(
        "import sys\n\ndef good():\n    return 1\n\ndef bad():\n    sys.exit(0)\n\n\
         def make(node):\n    return [node(good, None, 'x', name='good'), node(bad, None, 'y', name='bad')]\n",
    );
    std::fs::write(folder.path().join("src/shop/cli.py"), OWN_RUN).unwrap();
    for (node, ending, reason) in [
        ("good", "", None),
        ("good", "ctx.exit(0)", None),
        ("good", "raise SystemExit(0)", None),
        ("good", "import sys; sys.exit()", None),
        ("good", "ctx.exit(3)", Some("exit code 3")),
        ("good", "raise SystemExit(4)", Some("sys.exit(4)")),
        ("good", "import sys; sys.exit('no luck')", Some("no luck")),
        ("bad", "", Some("sys.exit(0)")),
    ] {
        std::fs::write(folder.path().join("ending.py"), ending).unwrap();
        let output = run(&folder, &["--json", "--nodes", node]).output().unwrap();
        let lines = lines(&output);
        let last = lines.last().unwrap();
        let (code, outcome) = if reason.is_some() { (1, "failed") } else { (0, "succeeded") };
        assert_eq!(output.status.code(), Some(code), "{ending}: {lines:?}");
        assert_eq!(last["outcome"], outcome, "{ending}: {last}");
        let told = last["reason"].as_str().unwrap_or_default();
        assert!(told.contains(reason.unwrap_or_default()), "{ending}: {told}");
        assert_eq!(told.is_empty(), reason.is_none(), "{ending}: {told}");
    }
}

#[test]
fn the_doctor_names_what_is_missing() {
    let folder = project(NODES);
    let python = python().to_str().unwrap();
    let path = folder.path().to_str().unwrap();
    let output = verb(&["doctor", path, "--json", "--python", python]).output().unwrap();
    let told: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &told["healthy"]), (Some(0), &Json::Bool(true)), "{told}");
    let elsewhere = tempfile::tempdir().unwrap();
    let output = verb(&["doctor", elsewhere.path().to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("✗ project"));
}

#[test]
fn the_page_of_commands_follows_the_table() {
    let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .args(["commands", "--markdown"])
        .output()
        .unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/commands.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.ends_with(&table), "docs/commands.md should end with:\n{table}");
}

#[test]
fn the_environment_is_an_option_else_a_variable_and_empty_is_none() {
    let folder = project(NODES);
    std::fs::create_dir(folder.path().join("conf/cloud")).unwrap();
    std::fs::write(
        folder.path().join("conf/cloud/mlflow.yml"),
        "server: {mlflow_tracking_uri: cloud}\n",
    )
    .unwrap();
    std::fs::create_dir(folder.path().join("cloud")).unwrap();
    let root = folder.path().to_str().unwrap();
    let is_cloud = |words: &[&str], option: Option<&str>, variable: Option<&str>| {
        let mut command = verb(words);
        command.args(option).envs(variable.map(|name| ("KEDRO_ENV", name)));
        let output = command.env_remove("MLFLOW_TRACKING_URI").output().unwrap();
        let found: Json = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}"));
        found["env"] == "cloud" || found["chosen_by"] == "mlflow.yml"
    };
    for words in [
        &["inspect", root, "--json"][..],
        &["config", root, "parameters", "--json"],
        &["experiments", "-C", root, "where", "--json"],
    ] {
        for (option, variable, cloud) in [
            (None, None, false),
            (Some("--env=cloud"), None, true),
            (None, Some("cloud"), true),
            (Some("--env=local"), Some("cloud"), false),
            (Some("--env="), Some("cloud"), true),
            (Some("--env="), None, false),
            (None, Some(""), false),
        ] {
            assert_eq!(
                is_cloud(words, option, variable),
                cloud,
                "{words:?} {option:?} {variable:?}"
            );
        }
    }
}
