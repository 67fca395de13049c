//! Whatever a project, a log or a command line holds, nothing that is printed can do anything to a
//! terminal, hide text or reorder it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output, Stdio};

use mlops_tui::store::{Entry, Level, Line, NewRun, Outcome, Progress, RunRecord, Source, Store};

use crate::common::project::project;

/// As Python and YAML write it.
const HOSTILE: &str = r"\x1b]52;c;aGF4\x07\x1b[31mRED\x1b[2J\x9b31mC1\x90DCS\x9c\u202eBIDI\u2066ISO\u200d\u200f\u061cALM\x7fDEL\rCR\x08BS\u2028LS\u2029PS\ufeffBOM\U000e0041TAG";

/// The same as text.
fn hostile() -> String {
    let json = HOSTILE.replace(r"\x", r"\u00").replace(r"\U000e0041", r"\udb40\udc41");
    serde_json::from_str(&format!("\"{json}\"")).unwrap()
}

fn nodes() -> String {
    format!(
        "E = '{HOSTILE}'\n\n\ndef act(x):\n    return x\n\n\ndef make(node):\n    return [\n        \
         node(act, 'params:n', 'a' + E, name='one' + E, tags=['t' + E], namespace='s' + E),\n        \
         node(act, 's' + E + '.a' + E, 'b' + E, name='two' + E),\n    ]\n"
    )
}

/// Whether a terminal, or the eye, could be misled.
fn is_harmful(c: char) -> bool {
    let controls = c.is_control() && c != '\n';
    controls || hostile().contains(c) && !c.is_ascii() && c != '\u{200d}'
}

fn assert_harmless(output: &Output, words: &[&OsStr]) {
    for bytes in [&output.stdout, &output.stderr] {
        let text = String::from_utf8(bytes.clone()).expect("what is printed is text");
        if let Some(at) = text.find(is_harmful) {
            let from = text[..at].char_indices().rev().nth(60).map_or(0, |(at, _)| at);
            panic!("{words:?} prints {:?}", &text[from..(at + 8).min(text.len())]);
        }
    }
}

#[test]
fn nothing_that_is_printed_can_do_anything_to_a_terminal() {
    let folder = project(&nodes());
    let root = folder.path();
    let write = |name: &str, text: &str| fs::write(root.join(name), text).unwrap();
    let yaml = HOSTILE;
    write(
        "conf/base/catalog.yml",
        &format!("\"d{yaml}\":\n  type: \"t{yaml}\"\n  filepath: \"f{yaml}\"\n"),
    );
    write("conf/base/parameters.yml", &format!("n: 1\n\"p{yaml}\": \"v{yaml}\"\n"));
    write(&format!("conf/base/parameters_{}.yml", hostile().replace('/', "")), "broken: [\n");
    let text = hostile();
    let mut store = Store::new(root);
    for _ in 0..2 {
        let new = NewRun {
            pipeline: text.clone(),
            command: text.clone(),
            why: Some(text.clone()),
            user: Some(text.clone()),
            request: serde_json::json!({"params": {(&*text): &*text}}).to_string(),
            ..NewRun::default()
        };
        let run = store.add_run(&new).unwrap();
        let record = RunRecord {
            outcome: Outcome::Failed,
            failed_node: Some(text.clone()),
            reason: Some(text.clone()),
            note: Some(text.clone()),
            ..run
        };
        let source = Source {
            level: Level::Error,
            node: Some(&text),
            stream: "stderr",
            level_name: Some(&text),
            logger: Some(&text),
        };
        let entries = [Entry::Line(Line { at: 1.0, source, text: &text })];
        let record = &record;
        store
            .record(&Progress { record, first: 1, entries: &entries, nodes: &[], datasets: &[] })
            .unwrap();
        store.note(record.id.unwrap(), &text).unwrap();
    }
    let word = OsStr::from_bytes(text.as_bytes());
    let option = format!("--{text}");
    let option = OsStr::new(&option);
    let os =
        |words: &[&'static str]| words.iter().map(|word| OsStr::new(*word)).collect::<Vec<_>>();
    let mut verbs: Vec<Vec<&OsStr>> = [
        &["inspect"][..],
        &["inspect", "--json"],
        &["layout"],
        &["layout", "--expand", "none"],
        &["layout", "--format", "text"],
        &["layout", "--format", "svg"],
        &["layout", "--format", "dot"],
        &["layout", "--format", "mermaid"],
        &["config", ".", "catalog"],
        &["config", ".", "catalog", "--json"],
        &["config", ".", "parameters"],
        &["config", ".", "parameters", "--json"],
        &["status"],
        &["status", "--json"],
        &["run", "--plan"],
        &["run", "--plan", "--json"],
        &["runs", "list"],
        &["runs", "list", "--json"],
        &["runs", "show", "1"],
        &["runs", "show", "1", "--json"],
        &["runs", "logs", "1"],
        &["runs", "logs", "1", "--json"],
        &["runs", "diff", "1", "2"],
        &["runs", "diff", "1", "2", "--json"],
    ]
    .map(os)
    .into();
    for words in [
        &["inspect"][..],
        &["config", "."],
        &["layout", "--pipeline"],
        &["layout", "--graph"],
        &["status", "--pipeline"],
        &["status", "--python"],
        &["status", "--env"],
        &["run", "--plan", "--nodes"],
        &["run", "--plan", "--pipeline"],
        &["run", "--grid"],
        &["run", "--params"],
        &["runs", "show"],
        &["runs", "-C"],
        &["runs", "list", "--since"],
        &["runs", "prune", "--max-size"],
        &["debug"],
        &[],
    ] {
        verbs.push([os(words), vec![word]].concat());
        verbs.push([os(words), vec![option]].concat());
    }
    for words in verbs {
        let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
            .args(&words)
            .current_dir(root)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_harmless(&output, &words);
    }
}
