//! Input from the terminal (keys, mouse, paste, size, focus), and the clipboard.

use std::io;
use std::time::Duration;

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
    format!("\x1b]52;c;{}\x07", base64(text.as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for index in 0..4 {
            if index <= chunk.len() {
                out.push(char::from(DIGITS[(group >> (18 - 6 * index) & 63) as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }
}
