//! What the system tells the program: end, stop, go on.

use std::io;

/// A signal that the loop acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGTERM or SIGHUP: end cleanly.
    End,
    /// SIGINT: cancel the run that goes on.
    Interrupt,
    /// SIGTSTP: give the terminal back and stop.
    Stop,
    /// SIGCONT: the terminal may hold anything now.
    Continue,
}

/// Listens to signals.
#[cfg(unix)]
pub(super) struct Signals {
    ends: [tokio::signal::unix::Signal; 2],
    interrupt: tokio::signal::unix::Signal,
    stop: tokio::signal::unix::Signal,
    go_on: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            ends: [signal(SignalKind::terminate())?, signal(SignalKind::hangup())?],
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            go_on: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) -> Signal {
        let [terminate, hangup] = &mut self.ends;
        tokio::select! {
            _ = terminate.recv() => Signal::End,
            _ = hangup.recv() => Signal::End,
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.stop.recv() => Signal::Stop,
            _ = self.go_on.recv() => Signal::Continue,
        }
    }

    /// Stops this process until it is continued.
    pub(super) fn stop_self() {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
    }
}

/// Listens to signals.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Signals)
    }

    pub(super) async fn next(&mut self) -> Signal {
        let _ = tokio::signal::ctrl_c().await;
        Signal::Interrupt
    }

    pub(super) fn stop_self() {}
}
