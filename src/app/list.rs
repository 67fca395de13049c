//! Lists: their rows, selection and scrolling.

use std::collections::HashSet;

/// The selection and the scrolling of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Index of the selected row.
    pub selected: usize,
    /// Index of the first visible row.
    pub offset: usize,
}

impl Position {
    /// Moves the selection by `by` rows in a list of `len` rows, of which `height` are visible.
    pub fn move_by(&mut self, by: isize, len: usize, height: usize) {
        self.select(self.selected.saturating_add_signed(by), len, height);
    }

    /// Selects row `index`, or the last one before it, and brings it into view.
    pub fn select(&mut self, index: usize, len: usize, height: usize) {
        self.selected = index.min(len.saturating_sub(1));
        let height = height.max(1);
        if self.selected < self.offset {
            self.offset = self.selected;
        } else if self.selected >= self.offset + height {
            self.offset = self.selected + 1 - height;
        }
        self.offset = self.offset.min(len.saturating_sub(height));
    }

    /// Scrolls by `by` rows; the selection stays in view.
    pub fn scroll(&mut self, by: isize, len: usize, height: usize) {
        let last = len.saturating_sub(height);
        self.offset = self.offset.saturating_add_signed(by).min(last);
        let end = (self.offset + height.max(1) - 1).min(len.saturating_sub(1));
        self.selected = self.selected.clamp(self.offset.min(end), end);
    }
}

/// A list of rows, some of which may be groups.
#[derive(Debug)]
pub struct Listing<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The selection and the scrolling.
    pub position: Position,
    /// Names of groups that are closed.
    pub closed: HashSet<String>,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Listing { rows: Vec::new(), position: Position::default(), closed: HashSet::new() }
    }
}

impl<T> Listing<T> {
    /// The selected row.
    pub fn selected(&self) -> Option<&T> {
        self.rows.get(self.position.selected)
    }

    /// Takes other rows, of which `height` are seen; the row that is the `same` as the selected one
    /// stays selected.
    pub fn replace(&mut self, rows: Vec<T>, height: usize, same: impl Fn(&T, &T) -> bool) {
        let before = self.selected();
        let kept = before.and_then(|row| rows.iter().position(|other| same(row, other)));
        self.rows = rows;
        let index = kept.unwrap_or(self.position.selected);
        self.position.select(index, self.rows.len(), height);
    }

    /// Opens or closes the group of that name.
    pub fn set_open(&mut self, name: String, open: bool) {
        if open {
            self.closed.remove(&name);
        } else {
            self.closed.insert(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_selection_is_always_in_the_list_and_in_view(
            moves in prop::collection::vec((-30isize..30, 0usize..40, 1usize..20, any::<bool>()), 1..40)
        ) {
            let mut at = Position::default();
            for (by, len, height, scroll) in moves {
                if scroll { at.scroll(by, len, height) } else { at.move_by(by, len, height) }
                prop_assert!(at.selected < len.max(1));
                prop_assert!(at.offset <= at.selected && at.selected < at.offset + height);
                prop_assert!(at.offset <= len.saturating_sub(height));
            }
        }
    }
}
