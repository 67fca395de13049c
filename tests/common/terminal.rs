//! A real pseudo-terminal with the program in it, and a screen that tests can read.
//!
//! Tests wait for what must appear, never for time to pass: every wait ends as soon as the screen
//! shows what is awaited, and fails with the whole screen when it does not within [`PATIENCE`].

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// How long a wait may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How long a screen may be still before what is awaited is looked for again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What the program asks the terminal: its background (OSC 11), then its attributes (DA1).
const QUESTION: &[u8] = b"\x1b]11;?\x07\x1b[c";

/// The answer of a terminal with a black background.
pub const BLACK: &[u8] = b"\x1b]11;rgb:0000/0000/0000\x07\x1b[?62;22c";

/// A program in a terminal.
pub struct Terminal {
    shared: Arc<(Mutex<vt100::Parser>, Condvar)>,
    master: Box<dyn MasterPty + Send>,
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    child: Box<dyn Child + Send + Sync>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// Starts `mlops-tui` with these arguments in a terminal of `columns` x `rows`. The user's own
    /// settings, state and editor are kept away from it: `home` stands in for them.
    pub fn start(
        home: &Path,
        columns: u16,
        rows: u16,
        arguments: &[&str],
        env: &[(&str, &str)],
    ) -> Self {
        Self::start_in(Path::new("."), home, columns, rows, arguments, env)
    }

    /// The same, started in a folder.
    pub fn start_in(
        folder: &Path,
        home: &Path,
        columns: u16,
        rows: u16,
        arguments: &[&str],
        env: &[(&str, &str)],
    ) -> Self {
        Self::spawn(Self::program(folder, home, arguments, env), columns, rows)
    }

    /// The command of [`Terminal::start_in`].
    pub fn program(
        folder: &Path,
        home: &Path,
        arguments: &[&str],
        env: &[(&str, &str)],
    ) -> CommandBuilder {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mlops-tui"));
        command.args(arguments);
        command.cwd(folder.canonicalize().unwrap());
        for variable in [
            "VIRTUAL_ENV",
            "CONDA_PREFIX",
            "NO_COLOR",
            "COLORFGBG",
            "VISUAL",
            "KEDRO_ENV",
            "MLFLOW_TRACKING_URI",
        ] {
            command.env_remove(variable);
        }
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env("EDITOR", "true");
        for (variable, folder) in [
            ("MLOPS_TUI_CONFIG_DIR", "config"),
            ("MLOPS_TUI_STATE_DIR", "state"),
            ("MLOPS_TUI_CACHE_DIR", "cache"),
        ] {
            command.env(variable, home.join(folder));
        }
        for (key, value) in env {
            command.env(key, value);
        }
        command
    }

    /// Starts any program.
    pub fn spawn(command: CommandBuilder, columns: u16, rows: u16) -> Self {
        Self::spawn_answering(command, columns, rows, BLACK)
    }

    /// The same in a terminal that gives this answer when it is asked for its background.
    pub fn spawn_answering(
        command: CommandBuilder,
        columns: u16,
        rows: u16,
        answer: &'static [u8],
    ) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = Arc::new(Mutex::new(pair.master.take_writer().unwrap()));
        let to_program = Arc::clone(&writer);
        let shared = Arc::new((
            Mutex::new(vt100::Parser::new(cells(rows), cells(columns), 0)),
            Condvar::new(),
        ));
        let of_reader = Arc::clone(&shared);
        let written = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&written);
        std::thread::spawn(move || {
            let mut buffer = [0; 1 << 16];
            let mut recent: Vec<u8> = Vec::new();
            while let Ok(count) = reader.read(&mut buffer) {
                if count == 0 {
                    break;
                }
                recent.extend(&buffer[..count]);
                if recent.windows(QUESTION.len()).any(|bytes| bytes == QUESTION) {
                    let _ = to_program.lock().unwrap().write_all(answer);
                    recent.clear();
                }
                recent.drain(..recent.len().saturating_sub(QUESTION.len()));
                kept.lock().unwrap().extend(&buffer[..count]);
                of_reader.0.lock().unwrap().process(&buffer[..count]);
                of_reader.1.notify_all();
            }
            of_reader.1.notify_all();
        });
        Terminal { shared, master: pair.master, writer, child, written }
    }

    /// Presses keys: plain characters, and `<enter> <esc> <tab> <s-tab> <space> <bs> <up> <down>
    /// <left> <right> <home> <end> <pgup> <pgdn> <lt> <c-x>`.
    pub fn keys(&mut self, script: &str) {
        let mut rest = script;
        let mut bytes = Vec::new();
        while let Some(c) = rest.chars().next() {
            let (sequence, length) =
                match rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
                    Some((name, _)) => (named(name), name.len() + 2),
                    None => (c.to_string().into_bytes(), c.len_utf8()),
                };
            bytes.extend(sequence);
            rest = &rest[length..];
        }
        self.send(&bytes);
    }

    /// All that the program has written so far.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        let mut writer = self.writer.lock().unwrap();
        writer.write_all(bytes).unwrap();
        writer.flush().unwrap();
    }

    /// Waits until the screen holds `text`; gives the screen.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait(&format!("`{text}` to appear"), |screen| screen.contains(text))
    }

    /// Waits until the screen no longer holds `text`; gives the screen.
    pub fn wait_gone(&self, text: &str) -> String {
        self.wait(&format!("`{text}` to go"), |screen| !screen.contains(text))
    }

    /// Waits until `holds` is true of the screen; gives the screen.
    ///
    /// # Panics
    /// When it does not come true in time; the message shows the screen.
    pub fn wait(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut parser = self.shared.0.lock().unwrap();
        loop {
            let screen = parser.screen().contents();
            if holds(&screen) {
                return screen;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(parser);
                panic!("waited in vain for {what}; the screen:\n{screen}");
            }
            // What is awaited may show elsewhere than on the screen.
            let left = left.min(LOOK_AGAIN);
            parser = self.shared.1.wait_timeout(parser, left).unwrap().0;
        }
    }

    /// What the screen shows, as text.
    pub fn screen(&self) -> String {
        self.shared.0.lock().unwrap().screen().contents()
    }

    /// Looks at the screen with its attributes.
    pub fn look<T>(&self, at: impl FnOnce(&vt100::Screen) -> T) -> T {
        at(self.shared.0.lock().unwrap().screen())
    }

    /// Waits until the terminal is given back: no alternate screen, and a cursor.
    ///
    /// # Panics
    /// When it is not in time.
    pub fn wait_left(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.look(|screen| screen.alternate_screen() || screen.hide_cursor()) {
            assert!(Instant::now() < deadline, "not given back; the screen:\n{}", self.screen());
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Changes the terminal's size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.shared.0.lock().unwrap().screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends a signal to the program.
    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits until the program ended.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn wait_exit(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "still running; the screen:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn named(name: &str) -> Vec<u8> {
    match name {
        "enter" => b"\r".to_vec(),
        "esc" => b"\x1b".to_vec(),
        "tab" => b"\t".to_vec(),
        "s-tab" => b"\x1b[Z".to_vec(),
        "space" => b" ".to_vec(),
        "bs" => b"\x7f".to_vec(),
        "up" => b"\x1b[A".to_vec(),
        "down" => b"\x1b[B".to_vec(),
        "right" => b"\x1b[C".to_vec(),
        "left" => b"\x1b[D".to_vec(),
        "home" => b"\x1b[H".to_vec(),
        "end" => b"\x1b[F".to_vec(),
        "pgup" => b"\x1b[5~".to_vec(),
        "pgdn" => b"\x1b[6~".to_vec(),
        "lt" => b"<".to_vec(),
        _ => match name.strip_prefix("c-").and_then(|key| key.bytes().next()) {
            Some(key) => vec![key.to_ascii_lowercase() & 0x1f],
            None => panic!("<{name}> is not a key"),
        },
    }
}
