//! The headless verbs that execute, as a script sees them; and the pages of docs/ that follow the program.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use mlops_tui::app::keymap;
use mlops_tui::app::settings::{Overrides, Settings};
use mlops_tui::store::RunFilter;
use mlops_tui::ui::theme;
use serde_json::Value as Json;

use crate::common::project::project;
use crate::common::python::python;

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
    let events = mlops_tui::runs::history::from_rows(&store.events(runs[1].id.unwrap()).unwrap());
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
fn each_row_of_the_status_names_its_node() {
    let folder = project(
        "def first():\n    return 1\n\ndef second(x):\n    return x\n\n\
         def make(node):\n    return [node(first, None, 'x', name='first'), node(second, 'x', 'y', name='second')]\n",
    );
    assert!(run(&folder, &[]).output().unwrap().status.success());
    let file = folder.path().join("src/shop/nodes.py");
    let code = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, code.replace("return 1", "return 2")).unwrap();

    let words = ["status", folder.path().to_str().unwrap(), "--json", "--python"];
    let output = verb(&words).arg(python()).output().unwrap();
    let rows: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&rows[0]["node"], &rows[0]["status"]),
        (&"first".into(), &"stale".into()),
        "{rows}"
    );
    assert_eq!(rows[1]["node"], "second", "{rows}");
    assert_eq!(
        (&rows[1]["status"], &rows[1]["through"]),
        (&"stale_through".into(), &"first".into())
    );
}

#[test]
fn a_run_of_what_is_stale_prints_no_text_where_json_is_asked_for() {
    let folder = project(
        "def first():\n    return 1\n\ndef make(node):\n    return [node(first, None, 'x', name='first')]\n",
    );
    assert!(run(&folder, &[]).output().unwrap().status.success());
    let output = run(&folder, &["--stale"]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "Nothing is stale.\n");
    let output = run(&folder, &["--stale", "--json"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), b"".as_slice()));
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

/// The names in backticks after the text "expected" of an error: what would have been accepted.
fn accepted(error: &keymap::FileError) -> BTreeSet<String> {
    let (_, list) = error.text.split_once("expected").expect("the error lists what is accepted");
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_schema_of_the_settings_says_what_the_program_accepts() {
    // Views belong to a project, all else to both files.
    let parse = |name: &str, value: &Json| match name {
        "views" => {
            let table = serde_json::json!({"tool": {"mlops-tui": {name: value}}});
            Overrides::from_pyproject(&toml::to_string(&table).expect("TOML"))
        }
        name => Overrides::from_yaml(&serde_json::json!({ name: value }).to_string()),
    };
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.schema.json");
    let schema: Json = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    assert_eq!(schema["additionalProperties"], false);

    let properties = schema["properties"].as_object().unwrap();
    let names: BTreeSet<String> = properties.keys().cloned().collect();
    assert_eq!(names, accepted(&parse("no-setting", &Json::Null).unwrap_err()));

    for (name, property) in properties {
        for example in property["examples"].as_array().unwrap() {
            let read = parse(name, example).unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert_ne!(read, Overrides::default(), "{name}: {example} sets nothing");
        }
        assert!(parse(name, &serde_json::json!([1])).is_err(), "{name} takes anything");
        if let Some(values) = property["enum"].as_array() {
            let values = values.iter().map(|value| value.as_str().unwrap().to_owned()).collect();
            assert_eq!(accepted(&parse(name, &"no-value".into()).unwrap_err()), values, "{name}");
        }
        if let Some(default) = property.get("default") {
            let mut settings = Settings::default();
            parse(name, default).unwrap().apply(&mut settings);
            assert_eq!(settings, Settings::default(), "the default of {name}");
        }
    }
    let built_in =
        |names: &[(&str, &str)]| -> Json { names.iter().map(|(name, _)| *name).collect() };
    let mut themes = vec![("auto", "")];
    themes.extend(theme::BUILT_IN);
    assert_eq!(properties["theme"]["examples"], built_in(&themes));
    assert_eq!(properties["keymap"]["examples"], built_in(&keymap::BUILT_IN));
}

/// Adds the keys of all objects in `json`; `named` says that those of the outermost one are names of a project.
fn add_keys(json: &Json, named: bool, keys: &mut BTreeSet<String>) {
    const NAMED: [&str; 7] =
        ["aliases", "datasets", "details", "metrics", "params", "tags", "value"];
    const FREE: [&str; 2] = ["request", "resolved_parameters"];
    match json {
        Json::Array(items) => items.iter().for_each(|item| add_keys(item, false, keys)),
        Json::Object(object) => {
            for (key, value) in object {
                if !named {
                    keys.insert(key.clone());
                }
                if named || !FREE.contains(&key.as_str()) {
                    add_keys(value, !named && NAMED.contains(&key.as_str()), keys);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn the_page_of_json_names_every_key() {
    let folder = project(NODES);
    let path = folder.path().to_str().unwrap();
    let python = python().to_str().unwrap();
    let mut keys = BTreeSet::new();
    for words in [["--nodes=good", "--json"], ["--to-nodes=bad", "--json"]] {
        lines(&run(&folder, &words).output().unwrap())
            .iter()
            .for_each(|line| add_keys(line, false, &mut keys));
    }
    lines(&verb(&["runs", "logs", "1", "-C", path, "--json"]).output().unwrap())
        .iter()
        .for_each(|line| add_keys(line, false, &mut keys));
    for words in [
        &["inspect", path, "--json"] as &[&str],
        &["config", path, "credentials", "--json"],
        &["layout", path],
        &["status", path, "--python", python, "--json"],
        &["run", path, "--plan", "--json"],
        &["runs", "list", "-C", path, "--json"],
        &["runs", "show", "2", "-C", path, "--json"],
        &["runs", "diff", "1", "2", "-C", path, "--json"],
        &["runs", "pin", "1", "-C", path, "--json"],
        &["runs", "note", "1", "-C", path, "--json"],
        &["runs", "delete", "1", "--dry-run", "-C", path, "--json"],
        &["experiments", "where", "-C", path, "--json"],
        &["experiments", "list", "-C", path, "--json"],
        &["experiments", "search", "-C", path, "--json"],
        &["experiments", "show", "latest", "-C", path, "--json"],
        &["doctor", path, "--python", python, "--json"],
        &["commands", "--json"],
    ] {
        let output = verb(words).env_remove("MLFLOW_TRACKING_URI").output().unwrap();
        let json = serde_json::from_slice(&output.stdout);
        let json = json.unwrap_or_else(|error| panic!("{words:?}: {error}: {output:?}"));
        add_keys(&json, false, &mut keys);
    }
    assert!(keys.len() > 100, "{keys:?}");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.md");
    let page = std::fs::read_to_string(page).unwrap();
    let is_missing = |key: &&String| {
        !page.contains(&format!("\"{key}\"")) && !page.contains(&format!("`{key}`"))
    };
    let missing: Vec<&String> = keys.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "docs/json.md should describe {missing:?}");
}
