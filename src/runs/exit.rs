//! How a run's process ended, when it ended without a last event.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::event::Failure;

/// Signals that end a process, as Linux and macOS both number them.
const SIGNALS: [(i32, &str); 13] = [
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (4, "SIGILL"),
    (5, "SIGTRAP"),
    (6, "SIGABRT"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (11, "SIGSEGV"),
    (13, "SIGPIPE"),
    (14, "SIGALRM"),
    (15, "SIGTERM"),
    (24, "SIGXCPU"),
];

/// The exit status of a process, as `waitpid` returns it.
pub(super) struct Exit(ExitStatus);

impl Exit {
    pub(super) fn new(status: i32) -> Self {
        Exit(ExitStatus::from_raw(status))
    }

    /// Whether the process crashed: a signal other than SIGKILL ended it. SIGKILL is what Linux sends when
    /// memory runs out.
    pub(super) fn is_crash(&self) -> bool {
        self.0.signal().is_some_and(|signal| signal != 9)
    }

    /// The exit status in words.
    pub(super) fn reason(&self) -> String {
        let Some(signal) = self.0.signal() else {
            let code = self.0.code().unwrap_or_default();
            return format!("the process ended by itself with exit code {code}");
        };
        let name = SIGNALS.iter().find(|(number, _)| *number == signal);
        let name = name.map(|(_, name)| format!(" ({name})")).unwrap_or_default();
        let memory = if signal == 9 { "; the system does so when memory runs out" } else { "" };
        format!("killed by signal {signal}{name}{memory}")
    }

    /// The exit status as the failure of a run; `running` are the nodes that had not ended.
    pub(super) fn failure<'a>(&self, running: impl Iterator<Item = &'a str>) -> Failure {
        let mut message = self.reason();
        let names: Vec<String> = running.map(|name| format!("`{name}`")).collect();
        if !names.is_empty() {
            message.push_str(&format!(", while {} ran", names.join(", ")));
        }
        let kind = if self.0.signal().is_some() { "process.Killed" } else { "process.Exited" };
        Failure { kind: kind.into(), message, ..Failure::default() }
    }
}
