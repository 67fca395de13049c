//! Listens for signals, except those ignored when the program started: `nohup` and background jobs
//! of shells rely on ignored signals staying ignored.

use std::io;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// Listens for one kind of signal; never reports a signal that was ignored at the start.
#[derive(Debug)]
pub struct Listener(Option<tokio::signal::unix::Signal>);

impl Listener {
    /// Starts to listen. From then on the signal does not end the process any more.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn new(which: Signal) -> io::Result<Self> {
        if is_ignored_by("self", which) {
            return Ok(Listener(None));
        }
        Self::always(which)
    }

    /// Starts to listen, even if the signal was ignored.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn always(which: Signal) -> io::Result<Self> {
        Ok(Listener(Some(signal(SignalKind::from_raw(which.as_raw()))?)))
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
}

/// Whether a process ignores a signal. Only Linux reports that; elsewhere the result is `false`.
pub fn is_ignored(pid: u32, which: Signal) -> bool {
    is_ignored_by(&pid.to_string(), which)
}

fn is_ignored_by(process: &str, which: Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    ignored(&status).is_some_and(|mask| mask & (1 << (which.as_raw() - 1)) != 0)
}

/// The mask of ignored signals in `/proc/PID/status` (proc(5)): the lowest bit is signal 1.
fn ignored(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn ignored_signals_are_detected() {
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
