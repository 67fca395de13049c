//! Datasets as they are on disk.
