//! Watching the files that a snapshot is read from.
