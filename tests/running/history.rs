//! The run history: what the verbs tell of it, and that it survives whoever writes it.

mod tracked;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use mlops_tui::store::{
    Entry, Level, LogCursor, LogFilter, NewRun, NodeOutcome, Outcome, Progress, RunFilter, RunId,
    RunRecord, Store,
};
use serde_json::Value as Json;

use crate::common::history::{BEGAN, line, node, two_runs};
use crate::common::project::project;
use crate::common::python::python;
use crate::common::run_id;
use crate::common::terminal::Terminal;

fn runs(root: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-tui"));
    command.arg("runs").arg("-C").arg(root).args(words).stdin(Stdio::null());
    command
}

fn text(root: &Path, words: &[&str]) -> String {
    let output = runs(root, words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", told(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn json(root: &Path, words: &[&str]) -> Json {
    serde_json::from_str(&text(root, words)).unwrap()
}

/// What a command that fails says.
fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn complaint(root: &Path, words: &[&str]) -> String {
    let output = runs(root, words).output().unwrap();
    assert!(!output.status.success(), "{words:?}");
    told(&output)
}

#[test]
fn the_list_is_filtered_and_says_what_each_run_was() {
    let (folder, _) = two_runs();
    let root = folder.path();
    let list = text(root, &["list"]);
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 3, "{list}");
    assert!(lines[1].contains("✗") && lines[1].contains("failed at train: bad luck"), "{list}");
    // What differs between the runs is a column.
    let (head, last): (Vec<&str>, Vec<&str>) =
        (lines[0].split_whitespace().collect(), lines[2].split_whitespace().collect());
    assert!(head.ends_with(&["size", "mae", "what"]), "{list}");
    assert!(last.starts_with(&["✓", "1"]) && last.ends_with(&["1", "1.250"]), "{list}");
    for (words, ids) in [
        (vec!["--outcome", "succeeded"], vec![1]),
        (vec!["--outcome", "failed,lost"], vec![2]),
        (vec!["--node", "train"], vec![2, 1]),
        (vec!["--text", "size=2"], vec![2]),
        (vec!["--since", "2026-11-03"], vec![2]),
        (vec!["--until", "2026-11-03"], vec![1]),
        (vec!["--limit", "1"], vec![2]),
        (vec!["--pinned"], vec![]),
    ] {
        let words = [vec!["list", "--json"], words].concat();
        let found: Vec<i64> = json(root, &words)
            .as_array()
            .unwrap()
            .iter()
            .map(|run| run["id"].as_i64().unwrap())
            .collect();
        assert_eq!(found, ids, "{words:?}");
    }
    assert_eq!(json(root, &["list", "--json"])[0]["request"]["params"]["size"], 2);
    assert_eq!(text(root, &["list", "--env", "cloud"]), "No run matches the filter.\n");
    let elsewhere = project("def make(node):\n    return []\n");
    assert_eq!(text(elsewhere.path(), &["list"]), "No run is recorded yet.\n");
    assert!(!elsewhere.path().join(".mlops-tui").exists(), "looking makes nothing");
}

#[test]
fn a_run_is_shown_with_its_nodes_in_time_and_its_failure() {
    let (folder, _) = two_runs();
    let root = folder.path();
    let first = text(root, &["show", "1"]);
    for part in [
        "✓ run 1 succeeded, 9.00 s",
        "ada@here: the screen's run-pipeline",
        "Kedro 1.7.0",
        "0123456789 on main · 1 changed file",
        "Nodes: 3 in 8.00 s after 1.00 s of starting · critical path (*) 6.00 s",
        "✓  *  clean  2.00 s  ██████████\n",
        "✓     count  1.00 s            ▒▒▒▒▒\n",
        "✓  *  train  4.00 s            ████████████████████\n",
        "mae 1.250",
    ] {
        assert!(first.contains(part), "{part}:\n{first}");
    }
    let failed = text(root, &["show", "last-failed"]);
    for part in ["Failed: train: ValueError: bad luck", "at src/shop/nodes.py:9 in train"] {
        assert!(failed.contains(part), "{part}:\n{failed}");
    }
    let told = json(root, &["show", "--json"]);
    assert_eq!(told["timeline"]["bars"][2]["critical"], true);
    assert_eq!(told["failure"]["frames"][0]["line"], 9);
    assert_eq!(told["datasets"][2]["metrics"]["mae"], 2.25);
    assert_eq!(told["resolved_parameters"]["seed"], 7);
    assert!(text(root, &["show", "--patch"]).ends_with("+size = 2\n"));
    assert!(complaint(root, &["show", "9"]).contains("There is no run 9."));
    assert!(complaint(root, &["show", "first"]).contains("Hint: A run is a number, `last`"));
}

#[test]
fn a_log_is_searched_and_followed_to_its_end() {
    let (folder, mut store) = two_runs();
    let root = folder.path();
    let log = text(root, &["logs", "1"]);
    assert_eq!(log.lines().count(), 3);
    assert!(log.contains("[clean] reading rows") && !log.contains('\x1b'), "{log}");
    assert!(log.contains("WARNING [train] it does not converge"), "{log}");
    let count = |words: &[&str]| text(root, &[&["logs", "1"], words].concat()).lines().count();
    assert_eq!(count(&["--level", "warning"]), 2);
    assert_eq!(count(&["--node", "train"]), 1);
    assert_eq!(count(&["--grep", "DISK"]), 1);
    assert_eq!(count(&["--grep", "nowhere"]), 0);
    let last = json(root, &["logs", "1", "--json", "--tail", "1"]);
    assert_eq!((&last["number"], &last["level"]), (&3.into(), &"error".into()));

    let mut run = store.add_run(&NewRun { started_at: BEGAN, ..NewRun::default() }).unwrap();
    let record = |store: &mut Store, run: &RunRecord, first, entries: &[Entry<'_>]| {
        store.record(&Progress { record: run, first, entries, nodes: &[], datasets: &[] }).unwrap();
    };
    record(&mut store, &run, 1, &[line(BEGAN, None, Level::Info, "line 1")]);
    let mut child = runs(root, &["logs", "--follow"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for number in 1..=5 {
        assert!(lines.next().unwrap().unwrap().ends_with(&format!("line {number}")));
        let next = format!("line {}", number + 1);
        if number == 5 {
            run.outcome = Outcome::Succeeded;
        }
        record(&mut store, &run, number + 1, &[line(BEGAN, None, Level::Info, &next)]);
    }
    assert!(lines.next().unwrap().unwrap().ends_with("line 6"));
    assert!(lines.next().is_none());
    assert!(child.wait().unwrap().success());
}

#[test]
fn two_runs_are_compared() {
    let (folder, _) = two_runs();
    let root = folder.path();
    let told = text(root, &["diff", "1", "2"]);
    for part in [
        "Parameters\n  size  1  →  2  overridden\n",
        "Metrics\n  metrics.mae  1.250  →  2.250\n",
        "Code\n  changed: nodes.train  used by train  src/shop/nodes.py:9\n",
        "train  4.00 s  →  failed, 4.00 s",
        "metrics saved  4.2 kB  →  4.2 kB  other content\n",
    ] {
        assert!(told.contains(part), "{part}:\n{told}");
    }
    assert!(!told.contains("table"), "what is the same is left out:\n{told}");
    let told = json(root, &["diff", "1", "--json"]);
    assert_eq!(told["runs"], serde_json::json!([1, 2]));
    assert_eq!(told["code"]["files"], serde_json::json!(["src/shop/nodes.py"]));
}

#[test]
fn runs_are_pinned_noted_pruned_and_deleted() {
    let (folder, mut store) = two_runs();
    let root = folder.path();
    assert_eq!(text(root, &["pin", "1"]), "Pinned run 1.\n");
    assert_eq!(text(root, &["note", "1", "the good one"]), "Saved the note of run 1.\n");
    assert!(text(root, &["list", "--pinned"]).contains("the good one"));
    let would = json(root, &["prune", "--older-than", "2026-12-31", "--dry-run", "--json"]);
    assert_eq!(would["deleted"], serde_json::json!([2]));
    let kept = text(root, &["prune", "--max-size", "1GB", "--keep", "9"]);
    assert_eq!(kept, "There is nothing to delete.\n");
    assert!(text(root, &["prune", "--keep", "0"]).starts_with("Deleted 1 run (2), about "));
    assert_eq!(store.runs(&RunFilter::default()).unwrap().len(), 1);
    let going_on = store.add_run(&NewRun::default()).unwrap().id.unwrap().to_string();
    let told = complaint(root, &["delete", "1", &going_on]);
    assert!(told.contains("is still running; cancel it first. Nothing was deleted."), "{told}");
    let would = text(root, &["delete", "1", "--dry-run"]);
    assert!(would.starts_with("Would delete 1 run (1), about "), "{would}");
    assert!(store.run(run_id(1)).unwrap().is_some());
    assert!(text(root, &["delete", "1"]).starts_with("Deleted 1 run (1), about "));
    assert!(store.run(run_id(1)).unwrap().is_none());
    assert!(complaint(root, &["prune"]).contains("--older-than"));
    assert!(complaint(root, &["prune", "--max-size", "much"]).contains("Hint: Write 500MB"));
}

#[test]
fn a_terminal_gets_colours_and_no_line_wider_than_itself() {
    let (folder, _) = two_runs();
    let path = folder.path().to_str().unwrap();
    // An empty NO_COLOR is none (no-color.org).
    for no_color in ["", "1"] {
        let mut terminal = Terminal::start(
            folder.path(),
            60,
            24,
            &["runs", "-C", path, "list"],
            &[("NO_COLOR", no_color)],
        );
        let screen = terminal.wait_for("size=1");
        assert!(terminal.wait_exit().success());
        assert_eq!(screen.trim_end().lines().count(), 3, "{screen}");
        assert!(screen.contains("failed at train: bad …"), "{screen}");
        let plain =
            terminal.look(|screen| screen.cell(1, 0).unwrap().fgcolor() == vt100::Color::Default);
        assert_eq!(plain, no_color == "1");
    }
}

#[test]
fn a_real_run_is_in_the_history_with_its_nodes_data_and_python() {
    let folder = project(
        "def good():\n    print(\"\\x1b[31mred\")\n    return {\"mae\": 0.5}\n\n\n\
         def bad(x):\n    raise ValueError(\"bad luck\")\n\n\n\
         def make(node):\n    return [\n        node(good, None, \"scores\", name=\"good\"),\n        \
         node(bad, \"scores\", \"y\", name=\"bad\"),\n    ]\n",
    );
    let root = folder.path();
    std::fs::write(
        root.join("conf/base/catalog.yml"),
        "scores: {type: json.JSONDataset, filepath: scores.json}\n",
    )
    .unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .arg("run")
        .arg(root)
        .arg("--python")
        .arg(python())
        .args(["--params", "size=4"])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
    let told = json(root, &["show", "--json"]);
    assert_eq!(told["failed_node"], "bad");
    assert!(told["why"].as_str().unwrap().ends_with("--params size=4"), "{told}");
    assert_eq!(told["resolved_parameters"]["size"], 4);
    assert!(told["python_version"].as_str().unwrap().starts_with("3."));
    assert!(told["kedro_version"].is_string());
    let bars = told["timeline"]["bars"].as_array().unwrap();
    let outcomes: Vec<&Json> = bars.iter().map(|bar| &bar["outcome"]).collect();
    assert_eq!(outcomes, ["succeeded", "failed"]);
    let saved = told["datasets"].as_array().unwrap();
    let saved = saved.iter().find(|dataset| dataset["direction"] == "save").unwrap();
    assert_eq!((&saved["dataset"], &saved["metrics"]["mae"]), (&"scores".into(), &0.5.into()));
    assert!(saved["stamp"].as_str().unwrap().starts_with("blake3:"), "{saved}");
    let log = text(root, &["logs", "--node", "good", "--grep", "red"]);
    assert!(log.trim_end().ends_with("[good] red"), "{log}");
}

/// What [`nothing_that_was_acknowledged_is_lost_by_a_kill`] kills.
#[test]
#[ignore = "it writes until it is killed"]
fn a_writer() {
    let root = std::env::var_os("HISTORY_ROOT").unwrap();
    let mut store = Store::new(Path::new(&root));
    let run = store.add_run(&NewRun::default()).unwrap();
    println!("{}", run.name());
    for first in (1..).step_by(3) {
        let texts = [first.to_string(), (first + 1).to_string()];
        let entries = [
            line(BEGAN, Some("n"), Level::Info, &texts[0]),
            line(BEGAN, Some("n"), Level::Info, &texts[1]),
            Entry::Event(BEGAN, format!("{{\"number\":{first}}}")),
        ];
        let nodes = [node("n", 0, NodeOutcome::Running, 0.0, 0.0)];
        let progress =
            Progress { record: &run, first, entries: &entries, nodes: &nodes, datasets: &[] };
        store.record(&progress).unwrap();
        println!("stored {}", first + 2);
    }
}

#[test]
fn nothing_that_was_acknowledged_is_lost_by_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    for kill_after in [0, 1, 7, 40, 41, 130] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "history::a_writer", "--ignored", "--nocapture"])
            .env("HISTORY_ROOT", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut run, mut stored) = (None, 0_u64);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        let mut hear = |line: String| {
            if let Some(id) = line.split("run ").nth(1).and_then(|id| id.parse().ok()) {
                run = RunId::new(id);
            }
            if let Some(number) = line.strip_prefix("stored ") {
                stored = number.parse().unwrap();
                return true;
            }
            false
        };
        while seen < kill_after
            && let Some(line) = lines.next()
        {
            seen += usize::from(hear(line.unwrap()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died was acknowledged, too.
        lines.map_while(Result::ok).for_each(|line| {
            hear(line);
        });

        let mut store = Store::new(folder.path());
        store.recover().unwrap();
        assert_eq!(store.set_aside(), None, "the store is whole");
        for other in store.runs(&RunFilter::default()).unwrap() {
            assert_eq!(other.outcome, Outcome::Lost);
        }
        let Some(run) = run else { continue };
        let events = store.events(run).unwrap();
        let lines = store.log(run, &LogFilter::default(), LogCursor::Line(1), usize::MAX).unwrap();
        assert!((events.len() * 3) as u64 >= stored, "{} of {stored}", events.len() * 3);
        assert_eq!(lines.len(), events.len() * 2, "a write is there whole or not at all");
        let expected = (1..).step_by(3).flat_map(|first: u64| [first, first + 1]);
        for (line, expected) in lines.iter().zip(expected) {
            assert_eq!(line.text, expected.to_string());
        }
        assert!(store.nodes(run).unwrap().iter().all(|node| node.outcome == NodeOutcome::Stopped));
    }
}
