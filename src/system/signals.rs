//! Signals, heard only where the program was not started with them ignored: `nohup` and shells' background
//! jobs ask for that, and it stays so.

use std::io;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// Hears one kind of signal, or nothing when it was ignored.
#[derive(Debug)]
pub struct Listener(Option<tokio::signal::unix::Signal>);

impl Listener {
    /// Begins to listen. From then on the signal no longer ends the process.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn new(which: Signal) -> io::Result<Self> {
        if is_ignored_by("self", which) {
            return Ok(Listener(None));
        }
        Self::always(which)
    }

    /// Begins to listen, also to what was ignored.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn always(which: Signal) -> io::Result<Self> {
        Ok(Listener(Some(signal(SignalKind::from_raw(which.as_raw()))?)))
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
}

/// Whether a process ignores a signal. Only Linux tells; elsewhere none counts as ignored.
pub fn is_ignored(pid: u32, which: Signal) -> bool {
    is_ignored_by(&pid.to_string(), which)
}

fn is_ignored_by(process: &str, which: Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    ignored(&status).is_some_and(|mask| mask & (1 << (which.as_raw() - 1)) != 0)
}

/// The mask of ignored signals in a `/proc/PID/status` (proc(5)): the lowest bit is signal 1.
fn ignored(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn ignored_signals_are_known() {
        assert_eq!(ignored("Name:\tx\nSigIgn:\t0000000000001003\n"), Some(0x1003));
        let mut child = std::process::Command::new("env")
            .args(["--default-signal", "--ignore-signal=HUP", "sleep", "60"])
            .spawn()
            .unwrap();
        let ignores = |which| is_ignored(child.id(), which);
        while std::fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap() != "sleep\n" {
            std::thread::yield_now();
        }
        assert!(ignores(Signal::HUP) && !ignores(Signal::TERM) && !ignores(Signal::INT));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
