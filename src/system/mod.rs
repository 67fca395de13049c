//! What all floors need of the operating system, done so that it cannot be turned against the user.
//!
//! [`programs`] finds programs, but never in the current folder; [`say`] prints where the other end may
//! be gone.

pub mod programs;
pub mod say;
