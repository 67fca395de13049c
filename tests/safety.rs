//! What the program promises of safety (SECURITY.md), seen from outside: a module for each promise.
#![cfg(unix)]

mod common;

#[cfg(target_os = "linux")]
#[path = "safety/closed.rs"]
mod closed;
#[cfg(target_os = "linux")]
#[path = "safety/damaged.rs"]
mod damaged;
#[path = "safety/deletion.rs"]
mod deletion;
#[cfg(target_os = "linux")]
#[path = "safety/ends.rs"]
mod ends;
#[path = "safety/files.rs"]
mod files;
#[cfg(target_os = "linux")]
#[path = "safety/full.rs"]
mod full;
#[path = "safety/output.rs"]
mod output;
#[cfg(target_os = "linux")]
#[path = "safety/secrets.rs"]
mod secrets;
#[path = "safety/trust.rs"]
mod trust;
