//! Access to the operating system for all layers, hardened against misuse by a project.
//!
//! [`contained`] survives the panics of decoders; [`files`] reads plain files; [`http`] and [`tls`] are what HTTP
//! clients need; [`programs`] finds programs, but never in the current folder;
//! [`say`] prints even if the other end may be closed; [`signals`] listens for signals that were
//! not ignored at the start.

pub mod contained;
pub mod files;
pub mod http;
pub mod programs;
pub mod say;
pub mod signals;
pub mod tls;
