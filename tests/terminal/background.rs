//! The theme follows the background of the terminal, and the terminal's answers are never taken for keys.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::project::copy_of_sample;
use crate::common::terminal::{BLACK, Terminal};

const WHITE: &[u8] = b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;22c";

/// A terminal that does not know the question for its background.
const ATTRIBUTES_ALONE: &[u8] = b"\x1b[?62;22c";

const SILENCE: &[u8] = b"";

/// The question for the background.
const QUESTION: &str = "\x1b]11;?\x07";

/// The background of the theme `light`.
const LIGHT: vt100::Color = vt100::Color::Rgb(255, 255, 255);

/// The theme `dark` keeps the background of the terminal.
const DARK: vt100::Color = vt100::Color::Default;

struct Session {
    terminal: Terminal,
    started: Instant,
    _folders: [tempfile::TempDir; 2],
}

fn open(answer: &'static [u8], config: &str, env: &[(&str, &str)]) -> Session {
    let (folder, root) = copy_of_sample();
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("config")).unwrap();
    fs::write(home.path().join("config/config.yaml"), config).unwrap();
    let env: Vec<(&str, &str)> = [("LC_ALL", "C.UTF-8")].iter().chain(env).copied().collect();
    let command = Terminal::program(Path::new("."), home.path(), &[root.to_str().unwrap()], &env);
    let started = Instant::now();
    let terminal = Terminal::spawn_answering(command, 120, 40, answer);
    Session { terminal, started, _folders: [folder, home] }
}

/// The colour behind the main pane.
fn background(terminal: &Terminal) -> vt100::Color {
    terminal.look(|screen| screen.cell(30, 2).unwrap().bgcolor())
}

#[test]
fn the_background_decides_the_theme() {
    let pair = "theme-light: solarized-light\n";
    let solarized = vt100::Color::Rgb(0xfd, 0xf6, 0xe3);
    for (answer, config, variable, colour) in [
        (WHITE, "", "", LIGHT),
        (BLACK, "", "", DARK),
        (WHITE, "", "15;0", LIGHT),
        (BLACK, "", "0;15", DARK),
        (ATTRIBUTES_ALONE, "", "0;default;15", LIGHT),
        (ATTRIBUTES_ALONE, "", "15;0", DARK),
        (ATTRIBUTES_ALONE, "", "", DARK),
        (SILENCE, "", "0;15", LIGHT),
        (WHITE, pair, "", solarized),
        (WHITE, "theme: dark\n", "0;15", DARK),
        (BLACK, "theme: light\n", "15;0", LIGHT),
    ] {
        let mut session = open(answer, config, &[("COLORFGBG", variable)]);
        session.terminal.wait_for("15 nodes");
        let case = (config, variable, String::from_utf8_lossy(answer));
        assert_eq!(background(&session.terminal), colour, "{case:?}");
        session.terminal.keys("q");
        assert!(session.terminal.wait_exit().success());
    }
}

#[test]
fn a_terminal_without_an_answer_is_not_waited_for() {
    let mut session = open(SILENCE, "", &[]);
    session.terminal.wait("the alternate screen", |screen| screen.contains("Pipeline"));
    // The limit is 50 ms; the rest is the start of the program on a busy machine.
    assert!(session.started.elapsed() < Duration::from_secs(10));
    session.terminal.keys("q");
    assert!(session.terminal.wait_exit().success());
}

#[test]
fn keys_that_are_typed_before_the_answer_count() {
    let answer = b"3\x1b]11;rgb:ffff/ffff/ffff\x07\x1b[?62;22c";
    let mut session = open(answer, "", &[]);
    session.terminal.wait_for("min_minutes");
    session.terminal.keys("q");
    assert!(session.terminal.wait_exit().success());
}

#[test]
fn a_late_answer_changes_the_theme_and_is_no_key_however_it_is_split() {
    let answer = b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;22c";
    for at in [0, 1, 2, 3, 12, 24, 25, 26, 27, 30] {
        let mut session = open(SILENCE, "", &[]);
        let terminal = &mut session.terminal;
        terminal.wait("the question", |_| terminal.written().contains(QUESTION));
        // The first frame does not wait that long.
        std::thread::sleep(Duration::from_millis(300));
        terminal.send(&answer[..at]);
        std::thread::sleep(Duration::from_millis(30));
        terminal.send(&answer[at..]);
        let deadline = Instant::now() + Duration::from_secs(20);
        while background(terminal) != LIGHT {
            assert!(Instant::now() < deadline, "split at {at}:\n{}", terminal.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
        terminal.keys("3");
        terminal.wait_for("min_minutes");
        terminal.keys("q");
        assert!(terminal.wait_exit().success(), "split at {at}");
    }
}

#[test]
fn consoles_and_terminals_without_colours_are_not_asked() {
    // An answer to a question would be the key `3`.
    for env in [("TERM", "linux"), ("TERM", "dumb"), ("TERM", "vt100"), ("NO_COLOR", "1")] {
        let mut session = open(b"3", "", &[env]);
        session.terminal.wait_for("15 nodes");
        session.terminal.keys("2");
        session.terminal.wait_for("stations_raw");
        session.terminal.keys("q");
        assert!(session.terminal.wait_exit().success());
    }
}
