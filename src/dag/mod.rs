//! The graph of a pipeline.
