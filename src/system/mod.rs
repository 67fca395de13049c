//! Access to the operating system for all layers, hardened against misuse by a project.
//!
//! [`contained`] survives the panics of decoders; [`files`] reads plain files; [`programs`] finds programs, but never in the current folder;
//! [`say`] prints even if the other end may be closed; [`signals`] listens for signals that were
//! not ignored at the start.

pub mod contained;
pub mod files;
pub mod programs;
pub mod say;
pub mod signals;
