//! Input from the terminal (keys, mouse, paste, size, focus), and the clipboard.

use std::io;
use std::time::Duration;

use crossterm::Command;
use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{Event as Terminal, EventStream, KeyEventKind};
use futures::StreamExt;

use crate::app::event::Event;

/// A reader of the terminal. Only one may exist, and none while an editor has the terminal.
pub(super) type Input = EventStream;

/// Starts a reader.
///
/// # Errors
/// If the terminal is gone. Polling first creates crossterm's reader without the panic of `EventStream`.
pub(super) fn start() -> io::Result<Input> {
    crossterm::event::poll(Duration::ZERO)?;
    Ok(EventStream::new())
}

/// The next event; `None` when the terminal is gone. Never returns while there is no reader.
pub(super) async fn next(input: &mut Option<Input>) -> Option<Event> {
    let Some(stream) = input else { return std::future::pending().await };
    loop {
        match stream.next().await? {
            Ok(Terminal::Key(key)) if key.kind != KeyEventKind::Release => {
                return Some(Event::Key(key));
            }
            Ok(Terminal::Key(_)) => {}
            Ok(Terminal::Mouse(mouse)) => return Some(Event::Mouse(mouse)),
            Ok(Terminal::Paste(text)) => return Some(Event::Paste(text)),
            Ok(Terminal::Resize(columns, rows)) => return Some(Event::Resize(columns, rows)),
            Ok(Terminal::FocusGained) => return Some(Event::Focus(true)),
            Ok(Terminal::FocusLost) => return Some(Event::Focus(false)),
            Err(_) => return None,
        }
    }
}

/// The escape sequence that puts `text` on the clipboard, through SSH too (OSC 52).
pub(super) fn osc52(text: &str) -> String {
    let mut sequence = String::new();
    // Writing to a string can't fail.
    let _ = CopyToClipboard::to_clipboard_from(text).write_ansi(&mut sequence);
    sequence
}
