//! The project's own store.
