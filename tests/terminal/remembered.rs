//! What the program remembers from one session to the next.

use std::fs;
use std::path::Path;

use crate::common::project::copy_of_sample;
use crate::common::terminal::Terminal;

fn start(home: &Path, root: &Path, more: &[&str]) -> Terminal {
    let arguments = [&[root.to_str().unwrap()], more].concat();
    Terminal::start(home, 120, 36, &arguments, &[("LC_ALL", "C.UTF-8")])
}

fn quit(mut terminal: Terminal) {
    terminal.keys("q");
    assert!(terminal.wait_exit().success());
}

#[test]
fn a_project_opens_as_it_was_left() {
    let (_folder, root) = copy_of_sample();
    let home = tempfile::tempdir().unwrap();
    let kept = root.join(".mlops-tui/screen.json");
    let terminal = start(home.path(), &root, &[]);
    terminal.wait_for("15 nodes");
    quit(terminal);
    assert!(!kept.exists(), "nothing was changed");

    let mut terminal = start(home.path(), &root, &[]);
    terminal.wait_for("linear 2");
    terminal.keys("/linear.train<enter>");
    terminal.wait_for("train_model()");
    terminal.keys("c");
    terminal.wait_for("has  ");
    terminal.keys("&ns:linear<enter>");
    terminal.wait_for("· ns:linear");
    terminal.keys("vbase<enter>");
    terminal.wait_for("env base");
    terminal.keys("3");
    terminal.wait_for("min_minutes");
    quit(terminal);

    let mut terminal = start(home.path(), &root, &[]);
    terminal.wait_for("min_minutes");
    terminal.wait_for("env base");
    terminal.keys("1");
    let screen = terminal.wait_for("· ns:linear");
    assert!(screen.contains("has  ") && !screen.contains("train_model()"), "{screen}");
    quit(terminal);

    fs::write(&kept, "{\"tab\": 3").unwrap();
    let terminal = start(home.path(), &root, &["--env", "local"]);
    terminal.wait_for("clean_stations");
    terminal.wait_for("env local");
    quit(terminal);
}

#[test]
fn the_chosen_colours_and_keys_are_those_of_the_next_session() {
    let (_folder, root) = copy_of_sample();
    let home = tempfile::tempdir().unwrap();
    let mut terminal = start(home.path(), &root, &[]);
    terminal.wait_for("15 nodes");
    terminal.keys("<c-t>nord<enter>");
    terminal.wait_for("The theme is nord, also next time.");
    terminal.keys(":choose-keymap<enter>vim<enter>");
    terminal.wait_for("The keymap is vim, also next time.");
    quit(terminal);

    let mut terminal = start(home.path(), &root, &[]);
    terminal.wait_for("15 nodes");
    terminal.keys("gt");
    terminal.wait_for("stations_raw");
    terminal.keys("<c-t>auto<enter>");
    terminal.wait_for("The theme is auto, also next time.");
    quit(terminal);
    let chosen = fs::read_to_string(home.path().join("state/chosen.yaml")).unwrap();
    assert_eq!(chosen, "keymap: vim\n");

    // The user's own file wins at the next start.
    fs::create_dir_all(home.path().join("config")).unwrap();
    fs::write(home.path().join("config/config.yaml"), "keymap: emacs\n").unwrap();
    let mut terminal = start(home.path(), &root, &[]);
    terminal.wait_for("stations_raw");
    terminal.keys(":choose-keymap<enter>vim<enter>");
    terminal.wait_for("The keymap is vim until you quit; config.yaml names emacs.");
    quit(terminal);
}
