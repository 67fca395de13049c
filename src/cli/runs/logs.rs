//! `mlops-tui runs logs`.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use color_eyre::eyre::Result;

use strum::VariantArray;

use super::clock;
use super::reference::RunName;
use crate::app::words::Tone;
use crate::cli::table::Reader;
use crate::store::{LOG_KEYS, Level, LogCursor, LogFilter, LogLine, Outcome, RunId, Store};
use crate::text::filter::{Filter, parse};
use crate::text::{UserError, json};

/// Print the log of a run.
///
/// Example: mlops-tui runs logs last --node train_model --level warning
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A number, `last` or `last-failed`
    #[arg(default_value = "last")]
    run: RunName,
    /// Only lines of this node
    #[arg(long, short, value_name = "NODE")]
    node: Option<String>,
    /// Lines of this level or above: debug, info, warning, error
    #[arg(long, short, value_name = "LEVEL", value_parser = parse_level)]
    level: Option<Level>,
    /// Lines that contain this text, ignoring case
    #[arg(long, short, value_name = "TEXT")]
    grep: Option<String>,
    /// Lines that match, as & on a log: level:warning -logger:kedro "my text"
    #[arg(long, value_name = "FILTER", value_parser = matching)]
    filter: Option<Filter>,
    /// Only the last lines
    #[arg(long, value_name = "COUNT")]
    tail: Option<usize>,
    /// Follow the log until the run ends
    #[arg(long, short)]
    follow: bool,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

/// The number of lines of one read.
const PAGE: usize = 5_000;
/// How often a running run is checked.
const EVERY: Duration = Duration::from_millis(200);

fn matching(text: &str) -> Result<Filter, String> {
    parse(text, LOG_KEYS).map_err(|error| error.pointed(text))
}

fn parse_level(text: &str) -> Result<Level, UserError> {
    let found = Level::VARIANTS.iter().find(|level| level.as_str() == text.to_lowercase());
    found.copied().ok_or_else(|| {
        UserError::hinted(
            format!("`{text}` is no level"),
            "There are: debug, info, warning, error.",
        )
    })
}

pub(super) fn run(store: &mut Store, arguments: &Arguments) -> Result<ExitCode> {
    let (id, run) = arguments.run.find(store)?;
    let filter = LogFilter {
        node: arguments.node.clone(),
        level: arguments.level,
        text: arguments.grep.clone(),
        filter: arguments.filter.clone().unwrap_or_default(),
    };
    let printer = Printer { json: arguments.json, reader: Reader::of_stdout() };
    let mut next = 1;
    if let Some(tail) = arguments.tail {
        let lines = store.log(id, &filter, LogCursor::Before(u64::MAX), tail)?;
        next = lines.last().map_or(run.log_lines, |line| line.number) + 1;
        if !printer.lines(&lines)? {
            return Ok(ExitCode::SUCCESS);
        }
    }
    loop {
        // Read the outcome first: once a run has ended, its log is complete.
        let ended = !arguments.follow || has_ended(store, id)?;
        while let Some(last) = page(store, id, &filter, next, &printer)? {
            let Printed::To(last) = last else { return Ok(ExitCode::SUCCESS) };
            next = last + 1;
        }
        if ended {
            return Ok(ExitCode::SUCCESS);
        }
        wait(store)?;
    }
}

fn has_ended(store: &mut Store, id: RunId) -> Result<bool> {
    let _ = store.recover();
    Ok(store.run(id)?.is_none_or(|run| run.outcome != Outcome::Running))
}

/// Waits until the store has changed, at most a second.
fn wait(store: &mut Store) -> Result<()> {
    for _ in 0..5 {
        std::thread::sleep(EVERY);
        if store.changed()? {
            break;
        }
    }
    Ok(())
}

/// How far the log is printed.
enum Printed {
    /// Up to this line.
    To(u64),
    /// The reader has closed the pipe.
    Gone,
}

/// Prints the next lines. Returns `None` if there are no more.
fn page(
    store: &mut Store,
    id: RunId,
    filter: &LogFilter,
    next: u64,
    printer: &Printer,
) -> Result<Option<Printed>> {
    let lines = store.log(id, filter, LogCursor::Line(next), PAGE)?;
    let Some(last) = lines.last() else { return Ok(None) };
    Ok(Some(if printer.lines(&lines)? { Printed::To(last.number) } else { Printed::Gone }))
}

struct Printer {
    json: bool,
    reader: Reader,
}

impl Printer {
    /// Prints lines. Returns false if the reader has closed the pipe.
    fn lines(&self, lines: &[LogLine]) -> Result<bool> {
        let mut text = String::new();
        for line in lines {
            if self.json {
                text += &json::line(line)?;
            } else {
                text += &self.line(line);
            }
            text.push('\n');
        }
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// A log line: time, level unless it is the usual one, node, text. The terminal wraps long lines.
    fn line(&self, line: &LogLine) -> String {
        let clean = crate::text::sanitize;
        let level = match line.level {
            Level::Info => String::new(),
            Level::Debug => self.reader.paint("DEBUG ", Tone::Dim),
            Level::Warning => self.reader.paint("WARNING ", Tone::Warning),
            Level::Error => self.reader.paint("ERROR ", Tone::Bad),
        };
        let node = line.node.as_deref().map(|node| format!("[{}] ", clean(node)));
        let node = self.reader.paint(&node.unwrap_or_default(), Tone::Dim);
        let time = self.reader.paint(&clock(line.at, "%H:%M:%S%.3f "), Tone::Dim);
        format!("{time}{level}{node}{}", clean(&line.text))
    }
}
