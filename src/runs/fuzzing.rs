//! Entry points for the fuzzers in `fuzz/`: the private parsers of the output of a worker's child, and the
//! invariants that hold for any bytes.

use super::event::{Stamped, Stream};
use super::protocol::{self, Message, Messages, Raw};
use crate::text::json;

/// `Raw` holds lines up to this length, in bytes, until their end has come.
const LONGEST_WHOLE: usize = 16 << 10;

/// Parses the bytes as the event pipe and as standard output, whole and in pieces. `sizes` are the lengths of
/// the pieces, used cyclically. The pieces must give the same messages as the whole, and each event must
/// survive a round trip through the run's log.
pub fn protocol(sizes: &[u8], bytes: &[u8]) {
    let whole = Messages::new().push(bytes);
    let mut messages = Messages::new();
    let parts: Vec<Message> = pieces(sizes, bytes).flat_map(|piece| messages.push(piece)).collect();
    assert_eq!(format!("{whole:?}"), format!("{parts:?}"));
    let file: Vec<Message> = protocol::messages(bytes).collect();
    for message in whole.iter().chain(&file) {
        if let Message::Event(event) | Message::Last(event) = message {
            survives(event);
        }
    }

    let mut raw = Raw::new(Stream::Stdout, "\0mark:");
    let mut whole = raw.push(bytes, 1.0);
    whole.extend(raw.finish(1.0));
    let mut raw = Raw::new(Stream::Stdout, "\0mark:");
    let mut parts: Vec<Stamped> =
        pieces(sizes, bytes).flat_map(|piece| raw.push(piece, 1.0)).collect();
    parts.extend(raw.finish(1.0));
    if bytes.len() <= LONGEST_WHOLE {
        assert_eq!(whole, parts);
    }
    let mut raw = Raw::new(Stream::Stdout, "\0mark:");
    for piece in pieces(sizes, bytes) {
        raw.push(piece, 1.0);
        raw.rewriting(1.0);
    }
    raw.finish(1.0);
}

fn pieces<'a>(sizes: &'a [u8], bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut sizes = sizes.iter().cycle();
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let size = sizes.next().map_or(1, |size| usize::from(*size).max(1));
        let piece = rest.get(..size.min(rest.len())).filter(|piece| !piece.is_empty())?;
        rest = &rest[piece.len()..];
        Some(piece)
    })
}

fn survives(event: &Stamped) {
    let line = json::line(event).unwrap_or_else(|error| panic!("{event:?}: {error}"));
    let read: Result<Stamped, _> = serde_json::from_str(&line);
    assert!(matches!(&read, Ok(read) if read == event), "{event:?} is written as {line}: {read:?}");
}
