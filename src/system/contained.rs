//! Work on bytes from outside by code that may panic, such as decoders of other crates. The program goes on without
//! its result, and the hook that reports panics leaves these alone.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Does some work; `None` if it panics. The work must not change what outlives it.
pub fn contained<T>(work: impl FnOnce() -> T) -> Option<T> {
    let before = CONTAINED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(before);
    result.ok()
}

/// Whether this thread is in [`contained`] work.
pub fn is_contained() -> bool {
    CONTAINED.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_the_work_alone() {
        assert_eq!(contained(is_contained), Some(true));
        let list: Vec<u8> = Vec::new();
        assert_eq!(contained(|| list[contained(|| 0).unwrap_or(1)]), None);
        assert!(!is_contained());
    }
}
