//! The history of runs: conversion between a run's events and the store's records, and views of them.
//!
//! [`Course`] turns events into records for the store; [`timeline()`] and [`compare()`] compute what the
//! screen and the command line show of stored runs.

pub mod change;
pub mod code;
pub mod compare;
mod course;
pub mod filter;
pub mod timeline;
pub mod why;

pub use compare::{Comparison, Whole, compare, whole};
pub use course::{Course, News};
pub use timeline::{Bar, Timeline, timeline};

use super::event::{RunEvent, Stamped, Stream};
use super::request::RunRequest;
use crate::store::{Entry, Level, Line, LogLine, NewRun, RunRecord, Source, liveness, now};
use crate::text::secrets::{Key, SECRET, redact};

/// Who or what started a run, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// How the run was started: the command line, or the screen's command.
    pub why: String,
    /// Path of the Python interpreter.
    pub python: String,
    /// The kind of worker: `warm` or `fresh`.
    pub worker: String,
    /// The group that the run belongs to, such as a parameter grid.
    pub batch: Option<String>,
    /// Whether it outlives the program that started it.
    pub detached: bool,
}

/// The record of a run that begins now. Secrets are replaced by marks made with `key`, the store's key.
pub fn new_run(request: &RunRequest, asked: &Asked, key: Option<&Key>) -> NewRun {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let masked = request.masked(&|secret| key.map_or(SECRET.into(), |key| key.mark_of(secret)));
    NewRun {
        started_at: now(),
        pipeline: match request.pipelines.as_slice() {
            [] => request.pipeline.clone().unwrap_or_else(|| "__default__".into()),
            several => several.join(", "),
        },
        env: request.env.clone(),
        request: serde_json::to_string(&masked).unwrap_or_default(),
        command: request.to_command(),
        user: variable("USER").or_else(|| variable("LOGNAME")).or_else(user_of_process),
        host: liveness::host(),
        why: some(&redact(&asked.why)),
        python: some(&asked.python),
        worker: some(&asked.worker),
        batch: asked.batch.clone(),
        detached: asked.detached,
        remote: None,
    }
}

/// The name of this process's user according to `/etc/passwd`.
fn user_of_process() -> Option<String> {
    let id = rustix::process::geteuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let of_user = |line: &&str| line.split(':').nth(2) == Some(id.as_str());
    Some(users.lines().find(of_user)?.split(':').next()?.to_owned())
}

/// The request of a stored run; the default request if another version wrote it and it can't be parsed.
pub fn request(run: &RunRecord) -> RunRequest {
    serde_json::from_str(&run.new.request).unwrap_or_default()
}

/// Converts an event to a row for the store.
pub fn entry(stamped: &Stamped) -> Entry<'_> {
    match &stamped.event {
        RunEvent::Output { node, stream, level, logger, text, .. } => Entry::Line(Line {
            at: stamped.at,
            source: Source {
                level: level_of(*stream, level.as_deref()),
                node: node.as_deref(),
                stream: stream_name(*stream),
                level_name: level.as_deref(),
                logger: logger.as_deref(),
            },
            text,
        }),
        // Events come from JSON, so serializing them can't fail.
        _ => Entry::Event(stamped.at, serde_json::to_string(stamped).unwrap_or_default()),
    }
}

/// Parses the events of the store's rows. Rows that can't be parsed, written by another version, are left
/// out.
pub fn from_rows(rows: &[String]) -> Vec<Stamped> {
    rows.iter().filter_map(|row| serde_json::from_str(row).ok()).collect()
}

/// Converts a line of the store's log back to its event.
pub fn output(line: LogLine) -> Stamped {
    let stream = match line.stream.as_str() {
        "stderr" => Stream::Stderr,
        "log" => Stream::Log,
        "warning" => Stream::Warning,
        _ => Stream::Stdout,
    };
    let event = RunEvent::Output {
        node: line.node,
        stream,
        level: line.level_name,
        logger: line.logger,
        text: line.text,
        partial: false,
    };
    Stamped { at: line.at, event }
}

/// The severity of a line of output.
pub fn level_of(stream: Stream, level: Option<&str>) -> Level {
    match (stream, level) {
        (Stream::Warning, _) | (_, Some("WARNING")) => Level::Warning,
        (_, Some("ERROR" | "CRITICAL")) => Level::Error,
        (_, Some("DEBUG")) => Level::Debug,
        _ => Level::Info,
    }
}

fn stream_name(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
        Stream::Log => "log",
        Stream::Warning => "warning",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RunId;

    #[test]
    fn a_line_of_output_survives_the_log() {
        for (stream, level, weight) in [
            (Stream::Stdout, None, Level::Info),
            (Stream::Stderr, None, Level::Info),
            (Stream::Log, Some("CRITICAL"), Level::Error),
            (Stream::Log, Some("NOTICE"), Level::Info),
            (Stream::Warning, None, Level::Warning),
        ] {
            let event = RunEvent::Output {
                node: Some("n".into()),
                stream,
                level: level.map(str::to_owned),
                logger: None,
                text: "hello".into(),
                partial: false,
            };
            let stamped = Stamped { at: 1.5, event };
            let Entry::Line(line) = entry(&stamped) else { panic!("a line") };
            assert_eq!(line.source.level, weight);
            let line = LogLine {
                number: 1,
                at: line.at,
                level: line.source.level,
                node: line.source.node.map(str::to_owned),
                stream: line.source.stream.to_owned(),
                level_name: line.source.level_name.map(str::to_owned),
                logger: None,
                text: line.text.to_owned(),
            };
            assert_eq!(output(line), stamped);
        }
    }

    #[test]
    fn a_run_records_who_started_it_and_how() {
        let asked = Asked { why: "mlops-tui run".into(), ..Asked::default() };
        let new = new_run(&RunRequest::default(), &asked, None);
        assert_eq!(new.why.as_deref(), Some("mlops-tui run"));
        assert_eq!(new.python, None);
        assert!(new.host.is_some());
        let run = RunRecord::begun(RunId::new(1), new);
        assert_eq!(request(&run), RunRequest::default());
    }
}
