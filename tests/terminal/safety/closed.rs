//! A terminal that is closed, at any moment, ends the screen and its run, and leaves nothing behind.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use mlops_tui::store::{Outcome, RunFilter, Store};
use portable_pty::{
    Child, CommandBuilder, ExitStatus, MasterPty, PtyPair, PtySize, native_pty_system,
};

use super::ends::{HANGS, NODES, orphans, until};
use crate::common::graphs::Random;
use crate::common::project::project;
use crate::common::python::python;

/// Terminals that are closed at a random moment, by as many threads as there are [`LANES`].
const CLOSED: usize = 48;
const LANES: usize = 4;

fn outcomes(root: &Path) -> Vec<Outcome> {
    let mut store = Store::new(root);
    let _ = store.recover();
    store.runs(&RunFilter::default()).unwrap().iter().map(|run| run.outcome).collect()
}

/// The screen in a terminal, which nobody reads unless the test does.
struct Screen {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
}

impl Screen {
    /// With `ignored` it was started with SIGHUP ignored, so only errors say that the terminal is closed.
    fn start(root: &Path, home: &Path, ignored: bool) -> Self {
        let mut command = CommandBuilder::new("env");
        command.arg("--default-signal=INT,HUP,TERM");
        if ignored {
            command.arg("--ignore-signal=HUP");
        }
        command.arg(env!("CARGO_BIN_EXE_mlops-tui"));
        command.args([root.to_str().unwrap(), "--python", python().to_str().unwrap()]);
        command.env("TERM", "xterm-256color");
        for name in ["CONFIG", "STATE", "CACHE"] {
            command.env(format!("MLOPS_TUI_{name}_DIR"), home.join(name));
        }
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let PtyPair { slave, master } = native_pty_system().openpty(size).unwrap();
        let child = slave.spawn_command(command).unwrap();
        let (reader, writer) = (master.try_clone_reader().unwrap(), master.take_writer().unwrap());
        Screen { child, master, reader, writer }
    }

    fn read(&mut self) -> String {
        let mut buffer = [0; 4096];
        let count = self.reader.read(&mut buffer).unwrap_or_default();
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    }

    fn read_until(&mut self, text: &str) {
        let mut seen = String::new();
        while !seen.contains(text) {
            seen += &self.read();
        }
    }

    fn keys(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
    }

    /// Closes the terminal; how the screen ended.
    fn close(self) -> ExitStatus {
        let Screen { mut child, master, reader, writer } = self;
        drop((reader, writer, master));
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < HANGS, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn assert_no_panic(home: &Path) {
    let reports = fs::read_dir(home.join("STATE")).into_iter().flatten().flatten();
    let panics = reports.filter(|report| report.file_name().to_string_lossy().starts_with("panic"));
    assert_eq!(panics.count(), 0);
}

#[test]
fn a_closed_terminal_ends_the_screen_and_cancels_its_run() {
    for reads in [true, false] {
        let folder = project(NODES);
        let root = folder.path().canonicalize().unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut screen = Screen::start(&root, home.path(), false);
        screen.read_until("wait");
        // The node is searched for, run, and the project trusted.
        screen.keys("/wait\rr");
        screen.read_until("Trust");
        screen.keys("y");
        until("the node to wait", || {
            if reads {
                // Frames go on while the run does.
                screen.read();
            }
            root.join("waits").exists()
        });
        let status = screen.close();
        assert!(status.success(), "{reads}: {status:?}");
        assert_eq!(outcomes(&root), [Outcome::Cancelled], "{reads}");
        until("all processes to end", || orphans(&root) == 0);
        assert_no_panic(home.path());
    }
}

/// Closes so many terminals of one project; how its runs ended.
fn close_some(lane: usize) -> Vec<Outcome> {
    let folder = project(NODES);
    let root = folder.path().canonicalize().unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut random = Random::new(lane as u64);
    let mut is_trusted = false;
    for number in 0..CLOSED / LANES {
        let moment = (lane + number) % 4;
        let ignored = moment > 0 && random.chance(50);
        let mut screen = Screen::start(&root, home.path(), ignored);
        let after = match moment {
            0 => random.below(400),
            1 => random.below(300),
            _ => random.below(1_500),
        };
        let ends = random.chance(50);
        if moment > 0 {
            screen.read_until("wait");
        }
        if moment > 1 {
            if ends {
                fs::write(root.join("go"), "").unwrap();
            }
            screen.keys("a");
            if !is_trusted {
                screen.read_until("Trust");
                screen.keys("y");
                is_trusted = true;
            }
        }
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(after as u64) {
            match moment == 3 && !ends {
                // The run goes on, and so do the frames.
                true => drop(screen.read()),
                false => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        let status = screen.close();
        // At its start the signal ends the program before it takes signals, or it finds no terminal any
        // more to set up, which is an error.
        let hung_up = status.signal().is_some_and(|signal| signal.contains("Hangup"));
        let early =
            moment == 0 && (hung_up || status.exit_code() == 1 && status.signal().is_none());
        assert!(status.success() || early, "{moment} after {after} ms: {status:?}");
        until("all processes to end", || orphans(&root) == 0);
        let _ = fs::remove_file(root.join("go"));
    }
    assert_no_panic(home.path());
    outcomes(&root)
}

#[test]
fn a_terminal_closed_at_any_moment_leaves_nothing_behind() {
    let ended: Vec<Outcome> = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES).map(|lane| scope.spawn(move || close_some(lane))).collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    let ends = [Outcome::Cancelled, Outcome::Succeeded];
    assert!(ended.iter().all(|outcome| ends.contains(outcome)), "{ended:?}");
    assert!(ended.contains(&Outcome::Cancelled), "{ended:?}");
}
