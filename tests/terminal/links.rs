//! Files on the screen are hyperlinks (OSC 8), and nothing else is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mlops_tui::store::{self, NewRun, NodeOutcome, NodeRecord, Outcome, Progress, Store};

use crate::common::project::copy_of_sample;
use crate::common::terminal::Terminal;

const COLUMNS: u16 = 140;
const ROWS: u16 = 40;

struct Session {
    terminal: Terminal,
    root: PathBuf,
    _folders: [tempfile::TempDir; 2],
}

fn open(config: &str, env: &[(&str, &str)]) -> Session {
    let (folder, root) = copy_of_sample();
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("config")).unwrap();
    fs::write(home.path().join("config/config.yaml"), config).unwrap();
    let root = root.canonicalize().unwrap();
    let env: Vec<(&str, &str)> = [("LC_ALL", "C.UTF-8")].iter().chain(env).copied().collect();
    let command = Terminal::program(Path::new("."), home.path(), &[root.to_str().unwrap()], &env);
    let terminal = Terminal::spawn(command, COLUMNS, ROWS);
    Session { terminal, root, _folders: [folder, home] }
}

/// A screen on which every cell keeps the target of the link that it was written in.
#[derive(Default)]
struct Linked {
    at: (usize, usize),
    link: Option<String>,
    cells: BTreeMap<(usize, usize), (char, Option<String>)>,
}

impl vte::Perform for Linked {
    fn print(&mut self, c: char) {
        let (row, column) = self.at;
        self.cells.insert((row, column), (c, self.link.clone()));
        self.at.1 += 1;
    }

    fn csi_dispatch(&mut self, params: &vte::Params, _: &[u8], _: bool, action: char) {
        let mut numbers = params.iter().map(|param| usize::from(param[0]).max(1) - 1);
        if action == 'H' {
            self.at = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], bell: bool) {
        if let [b"8", id, target @ ..] = params {
            assert!(!bell);
            let target = String::from_utf8(target.join(&b';')).unwrap();
            assert_eq!(target.is_empty(), id.is_empty(), "{target}");
            assert_eq!(target.is_empty(), self.link.is_some(), "links are closed: {target}");
            self.link = Some(target).filter(|target| !target.is_empty());
        }
    }
}

/// The linked texts by their targets, in the order of the screen.
fn links(terminal: &Terminal) -> Vec<(String, String)> {
    let (mut parser, mut screen) = (vte::Parser::new(), Linked::default());
    parser.advance(&mut screen, terminal.written().as_bytes());
    assert_eq!(screen.link, None, "the last link is closed");
    let mut found: Vec<(String, String)> = Vec::new();
    let mut last = (0, 0);
    for ((row, column), (c, link)) in screen.cells {
        if let Some(target) = link {
            match found.last_mut() {
                Some((text, of)) if *of == target && (row, column) == last => text.push(c),
                _ => found.push((c.to_string(), target)),
            }
            last = (row, column + 1);
        }
    }
    found
}

fn target(root: &Path, file: &str) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("file://{host}{}/{file}", root.display())
}

#[test]
fn files_are_links_that_move_and_vanish_with_their_text() {
    let mut session = open("", &[]);
    let (terminal, root) = (&mut session.terminal, &session.root);
    terminal.keys("2");
    terminal.wait_for("stations_raw");
    terminal.keys("/stations_raw<enter>");
    terminal.wait_for("data/01_raw/stations.csv");
    let text = |name: &str| links(terminal).into_iter().find(|(text, _)| text.contains(name));
    let (shown, to) = text("stations.csv").expect("a link");
    assert_eq!((shown.as_str(), to), ("data/01_raw/stations.csv", target(root, &shown)));
    let (shown, to) = text("(base)").expect("a link");
    assert!(shown.starts_with("conf/b"), "{shown}");
    assert_eq!(to, target(root, "conf/base/catalog.yml"));

    terminal.keys("7");
    terminal.wait_for("names no engine");
    terminal.wait_gone("stations.csv");
    assert_eq!(links(terminal), []);

    terminal.keys("q");
    assert!(terminal.wait_exit().success());
}

/// Adds a run to the history that failed in a node.
fn fail(root: &Path) {
    let traceback = format!(
        "Traceback (most recent call last):\n  File \"/lib/site-packages/kedro/io/core.py\", line 3, in load\n    \
         x()\n  File \"{}/src/harbour_bikes/nodes.py\", line 7, in clean\n    y()\nValueError: no\n",
        root.display()
    );
    let failure = serde_json::json!({
        "kind": "ValueError", "message": "no", "traceback": traceback, "frames": [],
    });
    let mut store = Store::new(root);
    let new = NewRun { started_at: store::now(), pipeline: "p".into(), ..NewRun::default() };
    let mut record = store.add_run(&new).unwrap();
    record.outcome = Outcome::Failed;
    let node = NodeRecord {
        node: "clean".into(),
        outcome: NodeOutcome::Failed,
        failure: Some(failure.to_string()),
        ..NodeRecord::default()
    };
    let progress =
        Progress { record: &record, first: 1, entries: &[], nodes: &[node], datasets: &[] };
    store.record(&progress).unwrap();
}

#[test]
fn the_project_s_frames_of_a_traceback_are_links() {
    let mut session = open("", &[]);
    let (terminal, root) = (&mut session.terminal, &session.root);
    fail(root);
    terminal.wait_for("15 nodes");
    terminal.keys("4");
    terminal.wait_for("ValueError: no");
    terminal.keys("T");
    terminal.wait_for("in clean");
    let found: Vec<(String, String)> =
        links(terminal).into_iter().filter(|(text, _)| text.ends_with(".py")).collect();
    let file = "src/harbour_bikes/nodes.py";
    assert_eq!(found, [(file.to_owned(), target(root, file))]);
    terminal.keys("<esc>");
    terminal.wait_gone("in clean");
    terminal.keys("q");
    assert!(terminal.wait_exit().success());
}

#[test]
fn there_are_no_links_where_they_are_not_wanted() {
    for (config, env, linked) in [
        ("links: never\n", ("EDITOR", "true"), false),
        ("", ("TERM", "linux"), false),
        ("", ("STY", "1.pts"), false),
        ("", ("EDITOR", "true"), true),
        ("links: always\n", ("TERM", "linux"), true),
    ] {
        let mut session = open(config, &[env]);
        let terminal = &mut session.terminal;
        terminal.wait_for("15 nodes");
        terminal.wait_for("nodes.py:");
        assert_eq!(terminal.written().contains("\x1b]8;"), linked, "{config:?} {env:?}");
        terminal.keys("q");
        assert!(terminal.wait_exit().success());
    }
}
