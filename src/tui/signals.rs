//! Signals that the event loop handles: end, cancel, stop, continue.

use std::io;

use rustix::process::Signal as Which;

use crate::system::signals::Listener;

/// A signal that the event loop handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGTERM or SIGHUP: end cleanly.
    End,
    /// SIGINT: cancel the run.
    Interrupt,
    /// SIGTSTP: restore the terminal and stop.
    Stop,
    /// SIGCONT: the content of the terminal is unknown now.
    Continue,
}

/// Listens to signals.
pub(super) struct Signals {
    terminate: Listener,
    hangup: Listener,
    interrupt: Listener,
    stop: Listener,
    go_on: Listener,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Signals {
            terminate: Listener::new(Which::TERM)?,
            hangup: Listener::new(Which::HUP)?,
            // SIGINT cancels a run, not the program: another screen sends it.
            interrupt: Listener::always(Which::INT)?,
            stop: Listener::new(Which::TSTP)?,
            go_on: Listener::always(Which::CONT)?,
        })
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            () = self.terminate.next() => Signal::End,
            () = self.hangup.next() => Signal::End,
            () = self.interrupt.next() => Signal::Interrupt,
            () = self.stop.next() => Signal::Stop,
            () = self.go_on.next() => Signal::Continue,
        }
    }

    /// Stops this process until it is continued.
    pub(super) fn stop_self() {
        let _ = rustix::process::kill_process(rustix::process::getpid(), Which::STOP);
    }

    /// Ends the process if the loop does not end within [`PATIENCE`] after a signal, for example because a terminal
    /// accepts no output. The worker ends with the process.
    pub(super) fn watch() -> io::Result<()> {
        let mut signals = [Listener::new(Which::TERM)?, Listener::new(Which::HUP)?];
        tokio::spawn(async move {
            let [terminate, hangup] = &mut signals;
            tokio::select! {
                () = terminate.next() => {}
                () = hangup.next() => {}
            }
            tokio::time::sleep(PATIENCE).await;
            std::process::exit(1);
        });
        Ok(())
    }
}

/// How long the loop and the services may take to end. Cancelled runs take most of this time.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
