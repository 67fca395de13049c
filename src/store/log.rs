//! The log of a run: lines in compressed chunks, read by line number and filter.
//!
//! A chunk is a row: the number of its first line, the line count, their time range, their levels
//! and sources (so that a filter can skip chunks without decompressing them), and the lines. The
//! lines are compressed with zlib's fastest level: logs shrink to a third or less, and the disk is
//! slower than that compression. Decompressed, each line is three variable-length integers and its
//! text: index of its source, microseconds since the previous line (zigzag), length of the text in
//! bytes.

use std::borrow::Cow;

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use rusqlite::{Connection, params};

use strum::VariantArray;

use super::database::{Store, StoreError};
use super::record::{Level, Line, LogLine, RunId, Source};
use crate::text::filter::{Filter, Key, Kind, Row, key, value};
use crate::text::is_within;

/// A chunk is closed when its lines take this many bytes, uncompressed.
const CHUNK: usize = 64 << 10;
/// The largest number of sources in a chunk; a run with more alternating nodes gets smaller chunks.
const SOURCES: usize = 64;
/// zlib's compression level: three times as fast as the next one, with a fifth more space.
const FASTEST: u8 = 1;
/// Larger chunks are not decompressed, because a broken one must not exhaust the memory.
const LARGEST: usize = 1 << 30;

/// A filter for the lines of a log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogFilter {
    /// Only lines of this node.
    pub node: Option<String>,
    /// Lines of at least this level.
    pub level: Option<Level>,
    /// Lines that contain this text, ignoring case.
    pub text: Option<String>,
    /// Further terms, with the keys of [`LOG_KEYS`].
    pub filter: Filter,
}

/// The keys for the lines of a log.
pub const LOG_KEYS: &[Key] = &[
    key(
        "level",
        Kind::Values(&[
            value("error", "errors"),
            value("warning", "warnings, and what is worse"),
            value("info", "all but debug lines"),
            value("debug", "all lines"),
        ]),
        "lines of the level, and worse ones",
    ),
    key("node", Kind::Text, "lines of the node"),
    key("logger", Kind::Text, "lines of the logger, and of those below it"),
    key(
        "stream",
        Kind::Values(&[
            value("stdout", "printed lines"),
            value("stderr", "lines on the error output"),
            value("log", "lines of loggers"),
            value("warning", "warnings of Python"),
        ]),
        "where the line came from",
    ),
];

impl Row for LogLine {
    fn contains(&self, word: &str) -> bool {
        self.text.to_lowercase().contains(word)
    }

    fn is(&self, key: &str, value: &str) -> bool {
        match key {
            "level" => self.level >= Level::from_text(value),
            "node" => self.node.as_deref() == Some(value),
            "logger" => self.logger.as_deref().is_some_and(|name| is_within(name, value)),
            _ => self.stream == value,
        }
    }
}

/// Where and in which direction to read a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogCursor {
    /// From this line onwards.
    Line(u64),
    /// The lines before this one, searched backwards; the result is still in ascending order.
    Before(u64),
}

impl Store {
    /// Up to `limit` matching lines of a run's log, in order. Any number of other lines is skipped.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn log(
        &mut self,
        run: RunId,
        filter: &LogFilter,
        from: LogCursor,
        limit: usize,
    ) -> Result<Vec<LogLine>, StoreError> {
        let wanted = Wanted::new(filter);
        let lines = self.read(|connection| page(connection, run, &wanted, from, limit))?;
        Ok(lines.unwrap_or_default())
    }
}

/// Appends lines, numbered from `first`; returns their count.
pub(super) fn append<'a>(
    connection: &Connection,
    run: RunId,
    first: u64,
    lines: impl Iterator<Item = Line<'a>>,
) -> rusqlite::Result<u64> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO log (run, first, lines, started_at, ended_at, levels, sources, packed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let mut next = first;
    let mut chunk = Chunk::default();
    let mut write = |chunk: &mut Chunk<'a>| -> rusqlite::Result<()> {
        insert.execute(params![
            run,
            next as i64,
            chunk.lines as i64,
            chunk.started_at,
            chunk.ended_at,
            chunk.levels,
            chunk.sources(),
            compress_to_vec_zlib(&chunk.bytes, FASTEST),
        ])?;
        next += chunk.lines;
        chunk.clear();
        Ok(())
    };
    for line in lines {
        if !chunk.fits(&line) {
            write(&mut chunk)?;
        }
        chunk.push(&line);
    }
    if chunk.lines > 0 {
        write(&mut chunk)?;
    }
    Ok(next - first)
}

/// Lines that are being collected into a chunk.
#[derive(Default)]
struct Chunk<'a> {
    lines: u64,
    started_at: f64,
    ended_at: f64,
    /// The time of the last line in microseconds.
    last: i64,
    levels: u8,
    sources: Vec<Source<'a>>,
    /// The index of the last line's source; the next line often has the same.
    source: usize,
    bytes: Vec<u8>,
}

impl<'a> Chunk<'a> {
    fn fits(&self, line: &Line<'a>) -> bool {
        self.lines == 0
            || (self.bytes.len() + line.text.len() <= CHUNK
                && (self.sources.len() < SOURCES || self.find(&line.source).is_some()))
    }

    fn find(&self, source: &Source<'a>) -> Option<usize> {
        if self.sources.get(self.source) == Some(source) {
            return Some(self.source);
        }
        self.sources.iter().position(|other| other == source)
    }

    fn push(&mut self, line: &Line<'a>) {
        let micros = (line.at * 1e6).round() as i64;
        if self.lines == 0 {
            self.started_at = line.at;
            self.ended_at = line.at;
            self.last = (self.started_at * 1e6).round() as i64;
        }
        self.ended_at = self.ended_at.max(line.at);
        self.source = self.find(&line.source).unwrap_or_else(|| {
            self.sources.push(line.source);
            self.sources.len() - 1
        });
        self.levels |= bit(line.source.level);
        varint(&mut self.bytes, self.source as u64);
        varint(&mut self.bytes, zigzag(micros - self.last));
        varint(&mut self.bytes, line.text.len() as u64);
        self.bytes.extend_from_slice(line.text.as_bytes());
        self.last = micros;
        self.lines += 1;
    }

    /// The sources as JSON: a list of (level, node, stream, level name, logger).
    fn sources(&self) -> String {
        let rows: Vec<SourceRow<'_>> = self
            .sources
            .iter()
            .map(|source| {
                let node = source.node.map(Cow::Borrowed);
                let (name, logger) =
                    (source.level_name.map(Cow::Borrowed), source.logger.map(Cow::Borrowed));
                (
                    Cow::Borrowed(source.level.as_str()),
                    node,
                    Cow::Borrowed(source.stream),
                    name,
                    logger,
                )
            })
            .collect();
        // Serialising strings and nulls can't fail.
        serde_json::to_string(&rows).unwrap_or_default()
    }

    fn clear(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        *self = Chunk { bytes, ..Chunk::default() };
    }
}

type SourceRow<'a> =
    (Cow<'a, str>, Option<Cow<'a, str>>, Cow<'a, str>, Option<Cow<'a, str>>, Option<Cow<'a, str>>);

/// A filter, prepared for matching.
struct Wanted<'a> {
    node: Option<&'a str>,
    levels: u8,
    text: Option<regex::bytes::Regex>,
    filter: &'a Filter,
}

impl<'a> Wanted<'a> {
    fn new(filter: &'a LogFilter) -> Self {
        let least = filter.level.unwrap_or(Level::Debug);
        let levels = Level::VARIANTS.iter().copied().filter(|level| *level >= least).map(bit);
        let text = filter.text.as_deref().filter(|text| !text.is_empty());
        Wanted {
            node: filter.node.as_deref(),
            filter: &filter.filter,
            levels: levels.fold(0, |all, level| all | level),
            // An escaped text is always a valid expression, unless it is megabytes long.
            text: text.and_then(|text| {
                regex::bytes::RegexBuilder::new(&regex::escape(text))
                    .case_insensitive(true)
                    .build()
                    .ok()
            }),
        }
    }

    fn matches(&self, source: &SourceRow<'_>) -> bool {
        self.levels & bit(Level::from_text(&source.0)) != 0
            && self.node.is_none_or(|node| source.1.as_deref() == Some(node))
    }
}

fn page(
    connection: &Connection,
    run: RunId,
    wanted: &Wanted<'_>,
    from: LogCursor,
    limit: usize,
) -> rusqlite::Result<Vec<LogLine>> {
    const COLUMNS: &str =
        "SELECT first, started_at, sources, packed FROM log WHERE run = ?1 AND levels & ?3 != 0";
    let (sql, line) = match from {
        LogCursor::Line(line) => {
            // The chunk that contains the line starts at or before it.
            let begin = "(SELECT COALESCE(MAX(first), 0) FROM log WHERE run = ?1 AND first <= ?2)";
            (format!("{COLUMNS} AND first >= {begin} ORDER BY first"), line)
        }
        LogCursor::Before(line) => (format!("{COLUMNS} AND first < ?2 ORDER BY first DESC"), line),
    };
    let backwards = matches!(from, LogCursor::Before(_));
    let mut found: Vec<LogLine> = Vec::new();
    let mut statement = connection.prepare_cached(&sql)?;
    let number = i64::try_from(line).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![run, number, wanted.levels])?;
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        let sources: String = row.get(2)?;
        let sources: Vec<SourceRow<'_>> = serde_json::from_str(&sources).unwrap_or_default();
        if !sources.iter().any(|source| wanted.matches(source)) {
            continue;
        }
        let first = row.get::<_, i64>(0)?.unsigned_abs();
        let packed = row.get_ref(3)?.as_blob()?;
        let range = if backwards { first..line } else { line.max(first)..u64::MAX };
        let room = limit - found.len();
        let most = if backwards { usize::MAX } else { room };
        let mut lines = unpack(packed, first, row.get(1)?, &sources, wanted, range, most);
        if backwards {
            lines.drain(..lines.len().saturating_sub(room));
            lines.append(&mut found);
            found = lines;
        } else {
            found.append(&mut lines);
        }
    }
    Ok(found)
}

/// The first `most` matching lines of a chunk; broken data is skipped.
fn unpack(
    packed: &[u8],
    first: u64,
    started_at: f64,
    sources: &[SourceRow<'_>],
    wanted: &Wanted<'_>,
    range: std::ops::Range<u64>,
    most: usize,
) -> Vec<LogLine> {
    let bytes = decompress_to_vec_zlib_with_limit(packed, LARGEST).unwrap_or_default();
    // One search over the whole chunk is much faster than one per line.
    if wanted.text.as_ref().is_some_and(|wanted| !wanted.is_match(&bytes)) {
        return Vec::new();
    }
    let matches: Vec<bool> = sources.iter().map(|source| wanted.matches(source)).collect();
    let mut found = Vec::new();
    let mut rest = bytes.as_slice();
    let mut micros = (started_at * 1e6).round() as i64;
    let mut number = first;
    while found.len() < most
        && number < range.end
        && let Some((index, delta, text)) = next_line(&mut rest)
    {
        micros = micros.wrapping_add(delta);
        if number >= range.start
            && matches.get(index) == Some(&true)
            && wanted.text.as_ref().is_none_or(|wanted| wanted.is_match(text))
        {
            let (level, node, stream, level_name, logger) = &sources[index];
            let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
            let line = LogLine {
                number,
                at: micros as f64 / 1e6,
                level: Level::from_text(level),
                node: owned(node),
                stream: stream.to_string(),
                level_name: owned(level_name),
                logger: owned(logger),
                text: String::from_utf8_lossy(text).into_owned(),
            };
            if wanted.filter.matches(&line) {
                found.push(line);
            }
        }
        number += 1;
    }
    found
}

/// Removes a line from the front: index of its source, microseconds, text.
fn next_line<'a>(rest: &mut &'a [u8]) -> Option<(usize, i64, &'a [u8])> {
    let index = take_varint(rest)?;
    let delta = take_varint(rest)?;
    let length = usize::try_from(take_varint(rest)?).ok()?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some((usize::try_from(index).ok()?, unzigzag(delta), text))
}

fn bit(level: Level) -> u8 {
    1 << level as u8
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::{Entry, NewRun, Progress, RunRecord};

    fn source(node: Option<&'static str>, level: Level) -> Source<'static> {
        Source { level, node, stream: "stdout", level_name: None, logger: None }
    }

    fn with_lines(store: &mut Store, lines: &[Line<'_>], batch: usize) -> RunRecord {
        let record = store.add_run(&NewRun::default()).unwrap();
        for (index, part) in lines.chunks(batch).enumerate() {
            let entries: Vec<Entry<'_>> = part.iter().map(|line| Entry::Line(*line)).collect();
            let first = (index * batch) as u64 + 1;
            let progress =
                Progress { record: &record, first, entries: &entries, nodes: &[], datasets: &[] };
            store.record(&progress).unwrap();
        }
        record
    }

    fn numbers(lines: &[LogLine]) -> Vec<u64> {
        lines.iter().map(|line| line.number).collect()
    }

    #[test]
    fn pages_are_found_by_line_node_level_and_text() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let texts: Vec<String> = (1..=5000).map(|n| format!("Line {n} of the log")).collect();
        let lines: Vec<Line<'_>> = texts
            .iter()
            .enumerate()
            .map(|(index, text)| {
                let level = if (index + 1) % 1000 == 0 { Level::Error } else { Level::Info };
                let node = if index < 2500 { "a" } else { "b" };
                Line { at: index as f64 / 100.0, source: source(Some(node), level), text }
            })
            .collect();
        let run = with_lines(&mut store, &lines, 700).id.unwrap();
        let all = LogFilter::default();
        let mut page = |filter: &LogFilter, from, limit| {
            numbers(&store.log(run, filter, from, limit).unwrap())
        };
        assert_eq!(page(&all, LogCursor::Line(1), 3), [1, 2, 3]);
        assert_eq!(page(&all, LogCursor::Line(699), 4), [699, 700, 701, 702]);
        assert_eq!(page(&all, LogCursor::Line(4999), 9), [4999, 5000]);
        assert_eq!(page(&all, LogCursor::Line(5001), 9), [] as [u64; 0]);
        assert_eq!(page(&all, LogCursor::Before(703), 4), [699, 700, 701, 702]);
        assert_eq!(page(&all, LogCursor::Before(u64::MAX), 2), [4999, 5000]);
        assert_eq!(page(&all, LogCursor::Before(3), 9), [1, 2]);
        let errors = LogFilter { level: Some(Level::Warning), ..LogFilter::default() };
        assert_eq!(page(&errors, LogCursor::Line(1), 9), [1000, 2000, 3000, 4000, 5000]);
        let of_b = LogFilter { node: Some("b".into()), ..errors.clone() };
        assert_eq!(page(&of_b, LogCursor::Line(1), 9), [3000, 4000, 5000]);
        assert_eq!(page(&of_b, LogCursor::Before(5000), 1), [4000]);
        let text = LogFilter { text: Some("LINE 123".into()), ..LogFilter::default() };
        assert_eq!(page(&text, LogCursor::Line(124), 3), [1230, 1231, 1232]);
        assert_eq!(page(&text, LogCursor::Before(1231), 2), [123, 1230]);
        assert_eq!(store.log(run, &text, LogCursor::Line(1), 1).unwrap()[0].at, 1.22);
    }

    #[test]
    fn a_broken_chunk_does_not_affect_other_chunks() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let line = Line { at: 1.0, source: source(None, Level::Info), text: "x" };
        let run = with_lines(&mut store, &[line; 30], 10).id.unwrap();
        store
            .write(|connection| {
                connection.execute("UPDATE log SET packed = x'789c00ff' WHERE first = 11", [])
            })
            .unwrap();
        let lines = store.log(run, &LogFilter::default(), LogCursor::Line(1), 100).unwrap();
        assert_eq!(lines.len(), 20);
        assert_eq!(lines[10].number, 21);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn lines_come_back_as_they_were(
            texts in prop::collection::vec((any::<String>(), 0u8..4, 0u8..90, -5.0..5.0f64), 0..300),
            batch in 1usize..60,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut store = Store::new(folder.path());
            let nodes: Vec<String> = (0..90).map(|n| format!("\"node\" {n}")).collect();
            let lines: Vec<Line<'_>> = texts.iter().map(|(text, level, node, at)| Line {
                at: 1_793_600_000.0 + (at * 1e6).round() / 1e6,
                source: Source {
                    node: (*node > 0).then(|| nodes[usize::from(*node)].as_str()),
                    ..source(None, Level::VARIANTS[usize::from(*level)])
                },
                text,
            }).collect();
            let run = with_lines(&mut store, &lines, batch).id.unwrap();
            let read = store.log(run, &LogFilter::default(), LogCursor::Line(1), usize::MAX).unwrap();
            prop_assert_eq!(read.len(), lines.len());
            for (line, read) in lines.iter().zip(read) {
                prop_assert_eq!(line.text, read.text);
                prop_assert_eq!(line.source.node, read.node.as_deref());
                prop_assert_eq!(line.source.level, read.level);
                prop_assert!((line.at - read.at).abs() < 2e-6);
            }
        }
    }
}
