//! The program in a real pseudo-terminal, and what it promises of safety.

#[path = "../common/mod.rs"]
mod common;

mod background;
mod experiments;
mod links;
mod path;
mod remembered;
mod safety;
mod screen;
mod toasts;
