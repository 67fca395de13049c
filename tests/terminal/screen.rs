//! The program in a real terminal, with the sample project and real Kedro.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mlops_tui::store::{Outcome, RunFilter, Store};

use crate::common::project::{copy_of_sample, project};
use crate::common::python::python;
use crate::common::terminal::Terminal;

const TRUE: &[(&str, &str)] = &[];
const SIXTEEN: &[(&str, &str)] = &[("TERM", "xterm"), ("COLORTERM", "")];
const NO_COLOR: &[(&str, &str)] = &[("NO_COLOR", "1")];
const ASCII: &[(&str, &str)] = &[("LC_ALL", "C")];

struct Session {
    terminal: Terminal,
    root: PathBuf,
    home: tempfile::TempDir,
    _folder: tempfile::TempDir,
}

fn open(columns: u16, rows: u16, env: &[(&str, &str)]) -> Session {
    let (folder, root) = copy_of_sample();
    open_in(folder, root, columns, rows, env)
}

fn open_in(
    folder: tempfile::TempDir,
    root: PathBuf,
    columns: u16,
    rows: u16,
    env: &[(&str, &str)],
) -> Session {
    let home = tempfile::tempdir().unwrap();
    let terminal = start(&home, &root, columns, rows, env);
    Session { terminal, root, home, _folder: folder }
}

fn start(
    home: &tempfile::TempDir,
    root: &Path,
    columns: u16,
    rows: u16,
    env: &[(&str, &str)],
) -> Terminal {
    let python = python().to_str().unwrap();
    let arguments = [root.to_str().unwrap(), "--python", python];
    let quiet = [("KEDRO_DISABLE_TELEMETRY", "1"), ("DO_NOT_TRACK", "1"), ("LC_ALL", "C.UTF-8")];
    let env: Vec<(&str, &str)> = quiet.iter().chain(env).copied().collect();
    Terminal::start(home.path(), columns, rows, &arguments, &env)
}

fn edit(root: &Path, file: &str, from: &str, to: &str) {
    let path = root.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} holds `{from}`");
    fs::write(&path, text.replace(from, to)).unwrap();
}

const NODES: &str = "src/harbour_bikes/pipelines/data_processing/nodes.py";
const PIPELINE: &str = "src/harbour_bikes/pipelines/data_processing/pipeline.py";

/// A project whose only node does not end by itself.
const SLEEPING: &str = "import time\n\n\ndef sleep(size):\n    time.sleep(600)\n\n\n\
    def make(node):\n    return [node(sleep, \"params:size\", None, name=\"sleep\")]\n";

#[test]
fn every_tab_help_and_palette_are_there_at_every_size_and_in_every_palette() {
    for (columns, rows, env) in
        [(60, 15, TRUE), (80, 24, SIXTEEN), (200, 60, TRUE), (80, 24, NO_COLOR), (80, 24, ASCII)]
    {
        let mut session = open(columns, rows, env);
        let terminal = &mut session.terminal;
        terminal.wait_for("15 nodes");
        terminal.wait_for("clean_stations");
        for (key, shown) in [
            ("2", "stations_raw"),
            ("3", "min_minutes"),
            ("4", "No run is recorded"),
            ("5", "kedro-mlflow"),
            ("6", "kedro-mlflow"),
            ("7", "names no engine"),
            ("1", "15 nodes"),
        ] {
            terminal.keys(key);
            terminal.wait_for(shown);
        }
        terminal.keys("?");
        terminal.wait_for("Help: Pipeline");
        terminal.keys("<esc>");
        terminal.wait_gone("Help: Pipeline");
        terminal.keys(":parameters");
        terminal.wait_for("show-parameters");
        terminal.keys("<enter>");
        terminal.wait_for("min_minutes");
        if env == ASCII {
            let screen = terminal.screen();
            assert!(screen.is_ascii(), "not plain:\n{screen}");
        }
        if env == NO_COLOR {
            terminal.look(|screen| {
                let (rows, columns) = screen.size();
                let (rows, columns) = (rows.get(), columns.get());
                for (row, column) in
                    (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)))
                {
                    let cell = screen.cell(row, column).unwrap();
                    assert_eq!(cell.fgcolor(), vt100::Color::Default);
                    assert_eq!(cell.bgcolor(), vt100::Color::Default);
                }
                // What is selected is still seen.
                let inverse = |row| screen.cell(row, 5).is_some_and(vt100::Cell::inverse);
                assert!((0..rows).any(inverse));
            });
        }
        terminal.keys("q");
        assert!(terminal.wait_exit().success());
    }
}

#[test]
fn a_node_runs_to_its_end_and_its_metrics_reach_mlflow() {
    let mut session = open(200, 60, TRUE);
    let terminal = &mut session.terminal;
    terminal.wait_for("15 nodes");
    terminal.keys("r");
    terminal.wait_for("Trust this project?");
    terminal.keys("y");
    terminal.wait_for("succeeded 1/1");
    terminal.wait_for("exact");
    terminal.keys("a");
    terminal.wait_for("succeeded 15/15");
    terminal.keys("5");
    terminal.wait_for("mlflow.db");
    // The selection stays on its run when a newer one is listed.
    terminal.wait_for("2 runs");
    terminal.keys("g");
    terminal.wait_for("forest.mae:");
    // A node by itself, its inputs kept by the run before, and its own metrics.
    terminal.keys("1/linear.evaluate<enter>");
    terminal.wait_for("evaluate_model()");
    terminal.keys("r");
    terminal.wait_for("Run it again?");
    terminal.keys("y");
    terminal.wait_for("succeeded 1/1");
    // Runs write to mlflow.db, which is no reason to read the project again.
    assert!(terminal.screen().contains("exact ✓"));
    terminal.keys("5");
    terminal.wait_for("3 runs");
    terminal.keys("g");
    terminal.wait("the metrics of the node alone", |screen| {
        screen.contains("linear.mae:") && !screen.contains("forest.mae:")
    });
    terminal.keys("4");
    terminal.wait_for("15/15");
    terminal.keys("q");
    assert!(terminal.wait_exit().success());
    assert!(session.root.join("mlflow.db").is_file());
    // The answer about trust is remembered, and the history is there again.
    let mut again = start(&session.home, &session.root, 80, 24, TRUE);
    again.wait_for("exact");
    // So is the tab.
    again.wait("the three runs", |screen| {
        screen.lines().filter(|line| line.contains("✓  ") && line.contains(" s ")).count() == 3
    });
    again.keys("q");
    assert!(again.wait_exit().success());
}

#[test]
fn a_failing_node_shows_its_line_and_mending_it_shows_at_once() {
    let mut session = open(120, 40, TRUE);
    session.terminal.wait_for("15 nodes");
    edit(&session.root, NODES, "open_stations = ", "broken = 1 / 0\n    open_stations = ");
    session.terminal.wait_for("broken = 1 / 0");
    session.terminal.keys("ry");
    session.terminal.wait_for("failed 0/1");
    session.terminal.wait_for("ZeroDivisionError");
    session.terminal.keys("T");
    session.terminal.wait_for("Traceback of clean_stations");
    session.terminal.wait_for("division by zero");
    session.terminal.keys("<esc>");
    session.terminal.wait_gone("Traceback of clean_stations");
    edit(&session.root, NODES, "broken = 1 / 0\n    ", "");
    session.terminal.wait_gone("broken = 1 / 0");
    session.terminal.keys("r");
    session.terminal.wait_for("succeeded 1/1");
    session.terminal.keys("q");
    assert!(session.terminal.wait_exit().success());
}

#[test]
fn an_edit_changes_the_graph_and_the_selection_stays() {
    let mut session = open(200, 60, TRUE);
    session.terminal.wait_for("ƒ clean_stations");
    session.terminal.keys("/count_daily<enter>");
    session.terminal.wait_for("count_daily_trips()");
    let added =
        "Node(func=clean_stations, inputs='trips_raw', outputs='extra', name='an_added_node'),";
    edit(
        &session.root,
        PIPELINE,
        "            Node(\n                func=clean_trips,",
        &format!("            {added}\n            Node(\n                func=clean_trips,"),
    );
    session.terminal.wait_for("16 nodes");
    session.terminal.wait_for("ƒ an_added_node");
    assert!(session.terminal.screen().contains("count_daily_trips()"));
    session.terminal.keys("/an_added<enter>");
    session.terminal.wait_for("an_added_node");
}

#[test]
fn what_is_broken_is_named_and_the_rest_is_shown_until_it_is_mended() {
    let mut session = open(120, 40, TRUE);
    session.terminal.wait_for("15 nodes");
    // A catalog that is no YAML.
    let catalog = "conf/base/catalog.yml";
    edit(&session.root, catalog, "trips_raw:", "trips_raw: : [");
    session.terminal.wait_for("problem");
    session.terminal.keys("!");
    session.terminal.wait_for("conf/base/catalog.yml:");
    session.terminal.keys("<esc>");
    session.terminal.wait_for("15 nodes");
    edit(&session.root, catalog, "trips_raw: : [", "trips_raw:");
    session.terminal.wait_gone("problem");
    // A half-typed pipeline.
    edit(&session.root, PIPELINE, "name=\"build_features\",", "name=\"build_fe");
    session.terminal.wait_for("problem");
    session.terminal.wait_for("clean_stations");
    session.terminal.keys("!");
    session.terminal.wait_for("pipeline.py:");
    session.terminal.keys("<esc>");
    edit(&session.root, PIPELINE, "name=\"build_fe", "name=\"build_features\",");
    session.terminal.wait_for("15 nodes");
    session.terminal.wait_gone("problem");
    session.terminal.keys("q");
    assert!(session.terminal.wait_exit().success());
}

#[test]
fn a_project_that_does_not_import_opens_and_says_why_kedro_can_not_read_it() {
    let (folder, root) = copy_of_sample();
    let text = fs::read_to_string(root.join(NODES)).unwrap();
    fs::write(root.join(NODES), format!("import a_missing_package\n{text}")).unwrap();
    let mut session = open_in(folder, root, 120, 40, TRUE);
    session.terminal.wait_for("15 nodes");
    session.terminal.keys("E");
    session.terminal.wait_for("Trust this project?");
    session.terminal.keys("y");
    session.terminal.wait_for("Kedro failed");
    session.terminal.keys("T");
    session.terminal.wait_for("a_missing_package");
    session.terminal.keys("<esc>");
    fs::write(session.root.join(NODES), text).unwrap();
    session.terminal.wait_for("exact");
    session.terminal.wait_gone("Kedro failed");
}

#[test]
fn killing_the_worker_ends_the_run_as_lost_and_nothing_is_left_over() {
    let mut session = open(120, 40, TRUE);
    session.terminal.wait_for("15 nodes");
    edit(
        &session.root,
        NODES,
        "open_stations = ",
        "import time; time.sleep(600)\n    open_stations = ",
    );
    session.terminal.wait_for("time.sleep(600)");
    session.terminal.keys("ry");
    session.terminal.wait_for("running 0/1");
    session.terminal.wait("the node to run", |screen| {
        screen.contains("clean_stations 0.") || screen.contains("running for")
    });
    kill_workers(&session.root, 1);
    session.terminal.wait_for("lost");
    session.terminal.keys("4");
    session.terminal.wait_for("killed by signal 9");
    session.terminal.keys("q");
    assert!(session.terminal.wait_exit().success());
    wait_for_no_workers(&session.root);
}

#[test]
fn killing_the_screen_kills_its_worker_and_the_run_is_lost_at_the_next_look() {
    let mut session = open(120, 40, TRUE);
    session.terminal.wait_for("15 nodes");
    edit(
        &session.root,
        NODES,
        "open_stations = ",
        "import time; time.sleep(600)\n    open_stations = ",
    );
    session.terminal.wait_for("time.sleep(600)");
    session.terminal.keys("ry");
    session.terminal.wait_for("running for");
    assert!(!workers(&session.root).is_empty());
    session.terminal.signal(rustix::process::Signal::KILL);
    session.terminal.wait_exit();
    wait_for_no_workers(&session.root);
    session.terminal.wait_left();
    let mut again = start(&session.home, &session.root, 120, 40, TRUE);
    again.wait_for("15 nodes");
    again.keys("4");
    again.wait_for("lost");
    again.keys("q");
    assert!(again.wait_exit().success());
}

#[test]
fn a_run_is_cancelled_by_its_key_and_by_leaving() {
    let mut session = open(120, 40, TRUE);
    session.terminal.wait_for("15 nodes");
    edit(
        &session.root,
        NODES,
        "open_stations = ",
        "import time; time.sleep(600)\n    open_stations = ",
    );
    session.terminal.wait_for("time.sleep(600)");
    session.terminal.keys("ry");
    session.terminal.wait_for("running for");
    session.terminal.keys("x");
    session.terminal.wait_for("cancelled 0/1");
    session.terminal.keys("r");
    session.terminal.wait_for("running for");
    session.terminal.keys("q");
    session.terminal.wait_for("Leave?");
    session.terminal.keys("y");
    assert!(session.terminal.wait_exit().success());
    wait_for_no_workers(&session.root);
}

#[test]
fn cancelling_a_run_of_a_grid_ends_the_grid() {
    let folder = project(SLEEPING);
    let root = folder.path().canonicalize().unwrap();
    let mut session = open_in(folder, root, 120, 40, TRUE);
    session.terminal.wait_for("1 node");
    session.terminal.keys("msize=1,2,3,4,5,6,7,8,9<enter>");
    session.terminal.wait_for("Trust this project?");
    session.terminal.keys("y");
    let runs = || Store::new(&session.root).runs(&RunFilter::newest(20)).unwrap_or_default();
    let at_a_time = mlops_tui::runs::grid::at_a_time();
    session.terminal.wait("runs to go on", |_| {
        runs().iter().filter(|run| run.nodes_total == 1).count() == at_a_time
    });
    session.terminal.keys("x");
    session
        .terminal
        .wait("all of them to end", |_| runs().iter().all(|run| run.outcome == Outcome::Cancelled));
    // Whether the screen has heard of their ends or not.
    session.terminal.signal(rustix::process::Signal::TERM);
    assert!(session.terminal.wait_exit().success());
    assert_eq!(runs().len(), at_a_time, "no further run begins");
    wait_for_no_workers(&session.root);
}

#[test]
fn the_terminal_is_given_back_on_every_end() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::HUP] {
        let mut session = open(80, 24, TRUE);
        session.terminal.wait_for("15 nodes");
        assert!(session.terminal.look(vt100::Screen::alternate_screen));
        session.terminal.signal(signal);
        session.terminal.wait_exit();
        session.terminal.wait_left();
        assert!(!session.terminal.look(vt100::Screen::hide_cursor));
    }
}

#[test]
fn it_steps_aside_for_the_shell_and_comes_back() {
    let mut session = open(80, 24, TRUE);
    let terminal = &mut session.terminal;
    terminal.wait_for("15 nodes");
    terminal.keys("<c-z>");
    let stat = format!("/proc/{}/stat", terminal.pid());
    terminal.wait("the program to stop", |_| {
        let text = fs::read_to_string(&stat).unwrap();
        text.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    });
    terminal.wait_gone("15 nodes");
    assert!(!terminal.look(vt100::Screen::alternate_screen));
    terminal.signal(rustix::process::Signal::CONT);
    terminal.wait_for("15 nodes");
    terminal.keys("2");
    terminal.wait_for("stations_raw");
}

#[test]
fn the_editor_opens_at_the_line_and_comes_back() {
    let (folder, root) = copy_of_sample();
    let home = tempfile::tempdir().unwrap();
    let editor = home.path().join("ed.sh");
    fs::write(&editor, "#!/bin/sh\necho \"$@\" > \"$EDITED\"\n").unwrap();
    make_executable(&editor);
    let edited = home.path().join("edited");
    let env = [("EDITOR", editor.to_str().unwrap()), ("EDITED", edited.to_str().unwrap())];
    let mut terminal = start(&home, &root, 80, 24, &env);
    terminal.wait_for("15 nodes");
    terminal.keys("e");
    terminal.wait("the editor to be called", |_| edited.exists());
    terminal.keys("2");
    terminal.wait_for("stations_raw");
    let call = fs::read_to_string(&edited).unwrap();
    assert!(call.contains("nodes.py"), "{call}");
    assert!(call.starts_with("+13 "), "{call}");
    drop(folder);
}

#[test]
fn the_mouse_selects_scrolls_and_drags() {
    let mut session = open(120, 40, TRUE);
    let terminal = &mut session.terminal;
    terminal.wait_for("15 nodes");
    // A click on the second tab: columns and rows from 1.
    let column = terminal.screen().lines().nth(1).unwrap().find("Catalog").unwrap() + 1;
    terminal.send(format!("\x1b[<0;{column};2M\x1b[<0;{column};2m").as_bytes());
    terminal.wait_for("stations_raw");
    terminal.send(b"\x1b[<0;6;6M\x1b[<0;6;6m");
    terminal.wait("the details of the row", |screen| {
        screen.lines().nth(3).is_some_and(|line| line.contains("trips_raw"))
    });
    // The border goes where it is dragged.
    let border = |screen: &str| screen.lines().nth(10).and_then(|line| line.find('│'));
    let before = border(&terminal.screen()).unwrap();
    let x = terminal.screen().lines().nth(10).unwrap().chars().position(|c| c == '│').unwrap() + 1;
    terminal
        .send(format!("\x1b[<0;{x};11M\x1b[<32;{};11M\x1b[<0;{};11m", x - 20, x - 20).as_bytes());
    terminal.wait("the border to move", |screen| border(screen).is_some_and(|at| at < before));
}

#[test]
fn a_resize_is_followed_and_a_tiny_window_says_so() {
    let session = open(120, 40, TRUE);
    session.terminal.wait_for("15 nodes");
    session.terminal.resize(40, 10);
    session.terminal.wait_for("too small");
    session.terminal.resize(80, 24);
    session.terminal.wait_for("15 nodes");
}

#[test]
fn settings_are_followed_as_they_are_saved_and_their_faults_are_told() {
    let (folder, root) = copy_of_sample();
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config");
    fs::create_dir_all(&config).unwrap();
    let mut terminal = start(&home, &root, 120, 40, TRUE);
    terminal.wait_for("15 nodes");
    fs::write(config.join("config.yaml"), "ascii: true\n").unwrap();
    terminal.wait("plain signs", |screen| screen.is_ascii());
    fs::write(config.join("config.yaml"), "theme: no-such-theme\n").unwrap();
    terminal.wait_for("1 problem");
    terminal.keys("!");
    terminal.wait_for("There is no theme `no-such-theme`");
    terminal.wait_for("colour-blind");
    terminal.keys("<esc>");
    fs::write(config.join("config.yaml"), "theme: light\n").unwrap();
    terminal.wait_gone("1 problem");
    drop(folder);
}

#[test]
fn it_opens_in_the_environment_that_the_variable_names() {
    for (variable, env) in [("cloud", "env cloud"), ("", "env local")] {
        open(80, 24, &[("KEDRO_ENV", variable)]).terminal.wait_for(env);
    }
}

#[test]
fn without_a_terminal_it_refuses_with_one_line() {
    let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/sample-project"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    assert!(error.contains("terminal"), "{error}");
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Processes of Python that work in the project's folder.
fn workers(root: &Path) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let cwd = fs::read_link(entry.path().join("cwd"));
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if cwd.is_ok_and(|cwd| cwd == root) && String::from_utf8_lossy(&line).contains("python") {
            found.push(pid);
        }
    }
    found
}

fn kill_workers(root: &Path, least: usize) {
    let found = workers(root);
    assert!(found.len() >= least, "no worker runs in {}", root.display());
    for pid in found {
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

fn wait_for_no_workers(root: &Path) {
    let deadline = std::time::Instant::now() + crate::common::terminal::PATIENCE;
    while !workers(root).is_empty() {
        assert!(std::time::Instant::now() < deadline, "still there: {:?}", workers(root));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// A project whose second node fails, and an editor that mends it.
const TEA: &str = r#"
def boil(size):
    return {"size": size}


def brew(water):
    cups = water["sise"]
    return cups * 2


def pour(tea):
    return tea + 1


def make(node):
    return [
        node(boil, "params:size", "water", name="boil"),
        node(brew, "water", "tea", name="brew"),
        node(pour, "tea", "cup", name="pour"),
    ]
"#;

#[test]
fn a_failure_is_jumped_to_mended_retried_and_compared_with_the_run_before() {
    let folder = project(TEA);
    let root = folder.path().canonicalize().unwrap();
    let home = tempfile::tempdir().unwrap();
    let editor = home.path().join("ed.sh");
    fs::write(&editor, "#!/bin/sh\necho \"$@\" > \"$EDITED\"\nsed -i \"s/sise/size/\" \"$2\"\n")
        .unwrap();
    make_executable(&editor);
    let edited = home.path().join("edited");
    let env = [("EDITOR", editor.to_str().unwrap()), ("EDITED", edited.to_str().unwrap())];
    let mut terminal = start(&home, &root, 120, 40, &env);
    terminal.wait_for("3 nodes");
    terminal.keys("ay");
    terminal.wait_for("failed 1/3");
    terminal.wait_for("KeyError");
    terminal.keys("J");
    terminal.wait("the editor to be called", |_| edited.exists());
    let call = fs::read_to_string(&edited).unwrap();
    assert!(call.starts_with("+7 ") && call.contains("nodes.py"), "{call}");
    // `boil` is done, and what it made is taken from the run before.
    terminal.wait_for("KeyError");
    terminal.keys("C");
    terminal.wait_for("succeeded 2/2");
    terminal.keys("4");
    terminal.wait_for("--nodes=brew,pour");
    terminal.keys("<space><down><space>c");
    terminal.wait("the comparison", |screen| {
        screen.contains("failed") && screen.contains("succeeded") && screen.contains("brew")
    });
    terminal.keys("q");
    assert!(terminal.wait_exit().success());
}

/// Whether the details say so.
fn is_fresh(screen: &str) -> bool {
    screen.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.ends_with(&["is", "fresh"])
    })
}

#[test]
fn what_is_stale_is_shown_after_every_save_and_run_by_its_key() {
    let folder = project(&TEA.replace("sise", "size"));
    let root = folder.path().canonicalize().unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(&home, &root, 120, 40, TRUE);
    terminal.wait_for("never run");
    terminal.keys("ay");
    terminal.wait_for("succeeded 3/3");
    terminal.wait("the node to be fresh", is_fresh);
    terminal.keys("r");
    terminal.wait_for("Run it again?");
    terminal.keys("n");
    terminal.wait_gone("Run it again?");
    edit(&root, "src/shop/nodes.py", "cups * 2", "cups * 3");
    terminal.keys("/pour<enter>");
    terminal.wait_for("brew is stale");
    terminal.keys("R");
    terminal.wait_for("succeeded 2/2");
    terminal.wait("the node to be fresh", is_fresh);
    terminal.keys("R");
    terminal.wait_for("Everything up to pour is fresh.");
    // An overridden parameter makes stale what reads it, until it is taken back.
    terminal.keys("3/size<enter>=<bs>5<enter>");
    terminal.wait_for("1 override");
    terminal.keys("1/boil<enter>");
    terminal.wait_for("parameter size changed: 3 → 5");
    terminal.keys("R");
    terminal.wait_for("succeeded 1/1");
    terminal.wait("the node to be fresh", is_fresh);
    terminal.keys("3-");
    terminal.wait_gone("1 override");
    terminal.keys("1");
    terminal.wait_for("parameter size changed: 5 → 3");
    // Watch mode: the save itself runs what it made stale.
    terminal.keys("R");
    terminal.wait_for("succeeded 1/1");
    terminal.wait("the node to be fresh", is_fresh);
    terminal.keys("A");
    terminal.wait_for("saves run");
    edit(&root, "src/shop/nodes.py", "cups * 3", "cups * 4");
    terminal.wait_for("succeeded 2/2");
    terminal.keys("q");
    assert!(terminal.wait_exit().success());
}

#[test]
fn the_prompt_has_the_terminal_until_it_ends() {
    let folder = crate::common::project::project(&TEA.replace("sise", "size"));
    let root = folder.path().canonicalize().unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(&home, &root, 120, 40, TRUE);
    terminal.wait_for("3 nodes");
    terminal.keys("ay");
    terminal.wait_for("succeeded 3/3");
    terminal.keys("/brew<enter>b");
    terminal.wait_for("Ctrl-D goes back.");
    // As Python or IPython asks.
    let asks = |screen: &str| screen.ends_with(">>>") || screen.ends_with("]:");
    terminal.wait("a prompt", |screen| asks(screen.trim_end()));
    // The interrupt goes to Python. A loop in Python notices every interrupt; one that arrives while Python
    // reads the line would wait for the next key.
    terminal.keys("print('busy', 1 + 1) or all(n == 0 for n in iter(int, 1))\r");
    terminal.wait_for("busy 2");
    terminal.keys("<c-c>");
    terminal.wait_for("KeyboardInterrupt");
    terminal.wait("a prompt", |screen| asks(screen.trim_end()));
    terminal.keys("print('still', water['size'] + 39)\r");
    terminal.wait_for("still 42");
    terminal.wait("a prompt", |screen| asks(screen.trim_end()));
    terminal.keys("<c-d>");
    terminal.wait_for("succeeded 3/3");
    assert!(!terminal.screen().contains("ended badly"), "{}", terminal.screen());
    // The prompt is a child of the worker, which has imported the packages.
    terminal.keys("b");
    terminal.wait("another prompt", |screen| {
        screen.matches("Ctrl-D goes back.").count() == 2 && asks(screen.trim_end())
    });
    terminal.keys(
        "import os, signal; print('a', 'child' if os.getpgrp() == os.getpid() else 'none')\r",
    );
    terminal.wait_for("a child");
    // Ctrl-Z has no shell to go back to.
    terminal.keys("<c-z>print('goes', 'on')\r");
    terminal.wait_for("goes on");
    terminal.keys("os.kill(os.getpid(), signal.SIGKILL)\r");
    terminal.wait_for("Python ended badly");
    // The terminal is the screen's again, with its keys.
    terminal.keys("2");
    terminal.wait_for("no namespace");
    terminal.keys("q");
    assert!(terminal.wait_exit().success());
}

#[test]
fn the_drawing_is_written_to_a_file_that_is_not_there_yet() {
    let mut session = open(120, 40, TRUE);
    session.terminal.wait_for("15 nodes");
    session.terminal.wait_for("ƒ clean_stations");
    session.terminal.keys("+");
    session.terminal.wait_for("│ ƒ clean_stations │");
    session.terminal.keys("<c-s>");
    session.terminal.wait_for("write to: __default__.svg");
    session.terminal.keys("\r");
    session.terminal.wait_for("Written: __default__.svg");
    let svg = fs::read_to_string(session.root.join("__default__.svg")).unwrap();
    assert!(svg.contains(">ƒ clean_stations</text>"), "{svg}");
    session.terminal.keys("<c-s>\r");
    session.terminal.wait_for("__default__.svg exists already");
    for (file, holds) in [
        ("a.txt", "│ ƒ clean_stations │"),
        ("a.dot", "label=\"clean_stations\""),
        ("a.mmd", "flowchart TD"),
        ("a.json", "\"node:clean_stations\""),
    ] {
        session.terminal.keys("<c-s>");
        session.terminal.wait_for("write to:");
        session.terminal.keys(&format!("<c-a><c-k>{file}\r"));
        session.terminal.wait_for(&format!("Written: {file}"));
        let text = fs::read_to_string(session.root.join(file)).unwrap();
        assert!(text.contains(holds), "{file}: {text}");
    }
    session.terminal.keys("<c-s>");
    session.terminal.wait_for("write to:");
    session.terminal.keys("<c-a><c-k>a.png\r");
    session
        .terminal
        .wait_for("a.png has no known ending. Use one of .svg, .txt, .dot, .mmd, .json.");
}
