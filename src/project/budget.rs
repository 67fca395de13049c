//! What one reading of a project may use up, whatever the project's files say.
//!
//! A [`Budget`] counts elements (list items, mapping entries, steps of evaluation) and bytes (text
//! and containers that are created). Code that loops or allocates as often as a file says charges
//! the budget first. Nothing here knows of Python or YAML, and nothing here reports: the caller says
//! where the budget ran out.

use std::cell::Cell;

/// Elements that one evaluated expression or statement counts as.
pub const STEP: usize = 16;

/// Elements of one whole reading: about two seconds of work. 10,000 nodes take about 5 million.
const ELEMENTS: u64 = 176_000_000;
/// Bytes of one whole reading.
const BYTES: u64 = 512 << 20;
/// How much of what is left a [`Budget::set_aside`] keeps back: one part in this many.
const KEPT_BACK: u64 = 16;

/// What is left of the elements and bytes that a reading may use.
///
/// A charge beyond what is left uses the budget up, so every later charge fails as well.
#[derive(Debug)]
pub struct Budget {
    elements: Cell<u64>,
    bytes: Cell<u64>,
}

/// The budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent;

/// What was taken out of a budget to be put back later.
#[derive(Debug)]
pub struct Aside {
    elements: u64,
    bytes: u64,
}

impl Default for Budget {
    /// The budget of one whole reading.
    fn default() -> Self {
        Budget::new(ELEMENTS, BYTES)
    }
}

impl Budget {
    /// A budget of this many elements and bytes.
    pub fn new(elements: u64, bytes: u64) -> Self {
        Budget { elements: Cell::new(elements), bytes: Cell::new(bytes) }
    }

    /// A budget of `sixteenths` of a whole reading, for one part of it: a part that uses up its own
    /// takes nothing from the others.
    pub fn of_sixteenths(sixteenths: u64) -> Self {
        Budget::new(ELEMENTS / 16 * sixteenths, BYTES / 16 * sixteenths)
    }

    /// Charges `count` elements.
    ///
    /// # Errors
    /// [`Spent`] when fewer are left.
    pub fn elements(&self, count: usize) -> Result<(), Spent> {
        match self.elements.get().checked_sub(count as u64) {
            Some(left) if left > 0 => {
                self.elements.set(left);
                Ok(())
            }
            _ => Err(self.use_up()),
        }
    }

    /// Charges `count` bytes, and the work of writing them.
    ///
    /// # Errors
    /// [`Spent`] when fewer are left.
    pub fn bytes(&self, count: usize) -> Result<(), Spent> {
        match self.bytes.get().checked_sub(count as u64) {
            Some(left) if left > 0 => self.bytes.set(left),
            _ => return Err(self.use_up()),
        }
        self.elements(count / 64)
    }

    /// Whether nothing is left.
    pub fn is_spent(&self) -> bool {
        self.elements.get() == 0
    }

    fn use_up(&self) -> Spent {
        self.elements.set(0);
        self.bytes.set(0);
        Spent
    }

    /// Takes a sixteenth of what is left out of the budget, so that work which uses up the rest leaves
    /// something for what comes after it. `None` where too little is left to go on with.
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

    /// Puts back what was set aside.
    pub fn put_back(&self, aside: Aside) {
        self.elements.set(self.elements.get() + aside.elements);
        self.bytes.set(self.bytes.get() + aside.bytes);
    }
}

#[cfg(test)]
impl Budget {
    /// A budget that little work uses up, for tests.
    pub(super) fn small() -> Self {
        Budget::new(2_000_000, 24 << 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_beyond_what_is_left_uses_the_budget_up() {
        let budget = Budget::default();
        assert_eq!(budget.elements(STEP), Ok(()));
        assert_eq!(budget.bytes(usize::MAX), Err(Spent));
        assert!(budget.is_spent());
        assert_eq!(budget.elements(1), Err(Spent));
    }

    #[test]
    fn what_is_set_aside_survives_the_rest() {
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
