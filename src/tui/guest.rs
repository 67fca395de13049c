//! A program that has the terminal until it ends: an editor, or a Python prompt.

use std::io;

use tokio::process::Child;

use super::services::Ready;
use crate::runs::{Process, RunEvent, Warmth, debug};
use crate::system::say;

/// A program that has the terminal.
#[derive(Debug)]
pub(super) enum Guest {
    /// A child of this process.
    Editor(Child),
    /// A child of the worker.
    Prompt(Process),
}

impl Guest {
    /// Opens a Python prompt. The terminal must be in its initial state.
    pub(super) fn prompt(ready: &Ready) -> io::Result<Self> {
        for line in debug::notes(&ready.prepared) {
            say::tell(&line);
        }
        if !matches!(*ready.worker.warmth().borrow(), Warmth::Warm { .. }) {
            say::tell("Python is importing the project's packages. Ctrl-C cancels.");
        }
        debug::prompt(&ready.worker, &ready.prepared, &ready.prompt).map(Guest::Prompt)
    }

    /// Ctrl-C came to this process. An editor gets it, too; a prompt that has not begun does not.
    pub(super) fn interrupt(&self) {
        if let Guest::Prompt(process) = self
            && process.pid().is_none()
        {
            process.cancel();
        }
    }

    /// Waits until the program has ended; the text says what went wrong.
    pub(super) async fn end(&mut self) -> Option<String> {
        match self {
            Guest::Editor(child) => {
                child.wait().await.err().map(|error| format!("The editor ended badly: {error}."))
            }
            Guest::Prompt(process) => {
                while let Some(stamped) = process.next().await {
                    match stamped.event {
                        RunEvent::RunLost { reason } => {
                            return Some(format!("Python ended badly: {reason}."));
                        }
                        RunEvent::RunFailed { failure } => return Some(failure.message),
                        _ => {}
                    }
                }
                None
            }
        }
    }
}
