//! What all floors need of the operating system, done so that it cannot be turned against the user.
//!
//! [`files`] reads plain files, [`programs`] finds programs, but never in the current folder; [`say`] prints where the other end may
//! be gone; [`signals`] hears signals unless they were ignored at the start.

pub mod files;
pub mod programs;
pub mod say;
pub mod signals;
