//! The lines that a search found in the logs of a run, grouped by task and try.

use super::asked::Search;
use crate::app::list::Position;
use crate::remote::model::Task;
use crate::remote::search::Hit;

/// Most hits that are kept.
const MOST: usize = 10_000;
/// Most bytes of all hits, for lines may be very long.
const ROOM: usize = 16 << 20;

/// A row of the list of hits.
#[derive(Debug)]
pub enum Row {
    /// A log with so many hits, which follow. The log is named by its place among the tries of the search.
    Log(usize, usize),
    /// A line.
    Hit(usize, Hit),
    /// A log that can't be read, with the reason.
    Unread(usize, String),
}

/// A search, and what it has found so far.
#[derive(Debug)]
pub struct Found {
    /// The search.
    pub search: Search,
    /// The hits of each log, after a row for the log.
    pub rows: Vec<Row>,
    /// The position among the rows.
    pub position: Position,
    /// The number of hits.
    hits: usize,
    /// Bytes of all hits.
    bytes: usize,
    /// The indices of the rows of logs.
    logs: Vec<usize>,
    /// Logs that can't be read.
    unread: usize,
    /// Logs that were searched to their end.
    done: usize,
    end: End,
}

/// Whether the search goes on, or how it ended.
#[derive(Debug, PartialEq)]
enum End {
    GoesOn,
    All,
    TooMany,
    Failed(String),
}

impl Found {
    /// A search that begins.
    pub fn new(search: Search) -> Self {
        Found {
            search,
            rows: Vec::new(),
            position: Position::default(),
            hits: 0,
            bytes: 0,
            logs: Vec::new(),
            unread: 0,
            done: 0,
            end: End::GoesOn,
        }
    }

    /// Whether the search has ended.
    pub fn is_over(&self) -> bool {
        self.end != End::GoesOn
    }

    /// Takes hits of a part of a log, or why the log can't be read.
    pub fn take(&mut self, place: usize, hits: Result<Vec<Hit>, String>) {
        self.done = place;
        let hits = match hits {
            Ok(hits) => hits,
            Err(why) => {
                self.unread += 1;
                return self.rows.push(Row::Unread(place, why));
            }
        };
        for hit in hits {
            self.bytes += hit.line.text.len();
            if self.hits == MOST || self.bytes > ROOM {
                self.end = End::TooMany;
                return;
            }
            self.hits += 1;
            let head = self.logs.last().and_then(|head| self.rows.get_mut(*head));
            match head {
                Some(Row::Log(of, count)) if *of == place => *count += 1,
                _ => {
                    self.logs.push(self.rows.len());
                    self.rows.push(Row::Log(place, 1));
                }
            }
            self.rows.push(Row::Hit(place, hit));
        }
    }

    /// Ends the search; with the reason if it could not begin.
    pub fn end(&mut self, failed: Option<String>) {
        self.end = failed.map_or(End::All, End::Failed);
    }

    /// The task and the try of a place among the tries of the search.
    pub fn log(&self, place: usize) -> Option<&(Task, u32)> {
        self.search.tries.get(place)
    }

    /// The task and the try of a place in words.
    pub fn title(&self, place: usize) -> String {
        match self.log(place) {
            Some((task, attempt)) if task.attempt > 1 => format!("{}, try {attempt}", task.name()),
            Some((task, _)) => task.name(),
            None => String::new(),
        }
    }

    /// The task, the try and the number of the line that is selected; on the row of a log its first hit. A log that can't
    /// be read has no line.
    pub fn selected(&self) -> Option<(&Task, u32, Option<usize>)> {
        let row = self.position.selected;
        let (place, line) = match self.rows.get(row)? {
            Row::Hit(place, hit) => (*place, Some(hit.number)),
            Row::Unread(place, _) => (*place, None),
            Row::Log(place, _) => match self.rows.get(row + 1) {
                Some(Row::Hit(_, hit)) => (*place, Some(hit.number)),
                _ => (*place, None),
            },
        };
        let (task, attempt) = self.log(place)?;
        Some((task, *attempt, line))
    }

    /// The texts of the rows.
    pub fn names(&self) -> Vec<String> {
        let name = |row: &Row| match row {
            Row::Log(place, _) | Row::Unread(place, _) => self.title(*place),
            Row::Hit(_, hit) => hit.line.text.clone(),
        };
        self.rows.iter().map(name).collect()
    }

    /// How many hits there are in how many logs, and what was not searched.
    pub fn summary(&self) -> String {
        let all = self.search.tries.len();
        if let End::Failed(why) = &self.end {
            return why.clone();
        }
        let hits = counted(self.hits, "hit");
        let mut text = format!("{hits} in {} of {}", self.logs.len(), counted(all, "log"));
        match self.end {
            End::GoesOn => text.push_str(&format!("; {} searched ...", self.done)),
            End::TooMany => text.push_str("; the search ended here, for no more are kept"),
            End::All | End::Failed(_) => {}
        }
        if self.unread > 0 {
            text.push_str(&format!("; {} can't be read", counted(self.unread, "log")));
        }
        text
    }
}

/// A count with its word.
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::remote::model::{LogLine, Phase, RunId, State};

    fn found() -> Found {
        let task = |id: &str, attempt| Task {
            id: id.into(),
            index: None,
            state: State { name: "failed".into(), phase: Phase::Failed },
            attempt,
            attempts: 3,
            started: None,
            ended: None,
            host: None,
        };
        let tries = vec![(task("a", 1), 1), (task("b", 2), 1), (task("b", 2), 2)];
        let pattern = Regex::new("x").unwrap();
        let id = RunId { pipeline: "p".into(), run: "r".into() };
        Found::new(Search { number: 1, profile: "prod".into(), id, tries, pattern })
    }

    fn hits(numbers: std::ops::Range<usize>, size: usize) -> Result<Vec<Hit>, String> {
        let line = |_| LogLine { at: None, level: None, text: "x".repeat(size) };
        Ok(numbers.map(|number| Hit { number, line: line(number) }).collect())
    }

    #[test]
    fn hits_are_grouped_and_counted_by_log() {
        let mut found = found();
        assert_eq!(found.summary(), "0 hits in 0 of 3 logs; 0 searched ...");
        found.take(0, hits(4..5, 1));
        found.take(1, Err("it is gone".into()));
        found.take(2, hits(0..0, 1));
        found.take(2, hits(7..9, 1));
        found.take(2, hits(20..21, 1));
        let text = "4 hits in 2 of 3 logs; 2 searched ...; 1 log can't be read";
        assert_eq!(found.summary(), text);
        assert!(!found.is_over());
        found.end(None);
        assert!(found.is_over());
        assert_eq!(found.summary(), "4 hits in 2 of 3 logs; 1 log can't be read");
        assert_eq!(found.names(), ["a", "x", "b, try 1", "b, try 2", "x", "x", "x"]);
        let counts = found.rows.iter().filter_map(|row| match row {
            Row::Log(_, count) => Some(*count),
            _ => None,
        });
        assert_eq!(counts.collect::<Vec<_>>(), [1, 3]);
        let selected = [0, 1, 2, 3, 5].map(|row| {
            found.position.selected = row;
            let (task, attempt, line) = found.selected().unwrap();
            (task.id.clone(), attempt, line)
        });
        let selected = selected.each_ref().map(|(id, attempt, line)| (&**id, *attempt, *line));
        let first = ("a", 1, Some(4));
        let wanted = [first, first, ("b", 1, None), ("b", 2, Some(7)), ("b", 2, Some(8))];
        assert_eq!(selected, wanted);
    }

    #[test]
    fn a_search_ends_when_there_are_too_many_hits() {
        let mut found = found();
        found.take(0, hits(0..MOST, 1));
        assert!(!found.is_over());
        found.take(1, hits(0..1, 1));
        assert!(found.is_over());
        assert_eq!(found.rows.len(), MOST + 1);
        let text = "10000 hits in 1 of 3 logs; the search ended here, for no more are kept";
        assert_eq!(found.summary(), text);
    }

    #[test]
    fn long_lines_take_room_too() {
        let mut found = found();
        found.take(0, hits(0..2, ROOM / 2));
        assert!(!found.is_over());
        found.take(0, hits(2..3, 1));
        assert!(found.is_over());
        assert_eq!(found.rows.len(), 3);
    }

    #[test]
    fn a_search_that_cannot_begin_says_why() {
        let mut found = found();
        found.end(Some("there is no file ca.pem".into()));
        assert_eq!(found.summary(), "there is no file ca.pem");
    }
}
