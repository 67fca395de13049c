//! Nodes that do to their process what no node should (`hostile.py`): a run ends as `kedro run` does,
//! leaves the same files, and is told truly. `HOSTILE_CASE=fork cargo test --test running hostile` runs the
//! rows whose names have that part.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use super::*;
use crate::common::{project, python};

/// How the run of a row ends.
#[derive(Debug, Clone, Copy)]
enum Ends {
    Well,
    /// The failure's kind or message has this part.
    Badly(&'static str),
}
use Ends::{Badly, Well};

/// Whether Kedro's exit tells the same.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kedro {
    Same,
    /// Not so, for a reason.
    Differs(&'static str),
    /// It does, but files of the nodes are not the same, for a reason.
    FilesDiffer(&'static str),
}
use Kedro::{Differs, FilesDiffer, Same};

/// A pipeline of the project, how it ends, what the log has to say, and what Kedro does.
type Row = (&'static str, Ends, &'static [&'static str], Kedro);

const LEFT: &str = "a run that a node has left did not succeed, whatever the node says";
const LOGS: &str = "Kedro's own log lines go to files that have taken the numbers 1 and 2";
const FLUSH: &str = "Python can't flush the node's object at its exit, long after the run";

const ROWS: &[Row] = &[
    // Processes of a node.
    ("fork_exits", Well, &["in the child"], Same),
    ("fork_exits_at_once", Well, &[], Same),
    ("fork_raises", Well, &["RuntimeError: the child fails"], Same),
    ("fork_raises_and_parent_fails", Badly("the parent fails"), &[], Same),
    ("fork_outlives_the_run", Well, &[], Same),
    ("fork_goes_on", Well, &[], Same),
    ("fork_below_python", Well, &[], Same),
    ("fork_has_exit_handlers", Well, &["finally"], Same),
    ("pool", Well, &["double 9"], Same),
    ("pool_worker_exits", Well, &[], Same),
    ("daemon", Well, &[], Same),
    // Descriptors.
    ("closes_output", Well, &[], FilesDiffer(LOGS)),
    ("puts_a_file_in_place", Well, &["back again"], Same),
    ("closes_all_but_standard", Well, &["still here"], Same),
    ("closes_everything", Well, &[], Same),
    ("closes_every_descriptor", Well, &["closed descriptors"], Same),
    (
        "closes_every_descriptor_and_fails",
        Badly("told all the same"),
        &["closed descriptors"],
        Same,
    ),
    ("closes_stdout", Well, &[], Same),
    ("prints_to_closed_stdout", Badly("closed file"), &[], Same),
    ("exhausts_descriptors", Badly("no descriptor is left"), &[], Same),
    ("makes_output_wait", Well, &["a line"], Same),
    // Output.
    ("binary", Well, &["\u{fffd}", "and \0"], Same),
    ("escapes", Badly("\u{1b}[31mred"), &["RED", "title", "loud"], Same),
    ("threads_print_late", Well, &["late 2"], Same),
    ("prints_a_long_line", Well, &["6951424 more bytes of this line are left out"], Same),
    ("prints_nothing_visible", Well, &["6951424 more bytes of this line are left out"], Same),
    ("prints_a_long_line_in_parts", Well, &[], Same),
    ("writes_a_long_line", Well, &["more bytes of this line are left out"], Same),
    ("writes_nothing_visible", Well, &["more bytes of this line are left out"], Same),
    // Ends.
    ("exits_with_0", Badly("sys.exit(0)"), &[], Differs(LEFT)),
    ("exits_with_3", Badly("sys.exit(3)"), &[], Same),
    ("leaves_with_0", Badly("exit code 0, while `leaves_with_0` ran"), &[], Differs(LEFT)),
    ("leaves_with_3", Badly("exit code 3, while `leaves_with_3` ran"), &[], Same),
    ("kills_itself", Badly("signal 9 (SIGKILL)"), &[], Same),
    ("terminates_itself", Badly("signal 15 (SIGTERM)"), &[], Same),
    ("aborts", Badly("signal 6 (SIGABRT)"), &[], Same),
    ("crashes", Badly("signal 11 (SIGSEGV)"), &["in crashes"], Same),
    ("is_alarmed", Badly("signal 14 (SIGALRM)"), &[], Same),
    ("handles_an_alarm", Badly("too late"), &[], Same),
    // Exceptions.
    ("raises_what_has_no_text", Badly("sys.exit('no text')"), &[], Same),
    ("raises_what_has_much_text", Badly("xxxx"), &[], Same),
    ("raises_a_class_without_a_name", Badly("TypeError"), &[], Same),
    ("raises_deeply", Badly("99"), &[], Same),
    ("fills_memory", Badly("MemoryError"), &[], Same),
    // Surroundings.
    ("leaves_the_folder", Well, &[], Same),
    ("replaces_stdout", Well, &[], Differs(FLUSH)),
    ("has_no_stdout", Well, &[], Same),
    ("ignores_signals", Well, &[], Same),
    ("replaces_builtins", Well, &[], Same),
    ("replaces_the_library", Well, &[], Same),
    ("moves_the_clock", Well, &[], Same),
];

fn folder(version: &str) -> tempfile::TempDir {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/running/worker");
    let folder = project::project("");
    fs::copy(here.join("hostile.py"), folder.path().join("src/shop/hostile.py")).unwrap();
    fs::write(folder.path().join("conf/base/catalog.yml"), "").unwrap();
    let settings = folder.path().join("pyproject.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(settings, text.replace("1.7.0", version)).unwrap();
    fs::write(
        folder.path().join("src/shop/pipeline_registry.py"),
        "from kedro.pipeline import Pipeline, node\nfrom . import hostile\n\n\n\
         def register_pipelines():\n    found = {\"__default__\": Pipeline([])}\n    \
         for name, one in list(vars(hostile).items()):\n        \
         if getattr(one, \"__code__\", None) and one.__code__.co_argcount == 0:\n            \
         nodes = [node(one, None, \"a\", name=name), node(hostile.after, \"a\", None, name=\"after\")]\n            \
         found[name] = Pipeline(nodes)\n    \
         return found\n",
    )
    .unwrap();
    folder
}

/// The files that the nodes of a row have made.
fn files(root: &Path, row: &str) -> BTreeMap<String, Vec<u8>> {
    let Ok(folder) = fs::read_dir(root.join("out").join(row)) else { return BTreeMap::new() };
    let read =
        |one: fs::DirEntry| (one.file_name().into_string().unwrap(), fs::read(one.path()).unwrap());
    folder.map(|one| read(one.unwrap())).collect()
}

fn differences(row: &Row, events: &[RunEvent]) -> Vec<String> {
    let (name, ends, says, _) = *row;
    let mut found = Vec::new();
    let lasts: Vec<_> = events.iter().filter(|event| event.ends_run()).collect();
    let failed = match (ends, lasts.as_slice()) {
        (Well, [RunEvent::RunFinished { .. }]) => false,
        (Badly(part), [RunEvent::RunFailed { failure }])
            if failure.kind.contains(part) || failure.message.contains(part) =>
        {
            true
        }
        (_, lasts) => {
            let lasts: String = format!("{lasts:?}").chars().take(600).collect();
            found.push(format!("ends with {lasts}"));
            matches!(ends, Badly(_))
        }
    };
    let mut expected = vec![format!("{name} starts")];
    if failed {
        expected.push(format!("{name} fails"));
    } else {
        expected.extend([format!("{name} ends"), "after starts".into(), "after ends".into()]);
    }
    let nodes: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            RunEvent::NodeStarted { node } => Some(format!("{node} starts")),
            RunEvent::NodeFinished { node, .. } => Some(format!("{node} ends")),
            RunEvent::NodeFailed { node, .. } => Some(format!("{node} fails")),
            _ => None,
        })
        .collect();
    if nodes != expected {
        found.push(format!("nodes: {nodes:?}"));
    }
    let printed: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            RunEvent::Output { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    for part in says {
        if !printed.iter().any(|line| line.contains(part)) {
            let all: String = printed.join("\n").chars().take(3000).collect();
            found.push(format!("does not say {part:?}:\n{all}"));
        }
    }
    if printed.iter().any(|line| line.contains("mlops-tui:") && line.contains('\0')) {
        found.push("a mark is told as output".into());
    }
    if printed.iter().map(|line| line.len()).sum::<usize>() > 4 << 20 {
        found.push("a line is not bounded".into());
    }
    found
}

async fn hostile(version: &str, python: PathBuf) {
    let only = std::env::var("HOSTILE_CASE").ok();
    let rows: Vec<&Row> =
        ROWS.iter().filter(|row| only.as_ref().is_none_or(|only| row.0.contains(only))).collect();
    let (theirs, ours) = (folder(version), folder(version));
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/running/worker/answers.py");
    let driver = Command::new(&python)
        .arg(driver)
        .args(rows.iter().map(|row| row.0))
        .current_dir(theirs.path())
        .env("KEDRO_DISABLE_TELEMETRY", "1")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let worker = Worker::warm(Spec::new(&python, ours.path()));
    let mut report = String::new();
    let mut well = BTreeMap::new();
    for row in &rows {
        let request = RunRequest { pipeline: Some(row.0.into()), ..RunRequest::default() };
        let events = run_with(&worker, &request).await;
        well.insert(
            row.0,
            events.iter().any(|event| matches!(event, RunEvent::RunFinished { .. })),
        );
        for line in differences(row, &events) {
            report.push_str(&format!("=== {}: {line}\n", row.0));
        }
    }
    let answers = driver.wait_with_output().unwrap();
    let answers: BTreeMap<String, i32> = String::from_utf8(answers.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| serde_json::from_str::<(String, i32)>(line).ok())
        .collect();
    for (name, _, _, kedro) in rows {
        let status = ExitStatus::from_raw(answers.get(*name).copied().unwrap_or(-1));
        let same = status.success() == well[name];
        if same == matches!(kedro, Differs(_)) {
            report.push_str(&format!("=== {name}: Kedro has {status}, the table {kedro:?}\n"));
        }
        let (theirs, ours) = (files(theirs.path(), name), files(ours.path(), name));
        if same && (theirs == ours) == matches!(kedro, FilesDiffer(_)) {
            report.push_str(&format!("=== {name}: files of Kedro {theirs:?}, here {ours:?}\n"));
        }
    }
    assert!(report.is_empty(), "{}\n{report}", python.display());
}

#[tokio::test]
async fn hostile_nodes_with_kedro_1_7() {
    hostile("1.7.0", python::environment("tests/running/parity/kedro-1.7.0.txt", None)).await;
}

#[tokio::test]
async fn hostile_nodes_with_kedro_0_19() {
    hostile("0.19.15", python::environment("tests/running/parity/kedro-0.19.15.txt", None)).await;
}

#[tokio::test]
async fn hostile_nodes_with_kedro_0_18() {
    hostile("0.18.14", python::environment("tests/running/parity/kedro-0.18.14.txt", Some("3.11")))
        .await;
}
