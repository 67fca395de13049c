//! How the program was called, and how it is asked to end.

use std::io;

use rustix::process::Signal;

use crate::runs::params;
use crate::runs::request::quote;
use crate::system::signals::Listener;
use crate::text::secrets::{HIDDEN, redact};

/// The command line for the history, without secrets.
pub(super) fn why(mut words: impl Iterator<Item = std::ffi::OsString>) -> String {
    words.next();
    let words = words.map(|word| quote(&without_secrets(&word.to_string_lossy())));
    std::iter::once("mlops-tui".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// A word of the command line without secrets, which may be in values: `--params=a=1,password=x`, `token=x`.
fn without_secrets(word: &str) -> String {
    let items = word.split(',').map(|item| match item.rsplit_once('=') {
        Some((name, value))
            if name.split('=').any(|name| params::is_secret(name.trim(), value)) =>
        {
            format!("{name}={HIDDEN}")
        }
        _ => redact(item),
    });
    items.collect::<Vec<_>>().join(",")
}

/// The signals that ask to cancel the run.
pub(super) struct Signals {
    interrupt: Listener,
    terminate: Listener,
    hangup: Listener,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Signals {
            interrupt: Listener::new(Signal::INT)?,
            terminate: Listener::new(Signal::TERM)?,
            hangup: Listener::new(Signal::HUP)?,
        })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            () = self.interrupt.next() => {}
            () = self.terminate.next() => {}
            () = self.hangup.next() => {}
        }
    }
}
