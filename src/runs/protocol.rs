//! Parser for the output of the worker's child: messages on the event pipe, lines and marks on standard
//! output and error. `worker/events.py` describes the format.

use std::collections::HashMap;

use memchr::{memchr, memmem, memrchr};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::event::{RunEvent, Stamped, Stream};
use super::lines::Lines;
use crate::text::secrets::redact;

/// Longest line of the event pipe in bytes; longer messages come in chunks.
const LONGEST_LINE: usize = 8 << 10;
/// Longest message in bytes: an exact snapshot of some ten thousand nodes takes a few megabytes.
const LONGEST_MESSAGE: usize = 1 << 28;
/// Longest line of output that is kept in one piece, in bytes, as in `worker/events.py`.
const LONGEST_OUTPUT: usize = 16 << 10;
/// Most bytes of one line that are kept, as in `worker/events.py`.
const MOST_OF_LINE: usize = 1 << 20;
/// Longest node name in a mark, in bytes.
const LONGEST_NAME: usize = 64 << 10;

/// A message from the worker's child.
#[derive(Debug)]
pub(super) enum Message {
    /// An event that is not the last.
    Event(Stamped),
    /// The last event of a run.
    Last(Stamped),
    /// The answer to a request that is not a run.
    Answer(Json),
    /// Names of installed modules that the child has imported.
    Modules(Vec<String>),
    /// An MLflow run that has begun.
    Tracked(TrackedRun),
}

/// The id of an MLflow run, and the URI of its store. The URI may hold a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TrackedRun(String, String);

impl std::fmt::Debug for TrackedRun {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("TrackedRun").field(&self.0).finish()
    }
}

/// Parser of the event pipe.
#[derive(Debug)]
pub(super) struct Messages {
    lines: Lines,
    /// Incomplete messages: the chunks so far, by message number.
    chunks: HashMap<Vec<u8>, Vec<u8>>,
}

impl Messages {
    pub(super) fn new() -> Self {
        Messages { lines: Lines::new(LONGEST_LINE), chunks: HashMap::new() }
    }

    /// The messages that a chunk of bytes completes. Lines that can't be parsed are ignored: the project's
    /// code may write to any descriptor.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Message> {
        let lines = self.lines.push(bytes);
        lines.into_iter().filter_map(|line| self.line(line)).collect()
    }

    fn line(&mut self, line: Vec<u8>) -> Option<Message> {
        let (kind, rest) = line.split_first()?;
        if !matches!(kind, b'+' | b'-') {
            return parse(*kind, rest);
        }
        let colon = rest.iter().position(|byte| *byte == b':')?;
        let (number, part) = (&rest[..colon], &rest[colon + 1..]);
        let mut whole = self.chunks.remove(number).unwrap_or_default();
        whole.extend_from_slice(part);
        if whole.len() > LONGEST_MESSAGE {
            return None;
        }
        if *kind == b'+' {
            self.chunks.insert(number.to_vec(), whole);
            return None;
        }
        let (kind, rest) = whole.split_first()?;
        parse(*kind, rest)
    }
}

/// The messages of a file: one per line, not in chunks.
pub(super) fn messages(text: &[u8]) -> impl Iterator<Item = Message> {
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter_map(|line| line.split_first().and_then(|(kind, rest)| parse(*kind, rest)))
}

fn parse(kind: u8, rest: &[u8]) -> Option<Message> {
    let parsed = match kind {
        b'E' => serde_json::from_slice(rest).map(Message::Event),
        b'F' => serde_json::from_slice(rest).map(Message::Last),
        b'A' => serde_json::from_slice(rest).map(Message::Answer),
        b'M' => serde_json::from_slice(rest).map(Message::Modules),
        b'T' => serde_json::from_slice(rest).map(Message::Tracked),
        _ => return output(kind, rest).map(Message::Event),
    };
    match parsed {
        Ok(mut message) => {
            if let Message::Event(stamped) | Message::Last(stamped) = &mut message {
                stamped.event.redact();
            }
            Some(message)
        }
        Err(error) => {
            tracing::debug!(%error, "a line of the worker is not a message");
            None
        }
    }
}

/// Parses `node<tab>time<tab>text`, the node as JSON.
fn output(kind: u8, rest: &[u8]) -> Option<Stamped> {
    let stream = match kind.to_ascii_lowercase() {
        b'o' => Stream::Stdout,
        b'e' => Stream::Stderr,
        b'w' => Stream::Warning,
        b'l' => Stream::Log,
        _ => return None,
    };
    let mut fields = rest.splitn(3, |byte| *byte == b'\t');
    let (head, at, text) = (fields.next()?, fields.next()?, fields.next()?);
    let (node, level, logger) = match stream {
        Stream::Log => serde_json::from_slice(head).ok()?,
        _ => (node_name(head)?, None, None),
    };
    // The log is stored as JSON, which has no infinity.
    let at = std::str::from_utf8(at).ok()?.parse().ok().filter(|at: &f64| at.is_finite())?;
    let text = String::from_utf8_lossy(text);
    // Kedro logs the messages of exceptions, which may hold secrets; what a node prints is left as it is.
    let text = if stream == Stream::Log { redact(&text) } else { text.into_owned() };
    let partial = kind.is_ascii_uppercase();
    Some(Stamped { at, event: RunEvent::Output { node, stream, level, logger, text, partial } })
}

fn node_name(json: &[u8]) -> Option<Option<String>> {
    match json {
        b"null" => Some(None),
        // Fast path: nearly all names have no escapes.
        [b'"', name @ .., b'"'] if !name.contains(&b'\\') => {
            Some(Some(std::str::from_utf8(name).ok()?.to_owned()))
        }
        other => serde_json::from_slice(other).ok(),
    }
}

/// Parser of the child's standard output or error: lines written below Python (by C code, by subprocesses),
/// and the marks where a node begins and ends.
#[derive(Debug)]
pub(super) struct Raw {
    stream: Stream,
    mark: Vec<u8>,
    pending: Vec<u8>,
    /// Number of pending bytes that are known to have no line end.
    seen: usize,
    node: Option<String>,
    /// Bytes of the current line that were emitted.
    emitted: usize,
    /// Bytes of the current line that were dropped.
    left_out: usize,
}

impl Raw {
    pub(super) fn new(stream: Stream, mark: &str) -> Self {
        let (pending, mark) = (Vec::new(), mark.as_bytes().to_vec());
        Raw { stream, mark, pending, seen: 0, node: None, emitted: 0, left_out: 0 }
    }

    /// The lines that a chunk of bytes completes; `at` is the current time.
    pub(super) fn push(&mut self, bytes: &[u8], at: f64) -> Vec<Stamped> {
        let mut found = Vec::new();
        self.pending.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.pending);
        let mut rest = &pending[..];
        let mut seen = std::mem::take(&mut self.seen);
        while let Some(end) = memchr(b'\n', &rest[seen..]) {
            let line = &rest[..seen + end];
            rest = &rest[seen + end + 1..];
            seen = 0;
            match memmem::find(line, &self.mark) {
                Some(place) => {
                    self.line(&line[..place], false, at, &mut found);
                    let name = &line[place + self.mark.len()..];
                    self.node = node_name(name).flatten();
                }
                None => self.line(line, true, at, &mut found),
            }
        }
        if rest.len() > LONGEST_OUTPUT {
            rest = self.emit_long(rest, at, &mut found);
        }
        self.pending = rest.to_vec();
        self.seen = rest.len();
        found
    }

    /// Emits the available part of a line that is too long to hold; a possible mark is held back.
    fn emit_long<'a>(&mut self, rest: &'a [u8], at: f64, found: &mut Vec<Stamped>) -> &'a [u8] {
        let mark = memmem::find(rest, &self.mark);
        let mark = mark.filter(|place| rest.len() - place < LONGEST_NAME);
        let end = mark.unwrap_or_else(|| {
            let longest = self.mark.len().min(rest.len());
            let begun = (1..longest).rev().find(|count| rest.ends_with(&self.mark[..*count]));
            rest.len() - begun.unwrap_or(0)
        });
        let (text, stays) = rest.split_at(end);
        // Emit only the last state of a line that rewrites itself.
        let state = state(text);
        if state.len() < text.len() {
            self.emitted = 0;
            self.left_out = 0;
        }
        for piece in state.chunks(LONGEST_OUTPUT) {
            self.piece(piece, at, found);
        }
        stays
    }

    /// The current state of a line that rewrites itself: a progress bar returns to the line's start (`\r`)
    /// instead of ending it.
    pub(super) fn rewriting(&mut self, at: f64) -> Option<Stamped> {
        let end = memrchr(b'\r', &self.pending)?;
        let rest = self.pending.split_off(end + 1);
        let done = std::mem::replace(&mut self.pending, rest);
        self.seen = self.pending.len();
        let done = state(&done);
        let shown = &done[..done.len().min(LONGEST_OUTPUT)];
        let mut shown = (!shown.is_empty()).then(|| self.output(shown, at))?;
        if let RunEvent::Output { partial, .. } = &mut shown.event {
            *partial = true;
        }
        Some(shown)
    }

    /// The remaining output, after the pipe was closed.
    pub(super) fn finish(&mut self, at: f64) -> Vec<Stamped> {
        let mut found = Vec::new();
        let pending = std::mem::take(&mut self.pending);
        self.seen = 0;
        self.line(&pending, false, at, &mut found);
        found
    }

    fn line(&mut self, line: &[u8], even_empty: bool, at: f64, found: &mut Vec<Stamped>) {
        let line = state(line);
        if line.is_empty() && even_empty && self.emitted == 0 {
            found.push(self.output(line, at));
        }
        for piece in line.chunks(LONGEST_OUTPUT) {
            self.piece(piece, at, found);
        }
        self.emitted = 0;
        let left_out = std::mem::take(&mut self.left_out);
        if left_out > 0 {
            let note = format!("[mlops-tui: {left_out} more bytes of this line are left out]");
            found.push(self.output(note.as_bytes(), at));
        }
    }

    fn piece(&mut self, piece: &[u8], at: f64, found: &mut Vec<Stamped>) {
        if self.emitted >= MOST_OF_LINE {
            self.left_out += piece.len();
            return;
        }
        self.emitted += piece.len();
        found.push(self.output(piece, at));
    }

    fn output(&self, text: &[u8], at: f64) -> Stamped {
        let event = RunEvent::Output {
            node: self.node.clone(),
            stream: self.stream,
            level: None,
            logger: None,
            text: String::from_utf8_lossy(text).into_owned(),
            partial: false,
        };
        Stamped { at, event }
    }
}

/// The text that is visible in the end when a line contains carriage returns.
fn state(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
    let start = memrchr(b'\r', &line[..end]).map_or(0, |at| at + 1);
    &line[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(found: &[Stamped]) -> Vec<(Option<&str>, &str)> {
        found
            .iter()
            .filter_map(|stamped| match &stamped.event {
                RunEvent::Output { node, text, .. } => Some((node.as_deref(), text.as_str())),
                _ => None,
            })
            .collect()
    }

    fn events(messages: Vec<Message>) -> Vec<Stamped> {
        messages
            .into_iter()
            .map(|message| match message {
                Message::Event(event) => event,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn lines_of_output_keep_their_node_and_their_tabs() {
        let mut messages = Messages::new();
        let found = events(messages.push(b"o\"a.b\"\t1.5\tx\ty\noN"));
        assert_eq!(texts(&found), [(Some("a.b"), "x\ty")]);
        assert_eq!(found[0].at, 1.5);
        let found = events(messages.push(b"onsense\nonull\t2\t\nE\"q\\\"uote\"\t3\t50 %\n"));
        assert_eq!(texts(&found), [(None, "")]);
        let found = events(messages.push(b"O\"q\\\"uote\"\t3\t50 %\n"));
        assert_eq!(texts(&found), [(Some("q\"uote"), "50 %")]);
        assert!(matches!(found[0].event, RunEvent::Output { partial: true, .. }));
        let found = events(messages.push(b"l[\"n\",\"INFO\",\"shop\"]\t4\thello\n"));
        let RunEvent::Output { level, logger, .. } = &found[0].event else { panic!() };
        assert_eq!((level.as_deref(), logger.as_deref()), (Some("INFO"), Some("shop")));
    }

    #[test]
    fn an_infinite_time_is_rejected() {
        for at in ["inf", "-infinity", "nan", "1e999"] {
            assert!(Messages::new().push(format!("onull\t{at}\tx\n").as_bytes()).is_empty());
        }
    }

    #[test]
    fn chunks_of_two_writers_are_put_together() {
        let mut messages = Messages::new();
        assert!(messages.push(b"+1.1.0:onull\t1\tab\n+2.1.0:onull\t1\tx\n").is_empty());
        let found = events(messages.push(b"-1.1.0:cd\n-2.1.0:y\n"));
        assert_eq!(texts(&found), [(None, "abcd"), (None, "xy")]);
    }

    #[test]
    fn marks_assign_raw_lines_to_nodes() {
        let mut raw = Raw::new(Stream::Stdout, "\0mark:");
        let found = raw.push(b"before\nunfinished\0mark:\"n\"\nof n\r\n\n\0mark:null\naf", 1.0);
        let expected =
            [(None, "before"), (None, "unfinished"), (Some("n"), "of n"), (Some("n"), "")];
        assert_eq!(texts(&found), expected);
        assert_eq!(texts(&raw.push(b"ter\n", 1.0)), [(None, "after")]);
        assert!(raw.push(b"10 %\r20 %\r30", 1.0).is_empty());
        let state = raw.rewriting(1.0).unwrap();
        assert_eq!(texts(std::slice::from_ref(&state)), [(None, "20 %")]);
        assert!(matches!(state.event, RunEvent::Output { partial: true, .. }));
        assert!(raw.rewriting(1.0).is_none());
        assert_eq!(texts(&raw.finish(1.0)), [(None, "30")]);
        assert_eq!(raw.push(&vec![b'x'; 40_000], 1.0).len(), 3);
    }

    #[test]
    fn a_line_without_end_is_bounded_and_a_mark_in_it_is_found() {
        for byte in [b'x', b'\0', b'\r'] {
            let mut raw = Raw::new(Stream::Stdout, "\0mark:");
            let mut emitted = 0;
            for _ in 0..40 {
                let found = raw.push(&[byte; 100_000], 1.0);
                emitted += texts(&found).iter().map(|(_, text)| text.len()).sum::<usize>();
                assert!(raw.pending.len() < 100_000);
            }
            assert!(emitted <= MOST_OF_LINE + LONGEST_OUTPUT, "{emitted}");
            let found = raw.push(b"\0ma", 1.0);
            assert!(texts(&found).is_empty());
            let found = raw.push(b"rk:\"n\"\nof n\n", 1.0);
            assert_eq!(texts(&found).last(), Some(&(Some("n"), "of n")));
            let note = found.iter().any(|one| format!("{one:?}").contains("are left out"));
            assert_eq!(note, byte != b'\r');
        }
    }
}
