//! What the end-to-end tests share. Each of them uses a part of it.
#![allow(dead_code)]

pub mod project;
pub mod python;
