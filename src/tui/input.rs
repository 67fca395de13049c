//! Input from the terminal (keys, mouse, paste, size, focus), and the clipboard.

use std::io;
use std::time::{Duration, Instant};

use crossterm::Command;
use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{Event as Terminal, EventStream, KeyEventKind};
use futures::StreamExt;

use super::background::Background;
use super::late::Late;
use crate::app::event::Event;

/// A reader of the terminal. Only one may exist, and none while an editor has the terminal.
pub(super) struct Input {
    stream: EventStream,
    late: Late,
}

/// What the terminal says.
pub(super) enum Heard {
    /// Something that the user did.
    Event(Event),
    /// The background, later than the first frame could wait.
    Background(Background),
}

/// Starts a reader. `late` holds keys typed before, and knows which answers of the terminal are still expected.
///
/// # Errors
/// If the terminal is gone. Polling first creates crossterm's reader without the panic of `EventStream`.
pub(super) fn start(late: Late) -> io::Result<Input> {
    crossterm::event::poll(Duration::ZERO)?;
    Ok(Input { stream: EventStream::new(), late })
}

/// The next event; `None` when the terminal is gone. Never returns while there is no reader.
pub(super) async fn next(input: &mut Option<Input>) -> Option<Heard> {
    let Some(Input { stream, late }) = input else { return std::future::pending().await };
    loop {
        if let Some(background) = late.background() {
            return Some(Heard::Background(background));
        }
        if let Some(key) = late.next() {
            return Some(Heard::Event(Event::Key(key)));
        }
        let event = match late.deadline() {
            None => stream.next().await,
            Some(deadline) => match tokio::time::timeout_at(deadline.into(), stream.next()).await {
                Ok(event) => event,
                Err(_) => {
                    late.give_up();
                    continue;
                }
            },
        };
        let event = match event? {
            Ok(Terminal::Key(key)) => {
                if key.kind != KeyEventKind::Release {
                    late.take(key, Instant::now());
                }
                continue;
            }
            Ok(Terminal::Mouse(mouse)) => Event::Mouse(mouse),
            Ok(Terminal::Paste(text)) => Event::Paste(text),
            Ok(Terminal::Resize(columns, rows)) => Event::Resize(columns, rows),
            Ok(Terminal::FocusGained) => Event::Focus(true),
            Ok(Terminal::FocusLost) => Event::Focus(false),
            Err(_) => return None,
        };
        return Some(Heard::Event(event));
    }
}

/// The escape sequence that puts `text` on the clipboard, through SSH too (OSC 52).
pub(super) fn osc52(text: &str) -> String {
    let mut sequence = String::new();
    // Writing to a string can't fail.
    let _ = CopyToClipboard::to_clipboard_from(text).write_ansi(&mut sequence);
    sequence
}
