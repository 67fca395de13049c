//! The program without a terminal: everything on the screen follows from one state.
//!
//! [`event`] is all that can happen, [`effect`] all that is asked of the services, and
//! `update(state, event) -> effects` has no I/O, no waiting and no clock of its own.

pub mod effect;
pub mod event;
pub mod settings;
