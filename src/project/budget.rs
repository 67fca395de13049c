//! Bounds the work and memory of reading a project, whatever the project's files contain.
//!
//! A [`Budget`] counts elements (list items, mapping entries, steps of evaluation) and bytes
//! (created text and containers). Code whose loops or allocations depend on a file charges the
//! budget first. This module knows nothing of Python or YAML and reports nothing: the caller
//! reports where the budget was spent.

use std::cell::Cell;

/// The cost of one evaluated expression or statement, in elements.
pub const STEP: usize = 16;

/// The elements of one full read: about two seconds of work. 10,000 nodes take about 5 million.
const ELEMENTS: u64 = 176_000_000;
/// The bytes of one full read.
const BYTES: u64 = 512 << 20;
/// [`Budget::set_aside`] reserves one part in this many of the remaining budget.
const KEPT_BACK: u64 = 16;

/// The remaining elements and bytes of a read.
///
/// A charge beyond the rest spends the whole budget, so every later charge fails as well.
#[derive(Debug)]
pub struct Budget {
    elements: Cell<u64>,
    bytes: Cell<u64>,
}

/// The error of a spent budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent;

/// The share that was set aside, to be put back later.
#[derive(Debug)]
pub struct Aside {
    elements: u64,
    bytes: u64,
}

impl Default for Budget {
    /// The budget of one full read.
    fn default() -> Self {
        Budget::new(ELEMENTS, BYTES)
    }
}

impl Budget {
    /// A budget with the given numbers of elements and bytes.
    pub fn new(elements: u64, bytes: u64) -> Self {
        Budget { elements: Cell::new(elements), bytes: Cell::new(bytes) }
    }

    /// A budget of `sixteenths` of a full read for one part of it. A part that exhausts its own
    /// budget takes nothing from the others.
    pub fn of_sixteenths(sixteenths: u64) -> Self {
        Budget::new(ELEMENTS / 16 * sixteenths, BYTES / 16 * sixteenths)
    }

    /// Charges `count` elements.
    ///
    /// # Errors
    /// [`Spent`] if fewer than `count` are left.
    pub fn elements(&self, count: usize) -> Result<(), Spent> {
        match self.elements.get().checked_sub(count as u64) {
            Some(left) if left > 0 => {
                self.elements.set(left);
                Ok(())
            }
            _ => Err(self.use_up()),
        }
    }

    /// Charges `count` bytes, and elements for the work of writing them.
    ///
    /// # Errors
    /// [`Spent`] if fewer than `count` are left.
    pub fn bytes(&self, count: usize) -> Result<(), Spent> {
        match self.bytes.get().checked_sub(count as u64) {
            Some(left) if left > 0 => self.bytes.set(left),
            _ => return Err(self.use_up()),
        }
        self.elements(count / 64)
    }

    /// Whether the budget is spent.
    pub fn is_spent(&self) -> bool {
        self.elements.get() == 0
    }

    fn use_up(&self) -> Spent {
        self.elements.set(0);
        self.bytes.set(0);
        Spent
    }

    /// Sets a sixteenth of the remaining budget aside, so that work which exhausts the rest leaves
    /// something for later work. `None` if too little is left.
    pub fn set_aside(&self) -> Option<Aside> {
        const LEAST_ELEMENTS: u64 = 16_000;
        const LEAST_BYTES: u64 = 1 << 16;
        let (elements, bytes) = (self.elements.get(), self.bytes.get());
        let aside = Aside { elements: elements / KEPT_BACK, bytes: bytes / KEPT_BACK };
        if aside.elements < LEAST_ELEMENTS || aside.bytes < LEAST_BYTES {
            return None;
        }
        self.elements.set(elements - aside.elements);
        self.bytes.set(bytes - aside.bytes);
        Some(aside)
    }

    /// Returns the share that was set aside.
    pub fn put_back(&self, aside: Aside) {
        self.elements.set(self.elements.get() + aside.elements);
        self.bytes.set(self.bytes.get() + aside.bytes);
    }
}

#[cfg(test)]
impl Budget {
    /// A budget that little work exhausts, for tests.
    pub(super) fn small() -> Self {
        Budget::new(2_000_000, 24 << 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_beyond_the_rest_spends_the_budget() {
        let budget = Budget::default();
        assert_eq!(budget.elements(STEP), Ok(()));
        assert_eq!(budget.bytes(usize::MAX), Err(Spent));
        assert!(budget.is_spent());
        assert_eq!(budget.elements(1), Err(Spent));
    }

    #[test]
    fn a_share_set_aside_survives_a_spent_budget() {
        let budget = Budget::default();
        let aside = budget.set_aside().unwrap();
        assert_eq!(budget.elements(usize::MAX), Err(Spent));
        assert!(budget.set_aside().is_none());
        budget.put_back(aside);
        assert!(!budget.is_spent());
        assert_eq!(budget.elements(1_000_000), Ok(()));
        assert_eq!(budget.bytes(1 << 20), Ok(()));
    }
}
