//! Backends that run pipelines elsewhere.
