//! The log of a try of a task, as it is read from the engine.

use std::path::Path;

use crate::remote::model::{LogLine, Task};
use crate::remote::traceback;
use crate::runs::Failure;
use crate::text::filter::{Filter, FilterError, Key, Kind, Row, key, parse, value};

/// Most lines that are kept; the oldest are dropped.
const MOST: usize = 200_000;
/// Lines of the longest traceback that may still grow.
const LONGEST: usize = 1_000;
/// Cells of one step sideways.
const STEP: usize = 20;

/// The keys of the filter of a log's lines.
pub const KEYS: &[Key] = &[key(
    "level",
    Kind::Values(&[
        value("error", "errors"),
        value("warning", "warnings, and what is worse"),
        value("info", "all but debug lines"),
    ]),
    "lines of the level, and worse ones",
)];

/// The log of a try.
#[derive(Debug, Clone)]
pub struct TaskLog {
    /// The task.
    pub task: Task,
    /// The number of the try, from 1.
    pub attempt: u32,
    /// The lines that were read.
    pub lines: Vec<LogLine>,
    /// The number of lines that were dropped at the beginning.
    pub dropped: usize,
    /// Indices of the lines that match the filter.
    pub matches: Vec<usize>,
    /// The filter as it was written.
    pub query: String,
    filter: Filter,
    /// The first visible line among those that match.
    pub offset: usize,
    /// Cells that are scrolled out at the left.
    pub column: usize,
    /// Whether the end is followed.
    pub follow: bool,
    /// Whether anything was read.
    pub is_read: bool,
    /// Whether the log has ended.
    pub ended: bool,
    /// The index in `lines` of the line that a search found.
    pub found: Option<usize>,
    /// The exception that the log shows.
    pub failure: Option<Failure>,
    /// Where the last traceback begins in `lines`.
    head: Option<usize>,
    /// The number of lines in which tracebacks were looked for.
    looked: usize,
    /// The number of the line, from 0, that is shown once it is read.
    wanted: Option<usize>,
}

/// How bad a level is: 0 is the worst.
fn rank(level: Option<&str>) -> u8 {
    match level {
        Some("error" | "critical" | "fatal") => 0,
        Some("warning" | "warn") => 1,
        Some("debug" | "trace") => 3,
        _ => 2,
    }
}

impl Row for &LogLine {
    fn contains(&self, word: &str) -> bool {
        self.text.to_lowercase().contains(word)
    }

    fn is(&self, _key: &str, value: &str) -> bool {
        rank(self.level.as_deref()) <= rank(Some(value))
    }
}

impl TaskLog {
    /// The log of a try of a task, of which nothing was read.
    pub fn new(task: Task, attempt: u32) -> Self {
        TaskLog {
            task,
            attempt,
            lines: Vec::new(),
            dropped: 0,
            matches: Vec::new(),
            query: String::new(),
            filter: Filter::default(),
            offset: 0,
            column: 0,
            follow: true,
            is_read: false,
            ended: false,
            found: None,
            failure: None,
            head: None,
            looked: 0,
            wanted: None,
        }
    }

    /// Finds the exception in the lines that were taken last; `root` and `package` are those of the project.
    pub fn find_failure(&mut self, root: &Path, package: &str) {
        let is_head = |line: &LogLine| line.text.trim_end() == traceback::HEAD;
        let from = self.looked.min(self.lines.len());
        if let Some(at) = self.lines[from..].iter().position(is_head) {
            self.head = Some(from + at);
        }
        self.looked = self.lines.len();
        let Some(head) = self.head else { return };
        // A traceback may come in several parts.
        if self.lines.len() - head > LONGEST && self.failure.is_some() {
            return;
        }
        let found = traceback::last(&self.lines[head..], root, package);
        self.failure = found.and_then(|(_, failure)| serde_json::from_value(failure).ok());
    }

    /// Takes lines that were read; the `first` ones of the log replace those known before.
    pub fn take(&mut self, first: bool, lines: Vec<LogLine>, ended: bool, height: usize) {
        if first {
            self.lines.clear();
            self.matches.clear();
            (self.dropped, self.looked, self.head, self.failure) = (0, 0, None, None);
        }
        (self.is_read, self.ended) = (true, ended);
        let from = self.lines.len();
        self.lines.extend(lines);
        let excess = self.lines.len().saturating_sub(MOST);
        if excess > 0 {
            self.lines.drain(..excess);
            self.dropped += excess;
            self.looked = self.looked.saturating_sub(excess);
            self.head = self.head.and_then(|head| head.checked_sub(excess));
            self.refresh(height);
        } else {
            let new = (from..self.lines.len()).filter(|at| self.filter.matches(&&self.lines[*at]));
            let new: Vec<usize> = new.collect();
            self.matches.extend(new);
        }
        if self.follow {
            self.offset = self.last_offset(height);
        }
        self.offset = self.offset.min(self.last_offset(height));
        self.arrive(height);
    }

    /// Shows the line of this number, from 0, as soon as it is read.
    pub fn go_to(&mut self, number: usize, height: usize) {
        (self.wanted, self.follow) = (Some(number), false);
        self.arrive(height);
    }

    /// Shows the wanted line, if it is read. A filter that hides the line is removed.
    fn arrive(&mut self, height: usize) {
        let Some(line) = self.wanted.and_then(|number| number.checked_sub(self.dropped)) else {
            return;
        };
        if line >= self.lines.len() {
            return;
        }
        if self.matches.binary_search(&line).is_err() {
            (self.filter, self.query) = (Filter::default(), String::new());
            self.refresh(height);
        }
        let at = self.matches.binary_search(&line).unwrap_or_default();
        (self.wanted, self.found) = (None, Some(line));
        self.offset = at.saturating_sub(height / 3).min(self.last_offset(height));
    }

    /// Filters the lines, and shows the end of what matches.
    ///
    /// # Errors
    /// If the text can't be parsed.
    pub fn set_query(&mut self, text: &str, height: usize) -> Result<(), FilterError> {
        self.filter = parse(text, KEYS)?;
        self.query = text.trim().to_owned();
        self.refresh(height);
        self.offset = self.last_offset(height);
        Ok(())
    }

    fn refresh(&mut self, height: usize) {
        let lines = self.lines.iter().enumerate();
        self.matches =
            lines.filter(|(_, line)| self.filter.matches(line)).map(|(at, _)| at).collect();
        self.found = None;
        self.offset = self.offset.min(self.last_offset(height));
    }

    fn last_offset(&self, height: usize) -> usize {
        self.matches.len().saturating_sub(height)
    }

    /// Scrolls by `by` lines. At the end the log is followed.
    pub fn scroll(&mut self, by: isize, height: usize) {
        let last = self.last_offset(height);
        self.offset = self.offset.saturating_add_signed(by).min(last);
        self.follow = by > 0 && self.offset == last;
    }

    /// Scrolls sideways by `steps` steps.
    pub fn scroll_sideways(&mut self, steps: isize) {
        self.column = self.column.saturating_add_signed(steps * STEP as isize);
    }

    /// Follows the end of the log, or stops that.
    pub fn toggle_follow(&mut self, height: usize) {
        self.follow ^= true;
        if self.follow {
            self.offset = self.last_offset(height);
        }
    }

    /// Goes to the next (1) or previous (-1) line with a text, or with 0 to the first one from the top of the window on.
    /// Ignores case; goes on at the other end. Returns whether there is one.
    pub fn find(&mut self, text: &str, by: i32, height: usize) -> bool {
        let text = text.to_lowercase();
        let has = |at: &usize| self.lines[self.matches[*at]].text.to_lowercase().contains(&text);
        let len = self.matches.len();
        let shown = self.found.and_then(|line| self.matches.iter().position(|at| *at == line));
        let at = match by {
            -1 => {
                let from = shown.unwrap_or(self.offset);
                (0..from).rev().chain((from..len).rev()).find(has)
            }
            _ => {
                let from =
                    if by == 0 { self.offset } else { shown.map_or(self.offset, |at| at + 1) };
                let from = from.min(len);
                (from..len).chain(0..from).find(has)
            }
        };
        let Some(at) = at else { return false };
        self.found = Some(self.matches[at]);
        self.follow = false;
        if at < self.offset || at >= self.offset + height.max(1) {
            self.offset = at.saturating_sub(height / 3).min(self.last_offset(height));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::model::{Phase, State};

    fn log(count: usize) -> TaskLog {
        let task = Task {
            id: "t".into(),
            index: None,
            state: State { name: "running".into(), phase: Phase::Running },
            attempt: 1,
            attempts: 1,
            started: None,
            ended: None,
            host: None,
        };
        let mut log = TaskLog::new(task, 1);
        log.take(true, lines(0, count), false, 10);
        log
    }

    fn lines(from: usize, to: usize) -> Vec<LogLine> {
        let level = |number: usize| if number.is_multiple_of(10) { "error" } else { "info" };
        let line = |number: usize| LogLine {
            at: None,
            level: Some(level(number).into()),
            text: format!("line {number}."),
        };
        (from..to).map(line).collect()
    }

    #[test]
    fn the_end_is_followed_until_one_scrolls_up() {
        let mut log = log(100);
        assert_eq!(log.offset, 90);
        log.take(false, lines(100, 120), false, 10);
        assert_eq!(log.offset, 110);
        log.scroll(-5, 10);
        log.take(false, lines(120, 140), false, 10);
        assert_eq!((log.offset, log.follow), (105, false));
        log.scroll(1_000, 10);
        assert_eq!((log.offset, log.follow), (130, true));
    }

    #[test]
    fn a_filter_applies_to_lines_that_come_later_too() {
        let mut log = log(100);
        log.set_query("level:error", 5).unwrap();
        assert_eq!(log.matches.len(), 10);
        log.take(false, lines(100, 111), false, 5);
        assert_eq!(log.matches.last(), Some(&110));
        assert_eq!(log.offset, 7);
        log.set_query("level:error 3", 5).unwrap();
        assert_eq!(log.matches, [30]);
        assert!(log.set_query("leve:x", 5).is_err());
        assert_eq!(log.query, "level:error 3");
    }

    #[test]
    fn a_search_goes_on_at_the_other_end() {
        let mut log = log(100);
        assert!(log.find("LINE 50.", 0, 10));
        assert_eq!((log.found, log.follow), (Some(50), false));
        assert!(log.find("line 5", 1, 10));
        assert_eq!(log.found, Some(51));
        assert!(log.find("line 5", -1, 10));
        assert_eq!(log.found, Some(50));
        assert!(log.find("line 5.", -1, 10));
        assert_eq!(log.found, Some(5));
        assert!(log.find("line 99.", -1, 10));
        assert_eq!(log.found, Some(99));
        assert!(!log.find("nothing", 1, 10));
    }

    #[test]
    fn an_exception_is_found_although_its_traceback_comes_in_parts() {
        let mut log = log(3);
        let line = |text: &str| LogLine { at: Some(1.0), level: None, text: text.into() };
        let frame = r#"  File "/opt/shop/src/shop/nodes.py", line 7, in score"#;
        for text in [traceback::HEAD, frame, "    1 / 0", "ZeroDivisionError: division by zero"] {
            log.take(false, vec![line(text)], false, 10);
            log.find_failure(Path::new("/home/ada/shop"), "shop");
        }
        let failure = log.failure.clone().unwrap();
        assert_eq!(
            (failure.kind.as_str(), failure.message.as_str()),
            ("ZeroDivisionError", "division by zero")
        );
        log.take(true, lines(0, 2), true, 10);
        log.find_failure(Path::new("/home/ada/shop"), "shop");
        assert_eq!(log.failure, None);
    }

    #[test]
    fn a_wanted_line_is_shown_once_it_is_read_in_spite_of_a_filter() {
        let mut log = log(100);
        log.set_query("level:error", 10).unwrap();
        log.go_to(40, 10);
        assert_eq!((log.found, log.offset, log.follow), (Some(40), 0, false));
        assert_eq!(log.query, "level:error");
        log.go_to(33, 10);
        assert_eq!((log.found, log.offset, log.query.as_str()), (Some(33), 30, ""));
        log.go_to(100, 10);
        assert_eq!(log.found, Some(33));
        log.take(false, lines(100, 101), false, 10);
        assert_eq!((log.found, log.offset), (Some(100), 91));
        log.scroll(-50, 10);
        log.take(false, lines(101, 120), false, 10);
        assert_eq!(log.offset, 41, "it is shown once");
        let mut log = self::log(MOST);
        log.take(false, lines(0, 7), false, 10);
        log.go_to(17, 9);
        assert_eq!((log.found, log.offset), (Some(10), 7));
    }

    #[test]
    fn very_old_lines_are_dropped_and_counted() {
        let mut log = log(MOST);
        log.take(false, lines(0, 7), false, 10);
        assert_eq!((log.lines.len(), log.dropped, log.matches.len()), (MOST, 7, MOST));
        log.take(true, lines(0, 3), true, 10);
        assert_eq!((log.lines.len(), log.dropped, log.ended), (3, 0, true));
    }
}
