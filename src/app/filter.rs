//! The filter of a screen, and the help while it is typed.

use crate::text::filter::{Candidate, Completion, Filter, FilterError, Key, parse};

/// The filter of a list.
#[derive(Debug, Clone, Default)]
pub struct Filtering {
    /// The filter as it was written.
    pub text: String,
    /// The filter.
    pub filter: Filter,
    /// The number of rows without the filter.
    pub total: usize,
    /// The number of rows that match.
    pub matching: usize,
}

impl Filtering {
    /// Sets the filter.
    ///
    /// # Errors
    /// If the text can't be parsed.
    pub fn set(&mut self, text: &str, keys: &'static [Key]) -> Result<(), FilterError> {
        self.filter = parse(text, keys)?;
        self.text = text.trim().to_owned();
        Ok(())
    }

    /// Removes the filter. Returns false if there is none.
    pub fn clear(&mut self) -> bool {
        self.filter = Filter::default();
        !std::mem::take(&mut self.text).is_empty()
    }

    /// What a title says of the filter, as in ` · 3 of 15 · is:missing`; empty without one.
    pub fn summary(&self) -> String {
        match self.text.is_empty() {
            true => String::new(),
            false => format!(" · {} of {} · {}", self.matching, self.total, self.text),
        }
    }
}

/// The help for a filter that is being typed.
#[derive(Debug, Default)]
pub struct Help {
    /// What can be typed at the cursor.
    pub completion: Completion,
    /// The candidate that was inserted last.
    pub chosen: Option<usize>,
    /// What is wrong, and where.
    pub error: Option<FilterError>,
}

impl Help {
    /// Goes to the next candidate, or the previous one. Returns it with the first character that it replaces.
    pub fn next(&mut self, onward: bool) -> Option<(usize, &Candidate)> {
        let count = self.completion.candidates.len();
        let last = count.checked_sub(1)?;
        let next = match (self.chosen, onward) {
            (None, true) => 0,
            (None, false) => last,
            (Some(at), true) => (at + 1) % count,
            (Some(at), false) => at.checked_sub(1).unwrap_or(last),
        };
        self.chosen = Some(next);
        self.error = None;
        Some((self.completion.from, &self.completion.candidates[next]))
    }
}
