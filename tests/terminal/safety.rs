//! What the program promises of safety (SECURITY.md), seen from outside: a module for each promise.
#![cfg(unix)]

#[cfg(target_os = "linux")]
mod closed;
#[cfg(target_os = "linux")]
mod damaged;
mod deletion;
#[cfg(target_os = "linux")]
mod ends;
mod files;
#[cfg(target_os = "linux")]
mod full;
mod output;
#[cfg(target_os = "linux")]
mod secrets;
mod trust;
