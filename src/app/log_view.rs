//! A window of a log's lines, which loads more lines as it is scrolled.
//!
//! A log may have millions of lines; some thousands are in memory. [`LogView::wanted`] says what to load next,
//! and [`LogView::take`] receives it. The module does not know where the lines come from.

use super::effect::Generation;
use crate::store::{LOG_KEYS, Level, LogCursor, LogFilter, LogLine, RunId, Store, StoreError};
use crate::text::filter::{FilterError, parse};

/// Lines of one request.
pub const PAGE: usize = 500;
/// The largest number of lines in memory.
const MOST: usize = 4 * PAGE;
/// More lines are requested when fewer than this are left beyond the visible ones.
const MARGIN: usize = 150;
/// Cells of one step sideways.
const STEP: usize = 20;

/// A search for a line.
#[derive(Debug, Clone, PartialEq)]
struct Search {
    text: String,
    from: LogCursor,
    asked: bool,
}

/// A window of a log.
#[derive(Debug, Clone)]
pub struct LogView {
    /// The filter of the lines.
    pub filter: LogFilter,
    /// The typed part of the filter, as it was written.
    pub query: String,
    /// The line that a search found last.
    pub found: Option<u64>,
    /// The search that is under way.
    search: Option<Search>,
    /// The lines in memory.
    pub lines: Vec<LogLine>,
    /// Index of the first visible line.
    pub offset: usize,
    /// Cells that are scrolled out at the left.
    pub column: usize,
    /// Whether the view follows the end of the log.
    pub follow: bool,
    /// The number of the request; lines of another number are dropped.
    pub generation: Generation,
    /// Where an empty window starts loading.
    start: LogCursor,
    /// Whether the first line in memory is the first line of the log.
    at_first: bool,
    /// Whether the last line in memory is the last line of the log.
    at_last: bool,
    /// The request that is under way.
    asked: Option<LogCursor>,
}

impl Default for LogView {
    fn default() -> Self {
        LogView::at(LogCursor::Before(u64::MAX), LogFilter::default(), Generation::default())
    }
}

impl LogView {
    fn at(start: LogCursor, filter: LogFilter, generation: Generation) -> Self {
        LogView {
            filter,
            query: String::new(),
            found: None,
            search: None,
            lines: Vec::new(),
            offset: 0,
            column: 0,
            follow: matches!(start, LogCursor::Before(u64::MAX)),
            generation,
            start,
            at_first: false,
            at_last: false,
            asked: None,
        }
    }

    /// Changes the typed part of the filter, and shows the end of the log.
    ///
    /// # Errors
    /// If the text can't be parsed.
    pub fn set_query(&mut self, text: &str) -> Result<(), FilterError> {
        let filter = parse(text, LOG_KEYS)?;
        let query = text.trim().to_owned();
        if self.query != query {
            self.set_filter(LogFilter { filter, ..self.filter.clone() });
            self.query = query;
        }
        Ok(())
    }

    /// Begins a search for the next line with a text, or with -1 for the previous one. With 0 the first visible line
    /// may be it. Lines that the filter hides are not found.
    pub fn search(&mut self, text: &str, by: i32) {
        let shown = self.lines.get(self.offset).map(|line| line.number);
        let Some(at) = self.found.or(shown) else { return };
        let from = match by {
            0 => LogCursor::Line(shown.unwrap_or(at)),
            1 => LogCursor::Line(at + 1),
            _ => LogCursor::Before(at),
        };
        self.search = Some(Search { text: text.to_owned(), from, asked: false });
    }

    /// The search to ask for now, if there is one: what a line matches, and where to begin.
    pub fn wanted_search(&mut self) -> Option<(LogFilter, LogCursor)> {
        let search = self.search.as_mut().filter(|search| !search.asked)?;
        search.asked = true;
        let text = Some(search.text.clone());
        Some((LogFilter { text, ..self.filter.clone() }, search.from))
    }

    /// Shows the line that a search found.
    pub fn show(&mut self, number: u64, height: usize) {
        self.search = None;
        self.follow = false;
        let above = height / 3;
        match self.lines.iter().position(|line| line.number == number) {
            Some(index) => {
                self.offset = index.saturating_sub(above).min(self.last_offset(height));
            }
            None => {
                let (column, query) = (self.column, std::mem::take(&mut self.query));
                let filter = std::mem::take(&mut self.filter);
                *self = LogView::at(LogCursor::Line(number), filter, self.generation.count());
                (self.column, self.query) = (column, query);
            }
        }
        self.found = Some(number);
    }

    /// Changes the filter, and shows the end of the log.
    pub fn set_filter(&mut self, filter: LogFilter) {
        let query = match filter.filter == self.filter.filter {
            true => std::mem::take(&mut self.query),
            false => String::new(),
        };
        *self = LogView::at(LogCursor::Before(u64::MAX), filter, self.generation.count());
        self.query = query;
    }

    /// Whether nothing was loaded yet.
    pub fn is_loading(&self) -> bool {
        self.lines.is_empty() && !(self.at_first && self.at_last)
    }

    /// Whether the last visible line is the last line of the log.
    pub fn at_end(&self, height: usize) -> bool {
        self.at_last && self.offset + height >= self.lines.len()
    }

    /// The log may have grown.
    pub fn grown(&mut self) {
        self.at_last = false;
    }

    /// What to load now for a pane of `height` lines, if anything.
    pub fn wanted(&mut self, height: usize) -> Option<LogCursor> {
        if self.asked.is_some() {
            return None;
        }
        self.asked = match (self.lines.first(), self.lines.last()) {
            (Some(first), _) if !self.at_first && self.offset < MARGIN => {
                Some(LogCursor::Before(first.number))
            }
            (_, Some(last))
                if !self.at_last && self.lines.len() < self.offset + height + MARGIN =>
            {
                Some(LogCursor::Line(last.number + 1))
            }
            (None, None) if !(self.at_first && self.at_last) => Some(self.start),
            _ => None,
        };
        self.asked
    }

    /// Receives the lines that [`LogView::wanted`] requested.
    pub fn take(&mut self, generation: Generation, mut lines: Vec<LogLine>, height: usize) {
        let Some(asked) = self.asked.filter(|_| generation == self.generation) else { return };
        self.asked = None;
        let all = lines.len() < PAGE;
        match asked {
            LogCursor::Before(before) => {
                let fresh = self.lines.is_empty();
                self.at_first |= all;
                self.at_last |= fresh && before == u64::MAX;
                self.offset += lines.len();
                lines.append(&mut self.lines);
                if lines.len() > MOST {
                    lines.truncate(MOST);
                    self.at_last = false;
                }
                self.lines = lines;
                if fresh {
                    self.offset = self.last_offset(height);
                }
            }
            LogCursor::Line(from) => {
                self.at_first |= from <= 1;
                self.at_last |= all;
                self.lines.append(&mut lines);
                let excess = self.lines.len().saturating_sub(MOST);
                if excess > 0 {
                    self.lines.drain(..excess);
                    self.at_first = false;
                    self.offset = self.offset.saturating_sub(excess);
                }
            }
        }
        if self.follow {
            self.offset = self.last_offset(height);
        }
        self.offset = self.offset.min(self.last_offset(height));
    }

    fn last_offset(&self, height: usize) -> usize {
        self.lines.len().saturating_sub(height)
    }

    /// Scrolls by `by` lines.
    pub fn scroll(&mut self, by: isize, height: usize) {
        let last = self.last_offset(height);
        self.offset = self.offset.saturating_add_signed(by).min(last);
        self.follow = by > 0 && self.offset == last && self.at_last;
    }

    /// Scrolls sideways by `steps` steps.
    pub fn scroll_sideways(&mut self, steps: isize) {
        self.column = self.column.saturating_add_signed(steps * STEP as isize);
    }

    /// Goes to the first line.
    pub fn first(&mut self) {
        if self.at_first {
            self.offset = 0;
            self.follow = false;
        } else {
            let (column, query) = (self.column, std::mem::take(&mut self.query));
            let filter = std::mem::take(&mut self.filter);
            *self = LogView::at(LogCursor::Line(1), filter, self.generation.count());
            (self.column, self.query) = (column, query);
        }
    }

    /// Goes to the last line and follows the end.
    pub fn last(&mut self, height: usize) {
        self.follow = true;
        if self.at_last {
            self.offset = self.last_offset(height);
        } else {
            let column = self.column;
            let filter = self.filter.clone();
            self.set_filter(filter);
            self.column = column;
        }
    }

    /// Cycles the level: all lines, warnings and errors, only errors.
    pub fn next_level(&mut self) {
        let level = match self.filter.level {
            None => Some(Level::Warning),
            Some(Level::Warning) => Some(Level::Error),
            Some(_) => None,
        };
        self.set_filter(LogFilter { level, ..self.filter.clone() });
    }
}

/// The number of the next matching line of a run's log. The search goes on at the other end.
///
/// # Errors
/// When the store can't be read.
pub fn find(
    store: &mut Store,
    run: RunId,
    filter: &LogFilter,
    from: LogCursor,
) -> Result<Option<u64>, StoreError> {
    let again = match from {
        LogCursor::Line(_) => LogCursor::Line(1),
        LogCursor::Before(_) => LogCursor::Before(u64::MAX),
    };
    for from in [from, again] {
        if let Some(line) = store.log(run, filter, from, 1)?.first() {
            return Ok(Some(line.number));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEIGHT: usize = 20;

    fn line(number: u64) -> LogLine {
        LogLine {
            number,
            at: 0.0,
            level: Level::Info,
            node: None,
            stream: "stdout".into(),
            level_name: None,
            logger: None,
            text: String::new(),
        }
    }

    /// Loads all that is wanted of a log of `len` lines.
    fn load(view: &mut LogView, len: u64) {
        while let Some(from) = view.wanted(HEIGHT) {
            let page = PAGE as u64;
            let range = match from {
                LogCursor::Line(first) => first..(first + page).min(len + 1),
                LogCursor::Before(before) => {
                    let end = before.min(len + 1);
                    end.saturating_sub(page).max(1)..end
                }
            };
            view.take(view.generation, range.map(line).collect(), HEIGHT);
        }
    }

    fn seen(view: &LogView) -> (u64, u64) {
        let end = (view.offset + HEIGHT).min(view.lines.len());
        (view.lines[view.offset].number, view.lines[end - 1].number)
    }

    #[test]
    fn a_log_of_any_length_is_walked_through_with_few_lines_held() {
        let len = 10_000;
        let mut view = LogView::default();
        assert!(view.is_loading());
        load(&mut view, len);
        assert_eq!(seen(&view), (9_981, 10_000));
        assert!(view.follow && view.at_end(HEIGHT));
        for step in 1..=9_980 {
            view.scroll(-1, HEIGHT);
            load(&mut view, len);
            assert_eq!(seen(&view).0, 9_981 - step);
            assert!(view.lines.len() <= MOST && !view.follow);
        }
        view.scroll(-1, HEIGHT);
        assert_eq!(seen(&view), (1, 20));
        for _ in 0..200 {
            view.scroll(50, HEIGHT);
            load(&mut view, len);
        }
        assert_eq!(seen(&view), (9_981, 10_000));
        view.first();
        load(&mut view, len);
        assert_eq!(seen(&view), (1, 20));
        view.last(HEIGHT);
        load(&mut view, len);
        assert_eq!(seen(&view), (9_981, 10_000));
    }

    #[test]
    fn the_end_is_followed_and_a_place_in_the_middle_stays() {
        let mut view = LogView::default();
        load(&mut view, 10);
        view.grown();
        load(&mut view, 1_200);
        assert_eq!(seen(&view), (1_181, 1_200));
        view.scroll(-30, HEIGHT);
        load(&mut view, 1_200);
        view.grown();
        load(&mut view, 1_210);
        assert_eq!(seen(&view), (1_151, 1_170));
    }

    #[test]
    fn what_comes_for_another_filter_is_dropped() {
        let mut view = LogView::default();
        view.wanted(HEIGHT);
        let before = view.generation;
        view.next_level();
        assert_eq!(view.filter.level, Some(Level::Warning));
        view.take(before, vec![line(1)], HEIGHT);
        assert!(view.lines.is_empty());
        load(&mut view, 0);
        assert!(!view.is_loading() && view.lines.is_empty());
        view.next_level();
        view.next_level();
        assert_eq!(view.filter.level, None);
    }
}
