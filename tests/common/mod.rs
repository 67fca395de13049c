//! What several tests need; each uses a part of it.

#![allow(dead_code, reason = "each test file uses a part")]

pub mod project;
pub mod python;
pub mod terminal;
