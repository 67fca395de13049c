//! Restores the terminal if the program is killed and can't do it itself: a shell waits,
//! in a process group of its own, for the end of a pipe.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use crate::system::programs;

/// The script saves the terminal's settings, confirms it, and waits: a line means that all is well, the end of
/// the pipe that the program is gone. The sequences are those of [`super::terminal::restore`]; `stty` in the
/// background would be stopped if TTOU were not ignored.
const WATCH: &str = r#"
trap '' TTOU TTIN HUP INT TERM TSTP
saved=$(stty -g <&1 2>/dev/null)
printf r >&2
exec 2>/dev/null
if ! read -r _; then
    printf '\033[?2026l\033[?1006l\033[?1015l\033[?1003l\033[?1002l\033[?1000l\033[?1004l\033[?2004l\033[?1049l\033[?25h\033[0m'
    stty ${saved:-sane} <&1
fi
"#;

/// The waiting shell; dropping the guard ends it.
pub(super) struct Guard {
    shell: Child,
}

impl Guard {
    /// Starts the shell; `None` if there is no shell.
    pub(super) fn start() -> Option<Self> {
        let shell = Command::new("/bin/sh")
            .args(["-c", WATCH])
            .env("PATH", programs::path())
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn();
        Some(Guard { shell: shell.ok()? })
    }

    /// Waits until the shell has saved the terminal's settings.
    pub(super) fn ready(&mut self) {
        if let Some(mut says) = self.shell.stderr.take() {
            // A shell that ended at once guards nothing and does no harm.
            let _ = says.read(&mut [0]);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.shell.stdin.take() {
            let _ = pipe.write_all(b"\n");
        }
        let _ = self.shell.wait();
    }
}
