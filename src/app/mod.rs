//! The program without a terminal.
